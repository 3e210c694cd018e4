#include <outcry/net/soup_client.hpp>

#include <algorithm>
#include <cassert>

namespace outcry {

using Kind = SoupClientEvent::Kind;

namespace {

SoupClientEvent event(Kind kind) {
  SoupClientEvent result;
  result.kind = kind;
  return result;
}

}  // namespace

SoupClient::SoupClient(const SoupClientOptions& options, std::int64_t now_ns)
    : options_(options), last_sent_ns_(now_ns), last_heard_ns_(now_ns) {}

bool SoupClient::log_in(const SoupLogin& login, ByteBuffer& out, std::int64_t now_ns) noexcept {
  assert(state_ == State::connected && "a second login");
  soup::LoginRequest request;
  request.user = Alpha<6>(login.user);
  request.password = Alpha<10>(login.password);
  request.session = RightAlpha<10>(login.session);
  request.sequence = RightAlpha<20>::of(login.sequence);
  bool put;
  if (options_.version == soup::Version::v4_10) {
    request.header.length = sizeof(soup::LoginRequestTimed) - 2;
    put = soup::put(out, soup::LoginRequestTimed{request, RightAlpha<5>::of(options_.own_timeout_ms)});
  } else {
    put = soup::put(out, request);
  }
  if (!put) return false;
  state_ = State::asking;
  last_sent_ns_ = last_heard_ns_ = now_ns;
  return true;
}

SoupClientEvent SoupClient::receive(std::span<const std::byte>& bytes, std::int64_t now_ns) noexcept {
  while (state_ != State::closed) {
    const soup::Framed framed = soup::frame(bytes, options_.largest_payload);
    if (framed.framing == soup::Framing::partial) return {};
    if (framed.framing != soup::Framing::whole)
      return broken(0, "a packet of length",
                    std::to_integer<std::uint64_t>(bytes[0]) << 8 | std::to_integer<std::uint64_t>(bytes[1]), false,
                    framed.framing == soup::Framing::empty ? "at least 1" : "no more than the limit");
    const SoupClientEvent found = on_packet(framed.packet);
    received_ += framed.packet.size();
    bytes = bytes.subspan(framed.packet.size());
    last_heard_ns_ = now_ns;
    if (found) return found;
  }
  return {};
}

SoupClientEvent SoupClient::on_packet(const soup::Packet& packet) noexcept {
  if (packet.type == soup::type::debug) return {};
  if (state_ != State::open) return on_answer(packet);
  switch (packet.type) {
    case soup::type::sequenced_data: {
      SoupClientEvent result = event(Kind::message);
      result.message = packet.payload;
      result.sequence = next_sequence_++;
      return result;
    }
    case soup::type::unsequenced_data: {
      if (options_.version == soup::Version::v3_00) break;
      SoupClientEvent result = event(Kind::unsequenced);
      result.message = packet.payload;
      return result;
    }
    case soup::type::server_heartbeat: return bare(packet, Kind::none);
    case soup::type::end_of_session: return bare(packet, Kind::end_of_session);
    default: break;
  }
  return broken(2, "a packet of type", static_cast<unsigned char>(packet.type), true,
                options_.version == soup::Version::v3_00 ? "S, H, Z or +" : "S, U, H, Z or +");
}

SoupClientEvent SoupClient::bare(const soup::Packet& packet, Kind kind) noexcept {
  if (!packet.payload.empty())
    return broken(0, "a heartbeat or an end with a payload of", packet.payload.size(), false, "none");
  if (kind == Kind::end_of_session) state_ = State::closed;
  return event(kind);
}

SoupClientEvent SoupClient::on_answer(const soup::Packet& packet) noexcept {
  if (state_ == State::asking && packet.type == soup::type::login_rejected && packet.payload.size() == 1) {
    state_ = State::closed;
    SoupClientEvent result = event(Kind::rejected);
    result.reason = static_cast<char>(packet.payload[0]);
    return result;
  }
  if (state_ != State::asking || packet.type != soup::type::login_accepted)
    return broken(2, "a packet of type", static_cast<unsigned char>(packet.type), true,
                  state_ == State::asking ? "A, J or +" : "+ until the login");
  if (packet.payload.size() != sizeof(soup::LoginAccepted) - soup::header_size)
    return broken(0, "a login accepted of length", packet.payload.size() + 1, false, "31");
  const char* text = reinterpret_cast<const char*>(packet.payload.data());
  const std::optional<std::uint64_t> sequence = decimal(trimmed({text + 10, 20}));
  if (!sequence || *sequence == 0)
    return broken(13, "a sequence number of length", trimmed({text + 10, 20}).size(), false,
                  "a number from 1 in digits");
  state_ = State::open;
  next_sequence_ = *sequence;
  SoupClientEvent result = event(Kind::accepted);
  result.session = trimmed({text, 10});
  result.sequence = next_sequence_;
  return result;
}

SoupClientEvent SoupClient::broken(std::uint64_t offset, const char* what, std::uint64_t found, bool is_character,
                                   const char* expected) noexcept {
  state_ = State::closed;
  SoupClientEvent result = event(Kind::broken);
  result.error = {
      .offset = received_ + offset, .what = what, .found = found, .is_character = is_character, .expected = expected};
  return result;
}

bool SoupClient::send(std::span<const std::byte> message, ByteBuffer& out, std::int64_t now_ns) noexcept {
  if (state_ != State::open || !soup::put(out, soup::type::unsequenced_data, message)) return false;
  last_sent_ns_ = now_ns;
  return true;
}

bool SoupClient::log_out(ByteBuffer& out) noexcept {
  if (state_ != State::open || !soup::put(out, soup::type::logout_request)) return false;
  state_ = State::closed;
  return true;
}

SoupClientEvent SoupClient::poll(ByteBuffer& out, std::int64_t now_ns) noexcept {
  if (state_ != State::asking && state_ != State::open) return {};
  if (now_ns - last_heard_ns_ >= options_.server_timeout_ns) {
    state_ = State::closed;
    return event(Kind::timed_out);
  }
  if (state_ == State::open && now_ns - last_sent_ns_ >= options_.heartbeat_ns) {
    soup::put(out, soup::type::client_heartbeat);
    last_sent_ns_ = now_ns;
  }
  return {};
}

std::int64_t SoupClient::deadline() const noexcept {
  if (state_ != State::asking && state_ != State::open) return INT64_MAX;
  const std::int64_t silent = last_heard_ns_ + options_.server_timeout_ns;
  return state_ == State::open ? std::min(silent, last_sent_ns_ + options_.heartbeat_ns) : silent;
}

}  // namespace outcry
