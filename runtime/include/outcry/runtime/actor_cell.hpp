// ActorCell: what the runtime keeps of one actor. Users see it as Self from inside and as Address from outside.
//
// Cells are type-stable: they live in slabs of one scheduler and are used again for later actors under a new generation,
// so that an address of an actor that ended is noticed, never followed.
// Thread: the scheduler's, but for what never changes while the cell is in use (site, distance, mailbox limit), and what
// the watchdog looks at (id, where, name).
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <source_location>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <outcry/runtime/envelope.hpp>
#include <outcry/runtime/mailbox.hpp>
#include <outcry/runtime/random.hpp>
#include <outcry/runtime/time.hpp>

namespace outcry {

class Scheduler;
struct Site;
struct ActorCell;
struct SocketState;

/// What an actor awaits. The first two end with a message.
enum class Waiting : std::uint8_t {
  message,
  event,  // or something at one of its sockets
  nothing,
  time,
  reply,
  room,
  compute,
  work,
  children,
  channel,
  socket
};

constexpr bool wants_message(Waiting waiting) { return waiting <= Waiting::event; }

/// A coroutine that waits until a mailbox elsewhere has room for its message.
struct WaitingSender {
  enum class Outcome : std::uint8_t { waiting, delivered, gone };
  WaitingSender* older = nullptr;
  WaitingSender* newer = nullptr;
  struct RoomQueue* queue = nullptr;
  ActorCell* sender = nullptr;
  const MessageType* type = nullptr;
  Outcome outcome = Outcome::waiting;
  alignas(8) std::byte payload[inline_size];
};

/// Those who wait for room, first come first served.
struct RoomQueue {
  WaitingSender* first = nullptr;
  WaitingSender* last = nullptr;

  bool empty() const { return first == nullptr; }
  void push(WaitingSender& sender) {
    sender.queue = this;
    sender.older = last;
    sender.newer = nullptr;
    (last != nullptr ? last->newer : first) = &sender;
    last = &sender;
  }
  void remove(WaitingSender& sender) {
    (sender.older != nullptr ? sender.older->newer : first) = sender.newer;
    (sender.newer != nullptr ? sender.newer->older : last) = sender.older;
    sender.queue = nullptr;
  }
};

/// Where the answer to an ask is put.
struct ReplySlot {
  bool filled = false;
  alignas(8) std::byte payload[inline_size];
};

/// How many messages a sender may still put on its way to one mailbox.
struct Credit {
  std::uint32_t generation = 0;  // of the actor that it is for
  std::uint32_t available = 0;
  bool gone = false;     // the actor has ended
  WhenFull when_full{};  // of its mailbox, which lies where another processor writes
  RoomQueue waiting;
};

/// Asks that an actor has taken and neither answered nor passed on, so that the askers hear of its end. By asker: an
/// asker has one ask at a time. A table of open addressing; answered entries are swept out when it fills up.
class OpenAsks {
 public:
  struct Entry {
    ActorCell* asker = nullptr;
    std::uint32_t generation = 0;
    std::uint32_t ticket = 0;
    std::uint64_t order = 0;  // of the taking; zero: answered
  };

  void took(ActorCell* asker, std::uint32_t generation, std::uint32_t ticket) {
    if ((used_ + 1) * 2 > table_.size()) sweep();
    Entry& entry = place_of(asker);
    if (entry.asker == nullptr) ++used_;
    entry = {asker, generation, ticket, ++taken_};
  }

  void answered(ActorCell* asker, std::uint32_t ticket) {
    if (table_.empty()) return;
    if (Entry& entry = place_of(asker); entry.asker == asker && entry.ticket == ticket) entry.order = 0;
  }

  /// Oldest first.
  std::vector<Entry> open() const {
    std::vector<Entry> open;
    for (const Entry& entry : table_)
      if (entry.order != 0) open.push_back(entry);
    std::sort(open.begin(), open.end(), [](const Entry& a, const Entry& b) { return a.order < b.order; });
    return open;
  }

 private:
  Entry& place_of(ActorCell* asker) {
    const auto hash = reinterpret_cast<std::uintptr_t>(asker) * 0x9E3779B97F4A7C15u;
    for (std::size_t i = hash >> 32;; ++i) {
      Entry& entry = table_[i & (table_.size() - 1)];
      if (entry.asker == asker || entry.asker == nullptr) return entry;
    }
  }

  void sweep() {
    const std::vector<Entry> left = open();
    table_.assign(std::max<std::size_t>(8, std::bit_ceil(left.size() * 4 + 4)), Entry{});
    for (const Entry& entry : left) place_of(entry.asker) = entry;
    used_ = left.size();
  }

  std::vector<Entry> table_;
  std::size_t used_ = 0;
  std::uint64_t taken_ = 0;
};

/// A mailbox has room again for `messages`; zero: the actor has ended.
struct Room {
  ActorCell* mailbox;
  std::uint32_t generation;
  std::uint32_t messages;
};

/// Up to 23 characters. Its owner writes it; others may copy it meanwhile, and must see for themselves whether what they
/// got is whole.
class CellName {
 public:
  void set(std::string_view name) {
    Words words{};
    name.copy(reinterpret_cast<char*>(words.data()), sizeof words - 1);
    for (std::size_t i = 0; i < words.size(); ++i)
      std::atomic_ref(words_[i]).store(words[i], std::memory_order_relaxed);
  }
  const char* c_str() const { return reinterpret_cast<const char*>(words_.data()); }

  /// From any thread.
  void copy(char (&name)[24]) {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const std::uint64_t word = std::atomic_ref(words_[i]).load(std::memory_order_relaxed);
      std::memcpy(name + i * sizeof word, &word, sizeof word);
    }
  }

 private:
  using Words = std::array<std::uint64_t, 3>;
  Words words_{};
};

struct ActorCell {
  static constexpr std::size_t slab_size = 64 * 1024;

  // What every turn touches.
  ActorCell* next_ready = nullptr;
  std::coroutine_handle<> resume_point;  // the innermost coroutine of the actor
  std::uint32_t generation = 1;
  std::uint32_t wait_ticket = 0;  // counts waits: a timer or reply for an earlier one is ignored
  Waiting waiting = Waiting::nothing;
  bool queued = false;
  bool stopping = false;
  bool timed_out = false;
  bool timer_armed = false;
  bool timer_is_set = false;  // lies in the queue under timer_ticket, for timer_time, armed or not
  bool again = false;         // a task began or ended: resume resume_point before anybody else runs
  bool finished = false;      // the actor's own coroutine has ended
  bool killed = false;
  bool in_use = false;
  bool on_stack = false;    // runs, or is being taken down: nobody may destroy it under itself
  bool background = false;  // a live runtime does not wait for its end
  bool noticed = false;     // something happened at one of its sockets, or it was told to stop, since it last attended
  std::uint32_t timer_ticket = 0;
  Time timer_time{};
  Mailbox mailbox;
  RoomQueue room;                  // senders on this scheduler that wait for room in `mailbox`
  ActorCell* waits_for = nullptr;  // whose room it waits for, or did last

  // Virtual time.
  Site* site = nullptr;
  std::uint64_t id = 0;
  std::uint32_t sent = 0;
  std::uint32_t children = 0;
  std::uint64_t digest = 0;
  Duration distance{};
  Duration compute{};
  Time busy_until{};
  Random random{0};

  // An ask in progress.
  ReplySlot* reply_slot = nullptr;
  AskError reply_error = AskError::none;

  // The rest.
  std::coroutine_handle<> body;
  void* callable = nullptr;  // what the coroutine was made from; it may refer to its captures
  void (*destroy_callable)(void*) = nullptr;
  std::exception_ptr failure;
  std::source_location where;  // id, where and name: others look at them, with atomic_ref
  CellName name;

  struct Extras {
    struct Watcher {
      ActorCell* cell;
      std::uint32_t generation;
      bool by_address = false;  // wants an Ended, not a Down
    };
    struct Link {
      ActorCell* sender;
      std::uint32_t generation;
      std::uint32_t taken;
      std::uint32_t waiting;  // in the mailbox
    };
    std::vector<Watcher> watchers;
    std::vector<Watcher> linked;  // the other ends of its links
    bool traps = false;           // the end of an actor that it is linked to comes as a Down
    bool cut = false;             // an actor that it is linked to has ended, and it ends for that reason
    char cause[39] = {};          // what ended the first of them
    OpenAsks asks;
    std::vector<std::uint32_t> taken;  // messages taken for each sending scheduler, not yet credited
    std::vector<Link> links;           // the same for each sender, in virtual time
    std::unordered_map<ActorCell*, std::uint32_t> link_of;
    std::unordered_map<ActorCell*, Credit> credits;     // for what this actor sends, in virtual time
    std::unordered_map<ActorCell*, Time> last_arrival;  // nothing overtakes on a link with jitter
    SocketState* sockets = nullptr;                     // those that it has opened
  };
  std::unique_ptr<Extras> extras;

  void set_id(std::uint64_t number) { std::atomic_ref(id).store(number, std::memory_order_relaxed); }
  void awaits_at(std::source_location place) { std::atomic_ref(where).store(place, std::memory_order_relaxed); }

  Extras& more() {
    if (extras == nullptr) extras = std::make_unique<Extras>();
    return *extras;
  }

  Scheduler& scheduler() const {
    return **reinterpret_cast<Scheduler**>(reinterpret_cast<std::uintptr_t>(this) & ~(slab_size - 1));
  }
};

}  // namespace outcry
