// outcry simulate.
#include "program.hpp"

#include <pty.h>

using namespace program_test;

namespace {

std::vector<std::string> small_market(std::vector<std::string> more) {
  std::vector<std::string> all{"simulate", "--symbols", "5", "--for", "2m", "--seed", "11"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

const std::vector<std::string> csv_files{"orders.csv", "trades.csv", "l1.csv"};

}  // namespace

TEST_CASE("simulate --json has the keys of every machine that reads it") {
  const Json object = outcry(small_market({"--json"})).json();

  for (const char* key :
       {"symbols", "agents", "delivered", "commands", "trades", "shares", "schedulers", "seed", "refused"}) {
    CAPTURE(key);
    CHECK(object[key].is_number_unsigned());
  }
  for (const char* key : {"simulated_s", "wall_s", "delivered_per_s", "rss_mb"}) {
    CAPTURE(key);
    CHECK(object[key].is_number_float());
  }
  CHECK(object["symbols"] == 5);
  CHECK(object["agents"] == 5 * 52);
  CHECK(object["simulated_s"] == 120.0);
  CHECK(object["seed"] == 11);
  CHECK(object["trades"] > 0);
  CHECK(object["rss_mb"] > 1.0);
  const std::string digest = object["digest"];
  CHECK(digest.size() == 16);
  CHECK(digest.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(object["latency"]["mailbox"]["p99_ns"] > 0);
}

TEST_CASE("a market and its files are the same on 1, 2 and 4 schedulers, and with a strategy, and again") {
  for (const bool strategy : {false, true}) {
    Scratch scratch;
    std::string digest;
    std::vector<std::string> files;
    for (const char* schedulers : {"1", "2", "4", "1"}) {
      CAPTURE(schedulers);
      std::filesystem::remove_all(scratch.path("run"));
      std::vector<std::string> arguments =
          small_market({"--schedulers", schedulers, "--json", "--out", scratch.path("run")});
      if (strategy) arguments.insert(arguments.end(), {"--strategy", "maker", "--latency", "20ms"});
      const Json object = outcry(arguments).json();

      std::vector<std::string> now;
      for (const std::string& name : csv_files) now.push_back(contents(scratch.path("run/" + name)));
      CHECK(now.front().size() > 10'000);
      if (digest.empty()) {
        digest = object["digest"];
        files = now;
      }
      CHECK(object["digest"] == digest);
      CHECK(now == files);
    }
  }
}

TEST_CASE("another seed is another market") {
  CHECK(outcry({"simulate", "--for", "1m", "--seed", "1", "--json"}).json()["digest"] !=
        outcry({"simulate", "--for", "1m", "--seed", "2", "--json"}).json()["digest"]);
}

TEST_CASE("a run whose pools are sized by an earlier one's report is the same run, and its pools grow no more") {
  Scratch scratch;
  const std::vector<std::string> market{"simulate", "--symbols", "120", "--for", "1m", "--seed", "11", "--json"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), market.begin(), market.end());
    return outcry(more).json();
  };
  const Json first = with({"--out", scratch.path("run")});
  const Json second = with({"--pools", scratch.path("run"), "--out", scratch.path("again")});

  const auto grown = [](const Json& object, const char* kind) { return object["pools"][kind][0]["grown"]; };
  CHECK(grown(first, "frames") > 0);
  CHECK(grown(second, "frames") == 0);
  CHECK(grown(second, "orders") == 0);
  CHECK(grown(first, "messages") > 0);
  CHECK(grown(second, "messages") == 0);
  CHECK(second["pools"]["orders"][0]["high_water"] == first["pools"]["orders"][0]["high_water"]);
  CHECK(second["pools"]["frames"][0]["high_water"] == first["pools"]["frames"][0]["high_water"]);
  CHECK(second["digest"] == first["digest"]);
  CHECK(second["books"] == first["books"]);
  CHECK(second["books"]["bids"]["orders"] > 0);
  CHECK(second["books"]["new"] > 1'000);

  const Ended ended = outcry({"simulate", "--pools", scratch.path("nowhere")});
  CHECK(ended.status == 1);
  CHECK(contains(ended.err, "nowhere: cannot be read"));
}

TEST_CASE("w1 reports its spread") {
  const Json object = outcry({"simulate", "w1", "--for", "300s", "--json"}).json();

  CHECK(object["spread_over_pc"].get<double>() == doctest::Approx(.7595).epsilon(.05));
  CHECK(object["spread_cv"].get<double>() > .1);
  CHECK(object["simulated_s"] == 305.0);  // 20 / delta of warm-up
}

TEST_CASE("the spread of w1 is within one percent of theory" * doctest::timeout(300) * doctest::skip(sanitized)) {
  // The random error of one run of 3,000 s is half a percent at epsilon .2; at .02 the book forgets ten times more
  // slowly.
  CHECK(outcry({"simulate", "w1", "--json"}).json()["spread_over_pc"].get<double>() ==
        doctest::Approx(.7595).epsilon(.01));
}

TEST_CASE("for people there is a table: counts, digest, latency by stage, the strategy's end") {
  Scratch scratch;
  const Ended ended = outcry(small_market({"--strategy", "maker", "--out", scratch.path("run")}));

  CHECK(ended.status == 0);
  CHECK(ended.err.empty());
  for (const char* part : {"5 symbols, 260 agents", "delivered", "commands", "trades", "digest", "p99.99", "mailbox",
                           "total", "slowest", "maker:", "position", "profit", "S0000"})
    CHECK(contains(ended.out, part));
  CHECK(contains(ended.out, scratch.path("run")));
}

TEST_CASE("without measuring there is no table of latency") {
  const Ended ended = outcry({"simulate", "--for", "10s", "--no-measure"});
  CHECK(ended.status == 0);
  CHECK(!contains(ended.out, "p99"));
}

TEST_CASE("a strategy ends with position, cash, fees and profit") {
  Scratch scratch;
  const Json object =
      outcry(small_market({"--strategy", "maker", "--maker-fee", "-1", "--json", "--out", scratch.path("run")})).json();

  CHECK(object["position"].is_number_integer());
  CHECK(object["cash"].is_number());
  CHECK(object["profit"].is_number());
  CHECK(object["fees"] < 0);
  CHECK(object["strategy"]["name"] == "maker");
  CHECK(object["strategy"]["fills"] > 0);
  CHECK(Json::parse(contents(scratch.path("run/strategy.json"))) == object["strategy"]);
  const std::string positions = contents(scratch.path("run/positions.csv"));
  CHECK(positions.starts_with("symbol,position,cash,fees,profit,mark,bought,sold,fills\nS0000,"));
}

TEST_CASE("the run's folder says what ran, and holds it") {
  Scratch scratch;
  const std::string folder = scratch.path("new/run");
  const Json object = outcry(small_market({"--json", "--out", folder})).json();

  const Json manifest = Json::parse(contents(folder + "/manifest.json"));
  CHECK(manifest["program"] == "outcry");
  CHECK(manifest["version"].is_string());
  CHECK(manifest["command"] == "simulate");
  CHECK(manifest["state"] == "finished");
  CHECK(manifest["seed"] == 11);
  CHECK(manifest["digest"] == object["digest"]);
  CHECK(manifest["started"].get<std::string>().ends_with("Z"));
  CHECK(manifest["configuration"]["symbols"] == 5);
  CHECK(manifest["configuration"]["for"] == "2m");
  CHECK(manifest["configuration"]["agents"]["noise"] == 40);
  CHECK(manifest["result"]["trades"] == object["trades"]);
  CHECK(!manifest["result"].contains("wall_s"));
  CHECK(!contains(manifest.dump(), scratch.path("")));

  const std::string trades = contents(folder + "/trades.csv");
  CHECK(trades.starts_with("time,symbol,price,quantity,aggressor,maker,taker,maker_account,taker_account,hidden\n"));
  CHECK(static_cast<std::uint64_t>(std::count(trades.begin(), trades.end(), '\n')) ==
        object["trades"].get<std::uint64_t>() + 1);
  CHECK(contents(folder + "/orders.csv")
            .starts_with("time,symbol,event,order,new_order,side,price,quantity,account,reason\n0."));
  CHECK(contents(folder + "/l1.csv").starts_with("time,symbol,bid,bid_quantity,ask,ask_quantity\n0."));
  CHECK(contains(contents(folder + "/latency.hgrm"), "1/(1-Percentile)"));
  CHECK(contains(contents(folder + "/latency.mailbox.hgrm"), "#[Mean"));
  CHECK(contains(contents(folder + "/latency.hlog"), "Tag=mailbox"));
  CHECK(!std::filesystem::exists(folder + "/strategy.json"));
}

TEST_CASE("an earlier run is replaced, any other folder is left alone") {
  Scratch scratch;
  const std::vector<std::string> with_strategy{"simulate",         "--for", "10s", "--strategy", "maker", "--out",
                                               scratch.path("run")};
  const std::vector<std::string> without{"simulate", "--for", "10s", "--out", scratch.path("run")};
  REQUIRE(outcry(with_strategy).status == 0);
  REQUIRE(std::filesystem::exists(scratch.path("run/strategy.json")));
  REQUIRE(outcry(without).status == 0);
  CHECK(!std::filesystem::exists(scratch.path("run/strategy.json")));

  std::filesystem::create_directory(scratch.path("mine"));
  scratch.write("mine/thesis.txt", "three years");
  const Ended ended = outcry({"simulate", "--for", "10s", "--out", scratch.path("mine")});
  CHECK(ended.status == 1);
  CHECK(
      contains(ended.err, "/mine: holds thesis.txt, which is not of a run of Outcry; expected a new or empty folder"));
  CHECK(contents(scratch.path("mine/thesis.txt")) == "three years");

  CHECK(contains(outcry({"simulate", "--for", "10s", "--out", scratch.path("mine/thesis.txt")}).err,
                 "cannot be made a folder"));
}

TEST_CASE("a mistake in a market's file is told with file, line, key and what was expected") {
  struct Case {
    std::string text;
    std::string sentence;
  };
  const std::vector<Case> cases{
      {"symbols = 2\nsymbls = 3\n", "market.toml, line 2: there is no key symbls, did you mean symbols?"},
      {"[agents]\nnoise = 2\nmaker = 3\n", "line 3: there is no key agents.maker, did you mean agents.makers?"},
      {"[agens]\nnoise = 2\n", "line 1: there is no key agens, did you mean agents?"},
      {"\n\nsymbols = 0\n", "line 3: symbols is 0, expected a whole number from 1 to 100000"},
      {"symbols = \"2\"\n", "line 1: symbols is \"2\", expected a whole number"},
      {"symbols = 2.5\n", "line 1: symbols is 2.5, expected a whole number"},
      {"symbols = [1, 2]\n", "line 1: symbols is a value of another kind (array), expected a whole number"},
      {"for = 90\n",
       "line 1: for is 90, expected a duration greater than 0, such as 6h30m, 90s, 250ms or 10us, in quotes"},
      {"for = \"soon\"\n", "line 1: for is \"soon\", expected a duration"},
      {"measure = 1\n", "line 1: measure is 1, expected true or false"},
      {"agents = 3\n", "line 1: agents is a single value, expected a table: [agents]"},
      {"symbols = 2\nseed = \n", "line 2: is not TOML:"},
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
  const Ended none = outcry({"simulate", "none.toml"});
  CHECK(none.status == 1);
  CHECK(contains(none.err, "none.toml: cannot be opened: No such file or directory"));
}

TEST_CASE("a market's file says what the options say, and the options come first") {
  Scratch scratch;
  const std::string file =
      scratch.write("market.toml", "symbols = 5\nfor = \"2m\"\nseed = 11\nschedulers = 2\n[agents]\nnoise = 40\n");
  CHECK(outcry({"simulate", file, "--json"}).json()["digest"] == outcry(small_market({"--json"})).json()["digest"]);
  CHECK(outcry({"simulate", file, "--symbols", "2", "--json"}).json()["symbols"] == 2);

  const std::string w1 = scratch.write("w1.toml", "for = \"60s\"\n[w1]\nepsilon = 0.2\n");
  CHECK(outcry({"simulate", w1, "--json"}).json()["digest"] ==
        outcry({"simulate", "w1", "--for", "60s", "--json"}).json()["digest"]);
}

TEST_CASE("a strategy's limits are keys of a market's file, and what they did not let pass is counted") {
  Scratch scratch;
  const auto market = [&](const std::string& limits) {
    return scratch.write("market.toml", "symbols = 1\nfor = \"1m\"\nseed = 3\n[strategy]\nname = \"maker\"\n" + limits);
  };
  const Json tight = outcry({"simulate", market("[strategy.limits]\nquantity = 1\n"), "--json"}).json();
  CHECK(tight["limited"] > 0);
  CHECK(tight["strategy"]["position"] == 0);
  CHECK(outcry({"simulate", market("[strategy.limits]\nquantity = 999999\n"), "--json"}).json()["limited"] == 0);
  CHECK_FALSE(outcry({"simulate", market(""), "--json"}).json().contains("limited"));

  const Ended half = outcry({"simulate", market("[strategy.limits]\norders_burst = 3\n")});
  CHECK(half.status == 1);
  CHECK(contains(half.err, "strategy.limits has one of orders_per_second and orders_burst, expected both or none"));
  CHECK(contains(outcry({"simulate", market("[strategy.limits]\nquantty = 3\n")}).err,
                 "line 7: there is no key strategy.limits.quantty, did you mean strategy.limits.quantity?"));
}

TEST_CASE("the market's file among the examples works, and says what is the default") {
  const Json example = outcry({"simulate", OUTCRY_SOURCE "/examples/market.toml", "--for", "30s", "--json"}).json();
  CHECK(example["symbols"] == 10);
  CHECK(example["strategy"]["name"] == "maker");

  const std::vector<std::string> same{"simulate", "--symbols",  "10",    "--for",     "30s", "--seed",
                                      "7",        "--strategy", "maker", "--compute", "2us", "--json"};
  CHECK(outcry(same).json()["digest"] == example["digest"]);
}

TEST_CASE("Ctrl-C ends a run with what it has") {
  for (const int number : {SIGINT, SIGTERM}) {
    Scratch scratch;
    const std::string published = scratch.path("market");
    Program program({"simulate", "--for", "600h", "--json", "--publish", published, "--out", scratch.path("run")});
    REQUIRE(comes_true([&] {  // it is in the middle of things
      const Ended seen = outcry({"watch", published, "--json"});
      return seen.status == 0 && seen.json()["symbols"][0]["trades"] > 0;
    }));
    CHECK(Json::parse(contents(scratch.path("run/manifest.json")))["state"] == "running");

    program.signal(number);
    const Ended ended = program.end();

    CHECK(ended.status == 128 + number);
    CHECK(contains(ended.err, number == SIGINT ? "ended early by Ctrl-C" : "ended early by SIGTERM"));
    const Json object = ended.json();
    CHECK(object["stopped"] == true);
    CHECK(object["simulated_s"] < 600 * 3600.0);
    CHECK(contains(object["error"].get<std::string>(), "ended early"));
    const Json manifest = Json::parse(contents(scratch.path("run/manifest.json")));
    CHECK(manifest["state"] == "stopped");
    CHECK(contents(scratch.path("run/orders.csv")).starts_with("time,"));
  }
}

TEST_CASE("a second Ctrl-C ends at once") {
  Scratch scratch;
  Program program({"simulate", "--for", "500000h", "--out", scratch.path("run")});
  REQUIRE(comes_true([&] { return std::filesystem::exists(scratch.path("run/manifest.json")); }));

  program.signal(SIGINT);
  REQUIRE(comes_true([&] { return !program.catches(SIGINT); }));  // it has heard the first one
  program.signal(SIGINT);

  CHECK(program.end().status == 128 + SIGINT);  // by its own hand or by the signal's
}

TEST_CASE("a progress line is for terminals, and leaves nothing behind") {
  const std::string length = sanitized ? "6m" : "40m";
  const std::vector<std::string> arguments{"simulate", "--symbols", "20", "--for", length};
  CHECK(outcry(arguments).err.empty());

  int terminal = -1;
  int line = -1;
  REQUIRE(::openpty(&terminal, &line, nullptr, nullptr, nullptr) == 0);
  Program program(arguments, [&] { ::dup2(line, STDERR_FILENO); });
  ::close(line);
  std::string seen;
  char some[512];
  for (ssize_t got; (got = ::read(terminal, some, sizeof some)) > 0;) seen.append(some, static_cast<std::size_t>(got));
  ::close(terminal);
  CHECK(program.end().status == 0);
  CHECK(contains(seen, sanitized ? "of 0:06:00 simulated, " : "of 0:40:00 simulated, "));
  CHECK(contains(seen, " events/s, "));
  CHECK(contains(seen, " MB, "));
  CHECK(contains(seen, " left"));
  CHECK(seen.ends_with("\r\033[K"));
}

TEST_CASE("a disk that fills up ends the run with one sentence") {
  Scratch scratch;
  const Ended ended =
      outcry({"simulate", "--symbols", "5", "--for", "30m", "--json", "--out", scratch.path("run")}, [] {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{200'000, 200'000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
      });

  CHECK(ended.status == 1);
  CAPTURE(ended.err);
  CHECK(contains(ended.err, "run: the tape cannot be written: File too large"));
  CHECK(ended.err.find('\n') == ended.err.size() - 1);
  CHECK(contains(ended.json()["error"].get<std::string>(), "the tape cannot be written"));
  CHECK(!std::filesystem::exists(scratch.path("run/orders.csv")));
  CHECK(Json::parse(contents(scratch.path("run/manifest.json")))["state"] == "failed");
}
