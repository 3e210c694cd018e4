// Selective receive: the oldest message that is wanted, from among others that stay in the mailbox in their order.
//
// Users meet it as Self::receive<Fill, Down>() and Self::receive_if(). Each message is looked at once (again after it was
// moved by `drop_oldest` or replaced by `latest`); taking one out moves the older ones by one place, so a mailbox with
// many unwanted messages makes it slow: at most as many as its capacity. A frame from the pool is used for each call.
// Thread: the actor's scheduler.
#pragma once

#include <algorithm>
#include <coroutine>
#include <cstdint>
#include <optional>
#include <source_location>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <outcry/runtime/actor_cell.hpp>
#include <outcry/runtime/message.hpp>
#include <outcry/runtime/scheduler.hpp>
#include <outcry/runtime/stop_token.hpp>
#include <outcry/runtime/task.hpp>
#include <outcry/runtime/time.hpp>

namespace outcry::selective {

/// Every message of the types that are wanted.
struct Any {
  template <class M>
  constexpr bool operator()(const M&) const {
    return true;
  }
};

/// Waits until the actor may take a message that is there.
struct MayTake {
  ActorCell* cell;
  std::source_location where;

  bool await_ready() const { return cell->mailbox.empty() || cell->scheduler().may_take(*cell); }
  void await_suspend(std::coroutine_handle<> point) const {
    cell->scheduler().wait_for_message(*cell, point, never, where);
  }
  void await_resume() const {}
};

/// Waits for a further message, whatever lies in the mailbox, or for a stop that has not come yet.
struct Another {
  ActorCell* cell;
  Time deadline;
  std::source_location where;

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> point) const {
    cell->scheduler().suspend(*cell, point, Waiting::message, deadline, where);
  }
  void await_resume() const {}
};

/// Takes the message at `index`, whose type is one of Ws.
template <class Result, class... Ws>
std::optional<Result> take(ActorCell& cell, std::uint32_t index) {
  std::optional<Result> result;
  Mailbox::Slot* slot = cell.mailbox.peek(index);
  const MessageType* type = slot->type;
  const std::uint32_t source = slot->source;
  const auto one = [&]<class M>(std::type_identity<M>) {
    if (type != &message_type<M>) return false;
    M message = Payload<M>::take(slot->payload());
    cell.mailbox.remove(index);
    cell.scheduler().took(cell, source);
    if constexpr (requires { message.taken(); }) message.taken();
    result.emplace(std::move(message));
    return true;
  };
  static_cast<void>((one(std::type_identity<Ws>{}) || ...));
  return result;
}

template <class Result, class... Ws, class Wanted>
Task<std::optional<Result>> receive(ActorCell* cell, Time deadline, std::stop_token token, std::source_location where,
                                    Wanted wanted) {
  Mailbox& mailbox = cell->mailbox;
  const auto is_wanted = [&](Mailbox::Slot* slot) {
    const auto one = [&]<class M>(std::type_identity<M>) {
      return slot->type == &message_type<M> && wanted(std::as_const(*Payload<M>::in(slot->payload())));
    };
    return (one(std::type_identity<Ws>{}) || ...);
  };
  // What waits longer than this was looked at before. Where old messages go or change, every one is looked at again.
  const bool stays = mailbox.when_full() == WhenFull::wait || mailbox.when_full() == WhenFull::refuse;
  std::uint32_t seen = 0;
  for (;;) {
    const MayTake turn{cell, where};
    co_await turn;
    for (std::uint32_t i = stays ? seen : 0; i < mailbox.size(); ++i)
      if (is_wanted(mailbox.peek(i))) co_return take<Result, Ws...>(*cell, i);
    seen = mailbox.size();
    if (cell->stopping || token.stop_requested()) co_return std::nullopt;
    if (deadline != never && cell->scheduler().now() >= deadline) co_return std::nullopt;
    Another another{cell, deadline, where};
    if (token.stop_possible()) {
      auto waiting = until_stopped(token, another);
      co_await waiting;
    } else {
      co_await another;
    }
  }
}

template <class Wanted, class... Ms>
struct Accepted {
  template <class M>
  using If = std::conditional_t<std::is_invocable_r_v<bool, Wanted&, const M&>, std::tuple<M>, std::tuple<>>;
  using Types = decltype(std::tuple_cat(std::declval<If<Ms>>()...));

  template <class... Ws>
  static auto receive(std::type_identity<std::tuple<Ws...>>, ActorCell* cell, Time deadline, std::stop_token token,
                      std::source_location where, Wanted wanted) {
    static_assert(sizeof...(Ws) > 0, "receive_if() needs a predicate for a message that the actor takes");
    using Result =
        std::conditional_t<sizeof...(Ws) == 1, std::tuple_element_t<0, std::tuple<Ws..., void>>, std::variant<Ws...>>;
    return selective::receive<Result, Ws...>(cell, deadline, std::move(token), where, wanted);
  }
};

template <class Wanted, class... Ms>
auto receive_if(ActorCell* cell, Time deadline, std::stop_token token, std::source_location where, Wanted wanted) {
  using Which = Accepted<Wanted, Ms...>;
  return Which::receive(std::type_identity<typename Which::Types>{}, cell, deadline, std::move(token), where, wanted);
}

}  // namespace outcry::selective
