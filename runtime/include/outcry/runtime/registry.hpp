// Registry: actors by name, typed by the messages that they take.
//
//   Registry registry(runtime);                                     // before the run; copy it into who needs it
//   registry.announce("book", address);                             // the name means this actor from now on
//   auto finding = registry.find<Order>("book");                    // within an actor
//   const auto book = co_await finding;
//   if (book) book->send(Order{...}); else log(book.why());         // no such name, or it takes other messages
//
// The registry is an actor of its own: what is said to it travels over links like every message, so that a simulation
// finds the same on any number of schedulers. A name is free again when its actor has ended; news of that travels, too:
// an address found may be one of an actor that has just ended.
// Threads: announce() and forget() from any, in the live world; find() and claim() from within actors.
// Limits: a name has 1 to 31 characters. Names are as many as were given; each takes about 100 bytes.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/address.hpp>
#include <outcry/runtime/message.hpp>
#include <outcry/runtime/runtime.hpp>
#include <outcry/runtime/task.hpp>

namespace outcry {

/// The name of an actor, by value. Throws std::invalid_argument if it is empty or too long.
struct ActorName {
  static constexpr std::size_t longest = 31;
  char text[longest + 1] = {};

  ActorName() = default;
  ActorName(std::string_view name) {
    if (name.empty() || name.size() > longest)
      throw std::invalid_argument("an actor's name has 1 to 31 characters, not " + std::to_string(name.size()) + ": '" +
                                  std::string(name) + "'");
    name.copy(text, longest);
  }
  ActorName(const char* name) : ActorName(std::string_view(name)) {}
  ActorName(const std::string& name) : ActorName(std::string_view(name)) {}

  std::string_view view() const { return text; }
};

/// The types of messages that an actor takes; one for each list of types.
struct TakenTypes {
  const MessageType* const* first = nullptr;
  std::uint32_t count = 0;

  bool has(const MessageType* type) const {
    for (std::uint32_t i = 0; i < count; ++i)
      if (first[i] == type) return true;
    return false;
  }
};

namespace registry_detail {

template <class... Ms>
inline constexpr std::array<const MessageType*, sizeof...(Ms)> types{&message_type<Ms>...};
template <class... Ms>
inline constexpr TakenTypes taken{types<Ms...>.data(), sizeof...(Ms)};

/// What is said to the registry about a name: who it is, and what that actor takes. No actor: forget it.
struct Announce {
  ActorName name;
  AnyAddress actor{};
  const TakenTypes* types = nullptr;

  std::uint64_t digest() const { return hash_bytes(actor.cell() != nullptr, name.text, sizeof name.text); }
};
static_assert(sizeof(Announce) == inline_size);

struct Answer {
  AnyAddress actor{};
  const TakenTypes* types = nullptr;

  std::uint64_t digest() const { return actor.cell() != nullptr; }
};

struct Claim : Announce {
  using Reply = Answer;
};
struct Find {
  using Reply = Answer;
  ActorName name;
};

Actor registry(Self<Announce, Ask<Claim>, Ask<Find>, Ended> self);
std::string no_answer(std::string_view name);
std::string unknown(std::string_view name);
std::string other_type(std::string_view name, const TakenTypes& wanted, const TakenTypes& taken);

}  // namespace registry_detail

enum class FindError : std::uint8_t {
  none,
  unknown,     // no living actor has that name
  other_type,  // it takes other messages than were asked for
  no_answer,   // the registry did not answer in time, or has ended
};

/// What comes of a look-up: an address, or why there is none.
template <class... Ms>
class Found {
 public:
  explicit Found(Address<Ms...> address) : address_(address) {}
  Found(FindError error, std::string why) : error_(error), why_(std::move(why)) {}

  explicit operator bool() const { return error_ == FindError::none; }
  const Address<Ms...>& operator*() const { return address_; }
  const Address<Ms...>* operator->() const { return &address_; }
  FindError error() const { return error_; }
  /// A sentence for a log.
  const std::string& why() const { return why_; }

 private:
  Address<Ms...> address_;
  FindError error_ = FindError::none;
  std::string why_;
};

class Registry {
 public:
  Registry() = default;
  /// Starts the registry as an actor of site 0, or where `options` say; the runtime does not wait for its end.
  explicit Registry(Runtime& runtime, SpawnOptions options = {});

  explicit operator bool() const { return static_cast<bool>(to_); }

  /// `name` means this actor, whoever had it before, until it ends.
  template <class... Ms>
  void announce(ActorName name, const Address<Ms...>& actor) const {
    to_.send(registry_detail::Announce{name, actor, &registry_detail::taken<Ms...>});
  }
  void forget(ActorName name) const { to_.send(registry_detail::Announce{name}); }

  /// True if the name is this actor's now; false if a living actor has it, or there was no answer.
  template <class... Ms>
  Task<bool> claim(ActorName name, Address<Ms...> actor, Duration timeout = forever,
                   std::source_location where = std::source_location::current()) const {
    registry_detail::Claim claim;
    claim.name = name;
    claim.actor = actor;
    claim.types = &registry_detail::taken<Ms...>;
    auto asking = to_.ask(claim, timeout, where);
    const auto answer = co_await asking;
    co_return answer && answer->actor == AnyAddress(actor);
  }

  /// The actor of that name, if it takes (at least) these messages.
  template <class... Ms>
  Task<Found<Ms...>> find(ActorName name, Duration timeout = forever,
                          std::source_location where = std::source_location::current()) const {
    static_assert(sizeof...(Ms) > 0, "say which messages the actor shall take: find<Order>(...)");
    registry_detail::Find query;
    query.name = name;
    auto asking = to_.ask(query, timeout, where);
    const auto answer = co_await asking;
    if (!answer) co_return Found<Ms...>(FindError::no_answer, registry_detail::no_answer(name.view()));
    if (!answer->actor) co_return Found<Ms...>(FindError::unknown, registry_detail::unknown(name.view()));
    if (!(answer->types->has(&message_type<Ms>) && ...))
      co_return Found<Ms...>(FindError::other_type,
                             registry_detail::other_type(name.view(), registry_detail::taken<Ms...>, *answer->types));
    co_return Found<Ms...>(Address<Ms...>(answer->actor.cell(), answer->actor.generation()));
  }

  /// The registry itself, to monitor or stop it.
  AnyAddress actor() const { return to_; }

 private:
  Address<registry_detail::Announce, Ask<registry_detail::Claim>, Ask<registry_detail::Find>> to_;
};

}  // namespace outcry
