// outcry watch: what it shows of a market that another process publishes, live and afterwards.
#include <doctest/doctest.h>

#include <pty.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "program.hpp"

using namespace program_test;

namespace {

/// A name that nobody else publishes under; what a market that was killed has left there goes with it.
class MarketName {
 public:
  MarketName() : text_("test-watch-" + std::to_string(getpid()) + "-" + std::to_string(++made_)) {}
  ~MarketName() { ::shm_unlink(("/outcry-" + text_).c_str()); }
  MarketName(const MarketName&) = delete;
  MarketName& operator=(const MarketName&) = delete;
  operator const std::string&() const { return text_; }  // NOLINT

 private:
  static inline int made_ = 0;
  std::string text_;
};

std::vector<std::string> market_at_pace(const std::string& name) {
  return {"simulate", "--symbols", "3", "--for", "10h", "--pace", "60", "--seed", "1", "--json", "--publish", name};
}

bool is_published(const std::string& name) { return outcry({"watch", name, "--once"}).status == 0; }

/// What a terminal of so many rows and columns gets until `seconds` have gone by and Ctrl-C is pressed.
std::pair<int, std::string> in_terminal(std::vector<std::string> arguments, unsigned short rows,
                                        unsigned short columns) {
  std::string program = OUTCRY_PROGRAM;
  std::vector<char*> argv{program.data()};
  for (std::string& one : arguments) argv.push_back(one.data());
  argv.push_back(nullptr);
  winsize size{};
  size.ws_row = rows;
  size.ws_col = columns;
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
  REQUIRE(child >= 0);
  if (child == 0) {
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
  }
  std::string shown;
  const auto begin = std::chrono::steady_clock::now();
  bool pressed = false;
  for (char bytes[4096];;) {
    const ssize_t got = ::read(terminal, bytes, sizeof bytes);
    if (got <= 0) break;
    shown.append(bytes, static_cast<std::size_t>(got));
    if (pressed || std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(900)) continue;
    pressed = true;
    REQUIRE(::write(terminal, "\x03", 1) == 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(terminal);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), shown};
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t times = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++times;
  return times;
}

/// The lines of the last picture, as wide as they are on the screen.
std::vector<std::string> last_picture(const std::string& shown) {
  std::string picture = shown.substr(shown.rfind("\033[H") + 3);
  if (const auto echo = picture.find("^C"); echo != std::string::npos) picture.erase(echo, 2);  // the terminal's own
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < picture.size(); ++i) {
    if (picture.compare(i, 3, "\033[J") == 0) break;
    if (picture[i] == '\033') {
      while (i < picture.size() && !std::isalpha(static_cast<unsigned char>(picture[i]))) ++i;
    } else if (picture[i] == '\n') {
      lines.emplace_back();
    } else if (picture[i] != '\r') {
      lines.back() += picture[i];
    }
  }
  return lines;
}

}  // namespace

TEST_CASE(
    "a market that another process simulates is seen as a table of quotes, as one symbol with depth and trades, and as "
    "JSON") {
  const MarketName market_name;
  const std::string& name = market_name;
  Program market(market_at_pace(name));
  REQUIRE(comes_true([&] { return is_published(name); }));
  REQUIRE(comes_true(
      [&] { return outcry({"watch", name, "--symbol", "S0001", "--json"}).json()["symbols"][0]["trades"] > 20; }));

  const Ended table = outcry({"watch", name});
  CHECK(table.status == 0);
  CHECK(table.err.empty());
  for (const char* part : {"S0000", "S0001", "S0002", "written by process", "simulated market, seed 1"})
    CHECK(contains(table.out, part));
  CHECK_FALSE(contains(table.out, "\033"));

  const Ended one = outcry({"watch", name, "--symbol", "S0001", "--once"});
  CHECK(one.status == 0);
  CHECK(contains(one.out, "S0001"));
  CHECK(contains(one.out, "spread"));
  CHECK_FALSE(contains(one.out, "S0002"));

  const Json all = outcry({"watch", name, "--json"}).json();
  CHECK(all["market"] == name);
  CHECK(all["writer"] == "writing");
  CHECK(all["symbols"].size() == 3);
  CHECK_FALSE(all["symbols"][0].contains("bids"));
  const Json symbol = outcry({"watch", name, "--symbol", "S0001", "--json"}).json()["symbols"][0];
  CHECK(symbol["symbol"] == "S0001");
  CHECK(symbol["bids"].size() > 0);
  CHECK(symbol["bids"].size() <= 10);
  CHECK(symbol["last_trades"].size() > 20);
  CHECK(symbol["bids"][0]["price"] < symbol["asks"][0]["price"]);

  CHECK(contains(outcry({"watch"}).out, name));
}

TEST_CASE("in a terminal the picture is drawn again and again, fits, and Ctrl-C leaves the terminal as it was") {
  const MarketName market_name;
  const std::string& name = market_name;
  Program market(market_at_pace(name));
  REQUIRE(comes_true([&] { return is_published(name); }));

  for (const auto& [rows, columns] : {std::pair{24, 80}, std::pair{9, 40}}) {
    CAPTURE(rows);
    const auto [status, shown] = in_terminal({"watch", name, "--symbol", "S0001"}, static_cast<unsigned short>(rows),
                                             static_cast<unsigned short>(columns));
    CHECK(status == 0);
    CHECK(shown.starts_with("\033[?1049h\033[?25l"));
    CHECK(shown.ends_with("\033[?25h\033[?1049l"));
    CHECK(count(shown, "\033[H") >= 3);
    CHECK(count(shown, "\033[H") <= 20);
    std::vector<std::string> lines = last_picture(shown);
    CHECK(lines.size() <= static_cast<std::size_t>(rows));
    for (const std::string& line : lines) CHECK(line.size() <= static_cast<std::size_t>(columns));
    CHECK(contains(shown, "S0001"));
  }
}

TEST_CASE("a killed simulation is still shown, with the word that its writer is gone, until another takes the name") {
  const MarketName market_name;
  const std::string& name = market_name;
  {
    Program market(market_at_pace(name));
    REQUIRE(comes_true([&] { return is_published(name); }));
    const Ended second = outcry({"simulate", "--for", "1s", "--publish", name});
    CHECK(second.status == 1);
    CHECK(contains(second.err, "there can be one writer only"));
    market.signal(SIGKILL);
    market.end();
  }
  const Ended gone = outcry({"watch", name});
  CHECK(gone.status == 0);
  CHECK(contains(gone.out, "is gone without a word"));
  CHECK(contains(gone.out, "S0002"));
  CHECK(outcry({"watch", name, "--json"}).json()["writer"] == "gone");

  CHECK(outcry({"simulate", "--for", "1s", "--publish", name, "--json"}).status == 0);
  const Ended after = outcry({"watch", name});
  CHECK(after.status == 1);
  CHECK(contains(after.err, "there is no market " + name));
}

TEST_CASE("a market published in a file stays for those who come later, and says that its writer has ended") {
  const Scratch scratch;
  const std::string file = scratch.path("market");
  const Json published = outcry({"simulate", "--symbols", "2", "--for", "5m", "--publish", file, "--json"}).json();
  const Json bare = outcry({"simulate", "--symbols", "2", "--for", "5m", "--json"}).json();
  CHECK(published["digest"] == bare["digest"]);

  const Json seen = outcry({"watch", file, "--json"}).json();
  CHECK(seen["writer"] == "ended");
  CHECK(seen["symbols"][0]["trades"].get<int>() + seen["symbols"][1]["trades"].get<int>() ==
        published["trades"].get<int>());
  CHECK(contains(outcry({"watch", file}).out, "has ended"));
}

TEST_CASE("what cannot be watched is said in one sentence") {
  const Ended absent = outcry({"watch", "no-such-market"});
  CHECK(absent.status == 1);
  CHECK(contains(absent.err, "there is no market no-such-market"));
  CHECK(count(absent.err, "\n") == 1);

  const Scratch scratch;
  const Ended letter = outcry({"watch", scratch.write("letter", "Dear reader,")});
  CHECK(letter.status == 1);
  CHECK(contains(letter.err, "is something else"));

  const std::string file = scratch.path("market");
  REQUIRE(outcry({"simulate", "--for", "1s", "--publish", file}).status == 0);
  const Ended symbol = outcry({"watch", file, "--symbol", "S000"});
  CHECK(symbol.status == 1);
  CHECK(contains(symbol.err, "has no symbol S000, did you mean S0000?"));

  // The version of the layout lies behind the magic number and that of the header.
  std::string bytes = contents(file);
  bytes[12] = 9;
  const Ended version = outcry({"watch", scratch.write("newer", bytes)});
  CHECK(version.status == 1);
  CHECK(contains(version.err, "has version 9 of the layout 'market'; this program reads version 1"));

  CHECK(outcry({"watch", "--symbol", "S0000"}).status == 2);
  CHECK(outcry({"watch", "two words"}).status == 1);
  CHECK(outcry({"simulate", "--pace", "0"}).status == 2);
}

TEST_CASE("a replay is published, too") {
  if (missing({"golden/itch50_aapl_20200130_10k.bin"})) return;
  const Scratch scratch;
  const std::string file = scratch.path("market");
  const std::string recording = data("golden/itch50_aapl_20200130_10k.bin");
  const Json published = outcry({"replay", recording, "--publish", file, "--json"}).json();
  CHECK(published["digest"] == outcry({"replay", recording, "--json"}).json()["digest"]);

  const Json seen = outcry({"watch", file, "--symbol", "AAPL", "--json"}).json();
  const Json symbol = seen["symbols"][0];
  CHECK(symbol["bid"] == 320.14);
  CHECK(symbol["bid_volume"] == 25);
  CHECK(symbol["ask"] == 320.30);
  CHECK(symbol["ask_volume"] == 100);
  CHECK(symbol["trades"] == 1089);
}
