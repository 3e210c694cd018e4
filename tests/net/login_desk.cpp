#include <outcry/net/login_desk.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using namespace outcry;
using Verdict = LoginDesk::Verdict;

namespace {

constexpr std::int64_t second = 1'000'000'000;

LoginDesk desk(const LoginDeskOptions& options = {}) {
  LoginDesk result(options);
  result.add("MARA", "secret");
  result.add("NILS", "other");
  return result;
}

}  // namespace

TEST_CASE("who knows his password is let in, in capitals or not, and nobody else") {
  LoginDesk accounts = desk();
  CHECK(accounts.log_in("mara", "SECRET", 0).verdict == Verdict::admitted);
  CHECK(accounts.log_in("NILS", "other", 0).account == 1);
  for (const auto& [user, password] : {std::pair{"MARA", "other"},
                                       {"MARA", ""},
                                       {"", ""},
                                       {"MAR", "secret"},
                                       {"MARA", "secre"},
                                       {"MARA", "secrets"},
                                       {"OLGA", "secret"},
                                       {"MARA", "secret                                  "}})
    CHECK(accounts.log_in(user, password, 0).verdict == Verdict::wrong);
}

TEST_CASE("an account has one live session: a second login is refused until the first has ended") {
  LoginDesk accounts = desk();
  const auto first = accounts.log_in("MARA", "secret", 0);
  CHECK(accounts.log_in("MARA", "secret", 0).verdict == Verdict::already_live);
  CHECK(accounts.live_session(0) == first.session);

  accounts.log_out(first.account, first.session);

  const auto second_login = accounts.log_in("MARA", "secret", 0);
  CHECK(second_login.verdict == Verdict::admitted);
  CHECK(second_login.session != first.session);
}

TEST_CASE("where the newest wins, the older session ends, and its end does not end the newer one") {
  LoginDesk accounts = desk({.newest_wins = true});
  const auto first = accounts.log_in("MARA", "secret", 0);
  const auto newer = accounts.log_in("MARA", "secret", 0);
  CHECK(newer.verdict == Verdict::admitted_instead);
  CHECK(newer.replaced == first.session);

  accounts.log_out(first.account, first.session);

  CHECK(accounts.live_session(0) == newer.session);
}

TEST_CASE("who is known otherwise needs no password, but has the account's one session like everybody") {
  LoginDesk accounts = desk({.attempts = 1});
  CHECK(accounts.log_in("MARA", "guess", 0).verdict == Verdict::wrong);  // which locks passwords
  const auto first = accounts.enter(0);
  CHECK(first.verdict == Verdict::admitted);
  CHECK(first.account == 0);
  CHECK(accounts.enter(0).verdict == Verdict::already_live);
  accounts.log_out(0, first.session);
  CHECK(accounts.enter(0).session > first.session);
}

TEST_CASE("wrong passwords lock an account, longer each time, and only that account") {
  LoginDesk accounts = desk({.attempts = 3, .first_lock_ns = second, .longest_lock_ns = 3 * second});
  const auto wrong = [&](std::int64_t now) { return accounts.log_in("MARA", "guess", now).verdict; };
  const auto right = [&](std::int64_t now) { return accounts.log_in("MARA", "secret", now).verdict; };
  for (int i = 0; i < 3; ++i) CHECK(wrong(0) == Verdict::wrong);
  CHECK(right(second - 1) == Verdict::locked);
  CHECK(accounts.log_in("NILS", "other", 0).verdict == Verdict::admitted);

  CHECK(wrong(second) == Verdict::wrong);  // locked for two seconds
  CHECK(right(3 * second - 1) == Verdict::locked);
  CHECK(wrong(3 * second) == Verdict::wrong);  // for three, the longest
  CHECK(right(6 * second - 1) == Verdict::locked);
  CHECK(right(6 * second) == Verdict::admitted);

  accounts.log_out(0, accounts.live_session(0));
  CHECK(wrong(7 * second) == Verdict::wrong);
  CHECK(right(7 * second) == Verdict::admitted);  // counted from the start
}

TEST_CASE("two accounts of one user, and accounts without a password, are refused at the start") {
  LoginDesk accounts = desk();
  CHECK_THROWS_AS(accounts.add("mara", "x"), std::invalid_argument);
  CHECK_THROWS_AS(accounts.add("OLGA", ""), std::invalid_argument);
  CHECK_THROWS_AS(accounts.add(std::string(33, 'x'), "x"), std::invalid_argument);
}
