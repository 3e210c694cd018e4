// Channel: values from task to task of one scheduler, in order, up to `capacity` of them between the two.
//
//   Channel<Quote> quotes(64);
//   const bool sent = co_await quotes.send(Quote{...});   // waits for room; false once the channel is closed
//   while (auto quote = co_await quotes.receive()) ...    // waits for a value; nothing once it is closed and empty
//
// Senders and receivers wait in line. close() lets receivers take what is there; who waits to send is told at once.
// The channel outlives its users' waits, or closes when it is destroyed. A receiver that was handed a value and is killed
// in the same turn takes it with it. Stopping an actor does not interrupt its wait: close the channel, or use a token.
// Thread: one scheduler; in virtual time the actors of one site. Using it from elsewhere throws std::logic_error.
#pragma once

#include <coroutine>
#include <cstddef>
#include <deque>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <utility>

#include <outcry/runtime/actor_cell.hpp>
#include <outcry/runtime/scheduler.hpp>
#include <outcry/runtime/time.hpp>

namespace outcry {

template <class T>
class Channel {
 public:
  explicit Channel(std::size_t capacity) : capacity_(capacity) {
    if (capacity == 0) throw std::invalid_argument("a channel holds at least one value");
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() { close(); }

  class Sending;
  class Receiving;

  Sending send(T value, std::source_location where = std::source_location::current()) {
    return Sending(this, std::move(value), where);
  }
  Receiving receive(std::source_location where = std::source_location::current()) { return Receiving(this, where); }

  /// False, and nothing is taken, if there is no room or the channel is closed.
  bool try_send(T value) {
    if (!has_room()) return false;
    put(std::move(value));
    return true;
  }
  std::optional<T> try_receive() { return values_.empty() ? std::nullopt : std::optional<T>(take()); }

  void close() {
    closed_ = true;
    while (!receivers_.empty()) wake(receivers_.pop());
    while (!senders_.empty()) wake(senders_.pop());
  }
  bool closed() const { return closed_; }
  std::size_t size() const { return values_.size(); }

 private:
  /// Someone who waits.
  struct Waiter {
    Waiter* older = nullptr;
    Waiter* newer = nullptr;
    bool* waits = nullptr;  // whether it still stands in line
    ActorCell* cell = nullptr;
    std::optional<T> value;
    bool served = false;
  };
  struct Line {
    Waiter* first = nullptr;
    Waiter* last = nullptr;
    bool empty() const { return first == nullptr; }
    void push(Waiter& waiter) {
      waiter.older = last;
      waiter.newer = nullptr;
      (last != nullptr ? last->newer : first) = &waiter;
      last = &waiter;
    }
    void remove(Waiter& waiter) {
      (waiter.older != nullptr ? waiter.older->newer : first) = waiter.newer;
      (waiter.newer != nullptr ? waiter.newer->older : last) = waiter.older;
    }
    Waiter& pop() {
      Waiter& waiter = *first;
      remove(waiter);
      return waiter;
    }
  };

  class Operation {
   public:
    using MayBeServedYet = void;  // for stop_token.hpp

    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;

   protected:
    Operation(Channel* channel, Line Channel::* line, std::source_location where)
        : channel_(channel), line_(line), where_(where) {}
    ~Operation() { leave(); }
    void wait(std::coroutine_handle<> point) {
      channel_->check();
      waiter_.cell = this_scheduler()->current();
      waiter_.cell->scheduler().suspend(*waiter_.cell, point, Waiting::channel, never, where_);
      (channel_->*line_).push(waiter_);
      waiting_ = true;
      waiter_.waits = &waiting_;
    }
    void leave() {
      if (std::exchange(waiting_, false)) (channel_->*line_).remove(waiter_);
    }

    Channel* channel_;
    Line Channel::* line_;
    std::source_location where_;
    bool waiting_ = false;
    Waiter waiter_;
  };

 public:
  class [[nodiscard]] Sending : public Operation {
   public:
    Sending(Channel* channel, T value, std::source_location where) : Operation(channel, &Channel::senders_, where) {
      this->waiter_.value.emplace(std::move(value));
    }
    bool await_ready() {
      this->channel_->check();
      if (this->channel_->closed_) return true;
      if (!this->channel_->has_room()) return false;
      this->channel_->put(std::move(*this->waiter_.value));
      this->waiter_.served = true;
      return true;
    }
    void await_suspend(std::coroutine_handle<> point) { this->wait(point); }
    /// Whether the value was handed over.
    bool await_resume() {
      this->leave();
      return this->waiter_.served;
    }
  };

  class [[nodiscard]] Receiving : public Operation {
   public:
    Receiving(Channel* channel, std::source_location where) : Operation(channel, &Channel::receivers_, where) {}
    bool await_ready() {
      this->channel_->check();
      if (!this->channel_->values_.empty()) this->waiter_.value.emplace(this->channel_->take());
      return this->waiter_.value.has_value() || this->channel_->closed_;
    }
    void await_suspend(std::coroutine_handle<> point) { this->wait(point); }
    std::optional<T> await_resume() {
      this->leave();
      return std::exchange(this->waiter_.value, std::nullopt);
    }
  };

 private:
  friend class Operation;

  bool has_room() const { return !closed_ && values_.size() < capacity_; }
  /// Requires: room.
  void put(T value) {
    if (receivers_.empty()) {
      values_.push_back(std::move(value));
      return;
    }
    Waiter& receiver = receivers_.pop();
    receiver.value.emplace(std::move(value));
    wake(receiver);
  }
  /// Requires: not empty.
  T take() {
    T value = std::move(values_.front());
    values_.pop_front();
    if (!senders_.empty()) {
      Waiter& sender = senders_.pop();
      values_.push_back(std::move(*sender.value));
      sender.served = true;
      wake(sender);
    }
    return value;
  }
  static void wake(Waiter& waiter) {
    *waiter.waits = false;
    if (this_scheduler() != nullptr) waiter.cell->scheduler().wake(waiter.cell);  // null: the runtime is taken down
  }
  void check() {
    const ActorCell* cell = this_scheduler() != nullptr ? this_scheduler()->current() : nullptr;
    if (cell == nullptr) throw std::logic_error("a channel is used by actors");
    const void* place = &cell->scheduler();
    if (cell->scheduler().virtual_time()) place = cell->site;
    if (place_ == nullptr) place_ = place;
    if (place_ != place) throw std::logic_error("a channel is used by the actors of one scheduler and one site");
  }

  std::size_t capacity_;
  bool closed_ = false;
  const void* place_ = nullptr;
  std::deque<T> values_;
  Line senders_;
  Line receivers_;
};

}  // namespace outcry
