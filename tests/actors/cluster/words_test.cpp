// The market's words through CAF's serializer and back.
#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <vector>

#include <caf/all.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

#include <outcry/cluster/words.hpp>

#include "tests/seed.hpp"

namespace outcry {
namespace {

/// Bytes at random where the type has no field that must not have any value.
template <class M>
M drawn(std::mt19937_64& random) {
  M message;
  auto* bytes = reinterpret_cast<unsigned char*>(&message);
  for (std::size_t i = 0; i < sizeof message; ++i) bytes[i] = static_cast<unsigned char>(random());
  return message;
}

template <class M>
M sent_and_received(caf::actor_system& system, M message) {
  std::vector<char> bytes;
  caf::binary_serializer sink(system, bytes);
  CHECK(!sink(message));
  M received{};
  caf::binary_deserializer source(system, bytes);
  CHECK(!source(received));
  return received;
}

/// What is unused does not travel and comes as zero.
void forget_unused(auto& message) {
  if constexpr (requires { message.unused; }) message.unused = 0;
  if constexpr (requires { message.unused8; }) message.unused8 = 0;
  if constexpr (requires { message.unused16; }) message.unused16 = 0;
}

template <class... Ms>
void check_all(caf::actor_system& system, std::mt19937_64& random) {
  const auto check = [&]<class M>(std::type_identity<M>) {
    for (int i = 0; i < 100; ++i) {
      M message = drawn<M>(random);
      if constexpr (!std::is_same_v<M, QuoteQuery>) forget_unused(message);
      const M received = sent_and_received(system, message);
      CHECK_MESSAGE(std::memcmp(&received, &message, sizeof message) == 0, message_type<M>.name);
    }
  };
  (check(std::type_identity<Ms>{}), ...);
}

}  // namespace

TEST_CASE("every word of the market travels whole: all its fields, whatever they hold") {
  const auto seed = test_seed();
  INFO("--seed=" << seed);
  std::mt19937_64 random(seed);
  caf::actor_system_config config;
  announce_market_words(config);
  config.set("scheduler.max-threads", 1);
  caf::actor_system system(config);

  check_all<NewOrder, CancelOrder, ReduceOrder, ModifyOrder, ReplaceOrder, EndOfDay, SpecialOrder, MassCancel,
            ExpireOrders, ChangePhase, Accepted, Rejected, Traded, Cancelled, Reduced, Modified, Replaced,
            AcceptedTerms, Refreshed, Triggered, Repriced, PhaseChanged, Uncrossed, Filled, Quote, TradePrint,
            DepthLevel, QuoteQuery, EnterRemotely, FindSymbol, SubscribeRemotely>(system, random);
  Depth depth;
  depth.symbol = {7};
  depth.bid_levels = 2;
  for (std::size_t i = 0; i < Depth::most_levels; ++i) depth.bids[i] = depth.asks[i] = {Price{-5}, 1'000 + i, 3, 0};
  const Depth received = sent_and_received(system, depth);
  CHECK(received.bids == depth.bids);
  CHECK(received.asks == depth.asks);
  CHECK(received.bid_levels == 2);
  Instrument instrument{.symbol = {3}, .name = padded_name("OUTC"), .tick = 5};
  const Instrument back = instrument_of(sent_and_received(system, listing_of(instrument)));
  CHECK(name_of(back) == "OUTC");
  CHECK(back.tick == 5);
  CHECK(back.highest == instrument.highest);
}

TEST_CASE("an order with values that there are not is not well formed") {
  CHECK(well_formed(NewOrder{}));
  CHECK(!well_formed(NewOrder{.side = static_cast<Side>(2)}));
  CHECK(!well_formed(NewOrder{.type = static_cast<OrderType>(9)}));
  CHECK(!well_formed(NewOrder{.time_in_force = TimeInForce::good_till_time}));
  CHECK(!well_formed(NewOrder{.post_only = static_cast<PostOnly>(2)}));
}

}  // namespace outcry
