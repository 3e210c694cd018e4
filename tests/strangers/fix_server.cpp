// A FIX server for programs that we did not write (quickfix).
//
//     fix_server echo    ISLD for TW, 4.2 and 4.4: sessions only; orders, security definitions and mails come back as they
//                        are, which is what QuickFIX's acceptance definitions expect of an application
//     fix_server venue   ports of a venue: VENUE for TRADER in 4.2 and TRADER44 in 4.4, symbols AAPL and MSFT
//
// Prints "listening on 127.0.0.1:PORT" and serves until it is killed, or its standard input ends.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <outcry/actors/fix_acceptor.hpp>
#include <outcry/actors/symbol.hpp>
#include <outcry/runtime/runtime.hpp>

using namespace outcry;
using namespace std::chrono_literals;

namespace {

FixTime fix_time(Time now) {
  using namespace std::chrono;
  return {to_ns(now), duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count()};
}

// --- the echo

/// A message as it came, with its tags in order.
struct Echo {
  std::string_view possible_resend{};
  std::vector<fix::Field> body{};

  explicit Echo(const fix::Message& message) : possible_resend(message.get(fix::Tag{97})) {
    for (const fix::Field& field : message.fields())
      if (!fix::is_header(field.tag)) body.push_back(field);
    // Those with one tag, of a group, as they stood.
    std::sort(body.begin(), body.end(), [](const fix::Field& a, const fix::Field& b) {
      return a.tag != b.tag ? a.tag < b.tag : std::less<>()(a.value.data(), b.value.data());
    });
  }
  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(fix::Tag{97}, m.possible_resend, fix::Need::never);
    for (const fix::Field& field : m.body) act(field.tag, field.value, fix::Need::never);
  }
};
struct OrderEcho : Echo {
  using Echo::Echo;
  static constexpr std::string_view type = "D";
};
struct DefinitionEcho : Echo {
  using Echo::Echo;
  static constexpr std::string_view type = "d";
};
struct MailEcho : Echo {
  using Echo::Echo;
  static constexpr std::string_view type = "C";
};

/// What is the same for all connections of one version.
struct EchoSide {
  FixState state{{.messages = 10'000, .bytes = 4'000'000}};
  bool is_live = false;
};

using Sides = std::array<EchoSide, 2>;

class EchoConnection {
 public:
  EchoConnection(fix::Version version, EchoSide& side, ByteBuffer& out, const FixTime& time)
      : version_(version), side_(side), out_(out), session_(options(version), side.state, time) {}
  ~EchoConnection() {
    if (is_mine_) side_.is_live = false;
  }

  /// False: to be closed when everything is sent.
  bool turn(std::span<const std::byte>& bytes, const FixTime& time) {
    time_ = time;
    while (const FixEvent event = session_.receive(bytes, out_, time)) {
      using Kind = FixEvent::Kind;
      if (event.kind == Kind::logon_requested) {
        if (side_.is_live) return false;
        side_.is_live = is_mine_ = true;
        session_.accept(out_, time);
      } else if (event.kind == Kind::message) {
        on_message(*event.message);
      } else if (event.kind != Kind::rejected) {
        return false;
      }
    }
    return !session_.poll(out_, time) && session_.stage() != FixSession::Stage::closed;
  }
  std::int64_t deadline() const { return session_.deadline(); }

 private:
  static FixSessionOptions options(fix::Version version) {
    return {.version = version, .sender = "ISLD", .target = "TW", .reset_on_logon = true, .user_defined_tags = false};
  }

  void on_message(const fix::Message& message) {
    if (message.type() == "D") return on_order(message);
    if (message.type() == "d") {
      session_.send(DefinitionEcho(message), out_, time_);
    } else if (message.type() == "C") {
      session_.send(MailEcho(message), out_, time_);
    } else {
      session_.refuse_business(message, 3, "Unsupported Message Type", out_, time_);
    }
  }

  void on_order(const fix::Message& message) {
    fix::NewOrderSingle order;
    std::optional<fix::Problem> problem = fix::read(message, version_, order);
    if (problem && problem->conditional) problem.reset();  // the definitions' orders have no quantities
    // Of a dictionary, which we have none of, what the definitions look at: the type of a security.
    const std::string_view security = message.get(fix::Tag{167});
    if (!problem && !security.empty() && security != "CS" && security != "FUT" && security != "OPT")
      problem = fix::Problem{.reason = fix::RejectReason::value_out_of_range, .tag = 167};
    if (problem) {
      session_.reject(message, *problem, out_, time_);
      return;
    }
    if (const std::optional<std::string_view> count = message.find(fix::Tag{386})) {
      std::uint64_t members = 0;
      for (const fix::Field& field : message.fields()) members += field.tag == 336;
      if (fix::read_number(*count) != members) {
        constexpr std::uint64_t wrong_count = 16;
        session_.send(
            fix::SessionReject{.sequence = message.sequence(),
                               .text = "Incorrect NumInGroup count for repeating group",
                               .tag_number = "386",
                               .message_type = "D",
                               .reason = version_ == fix::Version::v4_2 ? std::nullopt : std::optional(wrong_count)},
            out_, time_);
        return;
      }
    }
    const bool is_known = !ids_.insert(std::string(order.client_order_id)).second;
    if (is_known && message.get(fix::Tag{97}) == "Y") return;
    session_.send(OrderEcho(message), out_, time_);
  }

  fix::Version version_;
  EchoSide& side_;
  ByteBuffer& out_;
  FixSession session_;
  FixTime time_;
  std::set<std::string> ids_;
  bool is_mine_ = false;
};

Actor echo_connection(Self<> self, Socket socket, Sides* sides) {
  Result<Connection> adopted = Connection::adopt(self, std::move(socket));
  if (!adopted) co_return;
  std::unique_ptr<EchoConnection> echo;
  for (bool open = true; open && !self.stopping();) {
    const FixTime time = fix_time(self.now());
    std::span<const std::byte> rest = adopted->in();
    const std::size_t size = rest.size();
    if (!echo && size >= 9) {  // "8=FIX.4.4"
      const std::string_view begin(reinterpret_cast<const char*>(rest.data()), size);
      const auto version = begin.starts_with("8=FIX.4.4") ? fix::Version::v4_4 : fix::Version::v4_2;
      echo =
          std::make_unique<EchoConnection>(version, (*sides)[static_cast<std::size_t>(version)], adopted->out(), time);
    }
    if (echo) open = echo->turn(rest, time);
    adopted->take(size - rest.size());
    if (!open || adopted->ended()) break;
    const std::int64_t deadline = echo ? echo->deadline() : INT64_MAX;
    co_await self.attend(deadline == INT64_MAX ? never : time_from_ns(deadline));
  }
  adopted->close_when_sent();
}

Actor echo_acceptor(Self<> self, Sides* sides, Address<FixListening> listening) {
  Result<Listener> listener = Listener::open(self, Endpoint::loopback());
  if (!listener) throw std::runtime_error(listener.failure().text());
  listening.send(FixListening{listener->local()});
  while (!self.stopping()) {
    while (std::optional<Socket> socket = listener->next())
      self.spawn(SpawnOptions{.name = "echo"}, echo_connection, std::move(*socket), sides);
    co_await self.attend();
  }
}

// --- the venue

class Venue {
 public:
  Venue(Runtime& runtime, Address<FixListening> listening) {
    std::vector<SymbolDirectory::Listed> listed;
    for (const char* name : {"AAPL", "MSFT"}) {
      Instrument instrument{
          .symbol = {static_cast<std::uint32_t>(listed.size())}, .name = padded_name(name), .tick = 100};
      instrument.lowest = {100};
      const SymbolAddress address =
          runtime.spawn({.mailbox = {.capacity = 4'096, .when_full = WhenFull::refuse}, .background = true}, symbol,
                        SymbolOptions{.instrument = instrument});
      listed.push_back({.instrument = instrument, .address = address});
    }
    directory_ = std::make_unique<SymbolDirectory>(std::move(listed));
    FixAcceptorSetup setup{.local = Endpoint::loopback()};
    setup.ports.push_back(port(runtime, AccountId{1}, "TRADER", fix::Version::v4_2));
    setup.ports.push_back(port(runtime, AccountId{2}, "TRADER44", fix::Version::v4_4));
    runtime.spawn({.background = true}, fix_acceptor, setup, listening);
  }

 private:
  FixAcceptorSetup::Known port(Runtime& runtime, AccountId account, const char* name, fix::Version version) {
    risk_.add_account(account, RiskLimits{.largest_order = {1'000}});
    FixPortSetup setup{.symbols = directory_.get(), .risk = &risk_};
    setup.options.session = {.version = version, .sender = "VENUE", .target = name};
    setup.options.orders = {.account = account, .most_orders = 1'024};
    const auto address = runtime.spawn(
        {.mailbox = {.capacity = 4'096, .when_full = WhenFull::refuse}, .background = true}, fix_port, setup);
    return {version, name, "VENUE", address};
  }

  PreTradeRisk risk_{{.symbols = 2}};
  std::unique_ptr<SymbolDirectory> directory_;
};

/// Says where, and ends the program when the input does.
Actor host(Self<FixListening> self) {
  const auto listening = co_await self.receive();
  if (!listening) co_return;
  std::printf("listening on %s\n", listening->local.text().c_str());
  std::fflush(stdout);
  while (!self.stopping()) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    char bytes[64];
    if (::poll(&input, 1, 0) > 0 && ::read(STDIN_FILENO, bytes, sizeof bytes) <= 0) break;
    co_await self.sleep(100ms);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc == 2 ? argv[1] : "";
  if (mode != "echo" && mode != "venue") {
    std::fprintf(stderr, "usage: fix_server echo|venue\n");
    return 2;
  }
  Runtime runtime({.schedulers = 1, .pin = false});
  const auto told = runtime.spawn(host);
  const auto sides = std::make_unique<Sides>();
  std::unique_ptr<Venue> venue;
  if (mode == "echo")
    runtime.spawn({.background = true}, echo_acceptor, sides.get(), Address<FixListening>(told));
  else
    venue = std::make_unique<Venue>(runtime, told);
  runtime.run();
  return 0;
}
