#include "obw1.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>

namespace obw1 {

namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    state_ += 0x9E3779B97F4A7C15ull;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(((bits() >> 32) * n) >> 32); }
  /// How many times a chance of `stop_permille` / 1000 did not come, at most 400.
  std::uint32_t misses(std::uint32_t stop_permille) {
    for (std::uint32_t n = 0;; ++n)
      if (below(1000) < stop_permille || n == 400) return n;
  }

 private:
  std::uint64_t state_;
};

/// The obvious book of one symbol, with what drawing needs besides.
struct Market {
  struct Queue {
    std::uint64_t first = 0, last = 0;
  };
  // Best first: of bids by the complement of the price.
  std::map<std::uint32_t, Queue> sides[2];
  std::uint32_t middle = 10'000;
  std::uint64_t target = 0;
  std::vector<std::uint64_t> live;
  std::vector<std::uint64_t> recent;  // a ring of the last 1,000 that came
  std::uint32_t oldest_recent = 0;

  bool has(unsigned side) const { return !sides[side].empty(); }
  std::uint32_t best(unsigned side) const { return price(side, sides[side].begin()->first); }
  static std::uint32_t key(unsigned side, std::uint32_t price) { return side == 0 ? ~price : price; }
  static std::uint32_t price(unsigned side, std::uint32_t key) { return side == 0 ? ~key : key; }
};

struct Resting {
  std::uint64_t older = 0, newer = 0;
  std::uint32_t price = 0;
  std::uint32_t quantity = 0;  // 0: it does not live
  std::uint32_t live_position = 0;
  std::uint16_t symbol = 0;
  std::uint8_t side = 0;
};

class Generator {
 public:
  explicit Generator(const Size& size) : size_(size), random_(size.seed), markets_(size.symbols), orders_(1) {
    for (std::uint32_t rank = 1; rank <= size.symbols; ++rank) activity_.push_back(all_activity_ += share_of(rank));
    for (std::uint32_t rank = 1; rank <= size.symbols; ++rank)
      markets_[rank - 1].target = std::max<std::uint64_t>(20, size.live * share_of(rank) / all_activity_);
  }

  Stream run() {
    draw_symbol();  // the definition draws one before it fills the books
    for (std::uint32_t symbol = 0; symbol < size_.symbols; ++symbol)
      while (market(symbol).live.size() < market(symbol).target) add(symbol, random_.below(2));
    const std::uint64_t prefill = records_.size();
    records_.reserve(prefill + size_.messages);
    while (records_.size() < prefill + size_.messages) step();

    Stream stream;
    std::memcpy(stream.header.magic, "OBW1", 4);
    stream.header.records = records_.size();
    stream.header.prefill = prefill;
    stream.header.symbols = size_.symbols;
    stream.header.ids = orders_.size();
    stream.header.fills = fills_.count;
    stream.header.fill_quantity = fills_.quantity;
    stream.header.fill_hash = fills_.hash;
    for (const Market& m : markets_) {
      stream.live_at_end += m.live.size();
      stream.levels_at_end += m.sides[0].size() + m.sides[1].size();
    }
    stream.records = std::move(records_);
    return stream;
  }

 private:
  static std::uint64_t share_of(std::uint32_t rank) { return 1'000'000'000ull / rank; }
  Market& market(std::uint32_t symbol) { return markets_[symbol]; }

  std::uint32_t draw_symbol() {
    const std::uint64_t drawn = random_.bits() % all_activity_;
    return static_cast<std::uint32_t>(std::upper_bound(activity_.begin(), activity_.end(), drawn) - activity_.begin());
  }

  std::uint32_t draw_quantity() {
    return random_.below(100) < 80 ? 100 * (1 + random_.misses(500)) : 1 + random_.below(99);
  }

  // So many ticks from the middle, but never through the other side.
  static std::uint32_t resting_price(const Market& m, unsigned side, std::uint32_t distance) {
    if (side == 0) {
      const std::uint32_t price = m.middle - 1 - distance;
      return m.has(1) ? std::min(price, m.best(1) - 1) : price;
    }
    const std::uint32_t price = m.middle + 1 + distance;
    return m.has(0) ? std::max(price, m.best(0) + 1) : price;
  }

  void step() {
    const std::uint32_t symbol = draw_symbol();
    Market& m = market(symbol);
    if (random_.below(1000) < 20) {
      m.middle += random_.below(2) != 0 ? 1u : ~0u;
      m.middle = std::clamp(m.middle, 2'000u, 18'000u);
    }
    const std::uint32_t drawn = random_.below(1000);
    Kind kind = drawn < 450   ? Kind::add
                : drawn < 830 ? Kind::cancel
                : drawn < 900 ? Kind::reduce
                : drawn < 950 ? Kind::replace
                              : Kind::immediate;
    if (kind == Kind::cancel && m.live.size() < m.target * 9 / 10)
      kind = Kind::add;
    else if (kind == Kind::add && m.live.size() > m.target * 11 / 10)
      kind = Kind::cancel;

    if (kind == Kind::add) return add(symbol, random_.below(2));
    if (kind == Kind::immediate) return take(symbol, random_.below(2));
    const std::uint64_t id = draw_live(m);
    if (id == 0) return;
    if (kind == Kind::reduce && orders_[id].quantity >= 2) return reduce(id);
    if (kind == Kind::replace) return replace(id);
    cancel(id);
  }

  // Mostly one of the recent orders, if a few tries find one that lives still.
  std::uint64_t draw_live(const Market& m) {
    if (random_.below(100) < 70)
      for (int attempt = 0; attempt < 8 && !m.recent.empty(); ++attempt) {
        const std::uint64_t id = m.recent[random_.below(static_cast<std::uint32_t>(m.recent.size()))];
        if (orders_[id].quantity != 0) return id;
      }
    return m.live.empty() ? 0 : m.live[random_.below(static_cast<std::uint32_t>(m.live.size()))];
  }

  void add(std::uint32_t symbol, unsigned side) {
    const std::uint32_t distance = random_.below(100) < 95 ? random_.misses(150) : random_.below(500);
    const std::uint32_t price = resting_price(market(symbol), side, distance);
    const std::uint32_t quantity = draw_quantity();
    const std::uint64_t id = new_id();
    put_record(Kind::add, side, symbol, quantity, price, id);
    rest(id, symbol, side, price, quantity);
  }

  void take(std::uint32_t symbol, unsigned side) {
    Market& m = market(symbol);
    const unsigned other = 1 - side;
    if (!m.has(other)) return;
    const std::uint32_t bound = side == 0 ? m.best(1) + 2 : m.best(0) - 2;
    std::uint32_t left = draw_quantity();
    left *= 1 + random_.below(3);
    const std::uint64_t id = new_id();
    put_record(Kind::immediate, side, symbol, left, bound, id);
    while (left != 0 && m.has(other) && Market::key(other, m.best(other)) <= Market::key(other, bound)) {
      const std::uint64_t maker = m.sides[other].begin()->second.first;
      const std::uint32_t traded = std::min(left, orders_[maker].quantity);
      fills_.add(id, maker, m.best(other), traded);
      left -= traded;
      if (traded == orders_[maker].quantity)
        leave(maker);
      else
        orders_[maker].quantity -= traded;
    }
  }

  void cancel(std::uint64_t id) {
    const Resting& order = orders_[id];
    put_record(Kind::cancel, order.side, order.symbol, 0, order.price, id);
    leave(id);
  }

  void reduce(std::uint64_t id) {
    Resting& order = orders_[id];
    const std::uint32_t by = 1 + random_.below(order.quantity - 1);
    put_record(Kind::reduce, order.side, order.symbol, by, order.price, id);
    order.quantity -= by;
  }

  void replace(std::uint64_t id) {
    const std::uint16_t symbol = orders_[id].symbol;
    const unsigned side = orders_[id].side;
    const std::uint32_t price = resting_price(market(symbol), side, random_.misses(150));
    const std::uint32_t quantity = draw_quantity();
    const std::uint64_t next = new_id();
    put_record(Kind::replace, side, symbol, quantity, price, id, next);
    leave(id);
    rest(next, symbol, side, price, quantity);
  }

  std::uint64_t new_id() {
    orders_.emplace_back();
    return orders_.size() - 1;
  }

  void put_record(Kind kind, unsigned side, std::uint32_t symbol, std::uint32_t quantity, std::uint32_t price,
                  std::uint64_t id, std::uint64_t next = 0) {
    records_.push_back(
        {kind, static_cast<std::uint8_t>(side), static_cast<std::uint16_t>(symbol), quantity, price, 0, id, next});
  }

  void rest(std::uint64_t id, std::uint32_t symbol, unsigned side, std::uint32_t price, std::uint32_t quantity) {
    Market& m = market(symbol);
    Market::Queue& queue = m.sides[side][Market::key(side, price)];
    Resting& order = orders_[id];
    order.older = queue.last;
    order.price = price;
    order.quantity = quantity;
    order.live_position = static_cast<std::uint32_t>(m.live.size());
    order.symbol = static_cast<std::uint16_t>(symbol);
    order.side = static_cast<std::uint8_t>(side);
    (queue.last != 0 ? orders_[queue.last].newer : queue.first) = id;
    queue.last = id;
    m.live.push_back(id);
    if (m.recent.size() < 1000)
      m.recent.push_back(id);
    else
      m.recent[m.oldest_recent++ % 1000] = id;
  }

  void leave(std::uint64_t id) {
    Resting& order = orders_[id];
    Market& m = market(order.symbol);
    const auto level = m.sides[order.side].find(Market::key(order.side, order.price));
    (order.older != 0 ? orders_[order.older].newer : level->second.first) = order.newer;
    (order.newer != 0 ? orders_[order.newer].older : level->second.last) = order.older;
    if (level->second.first == 0) m.sides[order.side].erase(level);
    m.live[order.live_position] = m.live.back();
    orders_[m.live.back()].live_position = order.live_position;
    m.live.pop_back();
    order.quantity = 0;
  }

  Size size_;
  Random random_;
  std::vector<Market> markets_;
  std::vector<Resting> orders_;  // by id; nothing has id 0
  std::vector<std::uint64_t> activity_;
  std::uint64_t all_activity_ = 0;
  std::vector<Record> records_;
  Fills fills_;
};

}  // namespace

Stream generate(const Size& size) { return Generator(size).run(); }

bool write(const Stream& stream, const std::string& file) {
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&stream.header), sizeof stream.header);
  out.write(reinterpret_cast<const char*>(stream.records.data()),
            static_cast<std::streamsize>(stream.records.size() * sizeof(Record)));
  out.close();
  return out.good();
}

}  // namespace obw1
