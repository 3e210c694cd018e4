#include <outcry/book/order_pool.hpp>

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace outcry {

namespace {
constexpr std::size_t line = 64;
std::size_t bytes_for(std::uint32_t limit) { return (std::size_t{limit} + 1) * sizeof(Order); }
std::size_t term_bytes_for(std::uint32_t limit) { return (std::size_t{limit} + 1) * sizeof(OrderTerms); }
}  // namespace

OrderRecords::OrderRecords(std::uint32_t limit, std::pmr::memory_resource* memory)
    : orders_(static_cast<Order*>(memory->allocate(bytes_for(limit), line))), limit_(limit), memory_(memory) {}

OrderRecords::~OrderRecords() { memory_->deallocate(orders_, bytes_for(limit_), line); }

void OrderRecords::prefault(std::uint32_t count) noexcept {
  std::uninitialized_value_construct_n(orders_ + ready_, count);
  ready_.release(ready_ + count);
}

OrderPool::OrderPool(Size size, std::pmr::memory_resource* memory)
    : limit_(size.limit), chunk_(std::max<std::uint32_t>(size.chunk, 1)), memory_(memory) {
  if (size.limit == 0 || size.limit == std::numeric_limits<std::uint32_t>::max())
    throw std::invalid_argument("OrderPool: the limit must be at least 1 and below 2^32 - 1");
  records_ =
      std::allocate_shared<OrderRecords>(std::pmr::polymorphic_allocator<OrderRecords>(memory_), limit_, memory_);
  orders_ = records_->data();
  records_->prefault(1);
  while (prefaulted() < std::min(size.orders, limit_)) prefault_chunk();
}

OrderPool::~OrderPool() {
  if (terms_ != nullptr) memory_->deallocate(terms_, term_bytes_for(limit_), line);
}

void OrderPool::keep_terms() {
  if (terms_ == nullptr) terms_ = static_cast<OrderTerms*>(memory_->allocate(term_bytes_for(limit_), line));
}

void OrderPool::grow() noexcept {
  ++grown_;
  prefault_chunk();
}

void OrderPool::prefault_chunk() noexcept {
  const std::uint32_t count = std::min(chunk_, limit_ + 1 - ready_);
  records_->prefault(count);
  ready_ += count;
}

void OrderPool::warm() const noexcept {
  for (OrderIndex index = 0; index < ready_; ++index)
    static_cast<void>(*reinterpret_cast<const volatile unsigned char*>(orders_ + index));
}

OrderPool::Report OrderPool::report() const noexcept {
  return {.capacity = limit_,
          .prefaulted = prefaulted(),
          .in_use = in_use_,
          .high_water = high_water(),
          .grown = grown_,
          .refused = refused_,
          .bytes = std::uint64_t{prefaulted()} * (sizeof(Order) + (terms_ != nullptr ? sizeof(OrderTerms) : 0))};
}

std::string to_string(const OrderPool::Report& report) {
  return "orders: " + std::to_string(report.in_use) + " in use, " + std::to_string(report.high_water) + " at most of " +
         std::to_string(report.capacity) + " (" + std::to_string(report.prefaulted) + " prefaulted, " +
         std::to_string(report.bytes) + " bytes), grown " + std::to_string(report.grown) +
         (report.grown == 1 ? " time, " : " times, ") + std::to_string(report.refused) + " refused";
}

}  // namespace outcry
