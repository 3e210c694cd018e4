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
#include <stdexcept>
#include <stop_token>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <outcry/runtime/address.hpp>
#include <outcry/runtime/frame_pool.hpp>
#include <outcry/runtime/scheduler.hpp>
#include <outcry/runtime/selective.hpp>
#include <outcry/runtime/task.hpp>

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
  gone,    // it had ended before it was watched
  linked,  // an actor that it was linked to ended abnormally
};

constexpr const char* to_string(End end) {
  switch (end) {
    case End::finished: return "finished";
    case End::failed: return "failed";
    case End::killed: return "killed";
    case End::gone: return "gone";
    case End::linked: return "linked";
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

/// The same for who has to know which address it was, and not why it ended.
struct Ended {
  AnyAddress actor;
  std::uint64_t id = 0;
  End end{};

  std::uint64_t digest() const { return mix64(id, static_cast<std::uint64_t>(end)); }
};

struct SpawnOptions {
  std::string_view name = {};  // for dump() and reports; cut off at 23 characters
  int scheduler = -1;          // live world: which one; negative: the site's
  std::uint32_t site = 0;      // actors of one site share a scheduler: site % schedulers
  MailboxOptions mailbox = {};
  Duration distance{0};     // virtual time: of the actor from the centre of the network
  Duration compute{0};      // virtual time: how long each message keeps it busy
  bool background = false;  // live: the runtime does not wait for its end
};

/// A message that its owner left to be sent later. A value; use it on its owner's scheduler.
class Alarm {
 public:
  constexpr Alarm() = default;
  Alarm(Scheduler& scheduler, Scheduler::AlarmNumber number) : scheduler_(&scheduler), number_(number) {}

  /// Nothing is sent any more. False if there was nothing left to send.
  bool cancel() const { return scheduler_ != nullptr && scheduler_->cancel_alarm(number_); }
  bool pending() const { return scheduler_ != nullptr && scheduler_->alarm_pending(number_); }

 private:
  Scheduler* scheduler_ = nullptr;
  Scheduler::AlarmNumber number_{};
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

  class [[nodiscard]] Attending {
   public:
    Attending(ActorCell* cell, Time deadline, std::source_location where)
        : cell_(cell), deadline_(deadline), where_(where) {}
    bool await_ready() const { return cell_->scheduler().may_look(*cell_); }
    void await_suspend(std::coroutine_handle<> point) const {
      cell_->scheduler().wait_for_event(*cell_, point, deadline_, where_);
    }
    void await_resume() const { cell_->noticed = false; }

   private:
    ActorCell* cell_;
    Time deadline_;
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
  /// The oldest message of these types; what is older and of other types stays where it is. Nothing once the actor was
  /// told to stop and none is there. Cost: each message is looked at once, and the older ones move by one place.
  /// A mailbox that is full of other messages keeps the wanted one out: then only the runtime's own (Down) come in.
  template <class W, class... Ws>
    requires(one_of<W, Ms...> && (one_of<Ws, Ms...> && ...))
  Task<std::optional<Received<W, Ws...>>> receive(std::source_location where = std::source_location::current()) const {
    return selective::receive<Received<W, Ws...>, W, Ws...>(cell_, never, {}, where, selective::Any{});
  }
  /// The same; nothing also when a stop is requested.
  template <class W, class... Ws>
    requires(one_of<W, Ms...> && (one_of<Ws, Ms...> && ...))
  Task<std::optional<Received<W, Ws...>>> receive(std::stop_token token,
                                                  std::source_location where = std::source_location::current()) const {
    return selective::receive<Received<W, Ws...>, W, Ws...>(cell_, never, std::move(token), where, selective::Any{});
  }
  /// Nothing also when the time has come.
  template <class W, class... Ws>
    requires(one_of<W, Ms...> && (one_of<Ws, Ms...> && ...))
  Task<std::optional<Received<W, Ws...>>> receive_until(
      Time deadline, std::stop_token token = {}, std::source_location where = std::source_location::current()) const {
    return selective::receive<Received<W, Ws...>, W, Ws...>(cell_, deadline, std::move(token), where, selective::Any{});
  }
  /// The oldest message for which `wanted` says true; of the types that it can be called with. Nothing at `deadline`.
  template <class Wanted>
  auto receive_if(Wanted wanted, Time deadline = never,
                  std::source_location where = std::source_location::current()) const {
    static_assert(std::is_trivially_destructible_v<Wanted>, "capture by reference, or name the predicate before");
    return selective::receive_if<Wanted, Ms...>(cell_, deadline, {}, where, wanted);
  }
  /// Nothing when a stop is requested.
  template <class Wanted>
  auto receive_if(Wanted wanted, std::stop_token token,
                  std::source_location where = std::source_location::current()) const {
    static_assert(std::is_trivially_destructible_v<Wanted>, "capture by reference, or name the predicate before");
    return selective::receive_if<Wanted, Ms...>(cell_, never, std::move(token), where, wanted);
  }
  /// Calls the one of `handlers` that takes it for each message, until the actor is told to stop or a handler that gives
  /// bool gives false. A handler may be a coroutine (a Task): the next message waits for its end.
  template <class... Handlers>
  Task<> serve(Handlers... handlers) const;
  /// All that is there, up to `most`; an empty batch once the actor was told to stop.
  ReceivingBatch receive_batch(std::uint32_t most = 64,
                               std::source_location where = std::source_location::current()) const {
    return {cell_, most, where};
  }
  /// Until there is a message in the mailbox, or something has happened at a socket of this actor since it last attended
  /// (bytes, an end, room again, a connection, a datagram), or it was told to stop since then, or the time has come.
  /// What happened is found by looking: at the mailbox first, with take(), then at the sockets.
  Attending attend(Time deadline = never, std::source_location where = std::source_location::current()) const {
    return {cell_, deadline, where};
  }
  /// What is in the mailbox now, up to `most`, without waiting; may be empty.
  Batch<Ms...> take(std::uint32_t most = 64) const {
    const std::uint32_t size = std::min(most, cell_->mailbox.size());
    cell_->scheduler().spend(size);
    return {cell_, size};
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
    watch(actor, false);
  }
  /// The same with an Ended, which says the address.
  void monitor_address(const AnyAddress& actor) const {
    static_assert(one_of<Ended, Ms...>, "an actor that monitors addresses takes Ended messages");
    watch(actor, true);
  }

  /// Joins this actor and another: if one of them fails, is killed or ends by a link itself, so does the other, unless it
  /// traps ends; one that has ended already counts as failed. Linking twice makes one link.
  void link(const AnyAddress& other) const { cell_->scheduler().link(*cell_, other.cell(), other.generation()); }
  /// From now on nothing is heard of that actor's end; the other end learns of it by message.
  void unlink(const AnyAddress& other) const { cell_->scheduler().unlink(*cell_, other.cell(), other.generation()); }
  /// The end of an actor that this one is linked to, normal or not, comes as a Down from now on.
  void trap_ends(bool on = true) const {
    static_assert(one_of<Down, Ms...>, "an actor that traps ends takes Down messages");
    cell_->more().traps = on;
  }

  /// An actor on the same scheduler and site, linked from its first moment.
  template <class Body, class... Arguments>
  auto spawn_linked(SpawnOptions options, Body body, Arguments... arguments) const {
    auto child = spawn(options, std::move(body), std::move(arguments)...);
    cell_->scheduler().join(*cell_, *child.cell());
    return child;
  }

  /// Sends `message` from here after `delay`, as send() would then, without waiting for room: a full mailbox refuses it.
  /// It is not sent if it is cancelled before, or if this actor has ended.
  template <Message M, class... Others>
  Alarm send_after(Duration delay, const Address<Others...>& to, M message) const {
    return set_alarm(later(now(), delay), Duration(0), to, std::move(message));
  }
  /// The same after each `period`, without drift, until it is cancelled or this actor has ended.
  template <Message M, class... Others>
  Alarm send_every(Duration period, const Address<Others...>& to, M message) const {
    static_assert(!travels_in_box<M>, "what is sent again and again is trivially copyable and of 56 bytes at most");
    if (period <= Duration(0)) throw std::invalid_argument("send_every() needs a period above zero");
    return set_alarm(later(now(), period), period, to, std::move(message));
  }

  ActorCell* cell() const { return cell_; }

 private:
  void watch(const AnyAddress& actor, bool by_address) const {
    Envelope envelope;
    envelope.kind = Envelope::Kind::watch;
    envelope.to = actor.cell();
    envelope.generation = actor.generation();
    const AnyAddress me = address();
    std::memcpy(envelope.payload, &me, sizeof me);
    envelope.payload[sizeof me] = static_cast<std::byte>(by_address);
    cell_->scheduler().post(envelope);
  }

  template <Message M, class... Others>
  Alarm set_alarm(Time time, Duration period, const Address<Others...>& to, M message) const {
    static_assert(one_of<M, Others...>, "the actor at that address does not take such messages");
    if constexpr (requires { message.passed_on(); }) message.passed_on();
    Envelope envelope;
    envelope.to = to.cell();
    envelope.generation = to.generation();
    envelope.type = &message_type<M>;
    Payload<M>::put(envelope.payload, std::move(message));
    return Alarm(cell_->scheduler(), cell_->scheduler().set_alarm(*cell_, time, period, envelope));
  }

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
  cell.mailbox.open(options.mailbox, largest_payload<Me>, &cell.scheduler().rings());
  cell.compute = options.compute;
  cell.background = options.background;
  cell.name.set(options.name);
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

/// Whether each message of an actor has a handler.
template <class Me, class... Handlers>
inline constexpr bool serves = false;

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

template <class... Ms, class... Handlers>
inline constexpr bool serves<Self<Ms...>, Handlers...> = (std::invocable<Match<Handlers...>&, Ms> && ...);

template <class... Ms>
template <class... Handlers>
Task<> Self<Ms...>::serve(Handlers... handlers) const {
  static_assert(serves<Self<Ms...>, Handlers...>, "serve() needs a handler for every message that the actor takes");
  static_assert((std::is_trivially_destructible_v<Handlers> && ...),
                "capture by reference: GCC 12 destroys captures of temporaries in a co_await expression twice");
  const Self self = *this;
  Match<Handlers...> match{std::move(handlers)...};
  bool more = true;
  std::optional<Task<>> work;
  const auto handle = [&]<class M>(M&& message) {
    using Result = std::invoke_result_t<Match<Handlers...>&, M>;
    if constexpr (std::is_same_v<Result, Task<>>) {
      work.emplace(match(std::forward<M>(message)));
    } else if constexpr (std::is_same_v<Result, bool>) {
      more = match(std::forward<M>(message));
    } else {
      match(std::forward<M>(message));
    }
  };
  while (more) {
    auto message = co_await self.receive();
    if (!message) break;
    if constexpr (sizeof...(Ms) == 1) {
      handle(std::move(*message));
    } else {
      std::visit(handle, std::move(*message));
    }
    if (work) {
      Task<>& running = *work;
      co_await running;
      work.reset();
    }
  }
}

}  // namespace outcry
