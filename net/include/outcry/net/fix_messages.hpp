// FIX messages: the session's and those of order entry, of versions 4.2 and 4.4, as structs.
//
// Each lists its fields once, in the order in which they are written, each with whether it must be there; read() and
// write() both go through that list. Text lies in the message that was read. An empty text, '\0' or an empty optional
// is a field that is not there. Tags that a struct does not know are passed over. Units: prices in 1/10,000, times in
// nanoseconds since 1970, UTC.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include <outcry/net/fix.hpp>
#include <outcry/net/fix_writer.hpp>

namespace outcry::fix {

struct Decimal {
  std::int64_t units = 0;
  friend bool operator==(const Decimal&, const Decimal&) = default;
};
/// A number of shares; zeros behind a point are read too.
struct Shares {
  std::uint64_t count = 0;
  constexpr Shares() = default;
  constexpr Shares(std::uint64_t n) : count(n) {}
  constexpr operator std::uint64_t() const { return count; }
};
struct UtcTime {
  std::int64_t ns = 0;
  friend bool operator==(const UtcTime&, const UtcTime&) = default;
};

/// Whether a field must be there. `only_42` must in 4.2 and does not exist in 4.4.
enum class Need : std::uint8_t { always, never, in_42, in_44, only_42 };

// --- the session; in those that are closed no other field may be

struct Logon {
  static constexpr std::string_view type = "A";
  std::uint64_t encryption = 0;
  std::uint64_t heartbeat_s = 0;
  std::optional<bool> reset{};
  std::string_view user{};  // in 4.2 by agreement
  std::string_view password{};

  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(tag::encryption, m.encryption, Need::always);
    act(tag::heartbeat_interval, m.heartbeat_s, Need::always);
    act(tag::reset_sequence, m.reset, Need::never);
    act(tag::user, m.user, Need::never);
    act(tag::password, m.password, Need::never);
  }
};

struct Heartbeat {
  static constexpr std::string_view type = "0";
  static constexpr bool closed = true;
  std::string_view test_id{};
  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(tag::test_request_id, m.test_id, Need::never);
  }
};

struct TestRequest {
  static constexpr std::string_view type = "1";
  static constexpr bool closed = true;
  std::string_view test_id{};
  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(tag::test_request_id, m.test_id, Need::always);
  }
};

struct ResendRequest {
  static constexpr std::string_view type = "2";
  static constexpr bool closed = true;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // 0: everything there is
  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(tag::begin_sequence, m.begin, Need::always);
    act(tag::end_sequence, m.end, Need::always);
  }
};

struct SessionReject {
  static constexpr std::string_view type = "3";
  std::uint64_t sequence = 0;  // of the message that was refused
  std::string_view text{};
  std::string_view tag_number{};  // as it was written, be it one or not
  std::string_view message_type{};
  std::optional<std::uint64_t> reason{};
  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(tag::reference_sequence, m.sequence, Need::always);
    act(tag::text, m.text, Need::never);
    act(tag::reference_tag, m.tag_number, Need::never);
    act(tag::reference_type, m.message_type, Need::never);
    act(tag::session_reject_reason, m.reason, Need::never);
  }
};

struct SequenceReset {
  static constexpr std::string_view type = "4";
  static constexpr bool closed = true;
  std::uint64_t new_sequence = 0;
  std::optional<bool> gap_fill{};
  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(tag::new_sequence, m.new_sequence, Need::always);
    act(tag::gap_fill, m.gap_fill, Need::never);
  }
};

struct Logout {
  static constexpr std::string_view type = "5";
  std::string_view text{};
  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(tag::text, m.text, Need::never);
  }
};

// --- orders

struct NewOrderSingle {
  static constexpr std::string_view type = "D";
  std::string_view account{};
  std::string_view client_order_id{};
  std::string_view instructions{};
  char handling = '\0';
  std::optional<Shares> quantity{};
  char order_type = '\0';  // 1 market, 2 limit
  std::optional<Decimal> price{};
  char side = '\0';  // 1 buy, 2 sell, 5 short, 6 short exempt
  std::string_view symbol{};
  char time_in_force = '\0';  // 0 day, 1 until cancelled, 3 immediate or cancel, 4 fill or kill, 6 until a date
  UtcTime transacted{};
  std::optional<Shares> minimum_quantity{};
  std::optional<UtcTime> expires{};

  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(tag::account, m.account, Need::never);
    act(tag::client_order_id, m.client_order_id, Need::always);
    act(tag::execution_instructions, m.instructions, Need::never);
    act(tag::handling, m.handling, Need::in_42, "123");
    act(tag::order_quantity, m.quantity, Need::never);  // but see read()
    act(tag::order_type, m.order_type, Need::always, "123456789DEGIJKLMP");
    act(tag::price, m.price, Need::never);
    act(tag::side, m.side, Need::always, "123456789ABCDEFG");
    act(tag::symbol, m.symbol, Need::always);
    act(tag::time_in_force, m.time_in_force, Need::never, "01234567");
    act(tag::transaction_time, m.transacted, Need::always);
    act(tag::minimum_quantity, m.minimum_quantity, Need::never);
    act(tag::expire_time, m.expires, Need::never);
  }
};

struct OrderCancelRequest {
  static constexpr std::string_view type = "F";
  std::string_view client_order_id{};
  std::string_view order_id{};
  std::optional<Shares> quantity{};
  std::string_view original_client_order_id{};
  char side = '\0';
  std::string_view symbol{};
  UtcTime transacted{};

  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(tag::client_order_id, m.client_order_id, Need::always);
    act(tag::order_id, m.order_id, Need::never);
    act(tag::order_quantity, m.quantity, Need::in_44);
    act(tag::original_client_order_id, m.original_client_order_id, Need::always);
    act(tag::side, m.side, Need::always, "123456789ABCDEFG");
    act(tag::symbol, m.symbol, Need::always);
    act(tag::transaction_time, m.transacted, Need::always);
  }
};

struct OrderCancelReplaceRequest {
  static constexpr std::string_view type = "G";
  std::string_view account{};
  std::string_view client_order_id{};
  std::string_view instructions{};
  char handling = '\0';
  std::string_view order_id{};
  std::optional<Shares> quantity{};  // what was executed already included
  char order_type = '\0';
  std::string_view original_client_order_id{};
  std::optional<Decimal> price{};
  char side = '\0';
  std::string_view symbol{};
  char time_in_force = '\0';
  UtcTime transacted{};
  std::optional<UtcTime> expires{};

  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(tag::account, m.account, Need::never);
    act(tag::client_order_id, m.client_order_id, Need::always);
    act(tag::execution_instructions, m.instructions, Need::never);
    act(tag::handling, m.handling, Need::in_42, "123");
    act(tag::order_id, m.order_id, Need::never);
    act(tag::order_quantity, m.quantity, Need::in_44);
    act(tag::order_type, m.order_type, Need::always, "123456789DEGIJKLMP");
    act(tag::original_client_order_id, m.original_client_order_id, Need::always);
    act(tag::price, m.price, Need::never);
    act(tag::side, m.side, Need::always, "123456789ABCDEFG");
    act(tag::symbol, m.symbol, Need::always);
    act(tag::time_in_force, m.time_in_force, Need::never, "01234567");
    act(tag::transaction_time, m.transacted, Need::always);
    act(tag::expire_time, m.expires, Need::never);
  }
};

struct OrderStatusRequest {
  static constexpr std::string_view type = "H";
  std::string_view client_order_id{};
  std::string_view order_id{};
  char side = '\0';
  std::string_view symbol{};

  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(tag::client_order_id, m.client_order_id, Need::always);
    act(tag::order_id, m.order_id, Need::never);
    act(tag::side, m.side, Need::always, "123456789ABCDEFG");
    act(tag::symbol, m.symbol, Need::always);
  }
};

/// Of 4.4; 4.2 has it only by agreement.
struct OrderMassCancelRequest {
  static constexpr std::string_view type = "q";
  std::string_view client_order_id{};
  char side = '\0';
  std::string_view symbol{};
  UtcTime transacted{};
  char request_type = '\0';  // 1 of a symbol, 7 all

  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(tag::client_order_id, m.client_order_id, Need::always);
    act(tag::side, m.side, Need::never, "123456789ABCDEFG");
    act(tag::symbol, m.symbol, Need::never);
    act(tag::transaction_time, m.transacted, Need::always);
    act(tag::mass_cancel_type, m.request_type, Need::always, "1234567");
  }
};

struct OrderMassCancelReport {
  static constexpr std::string_view type = "r";
  std::string_view client_order_id{};
  std::string_view order_id{};
  std::string_view symbol{};
  std::string_view text{};
  char request_type = '\0';
  char response = '\0';  // 0 refused, else what was cancelled, as requested
  std::optional<std::uint64_t> reject_reason{};
  std::optional<std::uint64_t> affected{};

  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(tag::client_order_id, m.client_order_id, Need::never);
    act(tag::order_id, m.order_id, Need::always);
    act(tag::symbol, m.symbol, Need::never);
    act(tag::text, m.text, Need::never);
    act(tag::mass_cancel_type, m.request_type, Need::always, "1234567");
    act(tag::mass_cancel_response, m.response, Need::always, "01234567");
    act(tag::mass_cancel_reject_reason, m.reject_reason, Need::never);
    act(tag::total_affected_orders, m.affected, Need::never);
  }
};

struct ExecutionReport {
  static constexpr std::string_view type = "8";
  Decimal average_price{};
  std::string_view client_order_id{};
  Shares cumulative_quantity = 0;
  std::string_view execution_id{};
  char transaction = '0';  // 4.2: 0 new, 1 cancel, 2 correct, 3 status
  std::optional<Decimal> last_price{};
  std::optional<Shares> last_quantity{};
  std::string_view order_id{};
  std::optional<Shares> quantity{};
  char status =
      '\0';  // 0 new, 1 partly filled, 2 filled, 4 cancelled, 5 replaced (4.2), 6 A E pending, 8 rejected, C expired
  char order_type = '\0';
  std::string_view original_client_order_id{};
  std::optional<Decimal> price{};
  char side = '\0';
  std::string_view symbol{};
  std::string_view text{};
  char time_in_force = '\0';
  std::optional<UtcTime> transacted{};
  std::optional<std::uint64_t> reject_reason{};
  char execution = '\0';  // as status; fills are 1 and 2 in 4.2, F in 4.4
  Shares leaves_quantity = 0;

  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(tag::average_price, m.average_price, Need::always);
    act(tag::client_order_id, m.client_order_id, Need::never);
    act(tag::cumulative_quantity, m.cumulative_quantity, Need::always);
    act(tag::execution_id, m.execution_id, Need::always);
    act(tag::execution_transaction, m.transaction, Need::only_42, "0123");
    act(tag::last_price, m.last_price, Need::never);
    act(tag::last_quantity, m.last_quantity, Need::never);
    act(tag::order_id, m.order_id, Need::always);
    act(tag::order_quantity, m.quantity, Need::never);
    act(tag::order_status, m.status, Need::always, "0123456789ABCDE");
    act(tag::order_type, m.order_type, Need::never, "123456789DEGIJKLMP");
    act(tag::original_client_order_id, m.original_client_order_id, Need::never);
    act(tag::price, m.price, Need::never);
    act(tag::side, m.side, Need::always, "123456789ABCDEFG");
    act(tag::symbol, m.symbol, Need::always);
    act(tag::text, m.text, Need::never);
    act(tag::time_in_force, m.time_in_force, Need::never, "01234567");
    act(tag::transaction_time, m.transacted, Need::never);
    act(tag::order_reject_reason, m.reject_reason, Need::never);
    act(tag::execution_type, m.execution, Need::always, "0123456789ABCDEFGHI");
    act(tag::leaves_quantity, m.leaves_quantity, Need::always);
  }
};

struct OrderCancelReject {
  static constexpr std::string_view type = "9";
  std::string_view client_order_id{};
  std::string_view order_id{};
  char status = '\0';
  std::string_view original_client_order_id{};
  std::string_view text{};
  std::optional<std::uint64_t> reason{};  // 0 too late, 1 unknown order, 3 pending
  char response_to = '\0';                // 1 a cancel, 2 a replace

  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(tag::client_order_id, m.client_order_id, Need::always);
    act(tag::order_id, m.order_id, Need::always);
    act(tag::order_status, m.status, Need::always, "0123456789ABCDE");
    act(tag::original_client_order_id, m.original_client_order_id, Need::always);
    act(tag::text, m.text, Need::never);
    act(tag::cancel_reject_reason, m.reason, Need::never);
    act(tag::cancel_reject_response, m.response_to, Need::always, "12");
  }
};

struct BusinessReject {
  static constexpr std::string_view type = "j";
  std::optional<std::uint64_t> sequence{};  // of the message that was refused
  std::string_view text{};
  std::string_view message_type{};
  std::string_view reference{};
  std::uint64_t reason = 0;  // 0 other, 3 unsupported type, 4 not available, 5 a field that the content requires

  template <class Self, class Act>
  static void fields(Self& m, Act&& act) {
    act(tag::reference_sequence, m.sequence, Need::never);
    act(tag::text, m.text, Need::never);
    act(tag::reference_type, m.message_type, Need::always);
    act(tag::business_reference, m.reference, Need::never);
    act(tag::business_reject_reason, m.reason, Need::always);
  }
};

// --- reading and writing

namespace detail {

inline bool take(std::string_view text, std::string_view& value) {
  value = text;
  return true;
}
inline bool take(std::string_view text, char& value) {
  if (text.size() == 1) value = text[0];
  return text.size() == 1;
}
template <class Result, class Value>
bool take_into(const std::optional<Result>& read, Value& value) {
  if (read) value = Value{*read};
  return read.has_value();
}
inline bool take(std::string_view text, std::uint64_t& value) { return take_into(read_number(text), value); }
inline bool take(std::string_view text, Shares& value) { return take_into(read_quantity(text), value); }
inline bool take(std::string_view text, Decimal& value) { return take_into(read_price(text), value); }
inline bool take(std::string_view text, UtcTime& value) { return take_into(read_time(text), value); }
inline bool take(std::string_view text, bool& value) { return take_into(read_bool(text), value); }
template <class Value>
bool take(std::string_view text, std::optional<Value>& value) {
  return take(text, value.emplace());
}

class Reads {
 public:
  Reads(const Message& message, Version version) : message_(message), version_(version) {}
  std::optional<Problem> problem{};

  template <class Value>
  void operator()(Tag tag, Value& value, Need need, std::string_view letters = {}) {
    if (problem) return;
    known_[count_++] = tag;
    const std::optional<std::string_view> text = message_.find(tag);
    if (!text) {
      const bool is_needed = need == Need::always ||
                             (version_ == Version::v4_2 && need != Need::never && need != Need::in_44) ||
                             (version_ == Version::v4_4 && need == Need::in_44);
      if (is_needed) problem = Problem{.reason = RejectReason::required_tag_missing, .tag = tag};
      return;
    }
    if (message_.is_repeated(tag))
      problem = Problem{.reason = RejectReason::repeated_tag, .tag = tag};
    else if (!take(*text, value))
      problem = Problem{.reason = RejectReason::incorrect_format, .tag = tag};
    else if (!letters.empty() && letters.find((*text)[0]) == std::string_view::npos)
      problem = Problem{.reason = RejectReason::value_out_of_range, .tag = tag};
  }

  /// A field of the body that is none of those listed.
  std::optional<Problem> foreign_field() const {
    for (const Field& field : message_.fields()) {
      bool is_known = is_header(field.tag);
      for (std::size_t i = 0; i < count_; ++i) is_known = is_known || known_[i] == field.tag;
      if (!is_known) return Problem{.reason = RejectReason::tag_not_for_this_type, .tag = field.tag};
    }
    return std::nullopt;
  }

 private:
  const Message& message_;
  Version version_;
  std::array<Tag, 24> known_{};
  std::size_t count_ = 0;
};

class Writes {
 public:
  Writes(Writer& out, Version version) : out_(out), version_(version) {}
  template <class Value>
  void operator()(Tag tag, const Value& value, Need need, std::string_view = {}) {
    if (need == Need::only_42 && version_ != Version::v4_2) return;
    put(tag, value);
  }

 private:
  void put(Tag tag, std::string_view value) {
    if (!value.empty()) out_.put(tag, value);
  }
  void put(Tag tag, char value) {
    if (value != '\0') out_.put(tag, value);
  }
  void put(Tag tag, std::uint64_t value) { out_.put_number(tag, value); }
  void put(Tag tag, Shares value) { out_.put_number(tag, value.count); }
  void put(Tag tag, Decimal value) { out_.put_price(tag, value.units); }
  void put(Tag tag, UtcTime value) { out_.put_time(tag, value.ns); }
  void put(Tag tag, bool value) { out_.put_bool(tag, value); }
  template <class Value>
  void put(Tag tag, const std::optional<Value>& value) {
    if (value) put(tag, *value);
  }

  Writer& out_;
  Version version_;
};

}  // namespace detail

/// Fills in `body` from a message. What comes back says what is wrong, if something is. An order without a quantity, or
/// without the price of its limit, is read all the same: that is a problem of the application's.
/// Requires: the message's type is the body's.
template <class Body>
std::optional<Problem> read(const Message& message, Version version, Body& body) {
  detail::Reads reads(message, version);
  Body::fields(body, reads);
  if constexpr (requires { Body::closed; })
    if (!reads.problem) return reads.foreign_field();
  if constexpr (std::is_same_v<Body, NewOrderSingle> || std::is_same_v<Body, OrderCancelReplaceRequest>) {
    const Tag missing = !body.quantity ? tag::order_quantity : tag::price;
    if (!reads.problem && (!body.quantity || (body.order_type == '2' && !body.price)))
      return Problem{.reason = RejectReason::required_tag_missing, .tag = missing, .conditional = true};
  }
  return reads.problem;
}

/// Appends the fields of a body, behind the header that the writer has already.
template <class Body>
void write(const Body& body, Version version, Writer& out) {
  Body::fields(body, detail::Writes(out, version));
}

}  // namespace outcry::fix
