// until_stopped: an await that ends early when a stop token asks for it.
//
//   const auto message = co_await until_stopped(token, self.receive());
//   auto asking = to.ask(Depth{5});
//   const auto answer = co_await until_stopped(token, asking);     // what is neither copied nor moved is named first
//
// What a cancelled await gives:
//   receive, receive_until, receive_for   nothing, though the actor goes on; no message is taken
//   receive_batch                         an empty batch
//   sleep, a beat of every()              false
//   ask                                   AskError::cancelled; an answer that comes later is dropped
//   send that waits for room              false; the message is not sent
//   offload                               nothing (a bool for work without a result); the work goes on to its end alone
//   channel send, receive                 false, nothing
//   Scope::join                           false; the tasks go on
// What is ready at once is given whatever the token says. A task is not cancelled from outside: give its awaits the
// token. Selective receive is a task and takes the token itself: self.receive<Fill>(token), self.receive_if(wanted, token).
// Thread: the actor's. A stop may be requested from any thread in the live world; in virtual time from an actor of the
// same site, and it travels like a message, or between two runs. Cost: the token's lock, twice.
#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <outcry/runtime/actor_cell.hpp>
#include <outcry/runtime/address.hpp>
#include <outcry/runtime/envelope.hpp>
#include <outcry/runtime/message.hpp>
#include <outcry/runtime/scheduler.hpp>

namespace outcry {

namespace stop_detail {

/// Called where the stop is requested: on any thread.
struct Cancel {
  ActorCell* cell;
  std::uint32_t generation;
  std::uint32_t ticket;

  void operator()() const noexcept {
    Envelope envelope;
    envelope.kind = Envelope::Kind::wake;
    envelope.to = cell;
    envelope.generation = generation;
    envelope.source = ticket;
    envelope.payload[0] = static_cast<std::byte>(AskError::cancelled);
    if (Scheduler* here = this_scheduler(); here != nullptr) {
      here->post(envelope);
    } else {
      send_from_outside(envelope);
    }
  }
};

/// What co_await makes of something: itself, or what its operator gives.
template <class A>
struct AwaiterOf {
  using type = A;
};
template <class A>
  requires requires(A& a) { a.operator co_await(); }
struct AwaiterOf<A> {
  using type = decltype(std::declval<A&>().operator co_await());
};

/// What an await gives that may be cancelled, and what a cancelled one gives.
template <class A, class R = decltype(std::declval<A&>().await_resume())>
struct Outcome {
  using type = R;
  static R whole(A& awaiter) { return awaiter.await_resume(); }
  static R cancelled(A& awaiter, ActorCell* cell, bool began) {
    if constexpr (requires { typename A::Answer; }) {
      if (began) return awaiter.await_resume();
      return R(AskError::cancelled);
    } else if constexpr (requires { awaiter.accepted(); } || requires { typename A::MayBeServedYet; }) {
      return awaiter.await_resume();  // its turn may have come between the cancelling and this
    } else if constexpr (std::is_constructible_v<R, ActorCell*, std::uint32_t>) {
      return R(cell, 0);
    } else {
      return R{};
    }
  }
};
template <class A>
struct Outcome<A, void> {
  using type = bool;
  static bool whole(A& awaiter) {
    awaiter.await_resume();
    return true;
  }
  static bool cancelled(A&, ActorCell*, bool) { return false; }
};
}  // namespace stop_detail

/// `A`: a reference to an awaitable that outlives this, or an awaitable of its own.
template <class A>
class [[nodiscard]] UntilStopped {
  using Awaiter = typename stop_detail::AwaiterOf<std::remove_reference_t<A>>::type;
  static constexpr bool by_operator = !std::is_same_v<Awaiter, std::remove_reference_t<A>>;
  using Kept = std::conditional_t<by_operator, Awaiter, A>;
  using Outcome = stop_detail::Outcome<Awaiter>;

 public:
  UntilStopped(std::stop_token token, A&& awaitable)
      : token_(std::move(token)), awaiter_(awaiter_of(std::forward<A>(awaitable))) {}
  UntilStopped(const UntilStopped&) = delete;
  UntilStopped& operator=(const UntilStopped&) = delete;

  bool await_ready() {
    if (awaiter_.await_ready()) return true;
    cancelled_ = token_.stop_requested();
    return cancelled_;
  }
  void await_suspend(std::coroutine_handle<> point) {
    cell_ = this_scheduler()->current();
    cell_->reply_error = AskError::none;
    awaiter_.await_suspend(point);
    const stop_detail::Cancel cancel{cell_, cell_->generation, cell_->wait_ticket};
    // The awaitable may have come to its end while it began (an ask that was refused): then there is nothing to cancel.
    if (cell_->waiting != Waiting::nothing) callback_.emplace(token_, cancel);
  }
  typename Outcome::type await_resume() {
    callback_.reset();
    if (cell_ != nullptr && cell_->reply_error == AskError::cancelled) cancelled_ = true;
    if (cancelled_) return Outcome::cancelled(awaiter_, cell_, cell_ != nullptr);
    return Outcome::whole(awaiter_);
  }

 private:
  static decltype(auto) awaiter_of(A&& awaitable) {
    if constexpr (by_operator) {
      return awaitable.operator co_await();
    } else {
      return std::forward<A>(awaitable);
    }
  }

  std::stop_token token_;
  Kept awaiter_;
  std::optional<std::stop_callback<stop_detail::Cancel>> callback_;
  ActorCell* cell_ = nullptr;
  bool cancelled_ = false;
};

template <class A>
UntilStopped<A> until_stopped(std::stop_token token, A&& awaitable) {
  return UntilStopped<A>(std::move(token), std::forward<A>(awaitable));
}

}  // namespace outcry
