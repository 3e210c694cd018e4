// HttpServer: one connection to a small HTTP/1.1 server, seen from the server: requests without a body, and answers.
//
// Bytes and times come in, requests go out; the owner answers each before it looks for the next:
//
//     for (auto rest = in.bytes(); auto event = http.receive(rest, now); ) {
//       if (event.kind == Kind::request) write(http.answer({.body = page}, clock_s));
//       if (event.kind == Kind::refused) write(http.refuse(event.status, clock_s));   // and close()
//     }
//
// Whoever sends something that is no request gets an answer that says so, and is closed: behind it nobody knows where
// the next request begins. Only GET and HEAD, and POST where `posts` allows it; a method that others might have is 405, a
// request with a body 413: what is asked for stands in the query. A POST that a page in somebody's browser sends (it has an
// Origin) is 403, so that no web site acts for its reader.
//
// Thread: one owner.
// Limits: `largest_request` bytes for a request with its head, `patience_ns` for one to be whole, `idle_ns` between two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace outcry {

struct HttpServerOptions {
  std::size_t largest_request = 8'192;
  std::int64_t patience_ns = 5'000'000'000;
  std::int64_t idle_ns = 60'000'000'000;
  bool posts = false;
};

/// Texts lie in the bytes that were received.
struct HttpServerEvent {
  enum class Kind : std::uint8_t {
    none,       // no further request
    request,    // `path` and `query`: answer()
    refused,    // refuse(status), and close the connection
    timed_out,  // the same; or just close it, if status is 0
  };
  Kind kind = Kind::none;
  std::string_view path{};
  std::string_view query{};
  int status = 0;
  bool is_post = false;
  explicit operator bool() const { return kind != Kind::none; }
};

struct HttpAnswer {
  int status = 200;
  std::string_view type = "text/plain; charset=utf-8";
  std::string_view body{};
};

class HttpServer {
 public:
  HttpServer(const HttpServerOptions& options, std::int64_t now_ns) : options_(options), since_ns_(now_ns) {}

  /// The next request at the front of `bytes`, which loses what was read. Requires: the one before was answered.
  HttpServerEvent receive(std::span<const std::byte>& bytes, std::int64_t now_ns);
  /// The answer to the last request, all of its bytes; without the body if only the head was asked for. `clock_s` is the
  /// time of the day, in seconds since 1970.
  std::string answer(const HttpAnswer& answer, std::int64_t clock_s) const;
  /// The answer to what cannot be served.
  std::string refuse(int status, std::int64_t clock_s);

  /// timed_out if a request was too slow to come.
  HttpServerEvent poll(std::int64_t now_ns);
  /// When poll() next has something to do.
  std::int64_t deadline() const { return since_ns_ + (began_ ? options_.patience_ns : options_.idle_ns); }
  /// Whether the connection goes on behind the last answer.
  bool stays_open() const { return stays_open_; }

 private:
  HttpServerOptions options_;
  std::int64_t since_ns_;   // the first byte of this request, or the end of the last one
  bool began_ = false;      // a part of a request is there
  bool head_only_ = false;  // of the last request
  bool stays_open_ = true;
  std::size_t searched_ = 0;  // so many bytes hold no end of a head
};

}  // namespace outcry
