// FeedSubscriber: the actor that listens to a feed on two lines, and gives quotes, depth, trades and phases to whoever
// subscribes, in the words in which symbols do.
//
// Each symbol that it follows has a face, feed_symbol(), which takes the subscriptions that a symbol takes; a strategy
// behind it does not notice that the market is elsewhere. What it gives is what changed since the last packets: a slow
// subscriber whose mailbox has WhenFull::latest gets the newest of each symbol, and holds nobody up.
//
// Snapshots are read by an actor of their own on the same scheduler, so that a server that does not answer does not
// keep the feed waiting.
// Thread: its scheduler's. Live worlds only.
// Limits: prices are those of the wire, in 1/10,000. No auctions before they end: a feed does not say how they stand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <outcry/actors/feed_client.hpp>
#include <outcry/actors/participant.hpp>
#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/endpoint.hpp>

namespace outcry {

enum class FeedKind : std::uint8_t { quotes, trades, depth, phases };

/// What `who` wants to hear of a symbol; it must be an actor that takes it.
struct FeedSubscription {
  AnyAddress who{};
  SymbolId symbol{};
  FeedKind kind{};
};

/// How a client is doing.
class FeedClientStatus {
 public:
  FeedClientStatus() = default;
  bool current = false;  // the books are those of the feed
  bool ended = false;
  std::uint64_t next_sequence = 0;
  mold::Session session{};
  FeedClientCounts client{};
  MoldReceiverCounts received{};
  std::uint64_t dropped = 0;  // packets for which there was no room here
  Endpoint line_a{}, line_b{};
};
struct FeedClientQuery {
  using Reply = FeedClientStatus;
  std::uint64_t unused{};
};

/// One line: where to listen, and the group to join, if it is one.
struct FeedLine {
  Endpoint local{};
  std::optional<Endpoint> group{};
  std::string interface{};
};

struct FeedSubscriberOptions {
  FeedClientOptions client{};
  std::optional<FeedLine> line_a{};
  std::optional<FeedLine> line_b{};
  std::optional<Endpoint> requests{};   // of the server
  std::optional<Endpoint> snapshots{};  // of the server
  std::string user{}, password{};       // for snapshots
  std::size_t in_packets = 4096;
  Duration snapshot_timeout = std::chrono::seconds(10);
  FeedClientStatus* report = nullptr;  // written when the actor ends; outlives the runtime
};

using FeedSubscriberSelf = Self<FeedSubscription, Ask<FeedClientQuery>>;
using FeedSubscriberAddress = Address<FeedSubscription, Ask<FeedClientQuery>>;
Actor feed_subscriber(FeedSubscriberSelf self, FeedSubscriberOptions options);

/// A symbol of the feed, as far as it tells: its address takes the subscriptions and the question that a symbol takes.
using FeedSymbolSelf =
    Self<SubscribeQuotes, SubscribeTrades, SubscribeDepth, SubscribePhases, SubscribeAuctions, Ask<QuoteQuery>, Quote>;
using FeedSymbolAddress =
    Address<SubscribeQuotes, SubscribeTrades, SubscribeDepth, SubscribePhases, SubscribeAuctions, Ask<QuoteQuery>>;
Actor feed_symbol(FeedSymbolSelf self, FeedSubscriberAddress feed, SymbolId symbol);

}  // namespace outcry
