// Envelope: a message on its way from one scheduler, thread or moment to another, with the name of who gets it.
#pragma once

#include <cstddef>
#include <cstdint>

#include <outcry/runtime/message.hpp>

namespace outcry {

struct ActorCell;

struct Envelope {
  enum class Kind : std::uint8_t {
    message,
    control,   // a message of the runtime's own that the actor receives: never dropped
    start,     // the actor's first turn
    timer,     // source: the ticket of the wait that it ends
    reply,     // source: the ticket of the ask that it answers
    no_reply,  // source: the ticket; payload[0]: an AskError
    stop,
    kill,
    watch,   // payload: the cell and generation of who wants to know of the end; payload[16]: as an Ended
    link,    // payload: the cell and generation at the other end
    unlink,  // the same
    exit,    // source: the generation of the actor at the other end, which has ended; payload: its cell and its Down
    alarm,   // source: the number of a delayed message, whose moment has come
    wake,    // source: the ticket of the wait that it ends; payload[0]: an AskError
    credit,  // payload: a Room; the mailbox there has room again
    call,    // payload: a function to run on the scheduler
  };

  ActorCell* to = nullptr;
  ActorCell* from = nullptr;  // set in virtual time, where a link has two ends
  const MessageType* type = nullptr;
  std::uint32_t generation = 0;  // of `to`: a message for an actor that ended is a dead letter
  std::uint32_t source = 0;
  std::uint32_t from_generation = 0;
  Kind kind = Kind::message;
  std::uint8_t unused8 = 0;
  std::uint16_t from_scheduler = 0;
  alignas(8) std::byte payload[inline_size];
};

static_assert(sizeof(Envelope) == 96 && std::is_trivially_copyable_v<Envelope>);

}  // namespace outcry
