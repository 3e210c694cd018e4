// Task: a coroutine that an actor awaits as part of its own work. Owned by who awaits it; runs at once, on the same
// scheduler; its result or exception comes out of the co_await.
//
// The scheduler resumes it from its loop, never one coroutine out of another, so that depth on the stack stays bounded.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include <outcry/runtime/actor_cell.hpp>
#include <outcry/runtime/frame_pool.hpp>
#include <outcry/runtime/scheduler.hpp>

namespace outcry {

template <class T = void>
class [[nodiscard]] Task;

namespace task_detail {

struct PromiseBase {
  static void* operator new(std::size_t size) { return FramePool::allocate_frame(size); }
  static void operator delete(void* frame) { FramePool::free_frame(frame); }

  struct End {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> point) const noexcept {
      ActorCell* cell = this_scheduler()->current();
      cell->resume_point = point.promise().awaiter;
      cell->again = true;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() noexcept { return {}; }
  End final_suspend() noexcept { return {}; }
  void unhandled_exception() { failure = std::current_exception(); }

  std::coroutine_handle<> awaiter;
  std::exception_ptr failure;
};

template <class T>
struct Promise : PromiseBase {
  Task<T> get_return_object();
  void return_value(T value) { result.emplace(std::move(value)); }
  T take() { return std::move(*result); }
  std::optional<T> result;
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() {}
  void take() {}
};

}  // namespace task_detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = task_detail::Promise<T>;

  explicit Task(std::coroutine_handle<promise_type> body) : body_(body) {}
  Task(Task&& other) noexcept : body_(std::exchange(other.body_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (body_) body_.destroy();
  }

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> awaiter) {
    body_.promise().awaiter = awaiter;
    ActorCell* cell = this_scheduler()->current();
    cell->resume_point = body_;
    cell->again = true;
  }
  T await_resume() {
    if (body_.promise().failure) std::rethrow_exception(body_.promise().failure);
    return body_.promise().take();
  }

 private:
  std::coroutine_handle<promise_type> body_;
};

template <class T>
Task<T> task_detail::Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> task_detail::Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

}  // namespace outcry
