// outcry replay, on the recorded markets and on what is wrong with files.
#include "program.hpp"

using namespace program_test;

namespace {

const std::string events = "lobster_aapl/aapl_l3_replay.csv";
const std::string itch = "golden/itch50_aapl_20200130_10k.bin";

}  // namespace

TEST_CASE("the recorded hour is equal to both references, from events and from ITCH") {
  const std::string hour = "lobster_aapl/aapl_first_hour.itch";
  const std::string best = "lobster_aapl/aapl_bbo_expected.csv";
  const std::string top10 = "lobster_aapl/aapl_top10_expected.csv";
  if (missing({events, hour, best, top10})) return;

  for (const std::string& file : {events, hour}) {
    for (const auto& [reference, rows] : {std::pair(best, 23'440), std::pair(top10, 999)}) {
      CAPTURE(file);
      CAPTURE(reference);
      const Ended ended = outcry({"replay", data(file), "--verify", data(reference), "--json"});
      CHECK(ended.status == 0);
      const Json object = ended.json();
      CHECK(object["rows_compared"] == rows);
      CHECK(object["rows_equal"] == rows);
      CHECK(object["trades"] == 4'067 + 2'201);
    }
  }
}

TEST_CASE("the recorded ITCH file is equal to its reference, with 1,089 trades of 81,556 shares") {
  if (missing({itch, "golden/itch50_aapl_20200130_10k_bbo.csv"})) return;

  const Ended ended =
      outcry({"replay", data(itch), "--verify", data("golden/itch50_aapl_20200130_10k_bbo.csv"), "--json"});

  CHECK(ended.status == 0);
  const Json object = ended.json();
  CHECK(object["messages"] == 10'000);
  CHECK(object["symbols"] == 1);
  CHECK(object["trades"] == 1'089);
  CHECK(object["shares"] == 81'556);
  CHECK(object["orders_live"] == 215);
  CHECK(object["rows_compared"] == object["rows_equal"]);
  CHECK(object["rows_compared"] == 2'793);
  CHECK(object["wall_s"].is_number_float());
  CHECK(object["messages_per_s"].is_number_float());
  CHECK(object["digest"].get<std::string>().size() == 16);
  CHECK(object["schedulers"] == 1);
}

TEST_CASE("a replay and its files are the same on 1, 2 and 4 schedulers") {
  if (missing({itch})) return;
  for (const bool strategy : {false, true}) {
    Scratch scratch;
    std::string digest;
    std::vector<std::string> files;
    for (const char* schedulers : {"1", "2", "4"}) {
      CAPTURE(schedulers);
      std::vector<std::string> arguments{"replay", data(itch), "--schedulers",     schedulers,
                                         "--json", "--out",    scratch.path("run")};
      if (strategy) arguments.insert(arguments.end(), {"--strategy", "maker", "--latency", "1s"});
      const Json object = outcry(arguments).json();
      std::vector<std::string> now;
      for (const char* name : {"orders.csv", "trades.csv", "l1.csv"})
        now.push_back(contents(scratch.path("run/") + name));
      if (digest.empty()) {
        digest = object["digest"];
        files = now;
      }
      CHECK(object["digest"] == digest);
      CHECK(now == files);
      CHECK(object.contains("position") == strategy);
    }
    const std::string trades = files[1];
    if (!strategy) CHECK(std::count(trades.begin(), trades.end(), '\n') == 1'089 + 1);
  }
}

TEST_CASE("a replay's folder names the file, and not where it lies") {
  if (missing({itch})) return;
  Scratch scratch;

  const Ended ended = outcry({"replay", data(itch), "--out", scratch.path("run")});

  CHECK(ended.status == 0);
  CHECK(contains(ended.out, "trades"));
  CHECK(contains(ended.out, "mailbox"));
  const Json manifest = Json::parse(contents(scratch.path("run/manifest.json")));
  CHECK(manifest["command"] == "replay");
  CHECK(manifest["configuration"]["file"] == "itch50_aapl_20200130_10k.bin");
  CHECK(!contains(manifest.dump(), OUTCRY_DATA));
  CHECK(contents(scratch.path("run/l1.csv")).starts_with("time,symbol,bid,bid_quantity,ask,ask_quantity\n"));
  CHECK(std::filesystem::exists(scratch.path("run/latency.hgrm")));
}

TEST_CASE("a book that differs from its reference is status 1, with the line and both sides") {
  const std::string reference = "golden/itch50_aapl_20200130_10k_bbo.csv";
  if (missing({itch, reference})) return;
  Scratch scratch;
  std::string rows = contents(data(reference));
  const std::size_t third = rows.find('\n', rows.find('\n') + 1) + 1;
  const std::size_t digit = rows.find_first_of("0123456789", third);
  rows[digit] = rows[digit] == '9' ? '8' : '9';

  const Ended ended = outcry({"replay", data(itch), "--verify", scratch.write("wrong.csv", rows), "--json"});

  CHECK(ended.status == 1);
  CHECK(contains(ended.err, "wrong.csv, line 3: expected"));
  const Json object = ended.json();
  CHECK(object["rows_equal"] < object["rows_compared"]);
  CHECK(object["verified"] == false);
  CHECK(contains(object["error"].get<std::string>(), "line 3"));
}

TEST_CASE("LOBSTER's file is recognised, with and without its order book") {
  const std::string messages = "lobster_aapl/AAPL_first1000_message_10.csv";
  const std::string book = "lobster_aapl/AAPL_first1000_orderbook_10.csv";
  if (missing({messages, book})) return;

  const Json alone = outcry({"replay", data(messages), "--json"}).json();
  CHECK(alone["messages"] == 999);
  CHECK(alone["unknown_orders"] > 0);
  CHECK(alone["anonymous_events"] == 0);

  const Json seeded = outcry({"replay", data(messages), "--orderbook", data(book), "--json"}).json();
  CHECK(seeded["anonymous_events"] > 0);
}

TEST_CASE("broken input stops with place, finding and expectation; --lenient goes on") {
  Scratch scratch;
  const Ended none = outcry({"replay", scratch.path("none.itch")});
  CHECK(none.status == 1);
  CHECK(contains(none.err, "none.itch"));
  CHECK(contains(none.err, "No such file or directory"));

  const Ended other = outcry({"replay", scratch.write("letter.txt", "Dear exchange,\nplease trade.\n")});
  CHECK(other.status == 1);
  CHECK(contains(other.err, "expected"));
  CHECK(contains(outcry({"replay", scratch.write("empty.csv", "")}).err, "empty.csv"));

  if (missing({itch})) return;
  const std::string all = contents(data(itch));
  const std::string cut = scratch.write("cut.itch", std::string_view(all).substr(0, all.size() - 7));
  const Ended truncated = outcry({"replay", cut, "--json"});
  CHECK(truncated.status == 1);
  CHECK(contains(truncated.err, "cut.itch, offset "));
  CHECK(contains(truncated.err, "expected"));
  CHECK(truncated.err.find('\n') == truncated.err.size() - 1);
  CHECK(contains(truncated.json()["error"].get<std::string>(), "offset"));

  const Ended lenient = outcry({"replay", cut, "--lenient", "--json"});
  CHECK(lenient.status == 0);
  CHECK(lenient.json()["broken"] == 1);
}

TEST_CASE("a file that cannot be read leaves no folder behind") {
  Scratch scratch;
  CHECK(outcry({"replay", scratch.path("none.itch"), "--out", scratch.path("run")}).status == 1);
  CHECK(!std::filesystem::exists(scratch.path("run")));
}
