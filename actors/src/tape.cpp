#include <outcry/actors/tape.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <numeric>
#include <queue>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

namespace outcry {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(int number, const fs::path& path, const char* what) {
  throw std::system_error(number, std::generic_category(), path.string() + ": " + what);
}

int anonymous_file(const fs::path& folder) {
  const int file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0) return file;
  // Not every file system has files without a name.
  std::string name = (folder / ".spool-XXXXXX").string();
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named < 0) fail(errno, folder, "no temporary file can be made here");
  ::unlink(name.c_str());
  return named;
}

/// Zero, or the errno.
int write_all(int file, const void* data, std::size_t size) noexcept {
  const char* next = static_cast<const char*>(data);
  while (size != 0) {
    const ssize_t written = ::write(file, next, size);
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    next += written;
    size -= static_cast<std::size_t>(written);
  }
  return 0;
}

SymbolId symbol_of(const Tape::OrderRow& row) { return row.symbol; }
SymbolId symbol_of(const Tape::TradeRow& row) { return row.symbol; }
SymbolId symbol_of(const Tape::QuoteRow& row) { return row.quote.symbol; }
SymbolId symbol_of(const Tape::PhaseRow& row) { return row.symbol; }

/// A file of lines, written in large pieces.
class Lines {
 public:
  Lines(const fs::path& folder, std::string_view name, std::string_view head) : path_(folder / name) {
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file_ < 0) fail(errno, path_, "cannot be written");
    text_.reserve(capacity);
    text_ += head;
    text_ += '\n';
  }
  /// A file that did not get to its end looks like one that did: it goes.
  ~Lines() {
    if (file_ < 0) return;
    ::close(file_);
    ::unlink(path_.c_str());
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  Lines& field(std::string_view text) {
    text_ += text;
    text_ += ',';
    return *this;
  }
  Lines& field(std::uint64_t number) {
    char digits[20];
    return field(std::string_view(
        digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, number).ptr - digits)));
  }
  Lines& signed_field(std::int64_t number) {
    if (number < 0) text_ += '-';
    return field(number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number));
  }
  Lines& nothing() { return field(std::string_view{}); }

  /// Seconds with nine digits.
  Lines& time(std::int64_t ns) { return decimal(ns, 1'000'000'000); }
  Lines& price(Price price, const Instrument& instrument) { return decimal(price.units, instrument.price_scale); }

  void end() {
    text_.back() = '\n';
    if (text_.size() > capacity - 1024) flush();
  }
  void close() {
    flush();
    if (::close(std::exchange(file_, -1)) != 0) fail(errno, path_, "cannot be written");
  }

 private:
  static constexpr std::size_t capacity = 1 << 20;

  /// The zeros of a power of ten; nine of any other scale.
  static int digits_behind(std::uint64_t scale) {
    int zeros = 0;
    for (; scale % 10 == 0; scale /= 10) ++zeros;
    return scale == 1 ? zeros : 9;
  }
  Lines& decimal(std::int64_t units, std::int64_t scale) {
    if (units < 0) text_ += '-';
    const std::uint64_t all = units < 0 ? 0 - static_cast<std::uint64_t>(units) : static_cast<std::uint64_t>(units);
    const auto by = static_cast<std::uint64_t>(std::max<std::int64_t>(scale, 1));
    char digits[20];
    text_.append(digits, std::to_chars(digits, digits + sizeof digits, all / by).ptr);
    std::uint64_t rest = all % by;
    if (by != 1) text_ += '.';
    for (int left = digits_behind(by); left > 0; --left) {
      rest *= 10;
      text_ += static_cast<char>('0' + rest / by);
      rest %= by;
    }
    text_ += ',';
    return *this;
  }
  void flush() {
    if (const int number = write_all(file_, text_.data(), text_.size()); number != 0)
      fail(number, path_, "cannot be written");
    text_.clear();
  }

  fs::path path_;
  int file_ = -1;
  std::string text_;
};

constexpr const char* name_of(Tape::OrderKind kind) {
  constexpr const char* names[] = {"accepted", "rejected",  "cancelled", "reduced",  "modified", "replaced",
                                   "terms",    "refreshed", "triggered", "repriced", "parked"};
  return names[static_cast<std::size_t>(kind)];
}

const char* name_of(SpecialType type) {
  switch (type) {
    case SpecialType::limit: return "limit";
    case SpecialType::market: return "market";
    case SpecialType::market_to_limit: return "market_to_limit";
    case SpecialType::stop: return "stop";
    case SpecialType::stop_limit: return "stop_limit";
    case SpecialType::trailing_stop: return "trailing_stop";
    case SpecialType::primary_peg: return "primary_peg";
    case SpecialType::midpoint_peg: return "midpoint_peg";
    case SpecialType::market_peg: return "market_peg";
  }
  return "?";
}

/// "limit", "limit+hidden+post_only", "stop".
std::string text_of(SpecialType type, Terms terms) {
  std::string text = name_of(type);
  if (has(terms, Terms::hidden)) text += "+hidden";
  if (has(terms, Terms::reserve)) text += "+reserve";
  if (has(terms, Terms::minimum)) text += "+minimum";
  if (has(terms, Terms::all_or_none)) text += "+all_or_none";
  if (has(terms, Terms::post_only)) text += "+post_only";
  return text;
}

using Instruments = std::span<const Instrument>;

const Instrument& instrument_of(SymbolId symbol, Instruments instruments) {
  static const Instrument unlisted;
  return symbol.value < instruments.size() ? instruments[symbol.value] : unlisted;
}

Lines& begin_line(Lines& lines, std::int64_t time_ns, SymbolId symbol, const Instrument& instrument) {
  lines.time(time_ns);
  const std::string_view name = name_of(instrument);
  return name.empty() ? lines.field(symbol.value) : lines.field(name);
}

void id_or_nothing(Lines& lines, OrderId id) { id == OrderId{} ? lines.nothing() : lines.field(id.value); }

void write_line(Lines& lines, const Tape::OrderRow& row, Instruments instruments) {
  const Instrument& instrument = instrument_of(row.symbol, instruments);
  begin_line(lines, row.time_ns, row.symbol, instrument).field(name_of(row.kind)).field(row.id.value);
  id_or_nothing(lines, row.new_id);
  if (row.kind == Tape::OrderKind::rejected) {
    lines.nothing().nothing().nothing();
  } else {
    lines.field(to_string(row.side)).price(row.price, instrument).field(row.quantity.lots);
  }
  lines.field(row.account.value);
  if (row.kind == Tape::OrderKind::terms) {
    lines.field(text_of(row.type, static_cast<Terms>(row.terms))).end();
    return;
  }
  row.reason == Reason::none ? lines.nothing() : lines.field(to_string(row.reason));
  lines.end();
}

void write_line(Lines& lines, const Tape::TradeRow& row, Instruments instruments) {
  const Instrument& instrument = instrument_of(row.symbol, instruments);
  begin_line(lines, row.time_ns, row.symbol, instrument).price(row.price, instrument).field(row.quantity.lots);
  lines.field(to_string(row.aggressor));
  id_or_nothing(lines, row.maker);
  id_or_nothing(lines, row.taker);
  lines.field(row.maker_account.value).field(row.taker_account.value).field(row.hidden).end();
}

void write_line(Lines& lines, const Tape::QuoteRow& row, Instruments instruments) {
  const Quote& quote = row.quote;
  const Instrument& instrument = instrument_of(quote.symbol, instruments);
  begin_line(lines, row.time_ns, quote.symbol, instrument);
  const auto side = [&](bool there, Price price, std::uint32_t quantity) {
    there ? lines.price(price, instrument).field(quantity) : lines.nothing().nothing();
  };
  side(quote.has_bid(), quote.bid, quote.bid_quantity);
  side(quote.has_ask(), quote.ask, quote.ask_quantity);
  lines.end();
}

void write_line(Lines& lines, const Tape::PhaseRow& row, Instruments instruments) {
  const Instrument& instrument = instrument_of(row.symbol, instruments);
  begin_line(lines, row.time_ns, row.symbol, instrument);
  if (row.uncrossed) {
    lines.field("uncrossed").price(row.price, instrument).field(row.volume).signed_field(row.imbalance);
  } else {
    lines.field(name_of(row.phase)).nothing().nothing().nothing();
  }
  lines.end();
}

}  // namespace

template <class Row>
Tape::Spool<Row>::Spool(const fs::path& folder, std::atomic<int>& failure)
    : failure_(failure), file_(anonymous_file(folder)) {}

template <class Row>
void Tape::Spool<Row>::flush() noexcept {
  if (rows_.empty()) return;
  if (failure_.load(std::memory_order_relaxed) == 0) {
    // Rows of one symbol and time stay in the order in which they came.
    std::vector<std::uint32_t> order(rows_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) {
      const Row& one = rows_[a];
      const Row& other = rows_[b];
      return std::tuple(one.time_ns, symbol_of(one).value, a) < std::tuple(other.time_ns, symbol_of(other).value, b);
    });
    sorted_.clear();
    for (const std::uint32_t index : order) sorted_.push_back(rows_[index]);
    if (const int number = write_all(file_, sorted_.data(), sorted_.size() * sizeof(Row)); number != 0) {
      failure_.store(number, std::memory_order_relaxed);
    } else {
      spooled_ += rows_.size();
    }
  }
  rows_.clear();
}

const char* name_of(Phase phase) {
  switch (phase) {
    case Phase::continuous: return "continuous";
    case Phase::halted: return "halted";
    case Phase::auction: return "auction";
    case Phase::closed: return "closed";
  }
  return "?";
}

Tape::Tape(const fs::path& folder)
    : orders_(folder, failure_), trades_(folder, failure_), quotes_(folder, failure_), phases_(folder, failure_) {}
Tape::~Tape() = default;
void Tape::close(int file) noexcept { ::close(file); }

/// Merges the sorted runs of the spools of one kind.
struct TapeMerger {
  static constexpr std::size_t memory = 64 << 20;

  template <class Row>
  struct Run {
    int file;
    std::uint64_t next;  // row of the file
    std::uint64_t end;
    std::uint32_t order;  // of the tape, then of the run in it
    std::vector<Row> rows{};
    std::size_t at = 0;

    const Row& row() const { return rows[at]; }
    bool advance(std::size_t most, const fs::path& folder) {
      if (++at < rows.size()) return true;
      at = 0;
      rows.resize(static_cast<std::size_t>(std::min<std::uint64_t>(most, end - next)));
      char* to = reinterpret_cast<char*>(rows.data());
      std::size_t left = rows.size() * sizeof(Row);
      auto from = static_cast<off_t>(next * sizeof(Row));
      while (left != 0) {
        const ssize_t got = ::pread(file, to, left, from);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) fail(got < 0 ? errno : EIO, folder, "the tape cannot be read back");
        to += got;
        from += got;
        left -= static_cast<std::size_t>(got);
      }
      next += rows.size();
      return !rows.empty();
    }
  };

  template <class Row>
  static void merge(const fs::path& folder, std::span<const std::unique_ptr<Tape>> tapes, Tape::Spool<Row> Tape::* kind,
                    std::string_view name, std::string_view head, Instruments instruments) {
    Lines lines(folder, name, head);
    std::vector<Run<Row>> runs;
    for (const auto& tape : tapes) {
      Tape::Spool<Row>& spool = (*tape).*kind;
      spool.flush();
      constexpr std::uint64_t length = Tape::Spool<Row>::rows_in_memory;
      for (std::uint64_t from = 0; from < spool.spooled_; from += length)
        runs.push_back(
            {spool.file_, from, std::min(from + length, spool.spooled_), static_cast<std::uint32_t>(runs.size())});
      if (const int number = tape->failure(); number != 0) fail(number, folder, "the tape cannot be written");
    }
    const std::size_t at_once =
        std::clamp<std::size_t>(memory / sizeof(Row) / std::max<std::size_t>(runs.size(), 1), 64, 8192);
    const auto later = [&](std::uint32_t a, std::uint32_t b) {
      const Row& one = runs[a].row();
      const Row& other = runs[b].row();
      return std::tuple(one.time_ns, symbol_of(one).value, runs[a].order) >
             std::tuple(other.time_ns, symbol_of(other).value, runs[b].order);
    };
    std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, decltype(later)> next(later);
    for (Run<Row>& run : runs)
      if (run.advance(at_once, folder)) next.push(run.order);
    while (!next.empty()) {
      const std::uint32_t index = next.top();
      next.pop();
      Run<Row>& run = runs[index];
      write_line(lines, run.row(), instruments);
      if (run.advance(at_once, folder)) next.push(index);
    }
    lines.close();
  }

  static void all(const fs::path& folder, std::span<const std::unique_ptr<Tape>> tapes, Instruments instruments) {
    merge(folder, tapes, &Tape::orders_, "orders.csv",
          "time,symbol,event,order,new_order,side,price,quantity,account,reason", instruments);
    merge(folder, tapes, &Tape::trades_, "trades.csv",
          "time,symbol,price,quantity,aggressor,maker,taker,maker_account,taker_account,hidden", instruments);
    merge(folder, tapes, &Tape::quotes_, "l1.csv", "time,symbol,bid,bid_quantity,ask,ask_quantity", instruments);
    const bool has_phases = std::any_of(tapes.begin(), tapes.end(), [](const auto& tape) {
      return tape->phases_.spooled_ != 0 || !tape->phases_.rows_.empty();
    });
    if (has_phases)
      merge(folder, tapes, &Tape::phases_, "phases.csv", "time,symbol,phase,price,volume,imbalance", instruments);
  }
};

void write_tapes(const fs::path& folder, std::span<const std::unique_ptr<Tape>> tapes, Instruments instruments) {
  TapeMerger::all(folder, tapes, instruments);
}

template class Tape::Spool<Tape::OrderRow>;
template class Tape::Spool<Tape::TradeRow>;
template class Tape::Spool<Tape::QuoteRow>;
template class Tape::Spool<Tape::PhaseRow>;

}  // namespace outcry
