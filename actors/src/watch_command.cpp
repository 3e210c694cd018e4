// watch: a published market, live in the terminal.
#include <outcry/actors/run.hpp>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "command.hpp"
#include "market_picture.hpp"

namespace outcry {

namespace {

using Life = SharedMemoryWriterState::Life;

constexpr auto frame_time = std::chrono::milliseconds(200);
constexpr std::size_t trades_shown = 32;

struct Watch {
  std::string market{};
  std::string symbol{};
  bool once = false;
  bool json = false;

  CommandLine line(const char* called) {
    CommandLine out(
        called,
        "Live depth, trades and counters of a market that is published: simulate and replay do with --publish.");
    out.add_argument("MARKET", "the name it is published under, or the path of its file; left out: lists what there is",
                     &market, false);
    out.add(
        {"--symbol", "", "NAME", "Shows one symbol with depth and trades [all, as a table; the only one]", &symbol});
    out.add({"--once", "", "", "Prints once and exits, as it does where standard output is no terminal", &once});
    out.add({"--json", "", "", "Prints once, as one JSON object on standard output, for machines", &json});
    return out;
  }
};

std::string known_markets() {
  std::string text;
  for (const std::string& name : shared_memory_names()) text += (text.empty() ? "" : ", ") + name;
  return text;
}

MarketView open_market(const std::string& name) {
  try {
    return MarketView(name);
  } catch (const SharedMemoryError& error) {
    if (error.kind() != SharedMemoryError::Kind::absent) throw;
    const std::string known = known_markets();
    throw BadInput(fmt::format("there is no market {}{}; {}", name, suggestion(name, shared_memory_names()),
                               known.empty() ? "none is published (outcry simulate --publish NAME publishes one)"
                                             : "published are: " + known));
  }
}

int list_markets(const char* called, bool json) {
  const std::vector<std::string> names = shared_memory_names();
  Json object = {{"markets", Json::array()}};
  std::string text;
  for (const std::string& name : names) {
    try {
      const MarketView market(name);
      const SharedMemoryWriterState writer = market.writer();
      object["markets"].push_back({{"market", name},
                                   {"title", std::string(market.title())},
                                   {"symbols", market.size()},
                                   {"writer", word_of(writer.life)}});
      text += fmt::format("{:<20} {}; {}\n", name, market.title(), sentence_of(writer));
    } catch (const SharedMemoryError& error) {
      object["markets"].push_back({{"market", name}, {"error", error.what()}});
      text += fmt::format("{:<20} {}\n", name, error.what());
    }
  }
  if (text.empty()) text = "no market is published; outcry simulate --publish NAME publishes one\n";
  return print_out(called, json ? object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n" : text) ? 0 : 1;
}

/// At most the first `most` symbols, or the one that was asked for.
MarketPicture picture_of(const MarketView& market, const std::string& symbol, std::size_t most) {
  MarketPicture picture{
      .name = market.name(), .title = std::string(market.title()), .writer = market.writer(), .symbols = market.size()};
  picture.one = !symbol.empty() || market.size() == 1;
  if (picture.one) {
    const auto wanted = symbol.empty() ? market[0] : market.find(symbol);
    if (!wanted) {
      std::vector<std::string> names;
      for (std::size_t i = 0; i < std::min<std::size_t>(market.size(), 10'000); ++i)
        names.emplace_back(market[i].name());
      throw BadInput(fmt::format("market {} has no symbol {}{}", market.name(), symbol, suggestion(symbol, names)));
    }
    picture.shown.push_back(picture_of(*wanted, trades_shown));
    return picture;
  }
  for (std::size_t i = 0; i < std::min(market.size(), most); ++i) picture.shown.push_back(picture_of(market[i], 1));
  return picture;
}

/// The terminal's other screen, without a cursor; the first screen comes back at the end.
class Screen {
 public:
  Screen() : colours_(std::getenv("NO_COLOR") == nullptr) { put("\033[?1049h\033[?25l\033[2J"); }
  ~Screen() { put("\033[0m\033[?25h\033[?1049l"); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// As it is now: people pull at windows.
  Paper paper() const {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) size = {24, 80, 0, 0};
    return {.columns = size.ws_col, .rows = size.ws_row, .colours = colours_};
  }
  bool show(const std::vector<std::string>& lines) {
    // Over the old picture, line by line, and then what is left of it is erased: nothing flickers.
    std::string text = "\033[H";
    for (std::size_t i = 0; i < lines.size(); ++i) text += (i == 0 ? "" : "\r\n") + lines[i] + "\033[K";
    return put(text + "\033[J");
  }

 private:
  static bool put(const std::string& text) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  }
  bool colours_;
};

/// Shows the market until a signal comes. A market that ends stays in sight; a new one of its name takes its place.
void watch_live(MarketView& market, const std::string& symbol, const SignalCatch& signals) {
  Screen screen;
  std::optional<MarketPicture> before;
  auto shown_at = std::chrono::steady_clock::now();
  while (signals.caught() == 0) {
    const Paper paper = screen.paper();
    MarketPicture picture = picture_of(market, symbol, paper.rows);
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - shown_at).count();
    if (!screen.show(lines_of(picture, before ? &*before : nullptr, seconds, paper))) return;
    before = std::move(picture);
    shown_at = now;
    std::this_thread::sleep_for(frame_time);
    if (before->writer.life != Life::replaced) continue;
    try {
      MarketView next(market.name());
      market = std::move(next);
      before.reset();
    } catch (const SharedMemoryError& error) {
      // Gone again before we came. The old one is still mapped, and what it shows is true.
      if (error.kind() != SharedMemoryError::Kind::absent && error.kind() != SharedMemoryError::Kind::unfinished) throw;
    }
  }
}

int watch(const char* called, int argc, char** argv) {
  Watch options;
  CommandLine line = options.line(called);
  if (!line.read(argc, argv)) return 0;
  line.apply();
  if (options.market.empty()) {
    line.refuse({"--symbol"}, "is of a market, which was not named");
    return list_markets(called, options.json);
  }

  MarketView market = open_market(options.market);
  if (options.json || options.once || isatty(STDOUT_FILENO) != 1) {
    const MarketPicture picture = picture_of(market, options.symbol, market.size());
    std::string text;
    if (options.json) {
      text = json_of(picture).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    } else {
      for (const std::string& each : lines_of(picture, nullptr, 0, {.columns = 132})) text += each + "\n";
    }
    return print_out(called, text) ? 0 : 1;
  }

  // Read before the screen changes, so that a symbol that is not there is said where it can be read.
  (void)picture_of(market, options.symbol, 1);
  const SignalCatch signals;
  watch_live(market, options.symbol, signals);
  return 0;
}

}  // namespace

int watch_command(int argc, char** argv, StrategyFunction) {
  return guarded(argv[0], wants_json(argc, argv), [&] { return watch(argv[0], argc, argv); });
}

}  // namespace outcry
