// GlimpseSession: one client of the snapshot server, from its connection to its end.
//
// Bytes and times in, bytes out. It logs in with sequence 1 (or 0, or none that is newer), gets one snapshot, and then the
// end of the session. The snapshot is shared and never changes, so a client costs its own buffer and nothing else; one
// that does not read is given up after a while, and so is one that reads, but would take for ever.
//
// Thread: the owner of the desk and of the feed. Nothing allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <outcry/actors/feed_snapshot.hpp>
#include <outcry/net/login_desk.hpp>
#include <outcry/net/soup_server.hpp>

namespace outcry {

struct GlimpseSessionOptions {
  SoupServerOptions soup{};
  std::int64_t stalled_ns = 5'000'000'000;   // of which a client takes nothing
  std::int64_t longest_ns = 60'000'000'000;  // from the login to the end of the snapshot
};

class GlimpseSession {
 public:
  enum class State : std::uint8_t {
    connected,
    wants_snapshot,  // give() it one
    sending,
    done,    // close the connection when everything has left
    failed,  // close it at once: why()
  };

  /// The desk must outlive it.
  GlimpseSession(const GlimpseSessionOptions& options, LoginDesk& desk, std::int64_t now_ns)
      : options_(options), desk_(desk), server_(options.soup, now_ns) {}
  ~GlimpseSession() { desk_.log_out(account_, session_); }
  GlimpseSession(const GlimpseSession&) = delete;
  GlimpseSession& operator=(const GlimpseSession&) = delete;

  State state() const { return state_; }
  const char* why() const { return why_; }
  /// Whether a whole snapshot was written; a client that was refused is done, too.
  bool has_sent() const { return state_ == State::done && snapshot_ != nullptr; }
  /// Of the client that has logged in; never its password.
  std::size_t account() const { return account_; }

  /// Reads what there is; `bytes` loses it.
  void receive(std::span<const std::byte>& bytes, ByteBuffer& out, std::int64_t now_ns);
  /// `name` is that of the feed's session.
  void give(std::shared_ptr<const FeedSnapshot> snapshot, std::string_view name, ByteBuffer& out, std::int64_t now_ns);
  /// `unsent`: what the connection has of ours, `out` included. Writes as much as there is room for.
  void poll(std::size_t unsent, ByteBuffer& out, std::int64_t now_ns);
  std::int64_t deadline() const;
  /// When a client must have had everything.
  std::int64_t give_up_ns() const { return begun_ns_ + options_.longest_ns; }

 private:
  void fail(const char* why) {
    state_ = State::failed;
    why_ = why;
  }

  GlimpseSessionOptions options_;
  LoginDesk& desk_;
  SoupServer server_;
  State state_ = State::connected;
  const char* why_ = "";
  std::size_t account_ = 0;
  std::uint64_t session_ = 0;  // at the desk; 0: none
  std::shared_ptr<const FeedSnapshot> snapshot_;
  std::int64_t begun_ns_ = 0;
  std::int64_t moved_ns_ = 0;  // when the client last took something
  std::uint64_t put_ = 0;      // bytes that were put into `out`
  std::uint64_t left_ = 0;     // of them: that have left us
};

}  // namespace outcry
