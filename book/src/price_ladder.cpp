#include <outcry/book/price_ladder.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <stdexcept>

namespace outcry {

namespace {

constexpr std::uint32_t least_far_levels = 16;

// Quotient rounded down, also below zero.
std::int64_t floor_div(std::int64_t n, std::int64_t divisor) {
  return n / divisor - ((n % divisor != 0 && (n < 0) != (divisor < 0)) ? 1 : 0);
}
std::int64_t ceil_div(std::int64_t n, std::int64_t divisor) { return -floor_div(-n, divisor); }

}  // namespace

PriceLadder::PriceLadder(Side side, const Instrument& instrument, Window window, std::pmr::memory_resource* memory)
    : tick_divisor_(static_cast<std::uint64_t>(std::max<std::int64_t>(instrument.tick, 1))),
      mirror_(side == Side::buy ? 0 : -1),
      far_holes_(memory),
      lowest_(std::min(key_of(instrument.lowest), key_of(instrument.highest))),
      highest_(std::max(key_of(instrument.lowest), key_of(instrument.highest))),
      tick_(instrument.tick),
      window_(window),
      memory_(memory) {
  constexpr std::int64_t most = std::int64_t{1} << 62;
  if (instrument.tick < 1) throw std::invalid_argument("Instrument: the tick must be at least 1");
  if (instrument.lowest > instrument.highest) throw std::invalid_argument("Instrument: lowest is above highest");
  if (instrument.lowest.units < -most || instrument.highest.units > most)
    throw std::invalid_argument("Instrument: prices must lie within +-2^62");
  window_.most = std::clamp<std::uint32_t>(window_.most, 64, Occupancy::most_slots);
  window_.levels = std::clamp<std::uint32_t>(window_.levels, 64, window_.most);
}

PriceLadder::~PriceLadder() { close(); }

// ---- readers

/// What lies where is about to change: readers wait until it has, or give up.
class PriceLadder::LayoutChange {
 public:
  explicit LayoutChange(PriceLadder& ladder) noexcept : ladder_(ladder) {
    if (ladder_.shared_ != nullptr) ladder_.shared_->begin_change();
  }
  ~LayoutChange() {
    if (ladder_.shared_ == nullptr) return;
    SharedLadder& shared = *ladder_.shared_;
    shared.first_key = ladder_.first_key_;
    shared.slots = ladder_.slots_;
    shared.far_count = ladder_.far_count_;
    shared.end_change();
  }
  LayoutChange(const LayoutChange&) = delete;
  LayoutChange& operator=(const LayoutChange&) = delete;

 private:
  PriceLadder& ladder_;
};

LadderFace* PriceLadder::make_face(std::shared_ptr<const WindowMemory> window, std::shared_ptr<const FarMemory> far,
                                   std::shared_ptr<const OrderRecords> orders) const {
  std::pmr::polymorphic_allocator<> allocator(memory_);
  auto* const face = allocator.new_object<LadderFace>();
  face->window = std::move(window);
  face->far = std::move(far);
  face->orders = std::move(orders);
  face->memory = memory_;
  return face;
}

void LadderFaceDeleter::operator()(LadderFace* face) const noexcept {
  std::pmr::polymorphic_allocator<>(face->memory).delete_object(face);
}

// Within a change of the layout, if there is an older face.
void PriceLadder::show(LadderFace* face) noexcept {
  LadderFace* const before = shared_->face.load(std::memory_order_relaxed);
  shared_->face.store(face, std::memory_order_release);
  if (before != nullptr) before->retire();
}

void PriceLadder::share(SharedLadder& shared, const OrderPool& pool) {
  assert(shared_ == nullptr && "a ladder is shared once");
  LadderFace* const face = make_face(window_memory_, far_memory_, pool.records());
  shared.tick = tick_;
  shared.mirror = mirror_;
  shared_ = &shared;
  const LayoutChange change(*this);
  show(face);
}

void PriceLadder::close() noexcept {
  if (shared_ == nullptr) return;
  shared_->begin_change();
  show(nullptr);
  shared_ = nullptr;
}

// ---- levels

const Level* PriceLadder::find(Key key) const noexcept {
  if (const std::uint64_t slot = slot_of(key); slot < slots_) return levels_[slot].empty() ? nullptr : levels_ + slot;
  const std::uint32_t at = far_position(key);
  return at < far_count_ && far_[at].key == key ? &far_levels_[far_[at].index] : nullptr;
}

const Level* PriceLadder::next_worse(Key key) const noexcept {
  const Level* near = nullptr;
  if (slots_ != 0 && key > first_key_) {
    const std::int64_t last = first_key_ + (std::int64_t{slots_} - 1) * tick_;
    const std::uint32_t end =
        key > last ? slots_ : static_cast<std::uint32_t>(ceil_div(key - first_key_, tick_));  // first slot not worse
    if (const std::uint32_t slot = occupancy_.below(end); slot != Occupancy::none) near = levels_ + slot;
  }
  const std::uint32_t at = far_position(key);
  if (at == 0) return near;
  if (near != nullptr && key_of(near->price) > far_[at - 1].key) return near;
  return &far_levels_[far_[at - 1].index];
}

// The first far level whose key is not below `key`.
std::uint32_t PriceLadder::far_position(Key key) const noexcept {
  const auto* const at =
      std::lower_bound(far_, far_ + far_count_, key, [](const FarLevel& a, Key b) { return a.key < b; });
  return static_cast<std::uint32_t>(at - far_);
}

// Room for so many more far levels, so that adding them cannot fail.
bool PriceLadder::reserve_far(std::size_t more) noexcept {
  const std::size_t wanted = far_used_ + more;
  const std::uint32_t room = far_memory_ != nullptr ? far_memory_->room() : 0;
  try {
    if (far_holes_.capacity() < wanted) far_holes_.reserve(std::max<std::size_t>({wanted, room, least_far_levels}));
    if (wanted <= room) return true;
    const auto larger =
        static_cast<std::uint32_t>(std::max<std::size_t>({wanted, std::size_t{room} * 2, least_far_levels}));
    auto memory = std::allocate_shared<FarMemory>(std::pmr::polymorphic_allocator<FarMemory>(memory_), larger, memory_);
    std::copy_n(far_, far_count_, memory->sorted());
    std::copy_n(far_levels_, far_used_, memory->levels());
    LadderFace* const face =
        shared_ != nullptr ? make_face(window_memory_, memory, shared_->face.load(std::memory_order_relaxed)->orders)
                           : nullptr;

    const LayoutChange change(*this);
    if (face != nullptr) show(face);
    far_memory_ = std::move(memory);
    far_ = far_memory_->sorted();
    far_levels_ = far_memory_->levels();
    if (!empty()) find_best(slots_);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

// Requires: reserve_far(), no far level at `key`, and that the layout is being changed.
std::uint32_t PriceLadder::add_far_level(Key key) noexcept {
  std::uint32_t index;
  if (far_holes_.empty()) {
    index = far_used_++;
  } else {
    index = far_holes_.back();
    far_holes_.pop_back();
  }
  far_levels_[index] = {};
  far_levels_[index].price = price_of(key);
  const std::uint32_t at = far_position(key);
  std::copy_backward(far_ + at, far_ + far_count_, far_ + far_count_ + 1);
  far_[at].key = key;
  far_[at].index = index;
  ++far_count_;
  return index;
}

void PriceLadder::rest_far(Key key, OrderIndex index, std::uint32_t open, std::uint32_t traits,
                           OrderPool& pool) noexcept {
  const std::uint32_t at = far_position(key);
  const bool fresh = at == far_count_ || far_[at].key != key;
  std::uint32_t place;
  if (fresh) {
    const LayoutChange change(*this);
    place = add_far_level(key);
  } else {
    place = far_[at].index;
  }
  Level& level = far_levels_[place];
  Order& order = pool[index];
  order.open = open;
  order.traits = traits | Order::rests_far;
  order.place = place;
  level.push_back(pool, index, open);
  if (!fresh) return;
  ++level_count_;
  if (key > best_key_) best_key_ = key, best_ = &level;
}

void PriceLadder::drop_far(Key key) noexcept {
  const LayoutChange change(*this);
  const std::uint32_t at = far_position(key);
  far_holes_.push_back(far_[at].index);
  std::copy(far_ + at + 1, far_ + far_count_, far_ + at);
  --far_count_;
}

bool PriceLadder::prepare(Key key, OrderPool& pool) noexcept {
  if (holds(key)) return true;
  const bool unused = !occupancy_.any() && far_count_ == 0;
  if (on_tick(key) && (unused || ++misses_ >= patience_) && move_window(key, pool) && holds(key)) return true;
  return reserve_far(1);
}

// How large a window around `best` should be: as large as its levels are worth.
std::uint32_t PriceLadder::choose_slots(Key best) const noexcept {
  // levels[n]: how many levels need a window of 2^n slots, a quarter of it being left free above the best.
  std::array<std::uint32_t, 65> levels{};
  const auto count = [&](Key key) {
    if (!on_tick(key)) return;
    const auto ticks =
        (static_cast<std::uint64_t>(best) - static_cast<std::uint64_t>(key)) / static_cast<std::uint64_t>(tick_);
    ++levels[static_cast<std::size_t>(std::bit_width(ticks + ticks / 3))];
  };
  for (std::uint32_t i = 0; i < far_count_; ++i) count(far_[i].key);
  if (slots_ != 0)
    for (std::uint32_t slot = occupancy_.below(slots_); slot != Occupancy::none; slot = occupancy_.below(slot))
      count(key_of(levels_[slot].price));

  // A larger window must have a level more for every 64 slots more.
  std::uint32_t slots = std::max(capacity_, window_.levels);
  std::uint32_t covered = 0, covered_by_slots = 0;
  for (std::uint32_t bits = 0; (1u << bits) <= window_.most; ++bits) {
    covered += levels[bits];
    const std::uint32_t size = 1u << bits;
    if (size <= slots)
      covered_by_slots = covered;
    else if (covered - covered_by_slots >= (size - slots) / 64)
      slots = size, covered_by_slots = covered;
  }
  return slots;
}

// Tells the orders of a level that it lies elsewhere now.
void PriceLadder::relink(const Level& level, std::uint32_t place, bool far, OrderPool& pool) noexcept {
  for (OrderIndex index = level.oldest; index != 0; index = pool[index].newer) {
    Order& order = pool[index];
    order.place = place;
    order.traits = far ? order.traits | Order::rests_far : order.traits & ~Order::rests_far;
  }
}

bool PriceLadder::move_window(Key wanted, OrderPool& pool) noexcept {
  misses_ = 0;
  const bool any_near = occupancy_.any();
  const Key best = std::max(best_key_, wanted);

  // In ticks: nothing here can overflow.
  const std::int64_t tick_lowest = ceil_div(lowest_, tick_), tick_highest = floor_div(highest_, tick_);
  std::uint32_t slots = choose_slots(best);
  const std::uint64_t all_ticks =
      static_cast<std::uint64_t>(tick_highest) - static_cast<std::uint64_t>(tick_lowest) + 1;
  const std::uint32_t capacity = slots;
  if (slots > all_ticks) slots = static_cast<std::uint32_t>(all_ticks);
  std::int64_t first = floor_div(best, tick_) - (std::int64_t{slots} * 3 / 4 - 1);
  first = std::clamp(first, tick_lowest, tick_highest - (std::int64_t{slots} - 1));
  const std::int64_t old_first = slots_ != 0 ? first_key_ / tick_ : first;
  const std::int64_t shift = first - old_first;  // slots by which what stays goes down

  const bool grows = capacity > capacity_;
  const std::uint64_t distance = static_cast<std::uint64_t>(shift < 0 ? -shift : shift);
  const std::uint32_t cost = std::max(capacity, order_count_) / 16;
  if (!grows && slots_ != 0 && distance < slots / 8) {  // would help nobody: ask again less often
    patience_ = std::clamp(patience_ * 2, cost, 1u << 24);
    return false;
  }
  patience_ = cost;

  const auto stays = [&](std::uint32_t slot) {
    const std::int64_t moved = std::int64_t{slot} - shift;
    return moved >= 0 && moved < std::int64_t{slots};
  };
  std::size_t leaving = 0;
  for (std::uint32_t slot = slots_; any_near && (slot = occupancy_.below(slot)) != Occupancy::none;)
    leaving += !stays(slot);
  if (!reserve_far(leaving)) return false;
  std::shared_ptr<WindowMemory> larger;
  LadderFace* face = nullptr;
  if (grows) {
    try {
      larger =
          std::allocate_shared<WindowMemory>(std::pmr::polymorphic_allocator<WindowMemory>(memory_), capacity, memory_);
      if (shared_ != nullptr)
        face = make_face(larger, far_memory_, shared_->face.load(std::memory_order_relaxed)->orders);
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  // From here on nothing fails. What falls out of the window becomes far,
  const LayoutChange change(*this);
  for (std::uint32_t slot = slots_; any_near && (slot = occupancy_.below(slot)) != Occupancy::none;) {
    if (stays(slot)) continue;
    const std::uint32_t index = add_far_level(key_of(levels_[slot].price));
    far_levels_[index] = levels_[slot];
    relink(far_levels_[index], index, true, pool);
    occupancy_.clear(slot);
    levels_[slot] = {};
  }
  // what stays moves by `shift`,
  const std::int64_t begin = std::clamp<std::int64_t>(shift, 0, slots_);
  const std::int64_t end = std::clamp<std::int64_t>(shift + std::int64_t{slots}, 0, slots_);
  std::int64_t to = 0, kept = 0;
  if (begin < end) {
    to = begin - shift;
    kept = end - begin;
  }
  if (grows) {
    std::copy(levels_ + begin, levels_ + begin + kept, larger->levels() + to);
    if (face != nullptr) show(face);
    window_memory_ = std::move(larger);
    levels_ = window_memory_->levels();
    capacity_ = capacity;
  } else if (any_near) {
    if (shift > 0)
      std::copy(levels_ + begin, levels_ + begin + kept, levels_ + to);
    else
      std::copy_backward(levels_ + begin, levels_ + begin + kept, levels_ + to + kept);
    std::fill(levels_, levels_ + to, Level{});
    std::fill(levels_ + to + kept, levels_ + slots, Level{});
  }
  slots_ = slots;
  first_key_ = first * tick_;
  first_place_ += static_cast<std::uint32_t>(shift);
  occupancy_ = Occupancy(window_memory_->words(), capacity_);
  for (std::int64_t slot = to; slot < to + kept; ++slot)
    if (!levels_[slot].empty()) occupancy_.set(static_cast<std::uint32_t>(slot));
  // and far levels that the window now reaches come in.
  std::uint32_t left = 0;
  for (std::uint32_t i = 0; i < far_count_; ++i) {
    const FarLevel far = far_[i];
    const std::uint64_t slot = slot_of(far.key);
    if (slot >= slots_) {
      far_[left++] = far;
      continue;
    }
    levels_[slot] = far_levels_[far.index];
    occupancy_.set(static_cast<std::uint32_t>(slot));
    relink(levels_[slot], static_cast<std::uint32_t>(slot) + first_place_, false, pool);
    far_holes_.push_back(far.index);
  }
  far_count_ = left;
  find_best(slots_);
  return true;
}

std::string PriceLadder::check(const OrderPool& pool, Side side) const {
  const auto at = [](Price price) { return " at " + std::to_string(price.units); };
  std::uint32_t levels = 0, orders = 0;
  Key best = no_key;
  std::string wrong;

  const auto check_level = [&](const Level& level, std::uint32_t place, bool far) {
    const Key key = key_of(level.price);
    ++levels;
    best = std::max(best, key);
    if (!in_range(key)) wrong = "a level out of range" + at(level.price);
    if (level.empty()) wrong = "an empty level is linked" + at(level.price);
    Volume volume = 0;
    std::uint32_t count = 0;
    OrderIndex older = 0;
    for (OrderIndex index = level.oldest; index != 0 && wrong.empty(); older = index, index = pool[index].newer) {
      const Order& order = pool[index];
      if (order.older != older) wrong = "an order does not know the older one" + at(level.price);
      if (order.open == 0) wrong = "an order without open quantity" + at(level.price);
      if (order.place != place || order.is_far() != far) wrong = "an order does not know its level" + at(level.price);
      if (order.side() != side) wrong = "an order of the other side" + at(level.price);
      if (++count > level.orders) wrong = "more orders than counted" + at(level.price);
      volume += order.open;
    }
    if (!wrong.empty()) return;
    if (level.newest != older) wrong = "the newest order is not the last" + at(level.price);
    if (count != level.orders) wrong = "fewer orders than counted" + at(level.price);
    if (volume != level.volume) wrong = "the volume is not the sum of the orders" + at(level.price);
    orders += count;
  };

  for (std::uint32_t slot = 0; slot < slots_ && wrong.empty(); ++slot) {
    const Level& level = levels_[slot];
    if (occupancy_.test(slot) != !level.empty()) return "the bitmap and slot " + std::to_string(slot) + " disagree";
    if (level.empty() && (level.volume != 0 || level.oldest != 0 || level.newest != 0))
      return "slot " + std::to_string(slot) + " is empty but not clean";
    if (level.empty()) continue;
    if (key_of(level.price) != first_key_ + std::int64_t{slot} * tick_)
      return "a wrong price in slot " + std::to_string(slot);
    if (const std::uint32_t below = occupancy_.below(slot + 1); below != slot)
      return "the bitmap misses slot " + std::to_string(slot);
    check_level(level, slot + first_place_, false);
  }
  for (std::uint32_t i = 0; i < far_count_ && wrong.empty(); ++i) {
    const Level& level = far_levels_[far_[i].index];
    if (i > 0 && far_[i - 1].key.get() >= far_[i].key.get()) return "far levels are out of order" + at(level.price);
    if (holds(far_[i].key)) return "a far level belongs into the window" + at(level.price);
    if (far_[i].key != key_of(level.price)) return "a far level has another price" + at(level.price);
    check_level(level, far_[i].index, true);
  }
  if (!wrong.empty()) return wrong;
  if (levels != level_count_) return "the number of levels is wrong";
  if (orders != order_count_) return "the number of orders is wrong";
  if (best != best_key_) return "the best price is wrong";
  if (best != no_key && (best_ != find(best))) return "the best level is another";
  if (best == no_key && best_ != nullptr) return "there is a best level without orders";
  if (far_count_ + far_holes_.size() != far_used_) return "far levels are lost";
  return {};
}

}  // namespace outcry
