#include "streams.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <list>
#include <map>
#include <vector>

namespace bench {

namespace {

using obw1::Kind;

constexpr std::uint32_t start = 2'000'000;  // the middle at first
constexpr std::size_t live_target = 10'000;

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint32_t below(std::uint32_t n) {
    state_ += 0x9E3779B97F4A7C15ull;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    z ^= z >> 31;
    return static_cast<std::uint32_t>(((z >> 32) * n) >> 32);
  }
  /// Mostly small: how often a chance of 15 % did not come, at most 400.
  std::uint32_t near() {
    for (std::uint32_t n = 0;; ++n)
      if (below(1000) < 150 || n == 400) return n;
  }

 private:
  std::uint64_t state_;
};

/// The obvious book.
class Obvious {
 public:
  struct Order {
    std::uint64_t id;
    std::uint32_t open;
    std::size_t live_position;
  };
  using Queue = std::list<Order>;

  bool has(unsigned side) const { return side == 0 ? !bids_.empty() : !asks_.empty(); }
  std::uint32_t best(unsigned side) const { return side == 0 ? bids_.begin()->first : asks_.begin()->first; }
  const std::vector<std::uint64_t>& live() const { return live_; }
  std::uint64_t levels() const { return bids_.size() + asks_.size(); }
  std::uint32_t open_of(std::uint64_t id) const { return places_[id].order->open; }
  unsigned side_of(std::uint64_t id) const { return places_[id].side; }
  std::uint32_t price_of(std::uint64_t id) const { return places_[id].price; }

  void rest(std::uint64_t id, unsigned side, std::uint32_t price, std::uint32_t quantity) {
    if (places_.size() <= id) places_.resize(id + 1);
    Queue& queue = side == 0 ? bids_[price] : asks_[price];
    queue.push_back({id, quantity, live_.size()});
    places_[id] = {side, price, std::prev(queue.end())};
    live_.push_back(id);
  }

  void reduce(std::uint64_t id, std::uint32_t by) { places_[id].order->open -= by; }

  void leave(std::uint64_t id) {
    const Place& place = places_[id];
    const std::size_t position = place.order->live_position;
    live_[position] = live_.back();
    places_[live_.back()].order->live_position = position;
    live_.pop_back();
    const auto from = [&](auto& side) {
      const auto level = side.find(place.price);
      level->second.erase(place.order);
      if (level->second.empty()) side.erase(level);
    };
    place.side == 0 ? from(bids_) : from(asks_);
  }

  void take(std::uint64_t id, unsigned side, std::uint32_t bound, std::uint32_t left, obw1::Fills& fills) {
    const unsigned other = 1 - side;
    while (left != 0 && has(other) && (side == 0 ? best(1) <= bound : best(0) >= bound)) {
      Order& maker = (other == 0 ? bids_.begin()->second : asks_.begin()->second).front();
      const std::uint32_t traded = std::min(left, maker.open);
      fills.add(id, maker.id, best(other), traded);
      left -= traded;
      maker.open -= traded;
      if (maker.open == 0) leave(maker.id);
    }
  }

 private:
  struct Place {
    unsigned side = 0;
    std::uint32_t price = 0;
    Queue::iterator order{};
  };

  std::map<std::uint32_t, Queue, std::greater<>> bids_;
  std::map<std::uint32_t, Queue> asks_;
  std::vector<Place> places_;  // by id
  std::vector<std::uint64_t> live_;
};

class Generator {
 public:
  /// What the weather asks of the next message.
  struct Weather {
    std::uint32_t middle = start;
    std::uint32_t far_percent = 0;     // of new orders: anywhere within `width`
    std::uint32_t width = 0;           // ticks of both sides together
    std::uint32_t sweep_permille = 0;  // immediate orders that take all there is, up to the middle
  };

  explicit Generator(std::uint64_t seed) : random_(seed) {}

  template <class WeatherAt>
  obw1::Stream run(WeatherAt&& weather_at) {
    weather_ = weather_at(0);
    while (book_.live().size() < live_target) add();
    const std::uint64_t prefill = records_.size();
    records_.reserve(prefill + stream_messages);
    for (std::uint64_t i = 0; records_.size() < prefill + stream_messages; ++i) {
      weather_ = weather_at(i);
      step();
    }

    obw1::Stream stream;
    std::memcpy(stream.header.magic, "OBW1", 4);
    stream.header.records = records_.size();
    stream.header.prefill = prefill;
    stream.header.symbols = 1;
    stream.header.ids = last_id_ + 1;
    stream.header.fills = fills_.count;
    stream.header.fill_quantity = fills_.quantity;
    stream.header.fill_hash = fills_.hash;
    stream.live_at_end = book_.live().size();
    stream.levels_at_end = book_.levels();
    stream.records = std::move(records_);
    return stream;
  }

 private:
  void step() {
    if (random_.below(1000) < weather_.sweep_permille) return sweep();
    const std::uint32_t drawn = random_.below(1000);
    if (drawn < 50) return take();
    const bool few = book_.live().size()<live_target * 9 / 10, many = book_.live().size()> live_target * 11 / 10;
    if ((drawn < 500 && !many) || few) return add();
    const std::uint64_t id = book_.live()[random_.below(static_cast<std::uint32_t>(book_.live().size()))];
    if (drawn < 900) return cancel(id);
    if (drawn < 950 && book_.open_of(id) > 1) return reduce(id);
    replace(id);
  }

  std::uint32_t quantity() { return 100 * (1 + random_.below(8)); }

  // Never through the other side.
  std::uint32_t resting_price(unsigned side) {
    const bool far = random_.below(100) < weather_.far_percent;
    const std::uint32_t distance = far ? random_.below(weather_.width / 2) : random_.near();
    if (side == 0) {
      const std::uint32_t price = weather_.middle - 1 - distance;
      return book_.has(1) ? std::min(price, book_.best(1) - 1) : price;
    }
    const std::uint32_t price = weather_.middle + 1 + distance;
    return book_.has(0) ? std::max(price, book_.best(0) + 1) : price;
  }

  void add() {
    const unsigned side = random_.below(2);
    const std::uint32_t price = resting_price(side), lots = quantity();
    put(Kind::add, side, lots, price, ++last_id_);
    book_.rest(last_id_, side, price, lots);
  }

  void take() {
    const unsigned side = random_.below(2);
    if (!book_.has(1 - side)) return;
    immediate(side, side == 0 ? book_.best(1) + 2 : book_.best(0) - 2, quantity());
  }

  // Everything between the best price and the middle trades.
  void sweep() {
    if (book_.has(0) && book_.best(0) > weather_.middle) return immediate(1, weather_.middle, 1'000'000);
    if (book_.has(1) && book_.best(1) < weather_.middle) return immediate(0, weather_.middle, 1'000'000);
    take();
  }

  void immediate(unsigned side, std::uint32_t bound, std::uint32_t lots) {
    put(Kind::immediate, side, lots, bound, ++last_id_);
    book_.take(last_id_, side, bound, lots, fills_);
  }

  void cancel(std::uint64_t id) {
    put(Kind::cancel, book_.side_of(id), 0, book_.price_of(id), id);
    book_.leave(id);
  }

  void reduce(std::uint64_t id) {
    const std::uint32_t by = 1 + random_.below(book_.open_of(id) - 1);
    put(Kind::reduce, book_.side_of(id), by, book_.price_of(id), id);
    book_.reduce(id, by);
  }

  void replace(std::uint64_t id) {
    const unsigned side = book_.side_of(id);
    const std::uint32_t price = resting_price(side), lots = quantity();
    put(Kind::replace, side, lots, price, id, ++last_id_);
    book_.leave(id);
    book_.rest(last_id_, side, price, lots);
  }

  void put(Kind kind, unsigned side, std::uint32_t lots, std::uint32_t price, std::uint64_t id,
           std::uint64_t new_id = 0) {
    records_.push_back({kind, static_cast<std::uint8_t>(side), 0, lots, price, 0, id, new_id});
  }

  Random random_;
  Weather weather_;
  Obvious book_;
  obw1::Fills fills_;
  std::uint64_t last_id_ = 0;
  std::vector<obw1::Record> records_;
};

}  // namespace

obw1::Stream flash_crash(std::uint64_t seed) {
  constexpr std::uint64_t period = 50'000, falls = 2'000, recovers = 20'000;
  constexpr std::uint32_t depth = 6'000;
  return Generator(seed).run([](std::uint64_t i) {
    const std::uint64_t at = i % period;
    Generator::Weather weather;
    if (at < period - falls - recovers) return weather;
    const std::uint64_t since = at - (period - falls - recovers);
    weather.sweep_permille = since < falls ? 500 : 100;
    weather.middle -= static_cast<std::uint32_t>(since < falls ? depth * since / falls
                                                               : depth * (falls + recovers - since) / recovers);
    return weather;
  });
}

obw1::Stream swing(std::uint64_t seed) {
  constexpr std::uint64_t half = 25'000;
  constexpr std::uint32_t width = 40'000;
  return Generator(seed).run([](std::uint64_t i) {
    const std::uint64_t at = i % (2 * half);
    const std::uint64_t up = at < half ? at : 2 * half - at;
    return Generator::Weather{.middle = start - width / 2 + static_cast<std::uint32_t>(width * up / half),
                              .sweep_permille = 200};
  });
}

obw1::Stream wide(std::uint64_t seed) {
  return Generator(seed).run([](std::uint64_t) { return Generator::Weather{.far_percent = 50, .width = 1'000'000}; });
}

}  // namespace bench
