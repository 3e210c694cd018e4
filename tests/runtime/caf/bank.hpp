// Bank: what the tests of the CAF face talk about, within a process and on both sides of two.
#pragma once

#include <cstdint>

#include <outcry/caf/node.hpp>
#include <outcry/caf/stage.hpp>

namespace outcry {

struct Deposit {
  std::int64_t amount = 0;
  std::int64_t from = 0;  // who deposits
};
struct Balance {
  std::int64_t amount = 0;
};
struct BalanceQuery {
  using Reply = Balance;
  std::int64_t account = 0;
};
/// The account ends: normally, or by an exception.
struct Close {
  std::uint8_t broken = 0;
};

template <class F>
typename F::result_type inspect(F& f, Deposit& x) {
  return caf_fields(f, "Deposit", x.amount, x.from);
}
template <class F>
typename F::result_type inspect(F& f, Balance& x) {
  return caf_fields(f, "Balance", x.amount);
}
template <class F>
typename F::result_type inspect(F& f, BalanceQuery& x) {
  return caf_fields(f, "BalanceQuery", x.account);
}
template <class F>
typename F::result_type inspect(F& f, Close& x) {
  return caf_fields(f, "Close", x.broken);
}

inline void announce_bank(caf::actor_system_config& config) {
  caf_announce<Deposit>(config, "Deposit");
  caf_announce<Balance>(config, "Balance");
  caf_announce<BalanceQuery>(config, "BalanceQuery");
  caf_announce<Close>(config, "Close");
}

}  // namespace outcry
