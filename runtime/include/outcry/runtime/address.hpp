// Address: where to send, typed by the messages that the actor takes. A value of 16 bytes; copy it, put it in messages.
//
//   address.send(Quote{...});                     hands the message over, or drops and counts it if the mailbox refuses
//   co_await address.send(NewOrder{...});         waits for room where the receiver chose WhenFull::wait
//   auto reply = co_await address.ask(Depth{5}, 10ms);
//
// An address of an actor that has ended stays safe to use: what is sent there is a dead letter, counted.
// Thread: any. From a thread that is no scheduler of the runtime a message travels by the inbox, and a full mailbox
// refuses it on arrival whatever its policy.
#pragma once

#include <coroutine>
#include <cstdint>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include <outcry/runtime/actor_cell.hpp>
#include <outcry/runtime/message.hpp>
#include <outcry/runtime/scheduler.hpp>
#include <outcry/runtime/time.hpp>

namespace outcry {

template <class M, class... Ms>
inline constexpr bool one_of = (std::is_same_v<M, Ms> || ...);

/// What a send from outside of the runtime does.
void send_from_outside(Envelope& envelope);

/// Sends an answer on its way; the actor that answers no longer owes it.
void post_answer(Envelope& envelope, ActorCell* asker, std::uint32_t generation, std::uint32_t ticket) noexcept;

/// Where the answer to an ask goes. Answer once; later answers, and answers that come too late, are ignored.
template <Message Reply>
class ReplyTo {
 public:
  constexpr ReplyTo() = default;
  ReplyTo(ActorCell* cell, std::uint32_t generation, std::uint32_t ticket)
      : cell_(cell), generation_(generation), ticket_(ticket) {}

  /// From any thread.
  void reply(Reply reply) const {
    if (cell_ == nullptr) return;
    Envelope envelope;
    envelope.kind = Envelope::Kind::reply;
    envelope.type = &message_type<Reply>;
    Payload<Reply>::put(envelope.payload, std::move(reply));
    post(envelope);
  }

  void fail(AskError error) const noexcept {
    if (cell_ == nullptr) return;
    Envelope envelope;
    envelope.kind = Envelope::Kind::no_reply;
    envelope.payload[0] = static_cast<std::byte>(error);
    post(envelope);
  }

 private:
  void post(Envelope& envelope) const noexcept { post_answer(envelope, cell_, generation_, ticket_); }

  template <class Query>
  friend struct Ask;

  ActorCell* cell_ = nullptr;
  std::uint32_t generation_ = 0;
  std::uint32_t ticket_ : 31 = 0;  // the bit left over keeps addresses out of digests (message.hpp)
};

/// A question as it arrives: `Query::Reply` names the type of its answer.
template <class Query>
struct Ask {
  using Reply = typename Query::Reply;

  Ask() = default;
  Ask(Query asked, ReplyTo<Reply> to) : query(std::move(asked)), reply_to(to) {}

  Query query{};
  ReplyTo<Reply> reply_to{};

  void reply(Reply answer) const { reply_to.reply(std::move(answer)); }
  void bounce(AskError why = AskError::gone) const noexcept { reply_to.fail(why); }
  /// The actor that runs has taken the ask and owes an answer, or has passed it on and owes nothing.
  void taken() const { this_scheduler()->took_ask(reply_to.cell_, reply_to.generation_, reply_to.ticket_); }
  void passed_on() const {
    if (Scheduler* here = this_scheduler(); here != nullptr) here->answered(reply_to.cell_, reply_to.ticket_);
  }
  std::uint64_t digest() const { return digest_of(query); }
};

/// What comes of an ask: an answer, or why there is none.
template <Message R>
class Reply {
 public:
  explicit Reply(R answer) : answer_(std::move(answer)) {}
  explicit Reply(AskError error) : error_(error) {}

  explicit operator bool() const { return answer_.has_value(); }
  R& operator*() { return *answer_; }
  const R& operator*() const { return *answer_; }
  R* operator->() { return &*answer_; }
  const R* operator->() const { return &*answer_; }
  AskError error() const { return error_; }

 private:
  std::optional<R> answer_;
  AskError error_ = AskError::none;
};

/// A message on its way. It was handed over when this object was made, if there was room; awaiting it waits for room.
template <Message M>
class Sent {
 public:
  Sent(Delivery delivery, ActorCell* to, std::uint32_t generation, M&& message, std::source_location where)
      : delivery_(delivery), to_(to), generation_(generation), where_(where) {
    if (delivery_ == Delivery::full) Payload<M>::put(waiting_.payload, std::move(message));
    if constexpr (Answered<M>)
      if (delivery_ == Delivery::gone) message.bounce(AskError::gone);
  }
  Sent(const Sent&) = delete;
  Sent& operator=(const Sent&) = delete;
  ~Sent() {
    if (delivery_ != Delivery::full) return;
    if (waiting_.outcome == WaitingSender::Outcome::delivered) return;
    if (waiting_.queue != nullptr) waiting_.queue->remove(waiting_);
    if (Scheduler* here = this_scheduler(); here != nullptr && to_->mailbox.when_full() == WhenFull::wait)
      here->lost(waiting_.outcome);
    if constexpr (Answered<M>)
      Payload<M>::in(waiting_.payload)
          ->bounce(waiting_.outcome == WaitingSender::Outcome::gone ? AskError::gone : AskError::refused);
    if (message_type<M>.destroy != nullptr) message_type<M>.destroy(waiting_.payload);
  }

  /// Whether the message was handed over (in virtual time: sent; a mailbox that refuses decides on arrival).
  bool accepted() const { return delivery_ == Delivery::accepted; }

  bool await_ready() const { return delivery_ != Delivery::full || to_->mailbox.when_full() != WhenFull::wait; }
  bool await_suspend(std::coroutine_handle<> point) {
    Scheduler& scheduler = *this_scheduler();
    waiting_.sender = scheduler.current();
    waiting_.type = &message_type<M>;
    scheduler.suspend(*waiting_.sender, point, Waiting::room, never, where_);
    scheduler.wait_for_room(waiting_, to_, generation_);
    return true;
  }
  /// True if the message was handed over; false if it was refused or the receiver has ended.
  bool await_resume() {
    if (waiting_.outcome == WaitingSender::Outcome::delivered) delivery_ = Delivery::accepted;
    return accepted();
  }

 private:
  Delivery delivery_;
  ActorCell* to_;
  std::uint32_t generation_;
  std::source_location where_;
  WaitingSender waiting_;
};

template <class Query>
class Asking;

/// Which actor, whatever it takes: to stop it, to watch it, to compare.
class AnyAddress {
 public:
  constexpr AnyAddress() = default;
  AnyAddress(ActorCell* cell, std::uint32_t generation) : cell_(cell), generation_(generation) {}

  explicit operator bool() const { return cell_ != nullptr; }
  friend bool operator==(const AnyAddress& a, const AnyAddress& b) {
    return a.cell_ == b.cell_ && a.generation_ == b.generation_;
  }

  /// The actor takes what has arrived, then learns that it should end: receive() gives nothing from then on.
  void stop() const { stop(false); }
  /// The actor ends where it stands; what waits in its mailbox is lost.
  void kill() const { stop(true); }

  ActorCell* cell() const { return cell_; }
  std::uint32_t generation() const { return generation_; }

 protected:
  void stop(bool kill) const;

  ActorCell* cell_ = nullptr;
  std::uint32_t generation_ = 0;  // the four bytes behind it keep addresses out of digests (message.hpp)
};

template <class... Ms>
class Address : public AnyAddress {
 public:
  constexpr Address() = default;
  Address(ActorCell* cell, std::uint32_t generation) : AnyAddress(cell, generation) {}

  /// An address is also one for fewer messages.
  template <class... Others>
    requires(one_of<Ms, Others...> && ...)
  Address(const Address<Others...>& other) : AnyAddress(other.cell(), other.generation()) {}

  /// Requires: the address is not empty.
  template <Message M>
    requires one_of<M, Ms...>
  Sent<M> send(M message, std::source_location where = std::source_location::current()) const {
    if constexpr (requires { message.passed_on(); }) message.passed_on();
    const Delivery delivery = hand_over(message);
    return Sent<M>(delivery, cell_, generation_, std::move(message), where);
  }

  /// The same, to arrive at `time` at the earliest. Never waits for room: a full mailbox refuses it on arrival.
  template <Message M>
    requires one_of<M, Ms...>
  void send_at(Time time, M message) const {
    if constexpr (requires { message.passed_on(); }) message.passed_on();
    Envelope envelope;
    envelope.to = cell_;
    envelope.generation = generation_;
    envelope.type = &message_type<M>;
    Payload<M>::put(envelope.payload, std::move(message));
    this_scheduler()->post(envelope, time);
  }

  /// Only from within an actor. `timeout` covers the way there and back.
  template <class Query>
    requires one_of<Ask<Query>, Ms...>
  Asking<Query> ask(Query query, Duration timeout = forever,
                    std::source_location where = std::source_location::current()) const {
    return Asking<Query>(*this, std::move(query), timeout, where);
  }

 private:
  template <Message M>
  Delivery hand_over(M& message) const {
    if (Scheduler* here = this_scheduler(); here != nullptr) [[likely]]
      return here->send(cell_, generation_, message);
    Envelope envelope;
    envelope.to = cell_;
    envelope.generation = generation_;
    envelope.type = &message_type<M>;
    Payload<M>::put(envelope.payload, std::move(message));
    send_from_outside(envelope);
    return Delivery::accepted;
  }
};

/// A question under way; await it for its Reply.
template <class Query>
class Asking {
 public:
  using Answer = typename Query::Reply;

  Asking(AnyAddress to, Query query, Duration timeout, std::source_location where)
      : to_(to), query_(std::move(query)), timeout_(timeout), where_(where) {}
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;
  ~Asking() {
    if (cell_ != nullptr) cell_->reply_slot = nullptr;
    if (slot_.filled && message_type<Answer>.destroy != nullptr) message_type<Answer>.destroy(slot_.payload);
  }

  bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> point) {
    Scheduler& scheduler = *this_scheduler();
    cell_ = scheduler.current();
    cell_->reply_slot = &slot_;
    cell_->reply_error = AskError::none;
    const Time deadline = timeout_ == forever ? never : later(scheduler.now(), timeout_);
    scheduler.suspend(*cell_, point, Waiting::reply, deadline, where_);
    Ask<Query> ask(std::move(query_), ReplyTo<Answer>(cell_, cell_->generation, cell_->wait_ticket));
    Delivery delivery;
    try {
      delivery = scheduler.send(to_.cell(), to_.generation(), ask);
    } catch (...) {  // no link leads there: the actor goes on, with the exception
      scheduler.wait_no_more(*cell_);
      throw;
    }
    if (delivery == Delivery::accepted) return true;
    cell_->reply_error = delivery == Delivery::full ? AskError::refused : AskError::gone;
    scheduler.wake(cell_);
    return true;
  }
  Reply<Answer> await_resume() {
    ActorCell& cell = *std::exchange(cell_, nullptr);
    cell.reply_slot = nullptr;
    if (std::exchange(slot_.filled, false)) return Reply<Answer>(Payload<Answer>::take(slot_.payload));
    if (cell.timed_out) return Reply<Answer>(AskError::timed_out);
    return Reply<Answer>(cell.reply_error);
  }

 private:
  AnyAddress to_;
  Query query_;
  Duration timeout_;
  std::source_location where_;
  ActorCell* cell_ = nullptr;
  ReplySlot slot_;
};

}  // namespace outcry
