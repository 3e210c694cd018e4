// Reference: what a book should look like after certain records, for comparing a replay with.
//
// Kinds, recognised by content:
//   bbo_states   header n_last,ask,ask_q,bid,bid_q: the best bid and offer after event n_last
//   top_states   header n,a0,aq0,b0,bq0,a1,...: the best levels after event n
//   bbo_changes  no header, bid,size,ask,size, None for an empty side, and the first row is the empty book: one row for
//                each change of the best bid and offer, looked at after every event: the k-th change is compared with
//                row k
//   orderbook    LOBSTER's order book: no header, ask,size,bid,size for each level: one row for each row of the message
//   file
//   mbp          Databento's market by price, with an order_id: price, size and order count of the best levels after
//                the row's event; columns are found by their names
//
// n counts, from 0, the events of the symbol that touch its book or print a trade: all but halts and resumes. So an
// ITCH file and an event CSV of the same flow number their events alike, whatever else the ITCH file says in between.
// (A record that a lenient reader passed over has no number: behind it all are compared one row late.)
// An order book's row is the event's record.
// A row of market by price belongs to the next event that has its time, action, order id, price and size (an event does
// not hold the sequence number; two that are alike in all five lie within one nanosecond). A cancellation or a trade
// may come as several events, and is compared after the last of them. A trade's row names no order and has the side of
// the one that rested, N if that was hidden; it shows the book without what traded. A row whose time has passed is
// missing. Not every event has a row, and a row need not differ from the one before.
// All rows are about one symbol: hand over that symbol's events only.
//
// Thread: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <outcry/messages/history.hpp>
#include <outcry/messages/market_data.hpp>
#include <outcry/net/input_error.hpp>
#include <outcry/net/mapped_file.hpp>

namespace outcry {

class Reference {
 public:
  enum class Kind : std::uint8_t { bbo_states, top_states, bbo_changes, orderbook, mbp };
  enum class Verdict : std::uint8_t { nothing, equal, different };

  struct Difference {
    std::uint64_t line = 0;  // of the reference; 0: it has no such row
    std::string expected;
    std::string found;
  };

  /// Throws InputError if the file cannot be read or is no reference. Of rows with more levels, only the best
  /// `most_levels` are compared: a recording that begins in the middle of the day does not know all that lies deeper.
  explicit Reference(const std::string& path, std::size_t most_levels = ~std::size_t{0});

  Kind kind() const { return kind_; }
  std::string_view kind_name() const;
  /// How many levels of each side a comparison looks at.
  std::size_t levels() const { return levels_; }

  /// To be called for every event of the symbol, after it was applied. True: compare() the depth now.
  bool due(const HistoryEvent& event);
  /// Requires: due() was true for the last event. Best level first, at least levels() of them unless the book has
  /// fewer.
  Verdict compare(std::span<const DepthLevel> bids, std::span<const DepthLevel> asks);
  /// To be called after the last event: rows that were never reached are differences.
  void finish();

  std::uint64_t rows_compared() const { return compared_; }
  std::uint64_t rows_equal() const { return equal_; }
  std::uint64_t rows_missing() const { return missing_; }  // after finish(): rows of the file that no event reached
  std::uint64_t rows_extra() const { return extra_; }      // changes beyond the last row
  /// Something was compared, and nothing differed, was missing or extra, or could not be read.
  bool all_equal() const { return compared_ > 0 && equal_ == compared_ && missing_ == 0 && extra_ == 0 && !error_; }
  const Difference& first_difference() const { return first_difference_; }
  const Difference& last_difference() const { return last_difference_; }
  /// A row that cannot be read ends the comparison there.
  const InputError* error() const { return error_ ? &*error_ : nullptr; }

 private:
  struct Level {
    std::int64_t price = 0;
    Volume volume = 0;         // 0: no such level
    std::uint32_t orders = 0;  // 0: not compared
    friend bool operator==(const Level&, const Level&) = default;
  };
  struct State {
    std::vector<Level> bids, asks;
    friend bool operator==(const State&, const State&) = default;
  };

  void begin_mbp(std::string_view header);
  bool load_row();
  bool parse_row(std::string_view text);
  bool parse_mbp_row();
  bool is_done_by(const HistoryEvent& event);
  void miss();
  bool broken(std::string found, std::string expected);
  void take(std::span<const DepthLevel> side, std::vector<Level>& into) const;
  Verdict judge();
  std::string text_of(const State& state, std::size_t level) const;
  void differ(std::string expected, std::string found, std::uint64_t line);

  MappedFile file_;
  std::string path_;
  Kind kind_{};
  std::size_t levels_ = 1;
  std::size_t columns_ = 0;
  std::uint64_t at_ = 0;      // offset of the next line
  std::uint64_t line_ = 0;    // of the row held
  bool has_row_ = false;      // row_ is the next to compare with
  std::uint64_t row_n_ = 0;   // the event that it belongs to
  std::uint64_t next_n_ = 0;  // of the next event
  State row_, book_, before_;
  std::vector<std::string_view> cells_;

  // Market by price: where its columns are, and what the row held is about.
  struct MbpColumns {
    struct Level {
      std::size_t price, size, orders;
    };
    std::size_t ts_event, action, side, price, size, order_id;
    std::vector<Level> bids, asks;
  };
  struct MbpRow {
    std::int64_t time_ns = 0;
    char action = '\0';
    char side = '\0';
    OrderId id{};
    Price price{};
    Quantity quantity{};  // what of it no event has done yet
  };
  MbpColumns mbp_columns_{};
  MbpRow mbp_{};
  std::int64_t day_ = 0;  // of the first row

  std::uint64_t compared_ = 0, equal_ = 0, missing_ = 0, extra_ = 0;
  bool has_difference_ = false;
  Difference first_difference_, last_difference_;
  std::optional<InputError> error_;
};

}  // namespace outcry
