// An Outcry actor among CAF actors of the same process.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <caf/all.hpp>

#include <outcry/caf/stage.hpp>
#include <outcry/runtime/runtime.hpp>

#include "bank.hpp"

using namespace std::chrono_literals;

namespace outcry {
namespace {

/// A system of CAF with two workers beside a runtime. Nothing in CAF looks into time: requests here wait a minute at most.
struct World {
  static caf::actor_system_config& configured(caf::actor_system_config& config) {
    config.set("scheduler.max-threads", 2);
    // One queue for both workers, and a turn for each message: an actor that sends to itself hops between them.
    config.set("scheduler.policy", caf::atom("sharing"));
    config.set("scheduler.max-throughput", 1);
    return config;
  }
  explicit World(RuntimeOptions options = {.idle = IdlePolicy::sleep, .pin = false, .log = [](std::string_view) {}})
      : system(configured(config)), runtime(std::move(options)), stage(system, runtime) {}

  caf::actor_system_config config;
  caf::actor_system system;
  Runtime runtime;
  CafStage stage;
};

constexpr auto patience = 60s;

using AccountAddress = Address<Deposit, Ask<BalanceQuery>, Close>;

Actor account(Self<Deposit, Ask<BalanceQuery>, Close> self) {
  std::int64_t sum = 0;
  while (auto message = co_await self.receive()) {
    if (std::holds_alternative<Close>(*message)) break;
    match(
        *message, [&](const Deposit& deposit) { sum += deposit.amount; },
        [&](const Ask<BalanceQuery>& ask) { ask.reply(Balance{sum}); }, [](const Close&) {});
  }
}

Actor breaks(Self<Close> self) {
  co_await self.receive();
  throw std::runtime_error("no more money");
}

/// Asks from outside of any actor.
template <class Answer, class... Ts>
std::optional<Answer> ask(caf::actor_system& system, const caf::actor& to, caf::error* why, Ts... values) {
  caf::scoped_actor self(system);
  std::optional<Answer> answer;
  self->request(to, patience, values...)
      .receive([&](const Answer& value) { answer = value; },
               [&](caf::error& error) {
                 if (why != nullptr) *why = error;
               });
  return answer;
}

/// Why an actor ended, as one hears who monitors it.
caf::error end_of(caf::scoped_actor& self, const caf::actor& of) {
  caf::error reason;
  self->receive([&](const caf::down_msg& down) {
    CHECK(down.source == of.address());
    reason = down.reason;
  });
  return reason;
}

}  // namespace

TEST_CASE("a CAF actor sends to and asks a coroutine actor, in the order in which it sends") {
  World world;
  auto address = world.runtime.spawn(account);
  const caf::actor handle = world.stage.face_of(address);
  world.runtime.start();

  std::promise<std::vector<std::int64_t>> heard;
  world.system.spawn([&](caf::event_based_actor* self) {
    auto balances = std::make_shared<std::vector<std::int64_t>>();
    for (std::int64_t i = 1; i <= 3; ++i) {
      self->send(handle, Deposit{i * 10, 0});
      self->request(handle, patience, BalanceQuery{}).then([&heard, balances](const Balance& balance) {
        balances->push_back(balance.amount);
        if (balances->size() == 3) heard.set_value(*balances);
      });
    }
  });

  CHECK(heard.get_future().get() == std::vector<std::int64_t>{10, 30, 60});
  address.stop();
  world.runtime.join();
}

TEST_CASE(
    "a plain send of a question is answered with a plain message, a request of a plain message when it is delivered") {
  World world;
  auto address = world.runtime.spawn(account);
  const caf::actor handle = world.stage.face_of(address);
  world.runtime.start();

  caf::scoped_actor self(world.system);
  bool delivered = false;
  self->request(handle, patience, Deposit{5, 0}).receive([&] { delivered = true; }, [](caf::error&) {});
  self->send(handle, BalanceQuery{});
  std::int64_t balance = 0;
  self->receive([&](const Balance& answer) { balance = answer.amount; });

  CHECK(delivered);
  CHECK(balance == 5);
  address.stop();
  world.runtime.join();
}

TEST_CASE("a request that the actor does not know is answered unexpected_message; an unknown send is counted") {
  World world;
  auto address = world.runtime.spawn(account);
  const caf::actor handle = world.stage.face_of(address);
  world.runtime.start();

  caf::anon_send(handle, 1, std::string("what"));
  caf::error why;
  const auto answer = ask<Balance>(world.system, handle, &why, std::string("how much"));

  CHECK(!answer);
  CHECK(why == caf::sec::unexpected_message);
  CHECK(caf_counters(handle).unexpected == 2);
  address.stop();
  world.runtime.join();
}

TEST_CASE("CAF's tools learn who the actor is") {
  World world;
  auto address = world.runtime.spawn(account);
  const caf::actor handle = world.stage.face_of(address);
  world.runtime.start();

  caf::scoped_actor self(world.system);
  std::string name;
  self->request(handle, patience, caf::sys_atom::value, caf::get_atom::value, std::string("info"))
      .receive(
          [&](caf::ok_atom, const std::string&, const caf::strong_actor_ptr& who, const std::string& text) {
            CHECK(who == caf::actor_cast<caf::strong_actor_ptr>(handle));
            name = text;
          },
          [](caf::error&) {});

  CHECK(name == "outcry actor");
  address.stop();
  world.runtime.join();
}

TEST_CASE(
    "who monitors a coroutine actor hears how it ended: normally, by an exception, killed, stopped for a reason") {
  World world;
  auto one = world.runtime.spawn(account);
  auto two = world.runtime.spawn(breaks);
  auto three = world.runtime.spawn(account);
  auto four = world.runtime.spawn(account);
  const caf::actor faces[] = {world.stage.face_of(one), world.stage.face_of(two), world.stage.face_of(three),
                              world.stage.face_of(four)};
  world.runtime.start();
  caf::scoped_actor self(world.system);
  for (const caf::actor& face : faces) self->monitor(face);

  self->send(faces[0], Close{});
  CHECK(!end_of(self, faces[0]));
  self->send(faces[1], Close{});
  CHECK(world.system.render(end_of(self, faces[1])).find("no more money") != std::string::npos);
  self->send_exit(faces[2], caf::exit_reason::kill);
  CHECK(end_of(self, faces[2]) == caf::exit_reason::kill);
  self->send_exit(faces[3], caf::exit_reason::user_shutdown);
  CHECK(end_of(self, faces[3]) == caf::exit_reason::user_shutdown);
  world.runtime.join();

  caf::error why;
  CHECK(!ask<Balance>(world.system, faces[0], &why, BalanceQuery{}));
  CHECK(why == caf::sec::request_receiver_down);
}

TEST_CASE("a link carries an end both ways; a normal end breaks nothing") {
  World world;
  auto first = world.runtime.spawn(account);
  auto second = world.runtime.spawn(breaks);
  auto third = world.runtime.spawn(account);
  const caf::actor faces[] = {world.stage.face_of(first), world.stage.face_of(second), world.stage.face_of(third)};
  world.runtime.start();
  caf::scoped_actor self(world.system);
  const auto partner = [&](const caf::actor& of) {
    return self->spawn<caf::monitored>([of](caf::event_based_actor* me) -> caf::behavior {
      me->link_to(of);
      return {[me](caf::ok_atom) { me->quit(caf::exit_reason::out_of_workers); }, [me](std::int32_t) { me->quit(); }};
    });
  };
  const caf::actor partners[] = {partner(faces[0]), partner(faces[1]), partner(faces[2])};

  self->monitor(faces[0]);
  self->send(partners[0], caf::ok_atom::value);
  std::vector<caf::actor_addr> ended;
  std::vector<caf::error> reasons;
  int left = 2;
  self->receive_while([&] { return left-- > 0; })([&](const caf::down_msg& down) {
    ended.push_back(down.source);
    reasons.push_back(down.reason);
  });
  CHECK(reasons == std::vector<caf::error>(2, caf::make_error(caf::exit_reason::out_of_workers)));

  self->send(faces[1], Close{});
  CHECK(end_of(self, partners[1]) == caf::sec::runtime_error);

  self->send(partners[2], std::int32_t{0});
  CHECK(!end_of(self, partners[2]));
  CHECK(ask<Balance>(world.system, faces[2], nullptr, BalanceQuery{}));
  third.stop();
  world.runtime.join();
}

namespace {

/// What a coroutine actor does among CAF actors, and what it saw.
struct Seen {
  std::vector<std::string> lines;
};

caf::behavior adder(caf::event_based_actor* self) {
  return {[](std::int32_t a, std::int32_t b) { return a + b; },
          [self](caf::ok_atom) { self->quit(caf::exit_reason::out_of_workers); }};
}

Actor asks_caf(Self<CafDown> self, CafSelf caf, caf::actor to, caf::actor mute, Seen* seen) {
  auto asking = caf.ask(to, 60s, std::int32_t{40}, std::int32_t{2});
  const auto answer = co_await asking;
  seen->lines.push_back(answer && *answer ? "sum " + std::to_string(answer->get<std::int32_t>()) : "no sum");

  auto wrong = caf.ask(to, 60s, std::string("what"));
  const auto refused = co_await wrong;
  seen->lines.push_back(refused && refused->error() == caf::sec::unexpected_message ? "unexpected" : "taken");

  auto waiting = caf.ask(mute, 10ms, std::int32_t{1});
  const auto late = co_await waiting;
  seen->lines.push_back(!late && late.error() == AskError::timed_out ? "timed out" : "answered");

  caf.monitor(to);
  caf.send(to, caf::ok_atom::value);
  const auto down = co_await self.receive();
  seen->lines.push_back(down && down->source == to.address() && down->reason == caf::exit_reason::out_of_workers
                            ? "down"
                            : "something else");

  auto nobody = caf.ask(to, 60s, std::int32_t{1}, std::int32_t{1});
  const auto gone = co_await nobody;
  seen->lines.push_back(gone && gone->error() == caf::sec::request_receiver_down ? "gone" : "answered");
}

Actor traps(Self<CafExit> self, CafSelf caf, caf::actor other, Seen* seen) {
  caf.link_to(other);
  caf.send(other, caf::ok_atom::value);
  const auto exit = co_await self.receive();
  seen->lines.push_back(exit && exit->reason == caf::exit_reason::out_of_workers ? "trapped" : "something else");
}

Actor fails_linked(Self<> self, CafSelf caf, caf::actor other) {
  caf.link_to(other);
  co_await self.yield();
  throw std::runtime_error("broken");
}

}  // namespace

TEST_CASE("a coroutine actor asks, waits with a limit for, monitors and hears the end of CAF actors") {
  World world;
  Seen seen;
  const caf::actor to = world.system.spawn(adder);
  const caf::actor mute = world.system.spawn([](caf::event_based_actor* self) -> caf::behavior {
    self->set_default_handler(caf::skip);
    return {[](caf::ok_atom) {}};
  });
  world.stage.spawn({}, asks_caf, to, mute, &seen);
  world.runtime.run();

  CHECK(seen.lines == std::vector<std::string>{"sum 42", "unexpected", "timed out", "down", "gone"});
  caf::anon_send_exit(mute, caf::exit_reason::kill);
}

TEST_CASE(
    "an actor that takes exits is told of a broken link instead of ending; its own end breaks the link the other way") {
  World world;
  Seen seen;
  caf::scoped_actor self(world.system);
  const caf::actor one = world.system.spawn(adder);
  const caf::actor two = self->spawn<caf::monitored>(adder);
  world.stage.spawn({}, traps, one, &seen);
  world.stage.spawn({}, fails_linked, two);
  world.runtime.run();

  CHECK(seen.lines == std::vector<std::string>{"trapped"});
  CHECK(world.system.render(end_of(self, two)).find("broken") != std::string::npos);
}

namespace {

Actor raw(Self<CafMessage> self) {
  while (auto message = co_await self.receive()) {
    if (message->holds<std::int32_t, std::int32_t>()) {
      message->reply(message->get<std::int32_t>(0) + message->get<std::int32_t>(1));
    } else if (message->holds<std::string>()) {
      break;
    }
  }
}

}  // namespace

TEST_CASE("an actor that takes any CAF message answers some; an ask that it leaves unanswered is not left waiting") {
  World world;
  auto address = world.runtime.spawn(raw);
  const caf::actor handle = world.stage.face_of(address);
  world.runtime.start();

  CHECK(ask<std::int32_t>(world.system, handle, nullptr, std::int32_t{3}, std::int32_t{4}) == 7);
  caf::error why;
  CHECK(!ask<std::int32_t>(world.system, handle, &why, 1.5));
  CHECK(why == caf::sec::request_receiver_down);
  CHECK(!ask<std::int32_t>(world.system, handle, &why, std::string("end")));
  CHECK(why == caf::sec::request_receiver_down);
  world.runtime.join();
}

namespace {

Actor takes_in_order(Self<Deposit> self, std::int64_t senders, std::int64_t each, std::vector<std::int64_t>* inversions,
                     std::atomic<std::int64_t>* taken) {
  std::vector<std::int64_t> last(static_cast<std::size_t>(senders), 0);
  std::int64_t left = senders * each;
  while (left > 0) {
    auto batch = co_await self.receive_batch();
    if (!batch) break;
    batch.each([&](const Deposit& deposit) {
      auto& before = last[static_cast<std::size_t>(deposit.from)];
      if (deposit.amount != before + 1) inversions->push_back(deposit.amount);
      before = deposit.amount;
      --left;
      taken->fetch_add(1, std::memory_order_relaxed);
    });
  }
}

/// Sends a part of its numbers, then sends itself on: CAF runs the next part on whichever worker is free.
caf::behavior hops(caf::event_based_actor* self, caf::actor to, std::int64_t me, std::int64_t each,
                   std::atomic<std::int64_t>* taken, std::int64_t senders, std::atomic<std::uint64_t>* hops_seen) {
  auto worker = std::make_shared<std::thread::id>();
  return {[=](std::int64_t next) {
    if (const auto here = std::this_thread::get_id(); here != *worker) {
      *worker = here;
      hops_seen->fetch_add(1, std::memory_order_relaxed);
    }
    // The lane has an end: whoever is more than its share ahead of the taker lets others have a turn.
    std::int64_t number = next;
    while (number < next + 4 && number <= each && (number - 1) * senders < taken->load(std::memory_order_relaxed) + 512)
      self->send(to, Deposit{number++, me});
    if (number <= each) {
      self->send(self, number);
    } else {
      self->quit();
    }
  }};
}

}  // namespace

TEST_CASE("the order of each CAF sender holds although it hops between two workers") {
  constexpr std::int64_t senders = 4, each = 50'000;
  World world;
  std::vector<std::int64_t> inversions;
  std::atomic<std::int64_t> taken{0};
  std::atomic<std::uint64_t> hops_seen{0};
  auto address =
      world.runtime.spawn({.mailbox = {.capacity = 256}}, takes_in_order, senders, each, &inversions, &taken);
  const caf::actor handle = world.stage.face_of(address, {.lane = 4096});
  world.runtime.start();
  for (std::int64_t i = 0; i < senders; ++i)
    caf::anon_send(world.system.spawn(hops, handle, i, each, &taken, senders, &hops_seen), std::int64_t{1});
  world.runtime.join();

  CHECK(taken == senders * each);
  CHECK(inversions == std::vector<std::int64_t>{});
  CHECK(caf_counters(handle).dead_letters == 0);
  CHECK(hops_seen > 100);
  MESSAGE("the senders changed their worker ", hops_seen.load(), " times in ", senders * each, " messages");
}

namespace {

/// Takes nothing until it is let go.
Actor sleeper(Self<Deposit, Ask<BalanceQuery>> self, std::atomic<bool>* go, std::int64_t* sum) {
  while (!go->load()) co_await self.sleep(1ms);
  while (auto message = co_await self.receive())
    match(
        *message, [&](const Deposit& deposit) { *sum += deposit.amount; },
        [&](const Ask<BalanceQuery>& ask) { ask.reply(Balance{*sum}); });
}

}  // namespace

TEST_CASE("when mailbox and lane are full, asks bounce and sends are dead letters; an exit comes through") {
  World world;
  std::atomic<bool> go{false};
  std::int64_t sum = 0;
  auto address = world.runtime.spawn({.mailbox = {.capacity = 4}}, sleeper, &go, &sum);
  const caf::actor handle = world.stage.face_of(address, {.lane = 8});
  world.runtime.start();

  caf::scoped_actor self(world.system);
  self->monitor(handle);
  for (int i = 0; i < 4; ++i) self->request(handle, patience, Deposit{1, 0}).receive([] {}, [](caf::error&) {});
  caf::error why;
  CHECK(!ask<Balance>(world.system, handle, &why, BalanceQuery{}));  // the mailbox is full
  CHECK(why == caf::sec::unavailable_or_would_block);
  for (int i = 0; i < 100; ++i) self->send(handle, Deposit{1, 0});
  CHECK(!ask<Balance>(world.system, handle, &why, BalanceQuery{}));  // the lane is full, too
  CHECK(why == caf::sec::unavailable_or_would_block);
  self->send_exit(handle, caf::exit_reason::user_shutdown);
  go = true;
  CHECK(end_of(self, handle) == caf::exit_reason::user_shutdown);
  world.runtime.join();

  const CafCounters counters = caf_counters(handle);
  CHECK(counters.bounced == 2);
  CHECK(counters.received + counters.dead_letters >= 104);
  CHECK(sum + static_cast<std::int64_t>(counters.dead_letters) == 104);
}

TEST_CASE("a runtime that is taken down with actors in it closes their faces") {
  caf::actor_system_config config;
  caf::actor_system system(World::configured(config));
  caf::scoped_actor self(system);
  caf::actor started, never_run;
  {
    Runtime runtime({.idle = IdlePolicy::sleep, .pin = false});
    CafStage stage(system, runtime);
    started = stage.face_of(runtime.spawn(account));
    runtime.start();
    CHECK(ask<Balance>(system, started, nullptr, BalanceQuery{}));
    runtime.stop();
    runtime.join();
    never_run = stage.face_of(runtime.spawn(account));
    self->monitor(started);
    self->monitor(never_run);
    self->send(never_run, Deposit{1, 1});
  }

  std::vector<caf::error> reasons;
  int left = 2;
  self->receive_while([&] { return left-- > 0; })([&](const caf::down_msg& down) { reasons.push_back(down.reason); });
  CHECK(reasons == std::vector<caf::error>(2, caf::make_error(caf::exit_reason::user_shutdown)));
  caf::error why;
  CHECK(!ask<Balance>(system, started, &why, BalanceQuery{}));
  CHECK(why == caf::sec::request_receiver_down);
}

TEST_CASE("in virtual time there is no CAF") {
  caf::actor_system_config config;
  caf::actor_system system(World::configured(config));
  Runtime runtime({.time = WorldTime::virtually});
  CHECK_THROWS_AS(CafStage(system, runtime), std::logic_error);
}

}  // namespace outcry
