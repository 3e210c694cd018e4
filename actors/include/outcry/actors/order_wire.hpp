// OrderWire: a participant's side of order entry on a venue elsewhere, whatever the protocol: commands of a symbol's words
// and bytes of a connection go in, events of a symbol's words and bytes go out.
//
// Thread: one owner, that of the connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <outcry/actors/participant_events.hpp>
#include <outcry/messages/instrument.hpp>
#include <outcry/runtime/byte_buffer.hpp>

namespace outcry {

class OrderWire {
 public:
  enum class Status : std::uint8_t {
    open,
    again,  // close the connection and make another one at once
    lost,   // the same, after a while
    over,   // close the connection for good: the venue does not want it, or its day has ended
  };

  virtual ~OrderWire() = default;

  /// A connection has come about. `out` stays good until disconnected().
  virtual void connected(ByteBuffer& out, std::int64_t now_ns) = 0;
  virtual void disconnected(std::int64_t now_ns) = 0;
  /// Takes what is whole off the front of `bytes`.
  virtual Status receive(std::span<const std::byte>& bytes, std::int64_t now_ns) = 0;
  /// Again at deadline().
  virtual Status poll(std::int64_t now_ns) = 0;
  virtual std::int64_t deadline() const = 0;
  /// Logged in, and everything that was missed has been heard.
  virtual bool ready() const = 0;
  virtual void log_out(std::int64_t now_ns) = 0;
  /// Why it was lost or over; empty: nothing was said.
  virtual std::string why() const = 0;
  virtual std::size_t open_orders() const = 0;

  // New orders and changes while ready() only; cancels are kept until then.
  virtual void take(const NewOrder& command) = 0;
  virtual void take(const SpecialOrder& command) = 0;
  virtual void take(const CancelOrder& command) = 0;
  virtual void take(const ReduceOrder& command) = 0;
  virtual void take(const ModifyOrder& command) = 0;
  virtual void take(const ReplaceOrder& command) = 0;
  virtual void take(const MassCancel& command) = 0;
};

struct OrderWireOptions {
  std::string user{};
  std::string password{};
  std::string session{};  // OUCH: empty: the current one
  std::string sender{};   // FIX: our CompID
  std::string target{};   // FIX: the venue's CompID
  std::string memory{};   // FIX: a file that a program which starts again goes on from; empty: it begins a new session
  AccountId account{};
  std::vector<Instrument> instruments{};  // by SymbolId, from 0
};

/// OUCH 5.0 in SoupBinTCP. A program that starts anew knows its orders of the day. `events` outlives it.
std::unique_ptr<OrderWire> ouch_wire(OrderWireOptions options, ParticipantEvents& events);
/// FIX 4.4. A program that starts anew with `memory` goes on with its session, asks for all of it again and so knows its
/// orders; without, it begins a new session and knows nothing of earlier ones. Special orders and reductions are refused
/// as unsupported. Throws InputError for a file that is not such a memory, or another session's.
std::unique_ptr<OrderWire> fix_wire(OrderWireOptions options, ParticipantEvents& events);

}  // namespace outcry
