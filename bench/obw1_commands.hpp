// OBW1's records as the commands that a book takes.
#pragma once

#include <cstdint>
#include <utility>

#include <outcry/messages/commands.hpp>

#include "obw1.hpp"

namespace obw1 {

/// The owner of every order of the workload. Static: its type differs where the books are built in another namespace.
static constexpr outcry::AccountId account{1};

/// Makes the record's command and gives it to f.
template <class F>
[[gnu::always_inline]] inline void with_command(const Record& r, F&& f, std::int64_t arrival_ns = 0) {
  using namespace outcry;
  const SymbolId symbol{r.symbol};
  const Price price{r.price};
  const Quantity quantity{r.quantity};
  switch (r.kind) {
    case Kind::add:
    case Kind::immediate:
      return f(NewOrder{
          .id = {r.id},
          .price = price,
          .quantity = quantity,
          .account = account,
          .symbol = symbol,
          .side = static_cast<Side>(r.side),
          .time_in_force = r.kind == Kind::add ? TimeInForce::good_till_cancelled : TimeInForce::immediate_or_cancel,
          .arrival_ns = arrival_ns});
    case Kind::cancel:
      return f(CancelOrder{.id = {r.id}, .account = account, .symbol = symbol, .arrival_ns = arrival_ns});
    case Kind::reduce:
      return f(
          ReduceOrder{.id = {r.id}, .by = quantity, .account = account, .symbol = symbol, .arrival_ns = arrival_ns});
    case Kind::replace:
      return f(ReplaceOrder{.id = {r.id},
                            .new_id = {r.new_id},
                            .price = price,
                            .quantity = quantity,
                            .account = account,
                            .symbol = symbol,
                            .arrival_ns = arrival_ns});
  }
}

}  // namespace obw1
