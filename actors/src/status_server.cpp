#include <outcry/actors/status_server.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <outcry/runtime/connection.hpp>
#include <outcry/runtime/listener.hpp>

namespace outcry {

namespace {

using Kind = HttpServerEvent::Kind;

constexpr Duration farewell = std::chrono::seconds(1);

std::int64_t clock_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// How many connections there are.
struct Guests {
  std::uint32_t count = 0;
};

struct Guest {
  explicit Guest(std::shared_ptr<Guests> taken) : guests(std::move(taken)) { ++guests->count; }
  ~Guest() { --guests->count; }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  std::shared_ptr<Guests> guests;
};

/// One connection, from its first request to its last.
Actor status_session(Self<> self, Socket socket, HttpServerOptions options, StatusPages* pages,
                     std::shared_ptr<Guests> guests) {
  const Guest here(std::move(guests));
  const bool from_afar = !socket.peer().is_loopback();
  auto adopted =
      Connection::adopt(self, std::move(socket), {.in_bytes = options.largest_request + 1, .out_bytes = 16 * 1024});
  if (!adopted) co_return;
  Connection connection = std::move(*adopted);
  HttpServer http(options, to_ns(self.now()));
  while (!self.stopping() && http.stays_open()) {
    const std::int64_t now_ns = to_ns(self.now());
    std::span<const std::byte> rest = connection.in();
    const HttpServerEvent heard = http.receive(rest, now_ns);
    StatusRequest request(heard.path, heard.query);
    request.is_post = heard.is_post;
    request.from_afar = from_afar;
    connection.take(connection.in().size() - rest.size());
    const HttpServerEvent event = heard ? heard : http.poll(now_ns);
    std::string text;
    if (event.kind == Kind::request) {
      auto asking = pages->page(std::move(request));
      const StatusPage page = co_await asking;
      text = http.answer({.status = page.status, .type = page.type, .body = page.body}, clock_s());
    } else if (event.kind != Kind::none) {
      if (event.status == 0) co_return;
      text = http.refuse(event.status, clock_s());
    } else {
      if (connection.ended()) co_return;
      co_await self.attend(time_from_ns(http.deadline()));
      continue;
    }
    const Time deadline = later(self.now(), Duration(options.patience_ns));
    const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(text.data()), text.size());
    const auto written = co_await connection.write(bytes, deadline);
    if (!written) co_return;
  }
  connection.close_when_sent();
  // A socket that is closed with unread bytes in it resets, and the answer may be lost on its way.
  const Time end = later(self.now(), farewell);
  while (!self.stopping() && !connection.ended() && self.now() < end) {
    connection.take(connection.in().size());
    co_await self.attend(end);
  }
}

}  // namespace

Actor status_server(Self<> self, StatusServerSetup setup) {
  auto opened = Listener::open(self, setup.local);
  if (!opened) {
    if (setup.opened) setup.opened(opened.failure());
    co_return;
  }
  Listener listener = std::move(*opened);
  if (setup.opened) setup.opened(listener.local());
  const auto guests = std::make_shared<Guests>();
  // A guest who leaves is no event of this actor's: while all places are taken it looks again now and then.
  constexpr Duration look_again = std::chrono::milliseconds(10);
  while (!self.stopping()) {
    while (guests->count < setup.connections) {
      std::optional<Socket> socket = listener.next();
      if (!socket) break;
      self.spawn({.name = "status session", .background = true}, status_session, std::move(*socket), setup.http,
                 setup.pages, guests);
    }
    const bool full = guests->count >= setup.connections;
    co_await self.attend(full ? later(self.now(), look_again) : never);
  }
}

}  // namespace outcry
