// CafFace: one Outcry actor as CAF sees it: a CAF actor of its own that sends, is asked, monitored and linked like any.
//
// What CAF sends waits in the face's lane. A porter, a small actor beside its master on the same scheduler, carries it
// into the master's mailbox in CAF's order, at most 64 messages in a turn, and waits there for room like any sender.
//   a message M that the master takes         comes as M
//   Q, where the master takes Ask<Q>          comes as Ask<Q>; the answer goes to who asked
//   anything, where it takes CafMessage       comes as CafMessage
//   anything else                             asks are answered sec::unexpected_message, sends are counted
//   an exit                                   comes as CafExit where the master takes that; else it ends the master:
//                                             exit_reason::kill kills, another error stops, a normal end is nothing
//   a down                                    comes as CafDown
// When the lane or the mailbox is full, asks bounce; a send waits in the lane, and is a dead letter where that is full.
// Exits and downs are never dropped. No order is promised between what comes by the lane and what comes otherwise.
// Threads: any into the lane; all else is the master's scheduler's.
// Invariant: the face lives as long as its porter; when that goes the face is closed, monitors and links hear why, and no
// thread of CAF's touches the runtime any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <unordered_map>
#include <utility>

#include <outcry/caf/adapter.hpp>
#include <outcry/caf/lane.hpp>
#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/address.hpp>
#include <outcry/runtime/task.hpp>

namespace outcry {

struct CafOptions {
  std::uint32_t lane = 1024;       // messages that wait to be carried in
  std::uint32_t open_asks = 1024;  // asks that were carried in and are not answered
};

struct CafCounters {
  std::uint64_t received = 0;      // messages, asks, exits, downs that were let in
  std::uint64_t dead_letters = 0;  // sends that found no room, or nobody
  std::uint64_t bounced = 0;       // asks that found no room, or nobody
  std::uint64_t unexpected = 0;    // of no type that the actor takes
};

/// A CAF actor that this one watches has ended. Comes after the last message that it sent here.
class CafDown {
 public:
  explicit CafDown(CafNotice notice) : source(std::move(notice.source)), reason(std::move(notice.reason)) {}
  caf::actor_addr source;
  caf::error reason;  // without an error: it ended normally
};

/// A CAF actor asked this one to end, or a link broke.
class CafExit {
 public:
  explicit CafExit(CafNotice notice) : source(std::move(notice.source)), reason(std::move(notice.reason)) {}
  caf::actor_addr source;
  caf::error reason;
};

/// Any message from CAF. An ask that is destroyed without an answer gets an error.
class CafMessage {
 public:
  CafMessage(caf::message content, CafPromise promise) : content_(std::move(content)), promise_(std::move(promise)) {}

  const caf::message& content() const { return content_; }
  template <class... Ts>
  bool holds() const {
    return content_.match_elements<Ts...>();
  }
  template <class T>
  const T& get(std::size_t position) const {
    return content_.get_as<T>(position);
  }
  bool is_request() const { return promise_.is_request(); }
  CafHandle sender() const { return promise_.sender(); }
  template <class... Ts>
  void reply(Ts&&... values) {
    promise_.deliver(std::forward<Ts>(values)...);
  }
  void fail(caf::error why) { promise_.fail(std::move(why)); }

 private:
  caf::message content_;
  CafPromise promise_;
};

/// What CAF answered: a message, or an error.
class CafAnswer {
 public:
  explicit CafAnswer(caf::message content) : content_(std::move(content)) {
    if (content_.match_elements<caf::error>()) error_ = content_.get_as<caf::error>(0);
  }

  explicit operator bool() const { return !error_; }
  const caf::error& error() const { return error_; }
  template <class... Ts>
  bool holds() const {
    return content_.match_elements<Ts...>();
  }
  template <class T>
  const T& get(std::size_t position = 0) const {
    return content_.get_as<T>(position);
  }

 private:
  caf::message content_;
  caf::error error_;
};

/// An answer on its way from CAF's thread to the clerk.
class CafResponse {
 public:
  CafResponse(std::uint64_t answers, caf::message with) : number(answers), content(std::move(with)) {}
  std::uint64_t number;
  caf::message content;
};

/// What an actor asks its clerk: the answer to the request of that number.
struct AwaitCaf {
  using Reply = CafAnswer;
  std::uint64_t number = 0;
};

/// There is something in the lane.
struct CafWake {
  std::uint64_t unused = 0;
};

using CafPorterAddress = Address<CafWake>;
using CafClerkAddress = Address<CafResponse, Ask<AwaitCaf>>;

class CafFace final : public CafActor {
 public:
  struct Takes {
    bool exits = false;
    bool downs = false;
  };

  CafFace(caf::actor_config& config, CafOptions options, Takes takes);

  CafCounters counters() const;
  const CafOptions& options() const { return options_; }
  const Takes& takes() const { return takes_; }

  // ---- the porter's side

  /// From now on the porter is woken for what comes.
  void open(CafPorterAddress porter, AnyAddress master);
  CafBatch take_all() { return lane_.take_all(); }
  /// An element was taken from the lane.
  void took() { waiting_.fetch_sub(1, std::memory_order_relaxed); }
  void close(caf::error reason);
  caf::error reason_of(const Down& down);

  void bounce_or_count(CafElement element, const caf::error& why);
  void unexpected(CafElement element);
  void count_dead_letter() { dead_letters_.fetch_add(1, std::memory_order_relaxed); }
  void count_bounced() { bounced_.fetch_add(1, std::memory_order_relaxed); }

  bool may_request(std::size_t open) const { return open < options_.open_asks; }
  bool begin_ask() { return open_asks_ < options_.open_asks && ++open_asks_ != 0; }
  void end_ask() { --open_asks_; }

  // ---- the clerk's side

  void employ(CafClerkAddress clerk) { clerk_ = clerk; }
  std::uint64_t new_number() { return ++numbers_; }

 private:
  void arrived(CafElement element) override;
  void asked_to_end(const CafNotice& notice);
  void tell_clerk(CafResponse response);
  void put_in_lane(CafElement element, bool control);

  const CafOptions options_;
  const Takes takes_;
  Gate gate_;
  CafLane lane_;
  std::atomic<std::uint32_t> waiting_{0};  // in the lane
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> dead_letters_{0};
  std::atomic<std::uint64_t> bounced_{0};
  std::atomic<std::uint64_t> unexpected_{0};

  std::atomic<bool> open_{false};
  bool closed_ = false;
  CafPorterAddress porter_;
  std::mutex exit_mutex_;  // guards master_ and exit_reason_
  AnyAddress master_;
  std::optional<caf::error> exit_reason_;

  // The scheduler's.
  CafClerkAddress clerk_;
  std::uint64_t numbers_ = 0;
  std::uint32_t open_asks_ = 0;
};

/// Keeps the face as long as it is held.
class CafFaceHandle {
 public:
  CafFaceHandle(caf::actor_system& system, CafOptions options, CafFace::Takes takes)
      : face_(make_caf_actor<CafFace>(system, keep_, options, takes)) {}
  CafFace* operator->() const { return face_; }
  CafFace& operator*() const { return *face_; }
  const CafHandle& handle() const { return keep_; }

 private:
  CafHandle keep_;
  CafFace* face_;
};

/// What the porter holds: closes the face when it goes, also if it never had a turn or its runtime is taken down.
class CafFaceOwner {
 public:
  explicit CafFaceOwner(CafFaceHandle face) : face_(std::move(face)) {}
  CafFaceOwner(CafFaceOwner&& other) noexcept : face_(std::exchange(other.face_, std::nullopt)) {}
  CafFaceOwner& operator=(CafFaceOwner&&) = delete;
  ~CafFaceOwner() {
    if (face_) (*face_)->close(caf::make_error(caf::exit_reason::user_shutdown));
  }
  const CafFaceHandle& face() const { return *face_; }

 private:
  std::optional<CafFaceHandle> face_;
};

/// The requests that one actor has under way in CAF. Thread: the actor's scheduler.
class CafRequests {
 public:
  using Then = std::function<void(CafAnswer)>;

  void expect(std::uint64_t number, Then then = {}) { open_[number].then = std::move(then); }
  void forget(std::uint64_t number) { open_.erase(number); }
  std::size_t open() const { return open_.size(); }
  void answered(CafResponse response);
  void awaited(const Ask<AwaitCaf>& ask);

  std::uint64_t last_asked = 0;  // by the actor itself, which has one ask at a time

 private:
  struct Open {
    Then then;
    std::optional<CafAnswer> early;
    std::optional<ReplyTo<CafAnswer>> to;
  };
  std::unordered_map<std::uint64_t, Open> open_;
};

/// An actor's own side of its face: how its coroutine reaches CAF. Thread: the actor's scheduler.
class CafSelf {
 public:
  CafSelf(CafFaceHandle face, CafClerkAddress clerk, std::shared_ptr<CafRequests> requests)
      : face_(std::move(face)), clerk_(clerk), requests_(std::move(requests)) {}

  caf::actor handle() const { return face_->as_actor(); }
  caf::actor_system& system() const { return face_->home_system(); }
  CafCounters counters() const { return face_->counters(); }

  template <class Handle, class... Ts>
  void send(const Handle& to, Ts&&... values) const {
    face_->tell(to, std::forward<Ts>(values)...);
  }

  /// Sent at once; await it for the answer. An ask that was made but not awaited is forgotten with the next one.
  template <class Handle, class... Ts>
  Asking<AwaitCaf> ask(const Handle& to, Duration timeout, Ts&&... values) const {
    requests_->forget(requests_->last_asked);
    const std::uint64_t number = requests_->last_asked = face_->new_number();
    requests_->expect(number);
    face_->request(number, to, std::forward<Ts>(values)...);
    return Asking<AwaitCaf>(clerk_, AwaitCaf{number}, timeout, std::source_location::current());
  }

  /// The same for who does not wait: `then` is called with the answer, or with an error when the time is over. False: as
  /// many asks as CafOptions::open_asks are open, and this one was not sent.
  template <class Handle, class... Ts>
  bool ask_then(const Handle& to, Duration timeout, CafRequests::Then then, Ts&&... values) const {
    if (!face_->may_request(requests_->open())) return false;
    const std::uint64_t number = face_->new_number();
    requests_->expect(number, [face = face_, number, then = std::move(then)](CafAnswer answer) {
      face->disarm_timeout(number);
      then(std::move(answer));
    });
    face_->arm_timeout(number, timeout);
    face_->request(number, to, std::forward<Ts>(values)...);
    return true;
  }

  /// A CafDown comes when that actor ends; at once if it has. Throws where the actor does not take CafDown.
  void monitor(const caf::actor& other) const;
  void demonitor(const caf::actor& other) const { face_->demonitor(other); }
  /// If one of both ends by an error, the other is asked to end, too.
  void link_to(const caf::actor& other) const { face_->link_to(other); }
  void unlink_from(const caf::actor& other) const { face_->unlink_from(other); }

 private:
  CafFaceHandle face_;
  CafClerkAddress clerk_;
  std::shared_ptr<CafRequests> requests_;
};

namespace caf_detail {

template <class M>
inline constexpr bool is_ask = false;
template <class Query>
inline constexpr bool is_ask<Ask<Query>> = true;
template <class M>
struct QueryOf;
template <class Query>
struct QueryOf<Ask<Query>> {
  using type = Query;
};

/// A message that comes from CAF as it is.
template <class M>
inline constexpr bool plain = CafCarried<M> && !is_ask<M>;
/// An ask that CAF can put and hear answered.
template <class M>
inline constexpr bool asked = false;
template <class Query>
inline constexpr bool asked<Ask<Query>> = CafCarried<Query> && CafCarried<typename Query::Reply>;

template <class... Ms>
constexpr CafFace::Takes takes() {
  return {.exits = one_of<CafExit, Ms...>, .downs = one_of<CafDown, Ms...>};
}

/// A notice that goes past every limit, as the runtime's own do.
template <class M>
void hand_over_control(AnyAddress to, M message) {
  Envelope envelope;
  envelope.kind = Envelope::Kind::control;
  envelope.to = to.cell();
  envelope.generation = to.generation();
  envelope.type = &message_type<M>;
  Payload<M>::put(envelope.payload, std::move(message));
  this_scheduler()->post(envelope);
}

/// Whether a send would have to wait. The actor is on this scheduler.
inline bool must_wait(AnyAddress to) {
  const ActorCell& cell = *to.cell();
  return cell.generation == to.generation() && cell.mailbox.full() && cell.mailbox.when_full() == WhenFull::wait;
}

caf::error error_of(AskError why);

/// Puts one ask of CAF's to the master and waits for the answer in the place of who asked.
template <class Query>
Actor carrier(Self<> self, Address<Ask<Query>> to, Query query, CafFaceHandle face, CafPromise promise) {
  struct Leaving {
    CafFaceHandle face;
    ~Leaving() { face->end_ask(); }
  } const leaving{face};
  auto asking = to.ask(std::move(query));
  const auto answer = co_await asking;
  if (answer) {
    promise.deliver(*answer);
  } else {
    if (answer.error() != AskError::stopped) face->count_bounced();
    promise.fail(error_of(answer.error()));
  }
  static_cast<void>(self);
}

template <class M, class... Ms>
Task<bool> carry_in(Address<Ms...> to, M message) {
  const bool carried = co_await to.send(std::move(message));
  co_return carried;
}

enum class Carried : std::uint8_t { no, yes, with_yield };

template <class... Ms>
class Porter {
 public:
  Porter(Self<CafWake, Down> self, CafFaceHandle face, Address<Ms...> to)
      : self_(self), face_(std::move(face)), to_(to) {}

  /// Takes the element if it can be dealt with without waiting; else gives a task that does. The porter lets others have
  /// a turn after an ask, so that the carrier puts it before the porter goes on.
  std::optional<Task<bool>> take(CafElement& element, bool& yield) {
    std::optional<Task<bool>> task;
    const CafKind kind = kind_of(*element);
    if (kind == CafKind::exit || kind == CafKind::down) {
      notice(*element, kind);
    } else if (!(as<Ms>(element, kind, task, yield) || ...)) {
      if constexpr (one_of<CafMessage, Ms...>) {
        CafPromise promise(face_.handle(), *element);
        hand_over(CafMessage(element->move_content_to_message(), std::move(promise)), task);
      } else {
        face_->unexpected(std::move(element));
      }
    }
    return task;
  }

 private:
  void notice(const caf::mailbox_element& element, CafKind kind) {
    if (kind == CafKind::exit) {
      if constexpr (one_of<CafExit, Ms...>) hand_over_control(to_, CafExit(exit_notice(element)));
    } else {
      if constexpr (one_of<CafDown, Ms...>) hand_over_control(to_, CafDown(down_notice(element)));
    }
  }

  template <class M>
  bool as(CafElement& element, CafKind kind, std::optional<Task<bool>>& task, bool& yield) {
    if constexpr (asked<M>) {
      using Query = typename QueryOf<M>::type;
      if (!holds<Query>(*element)) return false;
      if (!face_->begin_ask()) {
        face_->bounce_or_count(std::move(element), caf_mailbox_full());
        return true;
      }
      self_.spawn({.name = "caf carrier", .mailbox = {.capacity = 1}}, carrier<Query>, Address<Ask<Query>>(to_),
                  get<Query>(*element), face_, CafPromise(face_.handle(), *element));
      yield = true;
      return true;
    } else if constexpr (plain<M>) {
      if (!holds<M>(*element)) return false;
      if (kind == CafKind::request) {
        CafPromise promise(face_.handle(), *element);
        if (!must_wait(to_) && to_.send(get<M>(*element)).accepted()) {
          promise.deliver();
        } else {
          face_->count_bounced();
          promise.fail(to_.cell()->generation == to_.generation() ? caf_mailbox_full() : caf_receiver_gone());
        }
      } else {
        hand_over(M(get<M>(*element)), task);
      }
      return true;
    } else {
      return false;
    }
  }

  template <class M>
  void hand_over(M message, std::optional<Task<bool>>& task) {
    if (must_wait(to_)) {
      task.emplace(carry_in<M>(to_, std::move(message)));
    } else if (!to_.send(std::move(message)).accepted()) {
      face_->count_dead_letter();
    }
  }

  Self<CafWake, Down> self_;
  CafFaceHandle face_;
  Address<Ms...> to_;
};

template <class... Ms>
Actor porter(Self<CafWake, Down> self, CafFaceOwner owner, Address<Ms...> master) {
  constexpr std::uint32_t in_a_turn = 64;
  const CafFaceHandle& face = owner.face();
  Porter<Ms...> work(self, face, master);
  self.monitor(master);
  face->open(self.address(), master);
  bool woken = true;  // for what came before
  std::optional<Down> down;
  while (!down) {
    if (!woken) {
      auto message = co_await self.receive();
      if (!message) break;
      if (const Down* ended = std::get_if<Down>(&*message)) down = *ended;
    }
    woken = false;
    CafBatch batch = face->take_all();
    std::uint32_t taken = 0;
    for (CafElement element = batch.next(); element != nullptr; element = batch.next()) {
      face->took();
      bool yield = false;
      std::optional<Task<bool>> task = work.take(element, yield);
      if (task) {
        const bool carried = co_await std::move(*task);
        if (!carried) face->count_dead_letter();
      }
      if (yield || ++taken % in_a_turn == 0) co_await self.yield();
    }
  }
  if (down) face->close(face->reason_of(*down));
}

Actor clerk(Self<CafResponse, Ask<AwaitCaf>> self, std::shared_ptr<CafRequests> requests);

}  // namespace caf_detail

}  // namespace outcry
