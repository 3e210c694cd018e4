// LoginDesk: who may log in, and that each account has one live session.
//
// A user and password are compared with every account there is, whole, so that the time tells nothing about either;
// capitals and small letters are the same, as SoupBinTCP has it. After `attempts` wrong passwords in a row an account is
// locked for a while, twice as long with each further one; the right password does not open it before. What the peer is
// told must not tell these refusals apart.
//
// Thread: one owner. Nothing allocates but add().
// Limits: users and passwords of at most 32 characters. Passwords are kept as they are: whoever reads our memory has
// them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace outcry {

struct LoginDeskOptions {
  int attempts = 5;
  std::int64_t first_lock_ns = 1'000'000'000;
  std::int64_t longest_lock_ns = 900'000'000'000;
  bool newest_wins = false;  // a login for an account with a live session takes its place, else it is refused
};

class LoginDesk {
 public:
  enum class Verdict : std::uint8_t {
    admitted,
    admitted_instead,  // close the account's session `replaced`
    wrong,             // user or password
    locked,
    already_live,
  };
  struct Answer {
    Verdict verdict = Verdict::wrong;
    std::size_t account = 0;    // in the order of add(); not with `wrong`
    std::uint64_t session = 0;  // to log out with; a newer one has a higher number; 0: not admitted
    std::uint64_t replaced = 0;
  };

  explicit LoginDesk(const LoginDeskOptions& options = {}) : options_(options) {}

  /// The account's number; none of these accounts may have the user yet. Throws std::invalid_argument if one has, or if
  /// user or password is empty or too long.
  std::size_t add(std::string_view user, std::string_view password);

  Answer log_in(std::string_view user, std::string_view password, std::int64_t now_ns) noexcept;
  /// Whoever asks knows otherwise who it is: no password. A lock is for passwords, and does not keep him out.
  Answer enter(std::size_t account) noexcept;
  /// The session has ended. Nothing if another one has taken its place.
  void log_out(std::size_t account, std::uint64_t session) noexcept;
  /// 0: none.
  std::uint64_t live_session(std::size_t account) const { return accounts_[account].session; }

 private:
  /// In capitals, with zeros behind.
  using Secret = std::array<char, 32>;
  static Secret secret(std::string_view text) noexcept;

  struct Account {
    Secret user, password;
    std::uint64_t session = 0;
    int wrong = 0;  // in a row
    std::int64_t locked_until_ns = INT64_MIN;
  };

  void count_wrong(Account& account, std::int64_t now_ns) noexcept;

  LoginDeskOptions options_;
  std::vector<Account> accounts_;
  std::uint64_t last_session_ = 0;
};

}  // namespace outcry
