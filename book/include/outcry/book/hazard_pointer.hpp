// Hazard pointers, with the interface of C++26 ([saferecl.hp]): a thread says which object it looks at, and what was
// retired is given back only when nobody looks at it.
//
//     hazard_pointer guard = make_hazard_pointer();      // may allocate; keep it
//     const Map* map = guard.protect(current);           // reader: never waits for the writer
//     ...                                                // until reset_protection() or the next protect()
//
//     Map* old = current.exchange(next);                 // writer, where Map : hazard_pointer_obj_base<Map>
//     old->retire();                                     // deleted here or later, at the earliest when nobody protects
//     it
//
// Why an object that is protected is not given back. A reader stores the pointer as its hazard and looks at the source
// again; a writer takes the pointer out of the source and then looks at the hazards; a sequentially consistent fence
// stands between the two steps of each. So at least one of them sees what the other did: the reader that the source has
// changed, and it lets go, or the writer the hazard, and it keeps the object. A reader lets go with a release that the
// writer's look acquires: all of its reads come before the deletion.
//
// Thread: all of it from any; one hazard_pointer belongs to one thread at a time. protect() repeats only if the source
// changed; retire() never waits for a reader.
// Limits: one domain for the program. A retire() looks at every hazard for every object that still waits: meant for
//   what is seldom retired. It may run deleters of objects that other threads retired. What is protected then is given
//   back by a later retire(), or by reclaim_retired(), which the standard does not have. The records of hazards are
//   used again, never freed.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace outcry {

namespace hazard_detail {

struct Hazard {
  std::atomic<const void*> object{nullptr};
  std::atomic<bool> taken{true};
  Hazard* next = nullptr;
};

struct Retired {
  Retired* next = nullptr;
  void (*reclaim)(Retired*) noexcept = nullptr;
};

/// Of the whole program. Never ends: readers may outlive whatever would end it.
struct Domain {
  std::atomic<Hazard*> hazards{nullptr};
  std::atomic<Retired*> retired{nullptr};

  Hazard* take() {
    for (Hazard* hazard = hazards.load(std::memory_order_acquire); hazard != nullptr; hazard = hazard->next)
      if (!hazard->taken.load(std::memory_order_relaxed) && !hazard->taken.exchange(true, std::memory_order_acquire))
        return hazard;
    auto* const fresh = new Hazard;
    fresh->next = hazards.load(std::memory_order_relaxed);
    while (!hazards.compare_exchange_weak(fresh->next, fresh, std::memory_order_release, std::memory_order_relaxed)) {
    }
    return fresh;
  }

  void push(Retired* first, Retired* last) noexcept {
    last->next = retired.load(std::memory_order_relaxed);
    while (!retired.compare_exchange_weak(last->next, first, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }

  bool is_protected(const Retired* object) const noexcept {
    for (const Hazard* hazard = hazards.load(std::memory_order_acquire); hazard != nullptr; hazard = hazard->next)
      if (hazard->object.load(std::memory_order_acquire) == object) return true;
    return false;
  }

  /// Gives back what nobody protects. Several threads may do so at once: each works on what it took off the list.
  void reclaim() noexcept {
    Retired* object = retired.exchange(nullptr, std::memory_order_acquire);
    std::atomic_thread_fence(std::memory_order_seq_cst);  // pairs with that of try_protect()
    while (object != nullptr) {
      Retired* const next = object->next;
      if (is_protected(object))
        push(object, object);
      else
        object->reclaim(object);
      object = next;
    }
  }
};

inline constinit Domain domain;

}  // namespace hazard_detail

/// Base of what can be retired.
template <class T, class D = std::default_delete<T>>
class hazard_pointer_obj_base : private hazard_detail::Retired {
 public:
  /// Requires: not retired before, and no longer to be found where protect() looks.
  void retire(D deleter = D()) noexcept {
    deleter_ = std::move(deleter);
    this->reclaim = [](hazard_detail::Retired* retired) noexcept {
      auto* const base = static_cast<hazard_pointer_obj_base*>(retired);
      D last = std::move(base->deleter_);
      last(static_cast<T*>(base));
    };
    hazard_detail::domain.push(this, this);
    hazard_detail::domain.reclaim();
  }

 protected:
  hazard_pointer_obj_base() = default;
  hazard_pointer_obj_base(const hazard_pointer_obj_base&) = default;
  hazard_pointer_obj_base(hazard_pointer_obj_base&&) = default;
  hazard_pointer_obj_base& operator=(const hazard_pointer_obj_base&) = default;
  hazard_pointer_obj_base& operator=(hazard_pointer_obj_base&&) = default;
  ~hazard_pointer_obj_base() = default;

 private:
  friend class hazard_pointer;
  static const hazard_detail::Retired* as_retired(const hazard_pointer_obj_base* object) noexcept { return object; }

  [[no_unique_address]] D deleter_;
};

class hazard_pointer {
 public:
  hazard_pointer() noexcept = default;
  hazard_pointer(hazard_pointer&& other) noexcept : hazard_(std::exchange(other.hazard_, nullptr)) {}
  hazard_pointer& operator=(hazard_pointer&& other) noexcept {
    hazard_pointer(std::move(other)).swap(*this);
    return *this;
  }
  ~hazard_pointer() {
    if (hazard_ == nullptr) return;
    reset_protection();
    hazard_->taken.store(false, std::memory_order_release);
  }

  [[nodiscard]] bool empty() const noexcept { return hazard_ == nullptr; }

  // Requires, from here on: not empty.

  /// What the source holds, protected from now on; null if it holds that.
  template <class T>
  T* protect(const std::atomic<T*>& source) noexcept {
    T* object = source.load(std::memory_order_relaxed);
    while (!try_protect(object, source)) {
    }
    return object;
  }

  /// Protects `object` if the source still holds it; else protects nothing, and `object` is what it holds now.
  template <class T>
  bool try_protect(T*& object, const std::atomic<T*>& source) noexcept {
    T* const expected = object;
    reset_protection(expected);
    std::atomic_thread_fence(std::memory_order_seq_cst);  // pairs with that of reclaim()
    object = source.load(std::memory_order_acquire);
    if (object == expected) return true;
    reset_protection();
    return false;
  }

  /// Protects `object`, if it is known that nobody has retired it yet; no longer what was protected before.
  template <class T>
  void reset_protection(const T* object) noexcept {
    hazard_->object.store(object != nullptr ? T::as_retired(object) : nullptr, std::memory_order_release);
  }
  void reset_protection(std::nullptr_t = nullptr) noexcept {
    hazard_->object.store(nullptr, std::memory_order_release);
  }

  void swap(hazard_pointer& other) noexcept { std::swap(hazard_, other.hazard_); }

 private:
  friend hazard_pointer make_hazard_pointer();
  hazard_detail::Hazard* hazard_ = nullptr;
};

/// Throws std::bad_alloc.
inline hazard_pointer make_hazard_pointer() {
  hazard_pointer made;
  made.hazard_ = hazard_detail::domain.take();
  return made;
}

inline void swap(hazard_pointer& a, hazard_pointer& b) noexcept { a.swap(b); }

/// Gives back everything that was retired and that nobody protects now: for a program that retires nothing more for a
/// while, or wants its memory resource back.
inline void reclaim_retired() noexcept { hazard_detail::domain.reclaim(); }

}  // namespace outcry
