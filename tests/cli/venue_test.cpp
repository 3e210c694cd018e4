// outcry simulate with the rules and the day of a venue.
#include "program.hpp"

using namespace program_test;

namespace {

const char* const venue =
    "symbols = 2\nfor = \"20m\"\nseed = 3\n"
    "[agents]\nicebergs = 0.1\nhidden = 0.1\nstops = 0.1\npegs = 0.1\n"
    "[rules]\nself_trade = \"cancel_oldest\"\ngroups = \"1:1, 2:1\"\nticks = \"0:1, 20000:5\"\nreference = 10000\n"
    "static_band = 1000\ndynamic_band = 50\ncollar = 20\n"
    "[session]\nopening_to = \"2m\"\nhalts = \"5m+90s, 12m+1m\"\nreopening = \"30s\"\n"
    "closing_from = \"17m\"\nclosing_to = \"19m\"\n";

}  // namespace

TEST_CASE("a venue's day is told: phases in the folder, auctions in the report and for machines") {
  Scratch scratch;
  const std::string file = scratch.write("market.toml", venue);
  const Ended ended = outcry({"simulate", file, "--json", "--out", scratch.path("run")});

  CHECK(ended.status == 0);
  const Json object = ended.json();
  const Json& auctions = object["auctions"];
  REQUIRE(auctions.size() == 2 * 4);
  std::uint64_t shares = 0;
  std::string rows = "time,symbol,phase,price,volume,imbalance\n";
  const auto phase = [&](const std::string& time, const char* name) {
    for (const char* symbol : {"S0000", "S0001"}) rows += time + ".000000000," + symbol + "," + name + ",,,\n";
  };
  std::size_t next = 0;
  const auto uncross = [&](const std::string& time, bool closes) {
    for (int i = 0; i < 2; ++i, ++next) {
      const Json& auction = auctions[next];
      const std::string symbol = auction["symbol"];
      CHECK(auction["time_s"] == std::stod(time));
      shares += auction["volume"].get<std::uint64_t>();
      char price[32];
      std::snprintf(price, sizeof price, "%.2f", auction["price"].get<double>());
      rows += time + ".000000000," + symbol + ",uncrossed," + price + "," + auction["volume"].dump() + "," +
              auction["imbalance"].dump() + "\n";
      rows += time + ".000000000," + symbol + (closes ? ",closed,,,\n" : ",continuous,,,\n");
    }
  };
  phase("0", "auction");
  uncross("120", false);
  phase("300", "halted");
  phase("390", "auction");
  uncross("420", false);
  phase("720", "halted");
  phase("780", "auction");
  uncross("810", false);
  phase("1020", "auction");
  uncross("1140", true);
  CHECK(contents(scratch.path("run/phases.csv")) == rows);
  CHECK(object["auction_shares"] == shares);
  CHECK(object["refused"] == 0);
  const std::string orders = contents(scratch.path("run/orders.csv"));
  for (const char* event : {",terms,", ",refreshed,", ",triggered,", ",repriced,"}) CHECK(contains(orders, event));

  const Json manifest = Json::parse(contents(scratch.path("run/manifest.json")));
  CHECK(manifest["configuration"]["rules"]["self_trade"] == "cancel_oldest");
  CHECK(manifest["configuration"]["rules"]["groups"] == "1:1, 2:1");
  CHECK(manifest["configuration"]["rules"]["ticks"] == "0:1, 20000:5");
  CHECK(manifest["configuration"]["session"]["halts"] == "5m+1m30s, 12m+1m");
  CHECK(manifest["result"]["auctions"] == auctions);

  const Ended table = outcry({"simulate", file});
  CHECK(contains(table.out, "auctions"));
  CHECK(contains(table.out, "0:02:00"));
  CHECK(contains(table.out, "imbalance"));
  // The folder of such a run is one that may be replaced.
  CHECK(outcry({"simulate", "--for", "10s", "--out", scratch.path("run")}).status == 0);
  CHECK(!std::filesystem::exists(scratch.path("run/phases.csv")));
}

TEST_CASE("a venue's market and its files are the same on 1, 2 and 4 schedulers, with a strategy, too") {
  for (const bool strategy : {false, true}) {
    Scratch scratch;
    const std::string file = scratch.write("market.toml", venue);
    std::string digest;
    std::vector<std::string> files;
    for (const char* schedulers : sanitized ? std::vector{"1", "4"} : std::vector{"1", "2", "4"}) {
      CAPTURE(schedulers);
      std::vector<std::string> arguments{"simulate", file,    "--schedulers",     schedulers,
                                         "--json",   "--out", scratch.path("run")};
      if (strategy) arguments.insert(arguments.end(), {"--strategy", "maker"});
      const Json object = outcry(arguments).json();
      std::vector<std::string> now;
      for (const char* name : {"orders.csv", "trades.csv", "l1.csv", "phases.csv"})
        now.push_back(contents(scratch.path(std::string("run/") + name)));
      if (files.empty()) {
        digest = object["digest"];
        files = now;
      }
      CHECK(object["digest"] == digest);
      CHECK(now == files);
    }
  }
}

TEST_CASE("the options say what the file says") {
  Scratch scratch;
  const std::string file = scratch.write("market.toml",
                                         "for = \"10m\"\n[rules]\nself_trade = \"decrement\"\n[session]\n"
                                         "opening_to = \"1m\"\nhalts = \"3m+1m\"\nclosing_from = \"8m\"\n");
  const std::vector<std::string> options{"simulate", "--for",   "10m",   "--self-trade",   "decrement", "--opening-to",
                                         "1m",       "--halts", "3m+1m", "--closing-from", "8m",        "--json"};
  const Json said = outcry(options).json();
  CHECK(said["auctions"].size() == 2);  // a halt without orders collected behind it has none
  CHECK(said["auctions"][1]["time_s"] == 599.0);
  CHECK(outcry({"simulate", file, "--json"}).json()["digest"] == said["digest"]);
}

TEST_CASE("a mistake in a venue's rules or its day is told with file, line, key and what was expected") {
  struct Case {
    std::string text;
    std::string sentence;
  };
  const std::vector<Case> cases{
      {"[rules]\nself_trade = \"never\"\n",
       "market.toml, line 2: rules.self_trade is \"never\", expected one of allowed, cancel_newest, cancel_oldest, "
       "cancel_both, decrement"},
      {"[rules]\nself_trades = \"allowed\"\n",
       "line 2: there is no key rules.self_trades, did you mean rules.self_trade?"},
      {"[rules]\ncollar = -1\n", "line 2: rules.collar is -1, expected a whole number from 0"},
      {"[rules]\nstatic_band = 1.5\n", "line 2: rules.static_band is 1.5, expected a whole number from 0"},
      {"[rules]\ndynamic_band = \"5\"\n", "line 2: rules.dynamic_band is \"5\", expected a whole number from 0"},
      {"[rules]\nreference = -3\n", "line 2: rules.reference is -3, expected a whole number from 0"},
      {"[rules]\nticks = \"0:1, 0:5\"\n",
       "line 2: rules.ticks is \"0:1, 0:5\", expected steps of a price and the tick from there on, lowest first, such "
       "as 0:1, 5000:5"},
      {"[rules]\nticks = \"0:0\"\n", "line 2: rules.ticks is \"0:0\", expected steps"},
      {"[rules]\nticks = 5\n", "line 2: rules.ticks is 5, expected steps"},
      {"[rules]\ngroups = \"one\"\n", "line 2: rules.groups is \"one\", expected accounts and the group"},
      {"[session]\nhalts = \"5m\"\n", "line 2: session.halts is \"5m\", expected moments and lengths, such as 20m+5m"},
      {"[session]\nhalts = \"5m+0s\"\n", "line 2: session.halts is \"5m+0s\", expected moments"},
      {"[session]\nopening_to = 5\n", "line 2: session.opening_to is 5, expected a duration from 0"},
      {"[session]\nopening_until = \"5m\"\n", "line 2: there is no key session.opening_until"},
      {"[session]\nclosing_from = \"50m\"\nclosing_to = \"2h\"\n",
       "market.toml, [session]: the session must be over within 1h, the time that is simulated"},
      {"[session]\nopening_to = \"5m\"\nhalts = \"4m+1m\"\n",
       "market.toml, [session]: a halt must not begin before the opening, or the halt before it, is over"},
      {"[agents]\nstops = 1.5\n", "line 2: agents.stops is 1.5, expected a number from 0 to 1"},
      {"[agents]\nstops = 0.6\npegs = 0.6\n",
       "icebergs, hidden orders, stops and pegs must not be more than all orders"},
  };
  for (const Case& one : cases) {
    Scratch scratch;
    const Ended ended = outcry({"simulate", scratch.write("market.toml", one.text)});
    CAPTURE(one.sentence);
    CAPTURE(ended.err);
    CHECK(ended.status == 1);
    CHECK(contains(ended.err, one.sentence));
    CHECK(ended.err.find('\n') == ended.err.size() - 1);
  }
  const Ended typed = outcry({"simulate", "--halts", "never"});
  CHECK(typed.status == 2);
  CHECK(contains(typed.err, "--halts never is not possible, expected moments and lengths"));
  CHECK(outcry({"simulate", "w1", "--opening-to", "5m"}).status == 2);
}

TEST_CASE("what the example says of rules and session can be taken as it stands") {
  Scratch scratch;
  const std::string example = contents(OUTCRY_SOURCE "/examples/market.toml");
  const std::size_t from = example.find("# [rules]"), to = example.find("# With a table [w1]");
  REQUIRE(to != std::string::npos);
  std::string tables;
  for (std::size_t at = from; at < to; at = example.find('\n', at) + 1)
    if (example[at] == '#') tables += example.substr(at + 1, example.find('\n', at) - at);

  const Ended ended = outcry({"simulate", scratch.write("market.toml", tables), "--json"});

  CAPTURE(ended.err);
  CHECK(ended.status == 0);
  CHECK(ended.json()["auctions"].size() == 4);
}

TEST_CASE("help names the options of a venue, and the market without them has no key of theirs") {
  const std::string help = outcry({"simulate", "--help"}).out;
  for (const char* option : {"--self-trade", "--opening-to", "--halts", "--closing-from", "--closing-to"})
    CHECK(contains(help, option));
  const Json object = outcry({"simulate", "--for", "1m", "--json"}).json();
  CHECK(!object.contains("auctions"));
  CHECK(!object.contains("auction_shares"));
}
