// An actor that moves: what it knew and what was sent to it comes along, its address stays, and nobody else notices.
#include <outcry/runtime/moving.hpp>

#include "../seed.hpp"
#include "scenario.hpp"

#include <array>
#include <map>
#include <mutex>
#include <stdexcept>

#include <outcry/runtime/registry.hpp>
#include <outcry/runtime/supervisor.hpp>

using namespace scenario;

namespace {

struct Signed {
  std::int64_t sender = 0;
  std::int64_t number = 0;
};
struct Question {
  using Reply = Number;
  std::int64_t value = 0;
};
struct Where {
  using Reply = Number;
  std::uint32_t unused = 0;
};
struct Move {
  std::int64_t scheduler = 0;
};
enum class Finish : std::uint64_t { by_itself, by_exception };
struct Go {
  Finish how = Finish::by_itself;
};

using Wanderer = Self<Signed, Move, Go, Ask<Question>, Ask<Where>, Ask<Whereabouts>, Down>;
using WandererHome = Home<Signed, Move, Go, Ask<Question>, Ask<Where>, Ask<Whereabouts>, Down>;
using WandererAddress = Wanderer::AddressType;

/// What it knows; whoever has it is the only one.
struct Notes {
  std::vector<Signed> seen;
  std::int64_t moves = 0;
  std::int64_t downs = 0;
};

Actor wanderer(Wanderer self, WandererHome home, std::unique_ptr<Notes> notes, Notes* last) {
  Finish how = Finish::by_itself;
  bool goes = false;
  while (!goes) {
    auto message = co_await self.receive();
    if (!message) break;
    std::optional<std::int64_t> where;
    match(
        *message, [&](const Signed& number) { notes->seen.push_back(number); },
        [&](const Move& move) { where = move.scheduler; },
        [&](const Go& go) {
          goes = true;
          how = go.how;
        },
        [&](const Ask<Question>& ask) { ask.reply(Number{ask.query.value * 2}); },
        [&](const Ask<Where>& ask) {
          // In virtual time nobody may know.
          const bool live = !self.scheduler().virtual_time();
          ask.reply(Number{live ? self.scheduler().index() : -1});
        },
        [&](const Ask<Whereabouts>& ask) { ask.reply(home.whereabouts(self)); }, [&](const Down&) { ++notes->downs; });
    if (!where) continue;
    ++notes->moves;
    const Destination there{.scheduler = static_cast<int>(*where)};
    auto moving = move_to(self, home, there, wanderer, std::move(notes), last);
    co_await moving;
    co_return;
  }
  *last = *notes;
  if (how == Finish::by_exception) throw std::runtime_error("went away");
}

WandererAddress spawn_wanderer(Runtime& runtime, Notes* last, SpawnOptions options = {.name = "wanderer"}) {
  return runtime.spawn(options, wanderer, WandererHome{}, std::make_unique<Notes>(), last);
}

/// Each sender's numbers are 1, 2, ... up to `each`.
void check_complete(const Notes& notes, std::int64_t senders, std::int64_t each) {
  std::map<std::int64_t, std::int64_t> last;
  std::int64_t out_of_order = 0;
  for (const Signed& number : notes.seen)
    if (number.number != ++last[number.sender]) ++out_of_order;
  CHECK(out_of_order == 0);
  CHECK(notes.seen.size() == static_cast<std::size_t>(senders * each));
}

Actor sends(Self<> self, std::int64_t sender, std::int64_t messages, WandererAddress to) {
  for (std::int64_t i = 1; i <= messages; ++i) {
    auto sending = to.send(Signed{sender, i});
    co_await sending;
    if (self.random().chance(0.02)) co_await self.yield();
  }
}

Actor sends_directly(Self<> self, std::int64_t sender, std::int64_t messages, WandererAddress to) {
  for (std::int64_t i = 1; i <= messages; ++i) {
    auto sending = to.send(Signed{sender, i});
    co_await sending;
    if (!self.random().chance(0.05)) continue;
    auto looking = direct_to(to);
    to = co_await looking;
  }
}

/// Again where the mailbox was full: an ask does not wait for room.
template <class Query>
Task<Reply<Number>> insist(Self<> self, WandererAddress to, Query query) {
  for (;;) {
    auto asking = to.ask(query);
    const auto answer = co_await asking;
    if (answer || answer.error() != AskError::refused) co_return answer;
    co_await self.yield();
  }
}

Actor asks(Self<> self, std::int64_t questions, WandererAddress to, std::int64_t* right) {
  for (std::int64_t i = 1; i <= questions; ++i) {
    auto asking = insist(self, to, Question{i});
    const auto answer = co_await asking;
    if (answer && answer->value == 2 * i) ++*right;
    if (self.random().chance(0.1)) co_await self.yield();
  }
}

/// Has it moved about, an ask apart, and lets it go when all others have ended.
Actor drives(Self<Down> self, std::int64_t moves, std::uint32_t schedulers, std::vector<AnyAddress> others,
             WandererAddress to, bool stops) {
  for (const AnyAddress& other : others) self.monitor(other);
  for (std::int64_t i = 0; i < moves; ++i) {
    auto sending = to.send(Move{static_cast<std::int64_t>(self.random().below(schedulers))});
    co_await sending;
    auto asking = insist(Self<>(self.cell()), to, Where{});
    const auto answer = co_await asking;
    if (!answer) throw std::runtime_error("no answer");
  }
  for (std::size_t i = 0; i < others.size(); ++i) {
    const auto down = co_await self.receive();
    if (!down) break;
  }
  if (stops) {
    to.stop();
  } else {
    to.send(Go{});
  }
}

struct Wandering {
  std::int64_t senders = 4;
  std::int64_t each = 2'000;
  std::int64_t moves = 100;
  std::uint32_t capacity = 64;
  bool directly = false;
  bool stops = false;
};

void wander(RuntimeOptions options, const Wandering& how) {
  const std::uint32_t schedulers = options.schedulers;
  Runtime runtime(std::move(options));
  Notes notes;
  std::array<std::int64_t, 2> right{};
  const auto to = spawn_wanderer(runtime, &notes, {.name = "wanderer", .mailbox = {.capacity = how.capacity}});
  std::vector<AnyAddress> others;
  for (std::int64_t i = 0; i < how.senders; ++i)
    others.push_back(
        runtime.spawn({.site = static_cast<std::uint32_t>(i)}, how.directly ? sends_directly : sends, i, how.each, to));
  for (std::size_t i = 0; i < right.size(); ++i)
    others.push_back(runtime.spawn({.site = static_cast<std::uint32_t>(i)}, asks, how.each / 4, to, &right[i]));
  runtime.spawn(drives, how.moves, schedulers, others, to, how.stops);
  runtime.run();
  CHECK(runtime.actors() == 0);
  CHECK(notes.moves == how.moves);
  CHECK(right[0] == how.each / 4);
  CHECK(right[1] == how.each / 4);
  check_complete(notes, how.senders, how.each);
}

}  // namespace

TEST_CASE("an actor that moves answers from over there, with what it knew") {
  Runtime runtime(live(2));
  Notes notes;
  std::vector<std::int64_t> places;
  const auto to = spawn_wanderer(runtime, &notes);
  runtime.spawn(
      [](Self<>, WandererAddress moves, std::vector<std::int64_t>* answers) -> Actor {
        for (const std::int64_t where : {1, 0, 1, 1}) {
          moves.send(Signed{1, where});
          moves.send(Move{where});
          auto asking = moves.ask(Where{});
          const auto answer = co_await asking;
          answers->push_back(answer ? answer->value : -1);
        }
        moves.send(Go{});
      },
      to, &places);
  runtime.run();

  CHECK(places == std::vector<std::int64_t>{1, 0, 1, 1});
  CHECK(notes.seen.size() == 4);
  CHECK(notes.moves == 4);
}

TEST_CASE("four senders' messages keep their order through a hundred moves, none is lost, all asks are answered") {
  SUBCASE("two schedulers") { wander(live(2), {}); }
  SUBCASE("four schedulers") { wander(live(4), {}); }
  SUBCASE("a mailbox of two") { wander(live(2), {.each = 500, .capacity = 2}); }
  SUBCASE("stopped, not sent away") { wander(live(2), {.each = 500, .stops = true}); }
}

TEST_CASE("senders who asked for the direct address keep their order through a hundred moves") {
  SUBCASE("two schedulers") { wander(live(2), {.directly = true}); }
  SUBCASE("a mailbox of two") { wander(live(3), {.each = 500, .capacity = 2, .directly = true}); }
}

namespace {

Actor watches(Self<Down> self, AnyAddress other, std::vector<Down>* downs) {
  self.monitor(other);
  for (;;) {
    const auto down = co_await self.receive_for(downs->empty() ? 10s : 50ms);
    if (!down) break;
    downs->push_back(*down);
  }
}

/// Moves it twice, then `ends` it.
Actor moves_and_ends(Self<>, WandererAddress to, int how) {
  for (const std::int64_t where : {1, 0, 1}) {
    to.send(Move{where});
    auto asking = to.ask(Where{});
    const auto answer = co_await asking;
    if (!answer) throw std::runtime_error("no answer");
  }
  switch (how) {
    case 0: to.send(Go{}); break;
    case 1: to.send(Go{Finish::by_exception}); break;
    case 2: to.kill(); break;
    default: to.stop();
  }
}

}  // namespace

TEST_CASE("a monitor hears of the real end only, with its reason") {
  struct Expected {
    End end;
    std::string_view why;
  };
  const std::array<Expected, 4> expected{
      {{End::finished, ""}, {End::failed, "went away"}, {End::killed, ""}, {End::finished, ""}}};
  for (int run = 0; run < 8; ++run) {
    const int how = run / 2;
    CAPTURE(run);
    Runtime runtime(run % 2 == 0 ? live(2) : simulation());
    Notes notes;
    std::vector<Down> downs;
    const auto to = spawn_wanderer(runtime, &notes);
    runtime.spawn(watches, AnyAddress(to), &downs);
    runtime.spawn(moves_and_ends, to, how);
    runtime.run();

    REQUIRE(downs.size() == 1);
    CHECK(downs[0].end == expected[static_cast<std::size_t>(how)].end);
    CHECK(downs[0].why() == expected[static_cast<std::size_t>(how)].why);
    CHECK(runtime.actors() == 0);
  }
}

TEST_CASE("a link follows: the partner's failure ends the actor over there, and its failure ends the partner") {
  for (int run = 0; run < 4; ++run) {
    const bool partner_fails = run / 2 == 0;
    CAPTURE(run);
    Runtime runtime(run % 2 == 0 ? live(2) : simulation());
    Notes notes;
    std::vector<Down> downs, partner_downs;
    const auto to = spawn_wanderer(runtime, &notes);
    runtime.spawn(watches, AnyAddress(to), &downs);
    const auto partner = runtime.spawn(
        [](Self<Number, Down> self, AnyAddress other) -> Actor {
          self.link(other);
          const auto message = co_await self.receive();
          if (message) throw std::runtime_error("the partner failed");
        },
        AnyAddress(to));
    runtime.spawn(watches, AnyAddress(partner), &partner_downs);
    runtime.spawn(
        [](Self<>, WandererAddress moved, Address<Number, Down> linked, bool fails) -> Actor {
          for (const std::int64_t where : {1, 0, 1}) {
            moved.send(Move{where});
            auto asking = moved.ask(Where{});
            const auto answer = co_await asking;
            if (!answer) throw std::runtime_error("no answer");
          }
          if (fails) {
            linked.send(Number{1});
          } else {
            moved.send(Go{Finish::by_exception});
          }
        },
        to, partner, partner_fails);
    runtime.run();

    REQUIRE(downs.size() == 1);
    REQUIRE(partner_downs.size() == 1);
    CHECK(downs[0].end == (partner_fails ? End::linked : End::failed));
    CHECK(downs[0].why() == (partner_fails ? "the partner failed" : "went away"));
    CHECK(partner_downs[0].end == (partner_fails ? End::failed : End::linked));
    CHECK(partner_downs[0].why() == downs[0].why());
    CHECK(runtime.actors() == 0);
  }
}

namespace {

/// Moves at once, then waits for a number: it fails by one, and finishes without.
Actor restless(Self<Number, Down> self, Home<Number, Down> home, int* starts) {
  if (!home.away()) {
    ++*starts;
    auto moving = move_to(self, home, Destination{.scheduler = 1}, restless, starts);
    co_await moving;
    co_return;
  }
  for (;;) {
    const auto message = co_await self.receive();
    if (!message) break;
    if (std::holds_alternative<Number>(*message)) throw std::runtime_error("took a number");
  }
}

}  // namespace

TEST_CASE("an actor that has moved keeps its name and its supervisor, who starts it again at home") {
  for (const bool virtually : {false, true}) {
    CAPTURE(virtually);
    Runtime runtime(virtually ? simulation() : live(2));
    int starts = 0;
    bool restarted_twice = false;
    const Registry registry(runtime);
    const Supervision how{.pause = 1ms, .registry = registry};
    const auto boss = runtime.spawn(
        supervisor, how, std::vector{supervised({.name = "restless"}, restless, Home<Number, Down>{}, &starts)});
    runtime.spawn(
        [](Self<> self, Registry names, Address<Down, Ask<SupervisorQuery>> top, bool* reached) -> Actor {
          for (std::uint32_t fails = 0; fails <= 2; ++fails) {
            for (;;) {  // until it is there
              co_await self.sleep(1ms);
              auto asking = top.ask(SupervisorQuery{});
              const auto report = co_await asking;
              if (!report || (report->running == 1 && report->restarts == fails)) break;
            }
            if (fails == 2) break;
            auto finding = names.find<Number>("restless");
            const auto found = co_await finding;
            if (found) found->send(Number{1});
          }
          *reached = true;
          top.stop();
        },
        registry, boss, &restarted_twice);
    runtime.run();

    CHECK(starts == 3);
    CHECK(restarted_twice);
    if (virtually) runtime.stop_actors();  // the registry
    CHECK(runtime.actors() == 0);
  }
}

TEST_CASE("an alarm and a monitor made at home go on, and what they bring is passed on") {
  Runtime runtime(simulation());
  Notes notes;
  const auto mortal = runtime.spawn([](Self<> self) -> Actor { co_await self.sleep(20ms); });
  runtime.spawn(
      [](Wanderer self, AnyAddress watched, Notes* last) -> Actor {
        self.monitor(watched);
        self.send_after(30ms, self.address(), Signed{7, 7});
        self.send_after(40ms, self.address(), Go{});
        auto moving = move_to(self, WandererHome{}, Destination{}, wanderer, std::make_unique<Notes>(), last);
        co_await moving;
      },
      AnyAddress(mortal), &notes);
  runtime.run();

  CHECK(notes.downs == 1);
  CHECK(notes.seen.size() == 1);
}

TEST_CASE("an ask that was taken before the move is answered from over there") {
  struct Late {
    static Actor answers(Self<Ask<Question>, Down>, Home<Ask<Question>, Down>, Ask<Question> open) {
      open.reply(Number{open.query.value * 3});
      co_return;
    }
    static Actor takes(Self<Ask<Question>, Down> self) {
      const auto message = co_await self.receive();
      if (!message) co_return;
      const auto ask = std::get<Ask<Question>>(*message);
      auto moving = move_to(self, Home<Ask<Question>, Down>{}, {.scheduler = 1}, answers, ask);
      co_await moving;
    }
  };
  Runtime runtime(live(2));
  std::int64_t answered = 0;
  const auto to = runtime.spawn(Late::takes);
  runtime.spawn(
      [](Self<>, Address<Ask<Question>> asked, std::int64_t* result) -> Actor {
        auto asking = asked.ask(Question{7});
        const auto answer = co_await asking;
        *result = answer ? answer->value : -1;
      },
      to, &answered);
  runtime.run();
  CHECK(answered == 21);
}

TEST_CASE("moving to a place that is none is refused, and the actor stays where it is") {
  struct Tries {
    static Actor once(Wanderer self, Destination where, std::string* why) {
      try {
        auto moving = move_to(self, WandererHome{}, where, wanderer, std::make_unique<Notes>(), nullptr);
        co_await moving;
      } catch (const std::logic_error& error) {
        *why = error.what();
      }
    }
  };
  const auto refusal = [](RuntimeOptions options, Destination where) {
    Runtime runtime(std::move(options));
    std::string why;
    runtime.spawn({.site = 1}, Tries::once, where, &why);
    runtime.run();
    return why;
  };
  RuntimeOptions sites = simulation();
  sites.latency.between_sites = 1ms;
  CHECK(refusal(live(2), {.scheduler = 2}) == "there is no scheduler 2 to move to: there are 2");
  CHECK(refusal(live(2), {}) == "an actor moves to a scheduler or to the scheduler of a site");
  CHECK(refusal(sites, {.site = 0}) == "an actor of a simulation stays on its site: another one has other latencies");
}

namespace {

std::uint64_t digest_of_wandering(std::uint64_t seed, std::uint32_t schedulers) {
  RuntimeOptions options = simulation(schedulers);
  options.seed = seed;
  options.latency = {.within_site = 1us, .between_sites = 5us, .jitter = 2us};
  Runtime runtime(std::move(options));
  std::array<Notes, 3> notes;
  std::array<std::int64_t, 3> right{};
  for (std::uint32_t i = 0; i < 3; ++i) {
    const auto to = spawn_wanderer(runtime, &notes[i], {.name = "wanderer", .site = i, .mailbox = {.capacity = 8}});
    std::vector<AnyAddress> others;
    for (std::uint32_t j = 0; j < 4; ++j)
      others.push_back(runtime.spawn({.site = j}, j % 2 == 0 ? sends : sends_directly, j, 100, to));
    others.push_back(runtime.spawn({.site = i + 1}, asks, 30, to, &right[i]));
    runtime.spawn({.site = 3}, drives, 20, 4u, others, to, i == 0);
  }
  runtime.run();
  CHECK(runtime.actors() == 0);
  for (const Notes& one : notes) {
    CHECK(one.moves == 20);
    check_complete(one, 4, 100);
  }
  for (const std::int64_t all : right) CHECK(all == 30);
  return runtime.digest();
}

}  // namespace

TEST_CASE("a simulation in which actors move under load has the same digest on any number of schedulers") {
  const std::uint64_t seed = test_seed();
  MESSAGE("seed ", seed);
  for (std::uint64_t i = 0; i < 5; ++i) {
    const std::uint64_t one = digest_of_wandering(seed + i, 1);
    CHECK(digest_of_wandering(seed + i, 2) == one);
    CHECK(digest_of_wandering(seed + i, 4) == one);
  }
}

TEST_CASE("a runtime may be stopped while actors move") {
  for (int i = 0; i < 30; ++i) {
    Runtime runtime(live(2));
    std::array<Notes, 4> notes;
    for (std::uint32_t j = 0; j < 4; ++j) {
      const auto to = spawn_wanderer(runtime, &notes[j], {.site = j});
      runtime.spawn({.site = j}, drives, 1'000'000, 2u, std::vector<AnyAddress>{}, to, false);
    }
    runtime.spawn(
        [](Self<> self, int after) -> Actor {
          co_await self.sleep(std::chrono::microseconds(100 * after));
          self.runtime().stop();
        },
        i);
    runtime.run();
    CHECK(runtime.stopped());
  }
}
