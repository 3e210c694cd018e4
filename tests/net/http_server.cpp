#include <outcry/net/http_server.hpp>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/seed.hpp"

using namespace outcry;
using Kind = HttpServerEvent::Kind;

namespace {

constexpr std::int64_t second = 1'000'000'000;

std::span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// What comes of `text`: "GET /path?query", "431", or "-" while more is wanted.
std::string outcome(const std::string& text, HttpServerOptions options = {}) {
  HttpServer http(options, 0);
  auto rest = bytes_of(text);
  std::string all;
  while (const HttpServerEvent event = http.receive(rest, 0)) {
    if (!all.empty()) all += ", ";
    if (event.kind == Kind::request) {
      all += std::string(event.path) + (event.query.empty() ? "" : "?" + std::string(event.query));
    } else {
      all += std::to_string(event.status);
      break;
    }
    if (!http.stays_open()) all += " and close";
  }
  return all.empty() ? "-" : all;
}

std::string get(const std::string& path, const std::string& fields = "Host: x\r\n") {
  return "GET " + path + " HTTP/1.1\r\n" + fields + "\r\n";
}

}  // namespace

TEST_CASE("requests are read one by one, and a connection stays open unless somebody wants it closed") {
  CHECK(outcome(get("/metrics")) == "/metrics");
  CHECK(outcome(get("/a?b=c")) == "/a?b=c");
  CHECK(outcome(get("/a") + get("/b")) == "/a, /b");
  CHECK(outcome("\r\n" + get("/a")) == "/a");
  CHECK(outcome("HEAD / HTTP/1.1\r\nhost:x\r\n\r\n") == "/");
  CHECK(outcome(get("http://venue:9100/metrics")) == "/metrics");
  CHECK(outcome(get("http://venue")) == "/");
  CHECK(outcome(get("/a", "Host: x\r\nConnection: close\r\n") + get("/b")) == "/a and close");
  CHECK(outcome(get("/a", "Host: x\r\nconnection: foo, Close\r\n")) == "/a and close");
  CHECK(outcome("GET / HTTP/1.0\r\n\r\n") == "/ and close");
  CHECK(outcome("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n") == "/");
  CHECK(outcome(get("/a", "Host: x\r\nContent-Length: 0\r\n")) == "/a");
}

TEST_CASE("what is no request, or asks for more than there is, is refused with the status that says why") {
  CHECK(outcome("GET / HTTP/1.1\r\n\r\n") == "400");  // no host
  CHECK(outcome(get("/", "Host: x\r\nHost: y\r\n")) == "400");
  CHECK(outcome(get("/", "Host: x\r\nno field\r\n")) == "400");
  CHECK(outcome(get("/", "Host : x\r\n")) == "400");
  CHECK(outcome(get("/", "Host: x\r\n folded\r\n")) == "400");
  CHECK(outcome(get("/", "Host: x\r\nA: \x01\r\n")) == "400");
  CHECK(outcome(get("/a b")) == "400");
  CHECK(outcome(get("/a\x7F")) == "400");
  CHECK(outcome(get("nowhere")) == "400");
  CHECK(outcome("\x16\x03\x01\x02\x7F\x01\r\n\r\n") == "400");  // somebody who speaks TLS
  CHECK(outcome("GET /\r\n\r\n") == "400");
  CHECK(outcome("GET / HTTP/one\r\n\r\n") == "400");
  CHECK(outcome("GET / HTTP/2.0\r\nHost: x\r\n\r\n") == "505");
  CHECK(outcome("POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n") == "405");
  CHECK(outcome("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n") == "405");
  CHECK(outcome("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc") == "413");
  CHECK(outcome(get("/", "Host: x\r\nTransfer-Encoding: chunked\r\n")) == "413");
}

TEST_CASE("a POST is a request only where it is allowed, has no body, and does not come from a browser's page") {
  const HttpServerOptions posts{.posts = true};
  CHECK(outcome("POST /kill?all HTTP/1.1\r\nHost: x\r\n\r\n", posts) == "/kill?all");
  CHECK(outcome("POST /kill HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", posts) == "/kill");
  CHECK(outcome("POST /kill HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na", posts) == "413");
  CHECK(outcome("POST /kill HTTP/1.1\r\nHost: x\r\norigin: null\r\n\r\n", posts) == "403");
  CHECK(outcome("POST * HTTP/1.1\r\nHost: x\r\n\r\n", posts) == "400");
  CHECK(outcome("PUT /kill HTTP/1.1\r\nHost: x\r\n\r\n", posts) == "405");
}

TEST_CASE("a request that is too large is refused as soon as that is known, with its end or without") {
  const HttpServerOptions small{.largest_request = 64};
  const std::string fits = get("/" + std::string(64 - get("/").size(), 'a'));
  REQUIRE(fits.size() == 64);
  CHECK(outcome(fits, small).size() == 1 + 64 - get("/").size());
  CHECK(outcome(get("/" + std::string(65 - get("/").size(), 'a')), small) == "431");
  CHECK(outcome(std::string(63, 'a'), small) == "-");
  CHECK(outcome(std::string(64, 'a'), small) == "431");
}

TEST_CASE("cut anywhere, requests come out the same") {
  const std::string all =
      get("/metrics?x=1") + "\r\n" + "HEAD /livez HTTP/1.1\r\nHost: x\r\nA: \xC3\xA4\r\n\r\n" + get("/readyz");
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    CAPTURE(cut);
    HttpServer http({}, 0);
    std::string buffer = all.substr(0, cut);
    std::string found;
    for (int part = 0; part < 2; ++part) {
      auto rest = bytes_of(buffer);
      while (const HttpServerEvent event = http.receive(rest, 0)) {
        REQUIRE(event.kind == Kind::request);
        found += std::string(event.path) + " ";
      }
      buffer = buffer.substr(buffer.size() - rest.size()) + (part == 0 ? all.substr(cut) : "");
    }
    CHECK(found == "/metrics /livez /readyz ");
    CHECK(buffer.empty());
  }
}

TEST_CASE("an answer says its length, date and type, and a head has no body") {
  HttpServer http({}, 0);
  const std::string ask = get("/");
  auto rest = bytes_of(ask);
  REQUIRE(http.receive(rest, 0));
  CHECK(http.answer({.body = "good\n"}, 784'111'777) ==
        "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Length: 5\r\nCache-Control: no-store\r\n\r\ngood\n");

  const std::string head = "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  rest = bytes_of(head);
  REQUIRE(http.receive(rest, 0));
  const std::string answer = http.answer({.status = 404, .body = "gone\n"}, 0);
  CHECK(answer.find("HTTP/1.1 404 Not Found\r\n") == 0);
  CHECK(answer.find("Content-Length: 5\r\n") != std::string::npos);
  CHECK(answer.find("Connection: close\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("a refusal says what is allowed, has a body, and ends the connection") {
  HttpServer http({}, 0);
  const std::string ask = "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n";
  auto rest = bytes_of(ask);
  const HttpServerEvent event = http.receive(rest, 0);
  REQUIRE(event.kind == Kind::refused);
  const std::string answer = http.refuse(event.status, 0);
  CHECK(answer.find("Allow: GET, HEAD\r\n") != std::string::npos);
  CHECK(answer.find("Connection: close\r\n") != std::string::npos);
  CHECK(answer.ends_with("405 Method Not Allowed\n"));
  CHECK_FALSE(http.stays_open());
  const std::string more = get("/");
  rest = bytes_of(more);
  CHECK_FALSE(http.receive(rest, 0));
}

TEST_CASE("who begins a request has to end it in time, and who asks for nothing may stay longer") {
  const HttpServerOptions options{.patience_ns = 5 * second, .idle_ns = 60 * second};
  HttpServer http(options, 0);
  CHECK(http.deadline() == 60 * second);
  const std::string part = "GET / HT";
  auto rest = bytes_of(part);
  CHECK_FALSE(http.receive(rest, 10 * second));
  CHECK(rest.size() == part.size());
  CHECK(http.deadline() == 15 * second);
  CHECK_FALSE(http.receive(rest, 14 * second));  // a byte now and then does not help
  CHECK(http.deadline() == 15 * second);
  CHECK_FALSE(http.poll(15 * second - 1));
  const HttpServerEvent late = http.poll(15 * second);
  CHECK(late.kind == Kind::timed_out);
  CHECK(late.status == 408);

  HttpServer idle(options, 0);
  CHECK(idle.poll(60 * second).kind == Kind::timed_out);
  CHECK(idle.poll(60 * second).status == 0);
  const std::string whole = get("/");
  rest = bytes_of(whole);
  CHECK(idle.receive(rest, 30 * second));
  CHECK(idle.deadline() == 90 * second);
}

TEST_CASE("bytes that somebody made up never bring it out of step") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const std::vector<std::string> parts{"GET ",
                                       "/",
                                       " HTTP/1.1",
                                       "\r\n",
                                       "Host: x",
                                       ":",
                                       "\r",
                                       "\n",
                                       " ",
                                       "HEAD",
                                       "Content-Length: 7",
                                       std::string(1, '\0'),
                                       "\xFF",
                                       "?",
                                       "http://",
                                       "Connection: close"};
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    for (auto left = random() % 24; left != 0; --left) text += parts[random() % parts.size()];
    HttpServer http({.largest_request = 96}, 0);
    auto rest = bytes_of(text);
    std::size_t before = rest.size();
    while (const HttpServerEvent event = http.receive(rest, 0)) {
      CHECK(rest.size() <= before);
      if (event.kind == Kind::refused) {
        CHECK(event.status >= 400);
        http.refuse(event.status, 0);
        break;
      }
      CHECK(rest.size() < before);
      CHECK(event.path.starts_with('/'));
      before = rest.size();
      http.answer({.body = "x"}, 0);
    }
  }
}
