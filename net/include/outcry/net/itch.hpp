// ITCH: the 23 messages of NASDAQ TotalView-ITCH 5.0 as they are on the wire, for reading in place and for writing.
//
// A message is a struct of bytes: no alignment, no padding, sizeof is the size on the wire. decode() checks the size
// once; after that every field is inside. To write a message, fill in its struct and encode() it. Both take constant
// time. Units: prices of four bytes are in 1/10,000, of eight bytes in 1/100,000,000; times are nanoseconds since
// midnight. Not checked here: the meaning of fields (a side that is neither B nor S is the reader's business).
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <tuple>
#include <type_traits>

#include <outcry/net/alpha.hpp>
#include <outcry/net/big_endian.hpp>

namespace outcry::itch {

using U16 = BigEndian<2>;
using U32 = BigEndian<4>;
using U48 = BigEndian<6>;
using U64 = BigEndian<8>;

/// In front of every message. Stock locate 0: about no stock in particular.
template <char Type>
struct Header {
  char type = Type;
  U16 stock_locate{};
  U16 tracking_number{};
  U48 timestamp{};
};
static_assert(sizeof(Header<'S'>) == 11);

struct SystemEvent {
  static constexpr char code = 'S';
  Header<code> header{};
  char event{};  // O S Q: messages, system hours, market hours begin; M E C: market hours, system hours, messages end
};

struct StockDirectory {
  static constexpr char code = 'R';
  Header<code> header{};
  Alpha<8> stock{};
  char market_category{};
  char financial_status{};
  U32 round_lot_size{};
  char round_lots_only{};
  char issue_classification{};
  Alpha<2> issue_subtype{};
  char authenticity{};  // P live, T test
  char short_sale_threshold{};
  char ipo_flag{};
  char luld_tier{};
  char etp_flag{};
  U32 etp_leverage{};
  char inverse{};
};

struct TradingAction {
  static constexpr char code = 'H';
  Header<code> header{};
  Alpha<8> stock{};
  char state{};  // H halted, P paused, Q quotation only, T trading
  char reserved = ' ';
  Alpha<4> reason{};
};

struct RegSho {
  static constexpr char code = 'Y';
  Header<code> header{};
  Alpha<8> stock{};
  char action{};  // 0 1 2
};

struct ParticipantPosition {
  static constexpr char code = 'L';
  Header<code> header{};
  Alpha<4> mpid{};
  Alpha<8> stock{};
  char primary_market_maker{};
  char mode{};   // N P S R L
  char state{};  // A E W S D
};

struct BreakerLevels {
  static constexpr char code = 'V';
  Header<code> header{};
  U64 level1{};  // 1/100,000,000
  U64 level2{};
  U64 level3{};
};

struct BreakerStatus {
  static constexpr char code = 'W';
  Header<code> header{};
  char breached_level{};  // 1 2 3
};

struct IpoQuoting {
  static constexpr char code = 'K';
  Header<code> header{};
  Alpha<8> stock{};
  U32 release_time_s{};
  char release_qualifier{};  // A anticipated, C cancelled
  U32 price{};
};

struct AuctionCollar {
  static constexpr char code = 'J';
  Header<code> header{};
  Alpha<8> stock{};
  U32 reference_price{};
  U32 upper_price{};
  U32 lower_price{};
  U32 extension{};
};

struct OperationalHalt {
  static constexpr char code = 'h';
  Header<code> header{};
  Alpha<8> stock{};
  char market{};  // Q B X
  char action{};  // H halted, T lifted
};

struct AddOrder {
  static constexpr char code = 'A';
  Header<code> header{};
  U64 order{};
  char side{};  // B S
  U32 shares{};
  Alpha<8> stock{};
  U32 price{};
};

struct AddOrderAttributed {
  static constexpr char code = 'F';
  Header<code> header{};
  U64 order{};
  char side{};
  U32 shares{};
  Alpha<8> stock{};
  U32 price{};
  Alpha<4> attribution{};
};

/// At the order's own price.
struct OrderExecuted {
  static constexpr char code = 'E';
  Header<code> header{};
  U64 order{};
  U32 shares{};
  U64 match{};
};

struct OrderExecutedAt {
  static constexpr char code = 'C';
  Header<code> header{};
  U64 order{};
  U32 shares{};
  U64 match{};
  char printable{};  // Y; N: left out of volume
  U32 price{};
};

/// By `shares`; the rest stays in its place.
struct OrderCancel {
  static constexpr char code = 'X';
  Header<code> header{};
  U64 order{};
  U32 shares{};
};

struct OrderDelete {
  static constexpr char code = 'D';
  Header<code> header{};
  U64 order{};
};

/// Side, stock and attribution are those of the old order.
struct OrderReplace {
  static constexpr char code = 'U';
  Header<code> header{};
  U64 order{};
  U64 new_order{};
  U32 shares{};
  U32 price{};
};

/// Against an order that was not displayed.
struct Trade {
  static constexpr char code = 'P';
  Header<code> header{};
  U64 order{};  // 0
  char side{};  // B, in today's feeds always
  U32 shares{};
  Alpha<8> stock{};
  U32 price{};
  U64 match{};
};

struct CrossTrade {
  static constexpr char code = 'Q';
  Header<code> header{};
  U64 shares{};
  Alpha<8> stock{};
  U32 price{};
  U64 match{};
  char cross{};  // O opening, C closing, H halt or IPO
};

struct BrokenTrade {
  static constexpr char code = 'B';
  Header<code> header{};
  U64 match{};
};

struct Imbalance {
  static constexpr char code = 'I';
  Header<code> header{};
  U64 paired_shares{};
  U64 imbalance_shares{};
  char direction{};  // B S N O P
  Alpha<8> stock{};
  U32 far_price{};
  U32 near_price{};
  U32 reference_price{};
  char cross{};  // O C H A
  char price_variation{};
};

struct RetailInterest {
  static constexpr char code = 'N';
  Header<code> header{};
  Alpha<8> stock{};
  char interest{};  // B S A N
};

struct DirectListing {
  static constexpr char code = 'O';
  Header<code> header{};
  Alpha<8> stock{};
  char open_eligible{};
  U32 lowest_price{};
  U32 highest_price{};
  U32 near_price{};
  U64 near_time{};
  U32 lower_collar{};
  U32 upper_collar{};
};

using Messages = std::tuple<SystemEvent, StockDirectory, TradingAction, RegSho, ParticipantPosition, BreakerLevels,
                            BreakerStatus, IpoQuoting, AuctionCollar, OperationalHalt, AddOrder, AddOrderAttributed,
                            OrderExecuted, OrderExecutedAt, OrderCancel, OrderDelete, OrderReplace, Trade, CrossTrade,
                            BrokenTrade, Imbalance, RetailInterest, DirectListing>;
static_assert(std::tuple_size_v<Messages> == 23);

static_assert(sizeof(SystemEvent) == 12 && sizeof(StockDirectory) == 39 && sizeof(TradingAction) == 25);
static_assert(sizeof(RegSho) == 20 && sizeof(ParticipantPosition) == 26 && sizeof(BreakerLevels) == 35);
static_assert(sizeof(BreakerStatus) == 12 && sizeof(IpoQuoting) == 28 && sizeof(AuctionCollar) == 35);
static_assert(sizeof(OperationalHalt) == 21 && sizeof(AddOrder) == 36 && sizeof(AddOrderAttributed) == 40);
static_assert(sizeof(OrderExecuted) == 31 && sizeof(OrderExecutedAt) == 36 && sizeof(OrderCancel) == 23);
static_assert(sizeof(OrderDelete) == 19 && sizeof(OrderReplace) == 35 && sizeof(Trade) == 44);
static_assert(sizeof(CrossTrade) == 40 && sizeof(BrokenTrade) == 19 && sizeof(Imbalance) == 50);
static_assert(sizeof(RetailInterest) == 20 && sizeof(DirectListing) == 48);

inline constexpr std::size_t largest_message = 50;

/// The size of a message of this type; 0 for a type that ITCH 5.0 does not know.
constexpr std::size_t size_of(char type);

/// A message whose size was checked. Valid as long as the bytes that it was decoded from.
class MessageView {
 public:
  MessageView() = default;

  /// 0 if there is no message.
  char type() const { return at_ ? static_cast<char>(*at_) : '\0'; }
  std::span<const std::byte> bytes() const { return {at_, at_ ? size_of(type()) : 0}; }
  std::uint16_t stock_locate() const { return as_header().stock_locate; }
  std::uint64_t timestamp() const { return as_header().timestamp; }

  /// Requires: type() == Message::code.
  template <class Message>
  const Message& as() const {
    assert(type() == Message::code && "a message read as another");
    return *reinterpret_cast<const Message*>(at_);
  }

  /// Calls visitor(const M&) with the message as what it is; not at all if there is none.
  template <class Visitor>
  void visit(Visitor&& visitor) const {
    [&]<class... Message>(std::type_identity<std::tuple<Message...>>) {
      (void)((type() == Message::code && (visitor(as<Message>()), true)) || ...);
    }(std::type_identity<Messages>{});
  }

 private:
  friend struct Decoded decode(std::span<const std::byte> bytes) noexcept;
  explicit MessageView(const std::byte* at) : at_(at) {}
  const Header<'\0'>& as_header() const {
    assert(at_ && "no message");
    return *reinterpret_cast<const Header<'\0'>*>(at_);
  }

  const std::byte* at_ = nullptr;
};

enum class Fault : std::uint8_t { none, empty, unknown_type, wrong_size };

struct Decoded {
  Fault fault = Fault::empty;
  MessageView message{};
  explicit operator bool() const { return fault == Fault::none; }
};

/// Takes exactly one message. Looks at no byte outside `bytes`, whatever they hold.
Decoded decode(std::span<const std::byte> bytes) noexcept;

/// The bytes of a message, to be sent as they are: the message must outlive them.
template <class Message>
std::span<const std::byte, sizeof(Message)> encode(const Message& message) {
  return std::span<const std::byte, sizeof(Message)>(reinterpret_cast<const std::byte*>(&message), sizeof(Message));
}

/// Writes a BinaryFILE frame (length, message) and returns its size. Requires: room for sizeof(Message) + 2 bytes.
template <class Message>
std::size_t encode_frame(const Message& message, std::span<std::byte> out) {
  assert(out.size() >= sizeof(Message) + 2 && "no room for the frame");
  const U16 length = sizeof(Message);
  std::memcpy(out.data(), &length, 2);
  std::memcpy(out.data() + 2, &message, sizeof(Message));
  return sizeof(Message) + 2;
}

namespace detail {
inline constexpr auto sizes = []<class... Message>(std::type_identity<std::tuple<Message...>>) {
  std::array<std::uint8_t, 256> by_type{};
  ((by_type[static_cast<std::uint8_t>(Message::code)] = sizeof(Message)), ...);
  return by_type;
}(std::type_identity<Messages>{});
}  // namespace detail

constexpr std::size_t size_of(char type) { return detail::sizes[static_cast<std::uint8_t>(type)]; }

inline Decoded decode(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return {};
  const std::size_t size = size_of(static_cast<char>(bytes[0]));
  if (size == 0) return {Fault::unknown_type, {}};
  if (size != bytes.size()) return {Fault::wrong_size, {}};
  return {Fault::none, MessageView(bytes.data())};
}

}  // namespace outcry::itch
