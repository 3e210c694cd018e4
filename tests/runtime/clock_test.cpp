#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <thread>

#include <outcry/runtime/tsc_clock.hpp>

using outcry::TscClock;

TEST_CASE("a clock that may not use the counter is the system's clock, and has nothing to warn of") {
  const TscClock clock(TscClock::Source::system);

  const auto before = TscClock::system_ns();
  const auto now = clock.now_ns();
  const auto after = TscClock::system_ns();

  CHECK(clock.source() == TscClock::Source::system);
  CHECK(clock.warning().empty());
  CHECK(before <= now);
  CHECK(now <= after);
}

TEST_CASE("a clock says why it does not use the counter, or uses it") {
  const TscClock clock;

  const bool counted = clock.source() == TscClock::Source::counter;
  CHECK(clock.warning().empty() == counted);
}

TEST_CASE("time read from the counter stays with the system's clock") {
  const TscClock& clock = TscClock::process();

  // However slow this machine is: the reading lies between two of the system's, but for the error of the rate.
  bool close = false;
  for (int i = 0; i < 1'000 && !close; ++i) {
    const auto before = TscClock::system_ns();
    const auto now = clock.now_ns();
    const auto after = TscClock::system_ns();
    close = before - 1'000'000 <= now && now <= after + 1'000'000;
  }

  CHECK(close);
}

TEST_CASE("time does not run backwards on a thread, wherever the thread runs") {
  const TscClock& clock = TscClock::process();
  const auto runs_forward = [&clock](bool& forward) {
    std::int64_t last = clock.now_ns();
    for (int i = 0; i < 200'000; ++i) {
      const std::int64_t now = clock.now_ns();
      forward &= now >= last;
      last = now;
    }
  };

  bool first = true, second = true;
  std::thread other(runs_forward, std::ref(second));
  runs_forward(first);
  other.join();

  CHECK(first);
  CHECK(second);
}

TEST_CASE("a stamp taken as ticks is a time later") {
  const TscClock& clock = TscClock::process();
  if (clock.source() != TscClock::Source::counter) return;

  const auto ticks = TscClock::ticks();
  const auto a_second = static_cast<std::uint64_t>(clock.ticks_per_ns() * 1e9);

  CHECK(clock.at(ticks) <= clock.now_ns());
  CHECK(std::abs(clock.at(ticks + a_second) - clock.at(ticks) - 1'000'000'000) <= 2);
  CHECK(std::abs(clock.at(ticks) - clock.at(ticks - a_second) - 1'000'000'000) <= 2);
}
