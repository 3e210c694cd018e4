// OUCH 5.0: the messages of NASDAQ's order entry as they are on the wire, for reading in place and for writing.
//
// The same letter means another message in each direction, so there are two sets. decode() checks size, type and
// options once; after that every field is inside. Messages of the revision of 2024 (mass cancel, disable, enable, and
// options behind cancels and some answers) are understood too. Units: prices in 1/10,000, times in nanoseconds since
// midnight. Not checked here: the meaning of fields; ouch50_checks.hpp does that.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <outcry/net/alpha.hpp>
#include <outcry/net/big_endian.hpp>
#include <outcry/net/message_set.hpp>
#include <outcry/net/ouch50_options.hpp>
#include <outcry/net/ouch_words.hpp>

namespace outcry::ouch50 {

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
using U16 = BigEndian<2>;
using U32 = BigEndian<4>;
using U64 = BigEndian<8>;

enum class TimeInForce : char {
  day = '0',
  immediate_or_cancel = '3',
  extended_hours = '5',
  until_time = '6',  // needs Tag::expire_time
  after_hours = 'E',
};
enum class Display : char { visible = 'Y', hidden = 'N', attributable = 'A', conformant = 'Z' };  // Z only outbound
enum class RestatedReason : char { refreshed = 'R', display_price = 'P' };

enum class RejectReason : std::uint16_t {
  none = 0,
  quote_unavailable = 0x01,
  destination_closed = 0x02,
  invalid_display = 0x03,
  invalid_maximum_floor = 0x04,
  invalid_peg_type = 0x05,
  fat_finger = 0x06,
  halted = 0x07,
  iso_not_allowed = 0x08,
  invalid_side = 0x09,
  processing_error = 0x0A,
  cancel_pending = 0x0B,
  firm_not_authorized = 0x0C,
  invalid_minimum_quantity = 0x0D,
  no_closing_reference_price = 0x0E,
  other = 0x0F,
  cancel_not_allowed = 0x10,
  pegging_not_allowed = 0x11,
  crossed_market = 0x12,
  invalid_quantity = 0x13,
  invalid_cross = 0x14,
  replace_not_allowed = 0x15,
  routing_not_allowed = 0x16,
  invalid_symbol = 0x17,
  test_symbol = 0x18,
  late_limit_on_close = 0x19,
  retail_not_allowed = 0x1A,
  invalid_midpoint_post_only_price = 0x1B,
  invalid_destination = 0x1C,
  invalid_price = 0x1D,
  shares_exceed_threshold = 0x1E,
  notional_exceeds_threshold = 0x1F,
  risk_aggregate_exposure = 0x20,
  risk_market_impact = 0x21,
  risk_restricted_stock = 0x22,
  risk_short_sell = 0x23,
  risk_order_type = 0x24,
  risk_average_daily_volume = 0x25,
  risk_fat_finger = 0x26,
  risk_locate = 0x27,
  risk_symbol_rate = 0x28,
  risk_port_rate = 0x29,
  risk_duplicate_rate = 0x2A,
  short_sell_not_allowed = 0x2B,
  risk_single_order_notional = 0x30,
  risk_maximum_quantity = 0x31,
  short_sale_state_not_available = 0x32,
};

inline constexpr std::uint64_t largest_price = 1'999'999'900;       // 199,999.9900
inline constexpr std::uint64_t least_market_price = 2'000'000'000;  // from 200,000 on a price means: at the market
inline constexpr std::uint64_t market_for_cross = 0x7FFFFFFF;
inline constexpr std::uint32_t largest_quantity = 999'999;

/// Are there options behind a message? Where they always may be, the message ends with their length, which may be 0;
/// where the revision of 2024 brought them, the length is there only if an option is.
enum class Options : std::uint8_t { never, always, since_2024 };

// --- inbound

struct EnterOrder {
  static constexpr char code = 'O';
  static constexpr Options options = Options::always;
  char type = code;
  U32 user_ref{};
  Side side{};
  U32 quantity{};
  Alpha<8> symbol{};
  U64 price{};
  TimeInForce time_in_force{};
  Display display{};
  Capacity capacity{};
  YesNo intermarket_sweep = YesNo::no;
  Cross cross = Cross::continuous;
  Alpha<14> client_order_id{};
  U16 options_size{};
};

struct ReplaceOrder {
  static constexpr char code = 'U';
  static constexpr Options options = Options::always;
  char type = code;
  U32 original_user_ref{};
  U32 user_ref{};
  U32 quantity{};  // what was executed already included
  U64 price{};
  TimeInForce time_in_force{};
  Display display{};
  YesNo intermarket_sweep = YesNo::no;
  Alpha<14> client_order_id{};
  U16 options_size{};
};

struct CancelOrder {
  static constexpr char code = 'X';
  static constexpr Options options = Options::since_2024;
  char type = code;
  U32 user_ref{};
  U32 quantity{};  // the size that is meant to be left of the whole order; 0: nothing
};

/// Short sales marked otherwise, or a smaller size; the order keeps its place.
struct ModifyOrder {
  static constexpr char code = 'M';
  static constexpr Options options = Options::since_2024;
  char type = code;
  U32 user_ref{};
  Side side{};
  U32 quantity{};
};

struct AccountQuery {
  static constexpr char code = 'Q';
  static constexpr Options options = Options::since_2024;
  char type = code;
};

struct MassCancel {
  static constexpr char code = 'C';
  static constexpr Options options = Options::always;
  char type = code;
  U32 user_ref{};
  Alpha<4> firm{};
  Alpha<8> symbol{};  // blank: all
  U16 options_size{};
};

struct DisableOrderEntry {
  static constexpr char code = 'D';
  static constexpr Options options = Options::always;
  char type = code;
  U32 user_ref{};
  Alpha<4> firm{};
  U16 options_size{};
};

struct EnableOrderEntry {
  static constexpr char code = 'E';
  static constexpr Options options = Options::always;
  char type = code;
  U32 user_ref{};
  Alpha<4> firm{};
  U16 options_size{};
};

// --- outbound

struct SystemEvent {
  static constexpr char code = 'S';
  static constexpr Options options = Options::never;
  char type = code;
  U64 timestamp{};
  SystemCode event{};
};

struct Accepted {
  static constexpr char code = 'A';
  static constexpr Options options = Options::always;
  char type = code;
  U64 timestamp{};
  U32 user_ref{};
  Side side{};
  U32 quantity{};
  Alpha<8> symbol{};
  U64 price{};
  TimeInForce time_in_force{};
  Display display{};
  U64 order{};
  Capacity capacity{};
  YesNo intermarket_sweep = YesNo::no;
  Cross cross = Cross::continuous;
  OrderState state = OrderState::live;  // dead: no more messages about it
  Alpha<14> client_order_id{};
  U16 options_size{};
};

struct Replaced {
  static constexpr char code = 'U';
  static constexpr Options options = Options::always;
  char type = code;
  U64 timestamp{};
  U32 original_user_ref{};
  U32 user_ref{};
  Side side{};
  U32 quantity{};  // open
  Alpha<8> symbol{};
  U64 price{};
  TimeInForce time_in_force{};
  Display display{};
  U64 order{};
  Capacity capacity{};
  YesNo intermarket_sweep = YesNo::no;
  Cross cross = Cross::continuous;
  OrderState state = OrderState::live;
  Alpha<14> client_order_id{};
  U16 options_size{};
};

struct Canceled {
  static constexpr char code = 'C';
  static constexpr Options options = Options::since_2024;
  char type = code;
  U64 timestamp{};
  U32 user_ref{};
  U32 decrement{};
  CancelReason reason{};
};

/// Instead of a trade with oneself.
struct AiqCanceled {
  static constexpr char code = 'D';
  static constexpr Options options = Options::since_2024;
  char type = code;
  U64 timestamp{};
  U32 user_ref{};
  U32 decrement{};
  CancelReason reason = CancelReason::self_match_prevention;
  U32 prevented{};
  U64 execution_price{};
  Liquidity liquidity{};
  char strategy{};
};

struct Executed {
  static constexpr char code = 'E';
  static constexpr Options options = Options::always;
  char type = code;
  U64 timestamp{};
  U32 user_ref{};
  U32 quantity{};
  U64 price{};
  Liquidity liquidity{};
  U64 match{};
  U16 options_size{};
};

struct BrokenTrade {
  static constexpr char code = 'B';
  static constexpr Options options = Options::since_2024;
  char type = code;
  U64 timestamp{};
  U32 user_ref{};
  U64 match{};
  BrokenReason reason{};
  Alpha<14> client_order_id{};
};

struct Rejected {
  static constexpr char code = 'J';
  static constexpr Options options = Options::since_2024;
  char type = code;
  U64 timestamp{};
  U32 user_ref{};
  U16 reason{};
  Alpha<14> client_order_id{};
  RejectReason why() const { return static_cast<RejectReason>(reason.value()); }
};

struct CancelPending {
  static constexpr char code = 'P';
  static constexpr Options options = Options::since_2024;
  char type = code;
  U64 timestamp{};
  U32 user_ref{};
};

struct CancelRejected {
  static constexpr char code = 'I';
  static constexpr Options options = Options::since_2024;
  char type = code;
  U64 timestamp{};
  U32 user_ref{};
};

struct PriorityUpdate {
  static constexpr char code = 'T';
  static constexpr Options options = Options::since_2024;
  char type = code;
  U64 timestamp{};
  U32 user_ref{};
  U64 price{};
  Display display{};
  U64 order{};
};

struct Modified {
  static constexpr char code = 'M';
  static constexpr Options options = Options::since_2024;
  char type = code;
  U64 timestamp{};
  U32 user_ref{};
  Side side{};
  U32 quantity{};  // outstanding
};

struct Restated {
  static constexpr char code = 'R';
  static constexpr Options options = Options::always;
  char type = code;
  U64 timestamp{};
  U32 user_ref{};
  RestatedReason reason{};
  U16 options_size{};
};

struct AccountAnswer {
  static constexpr char code = 'Q';
  static constexpr Options options = Options::since_2024;
  char type = code;
  U64 timestamp{};
  U32 next_user_ref{};
};

struct MassCancelAnswer {
  static constexpr char code = 'X';
  static constexpr Options options = Options::always;
  char type = code;
  U64 timestamp{};
  U32 user_ref{};
  Alpha<4> firm{};
  Alpha<8> symbol{};
  U16 options_size{};
};

struct DisableAnswer {
  static constexpr char code = 'G';
  static constexpr Options options = Options::always;
  char type = code;
  U64 timestamp{};
  U32 user_ref{};
  Alpha<4> firm{};
  U16 options_size{};
};

struct EnableAnswer {
  static constexpr char code = 'K';
  static constexpr Options options = Options::always;
  char type = code;
  U64 timestamp{};
  U32 user_ref{};
  Alpha<4> firm{};
  U16 options_size{};
};

static_assert(sizeof(EnterOrder) == 47 && sizeof(ReplaceOrder) == 40 && sizeof(CancelOrder) == 9);
static_assert(sizeof(ModifyOrder) == 10 && sizeof(AccountQuery) == 1 && sizeof(MassCancel) == 19);
static_assert(sizeof(DisableOrderEntry) == 11 && sizeof(EnableOrderEntry) == 11);
static_assert(sizeof(SystemEvent) == 10 && sizeof(Accepted) == 64 && sizeof(Replaced) == 68);
static_assert(sizeof(Canceled) == 18 && sizeof(AiqCanceled) == 32 && sizeof(Executed) == 36);
static_assert(sizeof(BrokenTrade) == 36 && sizeof(Rejected) == 29 && sizeof(CancelPending) == 13);
static_assert(sizeof(CancelRejected) == 13 && sizeof(PriorityUpdate) == 30 && sizeof(Modified) == 18);
static_assert(sizeof(Restated) == 16 && sizeof(AccountAnswer) == 13 && sizeof(MassCancelAnswer) == 27);
static_assert(sizeof(DisableAnswer) == 19 && sizeof(EnableAnswer) == 19);

using Inbound = MessageSet<EnterOrder, ReplaceOrder, CancelOrder, ModifyOrder, AccountQuery, MassCancel,
                           DisableOrderEntry, EnableOrderEntry>;
using Outbound = MessageSet<SystemEvent, Accepted, Replaced, Canceled, AiqCanceled, Executed, BrokenTrade, Rejected,
                            CancelPending, CancelRejected, PriorityUpdate, Modified, Restated, AccountAnswer,
                            MassCancelAnswer, DisableAnswer, EnableAnswer>;
static_assert(Inbound::count == 8 && Outbound::count == 17);

/// No message with options is larger.
inline constexpr std::size_t largest_message = sizeof(Replaced) + OptionList::capacity;

enum class Fault : std::uint8_t { none, empty, unknown_type, wrong_size, wrong_options };

template <class Set>
struct Decoded {
  Fault fault = Fault::empty;
  typename Set::View message{};
  Appendage appendage{};
  explicit operator bool() const { return fault == Fault::none; }
};

/// Take exactly one message. Look at no byte outside `bytes`, whatever they hold.
Decoded<Inbound> decode_inbound(std::span<const std::byte> bytes) noexcept;
Decoded<Outbound> decode_outbound(std::span<const std::byte> bytes) noexcept;

/// Writes a message with its options and returns the size. Requires: room for it, and that it may have options if some
/// are given.
template <class Message>
std::size_t encode(Message message, std::span<std::byte> out, const OptionList& options = {}) {
  const std::span<const std::byte> elements = options.bytes();
  const U16 size = static_cast<std::uint16_t>(elements.size());
  std::size_t at = sizeof(Message);
  if constexpr (Message::options == Options::always) message.options_size = size;
  assert((Message::options != Options::never || elements.empty()) && "a message that has no options");
  const bool length_behind = Message::options == Options::since_2024 && !elements.empty();
  assert(out.size() >= at + (length_behind ? sizeof size : 0) + elements.size() && "no room for the message");
  std::memcpy(out.data(), &message, sizeof message);
  if (length_behind) {
    std::memcpy(out.data() + at, &size, sizeof size);
    at += sizeof size;
  }
  if (!elements.empty()) std::memcpy(out.data() + at, elements.data(), elements.size());
  return at + elements.size();
}

}  // namespace outcry::ouch50
