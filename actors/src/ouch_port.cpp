#include <outcry/actors/ouch_port.hpp>

#include <cassert>
#include <stdexcept>

namespace outcry {

namespace {

constexpr std::int64_t retry_ns = 1'000'000;  // what found no room at a symbol is sent again that soon

}  // namespace

const char* to_string(PortEnd end) {
  switch (end) {
    case PortEnd::none: return "none";
    case PortEnd::logged_out: return "logged_out";
    case PortEnd::silent: return "silent";
    case PortEnd::broken: return "broken";
    case PortEnd::slow: return "slow";
    case PortEnd::elsewhere: return "elsewhere";
    case PortEnd::lost: return "lost";
    case PortEnd::over: return "over";
    case PortEnd::full: return "full";
    case PortEnd::not_there: return "not_there";
  }
  return "?";
}

template <class Desk>
OuchPort<Desk>::OuchPort(const OuchPortOptions& options, const SymbolDirectory& symbols, OrderRoute& route)
    : options_(options),
      stream_(options.stream),
      desk_(options.desk, symbols, route, stream_),
      reading_(options.reading, 0) {
  if (options.session.empty() || options.session.size() > 10)
    throw std::invalid_argument("a session's name has 1 to 10 characters, not '" + options.session + "'");
  desk_.start_of_day();
}

template <class Desk>
bool OuchPort<Desk>::attach(const SoupServer& soup, ByteBuffer& out) {
  assert(!soup_ && "a client is there already");
  ++counts_.logins;
  end_ = PortEnd::none;
  error_ = {};
  soup_.emplace(soup);
  if (!soup_->accept(options_.session, stream_.next_sequence(), out, now_ns_)) {
    end_ = PortEnd::not_there;
    soup_.reset();
    return false;
  }
  if (day_is_over_) soup_->end();
  backlog_end_ = stream_.next_sequence();
  stalled_since_ns_ = read_again_ns_ = INT64_MAX;
  cancel_at_ns_ = INT64_MAX;
  return true;
}

template <class Desk>
void OuchPort<Desk>::detach() {
  if (!soup_) return;
  soup_.reset();
  read_again_ns_ = stalled_since_ns_ = INT64_MAX;
  holds_back_ = false;
  // Who logs in somewhere else is back at once, if that login is good; when the day is over nothing is to be cancelled.
  if (options_.cancel_on_disconnect && !day_is_over_) cancel_at_ns_ = now_ns_ + options_.grace_ns;
}

template <class Desk>
bool OuchPort<Desk>::may_read() noexcept {
  if (options_.reading.burst == 0 || reading_.has(1, now_ns_)) {
    holds_back_ = false;
    read_again_ns_ = INT64_MAX;
    return true;
  }
  if (!holds_back_) ++counts_.held_back;
  holds_back_ = true;
  const std::uint64_t rate = std::max<std::uint64_t>(options_.reading.per_second, 1);
  read_again_ns_ = now_ns_ + static_cast<std::int64_t>((1'000'000'000 + rate - 1) / rate);
  return false;
}

template <class Desk>
void OuchPort<Desk>::take(std::span<const std::byte>& bytes) noexcept {
  using Event = SoupServerEvent::Kind;
  while (soup_ && end_ == PortEnd::none && !bytes.empty() && may_read()) {
    const SoupServerEvent event = soup_->receive(bytes, now_ns_);
    switch (event.kind) {
      case Event::none: return;
      case Event::message: {
        ++counts_.messages;
        if (options_.reading.burst != 0) reading_.take(1, now_ns_);
        if (day_is_over_) break;
        const char* const wrong = desk_.take(event.message);
        if (wrong != nullptr) {
          error_ = {.what = wrong,
                    .found = event.message.empty() ? 0 : std::to_integer<std::uint64_t>(event.message[0]),
                    .is_character = true,
                    .expected = "a message of this version"};
          close(PortEnd::broken);
        }
        if (stream_.full()) close(PortEnd::full);
        break;
      }
      case Event::logged_out: close(PortEnd::logged_out); break;
      case Event::timed_out: close(PortEnd::silent); break;
      case Event::broken:
        error_ = event.error;
        close(PortEnd::broken);
        break;
      case Event::login_requested: break;
    }
  }
}

template <class Desk>
void OuchPort<Desk>::finish_batch() noexcept {
  desk_.flush();
  if (desk_.entry().owes()) desk_.entry().retry();
  // Nobody can be told what becomes of the orders any more.
  if (stream_.full() && !std::exchange(gave_up_, true)) {
    desk_.entry().mass_cancel(std::nullopt, std::nullopt, CancelCause::supervisor);
    close(PortEnd::full);
  }
}

template <class Desk>
void OuchPort<Desk>::send(ByteBuffer& out) noexcept {
  finish_batch();
  if (!soup_) return poll();
  const std::size_t sent = soup_->send(stream_.store(), out, now_ns_);
  if (soup_->state() == SoupServer::State::ended && end_ == PortEnd::none) end_ = PortEnd::over;
  watch_reader(sent);
  if (soup_->poll(out, now_ns_).kind == SoupServerEvent::Kind::timed_out) close(PortEnd::silent);
}

template <class Desk>
std::uint64_t OuchPort<Desk>::behind() const {
  const std::uint64_t had = std::max(soup_->next_sequence(), backlog_end_);
  return stream_.next_sequence() - std::min(had, stream_.next_sequence());
}

template <class Desk>
void OuchPort<Desk>::watch_reader(std::size_t sent) noexcept {
  if (soup_->next_sequence() >= stream_.next_sequence() || sent != 0)
    stalled_since_ns_ = INT64_MAX;
  else if (stalled_since_ns_ == INT64_MAX)
    stalled_since_ns_ = now_ns_;
  if (behind() > options_.most_behind ||
      (stalled_since_ns_ != INT64_MAX && now_ns_ - stalled_since_ns_ >= options_.stall_ns))
    close(PortEnd::slow);
}

template <class Desk>
void OuchPort<Desk>::poll() noexcept {
  finish_batch();
  if (soup_ || now_ns_ < cancel_at_ns_ || cancel_at_ns_ == INT64_MAX) return;
  cancel_at_ns_ = INT64_MAX;
  if (desk_.entry().open_orders() == 0) return;
  ++counts_.mass_cancels;
  desk_.entry().mass_cancel(std::nullopt, std::nullopt, CancelCause::disconnect);
}

template <class Desk>
std::int64_t OuchPort<Desk>::deadline() const noexcept {
  std::int64_t next = desk_.entry().owes() ? now_ns_ + retry_ns : INT64_MAX;
  if (!soup_) return std::min(next, cancel_at_ns_);
  next = std::min({next, soup_->deadline(), read_again_ns_});
  if (stalled_since_ns_ != INT64_MAX) next = std::min(next, stalled_since_ns_ + options_.stall_ns);
  return next;
}

template <class Desk>
void OuchPort<Desk>::end_of_day() noexcept {
  if (std::exchange(day_is_over_, true)) return;
  desk_.flush();
  desk_.end_of_day();
  if (soup_) soup_->end();
}

template <class Desk>
void OuchPort<Desk>::start_of_day(const std::string& session) {
  if (session.empty() || session.size() > 10)
    throw std::invalid_argument("a session's name has 1 to 10 characters, not '" + session + "'");
  assert(!soup_ && desk_.entry().open_orders() == 0 && "a day begins without clients and orders");
  options_.session = session;
  stream_.clear();
  day_is_over_ = gave_up_ = false;
  cancel_at_ns_ = INT64_MAX;
  desk_.start_of_day();
}

template class OuchPort<Ouch50Desk>;
template class OuchPort<Ouch42Desk>;

}  // namespace outcry
