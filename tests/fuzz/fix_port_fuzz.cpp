// Any bytes are what happens to a FIX port with limits and books behind it: messages that arrive (lines, to which length
// and checksum are added, or bytes as they are), trades of somebody else, connections that break, a kill switch, symbols
// without room, time that passes. Whatever comes, what the port says must be sound: framed, with numbers that go up by one
// except in possible duplicates, reports whose quantities add up; and what it believes to be open must be what the limits
// count and the books hold.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <outcry/actors/fix_port.hpp>
#include <outcry/actors/kill_desk.hpp>

#include "bytes.hpp"
#include "tests/actors/fix_venue.hpp"
#include "tests/net/fix_text.hpp"

using namespace outcry;
using outcry::test::fix_text;
using outcry::test::FixVenue;

namespace {

constexpr std::int64_t morning = 1'795'226'100'000'000'000;
constexpr AccountId mara{1}, otto{2};

void demand(bool is_true, const char* what) {
  if (is_true) return;
  std::fprintf(stderr, "not true: %s\n", what);
  std::abort();
}

class Rig {
 public:
  explicit Rig(std::uint8_t kind) {
    venue_.risk.add_account(mara, RiskLimits{.largest_order = {10'000},
                                             .largest_notional = 1'000'000'000'000,
                                             .largest_position = 20'000,
                                             .most_open_orders = 20});
    venue_.risk.add_account(otto);
    FixPortOptions options;
    options.session = {.version = kind % 2 == 0 ? fix::Version::v4_2 : fix::Version::v4_4,
                       .sender = "VENUE",
                       .target = "MARA",
                       .largest_message = 512,
                       .clock_tolerance_ns = 0};
    options.orders = {.account = mara, .most_orders = 128};
    options.sent = {.messages = 300, .bytes = 60'000};
    options.client_ids = 64;
    options.cancel_on_disconnect = static_cast<CancelOnDisconnect>(kind / 2 % 3);
    options.disconnect_grace_ns = kind / 8 % 2 == 0 ? 0 : 2'000'000'000;
    if (kind / 16 % 2 == 1) options.throttle = {.per_second = 2, .burst = 3};
    if (kind / 32 % 2 == 1) options.flood = {.per_second = 5, .burst = 10};
    version_ = options.session.version;
    port_ = std::make_unique<FixPort>(options, venue_.directory(), venue_, time());
    connect();
  }

  void connect() {
    if (port_->is_connected()) disconnect();
    first_ = true;
    port_->connected(out_, time());
  }
  void disconnect() {
    port_->disconnected(time());
    out_.clear();
  }
  void hear(const std::string& bytes) {
    std::span<const std::byte> rest{reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()};
    if (port_->receive(rest, time()) == FixPort::Status::close && port_->is_connected()) {
      look();
      disconnect();
    }
  }
  /// "D 11=a|54=1|": the next number and the names are put in.
  void hear_line(std::string_view line) {
    const std::string_view type = line.substr(0, line.find(' '));
    const std::string_view rest = type.size() < line.size() ? line.substr(type.size() + 1) : std::string_view{};
    const std::string number = std::to_string(port_->state().next_incoming);
    hear(fix_text(version_, std::string("35=").append(type) + "|34=" + number +
                                "|49=MARA|52=20261121-01:55:00|56=VENUE|" + std::string(rest)));
  }
  void trade(std::uint8_t what) {
    venue_.send(NewOrder{.id = {1'000'000 + ++others_},
                         .price = {(90 + what % 20) * 1'000},
                         .quantity = {1u + what % 70},
                         .account = otto,
                         .symbol = {},
                         .side = what % 2 == 0 ? Side::buy : Side::sell,
                         .time_in_force = TimeInForce::immediate_or_cancel},
                {});
  }
  void match() { venue_.match_one(); }
  void hear_one() {
    venue_.hear_one([this](const auto& event) { tell(event); });
  }
  void settle() {
    venue_.settle([this](const auto& event) { tell(event); });
  }
  void kill(bool on) { port_->kill({KillScope::everyone(), on ? 1u : 0u}, time()); }
  void room(bool there) { venue_.has_room = there; }
  void wait(std::int64_t ns) {
    now_ += ns;
    if (port_->poll(time()) == FixPort::Status::close && port_->is_connected()) disconnect();
  }

  /// Everything that was said, and what is believed.
  void look() {
    read();
    if (looks_++ % 16 == 0) look_at_limits();  // which counts every order anew
    demand(port_->orders().open_orders() <= 128, "no more orders than there is room for");
  }
  void end() {
    room(true);
    for (int i = 0; i < 20; ++i) {
      settle();
      wait(20'000'000);
    }
    look();
    look_at_limits();
    demand(venue_.quiet(), "it comes to rest");
    std::uint32_t open = 0;
    std::int64_t buys = 0, sells = 0;
    port_->orders().each_open([&](OrderHandle, const EnteredOrder& order) {
      ++open;
      const auto resting = venue_.book(order.ticket.symbol.value).find(order.id);
      demand(resting && resting->account == mara, "an open order rests in its book");
      demand(resting->open == order.open, "as much of it as is believed");
      if (order.ticket.symbol.value == 0) (order.ticket.side == Side::buy ? buys : sells) += order.open.lots;
    });
    demand(venue_.risk.exposure(mara).open_orders == open, "the limits count the same orders");
    const Holding held = venue_.risk.holding(mara, {0});
    demand(held.open_buys == buys && held.open_sells == sells, "and the same lots");
  }

 private:
  FixTime time() const { return {now_, morning + now_}; }
  template <class Event>
  void tell(const Event& event) {
    if (event.account == mara) port_->heard(event, time());
  }

  void look_at_limits() { demand(venue_.risk.check().empty(), "the limits' sums are those of their orders"); }
  void read() {
    std::string_view rest(reinterpret_cast<const char*>(out_.bytes().data()), out_.size());
    while (!rest.empty()) {
      const fix::Framed framed = fix::frame(rest, 2'048);
      fix::Message message;
      demand(framed.framing == fix::Framing::whole, "every message is framed");
      demand(!message.read(rest.substr(0, framed.size)), "and well formed");
      look_at(message);
      rest.remove_prefix(framed.size);
    }
    out_.clear();
  }
  void look_at(const fix::Message& message) {
    const std::uint64_t sequence = message.sequence();
    if (message.get(fix::tag::possible_duplicate) != "Y") {
      const bool resets = message.get(fix::tag::reset_sequence) == "Y";
      demand(first_ || resets || sequence == next_, "numbers go up by one");
      next_ = sequence + 1;
      first_ = false;
    } else {
      demand(first_ || sequence < next_, "a duplicate was there before");
    }
    if (message.type() != fix::ExecutionReport::type) return;
    fix::ExecutionReport report;
    demand(!fix::read(message, version_, report), "a report is whole");
    const bool is_open = report.status == '0' || report.status == '1' || report.status == '5';
    if (is_open && report.quantity)
      demand(report.cumulative_quantity + report.leaves_quantity == report.quantity->count ||
                 report.transaction == '3' || report.execution == 'I' || report.execution == 'D',
             "what was executed and what is open make the total");
    if (!is_open) demand(report.leaves_quantity == 0, "nothing is left of what is over");
    demand(!report.last_quantity || report.last_quantity->count > 0, "a fill is of something");
  }

  FixVenue venue_{256};
  fix::Version version_{};
  std::unique_ptr<FixPort> port_;
  ByteBuffer out_{4'096};
  std::int64_t now_ = 0;
  std::uint64_t next_ = 1;
  std::uint64_t others_ = 0, looks_ = 0;
  bool first_ = true;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  Rig rig(data[0]);
  rig.hear_line("A 98=0|108=30|");
  // A line for each thing that happens.
  std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  for (int i = 0; i < 200 && !rest.empty(); ++i) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::uint8_t number = line.size() > 1 ? static_cast<std::uint8_t>(line[1]) : std::uint8_t{0};
    switch (line.empty() ? '!' : line[0]) {
      case 't': rig.trade(number); break;
      case 'm': rig.match(); break;
      case 'h': rig.hear_one(); break;
      case '!': rig.settle(); break;
      case 'w': rig.wait(std::int64_t{number} * 20'000'000); break;
      case 'b': rig.disconnect(); break;
      case 'a':
        rig.connect();
        rig.hear_line("A 98=0|108=30|");
        break;
      case 'k': rig.kill(number % 2 == 0); break;
      case 'o': rig.room(number % 2 == 0); break;
      case 'r': rig.hear(std::string(line.substr(1))); break;
      default: rig.hear_line(line); break;
    }
    rig.look();
  }
  rig.end();
  return 0;
}
