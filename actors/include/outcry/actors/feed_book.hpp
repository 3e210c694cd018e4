// FeedBook: one symbol's displayed orders, order by order, as the messages of an ITCH feed tell them.
//
// Thread: one owner. Allocates only where the book, or the pool that it shares with others, grows.
// Limits: what makes no sense (an order nobody added, more executed than is open) is counted and changes nothing.
//   A crossed book is taken as it comes.
#pragma once

#include <cstdint>
#include <string_view>

#include <outcry/book/order_book.hpp>
#include <outcry/messages/market_data.hpp>
#include <outcry/net/itch.hpp>

namespace outcry {

/// Trading actions tell a closed market by this reason: ITCH has no state for it.
inline constexpr std::string_view closed_reason = "CLOS";

/// What a message did, besides to the orders.
struct FeedChange {
  bool orders = false;  // some changed
  bool phase = false;
  bool traded = false;
  TradePrint trade{};  // if it traded; arrival_ns is the caller's
};

class FeedBook {
 public:
  FeedBook(const Instrument& instrument, OrderPool& pool, const BookSize& size = {}) : book_(instrument, pool, size) {}

  /// Messages about this symbol. Those that are neither about orders, nor trades, nor the phase do nothing.
  FeedChange apply(const itch::MessageView& message) noexcept;

  FeedChange apply(const itch::AddOrder& add) noexcept { return added(add.order, add.side, add.shares, add.price); }
  FeedChange apply(const itch::AddOrderAttributed& add) noexcept {
    return added(add.order, add.side, add.shares, add.price);
  }
  FeedChange apply(const itch::OrderExecuted& execution) noexcept;
  FeedChange apply(const itch::OrderExecutedAt& execution) noexcept;
  FeedChange apply(const itch::OrderCancel& cancel) noexcept;
  FeedChange apply(const itch::OrderDelete& remove) noexcept;
  FeedChange apply(const itch::OrderReplace& replace) noexcept;
  FeedChange apply(const itch::Trade& trade) noexcept;
  FeedChange apply(const itch::CrossTrade& trade) noexcept;
  FeedChange apply(const itch::TradingAction& action) noexcept;
  /// The book has gone on since.
  FeedChange apply(const itch::BrokenTrade&) noexcept { return {}; }

  /// As it was made: no orders, and trading continuously.
  void clear() noexcept;

  const OrderBook<>& book() const { return book_; }
  Phase phase() const { return phase_; }
  /// Messages that made no sense.
  std::uint64_t refused() const { return refused_; }

 private:
  struct Heard;

  FeedChange added(OrderId id, char side, Quantity quantity, Price price) noexcept;
  FeedChange added(std::uint64_t id, char side, std::uint32_t quantity, std::uint32_t price) noexcept {
    return added(OrderId{id}, side, Quantity{quantity}, Price{price});
  }
  FeedChange printed(Price price, Quantity quantity, Side aggressor, bool hidden) noexcept;

  OrderBook<> book_;
  Phase phase_ = Phase::continuous;
  std::uint32_t trades_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace outcry
