#include <outcry/book/shared_book.hpp>

#include <memory>

namespace outcry {

namespace {
constexpr std::size_t line = 64;
}

WindowMemory::WindowMemory(std::uint32_t slots, std::pmr::memory_resource* memory) : slots_(slots), memory_(memory) {
  levels_ = static_cast<Level*>(memory_->allocate(bytes(), line));
  words_ = reinterpret_cast<Word<std::uint64_t>*>(levels_ + slots_);
  std::uninitialized_value_construct_n(levels_, slots_);
  std::uninitialized_value_construct_n(words_, Occupancy::words_for(slots_));
}

WindowMemory::~WindowMemory() { memory_->deallocate(levels_, bytes(), line); }

FarMemory::FarMemory(std::uint32_t room, std::pmr::memory_resource* memory) : room_(room), memory_(memory) {
  levels_ = static_cast<Level*>(memory_->allocate(bytes(), line));
  sorted_ = reinterpret_cast<FarLevel*>(levels_ + room_);
  std::uninitialized_value_construct_n(levels_, room_);
  std::uninitialized_value_construct_n(sorted_, room_);
}

FarMemory::~FarMemory() { memory_->deallocate(levels_, bytes(), line); }

}  // namespace outcry
