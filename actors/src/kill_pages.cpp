#include "kill_pages.hpp"

#include <algorithm>
#include <cctype>
#include <ctime>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace outcry {

namespace {

StatusPage sentence(int status, std::string text) {
  StatusPage page;
  page.status = status;
  page.body = std::move(text) + "\n";
  return page;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char small = static_cast<char>(c | 0x20);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/// "fat+fingers%21" is "fat fingers!". Nothing for what is no such text.
std::optional<std::string> plain(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? digit_of(text[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

/// Capitals and small letters are the same, as for logins.
const std::string* find(const std::vector<std::string>& names, std::string_view name) {
  const auto same = [](char a, char b) {
    return std::toupper(static_cast<unsigned char>(a)) == std::toupper(static_cast<unsigned char>(b));
  };
  const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& one) {
    return std::equal(one.begin(), one.end(), name.begin(), name.end(), same);
  });
  return found == names.end() ? nullptr : &*found;
}

std::string name_of(const KillScope& scope) {
  switch (scope.kind) {
    case KillScope::Kind::venue: return "the venue";
    case KillScope::Kind::user: return fmt::format("account {}", scope.name_text());
    case KillScope::Kind::firm:
    case KillScope::Kind::account: break;
  }
  return scope.text();
}

std::string utc_text(std::int64_t ns) {
  const auto seconds = static_cast<std::time_t>(ns / 1'000'000'000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace

struct KillPages::Wish {
  std::optional<KillScope> scope;
  std::string why;
};

std::string KillPages::read(const std::string& query, bool is_release, Wish& wish) const {
  constexpr std::string_view forms = "account=NAME, firm=NAME or all";
  bool has_why = false;
  for (std::string_view rest = query; !rest.empty();) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 1));
    const std::size_t equals = part.find('=');
    const std::string_view key = part.substr(0, equals);
    const auto value = plain(equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1));
    if (!value) return fmt::format("{} has a % without the two digits of a character behind it", key);
    if (key == "why" && !is_release && !std::exchange(has_why, true)) {
      wish.why = *value;
      continue;
    }
    if (key != "account" && key != "firm" && key != "all")
      return fmt::format("\"{}\" is not understood, expected {}{}", key, forms,
                         is_release ? "" : ", and why=TEXT once");
    if (wish.scope) return fmt::format("there is more than one of {}, expected one", forms);
    if (key == "all") {
      if (!value->empty()) return fmt::format("all is \"{}\", expected nothing behind it", *value);
      wish.scope = KillScope::everyone();
      continue;
    }
    const std::string* const known = find(key == "firm" ? options_.firms : options_.users, *value);
    if (known == nullptr) return fmt::format("there is no {} \"{}\"", key, *value);
    wish.scope = key == "firm" ? KillScope::of_firm(*known) : KillScope::of_user(*known);
  }
  return wish.scope ? std::string() : fmt::format("nobody is named, expected {}", forms);
}

Task<StatusPage> KillPages::page(StatusRequest request) {
  const bool is_release = request.path == "/release";
  StatusPage page;
  if (!request.is_post) {
    if (is_release) {
      page = sentence(405, "to let somebody go on takes a POST");
    } else {
      auto asking = state();
      page = co_await asking;
    }
    co_return page;
  }
  if (request.from_afar) {
    page = sentence(403, "only from the venue's own machine");
    co_return page;
  }
  Wish wish;
  const std::string wrong = read(request.query, is_release, wish);
  if (!wrong.empty()) {
    page = sentence(422, wrong);
  } else if (is_release) {
    auto releasing = release(*wish.scope);
    page = co_await releasing;
  } else {
    auto engaging = engage(*wish.scope, wish.why);
    page = co_await engaging;
  }
  co_return page;
}

Task<StatusPage> KillPages::state() {
  auto asking = options_.desk.ask(KillQuery{}, options_.patience);
  const auto report = co_await asking;
  StatusPage page;
  if (!report) {
    page = sentence(503, "the kill switch does not answer");
    co_return page;
  }
  nlohmann::ordered_json engaged = nlohmann::ordered_json::array();
  for (const Engagement& one : report->engaged) {
    nlohmann::ordered_json entry;
    switch (one.scope.kind) {
      case KillScope::Kind::venue: entry["all"] = true; break;
      case KillScope::Kind::user: entry["account"] = one.scope.name_text(); break;
      case KillScope::Kind::firm: entry["firm"] = one.scope.name_text(); break;
      case KillScope::Kind::account: entry["number"] = one.scope.account.value; break;
    }
    entry["since"] = utc_text(one.since_utc_ns);
    entry["why"] = one.why;
    engaged.push_back(std::move(entry));
  }
  const nlohmann::ordered_json all{{"engaged", engaged}, {"remembered", options_.is_remembered}};
  page.status = 200;
  page.type = "application/json";
  page.body = all.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  co_return page;
}

Task<StatusPage> KillPages::engage(KillScope scope, std::string why) {
  auto asking = options_.desk.ask(EngageKill::because(scope, why), options_.patience);
  const auto answer = co_await asking;
  StatusPage page;
  if (!answer) {
    page = sentence(503, "the kill switch does not answer: whether it is on GET /kill says");
  } else if (!answer->text().empty()) {
    page = sentence(
        503, fmt::format("{} is stopped, but a restart would not remember it: {}", name_of(scope), answer->text()));
  } else {
    page = sentence(
        200, fmt::format("{} {} stopped{}", name_of(scope), answer->changed ? "is" : "was already",
                         options_.is_remembered ? "" : ", until the venue is restarted: it has no kill_switch file"));
  }
  co_return page;
}

Task<StatusPage> KillPages::release(KillScope scope) {
  auto asking = options_.desk.ask(ReleaseKill{scope}, options_.patience);
  const auto answer = co_await asking;
  StatusPage page;
  if (!answer) {
    page = sentence(503, "the kill switch does not answer: whether it is on GET /kill says");
  } else if (!answer->text().empty()) {
    page = sentence(503, fmt::format("{} stays stopped: {}", name_of(scope), answer->text()));
  } else {
    page = sentence(200, fmt::format("{} {}", name_of(scope), answer->changed ? "may go on" : "was not stopped"));
  }
  co_return page;
}

}  // namespace outcry
