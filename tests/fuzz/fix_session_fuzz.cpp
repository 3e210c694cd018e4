// Any bytes are what happens to a FIX session: messages that arrive (lines, to which length and checksum are added, or
// bytes as they are), reports that are sent, time that passes, connections that break. Whatever comes, our side's stream
// must be sound, and its numbers must go up by one except in possible duplicates.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

#include <outcry/net/fix_session.hpp>

#include "bytes.hpp"
#include "tests/net/fix_text.hpp"

using namespace outcry;
using outcry::test::fix_text;
using outcry_test::Bytes;

namespace {

constexpr std::int64_t morning = 1'795'226'100'000'000'000;

class Peer {
 public:
  explicit Peer(std::uint64_t number)
      : options_{.version = number % 2 == 0 ? fix::Version::v4_2 : fix::Version::v4_4,
                 .initiator = number / 2 % 2 == 1,
                 .sender = "EXCH",
                 .target = "CLIENT1",
                 .largest_message = 512,
                 .clock_tolerance_ns = 0} {
    connect();
  }

  void connect() {
    session_ = std::make_unique<FixSession>(options_, state_, time());
    out_.clear();
    first_ = true;
    if (options_.initiator) session_->log_on("u", "p", out_, time());
    check_said();
  }

  void hear(const std::string& bytes) {
    std::span<const std::byte> rest{reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()};
    while (const FixEvent event = session_->receive(rest, out_, time())) {
      if (event.kind == FixEvent::Kind::logon_requested) session_->accept(out_, time());
      if (event.kind == FixEvent::Kind::message) on_message(*event.message);
      check_said();
    }
    check_said();
  }
  void hear_line(std::string fields) {
    if (const std::size_t end = fields.find("34="); end != std::string::npos) {
      const std::size_t behind = fields.find('|', end);
      if (behind != std::string::npos) fields.insert(behind + 1, "49=CLIENT1|52=20261121-01:55:00|56=EXCH|");
    }
    hear(fix_text(options_.version, fields));
  }
  void report() {
    session_->send(
        fix::ExecutionReport{
            .execution_id = "e", .order_id = "1", .status = '0', .side = '1', .symbol = "AAPL", .execution = '0'},
        out_, time());
    check_said();
  }
  void wait(std::int64_t ns) {
    now_ += ns;
    session_->poll(out_, time());
    check_said();
  }

 private:
  FixTime time() const { return {now_, morning + now_}; }

  void on_message(const fix::Message& message) {
    fix::NewOrderSingle order;
    if (message.type() != fix::NewOrderSingle::type) {
      session_->refuse_business(message, 3, "no such thing", out_, time());
    } else if (const auto problem = fix::read(message, options_.version, order)) {
      session_->reject(message, *problem, out_, time());
    } else {
      report();
    }
  }

  // Everything that is in the buffer, which sometimes is not emptied.
  void check_said() {
    if (state_.next_incoming == 0) std::abort();
    std::string_view rest(reinterpret_cast<const char*>(out_.bytes().data()), out_.size());
    while (!rest.empty()) {
      const fix::Framed framed = fix::frame(rest, 2'048);
      fix::Message message;
      if (framed.framing != fix::Framing::whole || message.read(rest.substr(0, framed.size))) std::abort();
      const std::uint64_t sequence = message.sequence();
      const bool resets = message.get(fix::tag::reset_sequence) == "Y";
      if (message.get(fix::tag::possible_duplicate) != "Y") {
        if (!first_ && !resets && sequence != next_) std::abort();
        next_ = sequence + 1;
        first_ = false;
      } else if (sequence >= next_) {
        std::abort();
      }
      rest.remove_prefix(framed.size);
    }
    out_.clear();
    session_->pump(out_, time());
    if (!out_.empty()) check_said();
  }

  FixSessionOptions options_;
  FixState state_{{.messages = 300, .bytes = 20'000}};
  std::unique_ptr<FixSession> session_;
  ByteBuffer out_{700};
  std::int64_t now_ = 0;
  std::uint64_t next_ = 1;
  bool first_ = true;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  Peer peer(data[0]);
  // A line for each thing that happens.
  std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  for (int i = 0; i < 100 && !rest.empty(); ++i) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line == "report")
      peer.report();
    else if (line == "again")
      peer.connect();
    else if (line.starts_with("wait"))
      peer.wait(line.size() > 4 ? std::int64_t{static_cast<unsigned char>(line[4])} * 500'000'000 : 0);
    else if (line.starts_with("raw"))
      peer.hear(std::string(line.substr(3)));
    else
      peer.hear_line(std::string(line));
  }
  return 0;
}
