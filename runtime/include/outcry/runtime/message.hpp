// Message: what may be sent to an actor, and what the runtime knows about each type of it.
//
// A message is trivially copyable, or a class with constructors (GCC 12 destroys aggregates with non-trivial members
// twice when they are temporaries of a co_await expression). Up to inline_size bytes travel by value; a larger or
// non-trivial message travels in a box: one allocation where it is sent, freed where it is taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include <outcry/runtime/random.hpp>

namespace outcry {

inline constexpr std::size_t inline_size = 56;

enum class AskError : std::uint8_t {
  none,
  timed_out,
  refused,    // the mailbox was full
  gone,       // the actor has ended, or ended before it answered
  stopped,    // the actor would not take it any more; never said by the runtime itself
  cancelled,  // a stop token asked for it (stop_token.hpp)
};

template <class M>
concept Message = std::is_object_v<M> && std::is_nothrow_move_constructible_v<M> && std::is_nothrow_destructible_v<M> &&
                  (std::is_trivially_copyable_v<M> || !std::is_aggregate_v<M>);

template <class M>
inline constexpr bool travels_in_box = !std::is_trivially_copyable_v<M> || sizeof(M) > inline_size || alignof(M) > 8;

/// A rolling hash over bytes; equal on every machine of the same byte order.
inline std::uint64_t hash_bytes(std::uint64_t hash, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (; size >= 8; bytes += 8, size -= 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes, 8);
    hash = mix64(hash ^ word) + 0x9E3779B97F4A7C15u;
  }
  if (size > 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, size);
    hash = mix64(hash ^ word) + size;
  }
  return hash;
}

/// The part of a message that a run's digest covers: what the message says of itself with digest(), else all its bytes
/// but a trailing arrival_ns, else (padding, floating point, addresses of actors) nothing.
template <class M>
std::uint64_t digest_of(const M& message) {
  if constexpr (requires {
                  { message.digest() } -> std::convertible_to<std::uint64_t>;
                }) {
    return message.digest();
  } else if constexpr (std::has_unique_object_representations_v<M>) {
    std::size_t size = sizeof(M);
    if constexpr (requires { message.arrival_ns; }) size -= sizeof(message.arrival_ns);
    return hash_bytes(0, &message, size);
  } else {
    return 0;
  }
}

/// What the runtime needs to know of a message whose type it no longer sees. Its address identifies the type.
struct MessageType {
  std::string_view name;
  std::uint64_t name_hash;
  std::uint16_t payload_size;  // in a slot or an envelope
  std::uint64_t (*digest)(const void* payload);
  // Messages of one key replace each other under WhenFull::latest; null: never.
  std::uint64_t (*key)(const void* payload);
  void (*destroy)(void* payload) noexcept;               // null: nothing to do
  void (*bounce)(void* payload, AskError why) noexcept;  // null: nobody waits for an answer
};

template <class M>
constexpr std::string_view name_of_type() {
  std::string_view all = __PRETTY_FUNCTION__;  // "... [M = name]" or "... [with M = name; ...]"
  const auto begin = all.find("M = ") + 4;
  return all.substr(begin, all.find_first_of("];", begin) - begin);
}

constexpr std::uint64_t hash_of_name(std::string_view name) {
  std::uint64_t hash = 0;
  for (const char letter : name) hash = mix64(hash ^ static_cast<unsigned char>(letter)) + name.size();
  return hash;
}

/// A message that somebody waits to have answered.
template <class M>
concept Answered = requires(const M& message, AskError why) { message.bounce(why); };

/// How a message lies in the bytes of a slot.
template <class M>
struct Payload {
  static void put(void* payload, M&& message) noexcept(!travels_in_box<M>) {
    if constexpr (travels_in_box<M>) {
      auto* box = new M(std::move(message));
      std::memcpy(payload, &box, sizeof box);
    } else {
      std::memcpy(payload, &message, sizeof message);
    }
  }

  static M* in(void* payload) {
    if constexpr (travels_in_box<M>) {
      M* box;
      std::memcpy(&box, payload, sizeof box);
      return box;
    } else {
      return std::launder(static_cast<M*>(payload));
    }
  }
  static const M* in(const void* payload) { return in(const_cast<void*>(payload)); }

  /// Leaves the payload without a message.
  static M take(void* payload) noexcept {
    if constexpr (travels_in_box<M>) {
      const std::unique_ptr<M> box(in(payload));
      return std::move(*box);
    } else {
      return *in(payload);
    }
  }
};

namespace message_detail {

template <class M>
constexpr MessageType describe() {
  MessageType type{};
  type.name = name_of_type<M>();
  type.name_hash = hash_of_name(type.name);
  type.payload_size = travels_in_box<M> ? sizeof(void*) : (sizeof(M) + 7) / 8 * 8;
  type.digest = [](const void* payload) { return digest_of(*Payload<M>::in(payload)); };
  if constexpr (requires(const M& m) { m.conflation_key(); }) {
    type.key = [](const void* payload) -> std::uint64_t { return Payload<M>::in(payload)->conflation_key(); };
  } else if constexpr (!Answered<M>) {  // all of one type have one key
    type.key = [](const void*) -> std::uint64_t { return 0; };
  }
  if constexpr (travels_in_box<M>) type.destroy = [](void* payload) noexcept { delete Payload<M>::in(payload); };
  if constexpr (Answered<M>)
    type.bounce = [](void* payload, AskError why) noexcept { Payload<M>::in(payload)->bounce(why); };
  return type;
}

}  // namespace message_detail

template <Message M>
inline constexpr MessageType message_type = message_detail::describe<M>();

}  // namespace outcry
