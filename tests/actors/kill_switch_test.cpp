// Who is stopped, what his orders do then, and what a restart remembers.
#include <outcry/actors/kill_desk.hpp>
#include <outcry/actors/kill_switch.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <outcry/actors/symbol.hpp>
#include <outcry/net/input_error.hpp>
#include <outcry/runtime/runtime.hpp>

#include "tests/book/drawn_market.hpp"
#include "tests/scratch.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace std::chrono_literals;
using outcry_test::Draw;
using outcry_test::Scratch;

namespace {

constexpr AccountId mara{1}, otto{2}, ida{3};
const KillScope acme = KillScope::of_firm("ACME");

KillSwitch three_accounts(const std::string& path = {}) {
  KillSwitch kill = path.empty() ? KillSwitch() : KillSwitch(path);
  kill.add_account(mara, "ACME");
  kill.add_account(otto, "ACME");
  kill.add_account(ida);
  return kill;
}
std::string blocked(const KillSwitch& kill) {
  std::string text;
  for (const AccountId account : {mara, otto, ida}) text += kill.blocks(account) ? 'x' : '.';
  return text;
}
std::string refusal(const std::string& path) {
  try {
    KillSwitch kill(path);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("an account is blocked by itself, its firm or the venue, until the last of them lets go") {
  KillSwitch kill = three_accounts();
  CHECK(blocked(kill) == "...");
  CHECK(kill.engage(KillScope::of(mara), 1, "fat fingers"));
  CHECK_FALSE(kill.engage(KillScope::of(mara), 2, "again"));
  CHECK(blocked(kill) == "x..");
  kill.engage(acme, 3, "no margin");
  CHECK(blocked(kill) == "xx.");
  kill.engage(KillScope::everyone(), 4, "the feed is wrong");
  CHECK(blocked(kill) == "xxx");
  CHECK(kill.blocks({99}));
  CHECK(kill.release(KillScope::everyone()));
  CHECK_FALSE(kill.release(KillScope::everyone()));
  CHECK(blocked(kill) == "xx.");
  kill.release(KillScope::of(mara));
  CHECK(blocked(kill) == "xx.");
  kill.release(acme);
  CHECK(blocked(kill) == "...");
  CHECK(kill.accounts(acme) == std::vector{mara, otto});
}

TEST_CASE("a restart remembers who was stopped, when and why, and keeps them stopped") {
  const Scratch scratch;
  const std::string path = scratch.path("kill");
  {
    KillSwitch kill = three_accounts(path);  // no file: nothing is engaged
    kill.engage(acme, 1'795'226'100'000'000'000, "no\nmargin\t");
    kill.engage(KillScope::of(ida), 17, "");
    write_kill_switch(path, kill.text());
  }

  KillSwitch again = three_accounts(path);

  CHECK(blocked(again) == "xxx");
  CHECK(again.engagements() ==
        std::vector<Engagement>{{acme, 1'795'226'100'000'000'000, "no margin"}, {KillScope::of(ida), 17, ""}});
  CHECK(scratch.read("kill") == again.text());
  again.release(acme);
  write_kill_switch(path, again.text());
  CHECK(blocked(three_accounts(path)) == "..x");
  CHECK_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_CASE("a user is stopped with every account that is his, whatever their numbers are after a restart") {
  const KillScope anna = KillScope::of_user("ANNA");
  KillSwitch kill;
  kill.add_account(mara, "ACME", "ANNA");
  kill.add_account(otto, "ACME", "BERT");
  kill.add_account(ida, {}, "ANNA");
  kill.engage(anna, 5, "fat fingers");
  CHECK(blocked(kill) == "x.x");
  CHECK(kill.accounts(anna) == std::vector{mara, ida});
  kill.add_account(mara, "ACME");  // a port says its firm again
  CHECK(blocked(kill) == "x.x");

  const Scratch scratch;
  KillSwitch again(scratch.write("kill", kill.text()));
  again.add_account(mara, {}, "BERT");
  again.add_account(otto, {}, "ANNA");
  CHECK(blocked(again) == ".x.");
  CHECK(again.engagements() == std::vector<Engagement>{{anna, 5, "fat fingers"}});
  CHECK(again.release(anna));
  CHECK(blocked(again) == "...");
}

TEST_CASE("an account that is stopped before it is known is stopped when it comes") {
  KillSwitch kill;
  kill.engage(acme, 1, "");
  kill.engage(KillScope::of(ida), 1, "");
  CHECK(blocked(kill) == "..x");
  kill.add_account(mara, "ACME");
  CHECK(blocked(kill) == "x.x");
}

TEST_CASE("a file that is torn anywhere stops the start, with its line") {
  const Scratch scratch;
  KillSwitch kill = three_accounts();
  kill.engage(acme, 1, "one");
  kill.engage(KillScope::everyone(), 2, "two");
  const std::string whole = kill.text();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string path = scratch.write("kill", whole.substr(0, size));
    const std::string said = refusal(path);
    CAPTURE(said);
    const auto line = 1 + std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size), '\n');
    REQUIRE(said.starts_with(path + ", line " + std::to_string(line) + ": found "));
  }
  CHECK(refusal(scratch.write("kill", whole)) == "");
}

TEST_CASE("a file that was changed anywhere, or is another one, stops the start") {
  const Scratch scratch;
  KillSwitch kill = three_accounts();
  kill.engage(acme, 1, "one");
  const std::string whole = kill.text();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    CAPTURE(at);
    REQUIRE(refusal(scratch.write("kill", changed)) != "");
  }
  const auto found = [&](const std::string& text) {
    const std::string said = refusal(scratch.write("kill", text));
    return said.substr(said.find(", line"));
  };
  CHECK(found("{}\n") == ", line 1: found \"{}\", expected \"outcry kill switch, version 1\"");
  CHECK(found("outcry kill switch, version 1\naccount x 1 y\n") ==
        ", line 2: found \"account x 1 y\", expected the number of an account");
  CHECK(found("outcry kill switch, version 1\nvenue now y\n") ==
        ", line 2: found \"venue now y\", expected a time in nanoseconds since 1970");
  CHECK(found("outcry kill switch, version 1\nvenue 1 y\nvenue 1 y\n") ==
        ", line 3: found \"venue 1 y\", expected each scope once");
  CHECK(found(whole + "venue 1 y\n").starts_with(", line 3: found"));
}

TEST_CASE("what a crash has left beside the file does not matter") {
  const Scratch scratch;
  KillSwitch kill = three_accounts();
  kill.engage(acme, 1, "one");
  const std::string path = scratch.write("kill", kill.text());
  scratch.write("kill.new", "outcry ki");

  CHECK(blocked(three_accounts(path)) == "xx.");
  kill.release(acme);
  write_kill_switch(path, kill.text());
  CHECK(blocked(three_accounts(path)) == "...");
}

TEST_CASE("a file that cannot be written is said to be so, and the old one stays") {
  const Scratch scratch;
  CHECK_THROWS_AS(write_kill_switch(scratch.path("no/such/folder"), "x"), std::system_error);
  std::filesystem::create_directory(scratch.path("taken"));
  std::filesystem::create_directory(scratch.path("taken/x"));
  CHECK_THROWS_AS(write_kill_switch(scratch.path("taken"), "x"), std::system_error);
  CHECK_THROWS_AS(KillScope::of_firm("two words"), std::invalid_argument);
  CHECK_THROWS_AS(KillScope::of_firm(""), std::invalid_argument);
}

TEST_CASE("a process that is killed while it writes leaves one state or the next, whole") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  Draw draw(seed);
  const Scratch scratch;
  const std::string path = scratch.path("kill");
  std::size_t engaged = 0, longest = 0;
  for (int round = 0; round < 20; ++round) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      for (std::uint32_t i = 1;; ++i) {
        KillSwitch kill;
        for (std::uint32_t a = 0; a < i % 50; ++a) kill.engage(KillScope::of(AccountId{a}), i, "drawn");
        write_kill_switch(path, kill.text());
        if (::write(ready[1], "x", 1) != 1) ::_exit(1);
      }
    }
    // Behind a drawn number of states, somewhere in the next one.
    char byte = 0;
    for (std::uint64_t left = 3 + draw.below(30); left != 0; --left) REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(ready[0]);
    ::close(ready[1]);

    REQUIRE(refusal(path) == "");
    const KillSwitch left(path);
    engaged = left.engagements().size();
    longest = std::max(longest, engaged);
    for (const Engagement& engagement : left.engagements()) REQUIRE(engagement.why == "drawn");
  }
  CHECK(longest > 0);
}

// --- the desk, in a market

namespace {

using OwnerSelf = Self<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced>;
using ListenerSelf = Self<KillChanged>;

/// Keeps ids of what was cancelled.
Actor owner(OwnerSelf self, SymbolAddress market, AccountId account, std::vector<std::uint64_t>* cancelled) {
  market.send(EnterSymbol{account, self.address()});
  while (auto message = co_await self.receive())
    if (const auto* event = std::get_if<Cancelled>(&*message)) cancelled->push_back(event->id.value);
}

Actor listener(ListenerSelf self, KillDeskAddress desk, std::string* heard) {
  desk.send(SubscribeKills{self.address()});
  while (const auto change = co_await self.receive())
    *heard += (change->engaged != 0 ? "+" : "-") + change->scope.text() + " ";
}

Actor operator_of(Self<> self, KillDeskAddress desk, std::vector<std::string>* said) {
  const auto say = [said](const Reply<KillAnswer>& answer) {
    if (!answer) return said->push_back("no answer");
    said->push_back(std::string(answer->changed ? "changed " : "same ") + (answer->is_engaged ? "on " : "off ") +
                    (answer->text().empty() ? "" : "failed"));
  };
  co_await self.sleep(1ms);
  auto engaging = desk.ask(EngageKill::because(acme, "no margin"), 1s);
  say(co_await engaging);
  auto again = desk.ask(EngageKill::because(acme, "no margin"), 1s);
  say(co_await again);
  auto other = desk.ask(ReleaseKill{KillScope::of(ida)}, 1s);
  say(co_await other);
  auto releasing = desk.ask(ReleaseKill{acme}, 1s);
  say(co_await releasing);
  auto last = desk.ask(EngageKill::because(KillScope::everyone(), "the feed is wrong"), 1s);
  say(co_await last);
}

struct DeskRun {
  std::vector<std::uint64_t> cancelled[3];
  std::string heard;
  std::vector<std::string> said;
};

DeskRun run_desk(const std::string& path, KillSwitch& state) {
  DeskRun result;
  Runtime runtime({.time = WorldTime::virtually, .latency = {.within_site = 1us}, .log = [](std::string_view) {}});
  const MailboxOptions mailbox{.capacity = 256, .when_full = WhenFull::refuse};
  const SymbolAddress market = runtime.spawn({.mailbox = mailbox}, symbol, SymbolOptions{});
  for (std::uint32_t a = 0; a < 3; ++a) {
    runtime.spawn({.mailbox = mailbox}, owner, market, AccountId{a + 1}, &result.cancelled[a]);
    market.send(NewOrder{.id = {a + 1}, .price = {100}, .quantity = {10}, .account = {a + 1}});
  }
  const KillDeskAddress desk =
      runtime.spawn({.mailbox = mailbox}, kill_desk, KillDeskSetup{.state = &state, .path = path, .symbols = {market}});
  runtime.spawn(listener, desk, &result.heard);
  runtime.spawn(operator_of, desk, &result.said);
  runtime.run_until(Time(2s));
  return result;
}

}  // namespace

TEST_CASE(
    "an operator stops a firm: everyone is told, its orders are gone, and the file has it before he is answered") {
  const Scratch scratch;
  const std::string path = scratch.path("kill");
  KillSwitch state = three_accounts(path);

  const DeskRun run = run_desk(path, state);

  CHECK(run.said == std::vector<std::string>{"changed on ", "same on ", "same off ", "changed off ", "changed on "});
  CHECK(run.heard == "+firm ACME -firm ACME +venue ");
  CHECK(run.cancelled[0] == std::vector<std::uint64_t>{1});
  CHECK(run.cancelled[1] == std::vector<std::uint64_t>{2});
  CHECK(run.cancelled[2] == std::vector<std::uint64_t>{3});
  CHECK(blocked(three_accounts(path)) == "xxx");
}

TEST_CASE("a switch whose file cannot be written blocks and cancels all the same, and says so; it does not release") {
  const Scratch scratch;
  KillSwitch state = three_accounts();
  state.engage(KillScope::of(ida), 1, "before");

  const DeskRun run = run_desk(scratch.path("no/such/folder"), state);

  CHECK(run.said == std::vector<std::string>{"changed on failed", "same on failed", "same on failed", "same on failed",
                                             "changed on failed"});
  CHECK(run.heard == "+account 3 +firm ACME +venue ");
  CHECK(run.cancelled[0] == std::vector<std::uint64_t>{1});
  CHECK(blocked(state) == "xxx");
}
