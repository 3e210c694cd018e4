// FIX 4.4, from the client's side.
#include <outcry/actors/order_wire.hpp>

#include <chrono>
#include <utility>

#include <outcry/actors/fix_client.hpp>

#include "fix_memory.hpp"

namespace outcry {

namespace {

/// Monotonic, as the caller says, and the machine's time of day.
FixTime at(std::int64_t now_ns) {
  const auto utc = std::chrono::system_clock::now().time_since_epoch();
  return {now_ns, std::chrono::duration_cast<std::chrono::nanoseconds>(utc).count()};
}

SymbolDirectory directory_of(const std::vector<Instrument>& instruments) {
  std::vector<SymbolDirectory::Listed> listed;
  for (const Instrument& instrument : instruments) listed.push_back({.instrument = instrument});
  return SymbolDirectory(std::move(listed));
}

/// So that no two lives of a program have the same, whenever they were.
std::uint64_t life_number() {
  const auto utc = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(utc).count());
}

FixClientOptions client_options(const OrderWireOptions& options, std::uint64_t next_outgoing) {
  FixClientOptions client;
  client.session.version = fix::Version::v4_4;
  client.session.initiator = true;
  client.session.sender = options.sender;
  client.session.target = options.target;
  client.session.reset_on_logon = next_outgoing == 1;
  client.next_outgoing = next_outgoing;
  client.sent.messages += next_outgoing;
  client.life = life_number();
  client.user = options.user;
  client.password = options.password;
  client.account = options.account;
  return client;
}

class FixWire final : public OrderWire {
 public:
  FixWire(OrderWireOptions options, ParticipantEvents& events)
      : options_(std::move(options)),
        events_(events),
        symbols_(directory_of(options_.instruments)),
        memory_(options_.memory, options_.sender, options_.target),
        client_(client_options(options_, memory_.next()), symbols_, at(0)) {}

  void connected(ByteBuffer& out, std::int64_t now_ns) override {
    now_ns_ = now_ns;
    client_.connected(out, at(now_ns));
    remember();
  }
  void disconnected(std::int64_t now_ns) override {
    now_ns_ = now_ns;
    if (client_.is_connected()) client_.disconnected(at(now_ns));
  }
  Status receive(std::span<const std::byte>& bytes, std::int64_t now_ns) override {
    now_ns_ = now_ns;
    const FixClient::Status status = client_.receive(bytes, events_, at(now_ns));
    remember();
    return status_of(status);
  }
  Status poll(std::int64_t now_ns) override {
    now_ns_ = now_ns;
    const FixClient::Status status = client_.poll(at(now_ns));
    remember();
    return status_of(status);
  }
  std::int64_t deadline() const override { return client_.deadline(); }
  bool ready() const override { return client_.is_connected() && client_.is_current(); }
  void log_out(std::int64_t now_ns) override {
    client_.log_out(at(now_ns));
    remember();
  }
  std::string why() const override { return std::string(client_.ended_why()); }
  std::size_t open_orders() const override { return client_.open_orders(); }

  void take(const NewOrder& command) override { send(command, CommandKind::new_order); }
  void take(const CancelOrder& command) override { send(command, CommandKind::cancel); }
  void take(const ModifyOrder& command) override { send(command, CommandKind::modify); }
  void take(const ReplaceOrder& command) override { send(command, CommandKind::replace); }
  void take(const MassCancel& command) override { send(command, CommandKind::mass_cancel); }
  void take(const SpecialOrder& command) override { refuse(command, CommandKind::new_order, Reason::unsupported); }
  void take(const ReduceOrder& command) override { refuse(command, CommandKind::reduce, Reason::unsupported); }

 private:
  static Status status_of(FixClient::Status status) {
    return status == FixClient::Status::open ? Status::open : Status::lost;
  }
  // Before the bytes leave, which they do at the end of a turn; what commands said is kept by the receive() behind them.
  void remember() { memory_.keep(client_.state().sent.next_sequence()); }
  template <class Command>
  void send(const Command& command, CommandKind kind) {
    if (!client_.send(command, at(now_ns_))) refuse(command, kind, Reason::unknown_order);
  }
  template <class Command>
  void refuse(const Command& command, CommandKind kind, Reason reason) {
    Rejected rejected{.account = options_.account, .symbol = command.symbol, .command = kind, .reason = reason};
    if constexpr (requires { command.id; }) rejected.id = command.id;
    if constexpr (requires { command.new_id; }) rejected.new_id = command.new_id;
    rejected.arrival_ns = command.arrival_ns;
    events_.on(rejected);
  }

  OrderWireOptions options_;
  ParticipantEvents& events_;
  SymbolDirectory symbols_;
  FixMemory memory_;
  FixClient client_;
  std::int64_t now_ns_ = 0;
};

}  // namespace

std::unique_ptr<OrderWire> fix_wire(OrderWireOptions options, ParticipantEvents& events) {
  return std::make_unique<FixWire>(std::move(options), events);
}

}  // namespace outcry
