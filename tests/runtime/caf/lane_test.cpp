// The lane and its gate with plain threads: nothing of CAF's runs here.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include <outcry/caf/lane.hpp>

namespace outcry {
namespace {

CafElement element(std::int64_t sender, std::int64_t number) {
  return caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, sender, number);
}

std::int64_t at(const CafElement& element, std::size_t position) {
  return element->content().get_as<std::int64_t>(position);
}

}  // namespace

TEST_CASE("a lane gives elements in the order of their pushes, whole and once") {
  CafLane lane;
  CHECK(lane.push(element(0, 1)));
  CHECK(!lane.push(element(0, 2)));
  CafBatch batch = lane.take_all();
  CHECK(lane.push(element(0, 3)));

  std::vector<std::int64_t> taken;
  for (CafElement one = batch.next(); one != nullptr; one = batch.next()) taken.push_back(at(one, 1));
  CHECK(taken == std::vector<std::int64_t>{1, 2});
  CHECK(lane.take_all().next() != nullptr);
  CHECK(lane.take_all().next() == nullptr);
}

TEST_CASE("who pushes from one thread after another keeps its order; each first push of many threads is told once") {
  constexpr std::int64_t senders = 3, each = 60'000;
  CafLane lane;
  std::atomic<std::int64_t> numbers[senders]{};  // handed from thread to thread: a sender that hops
  std::atomic<std::int64_t> wakes{0};
  std::atomic<int> left{2};
  const auto push = [&](std::int64_t parity) {
    for (bool more = true; more;) {
      more = false;
      for (std::int64_t sender = 0; sender < senders; ++sender) {
        const std::int64_t number = numbers[sender].load(std::memory_order_acquire);
        if (number < each) more = true;
        if (number >= each || number % 2 != parity) continue;
        if (lane.push(element(sender, number + 1))) wakes.fetch_add(1, std::memory_order_relaxed);
        numbers[sender].store(number + 1, std::memory_order_release);
      }
    }
    left.fetch_sub(1);
  };
  std::thread one(push, 0), two(push, 1);

  std::int64_t last[senders]{}, taken = 0, inversions = 0, batches = 0;
  for (bool ending = false; taken < senders * each;) {
    ending = left.load() == 0;
    CafBatch batch = lane.take_all();
    bool any = false;
    for (CafElement element = batch.next(); element != nullptr; element = batch.next(), ++taken) {
      any = true;
      std::int64_t& before = last[at(element, 0)];
      if (at(element, 1) != before + 1) ++inversions;
      before = at(element, 1);
    }
    if (any) ++batches;
    if (ending && !any) break;
  }
  one.join();
  two.join();

  CHECK(taken == senders * each);
  CHECK(inversions == 0);
  CHECK(wakes == batches);
}

TEST_CASE("a gate that is closed lets nobody in, and nobody is left inside") {
  Gate gate;
  std::atomic<bool> closed{false};
  std::atomic<int> too_late{0};
  const auto visit = [&] {
    while (gate.enter()) {
      if (closed.load(std::memory_order_relaxed)) too_late.fetch_add(1);
      gate.leave();
    }
  };
  std::thread one(visit), two(visit);
  std::this_thread::yield();
  gate.close();
  closed = true;
  one.join();
  two.join();

  CHECK(too_late == 0);
  CHECK(!gate.enter());
}

}  // namespace outcry
