#include "venue_options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace outcry {

namespace {

constexpr double most_ns = 9.2e18;
constexpr double furthest = 1e12;
constexpr std::uint32_t most_accounts = 1u << 24;

constexpr std::array<std::pair<std::string_view, SelfTrade>, 5> self_trades{
    {{"allowed", SelfTrade::allowed},
     {"cancel_newest", SelfTrade::cancel_newest},
     {"cancel_oldest", SelfTrade::cancel_oldest},
     {"cancel_both", SelfTrade::cancel_both},
     {"decrement", SelfTrade::decrement}}};

template <class Value, std::size_t count>
Form choice_of(const std::array<std::pair<std::string_view, Value>, count>& choices, Value& to) {
  std::string names;
  for (const auto& [name, value] : choices) names += (names.empty() ? "" : ", ") + std::string(name);
  return {.expected = "one of " + names,
          .take =
              [&to, &choices](const std::string& text) {
                for (const auto& [name, value] : choices)
                  if (text == name) return to = value, true;
                return false;
              },
          .text =
              [&to, &choices] {
                for (const auto& [name, value] : choices)
                  if (value == to) return std::string(name);
                return std::string("?");
              }};
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

/// Pairs of texts: "20m+5m, 40m+2m". Nothing if it is something else; an empty text has no pairs.
std::optional<std::vector<std::pair<std::string, std::string>>> pairs_in(std::string_view text, char between) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const auto trimmed = [](std::string_view part) {
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    return part;
  };
  text = trimmed(text);
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view pair = text.substr(0, comma);
    const std::size_t at = pair.find(between);
    if (at == std::string_view::npos) return {};
    pairs.emplace_back(trimmed(pair.substr(0, at)), trimmed(pair.substr(at + 1)));
    if (comma == std::string_view::npos) break;
    text = trimmed(text.substr(comma + 1));
    if (text.empty()) return {};
  }
  return pairs;
}

constexpr std::array<std::pair<std::string_view, Allocation>, 3> allocations{
    {{"price_time", Allocation::price_time},
     {"pro_rata", Allocation::pro_rata},
     {"lead_makers", Allocation::lead_makers}}};

Form lead_makers_form(std::array<std::uint32_t, 4>& to) {
  return {.expected = "up to four accounts, such as 12, 13",
          .take =
              [&to](const std::string& text) {
                std::array<std::uint32_t, 4> accounts{};
                std::size_t count = 0;
                for (std::string_view left = text; !left.empty();) {
                  const std::size_t comma = left.find(',');
                  std::string_view part = left.substr(0, comma);
                  while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
                  while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
                  const auto account = number_in<std::uint32_t>(part);
                  if (!account || *account == 0 || count == accounts.size()) return false;
                  accounts[count++] = *account;
                  left = comma == std::string_view::npos ? std::string_view() : left.substr(comma + 1);
                }
                to = accounts;
                return true;
              },
          .text =
              [&to] {
                std::string text;
                for (const std::uint32_t account : to)
                  if (account != 0) text += fmt::format("{}{}", text.empty() ? "" : ", ", account);
                return text;
              }};
}

Form ticks_form(std::vector<TickStep>& to) {
  return {.expected = "steps of a price and the tick from there on, lowest first, such as 0:1, 5000:5",
          .take =
              [&to](const std::string& text) {
                const auto pairs = pairs_in(text, ':');
                if (!pairs) return false;
                std::vector<TickStep> steps;
                for (const auto& [from, tick] : *pairs) {
                  const auto price = number_in<std::int64_t>(from), size = number_in<std::int64_t>(tick);
                  if (!price || !size || *size < 1 || *size > 1'000'000'000) return false;
                  if (!steps.empty() && Price{*price} <= steps.back().from) return false;
                  steps.push_back({Price{*price}, *size});
                }
                to = std::move(steps);
                return true;
              },
          .text =
              [&to] {
                std::string text;
                for (const TickStep& step : to)
                  text += fmt::format("{}{}:{}", text.empty() ? "" : ", ", step.from.units, step.tick);
                return text;
              }};
}

Form groups_form(std::vector<std::uint32_t>& to) {
  return {.expected = "accounts and the group that they are of, such as 1:7, 2:7",
          .take =
              [&to](const std::string& text) {
                const auto pairs = pairs_in(text, ':');
                if (!pairs) return false;
                std::vector<std::uint32_t> groups;
                for (const auto& [account, group] : *pairs) {
                  const auto at = number_in<std::uint32_t>(account), of = number_in<std::uint32_t>(group);
                  if (!at || !of || *at == 0 || *at >= most_accounts) return false;
                  if (*at >= groups.size()) groups.resize(*at + 1);
                  groups[*at] = *of;
                }
                to = std::move(groups);
                return true;
              },
          .text =
              [&to] {
                std::string text;
                for (std::size_t i = 0; i < to.size(); ++i)
                  if (to[i] != 0) text += fmt::format("{}{}:{}", text.empty() ? "" : ", ", i, to[i]);
                return text;
              }};
}

Form halts_form(std::vector<Halt>& to) {
  return {.expected = "moments and lengths, such as 20m+5m, 1h30m+90s",
          .take =
              [&to](const std::string& text) {
                const auto pairs = pairs_in(text, '+');
                if (!pairs) return false;
                std::vector<Halt> halts;
                for (const auto& [at, length] : *pairs) {
                  const auto from = parse_duration(at), takes = parse_duration(length);
                  if (!from || !takes || *takes <= Duration::zero()) return false;
                  halts.push_back({*from, *takes});
                }
                to = std::move(halts);
                return true;
              },
          .text =
              [&to] {
                std::string text;
                for (const Halt& halt : to)
                  text += fmt::format("{}{}+{}", text.empty() ? "" : ", ", to_text(halt.at), to_text(halt.length));
                return text;
              }};
}

}  // namespace

void VenueOptions::add_to(CommandLine& line) {
  const auto form = [this](Form made) { return &forms_.emplace_back(std::move(made)); };
  line.add({"--self-trade", "rules.self_trade", "RULE",
            "What an order does that would trade with its own account: cancel_newest, cancel_oldest, cancel_both, "
            "decrement [allowed]",
            form(choice_of(self_trades, rules_.self_trade))});
  line.add({"", "rules.groups", "LIST", "", form(groups_form(rules_.groups))});
  line.add({"", "rules.ticks", "LIST", "", form(ticks_form(rules_.ticks))});
  line.add({"", "rules.reference", "CENTS", "", &rules_.reference.units, 0, furthest});
  line.add({"", "rules.static_band", "CENTS", "", &rules_.static_band, 0, furthest});
  line.add({"", "rules.dynamic_band", "CENTS", "", &rules_.dynamic_band, 0, furthest});
  line.add({"", "rules.collar", "CENTS", "", &rules_.collar, 0, furthest});
  line.add({"", "rules.volatility_auction", "", "", &rules_.volatility_auction});
  line.add({"--allocation", "rules.allocation", "RULE",
            "Who trades at a price if not all do: price_time, pro_rata, lead_makers [price_time]",
            form(choice_of(allocations, rules_.allocation))});
  line.add({"", "rules.top_order_first", "", "", &rules_.top_order_first});
  line.add({"", "rules.least_share", "SHARES", "", &rules_.least_share.lots, 0, 1e9});
  line.add({"", "rules.lead_percent", "PERCENT", "", &rules_.lead_percent, 0, 100});
  line.add({"", "rules.lead_makers", "LIST", "", form(lead_makers_form(rules_.lead_makers))});

  line.add({"", "session.opening_from", "TIME", "", &session_.opening_from, 0, most_ns});
  line.add({"--opening-to", "session.opening_to", "TIME", "Orders are collected until then, and trade at one price [0]",
            &session_.opening_to, 0, most_ns});
  line.add({"--halts", "session.halts", "LIST", "When trading is halted, and for how long: 20m+5m, 40m+90s [none]",
            form(halts_form(session_.halts))});
  line.add({"", "session.reopening", "TIME", "", &session_.reopening, 0, most_ns});
  line.add({"--closing-from", "session.closing_from", "TIME", "When the closing auction begins [0: there is none]",
            &session_.closing_from, 0, most_ns});
  line.add({"--closing-to", "session.closing_to", "TIME", "When the market closes [a second before the end]",
            &session_.closing_to, 0, most_ns});
  line.add({"", "session.unplanned", "TIME", "", &session_.unplanned, 0, most_ns, true});
}

void VenueOptions::apply(SimulationOptions& options, const std::vector<Setting>& settings,
                         const std::vector<std::string>& tables, const std::string& file) const {
  const auto wanted = [&](std::string_view table) {
    const std::string prefix = std::string(table) + ".";
    return std::find(tables.begin(), tables.end(), table) != tables.end() ||
           std::any_of(settings.begin(), settings.end(),
                       [&](const Setting& one) { return one.given && one.key.starts_with(prefix); });
  };
  if (wanted("rules")) options.rules = rules_;
  if (!wanted("session")) return;
  SessionPlan plan = session_;
  if (plan.closing_from != Duration::zero() && plan.closing_to == Duration::zero())
    plan.closing_to = options.length - std::chrono::seconds(1);
  try {
    const std::vector<SessionStep> steps = steps_of(plan);
    if (!steps.empty() && steps.back().at > options.length)
      throw std::invalid_argument(
          fmt::format("the session must be over within {}, the time that is simulated", to_text(options.length)));
  } catch (const std::invalid_argument& error) {
    throw BadInput(file.empty() ? error.what() : fmt::format("{}, [session]: {}", file, error.what()));
  }
  options.session = plan;
}

}  // namespace outcry
