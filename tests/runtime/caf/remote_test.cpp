// An Outcry actor and actors of another process, over CAF's middleman on loopback.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include <outcry/runtime/runtime.hpp>

#include "bank.hpp"
#include "other_process.hpp"

using namespace std::chrono_literals;

namespace outcry {
namespace {

constexpr auto patience = 60s;

struct World {
  World() : bank_process({OUTCRY_CAF_PEER, "serve", "127.0.0.1"}) {
    const auto port = static_cast<std::uint16_t>(std::atoi(bank_process.line().c_str()));
    const auto connected = node.connect("127.0.0.1", port);
    REQUIRE_MESSAGE(connected, (connected ? "" : node.text(connected.error())));
    bank = *connected;
  }

  caf::actor open(const std::string& what) {
    caf::actor opened;
    caf::scoped_actor self(node.system());
    self->request(bank, patience, what)
        .receive([&](const caf::actor& handle) { opened = handle; },
                 [&](caf::error& error) { FAIL(node.text(error)); });
    return opened;
  }

  OtherProcess bank_process;
  CafNode node{{.announce = announce_bank}};
  Runtime runtime{{.idle = IdlePolicy::sleep, .pin = false, .log = [](std::string_view) {}}};
  CafStage stage{node.system(), runtime};
  caf::actor bank;
};

std::vector<caf::error> reasons(caf::scoped_actor& self, int many) {
  std::vector<caf::error> reasons;
  self->receive_while([&] { return many-- > 0; })([&](const caf::down_msg& down) { reasons.push_back(down.reason); });
  return reasons;
}

using Lines = std::vector<std::string>;

/// Asks and watches one of each kind of actor of the other process.
Actor customer(Self<CafDown> self, CafSelf caf, caf::actor account, caf::actor clerk, Lines* lines) {
  caf.monitor(account);
  caf.monitor(clerk);
  for (std::int64_t i = 1; i <= 100; ++i) caf.send(account, Deposit{i});
  auto asking = caf.ask(account, 60s, BalanceQuery{});
  const auto balance = co_await asking;
  lines->push_back(balance && balance->holds<Balance>() ? std::to_string(balance->get<Balance>().amount) : "nothing");
  auto adding = caf.ask(clerk, 60s, std::int32_t{2}, std::int32_t{3});
  const auto sum = co_await adding;
  lines->push_back(sum && sum->holds<std::int32_t>() ? std::to_string(sum->get<std::int32_t>()) : "nothing");

  caf.send(account, Close{1});
  const auto first = co_await self.receive();
  lines->push_back(first && first->source == account.address() ? caf_text(caf.system(), first->reason) : "another");
  caf.send(clerk, Close{1});
  const auto second = co_await self.receive();
  lines->push_back(second && second->source == clerk.address() ? caf_text(caf.system(), second->reason) : "another");
}

Actor linked(Self<CafExit> self, CafSelf caf, caf::actor to, Lines* lines) {
  caf.link_to(to);
  caf.send(to, Close{1});
  const auto exit = co_await self.receive();
  lines->push_back(exit ? caf_text(caf.system(), exit->reason) : "nothing");
}

Actor fails_linked(Self<CafMessage> self, CafSelf caf, caf::actor to) {
  caf.link_to(to);
  co_await self.receive();
  throw std::runtime_error("broken");
}

Actor waits_for_end(Self<CafDown> self, CafSelf caf, caf::actor of, Lines* lines) {
  caf.monitor(of);
  const auto down = co_await self.receive();
  lines->push_back(down ? caf_text(caf.system(), down->reason) : "nothing");
  auto asking = caf.ask(of, 60s, BalanceQuery{});
  const auto answer = co_await asking;
  lines->push_back(answer && !*answer ? "gone" : "answered, or nothing came");
}

}  // namespace

TEST_CASE("a CAF actor of this process asks and watches a coroutine actor of another one") {
  World world;
  const caf::actor account = world.open("account");
  caf::scoped_actor self(world.node.system());
  self->monitor(account);
  std::int64_t balance = 0;
  for (std::int64_t i = 1; i <= 1'000; ++i) self->send(account, Deposit{i});
  self->request(account, patience, BalanceQuery{})
      .receive([&](const Balance& answer) { balance = answer.amount; }, [](caf::error&) {});
  caf::error unexpected;
  self->request(account, patience, std::string("what")).receive([] {}, [&](caf::error& why) { unexpected = why; });
  self->send(account, Close{1});
  const auto ends = reasons(self, 1);

  CHECK(balance == 500'500);
  CHECK(unexpected == caf::sec::unexpected_message);
  CHECK(world.node.text(ends[0]).find("broken") != std::string::npos);
}

TEST_CASE("a coroutine actor asks and watches a coroutine actor and a CAF actor of another process") {
  World world;
  Lines lines;
  world.stage.spawn({}, customer, world.open("account"), world.open("clerk"), &lines);
  world.runtime.run();

  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == "5050");
  CHECK(lines[1] == "5");
  CHECK(lines[2].find("the account is broken") != std::string::npos);
  CHECK(lines[3].find("out_of_workers") != std::string::npos);
}

TEST_CASE("links hold between processes, both ways, to coroutine actors and to CAF actors") {
  for (const char* what : {"account", "clerk"}) {
    World world;
    Lines lines;
    const caf::actor mine = world.open(what), theirs = world.open(what);
    caf::scoped_actor self(world.node.system());
    self->monitor(theirs);
    world.stage.spawn({}, linked, mine, &lines);
    const auto failing = world.stage.spawn({}, fails_linked, theirs);
    world.runtime.start();
    // The link is made by messages: one that is answered behind it is proof that it is there.
    self->request(theirs, patience, std::string("what")).receive([] {}, [](caf::error&) {});
    self->send(failing.handle, 1);
    const auto ends = reasons(self, 1);
    world.runtime.join();

    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find(std::string(what) == "clerk" ? "out_of_workers" : "broken") != std::string::npos);
    CHECK(ends[0]);
  }
}

TEST_CASE("a process that is killed is noticed: who watched its actors hears that the link is gone") {
  World world;
  Lines lines;
  const caf::actor account = world.open("account");
  caf::scoped_actor self(world.node.system());
  self->monitor(account);
  world.stage.spawn({}, waits_for_end, account, &lines);
  world.runtime.start();
  self->request(account, patience, BalanceQuery{}).receive([](const Balance&) {}, [](caf::error&) {});
  world.bank_process.signal(SIGKILL);
  const auto ends = reasons(self, 1);
  world.runtime.join();

  CHECK(ends[0] == caf::exit_reason::remote_link_unreachable);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find("remote_link_unreachable") != std::string::npos);
  CHECK(lines[1] == "gone");
}

TEST_CASE("credentials are whole or refused") {
  CHECK_THROWS_AS(CafNode({.credentials = {.certificate = "node.pem"}}), std::invalid_argument);
}

}  // namespace outcry
