#include <outcry/net/login_desk.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace outcry {

namespace {

// All of both, whatever is found on the way: 0 if they are the same.
template <std::size_t N>
unsigned difference(const std::array<char, N>& a, const std::array<char, N>& b) {
  unsigned found = 0;
  for (std::size_t i = 0; i < N; ++i) found |= static_cast<unsigned char>(a[i] ^ b[i]);
  return found;
}

}  // namespace

LoginDesk::Secret LoginDesk::secret(std::string_view text) noexcept {
  Secret result{};
  for (std::size_t i = 0; i < std::min(text.size(), result.size()); ++i) {
    const char c = text[i];
    result[i] = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return result;
}

std::size_t LoginDesk::add(std::string_view user, std::string_view password) {
  const std::size_t longest = Secret{}.size();
  if (user.empty() || user.size() > longest || password.empty() || password.size() > longest)
    throw std::invalid_argument("an account's user and password have 1 to 32 characters: " + std::string(user));
  Account account{};
  account.user = secret(user);
  account.password = secret(password);
  for (const Account& other : accounts_)
    if (other.user == account.user) throw std::invalid_argument("two accounts of one user: " + std::string(user));
  accounts_.push_back(account);
  return accounts_.size() - 1;
}

LoginDesk::Answer LoginDesk::log_in(std::string_view user, std::string_view password, std::int64_t now_ns) noexcept {
  const bool is_too_long = std::max(user.size(), password.size()) > Secret{}.size();
  const Secret given_user = secret(user), given_password = secret(password);
  std::size_t known = accounts_.size();
  bool is_right = false;
  for (std::size_t i = 0; i < accounts_.size(); ++i) {
    const bool same_user = difference(accounts_[i].user, given_user) == 0;
    const bool same_password = difference(accounts_[i].password, given_password) == 0;
    known = same_user ? i : known;
    is_right = is_right | (same_user & same_password);
  }
  if (known == accounts_.size() || is_too_long) return {};
  Account& account = accounts_[known];
  if (now_ns < account.locked_until_ns) return {.verdict = Verdict::locked, .account = known};
  if (!is_right) {
    count_wrong(account, now_ns);
    return {};
  }
  account.wrong = 0;
  return enter(known);
}

LoginDesk::Answer LoginDesk::enter(std::size_t known) noexcept {
  Account& account = accounts_[known];
  const std::uint64_t before = account.session;
  if (before != 0 && !options_.newest_wins) return {.verdict = Verdict::already_live, .account = known};
  account.session = ++last_session_;
  return {.verdict = before == 0 ? Verdict::admitted : Verdict::admitted_instead,
          .account = known,
          .session = account.session,
          .replaced = before};
}

void LoginDesk::count_wrong(Account& account, std::int64_t now_ns) noexcept {
  ++account.wrong;
  if (account.wrong < options_.attempts) return;
  std::int64_t lock_ns = options_.first_lock_ns;
  for (int i = options_.attempts; i < account.wrong && lock_ns < options_.longest_lock_ns; ++i) lock_ns *= 2;
  account.locked_until_ns = now_ns + std::min(lock_ns, options_.longest_lock_ns);
}

void LoginDesk::log_out(std::size_t account, std::uint64_t session) noexcept {
  if (session != 0 && accounts_[account].session == session) accounts_[account].session = 0;
}

}  // namespace outcry
