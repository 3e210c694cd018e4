// KillSwitch: who must not enter orders any more: accounts, users, firms, or the whole venue; and the file that remembers
// it. A user is whoever logs in: all accounts that are his, at whatever door, and after a restart whatever their numbers.
//
// While it is on for an account, new orders and replacements of it are refused (RiskReason::killed) before any other
// check. Cancels, reductions and mass cancels go through: they can only make its exposure smaller, and an operator who
// has stopped somebody wants him to be able to help. Sessions stay logged on, with heartbeats and resends.
//
// The file is text, a line for each engagement, behind the last one their number and a checksum. It is written beside
// the old one, synced, and takes its place in one step: after a crash either the old state is there or the new one, whole.
//
// Thread: one owner; the file's functions block, and belong off the schedulers (KillDesk offloads them). blocks()
// allocates nothing.
// Limits: users and firms have 1 to 15 characters, printable and without spaces; a reason has at most 119. No file is the state in
// which nothing is engaged: whoever deletes the file has released everything at the next start.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <outcry/messages/identity.hpp>

namespace outcry {

/// Whom it is about. Trivially copyable.
struct KillScope {
  enum class Kind : std::uint8_t { venue, firm, account, user };

  std::array<char, 16> name{};  // of the firm or user, padded with NUL
  AccountId account{};
  Kind kind = Kind::venue;
  std::array<std::uint8_t, 3> unused{};

  static constexpr KillScope everyone() { return {}; }
  static constexpr KillScope of(AccountId account) { return {.account = account, .kind = Kind::account}; }
  /// Throws std::invalid_argument for what is no firm's name.
  static KillScope of_firm(std::string_view name);
  /// Likewise.
  static KillScope of_user(std::string_view name);
  /// Of a firm or user; else empty.
  std::string_view name_text() const;
  /// "venue", "firm ACME", "account 7", "user ALICE"
  std::string text() const;
  friend bool operator==(const KillScope&, const KillScope&) = default;

 private:
  static KillScope named(Kind kind, std::string_view name);
};

struct Engagement {
  KillScope scope{};
  std::int64_t since_utc_ns = 0;
  std::string why{};
  friend bool operator==(const Engagement&, const Engagement&) = default;
};

class KillSwitch {
 public:
  KillSwitch() = default;
  /// Reads what a file says. Throws InputError with its path and line for one that is not whole, or not ours.
  explicit KillSwitch(const std::string& path);

  /// Which firm an account belongs to; without one only itself, its user and the venue matter. May be called again, for
  /// another firm; whoever was said to be its user stays that until another one is named.
  void add_account(AccountId account, std::string_view firm = {}, std::string_view user = {});

  /// Must this account not enter orders?
  bool blocks(AccountId account) const noexcept;

  /// False if it is on already. A reason that is too long is cut off, and stays one line.
  bool engage(const KillScope& scope, std::int64_t utc_ns, std::string_view why);
  /// False if it is not on. An account stays blocked by its user, its firm or the venue.
  bool release(const KillScope& scope);
  bool is_engaged(const KillScope& scope) const;
  /// In the order in which they came.
  const std::vector<Engagement>& engagements() const { return engaged_; }
  /// Is the account within the scope?
  bool covers(const KillScope& scope, AccountId account) const;
  /// Empty: none that was said.
  std::string_view firm_of(AccountId account) const;
  /// The accounts that were added, of a scope.
  std::vector<AccountId> accounts(const KillScope& scope) const;

  /// What the file is to hold.
  std::string text() const;

 private:
  void update();

  struct Account {
    KillScope firm{};  // of kind venue: none
    KillScope user{};  // likewise
    bool blocked = false;
  };
  std::vector<Engagement> engaged_;
  std::unordered_map<std::uint32_t, Account> accounts_;
  bool venue_ = false;
};

/// Puts `text` in the place of the file, or leaves it as it is. On the disk when it returns. Throws std::system_error that
/// says what could not be done to which file.
void write_kill_switch(const std::string& path, std::string_view text);

}  // namespace outcry
