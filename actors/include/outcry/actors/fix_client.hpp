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
// Sizes: commands say what is to be open, FIX says the total with what was executed: the client counts what it has heard.
//
// Thread: one owner. Nothing allocates on the way of a message; connections that come and go do.
// Limits: `most_orders` that are not over, and FixClientOptions::sent messages. Full: send() refuses. Special orders are
// not sent. What everyone hears (quotes, trades) comes by other ways.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

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
  std::uint32_t first_number = 1;  // behind the ids of modifications and cancels; who starts again goes on
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
  using NameText = std::array<char, 36>;

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
  static std::optional<Name> name_of(std::string_view client_id);
  static std::string_view text_of(const Name& name, NameText& text);
  bool send_cancel(OrderId id, Placed& placed, std::uint32_t number, const FixTime& time);
  bool send_change(OrderId id, Placed& placed, OrderId new_id, Price price, Quantity open, const FixTime& time);
  fix::Decimal decimal(Price price, SymbolId symbol) const;
  Price price_of(fix::Decimal decimal, SymbolId symbol) const;

  template <class Consumer>
  void tell(const Heard& heard, Consumer& consumer) const {
    const AccountId account = options_.account;
    switch (heard.what) {
      case What::nothing: return;
      case What::accepted:
        return consumer.on(Accepted{.id = heard.id,
                                    .price = heard.price,
                                    .quantity = heard.quantity,
                                    .account = account,
                                    .symbol = heard.symbol,
                                    .side = heard.side,
                                    .type = heard.type,
                                    .time_in_force = heard.time_in_force});
      case What::rejected:
        return consumer.on(Rejected{.id = heard.id,
                                    .new_id = heard.new_id,
                                    .account = account,
                                    .symbol = heard.symbol,
                                    .command = heard.command,
                                    .reason = heard.reason});
      case What::filled:
        return consumer.on(Filled{.id = heard.id,
                                  .price = heard.price,
                                  .quantity = heard.quantity,
                                  .open = heard.open,
                                  .account = account,
                                  .symbol = heard.symbol,
                                  .side = heard.side});
      case What::cancelled:
        return consumer.on(Cancelled{.id = heard.id,
                                     .price = heard.price,
                                     .quantity = heard.quantity,
                                     .account = account,
                                     .symbol = heard.symbol,
                                     .side = heard.side,
                                     .reason = heard.reason});
      case What::reduced:
        return consumer.on(Reduced{.id = heard.id,
                                   .price = heard.price,
                                   .by = heard.quantity,
                                   .open = heard.open,
                                   .account = account,
                                   .symbol = heard.symbol,
                                   .side = heard.side});
      case What::modified:
        return consumer.on(Modified{.id = heard.id,
                                    .price = heard.price,
                                    .quantity = heard.quantity,
                                    .account = account,
                                    .symbol = heard.symbol,
                                    .side = heard.side,
                                    .open = heard.open});
      case What::replaced:
        return consumer.on(Replaced{.id = heard.id,
                                    .new_id = heard.new_id,
                                    .price = heard.price,
                                    .quantity = heard.open,
                                    .account = account,
                                    .symbol = heard.symbol,
                                    .side = heard.side});
    }
  }

  FixClientOptions options_;
  const SymbolDirectory& symbols_;
  FixState state_;
  ByteBuffer nowhere_{0};
  ByteBuffer* out_ = &nowhere_;
  std::optional<FixSession> session_;
  KeyTable<OrderId, Placed> orders_;
  std::uint32_t number_;  // that was used last
  std::uint64_t not_understood_ = 0;
  std::string_view ended_why_{};
};

}  // namespace outcry
