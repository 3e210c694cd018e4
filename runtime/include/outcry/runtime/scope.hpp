// Scope: tasks and child actors that run beside their owner and end with it at the latest.
//
//   Scope scope(self);
//   auto quotes = scope.start(load_quotes, path);      // Task<Quotes> load_quotes(Self<> self, std::string path)
//   auto orders = scope.start(load_orders, path);
//   const Quotes& first = co_await quotes;             // what it gave; what it threw is thrown here
//   co_await scope.join();                             // until all have ended; the first failure ends the others
//
//   auto [quotes, orders] = co_await when_all(self, one, two);
//   auto first = co_await when_any(self, one, two);    // first.index, first.value; the others are ended
//
// A task of a scope is a coroutine of an actor of its own, on the same scheduler and site, whose Self it gets as its first
// parameter: it sleeps and asks by that, not by its owner's. It may use what outlives the scope, without locks. When the
// scope is left, by whatever way, tasks and actors that still run end where they stand.
// A failure that nobody has awaited when the scope is left is logged. token() is for the awaits inside (stop_token.hpp):
// request_stop() asks the tasks that use it to come to an end by themselves.
// A stop of the owner does not interrupt its wait for a task, as with an ask.
// Thread: the owner's scheduler. Cost: an actor for each task. Limits: only the owner awaits what it started.
#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/actor_cell.hpp>
#include <outcry/runtime/runtime.hpp>
#include <outcry/runtime/scheduler.hpp>
#include <outcry/runtime/task.hpp>

namespace outcry {

namespace scope_detail {

struct OutcomeBase {
  bool done = false;
  bool heard = false;  // its failure was thrown at the owner
  std::exception_ptr failure;
};

/// What the tasks and their owner share.
struct State {
  ActorCell* owner = nullptr;
  std::uint32_t generation = 0;
  std::size_t running = 0;
  std::size_t ended = 0;
  std::shared_ptr<OutcomeBase> failed;  // the first

  // What the owner waits for, while it waits.
  enum class For : std::uint8_t { nothing, one, any, all } wanted = For::nothing;
  const OutcomeBase* one = nullptr;
  std::uint32_t ticket = 0;

  bool reached(For what, const OutcomeBase* which) const {
    switch (what) {
      case For::nothing: return true;
      case For::one: return which->done;
      case For::any: return ended > 0;
      case For::all: return running == 0 || (failed != nullptr && !failed->heard);
    }
    return true;
  }
  /// A task has ended.
  void end(const std::shared_ptr<OutcomeBase>& outcome) {
    outcome->done = true;
    --running;
    ++ended;
    if (outcome->failure != nullptr && failed == nullptr) failed = outcome;
    if (this_scheduler() == nullptr || owner == nullptr || wanted == For::nothing || !reached(wanted, one)) return;
    if (owner->generation == generation && owner->waiting == Waiting::children && owner->wait_ticket == ticket)
      owner->scheduler().wake(owner);
  }
};

/// The owner waits here.
class Waiter {
 public:
  Waiter(State* state, State::For what, const OutcomeBase* one, std::source_location where)
      : state_(state), what_(what), one_(one), where_(where) {}
  bool await_ready() const { return state_->reached(what_, one_); }
  void await_suspend(std::coroutine_handle<> point) const {
    ActorCell& cell = *state_->owner;
    cell.scheduler().suspend(cell, point, Waiting::children, never, where_);
    state_->wanted = what_;
    state_->one = one_;
    state_->ticket = cell.wait_ticket;
  }
  void await_resume() const { state_->wanted = State::For::nothing; }

 protected:
  State* state_;
  State::For what_;
  const OutcomeBase* one_;
  std::source_location where_;
};

template <class T>
struct Outcome : OutcomeBase {
  std::optional<std::conditional_t<std::is_void_v<T>, std::monostate, T>> result;
};

template <class Body, class... Arguments>
using ResultOf = decltype(std::declval<std::invoke_result_t<Body&, Self<>, Arguments...>&>().await_resume());

/// Tells of the task's end, whichever way it goes.
struct Farewell {
  std::shared_ptr<State> state;
  std::shared_ptr<OutcomeBase> outcome;
  bool whole = false;

  Farewell(std::shared_ptr<State> shared, std::shared_ptr<OutcomeBase> of)
      : state(std::move(shared)), outcome(std::move(of)) {}
  Farewell(const Farewell&) = delete;
  Farewell& operator=(const Farewell&) = delete;
  ~Farewell() {
    if (!whole && outcome->failure == nullptr)
      outcome->failure = std::make_exception_ptr(std::runtime_error("a task of a scope was ended"));
    state->end(outcome);
  }
};

template <class T, class Body, class... Arguments>
Actor strand(Self<> self, std::shared_ptr<State> state, std::shared_ptr<Outcome<T>> outcome, Body body,
             Arguments... arguments) {
  Farewell farewell(std::move(state), outcome);
  try {
    auto task = body(self, std::move(arguments)...);
    if constexpr (std::is_void_v<T>) {
      co_await task;
      outcome->result.emplace();
    } else {
      T result = co_await task;
      outcome->result.emplace(std::move(result));
    }
    farewell.whole = true;
  } catch (...) {
    outcome->failure = std::current_exception();
  }
}

}  // namespace scope_detail

/// A task that was started; await it for what it gives, before its scope is left. Copies mean the same task.
template <class T>
class Started : public scope_detail::Waiter {
 public:
  Started(scope_detail::State* state, std::shared_ptr<scope_detail::Outcome<T>> outcome)
      : Waiter(state, scope_detail::State::For::one, outcome.get(), std::source_location::current()),
        outcome_(std::move(outcome)) {}

  bool done() const { return outcome_->done; }
  /// What it gave, which stays there.
  std::add_lvalue_reference_t<T> await_resume() {
    Waiter::await_resume();
    if (outcome_->failure) {
      outcome_->heard = true;
      std::rethrow_exception(outcome_->failure);
    }
    if constexpr (!std::is_void_v<T>) return *outcome_->result;
  }

 private:
  std::shared_ptr<scope_detail::Outcome<T>> outcome_;
};

class Scope {
 public:
  template <class... Ms>
  explicit Scope(const Self<Ms...>& owner) : state_(std::make_shared<scope_detail::State>()) {
    state_->owner = owner.cell();
    state_->generation = owner.cell()->generation;
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() {
    const std::shared_ptr<scope_detail::OutcomeBase> failed = state_->failed;
    end_all();
    if (failed != nullptr && !failed->heard && this_scheduler() != nullptr) log(failed->failure);
  }

  /// `body` is a coroutine that returns a Task and whose first parameter is a Self<>. It has its first turn after this one.
  template <class Body, class... Arguments>
  auto start(Body body, Arguments... arguments) {
    using T = std::remove_cvref_t<scope_detail::ResultOf<Body, Arguments...>>;
    auto outcome = std::make_shared<scope_detail::Outcome<T>>();
    forget_ended();
    const Self<> owner(state_->owner);
    const auto child = owner.spawn({.name = "task", .background = state_->owner->background},
                                   scope_detail::strand<T, Body, Arguments...>, state_, outcome, std::move(body),
                                   std::move(arguments)...);
    ++state_->running;
    children_.push_back({child, false});
    return Started<T>(state_.get(), std::move(outcome));
  }

  /// An actor that ends with the scope at the latest. If it ends abnormally, so does the owner, unless it traps ends.
  template <class Body, class... Arguments>
  auto spawn(SpawnOptions options, Body body, Arguments... arguments) {
    forget_ended();
    const Self<> owner(state_->owner);
    const auto child = owner.spawn_linked(options, std::move(body), std::move(arguments)...);
    children_.push_back({child, true});
    return child;
  }

  class [[nodiscard]] Joining : public scope_detail::Waiter {
   public:
    Joining(Scope* scope, scope_detail::State::For what, std::source_location where)
        : Waiter(scope->state_.get(), what, nullptr, where), scope_(scope) {}
    void await_resume() const {
      Waiter::await_resume();
      const auto failed = state_->failed;
      if (failed == nullptr || failed->heard) return;
      failed->heard = true;
      scope_->end_all();
      std::rethrow_exception(failed->failure);
    }

   private:
    Scope* scope_;
  };

  /// Until every task has ended. If one fails, or has failed and was not awaited, the others end and it is thrown here.
  Joining join(std::source_location where = std::source_location::current()) {
    return {this, scope_detail::State::For::all, where};
  }
  /// Until one task has ended; a failure is thrown as by join().
  Joining join_any(std::source_location where = std::source_location::current()) {
    return {this, scope_detail::State::For::any, where};
  }

  std::stop_token token() const { return stop_.get_token(); }
  void request_stop() { stop_.request_stop(); }

 private:
  struct ChildOfScope {
    AnyAddress actor;
    bool linked;
  };

  static bool ended(const AnyAddress& actor) {
    return actor.cell()->generation != actor.generation() || !actor.cell()->in_use;
  }
  void forget_ended() {
    if (children_.size() < 2 * live_) return;
    std::erase_if(children_, [](const ChildOfScope& child) { return ended(child.actor); });
    live_ = children_.size() + 4;
  }
  void end_all() noexcept {
    if (this_scheduler() == nullptr) return;  // the runtime is taken down, and all its actors with it
    Scheduler& scheduler = state_->owner->scheduler();
    for (std::size_t i = children_.size(); i-- > 0;) {
      const ChildOfScope& child = children_[i];
      if (ended(child.actor)) continue;
      if (child.linked) scheduler.unlink(*state_->owner, child.actor.cell(), child.actor.generation());
      scheduler.end(child.actor.cell(), child.actor.generation());
    }
    children_.clear();
  }
  void log(const std::exception_ptr& failure) const noexcept;

  std::shared_ptr<scope_detail::State> state_;
  std::vector<ChildOfScope> children_;
  std::size_t live_ = 4;
  std::stop_source stop_;
};

/// Which of the tasks of when_any() was the first, and what it gave.
template <class... Ts>
struct First {
  std::size_t index = 0;
  std::variant<Ts...> value;
};

namespace scope_detail {

template <class T>
using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
template <class Body>
using ValueOf = Value<std::remove_cvref_t<ResultOf<Body>>>;

template <class T>
Value<std::remove_cvref_t<T>> value_of(Started<T>& started) {
  if constexpr (std::is_void_v<T>) {
    started.await_resume();
    return {};
  } else {
    return std::move(started.await_resume());
  }
}

}  // namespace scope_detail

/// What all tasks gave, in their order; std::monostate for void. The first failure ends the others and is thrown.
template <class... Ms, class... Bodies>
Task<std::tuple<scope_detail::ValueOf<Bodies>...>> when_all(Self<Ms...> self, Bodies... bodies) {
  Scope scope(self);
  auto started = std::make_tuple(scope.start(std::move(bodies))...);
  auto joining = scope.join();
  co_await joining;
  co_return std::apply(
      [](auto&... each) { return std::tuple<scope_detail::ValueOf<Bodies>...>(scope_detail::value_of(each)...); },
      started);
}

/// What the first task to end gave; of several that end in the same turn, the first in the order given. The others are
/// ended. If one has failed by then, that is thrown.
template <class... Ms, class... Bodies>
Task<First<scope_detail::ValueOf<Bodies>...>> when_any(Self<Ms...> self, Bodies... bodies) {
  using Result = First<scope_detail::ValueOf<Bodies>...>;
  Scope scope(self);
  auto started = std::make_tuple(scope.start(std::move(bodies))...);
  auto joining = scope.join_any();
  co_await joining;
  std::optional<Result> first;
  const auto look = [&]<std::size_t... Is>(std::index_sequence<Is...>) {
    const auto one = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
      if (!first && std::get<I>(started).done())
        first.emplace(Result{I, std::variant<scope_detail::ValueOf<Bodies>...>(
                                    std::in_place_index<I>, scope_detail::value_of(std::get<I>(started)))});
    };
    (one(std::integral_constant<std::size_t, Is>{}), ...);
  };
  look(std::index_sequence_for<Bodies...>{});
  co_return std::move(*first);
}

inline void Scope::log(const std::exception_ptr& failure) const noexcept {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& exception) {
    state_->owner->scheduler().runtime().log(std::string("a task of a scope failed and was not awaited: ") +
                                             exception.what());
  } catch (...) {
    state_->owner->scheduler().runtime().log("a task of a scope failed and was not awaited");
  }
}

}  // namespace outcry
