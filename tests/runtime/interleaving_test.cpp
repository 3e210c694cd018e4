// The order of what happens at one moment is drawn from a seed: what the drawing keeps, and that mailboxes, supervision
// and cancellation keep their promises in every order drawn.
#include "interleavings.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <stop_token>

#include <outcry/runtime/channel.hpp>
#include <outcry/runtime/offload.hpp>
#include <outcry/runtime/scope.hpp>
#include <outcry/runtime/stop_token.hpp>
#include <outcry/runtime/supervisor.hpp>

using namespace scenario;

namespace {

struct Question {
  using Reply = Number;
  std::int64_t value = 0;
};
struct Signed {
  std::int64_t sender = 0;
  std::int64_t number = 0;
  std::uint64_t conflation_key() const { return static_cast<std::uint64_t>(sender); }
};

// ---- the seam

Actor collector(Self<Signed> self, std::vector<Signed>* seen) {
  while (auto message = co_await self.receive()) seen->push_back(*message);
}

Actor two_numbers(Self<>, std::int64_t sender, Address<Signed> to) {
  to.send(Signed{sender, 1});
  to.send(Signed{sender, 2});
  co_return;
}

Actor passes_on(Self<Signed> self, Address<Signed> to) {
  const auto message = co_await self.receive();
  if (message) to.send(*message);
}

std::string order_of(const std::vector<Signed>& seen) {
  std::string order;
  for (const Signed& message : seen)
    order += std::to_string(message.sender) + "." + std::to_string(message.number) + " ";
  return order;
}

RuntimeOptions drawn(std::uint64_t seed, std::uint32_t schedulers = 1) {
  RuntimeOptions options = simulation(schedulers);
  options.interleaving = seed;
  return options;
}

/// Everybody sends drawn numbers to everybody on sites a nanosecond or two apart.
std::uint64_t crowd(std::uint64_t seed, std::uint32_t schedulers) {
  RuntimeOptions options = drawn(seed, schedulers);
  options.seed = seed;
  options.latency = {.between_sites = Duration(2), .jitter = Duration(1)};
  Runtime world(std::move(options));
  const auto member = [](Self<Signed> self, const std::vector<Address<Signed>>* all) -> Actor {
    for (std::int64_t i = 0; i < 20; ++i) {
      const auto sent = (*all)[self.random().below(all->size())].send(Signed{0, i});
      const auto message = co_await self.receive_for(Duration(self.random().between(0, 3)));
      if (message) (*all)[static_cast<std::size_t>(message->number) % all->size()].send(Signed{1, message->number});
    }
  };
  std::vector<Address<Signed>> all;
  for (std::uint32_t i = 0; i < 12; ++i)
    all.push_back(world.spawn({.site = i % 4, .mailbox = {.when_full = WhenFull::refuse}}, member, &all));
  world.run();
  return world.digest();
}

}  // namespace

TEST_CASE("a seed draws one order, whatever the number of schedulers, and other seeds draw others") {
  std::set<std::uint64_t> digests;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const std::uint64_t one = crowd(seed, 1);
    CHECK(crowd(seed, 1) == one);
    CHECK(crowd(seed, 2) == one);
    CHECK(crowd(seed, 4) == one);
    digests.insert(one);
  }
  CHECK(digests.size() == 40);
}

TEST_CASE("two senders come in any order, each sender's messages in theirs") {
  std::map<std::string, int> orders;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    Runtime world(drawn(seed));
    std::vector<Signed> seen;
    const auto to = world.spawn(collector, &seen);
    world.spawn(two_numbers, 1, to);
    world.spawn(two_numbers, 2, to);
    world.run();
    ++orders[order_of(seen)];
  }

  // All orders of 1.1 1.2 2.1 2.2 that keep each sender's.
  REQUIRE(orders.size() == 6);
  for (const auto& [order, times] : orders) CHECK(times >= 20);
}

TEST_CASE("a message that was passed on by another comes before or after the one sent directly") {
  int passed_on_first = 0, direct_first = 0;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    Runtime world(drawn(seed));
    std::vector<Signed> seen;
    const auto to = world.spawn(collector, &seen);
    const auto between = world.spawn(passes_on, to);
    world.spawn(
        [](Self<>, Address<Signed> first, Address<Signed> then) -> Actor {
          first.send(Signed{1, 1});
          then.send(Signed{2, 2});
          co_return;
        },
        between, to);
    world.run();
    REQUIRE(seen.size() == 2);
    ++(seen[0].sender == 1 ? passed_on_first : direct_first);
  }
  CHECK(passed_on_first >= 50);
  CHECK(direct_first >= 50);
}

TEST_CASE("a time-out races with the message of its moment") {
  int timed_out = 0, came = 0;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    Runtime world(drawn(seed));
    bool message_first = false;
    const auto to = world.spawn(
        [](Self<Number> self, bool* first) -> Actor {
          const auto message = co_await self.receive_until(time_from_ns(5));
          *first = message.has_value();
        },
        &message_first);
    world.spawn(
        [](Self<> self, Address<Number> receiver) -> Actor {
          co_await self.sleep_until(time_from_ns(5));
          receiver.send(Number{1});
        },
        to);
    world.run();
    ++(message_first ? came : timed_out);
  }
  CHECK(timed_out >= 50);
  CHECK(came >= 50);
}

TEST_CASE("work that was offloaded for the same time ends in any order") {
  std::map<std::string, int> orders;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Runtime world(drawn(seed));
    std::string order;
    for (int i = 0; i < 3; ++i)
      world.spawn(
          [](Self<> self, int number, std::string* ended) -> Actor {
            auto working = offload(self, [number] { return number; }, 1ms);
            const int result = co_await working;
            ended->append(std::to_string(result));
          },
          i, &order);
    world.run();
    ++orders[order];
  }
  CHECK(orders.size() == 6);
}

TEST_CASE("an order is drawn in virtual time only") {
  RuntimeOptions options = live();
  options.interleaving = 1;
  CHECK_THROWS_WITH(Runtime(std::move(options)),
                    "RuntimeOptions::interleaving draws the order of a simulation, not of a live world");
}

// ---- mailboxes

namespace {

struct Tally {
  std::int64_t sent = 0;      // handed over, as the sender saw it
  std::int64_t not_sent = 0;  // given back
  std::int64_t taken = 0;
  std::map<std::int64_t, std::int64_t> last;  // taken, by sender
  bool in_order = true;
};

Actor sender_of(Self<> self, std::int64_t number, std::int64_t messages, Address<Signed> to, Tally* tally) {
  for (std::int64_t i = 1; i <= messages; ++i) {
    auto sending = to.send(Signed{number, i});
    const bool sent = co_await sending;
    ++(sent ? tally->sent : tally->not_sent);
    if (self.random().chance(0.3)) co_await self.sleep(Duration(self.random().between(0, 3)));
  }
}

Actor slow_receiver(Self<Signed> self, Tally* tally) {
  while (auto message = co_await self.receive()) {
    ++tally->taken;
    std::int64_t& last = tally->last[message->sender];
    if (message->number <= last) tally->in_order = false;
    last = message->number;
    if (self.random().chance(0.3)) co_await self.sleep(Duration(self.random().between(0, 3)));
  }
}

/// Stops `to` after all of `others` have ended.
Actor stops_after(Self<Down> self, std::vector<AnyAddress> others, AnyAddress to) {
  for (const AnyAddress& other : others) self.monitor(other);
  for (std::size_t i = 0; i < others.size(); ++i) {
    const auto down = co_await self.receive();
    if (!down) break;
  }
  co_await self.sleep(Duration(100));  // what is under way has come
  to.stop();
}

Actor stops_at(Self<> self, Duration delay, AnyAddress to, bool kill) {
  co_await self.sleep(delay);
  kill ? to.kill() : to.stop();
}

struct MailboxPlay {
  Tally tally;
  MailboxCounters counters;
  std::int64_t dead_letters = 0;
  std::int64_t refused = 0;
  std::int64_t attempts = 0;
  std::int64_t each = 0;
};

/// Three senders and a receiver that is slow; `stopped_at` negative: when all was sent.
MailboxPlay play_mailbox(Trial& trial, WhenFull when_full, std::int64_t stopped_at, bool kill = false) {
  MailboxPlay play;
  Runtime world(trial.world());
  const auto capacity = static_cast<std::uint32_t>(trial.random().between(1, 3));
  play.each = trial.random().between(1, 5);
  const auto to = world.spawn({.mailbox = {.capacity = capacity, .when_full = when_full}}, slow_receiver, &play.tally);
  std::vector<AnyAddress> senders;
  for (std::int64_t i = 1; i <= 3; ++i) senders.push_back(world.spawn(sender_of, i, play.each, to, &play.tally));
  if (stopped_at < 0) {
    world.spawn(stops_after, senders, AnyAddress(to));
  } else {
    world.spawn(stops_at, Duration(stopped_at), AnyAddress(to), kill);
  }
  trial.play(world);
  play.attempts = 3 * play.each;
  play.counters = world.mailbox_counters();
  play.dead_letters = static_cast<std::int64_t>(world.counters().dead_letters);
  play.refused = static_cast<std::int64_t>(world.counters().refused);
  trial.require(play.tally.in_order, "a sender's messages came out of order");
  trial.require(play.tally.sent + play.tally.not_sent == play.attempts, "a sender did not hear of a message");
  return play;
}

}  // namespace

TEST_CASE("in every order: who waits for room loses nothing") {
  check_every_order(for_each_seed([](Trial& trial) {
    const MailboxPlay play = play_mailbox(trial, WhenFull::wait, -1);
    trial.require(play.tally.not_sent == 0, "a message was given back");
    trial.require(play.tally.taken == play.attempts, "a message was lost");
  }));
}

TEST_CASE("in every order: what a full mailbox refuses is counted, and all else is taken") {
  check_every_order(for_each_seed([](Trial& trial) {
    const MailboxPlay play = play_mailbox(trial, WhenFull::refuse, -1);
    const auto refused = static_cast<std::int64_t>(play.counters.refused);
    trial.require(play.tally.taken + refused == play.attempts, "a message was lost");
  }));
}

TEST_CASE("in every order: the latest message of each key is taken") {
  check_every_order(for_each_seed([](Trial& trial) {
    const MailboxPlay play = play_mailbox(trial, WhenFull::latest, -1);
    const auto gone = static_cast<std::int64_t>(play.counters.conflated + play.counters.dropped);
    trial.require(play.tally.taken + gone == play.attempts, "a message was lost");
    if (play.counters.dropped != 0) return;  // fewer places than keys
    for (std::int64_t sender = 1; sender <= 3; ++sender)
      trial.require(play.tally.last.at(sender) == play.each, "the latest message was lost");
  }));
}

TEST_CASE("in every order: a message sent to an actor that is stopped is taken or counted as a dead letter") {
  check_every_order(for_each_seed([](Trial& trial) {
    const MailboxPlay play = play_mailbox(trial, WhenFull::wait, trial.random().between(0, 8));
    trial.require(play.tally.taken + play.dead_letters == play.attempts, "a message was lost");
  }));
}

TEST_CASE("in every order: a message sent to an actor that is killed is taken or counted as a dead letter") {
  check_every_order(for_each_seed([](Trial& trial) {
    const MailboxPlay play = play_mailbox(trial, WhenFull::wait, trial.random().between(0, 8), true);
    trial.require(play.tally.taken + play.dead_letters == play.attempts, "a message was lost");
  }));
}

namespace {

/// Answers when it likes, in any order.
Actor slow_to_answer(Self<Ask<Question>> self, std::int64_t* answered) {
  std::vector<Ask<Question>> open;
  const auto answer_one = [&] {
    const auto which = static_cast<std::ptrdiff_t>(self.random().below(open.size()));
    const Ask<Question> ask = open[static_cast<std::size_t>(which)];
    open.erase(open.begin() + which);
    ++*answered;
    ask.reply(Number{ask.query.value * 2});
  };
  for (;;) {
    const auto ask = co_await self.receive_for(Duration(self.random().between(0, 2)));
    if (ask) open.push_back(*ask);
    if (!ask && self.stopping()) break;
    if (!open.empty() && self.random().coin()) answer_one();
  }
  while (!open.empty()) answer_one();
}

struct Answers {
  std::int64_t right = 0;
  std::int64_t wrong = 0;
  std::int64_t gone = 0;
  std::int64_t timed_out = 0;
};

Actor asks(Self<>, std::int64_t questions, Address<Ask<Question>> to, Duration patience, Answers* answers) {
  for (std::int64_t i = 1; i <= questions; ++i) {
    auto asking = to.ask(Question{i}, patience);
    const auto answer = co_await asking;
    if (answer) {
      ++(answer->value == 2 * i ? answers->right : answers->wrong);
    } else {
      ++(answer.error() == AskError::timed_out ? answers->timed_out : answers->gone);
    }
  }
}

}  // namespace

TEST_CASE("in every order: an ask to an actor that is killed or stopped is answered or gone, once") {
  check_every_order(for_each_seed([](Trial& trial) {
    Runtime world(trial.world());
    std::int64_t answered = 0;
    Answers answers;
    const auto server = world.spawn({.mailbox = {.capacity = 4}}, slow_to_answer, &answered);
    for (int i = 0; i < 3; ++i) world.spawn(asks, 3, server, forever, &answers);
    world.spawn(stops_at, Duration(trial.random().between(0, 15)), AnyAddress(server), trial.random().coin());
    trial.play(world);
    trial.require(answers.wrong == 0, "the answer to another question");
    trial.require(answers.right + answers.gone == 9, "a question without an end");
    trial.require(answers.right <= answered, "more answers than were given");
  }));
}

// ---- supervision

namespace {

struct Lives {
  int started = 0;
  int ended = 0;
  int at_once = 0;
  bool doubled = false;
};

/// Lives for as long as this does.
class Life {
 public:
  explicit Life(Lives* lives) : lives_(lives) {
    ++lives_->started;
    if (++lives_->at_once > 1) lives_->doubled = true;
  }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;
  ~Life() {
    ++lives_->ended;
    --lives_->at_once;
  }

 private:
  Lives* lives_;
};

Actor mortal(Self<Number> self, Lives* lives) {
  const Life life(lives);
  const auto message = co_await self.receive_for(Duration(self.random().between(0, 6)));
  if (message || self.stopping()) co_return;
  if (self.random().chance(0.7)) throw std::runtime_error("drawn");
}

/// Counts the ends it hears of, until it has heard of none for a while.
Actor mourner(Self<Down> self, std::vector<AnyAddress> others, std::vector<Down>* downs) {
  for (const AnyAddress& other : others) self.monitor(other);
  for (;;) {
    const auto down = co_await self.receive_for(10s);
    if (!down) break;
    downs->push_back(*down);
  }
}

Supervision hurried(Trial& trial) {
  return {.strategy = static_cast<Supervision::Strategy>(trial.random().below(3)),
          .most = static_cast<std::uint32_t>(trial.random().between(0, 4)),
          .within = Duration(100),
          .pause = Duration(trial.random().between(0, 2)),
          .longest_pause = Duration(4),
          .patience = Duration(trial.random().between(1, 5))};
}

}  // namespace

TEST_CASE("in every order: children fail while their supervisor stops or gives up, and all end, none is doubled") {
  check_every_order(for_each_seed([](Trial& trial) {
    Runtime world(trial.world());
    Lives a, b, c;
    std::vector<Down> downs;
    const auto boss =
        world.spawn(supervisor, hurried(trial),
                    std::vector{supervised({.name = "a"}, mortal, &a), supervised({.name = "b"}, mortal, &b),
                                supervised({.name = "c", .restart = Restart::transient}, mortal, &c)});
    world.spawn(mourner, std::vector<AnyAddress>{boss}, &downs);
    world.spawn(stops_at, Duration(trial.random().between(0, 30)), AnyAddress(boss), trial.random().chance(0.2));
    trial.play(world);
    trial.require(!a.doubled && !b.doubled && !c.doubled, "a child lived twice at once");
    trial.require(a.started == a.ended && b.started == b.ended && c.started == c.ended, "a child outlived the world");
    trial.require(downs.size() == 1, std::to_string(downs.size()) + " Downs of the supervisor");
  }));
}

TEST_CASE("in every order: a child that always fails is started again as often as allowed, or until the stop") {
  check_every_order(for_each_seed([](Trial& trial) {
    Runtime world(trial.world());
    Lives lives;
    std::vector<Down> downs;
    Supervision how = hurried(trial);
    how.strategy = Supervision::one_for_one;
    how.within = 1s;
    const auto fails = [](Self<> self, Lives* counted) -> Actor {
      const Life life(counted);
      co_await self.sleep(Duration(self.random().between(0, 1)));
      if (!self.stopping()) throw std::runtime_error("always");
    };
    const auto boss = world.spawn(supervisor, how, std::vector{supervised({.name = "a"}, fails, &lives)});
    world.spawn(mourner, std::vector<AnyAddress>{boss}, &downs);
    world.spawn(stops_at, Duration(trial.random().between(0, 12)), AnyAddress(boss), false);
    trial.play(world);
    trial.require(downs.size() == 1, std::to_string(downs.size()) + " Downs of the supervisor");
    trial.require(lives.started == lives.ended && !lives.doubled, "a child too many");
    const auto most = static_cast<int>(how.most) + 1;
    if (downs.size() == 1 && downs[0].end == End::failed) {
      trial.require(lives.started == most, "it gave up early, or late");
    } else {
      trial.require(lives.started <= most, "it did not give up");
    }
  }));
}

namespace {

Actor linked_to_others(Self<Number, Down> self, const std::vector<AnyAddress>* others, bool traps, bool fails,
                       std::vector<Down>* heard) {
  if (traps) self.trap_ends();
  for (const AnyAddress& other : *others)
    if (self.random().chance(0.8)) self.link(other);
  const Time until = later(self.now(), Duration(self.random().between(0, 4)));
  for (;;) {
    const auto message = co_await self.receive_until(traps ? later(self.now(), 1s) : until);
    if (!message) break;
    if (const Down* down = std::get_if<Down>(&*message)) heard->push_back(*down);
  }
  if (fails) throw std::runtime_error("drawn");
}

}  // namespace

TEST_CASE("in every order: a link made from both ends ends both, and who traps hears of each end once") {
  check_every_order(for_each_seed([](Trial& trial) {
    Runtime world(trial.world());
    std::vector<AnyAddress> all;
    std::vector<Down> none, heard, downs;
    for (int i = 0; i < 4; ++i) {
      const bool traps = i == 0;
      all.push_back(
          world.spawn(linked_to_others, &all, traps, !traps && trial.random().coin(), traps ? &heard : &none));
    }
    world.spawn(mourner, all, &downs);
    trial.play(world);
    std::erase_if(heard, [](const Down& down) { return down.end == End::gone; });  // linked again, after the end
    std::set<std::uint64_t> ids;
    for (const Down& down : heard)
      trial.require(ids.insert(down.actor).second, "an end was heard of twice over a link");
    trial.require(downs.size() == 4, std::to_string(downs.size()) + " Downs for four monitors");
    trial.require(none.empty(), "a Down for somebody who does not trap");
  }));
}

// ---- cancellation

namespace {

/// Every await of it may be cancelled; what it has not taken by then it takes afterwards.
Actor cancellable(Self<Number> self, std::stop_token token, Channel<std::int64_t>* values, std::int64_t* sum) {
  for (int i = 0; i < 3; ++i) {
    auto receiving = until_stopped(token, self.receive_for(Duration(2)));
    const auto message = co_await receiving;
    if (message) *sum += message->value;
    auto taking = values->receive();
    auto cancellable = until_stopped(token, taking);
    const auto value = co_await cancellable;
    if (value) *sum += *value;
    auto sleeping = until_stopped(token, self.sleep(Duration(1)));
    co_await sleeping;
    auto working = until_stopped(token, offload(self, [] { return 0; }, Duration(1)));
    const auto nothing = co_await working;
    if (nothing) *sum += *nothing;
  }
  for (;;) {
    const auto message = co_await self.receive_for(1s);
    if (!message) break;
    *sum += message->value;
  }
  while (const auto value = values->try_receive()) *sum += *value;
}

}  // namespace

TEST_CASE("in every order: an await that is cancelled has come to its end, or has taken nothing") {
  check_every_order(for_each_seed([](Trial& trial) {
    Runtime world(trial.world());
    std::stop_source source;
    Channel<std::int64_t> values(1);
    std::int64_t received = 0, sent = 0;
    const auto to = world.spawn(cancellable, source.get_token(), &values, &received);
    const auto feeds = [](Self<> self, Address<Number> receiver, Channel<std::int64_t>* channel, std::stop_token token,
                          std::int64_t* sum) -> Actor {
      for (std::int64_t i = 1; i <= 4; ++i) {
        co_await self.sleep(Duration(self.random().between(0, 2)));
        receiver.send(Number{i});
        *sum += i;
        auto putting = channel->send(100 * i);
        auto either = until_stopped(token, putting);
        const bool put = co_await either;
        if (put) *sum += 100 * i;
      }
    };
    world.spawn(feeds, to, &values, source.get_token(), &sent);
    world.spawn(
        [](Self<> self, std::stop_source stop, Duration delay) -> Actor {
          co_await self.sleep(delay);
          stop.request_stop();
        },
        source, Duration(trial.random().between(0, 8)));
    trial.play(world);
    trial.require(received == sent, "sent " + std::to_string(sent) + ", taken " + std::to_string(received));
  }));
}

TEST_CASE("in every order: an ask ends with its answer or in time, and no late answer is taken for another's") {
  check_every_order(for_each_seed([](Trial& trial) {
    Runtime world(trial.world());
    std::int64_t answered = 0;
    Answers answers;
    const auto server = world.spawn(slow_to_answer, &answered);
    std::vector<AnyAddress> askers;
    for (int i = 0; i < 3; ++i)
      askers.push_back(world.spawn(asks, 4, server, Duration(trial.random().between(0, 4)), &answers));
    world.spawn(stops_after, askers, AnyAddress(server));
    trial.play(world);
    trial.require(answers.wrong == 0, "the answer to another question");
    trial.require(answers.right + answers.timed_out == 12, "a question without an end");
    trial.require(answered == 12, "a question that nobody took");
  }));
}

namespace {

Actor closes_at(Self<> self, Duration delay, Channel<std::int64_t>* values) {
  co_await self.sleep(delay);
  values->close();
}

Task<> waits_somehow(Self<> self, Channel<std::int64_t>* values, Lives* lives, Trial* trial) {
  ++lives->started;
  struct Ends {
    Lives* counted;
    explicit Ends(Lives* of) : counted(of) {}
    ~Ends() { ++counted->ended; }
  } const ends{lives};
  const std::uint64_t way = self.random().below(3);
  trial->note(self.id(), way);
  switch (way) {
    case 0: co_await self.sleep(Duration(self.random().between(0, 3))); break;
    case 1: {
      auto taking = values->receive();
      const auto value = co_await taking;
      if (value && *value < 0) throw std::runtime_error("negative");
      break;
    }
    default: {
      auto putting = values->send(self.random().between(0, 4) - 1);
      const bool put = co_await putting;
      if (!put) throw std::runtime_error("closed");
    }
  }
}

Actor leaves_a_scope(Self<> self, Channel<std::int64_t>* values, Lives* lives, Trial* trial) {
  try {
    Scope scope(self);
    for (int i = 0; i < 4; ++i) scope.start(waits_somehow, values, lives, trial);
    if (self.random().coin()) {
      co_await self.sleep(Duration(self.random().between(0, 2)));
    } else {
      auto joining = scope.join_any();
      co_await joining;
    }
  } catch (const std::runtime_error&) {
  }
  trial->note(self.id(), static_cast<std::uint64_t>(lives->ended));
}

}  // namespace

TEST_CASE("in every order: a scope that is left ends its tasks, whatever they wait for") {
  check_every_order(for_each_seed([](Trial& trial) {
    Runtime world(trial.world());
    Channel<std::int64_t> values(1);
    Lives lives;
    const auto leaver = world.spawn(leaves_a_scope, &values, &lives, &trial);
    world.spawn(leaves_a_scope, &values, &lives, &trial);
    world.spawn(closes_at, Duration(4), &values);
    if (trial.random().coin()) world.spawn(stops_at, Duration(trial.random().between(0, 3)), AnyAddress(leaver), true);
    trial.play(world);
    trial.require(lives.started == lives.ended, "a task outlived its scope");
  }));
}

TEST_CASE("in every order: a value put into a channel that is closed is taken by somebody, and nobody waits on") {
  check_every_order(for_each_seed([](Trial& trial) {
    Runtime world(trial.world());
    Channel<std::int64_t> values(static_cast<std::size_t>(trial.random().between(1, 2)));
    std::int64_t sent = 0, received = 0;
    const auto puts = [](Self<> self, Channel<std::int64_t>* channel, std::int64_t* sum) -> Actor {
      for (std::int64_t i = 1; i <= 3; ++i) {
        auto putting = channel->send(i);
        const bool put = co_await putting;
        if (!put) break;
        *sum += i;
        if (self.random().coin()) co_await self.sleep(Duration(self.random().between(0, 2)));
      }
    };
    const auto takes = [](Self<> self, Channel<std::int64_t>* channel, std::int64_t* sum, Trial* notes) -> Actor {
      for (;;) {
        auto taking = channel->receive();
        const auto value = co_await taking;
        if (!value) break;
        notes->note(self.id(), static_cast<std::uint64_t>(*value));
        *sum += *value;
        if (self.random().coin()) co_await self.yield();
      }
    };
    for (int i = 0; i < 2; ++i) {
      world.spawn(puts, &values, &sent);
      world.spawn(takes, &values, &received, &trial);
    }
    world.spawn(closes_at, Duration(trial.random().between(0, 6)), &values);
    trial.play(world);
    trial.require(received == sent, "sent " + std::to_string(sent) + ", taken " + std::to_string(received));
    trial.require(values.size() == 0, "a value was left in the channel");
  }));
}
