// FixClient: an account's orders at a venue that speaks FIX, seen from the client: commands go out as FIX messages, and
// reports come back as the events that a symbol would send.
//
//     client.connected(out, time);                         // logs on
//     client.send(NewOrder{...}, time);
//     client.receive(rest, consumer, time);                // consumer.on(Accepted), on(Filled), ... as from a symbol
//     client.poll(time);                                   // again at client.deadline()
//     client.disconnected(time);                           // then connected() again: what was missed is asked for
//
// Commands are the market's own: NewOrder, CancelOrder, ModifyOrder, ReplaceOrder and MassCancel. An order's ClOrdID is its
// id; modifications and cancels have the id with a number behind. So a report says by itself which order it is about, in
// whatever life of the client it comes. With reset_on_logon the first connection begins anew, and later ones go on.
// A program that starts again, and goes on with a session (`next_outgoing`), asks for everything that was said and so finds
// its orders; each of its lives has names of its own (`life`). Orders of earlier lives have ids of their own here, from 2^62
// to below 2^63, so that they are never taken for those of this one.
// Sizes: commands say what is to be open, FIX says the total with what was executed: the client counts what it has heard.
//
// Thread: one owner. Nothing allocates on the way of a message; connections that come and go do.
// Limits: `most_orders` that are not over, and FixClientOptions::sent messages. Full: send() refuses. Special orders are
// not sent. What everyone hears (quotes, trades) comes by other ways.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <outcry/actors/key_table.hpp>
#include <outcry/actors/participant.hpp>
#include <outcry/actors/symbol_directory.hpp>
#include <outcry/net/fix_session.hpp>

namespace outcry {

struct FixClientOptions {
  FixSessionOptions session{};  // version, sender: the client, target: the venue
  std::string user{}, password{};
  AccountId account{};
  std::uint32_t most_orders = 1 << 14;
  MessageStore::Size sent{.messages = 1 << 16, .bytes = 1 << 24};
  std::uint32_t first_number = 1;   // behind the ids of modifications and cancels; who starts again goes on
  std::uint64_t life = 0;           // in front of all names; 0: nothing is. No two lives have the same
  std::uint64_t next_outgoing = 1;  // the number of the next message, in a session that an earlier life has begun
};

class FixClient {
 public:
  enum class Status : std::uint8_t { open, close };

  /// `symbols` outlives it: names and prices are its.
  FixClient(const FixClientOptions& options, const SymbolDirectory& symbols, const FixTime& time);
  FixClient(const FixClient&) = delete;
  FixClient& operator=(const FixClient&) = delete;

  /// A connection; `out` is its until disconnected(). Asks to log on.
  void connected(ByteBuffer& out, const FixTime& time);
  bool is_connected() const { return out_ != &nowhere_; }
  bool is_logged_on() const { return session_->stage() == FixSession::Stage::open; }
  /// Logged on, and everything that was missed has been heard.
  bool is_current() const { return is_logged_on() && !session_->is_behind(); }
  void disconnected(const FixTime& time);
  void log_out(const FixTime& time) { session_->log_out({}, *out_, time); }

  /// Without a connection they wait. False: no room for them, or an order that is not known.
  bool send(const NewOrder& command, const FixTime& time);
  bool send(const CancelOrder& command, const FixTime& time);
  bool send(const ModifyOrder& command, const FixTime& time);
  bool send(const ReplaceOrder& command, const FixTime& time);
  bool send(const MassCancel& command, const FixTime& time);

  /// Takes what is whole off the front, and tells what it says. close: nothing more will be read.
  template <class Consumer>
  Status receive(std::span<const std::byte>& bytes, Consumer& consumer, const FixTime& time) {
    using Kind = FixEvent::Kind;
    while (const FixEvent event = session_->receive(bytes, *out_, time)) {
      if (event.kind == Kind::logged_out || event.kind == Kind::broken || event.kind == Kind::timed_out) {
        ended_why_ = event.reason;
        return Status::close;
      }
      if (event.kind == Kind::logged_on) options_.session.reset_on_logon = false;  // later connections go on
      if (event.kind != Kind::message) continue;
      const Heard heard = hear(*event.message, time);
      tell(heard, consumer);
    }
    return session_->stage() == FixSession::Stage::closed ? Status::close : Status::open;
  }
  Status poll(const FixTime& time);
  std::int64_t deadline() const { return is_connected() ? session_->deadline() : INT64_MAX; }

  const FixState& state() const { return state_; }
  std::string_view ended_why() const { return ended_why_; }
  /// Orders that are not over, as far as is known.
  std::size_t open_orders() const { return orders_.size(); }
  /// Messages that were understood by nobody, and orders that nobody here has sent.
  std::uint64_t not_understood() const { return not_understood_; }

 private:
  /// An order that is not over.
  struct Placed {
    Quantity total{};  // as last asked for
    Quantity executed{};
    SymbolId symbol{};
    std::uint32_t accepted = 0;  // the number behind the ClOrdID that the venue has confirmed last; 0: none
    std::uint32_t newest = 0;    // that was asked for last
    Side side{};
    OrderType type{};
    TimeInForce time_in_force{};
    std::uint8_t cancels = 0;  // 1: a cancel is under way, by the newest name; 2: by the confirmed one
  };
  struct Name {
    OrderId id{};
    std::uint32_t number = 0;
    bool is_cancel = false;
  };
  using NameText = std::array<char, 48>;

  enum class What : std::uint8_t { nothing, accepted, rejected, filled, cancelled, reduced, modified, replaced };
  struct Heard {
    What what = What::nothing;
    OrderId id{}, new_id{};
    Price price{};
    Quantity quantity{}, open{};
    SymbolId symbol{};
    Side side{};
    OrderType type{};
    TimeInForce time_in_force{};
    CommandKind command{};
    Reason reason{};
  };

  Heard hear(const fix::Message& message, const FixTime& time);
  Heard hear_report(const fix::Message& message);
  Heard hear_refusal(const fix::Message& message, const FixTime& time);
  Heard hear_business_reject(const fix::Message& message);
  std::optional<Name> name_of(std::string_view client_id);
  std::string_view text_of(const Name& name, NameText& text) const;
  /// An order's id as it was said in some life.
  struct Said {
    std::uint64_t life = 0;
    OrderId id{};
    friend auto operator<=>(const Said& a, const Said& b) {
      return std::pair(a.life, a.id.value) <=> std::pair(b.life, b.id.value);
    }
  };
  static constexpr std::uint64_t earlier_ids = std::uint64_t{1} << 62;
  OrderId id_of(const Said& said);
  static bool is_of_earlier_life(OrderId id) { return id.value >> 62 == 1; }
  Placed* remember(OrderId id, const fix::ExecutionReport& report, SymbolId symbol, std::uint32_t number);
  bool send_cancel(OrderId id, Placed& placed, std::uint32_t number, const FixTime& time);
  bool send_change(OrderId id, Placed& placed, OrderId new_id, Price price, Quantity open, const FixTime& time);
  fix::Decimal decimal(Price price, SymbolId symbol) const;
  Price price_of(fix::Decimal decimal, SymbolId symbol) const;

  /// What all events of an order have.
  template <class Event>
  Event event_of(const Heard& heard) const {
    Event event{};
    event.id = heard.id;
    event.account = options_.account;
    event.symbol = heard.symbol;
    if constexpr (requires { event.side; }) event.side = heard.side;
    if constexpr (requires { event.price; }) event.price = heard.price;
    if constexpr (requires { event.quantity; }) event.quantity = heard.quantity;
    if constexpr (requires { event.open; }) event.open = heard.open;
    if constexpr (requires { event.new_id; }) event.new_id = heard.new_id;
    if constexpr (requires { event.reason; }) event.reason = heard.reason;
    return event;
  }
  template <class Consumer>
  void tell(const Heard& heard, Consumer& consumer) const {
    switch (heard.what) {
      case What::nothing: return;
      case What::accepted: {
        auto event = event_of<Accepted>(heard);
        event.type = heard.type;
        event.time_in_force = heard.time_in_force;
        return consumer.on(event);
      }
      case What::rejected: {
        auto event = event_of<Rejected>(heard);
        event.command = heard.command;
        return consumer.on(event);
      }
      case What::filled: return consumer.on(event_of<Filled>(heard));
      case What::cancelled: return consumer.on(event_of<Cancelled>(heard));
      case What::reduced: {
        auto event = event_of<Reduced>(heard);
        event.by = heard.quantity;
        return consumer.on(event);
      }
      case What::modified: return consumer.on(event_of<Modified>(heard));
      case What::replaced: {
        auto event = event_of<Replaced>(heard);
        event.quantity = heard.open;
        return consumer.on(event);
      }
    }
  }

  FixClientOptions options_;
  const SymbolDirectory& symbols_;
  FixState state_;
  ByteBuffer nowhere_{0};
  ByteBuffer* out_ = &nowhere_;
  std::optional<FixSession> session_;
  KeyTable<OrderId, Placed> orders_;
  std::vector<Said> earlier_;               // by their ids here, without the bit
  std::map<Said, std::uint64_t> place_of_;  // there
  std::uint32_t number_;                    // that was used last
  std::uint64_t not_understood_ = 0;
  std::string_view ended_why_{};
};

}  // namespace outcry
