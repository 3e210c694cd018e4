// Sequence locks and rings: whoever reads sees one store, whole, and knows what it missed.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include <outcry/runtime/sequence_lock.hpp>
#include <outcry/runtime/sequence_ring.hpp>

using namespace outcry;

namespace {

std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ull;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBull;
  return value ^ (value >> 31);
}

/// Eight cache lines that only fit together if they are of one number. Odd words change with every fifth number only.
struct Sheet {
  std::uint64_t words[63]{};

  static Sheet of(std::uint64_t number) {
    Sheet sheet;
    sheet.words[0] = number;
    for (std::uint64_t i = 1; i < 63; ++i) sheet.words[i] = mixed((i % 2 != 0 ? number / 5 : number) * 64 + i);
    return sheet;
  }
  bool whole() const {
    const Sheet right = of(words[0]);
    for (int i = 1; i < 63; ++i)
      if (words[i] != right.words[i]) return false;
    return true;
  }
};

struct Note {
  std::uint64_t number;
  std::uint64_t a;
  std::uint64_t b;

  static Note of(std::uint64_t number) { return {number, mixed(number), mixed(number + 1)}; }
  bool whole() const { return a == mixed(number) && b == mixed(number + 1); }
};

constexpr auto stress = std::chrono::milliseconds(700);

}  // namespace

TEST_CASE(
    "readers of a sequence lock never see half of one store and half of another, nor an older one after a younger") {
  for (const bool only_changes : {false, true}) {
    CAPTURE(only_changes);
    SequenceLock<Sheet> lock;
    lock.store(Sheet::of(0));
    std::atomic<bool> over{false};
    std::atomic<std::uint64_t> torn{0}, backwards{0}, seen{0}, different{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i)
      readers.emplace_back([&] {
        std::uint64_t before = 0;
        while (!over.load(std::memory_order_relaxed)) {
          const auto sheet = lock.load();
          if (!sheet) continue;
          seen.fetch_add(1, std::memory_order_relaxed);
          if (!sheet->whole()) torn.fetch_add(1, std::memory_order_relaxed);
          if (sheet->words[0] < before) backwards.fetch_add(1, std::memory_order_relaxed);
          if (sheet->words[0] != before) different.fetch_add(1, std::memory_order_relaxed);
          before = sheet->words[0];
        }
      });

    std::uint64_t number = 0;
    Sheet now = Sheet::of(0);
    for (const auto end = std::chrono::steady_clock::now() + stress; std::chrono::steady_clock::now() < end;) {
      for (int i = 0; i < 50; ++i) {
        const Sheet next = Sheet::of(++number);
        if (only_changes) {
          lock.change([&](auto set) {
            for (std::size_t word = 0; word < 63; ++word)
              if (next.words[word] != now.words[word]) set(word, next.words[word]);
          });
        } else {
          lock.store(next);
        }
        now = next;
      }
      // Readers that never get through would prove nothing.
      if (number % 500 == 0) std::this_thread::yield();
    }
    over = true;
    for (std::thread& reader : readers) reader.join();

    CHECK(torn == 0);
    CHECK(backwards == 0);
    CHECK(different > 10);
    CHECK(seen > 100);
    CHECK(lock.stores() == number + 1);
    CHECK(lock.load()->words[0] == number);
  }
}

TEST_CASE("a writer is done in its own time while a reader stands in the middle of a copy") {
  SequenceLock<Note> lock;
  lock.store(Note::of(1));

  std::uint64_t first = 0;
  REQUIRE(lock.try_copy(0, {&first, 1}));
  for (std::uint64_t number = 2; number <= 1000; ++number) lock.store(Note::of(number));  // would hang if it waited

  CHECK(lock.load()->number == 1000);
}

TEST_CASE("a part of a value is copied alone, with the number of its store") {
  SequenceLock<Sheet> lock;
  lock.store(Sheet::of(7));
  lock.store(Sheet::of(8));

  std::uint64_t part[3]{};
  const auto stores = lock.try_copy(10, part);

  CHECK(stores == 2);
  const Sheet whole = Sheet::of(8);
  for (int i = 0; i < 3; ++i) CHECK(part[i] == whole.words[10 + i]);
}

TEST_CASE("a change of some words is one store, and the other words stay") {
  SequenceLock<Note> lock;
  lock.store(Note::of(1));

  lock.change([](auto set) {
    set(0, 5);
    set(2, 7);
  });

  CHECK(lock.stores() == 2);
  CHECK(lock.load()->number == 5);
  CHECK(lock.load()->a == mixed(1));
  CHECK(lock.load()->b == 7);
}

TEST_CASE("the count of a sequence lock wraps without a reader noticing") {
  constexpr std::uint64_t last = std::numeric_limits<std::uint64_t>::max() / 2;  // what 63 bits hold
  SequenceLock<Note> lock(last - 1);

  std::vector<std::uint64_t> stores;
  for (std::uint64_t number = 1; number <= 4; ++number) {
    lock.store(Note::of(number));
    REQUIRE(lock.load());
    CHECK(lock.load()->number == number);
    stores.push_back(lock.stores());
  }

  CHECK(stores == std::vector<std::uint64_t>{last, 0, 1, 2});
}

TEST_CASE("a follower gets every record in order while it keeps up, and counts exactly those that it does not get") {
  SequenceRing<Note, 8> ring;
  SequenceRing<Note, 8>::Follower follower(ring);
  CHECK_FALSE(follower.next());

  for (std::uint64_t number = 0; number < 5; ++number) ring.push(Note::of(number));
  for (std::uint64_t number = 0; number < 5; ++number) CHECK(follower.next()->number == number);
  CHECK_FALSE(follower.next());
  CHECK(follower.missed() == 0);

  for (std::uint64_t number = 5; number < 30; ++number) ring.push(Note::of(number));
  CHECK(follower.next()->number == 22);  // the oldest of the eight that are kept
  CHECK(follower.missed() == 17);
  CHECK(follower.position() == 23);
  CHECK_FALSE(ring.at(21));
  CHECK(ring.at(29)->number == 29);
  CHECK_FALSE(ring.at(30));

  SequenceRing<Note, 8>::Follower from_the_beginning(ring, 0);
  std::vector<std::uint64_t> numbers;
  while (const auto note = from_the_beginning.next()) numbers.push_back(note->number);
  CHECK(numbers == std::vector<std::uint64_t>{22, 23, 24, 25, 26, 27, 28, 29});
  CHECK(from_the_beginning.missed() == 22);
}

TEST_CASE(
    "followers that are overtaken in full run miss records, but none is torn, doubled or out of order, and the gaps "
    "add up") {
  SequenceRing<Note, 64> ring;
  std::atomic<bool> over{false};
  struct Tally {
    std::uint64_t got = 0, wrong = 0, missed = 0, position = 0;
  };
  Tally tallies[2];
  std::vector<std::thread> followers;
  for (Tally& tally : tallies)
    followers.emplace_back([&ring, &over, &tally] {
      SequenceRing<Note, 64>::Follower follower(ring, 0);
      std::uint64_t expected = 0;
      for (bool last = false; !last;) {
        last = over.load(std::memory_order_acquire);
        while (const auto note = follower.next()) {
          ++tally.got;
          // What was skipped is what missed() says: the number tells.
          if (!note->whole() || note->number < expected || note->number != tally.got - 1 + follower.missed())
            ++tally.wrong;
          expected = note->number + 1;
        }
      }
      tally.missed = follower.missed();
      tally.position = follower.position();
    });

  std::uint64_t number = 0;
  for (const auto end = std::chrono::steady_clock::now() + stress; std::chrono::steady_clock::now() < end;) {
    for (int i = 0; i < 200; ++i) ring.push(Note::of(number++));
    if (number % 10'000 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  over.store(true, std::memory_order_release);
  for (std::thread& follower : followers) follower.join();

  for (const Tally& tally : tallies) {
    CHECK(tally.wrong == 0);
    CHECK(tally.got > 100);
    CHECK(tally.got + tally.missed == number);
    CHECK(tally.position == number);
  }
}
