#include <outcry/net/fix_session.hpp>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace outcry {

using Kind = FixEvent::Kind;
using fix::Problem;
using fix::RejectReason;
namespace tag = fix::tag;

namespace {

constexpr std::int64_t second = 1'000'000'000;

FixEvent event(Kind kind, const char* reason = "") {
  FixEvent result;
  result.kind = kind;
  result.reason = reason;
  return result;
}

// What frame() may find whole: a body of `largest_message`, with what is around it.
std::size_t slot_size(const FixSessionOptions& options) { return options.largest_message + 64; }

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

FixSession::FixSession(const FixSessionOptions& options, FixState& state, const FixTime& time)
    : options_(options),
      state_(state),
      writer_(options.largest_message),
      kept_numbers_(new std::uint64_t[options.early_messages]()),
      kept_sizes_(new std::size_t[options.early_messages]()),
      kept_bytes_(new char[options.early_messages * slot_size(options)]),
      first_unsent_(state.sent.next_sequence()),
      last_sent_ns_(time.now_ns),
      last_heard_ns_(time.now_ns) {}

// --- logging on

void FixSession::log_on(std::string_view user, std::string_view password, ByteBuffer& out, const FixTime& time) {
  assert(stage_ == Stage::connected && options_.initiator && "a logon out of turn");
  if (options_.reset_on_logon) state_.reset();
  forget_sent();
  send_admin(fix::Logon{.heartbeat_s = options_.heartbeat_s,
                        .reset = options_.reset_on_logon ? std::optional(true) : std::nullopt,
                        .user = user,
                        .password = password},
             out, time);
  stage_ = Stage::asking;
}

void FixSession::accept(ByteBuffer& out, const FixTime& time) {
  assert(stage_ == Stage::deciding && "no logon to accept");
  if (logon_asks_reset_ || options_.reset_on_logon) state_.reset();
  forget_sent();
  open(logon_heartbeat_s_, time);
  send_admin(
      fix::Logon{.heartbeat_s = logon_heartbeat_s_, .reset = logon_asks_reset_ ? std::optional(true) : std::nullopt},
      out, time);
  if (logon_sequence_ > expected())
    ask_again(logon_sequence_, out, time);
  else
    state_.next_incoming = logon_sequence_ + 1;
}

void FixSession::refuse(std::string_view why, ByteBuffer& out, const FixTime& time) {
  assert(stage_ == Stage::deciding && "no logon to refuse");
  forget_sent();
  send_admin(fix::Logout{.text = why}, out, time);
  stage_ = Stage::closed;
}

void FixSession::open(std::uint64_t heartbeat_s, const FixTime& time) {
  stage_ = Stage::open;
  heartbeat_ns_ = static_cast<std::int64_t>(heartbeat_s) * second;
  last_heard_ns_ = last_sent_ns_ = time.now_ns;
}

// What was stored before this connection goes out only when the peer asks for it.
void FixSession::forget_sent() {
  first_unsent_ = state_.sent.next_sequence();
  resend_next_ = resend_end_ = 0;
}

// --- receiving

FixEvent FixSession::receive(std::span<const std::byte>& bytes, ByteBuffer& out, const FixTime& time) {
  while (stage_ != Stage::deciding && stage_ != Stage::closed) {
    std::string_view whole = take_kept();
    if (whole.empty()) {
      const fix::Framed framed = fix::frame(as_text(bytes), options_.largest_message);
      if (framed.framing == fix::Framing::partial) return {};
      whole = as_text(bytes.first(framed.size));
      bytes = bytes.subspan(framed.size);
      if (framed.framing == fix::Framing::garbled) {
        ++garbled_;
        if (stage_ == Stage::connected) return break_off("the first message is no logon", out, time);
        continue;
      }
      last_heard_ns_ = time.now_ns;
      tested_ = false;
    }
    const std::optional<Problem> problem = message_.read(whole);
    if (message_.type().empty()) {
      ++garbled_;
      continue;
    }
    if (const FixEvent found = on_message(problem, out, time)) return found;
  }
  return {};
}

FixEvent FixSession::on_message(std::optional<Problem> problem, ByteBuffer& out, const FixTime& time) {
  if (message_.begin_string() != fix::begin_string(options_.version))
    return break_off("Incorrect BeginString", out, time);
  const std::string_view type = message_.type();
  const std::uint64_t sequence = message_.sequence();
  const bool is_reset = type == fix::SequenceReset::type && message_.get(tag::gap_fill) != "Y";
  if (sequence == 0 && !is_reset) return break_off("MsgSeqNum missing", out, time);
  if (!problem) problem = header_problem(time);
  if (!problem) problem = dictionary_problem();
  if (stage_ == Stage::connected || stage_ == Stage::asking) return on_first(problem, out, time);

  if (is_reset && !problem) return on_sequence_reset(false, out, time);
  if (type == fix::Logon::type && sequence == 1 && message_.get(tag::reset_sequence) == "Y" && !problem)
    return on_reset_logon(out, time);
  if (sequence > expected()) return on_too_high(sequence, out, time);
  if (sequence < expected()) return on_too_low(problem, out, time);

  ++state_.next_incoming;
  if (expected() > missing_until_) missing_until_ = 0;
  if (problem) return refuse_message(*problem, out, time);
  if (fix::is_admin(type)) return on_admin(out, time);
  FixEvent result = event(Kind::message);
  result.message = &message_;
  return result;
}

FixEvent FixSession::on_first(const std::optional<Problem>& problem, ByteBuffer& out, const FixTime& time) {
  if (stage_ == Stage::asking && message_.type() == fix::Logout::type) {
    stage_ = Stage::closed;
    FixEvent result = event(Kind::logged_out, "the logon was refused");
    result.message = &message_;
    return result;
  }
  if (message_.type() != fix::Logon::type) return break_off("the first message is no logon", out, time);
  if (problem) return break_off("a logon with a wrong field", out, time);
  return options_.initiator ? on_logon_answer(out, time) : on_logon_request(out, time);
}

FixEvent FixSession::on_logon_request(ByteBuffer& out, const FixTime& time) {
  FixEvent result = event(Kind::logon_requested);
  if (fix::read(message_, options_.version, result.logon)) return break_off("a logon with a wrong field", out, time);
  if (result.logon.encryption != 0) return break_off("a logon that asks for encryption", out, time);
  if (result.logon.heartbeat_s > options_.longest_heartbeat_s)
    return break_off("a logon with too long a heartbeat interval", out, time);
  logon_asks_reset_ = result.logon.reset.value_or(false);
  logon_sequence_ = message_.sequence();
  logon_heartbeat_s_ = result.logon.heartbeat_s;
  if (options_.target.empty()) options_.target = message_.get(tag::sender);
  stage_ = Stage::deciding;
  if (logon_asks_reset_ && logon_sequence_ != 1) return break_off("a reset whose number is not 1", out, time);
  const bool begins_anew = logon_asks_reset_ || options_.reset_on_logon;
  if (!begins_anew && logon_sequence_ < expected()) return break_off_too_low(out, time);
  result.message = &message_;
  return result;
}

FixEvent FixSession::on_logon_answer(ByteBuffer& out, const FixTime& time) {
  fix::Logon logon;
  if (fix::read(message_, options_.version, logon)) return break_off("a logon with a wrong field", out, time);
  if (logon.reset.value_or(false)) state_.next_incoming = 1;
  const std::uint64_t sequence = message_.sequence();
  if (sequence < expected()) return break_off_too_low(out, time);
  // The acceptor says which interval holds.
  open(std::min(logon.heartbeat_s, options_.longest_heartbeat_s), time);
  if (sequence > expected())
    ask_again(sequence, out, time);
  else
    ++state_.next_incoming;
  return event(Kind::logged_on);
}

// A logon that begins the numbers of both sides anew, in the middle of a session.
FixEvent FixSession::on_reset_logon(ByteBuffer& out, const FixTime& time) {
  fix::Logon logon;
  if (fix::read(message_, options_.version, logon)) return break_off("a logon with a wrong field", out, time);
  if (options_.initiator) return break_off("a second logon", out, time);
  missing_until_ = 0;
  forget_kept();
  state_.reset();
  state_.next_incoming = 2;
  forget_sent();
  send_admin(fix::Logon{.heartbeat_s = logon.heartbeat_s, .reset = true}, out, time);
  return {};
}

std::optional<Problem> FixSession::header_problem(const FixTime& time) const {
  for (const fix::Tag needed : {tag::sender, tag::target, tag::sending_time})
    if (!message_.find(needed)) return Problem{.reason = RejectReason::required_tag_missing, .tag = needed};
  if (!options_.target.empty() && message_.get(tag::sender) != options_.target)
    return Problem{.reason = RejectReason::wrong_party};
  if (message_.get(tag::target) != options_.sender) return Problem{.reason = RejectReason::wrong_party};
  const std::optional<std::int64_t> sent = fix::read_time(message_.get(tag::sending_time));
  if (!sent) return Problem{.reason = RejectReason::incorrect_format, .tag = tag::sending_time};
  if (options_.clock_tolerance_ns != 0 && std::abs(*sent - time.utc_ns) > options_.clock_tolerance_ns)
    return Problem{.reason = RejectReason::sending_time};
  if (!is_possible_duplicate() || message_.type() == fix::SequenceReset::type) return std::nullopt;
  const std::optional<std::string_view> original = message_.find(tag::original_sending_time);
  if (!original) return Problem{.reason = RejectReason::required_tag_missing, .tag = tag::original_sending_time};
  const std::optional<std::int64_t> first_sent = fix::read_time(*original);
  if (!first_sent) return Problem{.reason = RejectReason::incorrect_format, .tag = tag::original_sending_time};
  if (*first_sent > *sent) return Problem{.reason = RejectReason::sending_time};
  return std::nullopt;
}

// Of the little that is known without a dictionary.
std::optional<Problem> FixSession::dictionary_problem() const {
  for (const char c : message_.type())
    if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z'))
      return Problem{.reason = RejectReason::invalid_type};
  for (const fix::Field& field : message_.fields())
    if (!fix::is_defined(options_.version, field.tag) || (field.tag >= 5'000 && !options_.user_defined_tags))
      return Problem{.reason = RejectReason::invalid_tag, .tag = field.tag};
  return std::nullopt;
}

FixEvent FixSession::refuse_message(const Problem& problem, ByteBuffer& out, const FixTime& time) {
  reject(message_, problem, out, time);
  if (problem.reason == RejectReason::wrong_party) return break_off("CompID problem", {}, out, time);
  if (problem.reason == RejectReason::sending_time) return break_off("SendingTime accuracy problem", {}, out, time);
  return {};
}

FixEvent FixSession::on_too_high(std::uint64_t sequence, ByteBuffer& out, const FixTime& time) {
  // Two sides that both miss something would wait for each other: what the peer misses goes first.
  if (message_.type() == fix::ResendRequest::type)
    on_resend_request(out, time);
  else if (message_.type() != fix::Logout::type)
    keep(sequence);
  if (message_.type() == fix::Logout::type) return on_logout(out, time);
  if (stage_ != Stage::closed) ask_again(sequence, out, time);
  return {};
}

FixEvent FixSession::on_too_low(const std::optional<Problem>& problem, ByteBuffer& out, const FixTime& time) {
  // What these want can be done whatever their number says.
  if (message_.type() == fix::ResendRequest::type && !problem) return on_resend_request(out, time);
  if (message_.type() == fix::Logout::type && !problem) return on_logout(out, time);
  if (!is_possible_duplicate()) return break_off_too_low(out, time);
  return problem ? refuse_message(*problem, out, time) : FixEvent{};
}

void FixSession::keep(std::uint64_t sequence) {
  if (sequence - expected() > options_.early_messages || options_.early_messages == 0) return;
  const std::size_t slot = sequence % options_.early_messages;
  const std::string_view bytes = message_.bytes();
  kept_numbers_[slot] = sequence;
  kept_sizes_[slot] = bytes.size();
  std::copy(bytes.begin(), bytes.end(), kept_bytes_.get() + slot * slot_size(options_));
}

std::string_view FixSession::take_kept() {
  if (!may_send() || options_.early_messages == 0) return {};
  const std::size_t slot = expected() % options_.early_messages;
  if (kept_numbers_[slot] != expected()) return {};
  kept_numbers_[slot] = 0;
  return {kept_bytes_.get() + slot * slot_size(options_), kept_sizes_[slot]};
}

// After a reset a number means another message.
void FixSession::forget_kept() { std::fill_n(kept_numbers_.get(), options_.early_messages, std::uint64_t{0}); }

void FixSession::ask_again(std::uint64_t up_to, ByteBuffer& out, const FixTime& time) {
  if (missing_until_ == 0) send_admin(fix::ResendRequest{.begin = expected(), .end = 0}, out, time);
  missing_until_ = std::max(missing_until_, up_to);
}

FixEvent FixSession::on_admin(ByteBuffer& out, const FixTime& time) {
  switch (message_.type()[0]) {
    case '0': {
      fix::Heartbeat heartbeat;
      const std::optional<Problem> problem = fix::read(message_, options_.version, heartbeat);
      return problem ? refuse_message(*problem, out, time) : FixEvent{};
    }
    case '1': return on_test_request(out, time);
    case '2': return on_resend_request(out, time);
    case '3': {
      FixEvent result = event(Kind::rejected);
      result.message = &message_;
      return result;
    }
    case '4': return on_sequence_reset(true, out, time);
    case '5': return on_logout(out, time);
    case 'A': return break_off("a second logon", out, time);
    default: return {};
  }
}

FixEvent FixSession::on_test_request(ByteBuffer& out, const FixTime& time) {
  fix::TestRequest request;
  if (const auto problem = fix::read(message_, options_.version, request)) return refuse_message(*problem, out, time);
  send_admin(fix::Heartbeat{.test_id = request.test_id}, out, time);
  return {};
}

FixEvent FixSession::on_resend_request(ByteBuffer& out, const FixTime& time) {
  fix::ResendRequest request;
  if (const auto problem = fix::read(message_, options_.version, request)) return refuse_message(*problem, out, time);
  // What was not sent yet will come by itself.
  const std::uint64_t end = request.end == 0 || request.end >= first_unsent_ ? first_unsent_ : request.end + 1;
  if (request.begin == 0 || request.begin >= end) return {};
  resend_end_ = resend_next_ < resend_end_ ? std::max(resend_end_, end) : end;
  resend_next_ = request.begin;
  pump(out, time);
  return {};
}

FixEvent FixSession::on_sequence_reset(bool is_gap_fill, ByteBuffer& out, const FixTime& time) {
  fix::SequenceReset reset;
  std::optional<Problem> problem = fix::read(message_, options_.version, reset);
  if (!problem && reset.new_sequence < expected()) problem = Problem{.reason = RejectReason::value_out_of_range};
  if (problem) return refuse_message(*problem, out, time);
  state_.next_incoming = reset.new_sequence;
  if (!is_gap_fill) forget_kept();
  if (!is_gap_fill || expected() > missing_until_) missing_until_ = 0;
  return {};
}

FixEvent FixSession::on_logout(ByteBuffer& out, const FixTime& time) {
  if (stage_ != Stage::logging_out) send_admin(fix::Logout{}, out, time);
  stage_ = Stage::closed;
  FixEvent result = event(Kind::logged_out);
  result.message = &message_;
  return result;
}

FixEvent FixSession::break_off(const char* why, ByteBuffer& out, const FixTime& time) {
  return break_off(why, why, out, time);
}

FixEvent FixSession::break_off_too_low(ByteBuffer& out, const FixTime& time) {
  char text[96];
  const int size =
      std::snprintf(text, sizeof text, "MsgSeqNum too low, expecting %llu but received %llu",
                    static_cast<unsigned long long>(expected()), static_cast<unsigned long long>(message_.sequence()));
  return break_off("MsgSeqNum too low", std::string_view(text, static_cast<std::size_t>(size)), out, time);
}

FixEvent FixSession::break_off(const char* why, std::string_view told, ByteBuffer& out, const FixTime& time) {
  // Nobody who has not said who he is gets an answer.
  if (stage_ == Stage::deciding) forget_sent();
  if (stage_ != Stage::connected && nothing_waits()) send_admin(fix::Logout{.text = told}, out, time);
  stage_ = Stage::closed;
  FixEvent result = event(Kind::broken, why);
  result.message = &message_;
  return result;
}

// --- sending

void FixSession::begin(std::string_view type, std::uint64_t sequence, const FixTime& time,
                       std::string_view first_sent) {
  writer_.begin(options_.version, type);
  writer_.put_number(tag::sequence, sequence);
  if (!first_sent.empty()) writer_.put_bool(tag::possible_duplicate, true);
  writer_.put(tag::sender, options_.sender);
  writer_.put_time(tag::sending_time, time.utc_ns);
  writer_.put(tag::target, options_.target);
  if (!first_sent.empty()) writer_.put(tag::original_sending_time, first_sent);
}

bool FixSession::store(std::span<const std::byte> message, ByteBuffer& out, const FixTime& time) {
  if (message.empty() || state_.sent.append(message) == 0) return false;
  pump(out, time);
  return true;
}

bool FixSession::send_admin(std::span<const std::byte> message, ByteBuffer& out, const FixTime& time) {
  if (message.empty()) return false;
  if (!nothing_waits() || message.size() > out.room()) return store(message, out, time);
  if (state_.sent.append({}) == 0) return false;
  out.append(message);
  first_unsent_ = state_.sent.next_sequence();
  last_sent_ns_ = time.now_ns;
  return true;
}

void FixSession::pump(ByteBuffer& out, const FixTime& time) {
  if (!may_send()) return;
  while (resend_next_ < resend_end_)
    if (!resend_one(out, time)) return;
  for (; first_unsent_ < state_.sent.next_sequence(); ++first_unsent_) {
    if (!out.append(state_.sent.message(first_unsent_))) return;
    last_sent_ns_ = time.now_ns;
  }
}

// False: no room.
bool FixSession::resend_one(ByteBuffer& out, const FixTime& time) {
  std::uint64_t end = resend_next_;
  while (end < resend_end_ && is_admin(end)) ++end;
  const bool is_gap = end != resend_next_;
  if (!(is_gap ? fill_gap(resend_next_, end, out, time) : send_again(resend_next_, out, time))) return false;
  last_sent_ns_ = time.now_ns;
  resend_next_ = is_gap ? end : resend_next_ + 1;
  return true;
}

bool FixSession::is_admin(std::uint64_t sequence) const {
  const std::string_view stored = as_text(state_.sent.message(sequence));
  const std::size_t type = stored.find(
      "\x01"
      "35=");
  if (type == std::string_view::npos) return true;
  return fix::is_admin(stored.substr(type + 4, stored.find(fix::separator, type + 4) - type - 4));
}

bool FixSession::send_again(std::uint64_t sequence, ByteBuffer& out, const FixTime& time) {
  stored_.read(as_text(state_.sent.message(sequence)));
  begin(stored_.type(), sequence, time, stored_.get(tag::sending_time));
  for (const fix::Field& field : stored_.fields())
    if (!fix::is_header(field.tag)) writer_.put(field.tag, field.value);
  const std::span<const std::byte> bytes = writer_.finish();
  // One that grew too large with the marks of a duplicate is passed over like those of the session.
  return bytes.empty() ? fill_gap(sequence, sequence + 1, out, time) : out.append(bytes);
}

bool FixSession::fill_gap(std::uint64_t from, std::uint64_t to, ByteBuffer& out, const FixTime& time) {
  writer_.begin(options_.version, fix::SequenceReset::type);
  writer_.put_number(tag::sequence, from);
  writer_.put_bool(tag::possible_duplicate, true);
  writer_.put(tag::sender, options_.sender);
  writer_.put_time(tag::sending_time, time.utc_ns);
  writer_.put(tag::target, options_.target);
  writer_.put_time(tag::original_sending_time, time.utc_ns);
  fix::write(fix::SequenceReset{.new_sequence = to, .gap_fill = true}, options_.version, writer_);
  return out.append(writer_.finish());
}

bool FixSession::reject(const fix::Message& message, const Problem& problem, ByteBuffer& out, const FixTime& time) {
  if (problem.conditional) return refuse_business(message, 5, "Conditionally required field missing", out, time);
  // Reasons behind 11 came after 4.2.
  const auto reason = static_cast<std::uint64_t>(problem.reason);
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, problem.tag).ptr;
  const std::string_view tag_number(digits, static_cast<std::size_t>(end - digits));
  const bool has_reason = options_.version != fix::Version::v4_2 || reason <= 11;
  begin(fix::SessionReject::type, state_.sent.next_sequence(), time);
  route_back(message);
  fix::write(fix::SessionReject{.sequence = message.sequence(),
                                .text = fix::text_of(problem.reason),
                                .tag_number = problem.tag == 0 ? message.wrong_tag() : tag_number,
                                .message_type = message.type(),
                                .reason = has_reason ? std::optional(reason) : std::nullopt},
             options_.version, writer_);
  return send_admin(writer_.finish(), out, time);
}

// To whom it came on behalf of, and the other way round.
void FixSession::route_back(const fix::Message& message) {
  struct Route {
    fix::Tag to, from;
  };
  for (const Route route :
       {Route{115, 128}, Route{116, 129}, Route{128, 115}, Route{129, 116}, Route{144, 145}, Route{145, 144}})
    if (const std::string_view name = message.get(route.from); !name.empty()) writer_.put(route.to, name);
}

bool FixSession::refuse_business(const fix::Message& message, std::uint64_t reason, std::string_view text,
                                 ByteBuffer& out, const FixTime& time) {
  return send(fix::BusinessReject{.sequence = message.sequence(),
                                  .text = text,
                                  .message_type = message.type(),
                                  .reference = message.get(tag::client_order_id),
                                  .reason = reason},
              out, time);
}

void FixSession::log_out(std::string_view text, ByteBuffer& out, const FixTime& time) {
  if (stage_ != Stage::open) return;
  send_admin(fix::Logout{.text = text}, out, time);
  stage_ = Stage::logging_out;
  logout_ns_ = time.now_ns;
}

// --- time

FixEvent FixSession::poll(ByteBuffer& out, const FixTime& time) {
  const bool is_late = stage_ == Stage::logging_out ? time.now_ns - logout_ns_ >= options_.logout_timeout_ns
                       : stage_ == Stage::open || stage_ == Stage::closed
                           ? false
                           : time.now_ns - last_heard_ns_ >= options_.login_timeout_ns;
  const std::int64_t silence = time.now_ns - last_heard_ns_;
  if (is_late || (stage_ == Stage::open && heartbeat_ns_ != 0 && silence >= heartbeat_ns_ * 12 / 5)) {
    stage_ = Stage::closed;
    return event(Kind::timed_out);
  }
  pump(out, time);
  if (stage_ != Stage::open || heartbeat_ns_ == 0 || !nothing_waits()) return {};
  // Who waits for the answer to a test says nothing else.
  if (tested_) return {};
  if (silence >= heartbeat_ns_ * 6 / 5) {
    tested_ = send_admin(fix::TestRequest{.test_id = "TEST"}, out, time);
  } else if (time.now_ns - last_sent_ns_ >= heartbeat_ns_) {
    send_admin(fix::Heartbeat{}, out, time);
  }
  return {};
}

std::int64_t FixSession::deadline() const {
  switch (stage_) {
    case Stage::closed: return INT64_MAX;
    case Stage::logging_out: return logout_ns_ + options_.logout_timeout_ns;
    case Stage::open: break;
    default: return last_heard_ns_ + options_.login_timeout_ns;
  }
  if (heartbeat_ns_ == 0) return INT64_MAX;
  // While something waits for room, it is room that poll() needs, not time.
  if (!nothing_waits() || tested_) return last_heard_ns_ + heartbeat_ns_ * 12 / 5;
  return std::min(last_heard_ns_ + heartbeat_ns_ * 6 / 5, last_sent_ns_ + heartbeat_ns_);
}

}  // namespace outcry
