#include <outcry/actors/order_line.hpp>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <outcry/runtime/connection.hpp>
#include <outcry/runtime/runtime.hpp>

namespace outcry {

namespace {

template <class M>
inline constexpr bool is_cancel = std::is_same_v<M, CancelOrder> || std::is_same_v<M, MassCancel>;

template <class M>
constexpr CommandKind kind_of() {
  if constexpr (std::is_same_v<M, ReduceOrder>) return CommandKind::reduce;
  if constexpr (std::is_same_v<M, ModifyOrder>) return CommandKind::modify;
  if constexpr (std::is_same_v<M, ReplaceOrder>) return CommandKind::replace;
  return CommandKind::new_order;
}

class Line final : ParticipantEvents {
 public:
  Line(OrderLineSelf self, OrderLineOptions options)
      : self_(self),
        options_(std::move(options)),
        wire_(options_.wire(options_.login, *this)),
        pause_(options_.first_pause) {}

  bool done() const { return self_.stopping(); }

  /// Connects, and serves the connection until it ends.
  Task<> connect() {
    auto connecting = Connection::connect(self_, options_.venue, {}, later(self_.now(), options_.patience));
    auto connected = co_await connecting;
    if (!connected) {
      status_ = OrderWire::Status::lost;
      lose(options_.venue.text() + ": " + connected.failure().text());
      co_return;
    }
    Connection connection = std::move(*connected);
    wire_->connected(connection.out(), to_ns(self_.now()));
    const Time late = later(self_.now(), options_.patience);
    bool up = false;
    status_ = OrderWire::Status::open;
    while (status_ == OrderWire::Status::open) {
      const std::int64_t now_ns = to_ns(self_.now());
      take_messages();
      std::span<const std::byte> rest = connection.in();
      status_ = wire_->receive(rest, now_ns);
      connection.take(connection.in().size() - rest.size());
      if (status_ == OrderWire::Status::open) status_ = wire_->poll(now_ns);
      if (status_ != OrderWire::Status::open) break;
      if (wire_->ready() && !std::exchange(up, true)) {
        pause_ = options_.first_pause;
        tell(LineStatus::State::up, {});
      }
      answer_closing();
      if (self_.stopping()) {
        wire_->log_out(now_ns);
        connection.close_when_sent();
        break;
      }
      if (connection.ended()) {
        const Failure* const failure = connection.failure();
        status_ = OrderWire::Status::lost;
        lose(failure != nullptr ? failure->text() : "the venue has closed the connection");
        break;
      }
      if (!up && self_.now() >= late) {
        status_ = OrderWire::Status::lost;
        lose("the venue did not answer the login");
        break;
      }
      Time until = std::min(time_from_ns(wire_->deadline()), closing_ ? closing_->query.deadline : never);
      if (!up) until = std::min(until, late);
      co_await self_.attend(until);
    }
    if (status_ == OrderWire::Status::again) connection.close_when_sent();
    if (status_ == OrderWire::Status::lost || status_ == OrderWire::Status::over)
      if (const std::string why = wire_->why(); !why.empty()) lose(why);
    wire_->disconnected(to_ns(self_.now()));
  }

  /// Until another connection may be tried; for ever if the venue does not want one.
  Task<> wait() {
    if (status_ == OrderWire::Status::again) co_return;
    const Time until = status_ == OrderWire::Status::over ? never : later(self_.now(), pause_);
    pause_ = std::min(2 * pause_, options_.longest_pause);
    while (!self_.stopping() && self_.now() < until) {
      take_messages();
      answer_closing();
      co_await self_.attend(std::min(until, closing_ ? closing_->query.deadline : never));
    }
  }

 private:
  void take_messages() {
    while (auto batch = self_.take())
      batch.each([this](auto&& message) { take(std::forward<decltype(message)>(message)); });
  }

  template <class M>
  void take(M&& message) {
    using Kind = std::remove_cvref_t<M>;
    if constexpr (std::is_same_v<Kind, EnterSymbol>) {
      participant_ = message.address;
      terms_ = message.terms;
    } else if constexpr (std::is_same_v<Kind, Ask<CloseLine>>) {
      closing_.emplace(std::forward<M>(message));
      for (const Instrument& instrument : options_.login.instruments)
        wire_->take(MassCancel{.account = options_.login.account, .symbol = instrument.symbol});
    } else if constexpr (is_cancel<Kind>) {
      wire_->take(message);
    } else if (closing_ || closed_) {
      refuse(message, Reason::market_closed);
    } else if (!wire_->ready()) {
      refuse(message, Reason::disconnected);
    } else {
      wire_->take(message);
    }
  }

  template <class M>
  void refuse(const M& command, Reason reason) {
    Rejected rejected{.id = command.id, .account = options_.login.account, .symbol = command.symbol};
    if constexpr (std::is_same_v<M, ReplaceOrder>) rejected.new_id = command.new_id;
    rejected.command = kind_of<M>();
    rejected.reason = reason;
    rejected.arrival_ns = command.arrival_ns;
    on(rejected);
  }

  void answer_closing() {
    if (!closing_ || (wire_->open_orders() > 0 && self_.now() < closing_->query.deadline)) return;
    closing_->reply(CloseLine::Closed{static_cast<std::uint32_t>(wire_->open_orders())});
    closing_.reset();
    closed_ = true;
  }

  void lose(const std::string& why) {
    ++times_lost_;
    self_.runtime().log("orders: " + why);
    tell(status_ == OrderWire::Status::over ? LineStatus::State::over : LineStatus::State::down, why);
  }
  void tell(LineStatus::State state, const std::string& why) {
    if (!options_.status) return;
    LineStatus status{.state = state, .times_lost = times_lost_};
    std::memcpy(status.why, why.data(), std::min(why.size(), sizeof status.why - 1));
    options_.status.send(status);
  }

  // ParticipantEvents
  template <class Event>
  void tell_participant(const Event& event) {
    if (participant_) participant_.send(event);
  }
  void on(const Accepted& event) override { tell_participant(event); }
  void on(const Rejected& event) override { tell_participant(event); }
  void on(const Filled& event) override { tell_participant(event); }
  void on(const Cancelled& event) override { tell_participant(event); }
  void on(const Reduced& event) override { tell_participant(event); }
  void on(const Modified& event) override { tell_participant(event); }
  void on(const Replaced& event) override { tell_participant(event); }
  void on(const AcceptedTerms& event) override {
    if (terms_) terms_.send(event);
  }
  void on(const Refreshed& event) override {
    if (terms_) terms_.send(event);
  }
  void on(const Repriced& event) override {
    if (terms_) terms_.send(event);
  }

  OrderLineSelf self_;
  OrderLineOptions options_;
  std::unique_ptr<OrderWire> wire_;
  ParticipantAddress participant_{};
  TermsAddress terms_{};
  std::optional<Ask<CloseLine>> closing_;
  bool closed_ = false;
  OrderWire::Status status_ = OrderWire::Status::open;
  Duration pause_;
  std::uint32_t times_lost_ = 0;
};

}  // namespace

Actor order_line(OrderLineSelf self, OrderLineOptions options) {
  Line line(self, std::move(options));
  while (!line.done()) {
    Task<> connected = line.connect();
    co_await connected;
    Task<> waited = line.wait();
    co_await waited;
  }
}

}  // namespace outcry
