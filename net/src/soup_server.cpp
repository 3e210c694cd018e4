#include <outcry/net/soup_server.hpp>

#include <algorithm>
#include <cassert>

namespace outcry {

using Kind = SoupServerEvent::Kind;

SoupServer::SoupServer(const SoupServerOptions& options, std::int64_t now_ns)
    : options_(options), client_timeout_ns_(options.client_timeout_ns), last_sent_ns_(now_ns), last_heard_ns_(now_ns) {}

SoupServerEvent SoupServer::receive(std::span<const std::byte>& bytes, std::int64_t now_ns) noexcept {
  while (state_ == State::connected || state_ == State::open || state_ == State::ended) {
    const soup::Framed framed = soup::frame(bytes, options_.largest_payload);
    if (framed.framing == soup::Framing::partial) return {};
    if (framed.framing != soup::Framing::whole)
      return broken(0, "a packet of length",
                    std::to_integer<std::uint64_t>(bytes[0]) << 8 | std::to_integer<std::uint64_t>(bytes[1]), false,
                    framed.framing == soup::Framing::empty ? "at least 1" : "no more than the limit");
    const SoupServerEvent event = on_packet(framed.packet);
    received_ += framed.packet.size();
    bytes = bytes.subspan(framed.packet.size());
    // Before the login only the login itself counts: debug packets do not hold a connection open.
    if (state_ != State::connected) last_heard_ns_ = now_ns;
    if (event) return event;
  }
  return {};
}

SoupServerEvent SoupServer::on_packet(const soup::Packet& packet) noexcept {
  if (packet.type == soup::type::debug) return {};
  if (state_ == State::connected) return on_login(packet);
  switch (packet.type) {
    case soup::type::unsequenced_data:
      // What arrives behind the end of the session is of no session.
      if (state_ == State::ended) return {};
      return {.kind = Kind::message, .login = {}, .message = packet.payload, .error = {}};
    case soup::type::client_heartbeat:
      if (packet.payload.empty()) return {};
      return broken(0, "a heartbeat with a payload of", packet.payload.size(), false, "none");
    case soup::type::logout_request:
      if (!packet.payload.empty())
        return broken(0, "a logout request with a payload of", packet.payload.size(), false, "none");
      state_ = State::closed;
      return {.kind = Kind::logged_out, .login = {}, .message = {}, .error = {}};
    default: return broken(2, "a packet of type", static_cast<unsigned char>(packet.type), true, "U, R, O or +");
  }
}

SoupServerEvent SoupServer::on_login(const soup::Packet& packet) noexcept {
  if (packet.type != soup::type::login_request)
    return broken(2, "a packet of type", static_cast<unsigned char>(packet.type), true, "L or +");
  const bool timed = options_.version == soup::Version::v4_10;
  const std::optional<soup::Login> login = soup::read_login(packet.payload, timed);
  if (!login)
    return broken(0, "a login request of length", packet.payload.size() + 1, false,
                  timed ? "47, or 52 with a time-out in digits" : "47");
  // No number at all is answered as a number that is not there.
  asked_sequence_ = login->sequence.value_or(UINT64_MAX);
  asked_session_ = Alpha<10>(login->session);
  if (login->timeout_ms)
    client_timeout_ns_ = std::clamp(std::int64_t{*login->timeout_ms} * 1'000'000, options_.shortest_timeout_ns,
                                    options_.longest_timeout_ns);
  state_ = State::deciding;
  return {.kind = Kind::login_requested, .login = *login, .message = {}, .error = {}};
}

SoupServerEvent SoupServer::broken(std::uint64_t offset, const char* what, std::uint64_t found, bool is_character,
                                   const char* expected) noexcept {
  state_ = State::closed;
  return {.kind = Kind::broken,
          .login = {},
          .message = {},
          .error = {.offset = received_ + offset,
                    .what = what,
                    .found = found,
                    .is_character = is_character,
                    .expected = expected}};
}

bool SoupServer::accept(std::string_view session, std::uint64_t next_sequence, ByteBuffer& out,
                        std::int64_t now_ns) noexcept {
  assert(state_ == State::deciding && "no login to accept");
  const bool other_session = !asked_session_.text().empty() && asked_session_.text() != trimmed(session);
  if (other_session || asked_sequence_ > next_sequence) {
    reject(soup::session_not_available, out);
    return false;
  }
  next_sequence_ = asked_sequence_ == 0 ? next_sequence : asked_sequence_;
  const bool put = soup::put(
      out, soup::LoginAccepted{.session = RightAlpha<10>(session), .sequence = RightAlpha<20>::of(next_sequence_)});
  assert(put && "no room to accept a login");
  static_cast<void>(put);
  state_ = State::open;
  last_sent_ns_ = last_heard_ns_ = now_ns;
  return true;
}

void SoupServer::reject(char reason, ByteBuffer& out) noexcept {
  assert(state_ == State::deciding && "no login to reject");
  soup::put(out, soup::LoginRejected{.reason = reason});
  state_ = State::closed;
}

bool SoupServer::send_unsequenced(std::span<const std::byte> message, ByteBuffer& out, std::int64_t now_ns) noexcept {
  if (state_ != State::open || options_.version == soup::Version::v3_00) return false;
  if (!soup::put(out, soup::type::unsequenced_data, message)) return false;
  last_sent_ns_ = now_ns;
  return true;
}

SoupServerEvent SoupServer::poll(ByteBuffer& out, std::int64_t now_ns) noexcept {
  if (state_ == State::closed) return {};
  if (now_ns - last_heard_ns_ >= silence_limit_ns()) {
    state_ = State::closed;
    return {.kind = Kind::timed_out, .login = {}, .message = {}, .error = {}};
  }
  // A peer that leaves no room for a heartbeat has bytes of ours in front of it that say the same.
  if (state_ == State::open && now_ns - last_sent_ns_ >= options_.heartbeat_ns) {
    soup::put(out, soup::type::server_heartbeat);
    last_sent_ns_ = now_ns;
  }
  return {};
}

std::int64_t SoupServer::deadline() const noexcept {
  if (state_ == State::closed) return INT64_MAX;
  const std::int64_t silent = last_heard_ns_ + silence_limit_ns();
  return state_ == State::open ? std::min(silent, last_sent_ns_ + options_.heartbeat_ns) : silent;
}

std::int64_t SoupServer::silence_limit_ns() const noexcept {
  return state_ == State::connected || state_ == State::deciding ? options_.login_timeout_ns : client_timeout_ns_;
}

}  // namespace outcry
