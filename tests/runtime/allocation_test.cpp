// What the runtime allocates once it is warm: this program counts every operator new.
#include "scenario.hpp"

#include "tests/counted_allocations.hpp"

using namespace scenario;
using outcry_test::allocations;

namespace {

struct PartnerIs {
  Address<Number> address;
};

/// Between the end of the warm-up and the last message.
struct Meter {
  std::int64_t warm_up = 0;
  std::int64_t until = 0;
  std::int64_t counted = 0;
  std::int64_t before = 0;
  std::int64_t allocated = -1;

  void count() {
    if (++counted == warm_up) before = allocations.load();
    if (counted == until) allocated = allocations.load() - before;
  }
};

Actor player(Self<Number, PartnerIs> self, Meter* meter, bool serves) {
  auto first = co_await self.receive();
  const Address<Number> partner = std::get<PartnerIs>(*first).address;
  if (serves) partner.send(Number{0});
  while (auto message = co_await self.receive()) {
    meter->count();
    const std::int64_t number = std::get<Number>(*message).value + 1;
    partner.send(Number{number});
    if (number > 2 * meter->until + 100) break;  // an actor's end may allocate: it is not measured here
  }
}

std::int64_t allocated_by_pingpong(RuntimeOptions options, std::int64_t warm_up, std::int64_t messages) {
  Runtime world(options);
  Meter meters[2]{{.warm_up = warm_up, .until = warm_up + messages}, {.warm_up = warm_up, .until = warm_up + messages}};
  auto one = world.spawn({.site = 0}, player, &meters[0], true);
  auto two = world.spawn({.site = options.schedulers - 1}, player, &meters[1], false);
  one.send(PartnerIs{two});
  two.send(PartnerIs{one});
  world.run();
  return meters[0].allocated;
}

struct Question {
  using Reply = Number;
  std::int64_t value = 0;
};

}  // namespace

TEST_CASE("a warm actor sends and receives on its scheduler without an allocation, live and in virtual time") {
  CHECK(allocated_by_pingpong(live(), 1'000, 100'000) == 0);
  CHECK(allocated_by_pingpong(simulation(), 1'000, 100'000) == 0);
}

TEST_CASE("warm actors ask, sleep, begin tasks and, live, spawn without an allocation") {
  for (const bool virtually : {false, true}) {
    Runtime world(virtually ? simulation() : live());
    Meter meter{.warm_up = 2'000, .until = 10'000};
    auto to = world.spawn([](Self<Ask<Question>> self) -> Actor {
      while (auto ask = co_await self.receive()) ask->reply(Number{ask->query.value});
    });
    struct Busy {
      static Task<std::int64_t> asks(Address<Ask<Question>> to, std::int64_t value) {
        auto asking = to.ask(Question{value}, 1s);
        const auto answer = co_await asking;
        co_return answer ? answer->value : -1;
      }
      Actor operator()(Self<> self, Address<Ask<Question>> to, Meter* meter) const {
        while (meter->counted < meter->until) {
          const std::int64_t answer = co_await asks(to, meter->counted);
          CHECK(answer == meter->counted);
          if (self.scheduler().virtual_time()) {  // where a new link is remembered
            meter->count();
          } else {
            auto child = self.spawn(
                [](Self<Number> me, Meter* m) -> Actor {
                  co_await me.receive();
                  m->count();
                },
                meter);
            child.send(Number{1});
          }
          co_await self.sleep(Duration(1));
        }
        to.stop();
      }
    };
    world.spawn(Busy{}, to, &meter);
    world.run();
    CHECK(meter.allocated == 0);
  }
}

TEST_CASE("warm schedulers send to each other, one by one and in bulk, all but without allocations") {
  // moodycamel allocates blocks of 32 and gives them back to be used again; a look at an inbox allocates nothing.
  CHECK(allocated_by_pingpong(live(2), 5'000, 50'000) <= 2);

  Runtime world(live(2));
  Meter meter{.warm_up = 100'000, .until = 400'000};
  auto to = world.spawn(
      {.scheduler = 0, .mailbox = {.capacity = 1'000}},
      [](Self<Number> self, Meter* m) -> Actor {
        while (m->counted < m->until) {
          auto batch = co_await self.receive_batch();
          batch.each([&](Number) { m->count(); });
        }
      },
      &meter);
  world.spawn(
      {.scheduler = 1},
      [](Self<> self, Address<Number> address, std::int64_t count) -> Actor {
        for (std::int64_t i = 0; i < count; ++i) co_await address.send(Number{i});
        static_cast<void>(self);
      },
      to, meter.until);
  world.run();
  MESSAGE("300,000 messages across schedulers in bulk: " << meter.allocated << " allocations");
  CHECK(meter.allocated <= 100);
}
