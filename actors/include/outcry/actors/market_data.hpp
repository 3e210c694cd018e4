// MarketData: the actor of one feed group, which takes the changes of its symbols' orders and sends them to everyone; and
// the server that gives snapshots of it.
//
//   symbols ══ MarketByOrder ══▶ market_data ── packets ──▶ line A, line B (groups, or receivers one by one)
//                                     ▲  └───── answers ──▶ who asked for something again (UDP)
//                                     └─ SnapshotQuery ── snapshot_server ◀══▶ clients (SoupBinTCP)
//
// Every change gets in: the mailbox wants WhenFull::wait, and symbols wait for room in it. market_data itself waits for
// nobody, so that they wait for its work only, never for the network: what a socket has no room for is lost on the wire,
// counted, and can be asked for again. A session ends with its symbols, or when the actor is told to stop: what is in
// the mailbox still goes out, then the end of the session, again and again for a while.
//
// Snapshots are made by market_data between two messages and never change; sessions of the server send them from
// another scheduler, if it runs there, each at its client's pace.
// Threads: each its scheduler's. Live worlds only.
// Errors: a socket that cannot be opened fails the actor, with a sentence that says which.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <outcry/actors/glimpse_session.hpp>
#include <outcry/actors/market_feed.hpp>
#include <outcry/actors/participant.hpp>
#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/endpoint.hpp>

namespace outcry {

/// A snapshot of the feed as it is now, with the name of its session.
class SnapshotGiven {
 public:
  SnapshotGiven() = default;
  SnapshotGiven(std::shared_ptr<const FeedSnapshot> given, const mold::Session& of)
      : snapshot(std::move(given)), session(of) {}
  std::shared_ptr<const FeedSnapshot> snapshot{};  // null: there is none
  mold::Session session{};
};
struct SnapshotQuery {
  using Reply = SnapshotGiven;
  std::uint64_t unused{};
};

/// How a feed is doing, and where it is.
class FeedStatus {
 public:
  FeedStatus() = default;
  mold::Session session{};
  std::uint64_t next_sequence = 0;
  Endpoint requests{};  // where requests are answered; port 0: nowhere
  MarketFeedCounts feed{};
  MoldRequestCounts asked{};
  std::uint64_t unsendable = 0;  // packets for which a socket had no room
};
struct FeedStatusQuery {
  using Reply = FeedStatus;
  std::uint64_t unused{};
};

/// The next day: the session ends, and another begins with the orders that are there.
struct BeginFeedDay {
  mold::Session session{};
  std::int64_t midnight_ns{};  // in the world's time
};

struct MarketDataOptions {
  MarketFeedOptions feed{};
  std::vector<SymbolAddress> symbols{};
  std::vector<Endpoint> line_a{};  // a group, or receivers one by one
  std::vector<Endpoint> line_b{};
  Endpoint from_a{};  // the lines' own addresses
  Endpoint from_b{};
  std::string interface{};  // for groups: "lo", "eth0", or an address; empty: the system's choice
  int ttl = 1;
  std::optional<Endpoint> requests{};  // where requests are answered; none: nowhere
  std::size_t out_packets = 4096;
  Duration end_lasts = std::chrono::seconds(2);  // how long the end of the session is repeated
  FeedStatus* report = nullptr;                  // written when the actor ends; outlives the runtime
};

using MarketDataSelf = Self<MarketByOrder, Down, Ask<SnapshotQuery>, Ask<FeedStatusQuery>, BeginFeedDay>;
using MarketDataAddress = Address<MarketByOrder, Down, Ask<SnapshotQuery>, Ask<FeedStatusQuery>, BeginFeedDay>;

/// Spawn it with a mailbox of WhenFull::wait.
Actor market_data(MarketDataSelf self, MarketDataOptions options);

struct SnapshotServerOptions {
  Address<Ask<SnapshotQuery>> feed{};
  Endpoint local{};
  GlimpseSessionOptions session{};
  LoginDeskOptions desk{};
  std::vector<std::pair<std::string, std::string>> accounts{};  // user, password
  std::size_t most_sessions = 256;                              // further clients are refused
  std::size_t out_bytes = 256 * 1024;                           // of each session
};

struct SnapshotServerStatus {
  std::uint64_t accepted = 0, refused = 0;
  std::uint64_t sent = 0;    // whole snapshots
  std::uint64_t failed = 0;  // clients that were given up
  std::uint64_t live = 0;
  std::uint16_t port = 0;
};
struct SnapshotServerQuery {
  using Reply = SnapshotServerStatus;
  std::uint64_t unused{};
};

using SnapshotServerSelf = Self<Ask<SnapshotServerQuery>>;
Actor snapshot_server(SnapshotServerSelf self, SnapshotServerOptions options);

}  // namespace outcry
