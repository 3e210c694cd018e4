// OUCH 5.0 in SoupBinTCP, from the client's side.
//
// The day is replayed to a client that starts anew. Among what was said before are answers to questions for the next
// number; so that they are not taken for the answer to ours, we ask once everything old was heard. Where that ends only
// a login says that wants nothing old: it comes first.
#include <outcry/actors/order_wire.hpp>

#include <optional>
#include <utility>

#include <outcry/actors/ouch_client.hpp>
#include <outcry/net/soup_client.hpp>

namespace outcry {

namespace {

class OuchWire final : public OrderWire, OuchSender {
 public:
  OuchWire(OrderWireOptions options, ParticipantEvents& events)
      : options_(std::move(options)), client_({.account = options_.account}, options_.instruments, *this, events) {}

  void connected(ByteBuffer& out, std::int64_t now_ns) override {
    out_ = &out;
    now_ns_ = now_ns;
    soup_.emplace(SoupClientOptions{}, now_ns);
    soup_->log_in({.user = options_.user,
                   .password = options_.password,
                   .session = session_.empty() ? options_.session : session_,
                   .sequence = first_new_ == 0 ? 0 : next_sequence_},
                  out, now_ns);
  }
  void disconnected(std::int64_t) override {
    if (logged_in_) next_sequence_ = soup_->next_sequence();
    soup_.reset();
    out_ = nullptr;
    logged_in_ = asked_ = false;
  }
  bool ready() const override { return asked_ && !client_.waits_for_number(); }
  std::string why() const override { return why_; }
  std::size_t open_orders() const override { return client_.open_orders(); }
  std::int64_t deadline() const override { return soup_ ? soup_->deadline() : INT64_MAX; }
  void log_out(std::int64_t) override {
    if (soup_) soup_->log_out(*out_);
  }

  Status receive(std::span<const std::byte>& bytes, std::int64_t now_ns) override {
    now_ns_ = now_ns;
    while (soup_) {
      const SoupClientEvent event = soup_->receive(bytes, now_ns);
      if (!event) break;
      if (const Status status = take(event); status != Status::open) return status;
    }
    return Status::open;
  }
  Status poll(std::int64_t now_ns) override {
    now_ns_ = now_ns;
    return soup_ ? take(soup_->poll(*out_, now_ns)) : Status::open;
  }

  void take(const NewOrder& command) override { client_.take(command); }
  void take(const SpecialOrder& command) override { client_.take(command); }
  void take(const CancelOrder& command) override { client_.take(command); }
  void take(const ReduceOrder& command) override { client_.take(command); }
  void take(const ModifyOrder& command) override { client_.take(command); }
  void take(const ReplaceOrder& command) override { client_.take(command); }
  void take(const MassCancel& command) override { client_.take(command); }

 private:
  using Kind = SoupClientEvent::Kind;

  Status take(const SoupClientEvent& event) {
    switch (event.kind) {
      case Kind::none:
      case Kind::unsequenced: return Status::open;
      case Kind::accepted:
        session_ = std::string(event.session);
        if (first_new_ == 0) {
          first_new_ = event.sequence;
          if (first_new_ > 1) {
            soup_->log_out(*out_);
            return Status::again;
          }
        }
        logged_in_ = true;
        ask();
        return Status::open;
      case Kind::message:
        if (!client_.hear(event.message)) return fail(Status::lost, "a message that is not OUCH 5.0");
        if (!asked_) ask();
        return Status::open;
      case Kind::rejected:
        return fail(Status::over, event.reason == soup::session_not_available
                                      ? "the venue has no such session, or not that much of it"
                                      : "the venue refuses this user and password");
      case Kind::end_of_session: return fail(Status::over, "the venue has ended its session");
      case Kind::timed_out: return fail(Status::lost, "nothing was heard of the venue for too long");
      case Kind::broken: return fail(Status::lost, event.error.text());
    }
    return Status::open;
  }
  void ask() {
    if (soup_->next_sequence() < first_new_) return;
    asked_ = true;
    client_.ask_for_number();
  }
  Status fail(Status status, std::string why) {
    why_ = std::move(why);
    return status;
  }

  bool send(std::span<const std::byte> message) override { return asked_ && soup_->send(message, *out_, now_ns_); }

  OrderWireOptions options_;
  OuchClient client_;
  std::optional<SoupClient> soup_;
  ByteBuffer* out_ = nullptr;
  std::int64_t now_ns_ = 0;
  std::uint64_t next_sequence_ = 1;
  std::string session_;
  std::string why_;
  std::uint64_t first_new_ = 0;  // of the session's messages, when it was entered first; 0: not yet
  bool logged_in_ = false;
  bool asked_ = false;
};

}  // namespace

std::unique_ptr<OrderWire> ouch_wire(OrderWireOptions options, ParticipantEvents& events) {
  return std::make_unique<OuchWire>(std::move(options), events);
}

}  // namespace outcry
