#include <outcry/actors/glimpse_session.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace outcry {

using Kind = SoupServerEvent::Kind;

void GlimpseSession::receive(std::span<const std::byte>& bytes, ByteBuffer& out, std::int64_t now_ns) {
  if (state_ == State::done || state_ == State::failed) {
    bytes = {};
    return;
  }
  while (const SoupServerEvent event = server_.receive(bytes, now_ns)) {
    switch (event.kind) {
      case Kind::login_requested: {
        const LoginDesk::Answer answer = desk_.log_in(event.login.user, event.login.password, now_ns);
        if (answer.session == 0) {
          server_.reject(soup::not_authorized, out);
          state_ = State::done;
          return;
        }
        account_ = answer.account;
        session_ = answer.session;
        state_ = State::wants_snapshot;
        return;
      }
      case Kind::broken: return fail("what is no packet");
      case Kind::logged_out: return fail("logged out");
      default: break;  // there is nothing that a client could say
    }
  }
}

void GlimpseSession::give(std::shared_ptr<const FeedSnapshot> snapshot, std::string_view name, ByteBuffer& out,
                          std::int64_t now_ns) {
  if (state_ != State::wants_snapshot) return;
  if (snapshot == nullptr) {
    server_.reject(soup::session_not_available, out);
    state_ = State::done;
    return;
  }
  const std::size_t before = out.size();
  if (!server_.accept(name, 1, out, now_ns)) {
    state_ = State::done;
    return;
  }
  put_ += out.size() - before;
  snapshot_ = std::move(snapshot);
  server_.end();
  state_ = State::sending;
  begun_ns_ = moved_ns_ = now_ns;
}

void GlimpseSession::poll(std::size_t unsent, ByteBuffer& out, std::int64_t now_ns) {
  if (state_ == State::done || state_ == State::failed) return;
  const std::size_t before = out.size();
  if (state_ == State::sending) {
    const std::uint64_t left = put_ - std::min<std::uint64_t>(unsent, put_);
    if (left > left_ || unsent == 0) moved_ns_ = now_ns;
    left_ = std::max(left_, left);
    server_.send(*snapshot_, out, now_ns);
    if (server_.state() == SoupServer::State::ended) {
      state_ = State::done;
      return;
    }
    if (now_ns - moved_ns_ >= options_.stalled_ns) return fail("does not read");
    if (now_ns - begun_ns_ >= options_.longest_ns) return fail("reads too slowly");
  }
  if (server_.poll(out, now_ns).kind == Kind::timed_out) fail("says nothing");
  put_ += out.size() - before;
}

std::int64_t GlimpseSession::deadline() const {
  if (state_ == State::done || state_ == State::failed) return std::numeric_limits<std::int64_t>::max();
  const std::int64_t soup = server_.deadline();
  if (state_ != State::sending) return soup;
  return std::min({soup, moved_ns_ + options_.stalled_ns, begun_ns_ + options_.longest_ns});
}

}  // namespace outcry
