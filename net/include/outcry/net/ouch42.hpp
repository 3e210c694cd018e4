// OUCH 4.2: the messages of NASDAQ's older order entry as they are on the wire, for reading in place and for writing.
//
// Orders are named by a token of 14 characters. The same letter means another message in each direction, so there are
// two sets. decode() checks type and size once; after that every field is inside. Units: prices in 1/10,000, times in
// nanoseconds since midnight. Of trade now (N), executions with a reference price (G) and trade corrections (F) only
// one source is known.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <outcry/net/alpha.hpp>
#include <outcry/net/big_endian.hpp>
#include <outcry/net/message_set.hpp>
#include <outcry/net/ouch_words.hpp>

namespace outcry::ouch42 {

// By name: a market's own words (Side) and these would be ambiguous otherwise.
using ouch::BrokenReason;
using ouch::CancelReason;
using ouch::Capacity;
using ouch::Cross;
using ouch::CustomerType;
using ouch::Liquidity;
using ouch::one_of;
using ouch::OrderState;
using ouch::Side;
using ouch::SystemCode;
using ouch::YesNo;
using U32 = BigEndian<4>;
using U64 = BigEndian<8>;
using Token = Alpha<14>;

/// Seconds that an order lives, or one of these.
inline constexpr std::uint32_t immediate_or_cancel = 0;
inline constexpr std::uint32_t market_hours = 99'998;
inline constexpr std::uint32_t system_hours = 99'999;

inline constexpr std::uint32_t market_price = 0x7FFFFFFF;
inline constexpr std::uint32_t largest_price = 1'999'999'900;  // 199,999.9900
inline constexpr std::uint32_t largest_quantity = 999'999;

/// Y anonymous, A attributable, N hidden; P I M W L O T Q m n: post-only, imbalance, midpoint and retail orders.
using Display = char;

enum class RejectReason : char {
  none = '\0',
  test = 'T',
  halted = 'H',
  shares_exceed_threshold = 'Z',
  invalid_stock = 'S',
  invalid_display = 'D',
  closed = 'C',
  firm_not_authorized = 'L',
  clearing_times = 'M',
  invalid_cross = 'R',
  invalid_price = 'X',
  invalid_minimum_quantity = 'N',
  other = 'O',
};

// --- inbound

struct EnterOrder {
  static constexpr char code = 'O';
  char type = code;
  Token token{};
  Side side{};
  U32 shares{};
  Alpha<8> stock{};
  U32 price{};
  U32 time_in_force{};
  Alpha<4> firm{};
  Display display{};
  Capacity capacity{};
  YesNo intermarket_sweep = YesNo::no;
  U32 minimum_quantity{};
  Cross cross = Cross::continuous;
  CustomerType customer = CustomerType::not_retail;
};

struct ReplaceOrder {
  static constexpr char code = 'U';
  char type = code;
  Token token{};  // of the order to be replaced
  Token new_token{};
  U32 shares{};
  U32 price{};
  U32 time_in_force{};
  Display display{};
  YesNo intermarket_sweep = YesNo::no;
  U32 minimum_quantity{};
};

struct CancelOrder {
  static constexpr char code = 'X';
  char type = code;
  Token token{};
  U32 shares{};  // the size that is meant to be left; 0: nothing
};

struct ModifyOrder {
  static constexpr char code = 'M';
  char type = code;
  Token token{};
  Side side{};
  U32 shares{};
};

struct TradeNow {
  static constexpr char code = 'N';
  char type = code;
  Token token{};
};

// --- outbound

struct SystemEvent {
  static constexpr char code = 'S';
  char type = code;
  U64 timestamp{};
  SystemCode event{};
};

struct Accepted {
  static constexpr char code = 'A';
  char type = code;
  U64 timestamp{};
  Token token{};
  Side side{};
  U32 shares{};
  Alpha<8> stock{};
  U32 price{};
  U32 time_in_force{};
  Alpha<4> firm{};
  Display display{};
  U64 order{};
  Capacity capacity{};
  YesNo intermarket_sweep = YesNo::no;
  U32 minimum_quantity{};
  Cross cross = Cross::continuous;
  OrderState state = OrderState::live;
  char bbo_weight = ' ';
};

struct Replaced {
  static constexpr char code = 'U';
  char type = code;
  U64 timestamp{};
  Token token{};  // the new one
  Side side{};
  U32 shares{};
  Alpha<8> stock{};
  U32 price{};
  U32 time_in_force{};
  Alpha<4> firm{};
  Display display{};
  U64 order{};
  Capacity capacity{};
  YesNo intermarket_sweep = YesNo::no;
  U32 minimum_quantity{};
  Cross cross = Cross::continuous;
  OrderState state = OrderState::live;
  Token previous_token{};
  char bbo_weight = ' ';
};

struct Canceled {
  static constexpr char code = 'C';
  char type = code;
  U64 timestamp{};
  Token token{};
  U32 decrement{};
  CancelReason reason{};
};

/// Instead of a trade with oneself.
struct AiqCanceled {
  static constexpr char code = 'D';
  char type = code;
  U64 timestamp{};
  Token token{};
  U32 decrement{};
  CancelReason reason = CancelReason::self_match_prevention;
  U32 prevented{};
  U32 execution_price{};
  Liquidity liquidity{};
};

struct Executed {
  static constexpr char code = 'E';
  char type = code;
  U64 timestamp{};
  Token token{};
  U32 shares{};
  U32 price{};
  Liquidity liquidity{};
  U64 match{};
};

struct ExecutedWithReference {
  static constexpr char code = 'G';
  char type = code;
  U64 timestamp{};
  Token token{};
  U32 shares{};
  U32 price{};
  Liquidity liquidity{};
  U64 match{};
  U32 reference_price{};
  char reference_type{};
};

struct TradeCorrection {
  static constexpr char code = 'F';
  char type = code;
  U64 timestamp{};
  Token token{};
  U32 shares{};
  U32 price{};
  Liquidity liquidity{};
  U64 match{};
  char reason{};
};

struct BrokenTrade {
  static constexpr char code = 'B';
  char type = code;
  U64 timestamp{};
  Token token{};
  U64 match{};
  BrokenReason reason{};
};

struct Rejected {
  static constexpr char code = 'J';
  char type = code;
  U64 timestamp{};
  Token token{};
  RejectReason reason{};
};

struct CancelPending {
  static constexpr char code = 'P';
  char type = code;
  U64 timestamp{};
  Token token{};
};

struct CancelRejected {
  static constexpr char code = 'I';
  char type = code;
  U64 timestamp{};
  Token token{};
};

struct PriorityUpdate {
  static constexpr char code = 'T';
  char type = code;
  U64 timestamp{};
  Token token{};
  U32 price{};
  Display display{};
  U64 order{};
};

struct Modified {
  static constexpr char code = 'M';
  char type = code;
  U64 timestamp{};
  Token token{};
  Side side{};
  U32 shares{};
};

static_assert(sizeof(EnterOrder) == 49 && sizeof(ReplaceOrder) == 47 && sizeof(CancelOrder) == 19);
static_assert(sizeof(ModifyOrder) == 20 && sizeof(TradeNow) == 15);
static_assert(sizeof(SystemEvent) == 10 && sizeof(Accepted) == 66 && sizeof(Replaced) == 80);
static_assert(sizeof(Canceled) == 28 && sizeof(AiqCanceled) == 37 && sizeof(Executed) == 40);
static_assert(sizeof(ExecutedWithReference) == 45 && sizeof(TradeCorrection) == 41 && sizeof(BrokenTrade) == 32);
static_assert(sizeof(Rejected) == 24 && sizeof(CancelPending) == 23 && sizeof(CancelRejected) == 23);
static_assert(sizeof(PriorityUpdate) == 36 && sizeof(Modified) == 28);

using Inbound = MessageSet<EnterOrder, ReplaceOrder, CancelOrder, ModifyOrder, TradeNow>;
using Outbound =
    MessageSet<SystemEvent, Accepted, Replaced, Canceled, AiqCanceled, Executed, ExecutedWithReference, TradeCorrection,
               BrokenTrade, Rejected, CancelPending, CancelRejected, PriorityUpdate, Modified>;
static_assert(Inbound::count == 5 && Outbound::count == 14);

inline constexpr std::size_t largest_message = sizeof(Replaced);

enum class Fault : std::uint8_t { none, empty, unknown_type, wrong_size };

template <class Set>
struct Decoded {
  Fault fault = Fault::empty;
  typename Set::View message{};
  explicit operator bool() const { return fault == Fault::none; }
};

/// Takes exactly one message of the set. Looks at no byte outside `bytes`, whatever they hold.
template <class Set>
Decoded<Set> decode(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return {};
  const std::size_t size = Set::size_of(static_cast<char>(bytes[0]));
  if (size == 0) return {Fault::unknown_type, {}};
  if (size != bytes.size()) return {Fault::wrong_size, {}};
  return {Fault::none, Set::view(bytes)};
}
inline Decoded<Inbound> decode_inbound(std::span<const std::byte> bytes) noexcept { return decode<Inbound>(bytes); }
inline Decoded<Outbound> decode_outbound(std::span<const std::byte> bytes) noexcept { return decode<Outbound>(bytes); }

/// The bytes of a message, to be sent as they are: the message must outlive them.
template <class Message>
std::span<const std::byte, sizeof(Message)> encode(const Message& message) {
  return std::span<const std::byte, sizeof(Message)>(reinterpret_cast<const std::byte*>(&message), sizeof(Message));
}

/// What the protocol refuses for its own sake; RejectReason::none: nothing is wrong.
constexpr RejectReason check(const EnterOrder& order) noexcept {
  if (order.stock.text().empty()) return RejectReason::invalid_stock;
  if (order.shares < 1 || order.shares > largest_quantity) return RejectReason::shares_exceed_threshold;
  const bool is_market = order.price == market_price;
  if (order.price == 0 || (order.price > largest_price && !is_market)) return RejectReason::invalid_price;
  if (order.minimum_quantity > order.shares) return RejectReason::invalid_minimum_quantity;
  if (!one_of(order.cross, "NOCHSREA")) return RejectReason::invalid_cross;
  if (!one_of(order.display, "YANPIMWLOTQmn")) return RejectReason::invalid_display;
  const bool sound = one_of(order.side, "BSTE") && one_of(order.capacity, "APRO") &&
                     one_of(order.intermarket_sweep, "YN") && order.time_in_force <= system_hours;
  return sound ? RejectReason::none : RejectReason::other;
}
constexpr RejectReason check(const ReplaceOrder& order) noexcept {
  if (order.shares < 1 || order.shares > largest_quantity) return RejectReason::shares_exceed_threshold;
  if (order.price == 0 || (order.price > largest_price && order.price != market_price))
    return RejectReason::invalid_price;
  if (order.minimum_quantity > order.shares) return RejectReason::invalid_minimum_quantity;
  if (!one_of(order.display, "YANPIMWLOTQmn")) return RejectReason::invalid_display;
  const bool sound = one_of(order.intermarket_sweep, "YN") && order.time_in_force <= system_hours;
  return sound ? RejectReason::none : RejectReason::other;
}

}  // namespace outcry::ouch42
