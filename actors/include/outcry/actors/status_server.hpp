// StatusServer: pages over HTTP for whoever watches the process: /metrics, /livez, /readyz. An actor with a listener.
//
// What a page says is the owner's business: StatusPages is asked for each request and may itself ask other actors. With
// HttpServerOptions::posts it can be told to do something, too.
// Thread: the actors' scheduler, one for the listener and one for each connection.
// Limits: `connections` at a time, others wait in the system's line; those of HttpServer for each; an answer that nobody
//   reads is given up after the patience for a request.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <outcry/net/http_server.hpp>
#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/endpoint.hpp>
#include <outcry/runtime/result.hpp>
#include <outcry/runtime/task.hpp>

namespace outcry {

struct StatusPage {
  int status = 404;
  std::string type = "text/plain; charset=utf-8";
  std::string body = "there is no such page\n";
};

/// Trivially copyable it is not, so it is named before it is awaited.
struct StatusRequest {
  StatusRequest() = default;
  StatusRequest(std::string_view of_path, std::string_view of_query) : path(of_path), query(of_query) {}

  std::string path{};
  std::string query{};     // as it was sent
  bool is_post = false;    // something is to be done
  bool from_afar = false;  // from another machine
};

class StatusPages {
 public:
  virtual ~StatusPages() = default;
  /// The page of a path; 404 if there is none, 405 for a POST where nothing is to be done.
  virtual Task<StatusPage> page(StatusRequest request) = 0;
};

struct StatusServerSetup {
  Endpoint local{};
  HttpServerOptions http{};
  std::uint32_t connections = 16;
  StatusPages* pages = nullptr;                           // outlives it
  std::function<void(const Result<Endpoint>&)> opened{};  // hears where it listens, or why it cannot; then it has ended
};

/// Ends when it is told to stop, and its connections with it.
Actor status_server(Self<> self, StatusServerSetup setup);

}  // namespace outcry
