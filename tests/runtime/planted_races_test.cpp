// The test of the tester: mistakes that only some orders show are planted, and found; each has a careful twin that no
// order breaks. And moving, which is made of such orders.
#include "interleavings.hpp"

#include <map>
#include <set>
#include <stdexcept>

#include <outcry/runtime/moving.hpp>
#include <outcry/runtime/offload.hpp>

using namespace scenario;

namespace {

/// The careless one is found within 10,000 seeds under any circumstances, the careful one passes with every seed tried.
template <class Scenario>
void check_both(Scenario scenario) {
  SUBCASE("careless") {
    check_found(for_each_seed([&](Trial& trial) { scenario(trial, false); }, 10'000));
  }
  SUBCASE("careful") {
    check_every_order(for_each_seed([&](Trial& trial) { scenario(trial, true); }));
  }
}

// ---- 1

struct Balance {
  using Reply = Number;
  std::int64_t unused = 0;
};
struct Withdraw {
  std::int64_t amount = 0;
};
struct TryToWithdraw {
  using Reply = Number;
  std::int64_t amount = 0;
};
using Account = Self<Ask<Balance>, Withdraw, Ask<TryToWithdraw>>;

Actor account(Account self, std::int64_t balance, std::int64_t* lowest) {
  for (;;) {
    auto message = co_await self.receive_for(100ns);
    if (!message) break;
    match(
        *message, [&](const Ask<Balance>& ask) { ask.reply(Number{balance}); },
        [&](const Withdraw& withdrawal) { balance -= withdrawal.amount; },
        [&](const Ask<TryToWithdraw>& ask) {
          const bool enough = balance >= ask.query.amount;
          if (enough) balance -= ask.query.amount;
          ask.reply(Number{enough});
        });
    *lowest = std::min(*lowest, balance);
  }
}

Actor spender(Self<> self, Account::AddressType from, bool careful) {
  co_await self.sleep(Duration(self.random().between(0, 20)));
  if (careful) {
    auto asking = from.ask(TryToWithdraw{60});
    co_await asking;
    co_return;
  }
  auto asking = from.ask(Balance{});
  const auto balance = co_await asking;  // others may withdraw before we do
  if (balance && balance->value >= 60) from.send(Withdraw{60});
}

}  // namespace

TEST_CASE("planted: what was checked has changed when it is acted upon") {
  check_both([](Trial& trial, bool careful) {
    Runtime world(trial.world());
    std::int64_t lowest = 100;
    const auto from = world.spawn(account, 100, &lowest);
    for (int i = 0; i < 2; ++i) world.spawn(spender, from, careful);
    trial.play(world);
    trial.require(lowest >= 0, "the account is overdrawn");
  });
}

// ---- 2

namespace {

struct Buy {
  using Reply = Number;
  std::int64_t order = 0;
};

Actor venue(Self<Ask<Buy>> self, bool careful, std::int64_t* bought) {
  std::set<std::int64_t> done;
  for (;;) {
    const auto ask = co_await self.receive_for(100ns);
    if (!ask) break;
    if (!careful || done.insert(ask->query.order).second) ++*bought;
    co_await self.sleep(Duration(self.random().between(0, 3)));
    ask->reply(Number{ask->query.order});
  }
}

Actor buyer(Self<>, Address<Ask<Buy>> at) {
  for (std::int64_t order = 1; order <= 2; ++order) {
    for (;;) {  // until it is answered
      auto asking = at.ask(Buy{order}, 12ns);
      const auto answer = co_await asking;
      if (answer) break;
    }
  }
}

}  // namespace

TEST_CASE("planted: what was done after the time-out is done again") {
  check_both([](Trial& trial, bool careful) {
    Runtime world(trial.world());
    std::int64_t bought = 0;
    const auto at = world.spawn(venue, careful, &bought);
    world.spawn(buyer, at);
    trial.play(world);
    trial.require(bought == 2, "bought " + std::to_string(bought) + " times instead of 2");
  });
}

// ---- 3

namespace {

struct Box {
  int values = 0;
  bool somebody_waits = false;
};
struct Nudge {
  std::int64_t unused = 0;
};

Actor box_taker(Self<Nudge> self, Box* box, bool careful) {
  for (int taken = 0; taken < 3; ++taken) {
    if (careful) {
      while (box->values == 0) {
        box->somebody_waits = true;
        co_await self.receive();
      }
    } else if (box->values == 0) {
      co_await self.yield();  // a value may come here, and nobody is told
      box->somebody_waits = true;
      co_await self.receive();
    }
    --box->values;
  }
}

Actor box_filler(Self<> self, Box* box, Address<Nudge> taker) {
  for (int i = 0; i < 3; ++i) {
    co_await self.sleep(Duration(self.random().between(0, 3)));
    ++box->values;
    if (std::exchange(box->somebody_waits, false)) taker.send(Nudge{});
  }
}

}  // namespace

TEST_CASE("planted: a wake-up is lost between the look and the wait") {
  check_both([](Trial& trial, bool careful) {
    Runtime world(trial.world());
    Box box;
    const auto taker = world.spawn(box_taker, &box, careful);
    world.spawn(box_filler, &box, taker);
    trial.play(world);
  });
}

// ---- 4

namespace {

struct Beat {
  std::uint64_t from = 0;
};

Actor beater(Self<> self, Address<Beat, Down> minder, int* at_once, int* most_at_once) {
  struct Life {
    int* alive;
    explicit Life(int* count) : alive(count) { ++*alive; }
    ~Life() { --*alive; }
  } const life(at_once);
  *most_at_once = std::max(*most_at_once, *at_once);
  while (self.random().chance(0.9)) {
    minder.send(Beat{self.id()});
    co_await self.sleep(4ns);
  }
  throw std::runtime_error("drawn");
}

/// Starts a beater again when it has ended, or when nothing is heard of it.
Actor minder(Self<Beat, Down> self, bool careful, int* at_once, int* most_at_once) {
  AnyAddress minded;
  const auto start = [&] {
    const auto fresh = self.spawn(beater, self.address(), at_once, most_at_once);
    self.monitor(fresh);
    minded = fresh;
  };
  start();
  for (int starts = 1; starts < 4;) {
    const auto message = co_await self.receive_for(12ns);
    if (message && std::holds_alternative<Beat>(*message)) continue;
    if (!message && careful) {
      minded.kill();  // its Down will come
      continue;
    }
    start();  // careless: the Down of the silent one may still come
    ++starts;
  }
  minded.kill();
}

}  // namespace

TEST_CASE("planted: the end and the silence of an actor each start it again") {
  check_both([](Trial& trial, bool careful) {
    Runtime world(trial.world());
    int at_once = 0, most_at_once = 0;
    world.spawn(minder, careful, &at_once, &most_at_once);
    world.run_until(time_from_ns(100'000));
    trial.note(world.digest(), 0);
    trial.require(most_at_once <= 1, std::to_string(most_at_once) + " at once");
    world.stop_actors();
  });
}

// ---- 5

namespace {

struct Created {
  using Reply = Number;
  std::int64_t id = 0;
};
struct Used {
  std::int64_t id = 0;
};
using Ledger = Self<Created, Ask<Created>, Used>;

Actor ledger(Ledger self, int* unknown) {
  std::set<std::int64_t> known;
  for (;;) {
    auto message = co_await self.receive_for(100ns);
    if (!message) break;
    match(
        *message, [&](const Created& created) { known.insert(created.id); },
        [&](const Ask<Created>& ask) {
          known.insert(ask.query.id);
          ask.reply(Number{});
        },
        [&](const Used& used) { *unknown += known.count(used.id) == 0; });
  }
}

Actor creator(Self<>, Ledger::AddressType to, Address<Number> user, bool careful) {
  for (std::int64_t id = 1; id <= 3; ++id) {
    if (careful) {
      auto asking = to.ask(Created{id});
      co_await asking;
    } else {
      to.send(Created{id});
    }
    user.send(Number{id});  // whose message may be there first
  }
}

Actor user(Self<Number> self, Ledger::AddressType to) {
  for (int i = 0; i < 3; ++i) {
    const auto id = co_await self.receive();
    if (id) to.send(Used{id->value});
  }
}

}  // namespace

TEST_CASE("planted: messages of two senders are believed to be in order") {
  check_both([](Trial& trial, bool careful) {
    Runtime world(trial.world());
    int unknown = 0;
    const auto to = world.spawn(ledger, &unknown);
    world.spawn(creator, to, world.spawn(user, to), careful);
    trial.play(world);
    trial.require(unknown == 0, "used before it was created");
  });
}

// ---- 6

namespace {

Actor counts_on(Self<Number> self, std::int64_t sum, std::int64_t* result) {
  for (;;) {
    const auto number = co_await self.receive_for(100ns);
    if (!number) break;
    sum += number->value;
  }
  *result = sum;
}

/// Hands its sum over to another after the third number.
Actor counts_and_hands_over(Self<Number> self, bool careful, std::int64_t* result) {
  std::int64_t sum = 0;
  for (int i = 0; i < 3; ++i) {
    const auto number = co_await self.receive();
    if (number) sum += number->value;
  }
  const std::int64_t snapshot = sum;
  auto writing = offload(self, [] { return 0; }, 2ns);
  co_await writing;
  if (!careful) {
    for (;;) {  // what came meanwhile is counted, and not in the snapshot
      const auto number = co_await self.receive_until(self.now());
      if (!number) break;
      sum += number->value;
    }
  }
  const auto next = self.spawn(counts_on, snapshot, result);
  for (;;) {
    const auto number = co_await self.receive_for(50ns);
    if (!number) break;
    auto sending = next.send(*number);
    co_await sending;
  }
}

Actor five_numbers(Self<> self, Address<Number> to) {
  for (std::int64_t i = 1; i <= 5; ++i) {
    to.send(Number{i});
    co_await self.sleep(Duration(self.random().between(0, 4)));
  }
}

}  // namespace

TEST_CASE("planted: a message that comes between snapshot and hand-over is forgotten") {
  check_both([](Trial& trial, bool careful) {
    Runtime world(trial.world());
    std::int64_t result = 0;
    const auto to = world.spawn(counts_and_hands_over, careful, &result);
    world.spawn(five_numbers, to);
    trial.play(world);
    trial.require(result == 15, "the sum is " + std::to_string(result) + " instead of 15");
  });
}

// ---- 7

namespace {

struct Acquire {
  using Reply = Number;  // a number that grows with each lease, or zero
  std::int64_t unused = 0;
};
struct Write {
  std::int64_t lease = 0;
};

/// Leases for 8 ns.
Actor leases(Self<Ask<Acquire>> self) {
  std::int64_t lease = 0;
  Time ends{};
  for (;;) {
    const auto ask = co_await self.receive_for(100ns);
    if (!ask) break;
    const bool free = self.now() >= ends;
    if (free) ++lease;
    if (free) ends = later(self.now(), 8ns);
    ask->reply(Number{free ? lease : 0});
  }
}

/// `swapped`: a holder has overwritten what a later holder wrote.
Actor store(Self<Write> self, bool careful, bool* swapped) {
  std::int64_t latest = 0;
  for (;;) {
    const auto write = co_await self.receive_for(100ns);
    if (!write) break;
    if (careful && write->lease < latest) continue;
    if (write->lease < latest) *swapped = true;
    latest = write->lease;
  }
}

Actor holder(Self<> self, Address<Ask<Acquire>> from, Address<Write> to) {
  for (int i = 0; i < 3; ++i) {
    auto asking = from.ask(Acquire{});
    const auto lease = co_await asking;
    if (!lease || lease->value == 0) {
      co_await self.sleep(3ns);
      continue;
    }
    co_await self.sleep(Duration(self.random().between(0, 5)));  // far less than the lease
    to.send(Write{lease->value});
  }
}

}  // namespace

TEST_CASE("planted: who was slow still believes in a lease that has ended") {
  check_both([](Trial& trial, bool careful) {
    Runtime world(trial.world());
    bool swapped = false;
    const auto from = world.spawn(leases);
    const auto to = world.spawn(store, careful, &swapped);
    for (int i = 0; i < 3; ++i) world.spawn(holder, from, to);
    trial.play(world);
    trial.require(!swapped, "a later write was overwritten by an earlier holder's");
  });
}

// ---- 8: seldom, in one of some hundred orders

namespace {

struct Content {
  std::int64_t value = 0;
  std::int64_t version = 0;
};
struct Look {
  using Reply = Content;
  std::int64_t unused = 0;
};
struct Swap {
  using Reply = Number;  // whether it was done
  Content expected;
  std::int64_t wanted = 0;
};

/// Swaps if the value is the expected one; careful: if nobody has swapped since.
Actor cell_of_one(Self<Ask<Look>, Ask<Swap>> self, bool careful, bool* fooled) {
  Content content;
  for (;;) {
    auto message = co_await self.receive_for(100ns);
    if (!message) break;
    match(
        *message, [&](const Ask<Look>& ask) { ask.reply(content); },
        [&](const Ask<Swap>& ask) {
          const Content& expected = ask.query.expected;
          const bool same = expected.value == content.value && (!careful || expected.version == content.version);
          if (same && expected.version != content.version) *fooled = true;
          if (same) content = {ask.query.wanted, content.version + 1};
          ask.reply(Number{same});
        });
  }
}

Actor swapper(Self<> self, std::int64_t from, std::int64_t wanted, Address<Ask<Look>, Ask<Swap>> in) {
  co_await self.sleep(Duration(self.random().between(0, 20)));
  auto looking = in.ask(Look{});
  const auto content = co_await looking;
  if (!content || content->value != from) co_return;
  auto swapping = in.ask(Swap{*content, wanted});
  co_await swapping;
}

}  // namespace

TEST_CASE("planted: a value that has changed and changed back is believed to be as it was") {
  check_both([](Trial& trial, bool careful) {
    Runtime world(trial.world());
    bool fooled = false;
    const auto in = world.spawn(cell_of_one, careful, &fooled);
    world.spawn(swapper, 0, 1, in);
    world.spawn(swapper, 0, 2, in);
    world.spawn(swapper, 2, 0, in);
    trial.play(world);
    trial.require(!fooled, "the value was swapped away and back in between");
  });
}

// ---- moving, and 9

namespace {

struct Signed {
  std::int64_t sender = 0;
  std::int64_t number = 0;
};
struct Move {
  std::int64_t unused = 0;
};
struct Question {
  using Reply = Number;
  std::int64_t value = 0;
};
using Wanderer = Self<Signed, Move, Ask<Question>, Ask<Whereabouts>, Down>;
using WandererHome = Home<Signed, Move, Ask<Question>, Ask<Whereabouts>, Down>;
using WandererAddress = Wanderer::AddressType;

struct Seen {
  std::int64_t taken = 0;
  std::int64_t moves = 0;
  bool gap = false;
  std::map<std::int64_t, std::int64_t> last;
};

Actor wanderer(Wanderer self, WandererHome home, Seen* seen) {
  while (auto message = co_await self.receive()) {
    bool moves = false;
    match(
        *message,
        [&](const Signed& number) {
          ++seen->taken;
          if (number.number != ++seen->last[number.sender]) seen->gap = true;
        },
        [&](const Move&) { moves = true; }, [&](const Ask<Question>& ask) { ask.reply(Number{ask.query.value * 2}); },
        [&](const Ask<Whereabouts>& ask) { ask.reply(home.whereabouts(self)); }, [](const Down&) {});
    if (!moves) continue;
    ++seen->moves;
    auto moving = move_to(self, home, {.scheduler = 0}, wanderer, seen);
    co_await moving;
    co_return;
  }
}

enum class Directly { never, asks_itself, believes_others };

Actor sender(Self<Whereabout> self, std::int64_t number, std::int64_t messages, Directly directly, WandererAddress to) {
  for (std::int64_t i = 1; i <= messages; ++i) {
    auto sending = to.send(Signed{number, i});
    co_await sending;
    const auto heard = co_await self.receive_for(Duration(self.random().between(0, 2)));
    // Careless: what was sent by the old address may still be under way.
    if (heard && directly == Directly::believes_others)
      to = WandererAddress(heard->actor.cell(), heard->actor.generation());
    if (directly != Directly::asks_itself || !self.random().coin()) continue;
    auto looking = direct_to(to);
    to = co_await looking;
  }
}

/// Tells a sender where the actor is.
Actor scout(Self<> self, WandererAddress whom, Address<Whereabout> to) {
  for (int i = 0; i < 3; ++i) {
    co_await self.sleep(Duration(self.random().between(0, 6)));
    auto asking = whom.ask(Whereabouts{});
    const auto answer = co_await asking;
    if (answer) to.send(*answer);
  }
}

Actor mover(Self<> self, std::int64_t moves, WandererAddress to) {
  for (std::int64_t i = 0; i < moves; ++i) {
    co_await self.sleep(Duration(self.random().between(0, 4)));
    auto sending = to.send(Move{});
    co_await sending;
  }
}

Actor asker(Self<>, std::int64_t questions, WandererAddress to, std::int64_t* answered, std::int64_t* unanswered) {
  for (std::int64_t i = 1; i <= questions; ++i) {
    auto asking = to.ask(Question{i});
    const auto answer = co_await asking;
    ++(answer && answer->value == 2 * i ? *answered : *unanswered);
  }
}

Actor ends_it(Self<Down> self, std::vector<AnyAddress> others, WandererAddress to, Duration at, bool kill) {
  if (at < Duration(0)) {
    for (const AnyAddress& other : others) self.monitor(other);
    for (std::size_t i = 0; i < others.size(); ++i) co_await self.receive();
    co_await self.sleep(1us);  // what is under way has come
  } else {
    co_await self.sleep(at);
  }
  kill ? to.kill() : to.stop();
}

Actor counts_downs(Self<Down> self, AnyAddress other, std::vector<Down>* downs) {
  self.monitor(other);
  for (;;) {
    const auto down = co_await self.receive_for(10us);
    if (!down) break;
    downs->push_back(*down);
  }
}

struct Journeys {
  Seen seen;
  std::vector<Down> downs;
  std::int64_t answered = 0;
  std::int64_t unanswered = 0;
  std::int64_t sent = 0;
};

/// Three senders, an asker, and an actor that moves one to four times; ended when all was sent, or at any moment.
Journeys play_moving(Trial& trial, Directly directly, bool cut_short) {
  Journeys play;
  Runtime world(trial.world());
  Random& random = trial.random();
  const std::int64_t each = random.between(2, 6);
  const auto capacity = static_cast<std::uint32_t>(random.between(1, 4));
  const auto to = world.spawn({.mailbox = {.capacity = capacity}}, wanderer, WandererHome{}, &play.seen);
  std::vector<AnyAddress> others;
  for (std::int64_t i = 1; i <= 3; ++i) {
    const auto one = world.spawn(sender, i, each, i == 1 ? Directly::never : directly, to);
    others.push_back(one);
    if (i == 2) others.push_back(world.spawn(scout, to, one));
  }
  others.push_back(world.spawn(mover, random.between(1, 4), to));
  others.push_back(world.spawn(asker, 3, to, &play.answered, &play.unanswered));
  world.spawn(counts_downs, AnyAddress(to), &play.downs);
  const Duration end(cut_short ? random.between(0, 25) : -1);
  world.spawn(ends_it, others, to, end, cut_short && random.coin());
  trial.play(world);
  play.sent = 3 * each;
  trial.require(!play.seen.gap, "a sender's messages came out of order, or one was lost");
  trial.require(play.answered + play.unanswered == 3, "a question without an end");
  trial.require(play.downs.size() == 1, std::to_string(play.downs.size()) + " Downs");
  return play;
}

}  // namespace

TEST_CASE("in every order: an actor that moves loses nothing, and keeps each sender's order") {
  check_every_order(for_each_seed([](Trial& trial) {
    const Journeys play = play_moving(trial, Directly::asks_itself, false);
    trial.require(play.seen.taken == play.sent, "a message was lost");
    trial.require(play.downs.front().end == End::finished, "another end");
  }));
}

TEST_CASE(
    "in every order: an actor that is stopped or killed while it moves ends once, and has taken no message behind a "
    "lost one") {
  check_every_order(for_each_seed([](Trial& trial) { play_moving(trial, Directly::asks_itself, true); }));
}

TEST_CASE("planted: a sender changes to the direct address while its messages are under way by the old one") {
  check_both([](Trial& trial, bool careful) {
    play_moving(trial, careful ? Directly::asks_itself : Directly::believes_others, false);
  });
}
