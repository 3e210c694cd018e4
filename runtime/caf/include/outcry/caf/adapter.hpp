// Adapter: everything of CAF's that differs between its generations, for 0.17.6.
//
// What another generation needs is another body for what this file declares; the other files of this folder name only
// what all of them have (actor, actor_addr, error, sec, message, actor_system). In CAF 1.x: enqueue returns bool and takes
// a scheduler, cleanup is on_cleanup, on_destroy is force_close_mailbox and on_unreachable, a request's time-out is a
// scheduled message, inspect names its fields, and a message type has a number in a block. Not built here with 1.x.
// Thread: any, where not said otherwise.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/config.hpp>
#include <caf/error.hpp>
#include <caf/exit_reason.hpp>
#include <caf/local_actor.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_actor.hpp>
#include <caf/sec.hpp>
#include <caf/system_messages.hpp>

#if CAF_VERSION < 1700 || CAF_VERSION >= 1800
#error "outcry::caf is written for CAF 0.17; what another generation needs goes into this file"
#endif

namespace outcry {

using CafElement = caf::mailbox_element_ptr;
using CafHandle = caf::strong_actor_ptr;

/// Why CAF actors are told that a message of theirs was not taken.
inline caf::error caf_mailbox_full() { return caf::make_error(caf::sec::unavailable_or_would_block, "mailbox full"); }
inline caf::error caf_receiver_gone() { return caf::make_error(caf::sec::request_receiver_down); }
inline caf::error caf_failed(const std::string& what) { return caf::make_error(caf::sec::runtime_error, what); }

/// A type that CAF can carry: within the process, and to others if it was announced to the system's configuration.
template <class T>
concept CafCarried = caf::detail::is_serializable<T>::value || caf::allowed_unsafe_message_type<T>::value;

/// To be called for each message type that travels between processes, with the same name in each, before the system
/// is made.
template <class T>
void caf_announce(caf::actor_system_config& config, const char* name) {
  config.add_message_type<T>(name);
}

/// The body of an inspect function: the fields of a message in the order in which they travel.
template <class Inspector, class... Fields>
typename Inspector::result_type caf_fields(Inspector& inspector, const char* name, Fields&... fields) {
  return inspector(caf::meta::type_name(name), fields...);
}

// ---- what came from CAF

enum class CafKind : std::uint8_t { message, request, response, exit, down, info };

inline CafKind kind_of(const caf::mailbox_element& element) {
  if (element.mid.is_response()) return CafKind::response;
  const auto& content = element.content();
  if (content.match_elements<caf::exit_msg>()) return CafKind::exit;
  if (content.match_elements<caf::down_msg>()) return CafKind::down;
  if (content.match_elements<caf::sys_atom, caf::get_atom, std::string>()) return CafKind::info;
  return element.mid.is_request() ? CafKind::request : CafKind::message;
}

template <class M>
bool holds(const caf::mailbox_element& element) {
  return element.content().match_elements<M>();
}
template <class M>
const M& get(const caf::mailbox_element& element) {
  return element.content().get_as<M>(0);
}

struct CafNotice {
  caf::actor_addr source;
  caf::error reason;
};
inline CafNotice exit_notice(const caf::mailbox_element& element) {
  const auto& exit = get<caf::exit_msg>(element);
  return {exit.source, exit.reason};
}
inline CafNotice down_notice(const caf::mailbox_element& element) {
  const auto& down = get<caf::down_msg>(element);
  return {down.source, down.reason};
}
inline bool is_kill(const caf::error& reason) { return reason == caf::exit_reason::kill; }

inline std::uint64_t response_number(const caf::mailbox_element& element) {
  return element.mid.request_id().integer_value();
}

/// The words of an error, also of one that this system does not know.
inline std::string caf_text(const caf::actor_system& system, const caf::error& error) { return system.render(error); }

// ---- what goes to CAF

/// Who asked, and where the answer goes. An answer that nobody gave becomes an error when this is destroyed, so that no
/// asker waits for its time-out.
class CafPromise {
 public:
  CafPromise() = default;
  CafPromise(CafHandle self, caf::mailbox_element& element)
      : self_(std::move(self)), sender_(element.sender), id_(element.mid), stages_(std::move(element.stages)) {}
  CafPromise(CafPromise&& other) noexcept
      : self_(std::move(other.self_)),
        sender_(std::move(other.sender_)),
        id_(std::exchange(other.id_, caf::message_id())),
        stages_(std::move(other.stages_)) {
    other.sender_ = nullptr;
  }
  CafPromise& operator=(CafPromise&& other) noexcept {
    std::swap(self_, other.self_);
    std::swap(sender_, other.sender_);
    std::swap(id_, other.id_);
    std::swap(stages_, other.stages_);
    return *this;
  }
  ~CafPromise() {
    if (is_request()) fail(caf_receiver_gone());
  }

  const CafHandle& sender() const { return sender_; }
  /// Whether somebody waits; to a plain message the answer goes as a plain message.
  bool is_request() const { return sender_ != nullptr && id_.is_request() && !id_.is_answered(); }

  template <class... Ts>
  void deliver(Ts&&... values) {
    if (id_.is_request()) {
      respond(std::forward<Ts>(values)...);
    } else if constexpr (sizeof...(Ts) != 0) {
      if (sender_ != nullptr)
        sender_->enqueue(caf::make_mailbox_element(self_, caf::make_message_id(), {}, std::forward<Ts>(values)...),
                         nullptr);
    }
  }
  void fail(caf::error why) {
    if (id_.is_request()) respond(std::move(why));
  }

 private:
  template <class... Ts>
  void respond(Ts&&... values) {
    if (sender_ == nullptr || id_.is_answered()) return;
    CafHandle to = sender_;
    if (!stages_.empty()) {
      to = stages_.back();
      stages_.pop_back();
    }
    if (to != nullptr) {
      if constexpr (sizeof...(Ts) == 0) {
        to->enqueue(caf::make_mailbox_element(self_, id_.response_id(), std::move(stages_), caf::make_message()),
                    nullptr);
      } else {
        to->enqueue(
            caf::make_mailbox_element(self_, id_.response_id(), std::move(stages_), std::forward<Ts>(values)...),
            nullptr);
      }
    }
    id_.mark_as_answered();
  }

  CafHandle self_;
  CafHandle sender_;
  caf::message_id id_;
  caf::mailbox_element::forwarding_stack stages_;
};

/// What an actor of ours is in CAF's eyes. Made by make_caf_actor, never by a system's spawn.
class CafActor : public caf::local_actor {
 public:
  using signatures = caf::none_t;
  using behavior_type = caf::behavior;

  explicit CafActor(caf::actor_config& config) : caf::local_actor(config) {}

  using caf::local_actor::enqueue;
  void enqueue(CafElement element, caf::execution_unit*) final { arrived(std::move(element)); }
  void launch(caf::execution_unit*, bool, bool) final {}
  const char* name() const override { return "outcry actor"; }

  CafHandle handle() { return CafHandle(ctrl()); }
  caf::actor as_actor() { return caf::actor_cast<caf::actor>(handle()); }

  template <class Handle, class... Ts>
  void tell(const Handle& to, Ts&&... values) {
    if (auto* receiver = caf::actor_cast<caf::abstract_actor*>(to))
      receiver->enqueue(caf::make_mailbox_element(handle(), caf::make_message_id(), {}, std::forward<Ts>(values)...),
                        nullptr);
  }
  /// Asks under the number that new_number() gave: with it the answer comes back.
  template <class Handle, class... Ts>
  void request(std::uint64_t number, const Handle& to, Ts&&... values) {
    auto* receiver = caf::actor_cast<caf::abstract_actor*>(to);
    const caf::message_id id = caf::message_id(number).with_category(caf::message_id::normal_message_category);
    // A stand-in for an actor of a lost node drops what it is asked without a word.
    if (receiver == nullptr || receiver->getf(is_cleaned_up_flag | is_terminated_flag)) {
      enqueue(caf::make_mailbox_element(nullptr, id.response_id(), {}, caf_receiver_gone()), nullptr);
      return;
    }
    receiver->enqueue(caf::make_mailbox_element(handle(), id, {}, std::forward<Ts>(values)...), nullptr);
  }
  /// An error comes as the answer to `number` at that time, unless there was one before.
  void arm_timeout(std::uint64_t number, std::chrono::nanoseconds patience) {
    const caf::message_id id(number);
    auto& clock = home_system().clock();
    clock.set_request_timeout(clock.now() + patience, this, id.response_id());
  }
  void disarm_timeout(std::uint64_t number) {
    home_system().clock().cancel_request_timeout(this, caf::message_id(number).response_id());
  }

  void watch(const caf::actor& other) { monitor(other); }

 protected:
  /// On any thread; must not wait.
  virtual void arrived(CafElement element) = 0;

  void bounce_element(CafElement& element, const caf::error& why) {
    CafPromise(handle(), *element).fail(why);  // CAF's own bounce knows one error only
  }
  /// Answers what CAF's own tools ask about an actor.
  void tell_about_myself(caf::mailbox_element& element) {
    CafPromise promise(handle(), element);
    const auto& key = element.content().get_as<std::string>(2);
    if (key == "info") {
      promise.deliver(caf::ok_atom::value, key, handle(), std::string(name()));
    } else {
      promise.fail(caf::make_error(caf::sec::unsupported_sys_key));
    }
  }
  /// Monitors and links hear why, once.
  void end(caf::error reason) {
    if (cleanup(std::move(reason), nullptr)) unregister_from_system();
  }

  template <class Actor, class... Arguments>
  friend Actor* make_caf_actor(caf::actor_system& system, CafHandle& keep, Arguments&&... arguments);
};

template <class Actor, class... Arguments>
Actor* make_caf_actor(caf::actor_system& system, CafHandle& keep, Arguments&&... arguments) {
  caf::actor_config config;
  keep = caf::make_actor<Actor, CafHandle>(system.next_actor_id(), system.node(), &system, config,
                                           std::forward<Arguments>(arguments)...);
  auto* actor = static_cast<Actor*>(caf::actor_cast<caf::abstract_actor*>(keep));
  actor->register_at_system();  // the system ends after it
  return actor;
}

}  // namespace outcry
