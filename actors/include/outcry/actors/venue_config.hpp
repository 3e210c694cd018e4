// VenueConfig: a venue on sockets as its file describes it: what is traded, by whom, through which doors, and who may
// listen. examples/venue.toml lists every key.
//
// Everything is checked here, so that what is built from it finds no surprise: names exist and are there once, no two
// doors want the same port, addresses beyond this machine were asked for.
// Thread: a value. Errors: std::runtime_error with one sentence of file, line, key and what was expected. Passwords are
// in none of them, and in nothing else that is printed from here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <outcry/actors/session.hpp>
#include <outcry/book/book_rules.hpp>
#include <outcry/messages/instrument.hpp>
#include <outcry/net/token_bucket.hpp>
#include <outcry/runtime/endpoint.hpp>
#include <outcry/runtime/runtime.hpp>

namespace outcry {

struct VenueConfig {
  enum class Protocol : std::uint8_t { ouch50, ouch42, fix };

  struct Listed {
    Instrument instrument{};
    int scheduler = -1;  // below zero: dealt out in turn
    bool restricted = false;
    bool short_sales = true;
  };

  /// A door for orders.
  struct Gateway {
    std::string name{};
    Protocol protocol = Protocol::ouch50;
    Endpoint address{};  // port 0: any that is free
    int scheduler = -1;
    std::uint32_t connections = 256;             // at a time
    std::uint32_t connections_per_address = 64;  // of those, from one address
    std::string comp_id = "OUTCRY";              // FIX: the venue's
    bool passwords = true;                       // FIX: a logon needs user and password; else the names are enough
  };

  enum class ShortSales : std::uint8_t { free, marked, none };

  /// Of each order, or of all of an account's. Zero: no limit. Money is in units of currency.
  struct Limits {
    std::uint64_t quantity = 0;  // of an order
    std::uint64_t notional = 0;  // of an order
    double price_collar = 0;     // how far through the last trade a limit may lie: 0.05 is 5 %
    double market_collar = 0;    // the same for where a market order begins to trade
    std::uint64_t position = 0;  // in each symbol, either way, if all that is open traded
    std::uint64_t net = 0;       // bought less sold, either way, if all that is open traded
    std::uint64_t gross = 0;     // bought, sold and open
    std::uint32_t open_orders = 0;
    TokenRate orders{};      // in each symbol
    Duration duplicates{0};  // within so long the same order again is refused
    ShortSales short_sales = ShortSales::free;
    bool locate = false;  // short sales have to say that the shares are found
  };

  struct Account {
    std::string user{};
    std::string password{};
    std::string firm{};
    std::string comp_id{};                  // FIX; the user, if none was given
    std::vector<std::uint32_t> gateways{};  // indices
    std::vector<SymbolId> symbols{};        // entitled to
    std::uint32_t group = 0;                // for self-trade prevention; 0: on its own
    bool cancel_on_disconnect = true;
    Duration grace{0};     // before that
    TokenRate throttle{};  // messages of a session; zero: no limit
    Limits limits{};
  };

  /// A group of symbols whose market data goes out together.
  struct Feed {
    std::string session{};
    Endpoint a{};
    std::optional<Endpoint> b{};
    std::optional<Endpoint> requests{};   // where lost packets are asked for
    std::optional<Endpoint> snapshots{};  // where a snapshot is to be had
    std::string interface{};              // multicast: the address of the card it leaves by
    std::vector<SymbolId> symbols{};
    int scheduler = -1;
    Duration flush = std::chrono::microseconds(20);
    Duration heartbeat = std::chrono::seconds(1);
    std::size_t largest_packet = 1'400;
    TokenRate requests_per_source{.per_second = 1'000, .burst = 100};
  };

  struct Metrics {
    std::optional<Endpoint> address{};
    std::size_t largest_request = 8'192;
    Duration patience = std::chrono::seconds(5);  // for a request
    std::uint32_t connections = 16;
  };

  /// Sizes of what can fill up, and how long things may take.
  struct Sizes {
    std::uint64_t orders = 1'000'000;          // that rest, each scheduler
    std::uint32_t port_orders = 4'096;         // of an account at a gateway, at a time
    std::uint32_t port_ids = 65'536;           // OUCH 4.2, FIX: names that an account gives to its orders in a day
    std::uint64_t messages = 262'144;          // sent to an account at a gateway in a day, and kept to be sent again
    std::uint64_t message_bytes = 16'777'216;  // the same
    std::uint64_t feed_messages = 4'000'000;   // of each feed
    std::uint64_t feed_bytes = 256'000'000;
    Duration login = std::chrono::seconds(30);
    Duration drain = std::chrono::seconds(5);  // from SIGTERM to the end
  };

  std::string file{};
  std::string name = "OUTCRY";
  std::string session = "DAY1";  // of order entry
  std::uint32_t schedulers = 1;
  IdlePolicy idle = IdlePolicy::spin_then_sleep;
  std::string host{};             // a profile; empty: wherever the system likes
  std::string kill_switch{};      // the file that remembers who was stopped; empty: a restart forgets
  bool newest_login_wins = true;  // a login for an account that is there already takes its place, or is refused
  bool beyond_loopback = false;
  bool measure = true;
  bool kernel_stamps = false;  // the way of an order begins where the kernel took its bytes
  std::optional<BookRules> rules{};
  std::optional<SessionPlan> day{};
  bool day_from_midnight = false;  // its moments are counted from midnight UTC, else from the start
  std::vector<Listed> instruments{};
  std::vector<Gateway> gateways{};
  std::vector<Account> accounts{};
  std::vector<Feed> feeds{};
  Metrics metrics{};
  Sizes sizes{};

  /// Throws std::runtime_error.
  static VenueConfig read(const std::filesystem::path& file);
};

constexpr std::string_view name_of(VenueConfig::Protocol protocol) {
  constexpr std::string_view names[] = {"ouch50", "ouch42", "fix"};
  return names[static_cast<std::size_t>(protocol)];
}

}  // namespace outcry
