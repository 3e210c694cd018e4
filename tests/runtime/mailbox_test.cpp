#include "../seed.hpp"
#include "scenario.hpp"

#include <algorithm>
#include <map>

using namespace scenario;

namespace {

/// Market data: the latest for each symbol is enough.
struct Quote {
  std::uint64_t symbol = 0;
  std::int64_t value = 0;
  std::uint64_t conflation_key() const { return symbol; }
};

/// The same in a box.
class BoxedQuote {
 public:
  BoxedQuote() = default;
  BoxedQuote(std::uint64_t symbol, std::int64_t value)
      : symbol_(symbol), value_(std::make_unique<std::int64_t>(value)) {}
  std::uint64_t conflation_key() const { return symbol_; }
  std::int64_t value() const { return *value_; }

 private:
  std::uint64_t symbol_ = 0;
  std::unique_ptr<std::int64_t> value_;
};

struct Question {
  using Reply = Number;
  std::int64_t value = 0;
};

/// Takes nothing until it is let go; then everything that is there.
template <class M>
Actor gate(Self<M, Text> self, Duration shut, Events* events, std::string (*line)(const M&)) {
  co_await self.sleep(shut);
  while (auto message = co_await self.receive()) {
    match(
        *message, [&](const M& m) { events->push_back(line(m)); },
        [&](const Text& text) { events->push_back(text.text()); });
  }
}

std::string line_of_number(const Number& number) { return std::to_string(number.value); }
std::string line_of_quote(const Quote& quote) {
  return std::to_string(quote.symbol) + "=" + std::to_string(quote.value);
}
std::string line_of_boxed(const BoxedQuote& quote) {
  return std::to_string(quote.conflation_key()) + "=" + std::to_string(quote.value());
}

/// Sends numbers and waits for room; says when each was handed over.
Actor patient_sender(Self<> self, Address<Number> to, std::int64_t first, std::int64_t count, Events* events) {
  for (std::int64_t i = first; i < first + count; ++i) {
    auto sent = to.send(Number{i});
    const bool at_once = sent.accepted();
    const bool handed_over = co_await sent;
    if (!handed_over) {
      events->push_back(std::to_string(i) + " lost");
      break;
    }
    if (!at_once) events->push_back(std::to_string(i) + " waited");
  }
  static_cast<void>(self);
}

Actor careless_sender(Self<> self, Address<Number> to, std::int64_t count, Events* events) {
  for (std::int64_t i = 1; i <= count; ++i) {
    if (!to.send(Number{i}).accepted()) events->push_back(std::to_string(i) + " refused");
  }
  co_return;
  static_cast<void>(self);
}

template <class M, class Make>
Actor sends_all(Self<> self, Address<M> to, int count, Make make) {
  for (int i = 0; i < count; ++i) to.send(make(i));
  co_return;
  static_cast<void>(self);
}

}  // namespace

TEST_CASE("who waits for room waits in line, nothing is lost, and the mailbox holds no more than it should") {
  Runtime world(live());
  Events events;
  auto to = world.spawn({.mailbox = {.capacity = 3}}, gate<Number>, Duration(1ms), &events, &line_of_number);
  world.spawn(patient_sender, to, std::int64_t{10}, std::int64_t{5}, &events);
  world.spawn(patient_sender, to, std::int64_t{20}, std::int64_t{3}, &events);
  world.spawn(
      [](Self<> self, AnyAddress address) -> Actor {
        co_await self.sleep(3ms);
        address.stop();
      },
      to);
  world.run();
  // 13, then 20, wait in line and move up when 10 and 11 are taken; the rest finds room.
  Events taken, waited;
  for (const std::string& event : events) (event.ends_with("waited") ? waited : taken).push_back(event);
  CHECK(taken == Events{"10", "11", "12", "13", "20", "14", "21", "22"});
  CHECK(waited == Events{"13 waited", "20 waited"});
}

TEST_CASE("in virtual time credits travel as far as the messages") {
  RuntimeOptions options = simulation();
  options.latency.within_site = Duration(10);
  Runtime world(options);
  Events events;
  auto to = world.spawn({.mailbox = {.capacity = 1}}, gate<Number>, Duration(100), &events, &line_of_number);
  struct Sender {
    Events* events;
    Actor operator()(Self<> self, Address<Number> to) const {
      for (int i = 1; i <= 3; ++i) {
        auto sent = to.send(Number{i});
        co_await sent;
        events->push_back(std::to_string(i).append(" sent at ").append(at(self.now())));
      }
    }
  };
  world.spawn(Sender{&events}, to);
  world.run();
  // Taken at 100, the credit is there at 110, the next message at 120.
  CHECK(events == Events{"1 sent at 0", "1", "2 sent at 110", "2", "3 sent at 130", "3"});
}

TEST_CASE("a mailbox that refuses tells the sender, and counts") {
  Runtime world(live());
  Events events;
  auto to = world.spawn({.mailbox = {.capacity = 3, .when_full = WhenFull::refuse}}, gate<Number>, Duration(1ms),
                        &events, &line_of_number);
  struct Sender {
    Events* events;
    Actor operator()(Self<> self, Address<Number> to) const {
      co_await self.yield();
      for (int i = 1; i <= 5; ++i) {
        const bool handed_over = co_await to.send(Number{i});
        if (!handed_over) events->push_back(std::to_string(i).append(" refused"));
      }
      co_await self.sleep(3ms);
      to.stop();
    }
  };
  world.spawn(Sender{&events}, to);
  world.run();
  CHECK(events == Events{"4 refused", "5 refused", "1", "2", "3"});
  CHECK(world.mailbox_counters().refused == 2);
}

TEST_CASE("in virtual time a mailbox refuses on arrival") {
  Runtime world(simulation());
  Events events;
  auto to = world.spawn({.mailbox = {.capacity = 3, .when_full = WhenFull::refuse}}, gate<Number>, Duration(100),
                        &events, &line_of_number);
  world.spawn(careless_sender, to, std::int64_t{5}, &events);
  world.run();
  CHECK(events == Events{"1", "2", "3"});
  CHECK(world.mailbox_counters().refused == 2);
}

TEST_CASE("a message that nobody waits with is dropped by a full mailbox, and counted") {
  Runtime world(live());
  Events events;
  auto to = world.spawn({.mailbox = {.capacity = 3}}, gate<Number>, Duration(1ms), &events, &line_of_number);
  world.spawn(careless_sender, to, std::int64_t{5}, &events);
  world.spawn(
      [](Self<> self, AnyAddress address) -> Actor {
        co_await self.sleep(3ms);
        address.stop();
      },
      to);
  world.run();
  CHECK(events == Events{"4 refused", "5 refused", "1", "2", "3"});
  CHECK(world.counters().refused == 2);
}

TEST_CASE("of a mailbox that drops the oldest the newest are left") {
  for (const bool virtually : {false, true}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    auto to = world.spawn({.mailbox = {.capacity = 3, .when_full = WhenFull::drop_oldest}}, gate<Number>, Duration(1ms),
                          &events, &line_of_number);
    world.spawn(careless_sender, to, std::int64_t{10}, &events);
    world.spawn(
        [](Self<> self, AnyAddress address) -> Actor {
          co_await self.sleep(3ms);
          address.stop();
        },
        to);
    world.run();
    CHECK(events == Events{"8", "9", "10"});
    CHECK(world.mailbox_counters().dropped == 7);
  }
}

TEST_CASE("news of an actor's end is never dropped to make room, and keeps its place") {
  for (const bool virtually : {false, true}) {
    for (const WhenFull policy : {WhenFull::drop_oldest, WhenFull::latest, WhenFull::refuse, WhenFull::wait}) {
      Runtime world(virtually ? simulation() : live());
      Events events;
      struct Watcher {
        Events* events;
        Actor operator()(Self<Down, Quote> self, AnyAddress watched) const {
          self.monitor(watched);
          co_await self.sleep(3ms);
          while (auto message = co_await self.receive_for(Duration(1ms))) {
            match(
                *message, [&](const Down& down) { events->push_back(to_string(down.end)); },
                [&](const Quote& quote) { events->push_back(line_of_quote(quote)); });
          }
        }
      };
      struct Watched {
        Actor operator()(Self<> self) const { co_await self.sleep(Duration(100)); }
      };
      auto watched = world.spawn(Watched{});
      auto to = world.spawn({.mailbox = {.capacity = 2, .when_full = policy}}, Watcher{&events}, watched);
      world.spawn(
          [](Self<> self, Address<Quote> quotes) -> Actor {
            co_await self.sleep(2ms);  // the news comes first
            for (int i = 1; i <= 4; ++i) quotes.send(Quote{static_cast<std::uint64_t>(i), i});
          },
          Address<Quote>(to));
      world.run();
      Events expected{"finished"};
      if (policy == WhenFull::drop_oldest || policy == WhenFull::latest)
        expected.push_back("4=4");
      else if (virtually && policy == WhenFull::wait)
        expected.insert(expected.end(), {"1=1", "2=2"});  // on credit, beside the news
      else
        expected.push_back("1=1");
      CHECK(events == expected);
    }
  }
}

TEST_CASE("only the latest of each key is kept, in the place of the first") {
  for (const bool virtually : {false, true}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    auto to = world.spawn({.mailbox = {.capacity = 8, .when_full = WhenFull::latest}}, gate<Quote>, Duration(1ms),
                          &events, &line_of_quote);
    world.spawn(
        [](Self<> self, Address<Quote, Text> quotes) -> Actor {
          for (const Quote quote : {Quote{1, 10}, Quote{2, 20}, Quote{1, 11}, Quote{3, 30}, Quote{2, 21}, Quote{1, 12}})
            quotes.send(quote);
          co_await self.sleep(3ms);
          quotes.send(Quote{2, 22});  // taken by now: a new place
          quotes.send(Quote{1, 13});
          co_await self.sleep(3ms);
          quotes.stop();
        },
        to);
    world.run();
    CHECK(events == Events{"1=12", "2=21", "3=30", "2=22", "1=13"});
    CHECK(world.mailbox_counters().conflated == 3);
    CHECK(world.mailbox_counters().dropped == 0);
  }
}

TEST_CASE("beyond its capacity in keys a mailbox that keeps the latest drops the oldest") {
  Runtime world(live());
  Events events;
  auto to = world.spawn({.mailbox = {.capacity = 3, .when_full = WhenFull::latest}}, gate<BoxedQuote>, Duration(1ms),
                        &events, &line_of_boxed);
  world.spawn(
      [](Self<> self, Address<BoxedQuote, Text> quotes) -> Actor {
        for (int i = 1; i <= 5; ++i) quotes.send(BoxedQuote(static_cast<std::uint64_t>(i), i));
        quotes.send(BoxedQuote(4, 44));  // in place
        quotes.send(BoxedQuote(1, 11));  // its first was dropped: a new place, and 3 goes
        co_await self.sleep(3ms);
        quotes.stop();
      },
      to);
  world.run();
  CHECK(events == Events{"4=44", "5=5", "1=11"});
  CHECK(world.mailbox_counters().dropped == 3);
  CHECK(world.mailbox_counters().conflated == 1);
}

TEST_CASE("keys of different types do not meet") {
  Runtime world(live());
  Events events;
  struct Both {
    Events* events;
    Actor operator()(Self<Quote, BoxedQuote> self) const {
      co_await self.sleep(1ms);
      while (auto message = co_await self.receive_for(1ms)) {
        match(
            *message, [&](const Quote& quote) { events->push_back(line_of_quote(quote)); },
            [&](const BoxedQuote& quote) { events->push_back("boxed " + line_of_boxed(quote)); });
      }
    }
  };
  auto to = world.spawn({.mailbox = {.when_full = WhenFull::latest}}, Both{&events});
  world.spawn(
      [](Self<> self, Address<Quote, BoxedQuote> quotes) -> Actor {
        quotes.send(Quote{1, 1});
        quotes.send(BoxedQuote(1, 2));
        quotes.send(Quote{1, 3});
        co_return;
        static_cast<void>(self);
      },
      to);
  world.run();
  CHECK(events == Events{"1=3", "boxed 1=2"});
}

TEST_CASE("asks are not replaced by later asks, and the one that is dropped is told so") {
  for (const bool virtually : {false, true}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    struct Late {
      Actor operator()(Self<Ask<Question>> self) const {
        co_await self.sleep(1ms);
        while (auto ask = co_await self.receive_for(1ms)) ask->reply(Number{ask->query.value});
      }
    };
    struct Asker {
      Events* events;
      Actor operator()(Self<> self, Address<Ask<Question>> to, std::int64_t value) const {
        co_await self.sleep(Duration(value));  // in order
        const auto answer = co_await to.ask(Question{value});
        events->push_back(answer                                ? std::to_string(answer->value)
                          : answer.error() == AskError::refused ? "refused"
                                                                : "other");
      }
    };
    auto to = world.spawn({.mailbox = {.capacity = 2, .when_full = WhenFull::latest}}, Late{});
    for (std::int64_t value : {1, 2, 3}) world.spawn(Asker{&events}, to, value);
    world.run();
    std::sort(events.begin(), events.end());
    CHECK(events == Events{"2", "3", "refused"});
  }
}

TEST_CASE("a drawn stream of quotes is conflated as by the obvious list") {
  const std::uint64_t seed = test_seed();
  INFO("--seed=" << seed);
  for (std::uint64_t round = 0; round < 20; ++round) {
    Random random(seed, round);
    const auto capacity = static_cast<std::uint32_t>(random.between(1, 300));
    const std::uint64_t keys = 1 + random.below(1'000);
    Mailbox mailbox;
    mailbox.open({.capacity = capacity, .when_full = WhenFull::latest}, sizeof(Quote));
    std::vector<Quote> obvious;
    MailboxCounters expected;
    bool equal = true;
    for (int i = 0; i < 20'000; ++i) {
      if (random.chance(0.5)) {
        const Quote quote{random.below(keys), i};
        const auto same =
            std::find_if(obvious.begin(), obvious.end(), [&](const Quote& q) { return q.symbol == quote.symbol; });
        if (same != obvious.end()) {
          *same = quote;
          ++expected.conflated;
        } else {
          if (obvious.size() == capacity) {
            obvious.erase(obvious.begin());
            ++expected.dropped;
          }
          obvious.push_back(quote);
          ++expected.received;
        }
        if (Mailbox::Slot* slot = mailbox.waiting(&message_type<Quote>, quote.symbol); slot != nullptr) {
          Payload<Quote>::put(slot->payload(), Quote(quote));
        } else {
          if (mailbox.full()) mailbox.drop_oldest();
          Payload<Quote>::put(mailbox.push(&message_type<Quote>, 0)->payload(), Quote(quote));
        }
      } else if (!obvious.empty()) {
        const Quote taken = Payload<Quote>::take(mailbox.front()->payload());
        mailbox.pop();
        equal &= taken.symbol == obvious.front().symbol && taken.value == obvious.front().value;
        obvious.erase(obvious.begin());
      }
      equal &= mailbox.size() == obvious.size();
    }
    CHECK(equal);
    CHECK(mailbox.counters().received == expected.received);
    CHECK(mailbox.counters().dropped == expected.dropped);
  }
}

TEST_CASE("every policy hands boxed messages over whole, or destroys them") {
  for (const bool virtually : {false, true}) {
    for (const WhenFull policy : {WhenFull::wait, WhenFull::refuse, WhenFull::drop_oldest, WhenFull::latest}) {
      Runtime world(virtually ? simulation() : live());
      std::int64_t sum = 0;
      struct Takes {
        std::int64_t* sum;
        Actor operator()(Self<Parcel, Page, Text> self) const {
          co_await self.sleep(1ms);
          while (auto message = co_await self.receive_for(Duration(1ms))) {
            match(
                *message, [&](const Parcel& parcel) { *sum += parcel.value(); },
                [&](const Page& page) { *sum += page.words[0] + page.words[15]; },
                [&](const Text& text) { *sum += static_cast<std::int64_t>(text.text().size()); });
            if (*sum > 500) break;  // the rest is destroyed with the mailbox
          }
        }
      };
      auto to = world.spawn({.mailbox = {.capacity = 16, .when_full = policy}}, Takes{&sum});
      world.spawn(
          [](Self<> self, Address<Parcel, Page, Text> parcels) -> Actor {
            for (int i = 0; i < 40; ++i) {
              parcels.send(Parcel(10));
              Page page;
              page.words[0] = 4;
              page.words[15] = 6;
              const bool handed_over = co_await parcels.send(page);
              static_cast<void>(handed_over);
              parcels.send(Text("0123456789"));
            }
            static_cast<void>(self);
          },
          to);
      world.run();
      if (policy == WhenFull::latest)
        CHECK(sum == 30);
      else
        CHECK((sum == 160 || sum == 510));
      CHECK(world.actors() == 0);
    }
  }
}

TEST_CASE("a world that is torn down in the middle of everything destroys what was under way") {
  for (const bool virtually : {false, true}) {
    auto kept = std::make_shared<int>(0);
    {
      RuntimeOptions options = virtually ? simulation() : live();
      options.latency.within_site = Duration(50);
      Runtime world(options);
      struct Owner {
        std::shared_ptr<int> kept;
        Actor operator()(Self<Parcel, Text, Ask<Question>> self, Address<Parcel, Text> to) const {
          const std::shared_ptr<int> mine = kept;
          for (int i = 0; i < 10; ++i) {
            to.send(Text("on its way, long enough for the heap"));
            to.send_at(later(self.now(), 1h), Parcel(i));
            co_await to.send(Parcel(i));
          }
          co_await self.sleep(1h);
        }
      };
      struct Deaf {
        std::shared_ptr<int> kept;
        Actor operator()(Self<Parcel, Text> self, Runtime* world) const {
          co_await self.sleep(Duration(60));
          world->stop();
          co_await self.sleep(1h);
        }
      };
      auto deaf = world.spawn({.mailbox = {.capacity = 5}}, Deaf{kept}, &world);
      for (int i = 0; i < 3; ++i) world.spawn(Owner{kept}, deaf);
      deaf.send(Text("from outside, and long enough for the heap"));
      world.run();
      deaf.send(Text("after the end, and long enough for the heap"));
      CHECK(kept.use_count() > 1);
    }
    CHECK(kept.use_count() == 1);
  }
}

TEST_CASE("destructors of actors may send, stop and kill while the world is torn down") {
  for (const bool virtually : {false, true}) {
    RuntimeOptions options = virtually ? simulation() : live(2);
    Runtime world(options);
    struct Guard {
      Address<Text> to;
      ~Guard() {
        to.send(Text("a last word that lies on the heap, surely"));
        to.stop();
        to.kill();
      }
    };
    struct Guarded {
      Actor operator()(Self<> self, Address<Text> to) const {
        const Guard guard{to};
        co_await self.sleep(1h);
      }
    };
    struct Sleeps {
      Actor operator()(Self<Text> self, Runtime* world) const {
        co_await self.sleep(1ms);
        world->stop();
        co_await self.sleep(1h);
      }
    };
    auto first = world.spawn({.site = 0}, Sleeps{}, &world);
    world.spawn({.site = virtually ? 0u : 1u}, Guarded{}, first);
    world.spawn({.site = 0}, Guarded{}, first);
    world.run();
    CHECK(world.actors() == 3);
  }
}

TEST_CASE("who waits for room is told when the receiver ends, and does not wait for it again") {
  for (const bool virtually : {false, true}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    auto to = world.spawn({.mailbox = {.capacity = 1}}, gate<Number>, Duration(1h), &events, &line_of_number);
    world.spawn(patient_sender, to, std::int64_t{1}, std::int64_t{5}, &events);
    world.spawn(
        [](Self<> self, AnyAddress address) -> Actor {
          co_await self.sleep(1ms);
          address.kill();
        },
        to);
    world.run();
    CHECK(events == Events{"2 lost"});
  }
}

TEST_CASE("a sender that is killed while it waits for room leaves the line") {
  for (const bool virtually : {false, true}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    bool open = false;
    auto to = world.spawn(
        {.mailbox = {.capacity = 1}},
        [](Self<Number, Text> self, const bool* may_take, Events* list) -> Actor {
          while (!*may_take) co_await self.sleep(100us);
          while (auto message = co_await self.receive()) list->push_back(line_of_number(std::get<Number>(*message)));
        },
        &open, &events);
    world.spawn(
        [](Self<> self, Address<Number, Text> address, Events* list, bool* may_take) -> Actor {
          const Address<Number> numbers = address;
          self.spawn(patient_sender, numbers, std::int64_t{1}, std::int64_t{1}, list);
          co_await self.sleep(100us);
          auto killed = self.spawn(patient_sender, numbers, std::int64_t{2}, std::int64_t{2}, list);
          co_await self.sleep(100us);
          self.spawn(patient_sender, numbers, std::int64_t{8}, std::int64_t{1}, list);
          co_await self.sleep(100us);
          killed.kill();
          co_await self.sleep(100us);
          *may_take = true;
          co_await self.sleep(20ms);
          address.stop();
        },
        to, &events, &open);
    world.run();
    if (virtually) {  // each sender has credit of its own
      CHECK(events == Events{"1", "2", "8"});
    } else {
      CHECK(events == Events{"1", "8", "8 waited"});
    }
  }
}

TEST_CASE("builds with asserts name actors that wait for room in each other") {
#ifdef NDEBUG
  MESSAGE("this build has no asserts");
#else
  for (const bool virtually : {true, false}) {
    std::vector<std::string> lines;
    RuntimeOptions options = virtually ? simulation() : live();
    options.log = [&lines](std::string_view line) { lines.emplace_back(line); };
    Runtime world(options);
    struct Partner {
      Address<Number> address;
    };
    const auto pushes = [](Self<Number, Partner> self) -> Actor {
      auto first = co_await self.receive();
      const Address<Number> other = std::get<Partner>(*first).address;
      for (std::int64_t i = 0;; ++i) {
        const bool handed_over = co_await other.send(Number{i});
        if (!handed_over) break;
      }
    };
    auto a = world.spawn({.name = "a", .mailbox = {.capacity = 2}}, pushes);
    auto b = world.spawn({.name = "b", .mailbox = {.capacity = 2}}, pushes);
    auto c = world.spawn({.name = "c", .mailbox = {.capacity = 2}}, pushes);
    world.spawn(
        [](Self<> self, Address<Number, Partner> x, Address<Number, Partner> y, Address<Number, Partner> z) -> Actor {
          x.send(Partner{y});
          y.send(Partner{z});
          z.send(Partner{x});
          co_await self.sleep(1ms);
          self.runtime().stop();
        },
        a, b, c);
    world.run();
    REQUIRE(lines.size() == 1);
    const std::string said = "actors wait for room in each other, and will for ever: ";
    const Events cycles{said + "a -> b -> c -> a", said + "b -> c -> a -> b", said + "c -> a -> b -> c"};
    CHECK(std::find(cycles.begin(), cycles.end(), lines[0]) != cycles.end());  // who came last tells
  }
#endif
}
