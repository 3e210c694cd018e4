#include "itch_bench.hpp"

#include <x86intrin.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <outcry/net/itch.hpp>
#include <outcry/net/itch_file.hpp>

#include "book_engines.hpp"
#include "timing.hpp"

namespace bench {

namespace {

using namespace outcry;

constexpr int runs = 3;
constexpr std::uint32_t price_units = 100;  // a tick is a cent
constexpr std::size_t batch = 250;          // events that are read at once; they stay in the first cache
static_assert(chunk % batch == 0);

/// A recorded market: the directory, the orders that live at the start, and behind them what is timed.
struct Recording {
  std::vector<std::byte> bytes{};
  std::uint64_t symbols = 0, ids = 0, live = 0;  // to size the engines by
  std::uint64_t untimed = 0;                     // messages behind the directory
  std::uint64_t messages = 0;                    // behind those
  std::uint64_t fills = 0, fill_quantity = 0;
  std::uint64_t live_at_end = 0, levels_at_end = 0;
};

/// Writes what a market whose books carry out the stream would send.
class Recorder {
 public:
  explicit Recorder(const obw1::Stream& stream)
      : stream_(stream), books_(stream.header.symbols, stream.header.ids, stream.header.prefill, [](std::uint32_t i) {
          return Instrument{.symbol = {i}};
        }) {}

  Recording run() {
    out_.bytes.reserve(stream_.records.size() * 36);
    for (std::uint32_t symbol = 0; symbol < stream_.header.symbols; ++symbol)
      put(itch::StockDirectory{.header = header<'R'>(symbol), .stock = name_of(symbol)});
    messages_ = 0;
    for (std::size_t i = 0; i < stream_.records.size(); ++i) {
      if (i == stream_.header.prefill) out_.untimed = messages_;
      put(stream_.records[i]);
    }
    if (fills_ != stream_.answer()) Report::wrong("fills of the recording");
    out_.symbols = stream_.header.symbols;
    out_.ids = stream_.header.ids;
    out_.live = stream_.header.prefill;
    out_.messages = messages_ - out_.untimed;
    out_.fills = fills_.count;
    out_.fill_quantity = fills_.quantity;
    out_.live_at_end = stream_.live_at_end;
    out_.levels_at_end = stream_.levels_at_end;
    return std::move(out_);
  }

  void on(const Traded& e) {
    fills_.add(e.taker.value, e.maker.value, static_cast<std::uint64_t>(e.price.units), e.quantity.lots);
    put(itch::OrderExecuted{.header = header<'E'>(e.symbol.value),
                            .order = e.maker.value,
                            .shares = e.quantity.lots,
                            .match = fills_.count});
  }
  void on(const auto&) {}

 private:
  static Alpha<8> name_of(std::uint32_t symbol) { return Alpha<8>(std::to_string(symbol)); }

  template <char Type>
  itch::Header<Type> header(std::uint32_t symbol) {
    time_ns_ += 1'000;
    return {.stock_locate = static_cast<std::uint16_t>(symbol + 1), .timestamp = time_ns_};
  }

  template <class Message>
  void put(const Message& message) {
    std::array<std::byte, itch::largest_message + 2> frame;
    const std::size_t size = itch::encode_frame(message, frame);
    out_.bytes.insert(out_.bytes.end(), frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
    ++messages_;
  }

  void put(const obw1::Record& r) {
    switch (r.kind) {
      case obw1::Kind::add:
        put(itch::AddOrder{.header = header<'A'>(r.symbol),
                           .order = r.id,
                           .side = r.side == 0 ? 'B' : 'S',
                           .shares = r.quantity,
                           .stock = name_of(r.symbol),
                           .price = r.price * price_units});
        break;
      case obw1::Kind::cancel: put(itch::OrderDelete{.header = header<'D'>(r.symbol), .order = r.id}); break;
      case obw1::Kind::reduce:
        put(itch::OrderCancel{.header = header<'X'>(r.symbol), .order = r.id, .shares = r.quantity});
        break;
      case obw1::Kind::replace:
        put(itch::OrderReplace{.header = header<'U'>(r.symbol),
                               .order = r.id,
                               .new_order = r.new_id,
                               .shares = r.quantity,
                               .price = r.price * price_units});
        break;
      case obw1::Kind::immediate: break;  // shows in its executions only
    }
    obw1::with_command(r, [&](const auto& command) { give(books_[r.symbol], command); });
  }

  using Book = OrderBook<DenseIds>;
  void give(Book& book, const NewOrder& c) { book.submit(c, *this); }
  void give(Book& book, const CancelOrder& c) { book.cancel(c, *this); }
  void give(Book& book, const ReduceOrder& c) { book.reduce(c, *this); }
  void give(Book& book, const ReplaceOrder& c) { book.replace(c, *this); }

  const obw1::Stream& stream_;
  Shard<DenseIds> books_;
  Recording out_;
  obw1::Fills fills_;
  std::uint64_t messages_ = 0;
  std::uint64_t time_ns_ = 34'200'000'000'000;
};

/// Everything that rests, in the order of its priority, as one number; and what was executed.
struct Answer {
  std::uint64_t hash = 1469598103934665603ull;
  std::uint64_t orders = 0, levels = 0, quantity = 0;
  obw1::Fills fills;

  void add(std::uint64_t symbol, unsigned side, std::uint64_t price, std::uint64_t id, std::uint64_t open) {
    const bool fresh = symbol != last_symbol_ || side != last_side_ || price != last_price_;
    levels += fresh;
    ++orders;
    quantity += open;
    hash = (hash ^ (id * 0x9E3779B97F4A7C15ull + open * 31 + price * 7 + symbol * 2 + side)) * 1099511628211ull;
    last_symbol_ = symbol, last_side_ = side, last_price_ = price;
  }
  friend bool operator==(const Answer&, const Answer&) = default;

 private:
  std::uint64_t last_symbol_ = ~0ull, last_price_ = 0;
  unsigned last_side_ = 2;
};

/// Our books behind a recorded market.
template <class Ids>
class Ours {
 public:
  template <class InstrumentOf>
  Ours(const Recording& recording, InstrumentOf&& instrument_of)
      : books_(recording.symbols, recording.ids, recording.live, instrument_of) {}

  Answer answer() const {
    if (consumer_.rejected != 0) Report::wrong("messages were refused");
    Answer answer;
    for (std::uint32_t symbol = 0; symbol < books_.books().size(); ++symbol)
      for (const Side side : {Side::buy, Side::sell})
        books_[symbol].for_each_level(side, [&](const DepthLevel& level) {
          books_[symbol].for_each_order(side, level.price, [&](const OrderView& order) {
            answer.add(symbol, static_cast<unsigned>(side), static_cast<std::uint64_t>(level.price.units) / price_units,
                       order.id.value, order.open.lots);
          });
        });
    answer.fills = consumer_.fills;
    return answer;
  }

 protected:
  // Reads what the book says; a recorded trade names no taker.
  struct Consumer : Reader {
    using Reader::on;
    void on(const Traded& e) {
      fills.add(0, e.maker.value, static_cast<std::uint64_t>(e.price.units) / price_units, e.quantity.lots);
      sum += e.maker_open.lots ^ e.maker_account.value;
    }
  };

  Shard<Ids> books_;
  Consumer consumer_;
};

/// By the file's reader, which checks and makes events; the books check and apply them.
template <class Ids, bool prefetching>
class ByReader : public Ours<Ids> {
 public:
  explicit ByReader(const Recording& recording)
      : Ours<Ids>(recording, [](std::uint32_t i) { return recorded_stock({i}, std::to_string(i)); }),
        reader_("recording", recording.bytes) {}

  [[gnu::noinline, gnu::flatten]] void play(std::uint64_t count) {
    for (std::uint64_t left = count; left != 0;) {
      const std::size_t size = reader_.read(std::span(events_).first(std::min<std::uint64_t>(left, batch)));
      if (size == 0) Report::wrong("the recording is too short");
      const std::span<const HistoryEvent> events(events_.data(), size);
      if constexpr (prefetching)
        carry_out_batch(
            events, [&](const HistoryEvent& e) -> const auto& { return books_[e.symbol.value]; },
            [](const HistoryEvent& e) {
              return Hint{.id = e.id, .new_id = e.new_id, .price = e.price, .side = e.side};
            },
            [&](const HistoryEvent& e) { apply(e); });
      else
        for (const HistoryEvent& event : events) apply(event);
      left -= size;
    }
  }

 private:
  using Ours<Ids>::books_;
  using Ours<Ids>::consumer_;

  [[gnu::always_inline]] void apply(const HistoryEvent& e) {
    OrderBook<Ids>& book = books_[e.symbol.value];
    switch (e.kind) {
      case HistoryKind::add:
        return book.rest(
            NewOrder{.id = e.id, .price = e.price, .quantity = e.quantity, .symbol = e.symbol, .side = e.side},
            consumer_);
      case HistoryKind::execute:
        return book.execute(Execution{.id = e.id,
                                      .quantity = e.quantity,
                                      .price = e.price == Price{} ? std::nullopt : std::optional(e.price)},
                            consumer_);
      case HistoryKind::reduce:
        return book.reduce(ReduceOrder{.id = e.id, .by = e.quantity, .symbol = e.symbol}, consumer_);
      case HistoryKind::remove: return book.cancel(CancelOrder{.id = e.id, .symbol = e.symbol}, consumer_);
      case HistoryKind::replace:  // nothing in the stream crosses, so it need not be kept from trading
        return book.replace(
            ReplaceOrder{.id = e.id, .new_id = e.new_id, .price = e.price, .quantity = e.quantity, .symbol = e.symbol},
            consumer_);
      default: Report::wrong("an event that the recording does not hold");
    }
  }

  ItchFileReader reader_;
  std::array<HistoryEvent, batch> events_;
};

/// Message by message from the bytes into the books, without an event in between. Everything that the reader checks is
/// checked: frames, types and sizes, sides, times, locates.
template <class Ids, bool prefetching>
class Direct : public Ours<Ids> {
 public:
  explicit Direct(const Recording& recording)
      : Ours<Ids>(recording, [](std::uint32_t i) { return recorded_stock({i}, std::to_string(i)); }),
        at_(recording.bytes.data()),
        end_(at_ + recording.bytes.size()),
        symbols_(65536, unknown) {
    for (std::uint32_t symbol = 0; symbol < recording.symbols; ++symbol)
      symbols_[as<itch::StockDirectory>(next_frame()).header.stock_locate] = symbol;
  }

  [[gnu::noinline, gnu::flatten]] void play(std::uint64_t count) {
    if constexpr (prefetching) {
      for (std::uint64_t left = count; left != 0;) {
        const std::size_t size = std::min<std::uint64_t>(left, batch);
        for (std::size_t i = 0; i < size; ++i) messages_[i] = next_frame();
        carry_out_batch(
            std::span<const std::byte* const>(messages_.data(), size),
            [&](const std::byte* message) -> const auto& { return books_[symbol_of(message)]; }, &hint_of,
            [&](const std::byte* message) { apply(message); });
        left -= size;
      }
    } else {
      for (std::uint64_t i = 0; i < count; ++i) apply(next_frame());
    }
  }

 private:
  using Ours<Ids>::books_;
  using Ours<Ids>::consumer_;
  static constexpr std::uint32_t unknown = ~std::uint32_t{0};
  static constexpr std::uint64_t day_ns = 86'400'000'000'000;

  template <class Message>
  static const Message& as(const std::byte* message) {
    return *reinterpret_cast<const Message*>(message);
  }

  /// The next message, whole and of the size that its type has.
  [[gnu::always_inline]] const std::byte* next_frame() {
    const std::byte* message = at_ + 2;
    if (end_ - at_ < 3) [[unlikely]]
      Report::wrong("the recording is too short");
    const std::size_t length = as<itch::U16>(at_);
    if (length != itch::size_of(static_cast<char>(*message)) || end_ - message < static_cast<std::ptrdiff_t>(length))
        [[unlikely]]
      Report::wrong("a broken frame");
    at_ = message + length;
    return message;
  }

  std::uint32_t symbol_of(const std::byte* message) const {
    const std::uint32_t symbol = symbols_[as<itch::Header<'\0'>>(message).stock_locate];
    if (symbol == unknown) [[unlikely]]
      Report::wrong("a locate that the directory does not have");
    return symbol;
  }

  // Where the fields are that prefetching wants; 0, and what happens to be there, in messages that have none.
  struct Offsets {
    std::uint8_t price, new_id, side;
  };
  static constexpr auto offsets = [] {
    std::array<Offsets, 256> all{};
    all['A'] = all['F'] = {offsetof(itch::AddOrder, price), 0, offsetof(itch::AddOrder, side)};
    all['U'] = {offsetof(itch::OrderReplace, price), offsetof(itch::OrderReplace, new_order), 0};
    return all;
  }();
  static Hint hint_of(const std::byte* message) {
    const Offsets& offset = offsets[static_cast<std::uint8_t>(*message)];
    return {.id = {as<itch::OrderDelete>(message).order},  // all have it there
            .new_id = {as<itch::U64>(message + offset.new_id)},
            .price = {as<itch::U32>(message + offset.price)},
            .side = static_cast<Side>(static_cast<char>(message[offset.side]) == 'S')};
  }

  [[gnu::always_inline]] void apply(const std::byte* message) {
    const auto time_ns = static_cast<std::int64_t>(as<itch::Header<'\0'>>(message).timestamp.value());
    if (time_ns < time_ns_ || time_ns >= static_cast<std::int64_t>(day_ns)) [[unlikely]]
      Report::wrong("a time that goes back");
    time_ns_ = time_ns;
    const SymbolId symbol{symbol_of(message)};
    OrderBook<Ids>& book = books_[symbol.value];
    switch (static_cast<char>(*message)) {
      case itch::AddOrder::code: {
        const auto& m = as<itch::AddOrder>(message);
        if (m.side != 'B' && m.side != 'S') [[unlikely]]
          Report::wrong("a side that is neither B nor S");
        return book.rest(NewOrder{.id = {m.order},
                                  .price = {m.price},
                                  .quantity = {m.shares},
                                  .symbol = symbol,
                                  .side = static_cast<Side>(m.side == 'S')},
                         consumer_);
      }
      case itch::OrderExecuted::code: {
        const auto& m = as<itch::OrderExecuted>(message);
        return book.execute(Execution{.id = {m.order}, .quantity = {m.shares}}, consumer_);
      }
      case itch::OrderCancel::code: {
        const auto& m = as<itch::OrderCancel>(message);
        return book.reduce(ReduceOrder{.id = {m.order}, .by = {m.shares}, .symbol = symbol}, consumer_);
      }
      case itch::OrderDelete::code:
        return book.cancel(CancelOrder{.id = {as<itch::OrderDelete>(message).order}, .symbol = symbol}, consumer_);
      case itch::OrderReplace::code: {  // nothing in the stream crosses, so it need not be kept from trading
        const auto& m = as<itch::OrderReplace>(message);
        return book.replace(
            ReplaceOrder{
                .id = {m.order}, .new_id = {m.new_order}, .price = {m.price}, .quantity = {m.shares}, .symbol = symbol},
            consumer_);
      }
      default: Report::wrong("a message that the recording does not hold");
    }
  }

  const std::byte* at_;
  const std::byte* end_;
  std::vector<std::uint32_t> symbols_;  // by locate
  std::int64_t time_ns_ = 0;
  std::array<const std::byte*, batch> messages_;
};

/// The least that reads the same messages: lengths, types and ids are trusted, times are not looked at.
template <class Ids, bool prefetching>
class Least {
 public:
  explicit Least(const Recording& recording)
      : at_(recording.bytes.data()),
        symbols_(recording.symbols),
        book_(memory_, symbols_, recording.ids, recording.live) {
    for (std::uint64_t i = 0; i < symbols_; ++i) at_ += sizeof(itch::StockDirectory) + 2;
  }

  [[gnu::noinline, gnu::flatten]] void play(std::uint64_t count) {
    if constexpr (prefetching) {
      for (std::uint64_t left = count; left != 0;) {
        const std::size_t size = std::min<std::uint64_t>(left, batch);
        for (std::size_t i = 0; i < size; ++i) {
          Writer writer{records_[i] = {}};
          next(writer);
        }
        carry_out_batch(
            std::span<const obw1::Record>(records_.data(), size),
            [&](const obw1::Record&) -> const auto& { return book_; },
            [](const obw1::Record& r) -> const auto& { return r; }, [&](const obw1::Record& r) { apply(r); });
        left -= size;
      }
    } else {
      for (std::uint64_t i = 0; i < count; ++i) next(book_);
    }
  }

  Answer answer() const {
    Answer answer;
    for (std::uint32_t symbol = 0; symbol < symbols_; ++symbol)
      book_.for_each_order(symbol, [&](unsigned side, std::uint32_t price, std::uint64_t id, std::uint32_t open) {
        answer.add(symbol, side, price, id, open);
      });
    answer.fills = book_.fills();
    return answer;
  }

 private:
  static constexpr std::uint32_t execution = 1;  // Record::unused of a reduction that is a trade

  // Keeps what a message says, for a batch.
  struct Writer {
    obw1::Record& r;
    void add(std::uint64_t id, std::uint16_t symbol, std::uint8_t side, std::uint32_t price, std::uint32_t quantity) {
      r = {obw1::Kind::add, side, symbol, quantity, price, 0, id, 0};
    }
    void cancel(std::uint64_t id) { r.kind = obw1::Kind::cancel, r.id = id; }
    void reduce(std::uint64_t id, std::uint32_t by) { r.kind = obw1::Kind::reduce, r.id = id, r.quantity = by; }
    void execute(std::uint64_t id, std::uint32_t by) { reduce(id, by), r.unused = execution; }
    void replace(std::uint64_t id, std::uint64_t new_id, std::uint32_t price, std::uint32_t quantity) {
      r = {obw1::Kind::replace, 0, 0, quantity, price, 0, id, new_id};
    }
  };

  template <class Sink>
  [[gnu::always_inline]] void next(Sink& sink) {
    const std::byte* message = at_ + 2;
    at_ = message + reinterpret_cast<const itch::U16*>(at_)->value();
    const auto as = [&]<class Message>(std::type_identity<Message>) -> const Message& {
      return *reinterpret_cast<const Message*>(message);
    };
    switch (static_cast<char>(*message)) {
      case itch::AddOrder::code: {
        const auto& m = as(std::type_identity<itch::AddOrder>{});
        return sink.add(m.order, static_cast<std::uint16_t>(m.header.stock_locate - 1), m.side == 'S',
                        m.price / price_units, m.shares);
      }
      case itch::OrderDelete::code: return sink.cancel(as(std::type_identity<itch::OrderDelete>{}).order);
      case itch::OrderCancel::code: {
        const auto& m = as(std::type_identity<itch::OrderCancel>{});
        return sink.reduce(m.order, m.shares);
      }
      case itch::OrderExecuted::code: {
        const auto& m = as(std::type_identity<itch::OrderExecuted>{});
        return sink.execute(m.order, m.shares);
      }
      case itch::OrderReplace::code: {
        const auto& m = as(std::type_identity<itch::OrderReplace>{});
        return sink.replace(m.order, m.new_order, m.price / price_units, m.shares);
      }
      default: return;
    }
  }

  [[gnu::always_inline]] void apply(const obw1::Record& r) {
    switch (r.kind) {
      case obw1::Kind::add: return book_.add(r.id, r.symbol, r.side, r.price, r.quantity);
      case obw1::Kind::cancel: return book_.cancel(r.id);
      case obw1::Kind::reduce:
        if (r.unused == execution) return book_.execute(r.id, r.quantity);
        return book_.reduce(r.id, r.quantity);
      case obw1::Kind::replace: return book_.replace(r.id, r.new_id, r.price, r.quantity);
      default: return;
    }
  }

  const std::byte* at_;
  std::uint64_t symbols_;
  HugeMemory memory_;
  LimitBook<Ids> book_;
  std::array<obw1::Record, batch> records_;
};

struct Result {
  double ns;
  Answer answer;
};

template <class Engine>
Result play(const Recording& recording) {
  const auto engine = std::make_unique<Engine>(recording);
  engine->play(recording.untimed);
  std::vector<double> chunks;
  for (std::uint64_t i = 0; i < recording.messages / chunk; ++i) {
    const std::uint64_t start = __rdtsc();
    engine->play(chunk);
    chunks.push_back(static_cast<double>(__rdtsc() - start));
  }
  engine->play(recording.messages % chunk);
  const Answer answer = engine->answer();
  if (answer.fills.count != recording.fills || answer.fills.quantity != recording.fill_quantity ||
      answer.orders != recording.live_at_end || answer.levels != recording.levels_at_end)
    Report::wrong("fills, live orders or levels at the end of the recording");
  return {median(chunks) * ns_per_tick() / chunk, answer};
}

struct Contender {
  const char* name;
  Result (*run)(const Recording&);
  double best = std::numeric_limits<double>::infinity();
};

}  // namespace

void measure_itch(Report& report, const char* name, const obw1::Stream& stream) {
  const Recording recording = Recorder(stream).run();
  // The limit first, for each kind of ids: one by one and prefetching.
  enum { of_a_kind = 6, of_the_limit = 2 };
  Contender contenders[] = {{"limit.hashed", play<Least<LimitHashedIds, false>>},
                            {"limit.hashed.prefetching", play<Least<LimitHashedIds, true>>},
                            {"reader.hashed", play<ByReader<HashedIds, false>>},
                            {"reader.hashed.prefetching", play<ByReader<HashedIds, true>>},
                            {"direct.hashed", play<Direct<HashedIds, false>>},
                            {"direct.hashed.prefetching", play<Direct<HashedIds, true>>},
                            {"limit.dense", play<Least<LimitDenseIds, false>>},
                            {"limit.dense.prefetching", play<Least<LimitDenseIds, true>>},
                            {"reader.dense", play<ByReader<DenseIds, false>>},
                            {"reader.dense.prefetching", play<ByReader<DenseIds, true>>},
                            {"direct.dense", play<Direct<DenseIds, false>>},
                            {"direct.dense.prefetching", play<Direct<DenseIds, true>>}};
  const Answer expected = contenders[0].run(recording).answer;
  for (int run = 0; run < runs; ++run)
    for (Contender& contender : contenders) {
      const Result result = contender.run(recording);
      if (result.answer != expected) Report::wrong("what rests or traded at the end of the recording");
      contender.best = std::min(contender.best, result.ns);
    }
  const auto fastest = [&](int first, int end) {
    double best = contenders[first].best;
    for (int i = first; i < end; ++i) best = std::min(best, contenders[i].best);
    return best;
  };
  const double hashed = fastest(of_the_limit, of_a_kind), dense = fastest(of_a_kind + of_the_limit, 2 * of_a_kind);
  const double hashed_ratio = hashed / fastest(0, of_the_limit);
  const double dense_ratio = dense / fastest(of_a_kind, of_a_kind + of_the_limit);

  const std::string prefix = std::string("itch.") + name + ".";
  for (const Contender& contender : contenders)
    report.add(prefix + contender.name + ".ns_per_message", contender.best, "ns");
  report.add(prefix + "hash_equal", 1, "bool", at_least(1));
  report.add(prefix + "ns_per_message", std::min(hashed, dense), "ns");
  report.add(prefix + "hashed.ratio_to_limit", hashed_ratio, "ratio");
  report.add(prefix + "dense.ratio_to_limit", dense_ratio, "ratio");
  // The worse of both kinds of ids, each against the fastest limit with the same kind.
  report.add(prefix + "ratio_to_limit", std::max(hashed_ratio, dense_ratio), "ratio", at_most(1.3));
}

}  // namespace bench
