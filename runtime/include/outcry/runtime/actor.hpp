// Actor: a coroutine with a mailbox. Self: the actor as its own body sees it.
//
//   Actor greeter(Self<Greet, Stop> self, Config config) {
//     while (auto message = co_await self.receive()) { ... }
//   }
//
// An actor is any coroutine that returns Actor and whose first parameter is a Self; the rest are its arguments, taken
// by value. receive() gives a message, or nothing once the actor was told to stop and its mailbox is empty.
// Thread: the scheduler that it was spawned on, always.
#pragma once

#include <algorithm>
#include <concepts>
#include <coroutine>
#include <cstdint>
#include <cstring>
#include <optional>
#include <source_location>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <outcry/runtime/address.hpp>
#include <outcry/runtime/frame_pool.hpp>
#include <outcry/runtime/scheduler.hpp>

namespace outcry {

/// What a coroutine returns to be an actor.
class Actor {
 public:
  struct promise_type {
    static void* operator new(std::size_t size) { return FramePool::allocate_frame(size); }
    static void operator delete(void* frame) { FramePool::free_frame(frame); }

    Actor get_return_object() { return Actor(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct End {
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> point) const noexcept {
        point.promise().cell->finished = true;
      }
      void await_resume() const noexcept {}
    };
    End final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { cell->failure = std::current_exception(); }

    ActorCell* cell = nullptr;
  };

  explicit Actor(std::coroutine_handle<promise_type> body) : body_(body) {}
  Actor(Actor&& other) noexcept : body_(std::exchange(other.body_, {})) {}
  Actor& operator=(Actor&&) = delete;
  ~Actor() {
    if (body_) body_.destroy();
  }

  /// Hands the coroutine to its cell.
  void enter(ActorCell& cell) && {
    body_.promise().cell = &cell;
    cell.body = cell.resume_point = std::exchange(body_, {});
  }

 private:
  std::coroutine_handle<promise_type> body_;
};

/// How an actor ended.
enum class End : std::uint8_t {
  finished,  // its coroutine returned
  failed,    // an exception left it
  killed,
  gone,  // it had ended before it was watched
};

constexpr const char* to_string(End end) {
  switch (end) {
    case End::finished: return "finished";
    case End::failed: return "failed";
    case End::killed: return "killed";
    case End::gone: return "gone";
  }
  return "?";
}

/// An actor that this one watches has ended. Comes after the last message that it sent here.
struct Down {
  std::uint64_t actor = 0;  // its id
  End end{};
  char what[39] = {};  // of the exception, cut off at 38 characters

  std::string_view why() const { return what; }
};
static_assert(sizeof(Down) == 48 && std::has_unique_object_representations_v<Down>);

struct SpawnOptions {
  std::string_view name = {};  // for dump() and reports; cut off at 23 characters
  int scheduler = -1;          // live world: which one; negative: the site's
  std::uint32_t site = 0;      // actors of one site share a scheduler: site % schedulers
  MailboxOptions mailbox = {};
  Duration distance{0};  // virtual time: of the actor from the centre of the network
  Duration compute{0};   // virtual time: how long each message keeps it busy
};

template <class... Ms>
using Received =
    std::conditional_t<sizeof...(Ms) == 1, std::tuple_element_t<0, std::tuple<Ms..., void>>, std::variant<Ms...>>;

/// The messages of a batch, oldest first; take them all before the next co_await.
template <class... Ms>
class Batch {
 public:
  Batch(ActorCell* cell, std::uint32_t size) : cell_(cell), left_(size) {}

  explicit operator bool() const { return left_ != 0; }
  std::uint32_t size() const { return left_; }

  /// Takes every message of the batch and hands it to `handle`, by value.
  template <class Handle>
  void each(Handle&& handle) {
    while (left_ != 0) {
      --left_;
      take(handle);
    }
  }

 private:
  template <class Handle>
  void take(Handle& handle) {
    Mailbox::Slot* slot = cell_->mailbox.front();
    const MessageType* type = slot->type;
    const std::uint32_t source = slot->source;
    const auto one = [&]<class M>(std::type_identity<M>) {
      if (type != &message_type<M>) return false;
      M message = Payload<M>::take(slot->payload());
      cell_->mailbox.pop();
      cell_->scheduler().took(*cell_, source);
      if constexpr (requires { message.taken(); }) message.taken();
      handle(std::move(message));
      return true;
    };
    static_cast<void>((one(std::type_identity<Ms>{}) || ...));
  }

  ActorCell* cell_;
  std::uint32_t left_;
};

template <class... Ms>
class Self {
 public:
  using AddressType = Address<Ms...>;

  explicit Self(ActorCell* cell) : cell_(cell) {}

  AddressType address() const { return {cell_, cell_->generation}; }
  std::uint64_t id() const { return cell_->id; }
  Runtime& runtime() const { return cell_->scheduler().runtime(); }
  Scheduler& scheduler() const { return cell_->scheduler(); }

  /// In virtual time, the moment of the event that is being handled; live, a clock read.
  Time now() const { return cell_->scheduler().now(); }
  /// The actor's own stream of random numbers, from the run's seed and its id.
  Random& random() const { return cell_->random; }
  /// Whether the actor was told to stop.
  bool stopping() const { return cell_->stopping; }
  const MailboxCounters& mailbox() const { return cell_->mailbox.counters(); }

  class [[nodiscard]] Receiving {
   public:
    Receiving(ActorCell* cell, Time deadline, std::source_location where)
        : cell_(cell), deadline_(deadline), where_(where) {}
    bool await_ready() const { return cell_->scheduler().may_take(*cell_); }
    void await_suspend(std::coroutine_handle<> point) const {
      cell_->scheduler().wait_for_message(*cell_, point, deadline_, where_);
    }
    std::optional<Received<Ms...>> await_resume() const {
      std::optional<Received<Ms...>> message;
      if (!cell_->mailbox.empty()) [[likely]] {
        Batch<Ms...>(cell_, 1).each([&](auto&& taken) { message.emplace(std::forward<decltype(taken)>(taken)); });
      }
      return message;
    }

   private:
    ActorCell* cell_;
    Time deadline_;
    std::source_location where_;
  };

  class [[nodiscard]] ReceivingBatch {
   public:
    ReceivingBatch(ActorCell* cell, std::uint32_t most, std::source_location where)
        : cell_(cell), most_(most), where_(where) {}
    bool await_ready() const { return cell_->scheduler().may_take(*cell_); }
    void await_suspend(std::coroutine_handle<> point) const {
      cell_->scheduler().wait_for_message(*cell_, point, never, where_);
    }
    Batch<Ms...> await_resume() const {
      const std::uint32_t size = std::min(most_, cell_->mailbox.size());
      cell_->scheduler().spend(size);
      return {cell_, size};
    }

   private:
    ActorCell* cell_;
    std::uint32_t most_;
    std::source_location where_;
  };

  class [[nodiscard]] Sleeping {
   public:
    Sleeping(ActorCell* cell, Time until, std::source_location where) : cell_(cell), until_(until), where_(where) {}
    bool await_ready() const { return cell_->stopping; }
    void await_suspend(std::coroutine_handle<> point) const {
      cell_->scheduler().suspend(*cell_, point, Waiting::time, until_, where_);
    }
    /// False if the actor was told to stop.
    bool await_resume() const { return !cell_->stopping; }

   private:
    ActorCell* cell_;
    Time until_;
    std::source_location where_;
  };

  /// Await it for each beat: true on time, false once the actor was told to stop. Beats do not drift.
  class Ticker {
   public:
    Ticker(ActorCell* cell, Duration period)
        : cell_(cell), period_(period), next_(later(cell->scheduler().now(), period)) {}
    Sleeping operator co_await() {
      const Time beat = next_;
      next_ = later(next_, period_);
      return Sleeping(cell_, beat, std::source_location::current());
    }

   private:
    ActorCell* cell_;
    Duration period_;
    Time next_;
  };

  class [[nodiscard]] Yielding {
   public:
    Yielding(ActorCell* cell, std::source_location where) : cell_(cell), where_(where) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> point) const { cell_->scheduler().yield(*cell_, point, where_); }
    void await_resume() const {}

   private:
    ActorCell* cell_;
    std::source_location where_;
  };

  /// The next message, or nothing once the actor was told to stop and has taken all that came before.
  Receiving receive(std::source_location where = std::source_location::current()) const {
    return {cell_, never, where};
  }
  /// The same; nothing also when the time has come.
  Receiving receive_until(Time deadline, std::source_location where = std::source_location::current()) const {
    return {cell_, deadline, where};
  }
  Receiving receive_for(Duration patience, std::source_location where = std::source_location::current()) const {
    return {cell_, later(now(), patience), where};
  }
  /// All that is there, up to `most`; an empty batch once the actor was told to stop.
  ReceivingBatch receive_batch(std::uint32_t most = 64,
                               std::source_location where = std::source_location::current()) const {
    return {cell_, most, where};
  }
  Sleeping sleep(Duration duration, std::source_location where = std::source_location::current()) const {
    return {cell_, later(now(), duration), where};
  }
  Sleeping sleep_until(Time time, std::source_location where = std::source_location::current()) const {
    return {cell_, time, where};
  }
  Ticker every(Duration period) const { return {cell_, period}; }
  /// Lets every other ready actor of the scheduler have a turn.
  Yielding yield(std::source_location where = std::source_location::current()) const { return {cell_, where}; }

  /// An actor on the same scheduler and site.
  template <class Body, class... Arguments>
  auto spawn(SpawnOptions options, Body body, Arguments... arguments) const;
  template <class Body, class... Arguments>
    requires(!std::same_as<std::remove_cvref_t<Body>, SpawnOptions>)
  auto spawn(Body body, Arguments... arguments) const {
    return spawn(SpawnOptions{}, std::move(body), std::move(arguments)...);
  }

  /// A Down comes when that actor ends; at once if it has.
  void monitor(const AnyAddress& actor) const {
    static_assert(one_of<Down, Ms...>, "an actor that monitors others takes Down messages");
    Envelope envelope;
    envelope.kind = Envelope::Kind::watch;
    envelope.to = actor.cell();
    envelope.generation = actor.generation();
    const AnyAddress me = address();
    std::memcpy(envelope.payload, &me, sizeof me);
    cell_->scheduler().post(envelope);
  }

 private:
  ActorCell* cell_;
};

namespace actor_detail {

template <class Signature>
struct SelfOf;
template <class... Ms, class... Arguments>
struct SelfOf<Actor (*)(Self<Ms...>, Arguments...)> {
  using type = Self<Ms...>;
};
template <class C, class... Ms, class... Arguments>
struct SelfOf<Actor (C::*)(Self<Ms...>, Arguments...) const> {
  using type = Self<Ms...>;
};
template <class C, class... Ms, class... Arguments>
struct SelfOf<Actor (C::*)(Self<Ms...>, Arguments...)> {
  using type = Self<Ms...>;
};

template <class Body>
struct SelfOfBody {
  using type = typename SelfOf<decltype(&Body::operator())>::type;
};
template <class Body>
  requires std::is_pointer_v<Body>
struct SelfOfBody<Body> {
  using type = typename SelfOf<Body>::type;
};

template <class>
inline constexpr std::size_t largest_payload = 0;
template <class... Ms>
inline constexpr std::size_t largest_payload<Self<Ms...>> = std::max({message_type<Ms>.payload_size...});
template <>
inline constexpr std::size_t largest_payload<Self<>> = 0;

void name_cell(ActorCell& cell, std::string_view name);

/// Throws std::invalid_argument where they make no sense.
void check(const SpawnOptions& options);

/// Makes the coroutine of a cell that is ready for it. Throws what the body's construction throws; then the cell is free
/// again.
template <class Body, class... Arguments>
auto enter(ActorCell& cell, const SpawnOptions& options, Body&& body, Arguments&&... arguments) {
  using Callable = std::decay_t<Body>;
  using Me = typename SelfOfBody<Callable>::type;
  struct Entrance {
    ActorCell& cell;
    FramePool* outer = std::exchange(FramePool::current(), &cell.scheduler().frames());
    ~Entrance() {
      FramePool::current() = outer;
      if (!cell.body) cell.scheduler().give_up(cell);
    }
  } const entrance{cell};
  cell.mailbox.open(options.mailbox, largest_payload<Me>);
  cell.compute = options.compute;
  name_cell(cell, options.name);
  if constexpr (std::is_pointer_v<Callable>) {
    body(Me(&cell), std::forward<Arguments>(arguments)...).enter(cell);
  } else {
    static_assert(alignof(Callable) <= 16, "the pool of frames keeps what an actor is made from");
    struct Place {
      void* memory = FramePool::allocate_frame(sizeof(Callable));
      ~Place() {
        if (memory != nullptr) FramePool::free_frame(memory);
      }
    } place;
    auto* kept = ::new (place.memory) Callable(std::forward<Body>(body));
    cell.callable = std::exchange(place.memory, nullptr);
    cell.destroy_callable = [](void* callable) {
      static_cast<Callable*>(callable)->~Callable();
      FramePool::free_frame(callable);
    };
    (*kept)(Me(&cell), std::forward<Arguments>(arguments)...).enter(cell);
  }
  return typename Me::AddressType(&cell, cell.generation);
}

}  // namespace actor_detail

template <class... Ms>
template <class Body, class... Arguments>
auto Self<Ms...>::spawn(SpawnOptions options, Body body, Arguments... arguments) const {
  actor_detail::check(options);
  Scheduler& scheduler = cell_->scheduler();
  ActorCell* child = scheduler.new_child(*cell_, options.distance, options.mailbox);
  auto address = actor_detail::enter(*child, options, std::move(body), std::move(arguments)...);
  scheduler.start(*child);
  return address;
}

/// Visits what receive() gives with one function for each message type.
template <class... Handlers>
struct Match : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Match(Handlers...) -> Match<Handlers...>;

template <class... Ms, class... Handlers>
decltype(auto) match(std::variant<Ms...>&& message, Handlers&&... handlers) {
  return std::visit(Match{std::forward<Handlers>(handlers)...}, std::move(message));
}
template <class... Ms, class... Handlers>
decltype(auto) match(std::variant<Ms...>& message, Handlers&&... handlers) {
  return std::visit(Match{std::forward<Handlers>(handlers)...}, message);
}

}  // namespace outcry
