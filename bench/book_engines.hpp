// The engines that carry out OBW1: our books, and the limit, behind the same few words.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include <outcry/book/batch.hpp>
#include <outcry/book/order_book.hpp>

#include "book_limit.hpp"
#include "huge_memory.hpp"
#include "obw1.hpp"
#include "obw1_commands.hpp"
#include "report.hpp"

namespace bench {

/// Reads what the book says, as whoever sends it on would: all of a trade, and the terms of everything else.
struct Reader {
  obw1::Fills fills;
  std::uint64_t sum = 0;
  std::uint64_t rejected = 0;

  void on(const outcry::Accepted& e) {
    sum += e.id.value ^ e.quantity.lots ^ static_cast<std::uint64_t>(e.price.units) ^ e.account.value;
  }
  void on(const outcry::Rejected&) { ++rejected; }
  void on(const outcry::Traded& e) {
    fills.add(e.taker.value, e.maker.value, static_cast<std::uint64_t>(e.price.units), e.quantity.lots);
    sum += e.maker_open.lots ^ e.maker_account.value ^ e.taker_account.value;
  }
  void on(const outcry::Cancelled& e) {
    sum += e.id.value ^ e.quantity.lots ^ static_cast<std::uint64_t>(e.price.units) ^ e.account.value;
  }
  void on(const outcry::Reduced& e) {
    sum += e.id.value ^ e.open.lots ^ static_cast<std::uint64_t>(e.price.units) ^ e.account.value;
  }
  void on(const outcry::Modified& e) {
    sum += e.id.value ^ e.quantity.lots ^ static_cast<std::uint64_t>(e.price.units);
  }
  void on(const outcry::Replaced& e) {
    sum += e.new_id.value ^ e.quantity.lots ^ static_cast<std::uint64_t>(e.price.units) ^ e.account.value;
  }
};

/// Books of as many symbols as a stream has, over one pool; dense ids are shared, hashed ids are each book's own.
template <class Ids>
class Shard {
 public:
  using Book = outcry::OrderBook<Ids>;
  static constexpr bool shares_ids = std::is_same_v<Ids, outcry::DenseIds>;

  /// `instrument_of(i)` gives the instrument of the book i.
  template <class InstrumentOf>
  Shard(std::uint64_t symbols, std::uint64_t ids, std::uint64_t live, InstrumentOf&& instrument_of)
      : pool_({.orders = 1u << 14, .limit = static_cast<std::uint32_t>(live * 2 + 1024)}, &memory_),
        ids_(shares_ids ? ids : 1, &memory_),
        count_(symbols) {
    books_ = memory_.array<Book>(count_);
    for (std::uint32_t i = 0; i < count_; ++i) {
      if constexpr (shares_ids)
        new (books_ + i) Book(instrument_of(i), pool_, ids_, {}, &memory_);
      else
        new (books_ + i) Book(instrument_of(i), pool_, {}, &memory_);
    }
  }
  ~Shard() { std::destroy_n(books_, count_); }
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  Book& operator[](std::uint32_t symbol) { return books_[symbol]; }
  const Book& operator[](std::uint32_t symbol) const { return books_[symbol]; }
  std::span<const Book> books() const { return {books_, count_}; }

  std::uint64_t live() const {
    std::uint64_t sum = 0;
    for (const Book& book : books()) sum += book.order_count();
    return sum;
  }
  std::uint64_t levels() const {
    std::uint64_t sum = 0;
    for (const Book& book : books()) sum += book.level_count(outcry::Side::buy) + book.level_count(outcry::Side::sell);
    return sum;
  }

 private:
  HugeMemory memory_;
  outcry::OrderPool pool_;
  Ids ids_;
  Book* books_;
  std::uint64_t count_;
};

/// Our books behind the records.
template <class Ids>
class Books {
 public:
  explicit Books(const obw1::Stream& stream)
      : books_(stream.header.symbols, stream.header.ids, stream.header.prefill,
               [](std::uint32_t i) { return outcry::Instrument{.symbol = {i}}; }) {}

  [[gnu::always_inline]] void carry_out(const obw1::Record& record) {
    outcry::OrderBook<Ids>& book = books_[record.symbol];
    obw1::with_command(record, [&](const auto& command) { give(book, command); });
  }
  const outcry::OrderBook<Ids>& book_of(const obw1::Record& r) const { return books_[r.symbol]; }
  static outcry::Hint hint_of(const obw1::Record& r) {
    return {.id = {r.id},
            .new_id = {r.new_id},
            .price = {r.price},
            .side = static_cast<outcry::Side>(r.side),
            .is_new = r.kind == obw1::Kind::add || r.kind == obw1::Kind::immediate};
  }

  const obw1::Fills& fills() const { return reader_.fills; }
  void verify(const obw1::Stream& stream) const {
    if (books_.live() != stream.live_at_end || books_.levels() != stream.levels_at_end)
      Report::wrong("live orders or levels at the end");
    if (reader_.rejected != 0) Report::wrong("messages were refused");
  }

 private:
  void give(outcry::OrderBook<Ids>& book, const outcry::NewOrder& c) { book.submit(c, reader_); }
  void give(outcry::OrderBook<Ids>& book, const outcry::CancelOrder& c) { book.cancel(c, reader_); }
  void give(outcry::OrderBook<Ids>& book, const outcry::ReduceOrder& c) { book.reduce(c, reader_); }
  void give(outcry::OrderBook<Ids>& book, const outcry::ReplaceOrder& c) { book.replace(c, reader_); }

  Shard<Ids> books_;
  Reader reader_;
};

/// The limit behind the records.
template <class Ids, class Traits = LimitTraits>
class Limit {
 public:
  explicit Limit(const obw1::Stream& stream)
      : book_(memory_, stream.header.symbols, stream.header.ids, stream.header.prefill) {}

  [[gnu::always_inline]] void carry_out(const obw1::Record& record) { book_.carry_out(record); }
  const LimitBook<Ids, Traits>& book_of(const obw1::Record&) const { return book_; }
  static const obw1::Record& hint_of(const obw1::Record& record) { return record; }
  const obw1::Fills& fills() const { return book_.fills(); }
  void verify(const obw1::Stream&) const {}

 private:
  HugeMemory memory_;
  LimitBook<Ids, Traits> book_;
};

/// Carries out a chunk as one batch; both engines by the same loop.
template <bool prefetching, class Engine>
[[gnu::noinline, gnu::flatten]] void carry_out(Engine& engine, std::span<const obw1::Record> chunk_of_records) {
  if constexpr (prefetching)
    outcry::carry_out_batch(
        chunk_of_records, [&](const obw1::Record& r) -> decltype(auto) { return engine.book_of(r); },
        [&](const obw1::Record& r) -> decltype(auto) { return engine.hint_of(r); },
        [&](const obw1::Record& r) { engine.carry_out(r); });
  else
    for (const obw1::Record& record : chunk_of_records) engine.carry_out(record);
}

}  // namespace bench
