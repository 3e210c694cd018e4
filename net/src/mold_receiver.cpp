#include <outcry/net/mold_receiver.hpp>

#include <algorithm>
#include <cassert>

namespace outcry {

MoldReceiver::MoldReceiver(const MoldReceiverOptions& options, std::int64_t now_ns)
    : options_(options),
      joining_(options.next_sequence == 0),
      any_session_(options.session.text().empty()),
      expected_(options.next_sequence),
      numbers_(new std::uint64_t[options.window]()),
      sizes_(new std::uint16_t[options.window]()),
      bytes_(new std::byte[options.window * options.largest_message]),
      last_heard_ns_(now_ns) {
  assert(options.window > 0 && options.largest_message <= 0xFFFF && "a window of nothing");
  assert(options.most_requested > 0 && options.most_requested <= mold::most_messages && "a request for nothing");
}

bool MoldReceiver::admit(const mold::Decoded& decoded, std::int64_t now_ns) noexcept {
  ++counts_.packets;
  if (!decoded) {
    ++counts_.malformed;
    return false;
  }
  if (any_session_) {
    options_.session = mold::Session(decoded.packet.session());
    any_session_ = false;
  }
  if (decoded.packet.session() != options_.session.padded()) {
    ++counts_.other_session;
    return false;
  }
  last_heard_ns_ = now_ns;
  was_silent_ = false;
  if (expected_ == 0) expected_ = decoded.packet.sequence();
  return true;
}

void MoldReceiver::keep(Line line, std::uint64_t sequence, std::span<const std::byte> message) noexcept {
  const std::size_t slot = sequence % options_.window;
  if (sequence < expected_ || numbers_[slot] == sequence) {
    ++counts_.duplicates;
    return;
  }
  if (sequence - expected_ >= options_.window || message.size() > options_.largest_message) {
    ++counts_.dropped;
    return;
  }
  ++counts_.first[static_cast<std::size_t>(line)];
  numbers_[slot] = sequence;
  sizes_[slot] = static_cast<std::uint16_t>(message.size());
  if (!message.empty()) std::memcpy(bytes_.get() + slot * options_.largest_message, message.data(), message.size());
  ++waiting_;
}

void MoldReceiver::forget_outside(std::uint64_t first) noexcept {
  for (std::size_t slot = 0; slot < options_.window; ++slot) {
    const std::uint64_t number = numbers_[slot];
    if (number == 0 || (number >= first && number - first < options_.window)) continue;
    numbers_[slot] = 0;
    --waiting_;
  }
}

void MoldReceiver::look_for_gap(std::uint64_t before, std::int64_t now_ns) noexcept {
  if (joining_ || !has_gap()) return forget_gap();
  const bool is_new = next_request_ns_ == never && attempts_ == 0;
  if (!is_new && expected_ == before) return;
  // Of what was asked for a part has come: the rest is asked for at once. Anything else is a gap of its own.
  const bool is_rest = expected_ < asked_until_;
  if (!is_rest) ++counts_.gaps;
  next_request_ns_ = is_rest ? now_ns : now_ns + options_.patience_ns;
  attempts_ = 0;
  pause_ns_ = options_.first_pause_ns;
}

std::uint64_t MoldReceiver::gap_end() const noexcept {
  if (waiting_ == 0) return known_;
  std::uint64_t end = expected_ + 1;
  while (end < known_ && numbers_[end % options_.window] != end) ++end;
  return end;
}

mold::Header MoldReceiver::next_request(std::int64_t now_ns) noexcept {
  const std::uint64_t count = std::min<std::uint64_t>(gap_end() - expected_, options_.most_requested);
  asked_until_ = expected_ + count;
  ++attempts_;
  ++counts_.requests;
  next_request_ns_ = now_ns + pause_ns_;
  pause_ns_ = std::min(2 * pause_ns_, options_.longest_pause_ns);
  return {options_.session, expected_, static_cast<std::uint16_t>(count)};
}

MoldReceiver::Event MoldReceiver::silence(std::int64_t now_ns) noexcept {
  if (was_silent_ || finished() || now_ns - last_heard_ns_ < options_.silence_ns) return Event::none;
  was_silent_ = true;
  return Event::silent;
}

std::int64_t MoldReceiver::deadline() const {
  const std::int64_t silent = was_silent_ || finished() ? never : last_heard_ns_ + options_.silence_ns;
  return joining_ || !has_gap() ? silent : std::min(silent, next_request_ns_);
}

}  // namespace outcry
