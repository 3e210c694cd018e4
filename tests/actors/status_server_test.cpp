// Pages over HTTP, asked for by a client that is no actor.
#include <outcry/actors/status_server.hpp>

#include <future>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <outcry/runtime/runtime.hpp>

#include "tests/wire.hpp"

using namespace outcry;

namespace {

struct Question {
  using Reply = int;
  int number = 0;
};

/// Doubles what it is asked; pages may ask other actors.
Actor answerer(Self<Ask<Question>> self) {
  while (auto ask = co_await self.receive()) ask->reply(2 * ask->query.number);
}

class Pages final : public StatusPages {
 public:
  Address<Ask<Question>> other{};

  Task<StatusPage> page(StatusRequest request) override {
    const std::string& path = request.path;
    StatusPage page;
    if (request.is_post) {
      page = {request.from_afar ? 403 : 200, "text/plain", path + " with " + request.query + "\n"};
      co_return page;
    }
    if (path == "/double") {
      auto asking = other.ask(Question{21});
      const auto answer = co_await asking;
      page = {200, "text/plain", std::to_string(answer ? *answer : 0) + "\n"};
    }
    if (path == "/large") page = {200, "text/plain", std::string(1'000'000, 'x')};
    co_return page;
  }
};

struct Running {
  explicit Running(StatusServerSetup setup = {}) {
    auto opened = promise.get_future();
    pages.other = runtime.spawn({.name = "answerer", .scheduler = 1}, answerer);
    setup.local = Endpoint::loopback();
    setup.pages = &pages;
    setup.opened = [this](const Result<Endpoint>& where) { promise.set_value(where ? *where : Endpoint()); };
    runtime.spawn({.name = "status", .scheduler = 0}, status_server, std::move(setup));
    runtime.start();
    at = opened.get();
    REQUIRE(at.port() != 0);
  }
  ~Running() {
    runtime.stop();
    runtime.join();
  }

  Pages pages;
  std::promise<Endpoint> promise;
  Runtime runtime{{.schedulers = 2, .pin = false}};
  Endpoint at;
};

class Client : public outcry_test::Wire {
 public:
  explicit Client(const Endpoint& at) : Wire(at.port()) { REQUIRE(connected()); }
};

std::string get(const std::string& path, const std::string& more = "Connection: close\r\n") {
  return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a page is served, even where it takes the answer of another actor, and what is no page is 404") {
  Running running;
  Client first(running.at);
  first.send(get("/double"));
  const std::string page = first.all();
  CHECK(page.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(page.ends_with("\r\n\r\n42\n"));

  Client second(running.at);
  second.send(get("/nothing"));
  CHECK(second.all().starts_with("HTTP/1.1 404 Not Found\r\n"));

  Client third(running.at);
  third.send("POST /double HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(third.all().starts_with("HTTP/1.1 405 "));
}

TEST_CASE("where it is allowed something can be asked for by a POST without a body, but not by a page of a browser") {
  Running running({.http = {.posts = true}});
  Client asks(running.at);
  asks.send("POST /do?a=1&b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  CHECK(asks.all().ends_with("\r\n\r\n/do with a=1&b\n"));

  Client has_body(running.at);
  has_body.send("POST /do HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=1");
  const std::string said = has_body.all();
  CHECK(said.starts_with("HTTP/1.1 413 "));
  CHECK(said.ends_with("\r\n\r\na request has no body here: what it asks for stands behind the question mark\n"));

  Client browses(running.at);
  browses.send("POST /do HTTP/1.1\r\nHost: x\r\nOrigin: http://elsewhere\r\n\r\n");
  CHECK(browses.all().starts_with("HTTP/1.1 403 Forbidden\r\n"));

  Client other(running.at);
  other.send("DELETE /do HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(other.all().starts_with("HTTP/1.1 405 "));
}

TEST_CASE("a page that is larger than every buffer arrives whole") {
  Running running;
  Client client(running.at);
  client.send(get("/large"));
  const std::string page = client.all();
  CHECK(contains(page, "Content-Length: 1000000\r\n"));
  CHECK(page.size() > 1'000'000);
  CHECK(page.ends_with("\r\n\r\n" + std::string(1'000'000, 'x')));
}

TEST_CASE("one connection serves several requests, sent at once or byte by byte") {
  Running running;
  Client client(running.at);
  client.send(get("/double", "") + get("/none", ""));
  for (const char byte : get("/double")) client.send(std::string(1, byte));
  const std::string pages = client.all();
  CHECK(pages.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(contains(pages, "HTTP/1.1 404 Not Found\r\n"));
  CHECK(pages.ends_with("42\n"));
}

TEST_CASE("who sends too much, or too slowly, is told and closed") {
  Running running({.http = {.largest_request = 200, .patience_ns = 50'000'000, .idle_ns = 50'000'000}});
  Client large(running.at);
  large.send("GET /" + std::string(1'000, 'a'));
  CHECK(large.all().starts_with("HTTP/1.1 431 "));

  Client slow(running.at);
  slow.send("GET / HT");
  CHECK(slow.all().starts_with("HTTP/1.1 408 "));

  Client silent(running.at);
  CHECK(silent.all().empty());
}

TEST_CASE("a port that somebody has already is a failure that says so") {
  Running running;
  std::promise<std::string> said;
  StatusServerSetup second{.local = running.at, .pages = &running.pages};
  second.opened = [&](const Result<Endpoint>& where) { said.set_value(where ? "" : where.failure().text()); };
  running.runtime.spawn({.name = "second", .scheduler = 0}, status_server, second);
  CHECK(contains(said.get_future().get(), "Address already in use"));
}

TEST_CASE("connections beyond the limit wait until one is over") {
  Running running({.connections = 2});
  auto first = std::make_unique<Client>(running.at);
  Client second(running.at);
  first->send(get("/double", ""));
  second.send(get("/double", ""));
  CHECK(contains(first->some(100), "200 OK"));
  CHECK(contains(second.some(100), "200 OK"));
  Client third(running.at);
  third.send(get("/double"));
  first.reset();
  CHECK(third.all().ends_with("42\n"));
}
