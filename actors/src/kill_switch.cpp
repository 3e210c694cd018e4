#include <outcry/actors/kill_switch.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <outcry/net/input_error.hpp>

namespace outcry {

namespace {

constexpr std::string_view title = "outcry kill switch, version 1";
constexpr std::size_t longest_why = 119;

bool is_name(std::string_view name) {
  const bool has_size = !name.empty() && name.size() < KillScope{}.name.size();
  return has_size && std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
}

// FNV-1a: it finds accidents, not intentions.
std::uint64_t checksum(std::string_view text) {
  std::uint64_t sum = 0xCBF29CE484222325u;
  for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return sum;
}

std::string last_line(std::size_t engaged, std::string_view before) {
  char digits[17] = {};
  std::to_chars(digits, digits + 16, checksum(before), 16);
  return std::to_string(engaged) + " engaged, check " + digits + "\n";
}

/// One line; what a reason must not have in it becomes a space.
std::string one_line(std::string_view why) {
  std::string line(why.substr(0, longest_why));
  std::replace_if(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

std::string_view take_word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return word;
}

/// What is expected; empty: the line was read.
const char* read_line(std::string_view line, Engagement& engagement) {
  const std::string_view kind = take_word(line);
  if (kind == "firm" || kind == "user") {
    const std::string_view name = take_word(line);
    if (!is_name(name)) return kind == "firm" ? "the name of a firm" : "the name of a user";
    engagement.scope = kind == "firm" ? KillScope::of_firm(name) : KillScope::of_user(name);
  } else if (kind == "account") {
    std::uint32_t number = 0;
    if (!read_number(take_word(line), number)) return "the number of an account";
    engagement.scope = KillScope::of(AccountId{number});
  } else if (kind != "venue") {
    return "venue, firm, user, account, or the number of lines before with its check";
  }
  if (!read_number(take_word(line), engagement.since_utc_ns)) return "a time in nanoseconds since 1970";
  engagement.why = std::string(line);
  return "";
}

std::string read_all(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) return {};
  const auto fail = [&](int number) {
    throw std::system_error(number, std::generic_category(), path + ": cannot be read");
  };
  if (file < 0) fail(errno);
  std::string text;
  char part[4'096];
  for (;;) {
    const ssize_t size = ::read(file, part, sizeof part);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      const int number = errno;
      ::close(file);
      fail(number);
    }
    if (size == 0) break;
    text.append(part, static_cast<std::size_t>(size));
  }
  ::close(file);
  return text;
}

}  // namespace

// --- scopes

KillScope KillScope::of_firm(std::string_view name) { return named(Kind::firm, name); }
KillScope KillScope::of_user(std::string_view name) { return named(Kind::user, name); }

KillScope KillScope::named(Kind kind, std::string_view name) {
  if (!is_name(name))
    throw std::invalid_argument("the name of a firm or user has 1 to 15 characters and no spaces: " +
                                std::string(name));
  KillScope scope{.kind = kind};
  std::copy(name.begin(), name.end(), scope.name.begin());
  return scope;
}

std::string_view KillScope::name_text() const {
  return {name.data(), static_cast<std::size_t>(std::find(name.begin(), name.end(), '\0') - name.begin())};
}

std::string KillScope::text() const {
  switch (kind) {
    case Kind::venue: break;
    case Kind::firm: return std::string("firm ").append(name_text());
    case Kind::user: return std::string("user ").append(name_text());
    case Kind::account: return "account " + std::to_string(account.value);
  }
  return "venue";
}

// --- the switch

KillSwitch::KillSwitch(const std::string& path) {
  const std::string text = read_all(path);
  if (text.empty() && !std::filesystem::exists(path)) return;
  std::uint64_t number = 0;
  const auto refuse = [&](std::string found, std::string expected) {
    throw InputError({path, Place::Unit::line, number}, std::move(found), std::move(expected));
  };
  for (std::size_t at = 0;;) {
    ++number;
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos)
      refuse(at == text.size() ? "the end of the file" : "a line that does not end",
             "a whole kill switch file: its last line is the number of lines before and their check");
    const std::string_view line = std::string_view(text).substr(at, end - at);
    const std::string quoted = std::string("\"").append(line).append("\"");
    if (number == 1) {
      if (line != title) refuse(quoted, std::string("\"").append(title).append("\""));
    } else if (!line.empty() && line[0] >= '0' && line[0] <= '9') {
      if (text.substr(at) != last_line(engaged_.size(), std::string_view(text).substr(0, at)))
        refuse(quoted, "the number of lines before with their check, and nothing behind: somebody changed the file");
      break;
    } else {
      Engagement engagement;
      if (const char* expected = read_line(line, engagement); *expected != '\0') refuse(quoted, expected);
      if (is_engaged(engagement.scope)) refuse(quoted, "each scope once");
      engaged_.push_back(std::move(engagement));
    }
    at = end + 1;
  }
  update();
}

void KillSwitch::add_account(AccountId account, std::string_view firm, std::string_view user) {
  Account& added = accounts_[account.value];
  added.firm = firm.empty() ? KillScope::everyone() : KillScope::of_firm(firm);
  if (!user.empty()) added.user = KillScope::of_user(user);
  update();
}

bool KillSwitch::blocks(AccountId account) const noexcept {
  if (venue_) return true;
  const auto found = accounts_.find(account.value);
  return found != accounts_.end() && found->second.blocked;
}

bool KillSwitch::is_engaged(const KillScope& scope) const {
  return std::any_of(engaged_.begin(), engaged_.end(), [&](const Engagement& e) { return e.scope == scope; });
}

bool KillSwitch::engage(const KillScope& scope, std::int64_t utc_ns, std::string_view why) {
  if (is_engaged(scope)) return false;
  engaged_.push_back({scope, utc_ns, one_line(why)});
  update();
  return true;
}

bool KillSwitch::release(const KillScope& scope) {
  if (std::erase_if(engaged_, [&](const Engagement& e) { return e.scope == scope; }) == 0) return false;
  update();
  return true;
}

bool KillSwitch::covers(const KillScope& scope, AccountId account) const {
  switch (scope.kind) {
    case KillScope::Kind::venue: return true;
    case KillScope::Kind::account: return scope.account == account;
    case KillScope::Kind::firm:
    case KillScope::Kind::user: break;
  }
  const auto found = accounts_.find(account.value);
  return found != accounts_.end() && (found->second.firm == scope || found->second.user == scope);
}

std::string_view KillSwitch::firm_of(AccountId account) const {
  const auto found = accounts_.find(account.value);
  const bool has_firm = found != accounts_.end() && found->second.firm.kind == KillScope::Kind::firm;
  return has_firm ? found->second.firm.name_text() : std::string_view{};
}

std::vector<AccountId> KillSwitch::accounts(const KillScope& scope) const {
  std::vector<AccountId> found;
  for (const auto& [account, known] : accounts_)
    if (covers(scope, {account})) found.push_back({account});
  if (scope.kind == KillScope::Kind::account && found.empty()) found.push_back(scope.account);
  std::sort(found.begin(), found.end());
  return found;
}

void KillSwitch::update() {
  for (const Engagement& engagement : engaged_)
    if (engagement.scope.kind == KillScope::Kind::account) accounts_.try_emplace(engagement.scope.account.value);
  venue_ = is_engaged(KillScope::everyone());
  const auto blocks = [this](const KillScope& named) {
    return named.kind != KillScope::Kind::venue && is_engaged(named);
  };
  for (auto& [number, account] : accounts_)
    account.blocked = is_engaged(KillScope::of(AccountId{number})) || blocks(account.user) || blocks(account.firm);
}

std::string KillSwitch::text() const {
  std::string text = std::string(title) + "\n";
  for (const Engagement& engagement : engaged_)
    text += engagement.scope.text() + " " + std::to_string(engagement.since_utc_ns) + " " + engagement.why + "\n";
  return text + last_line(engaged_.size(), text);
}

// --- the file

void write_kill_switch(const std::string& path, std::string_view text) {
  const std::string next = path + ".new";
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const auto fail = [](const std::string& what, int number) {
    throw std::system_error(number, std::generic_category(), what);
  };
  const int file = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) fail(next + ": cannot be made", errno);
  const auto give_up = [&](const std::string& what) {
    const int number = errno;
    ::close(file);
    ::unlink(next.c_str());
    fail(what, number);
  };
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) give_up(next + ": cannot be written");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  // A failed sync is final: the kernel may have dropped what it could not write, and says so only once.
  if (::fsync(file) != 0) give_up(next + ": cannot be synced");
  if (::close(file) != 0) fail(next + ": cannot be closed", errno);
  if (::rename(next.c_str(), path.c_str()) != 0) fail(path + ": cannot be replaced", errno);
  const int directory = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) fail(folder.string() + ": cannot be opened", errno);
  const int synced = ::fsync(directory);
  const int number = errno;
  ::close(directory);
  if (synced != 0) fail(folder.string() + ": cannot be synced", number);
}

}  // namespace outcry
