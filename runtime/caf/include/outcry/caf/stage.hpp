// CafStage: where actors of a runtime get their faces in a CAF system.
//
//   caf::actor_system system(config);
//   Runtime runtime;
//   CafStage stage(system, runtime);
//   auto [symbol, handle] = stage.spawn({.name = "symbol"}, symbol_with_caf);   // Actor symbol_with_caf(Self<...>, CafSelf)
//   caf::actor book = stage.face_of(runtime.spawn(book_actor));                 // any actor, as it is
//
// The system is made before the runtime and outlives it: it waits for the faces, which end with their actors.
// Threads: any that may spawn in the runtime. Errors: std::logic_error in virtual time, where there is no CAF.
#pragma once

#include <algorithm>
#include <concepts>
#include <memory>
#include <stdexcept>
#include <utility>

#include <outcry/caf/face.hpp>
#include <outcry/runtime/runtime.hpp>

namespace outcry {

template <class AddressType>
struct CafSpawned {
  AddressType address;
  caf::actor handle;
};

namespace caf_detail {

template <class Signature>
struct SelfOfCafBody;
template <class... Ms, class... Arguments>
struct SelfOfCafBody<Actor (*)(Self<Ms...>, CafSelf, Arguments...)> {
  using type = Self<Ms...>;
  static constexpr auto takes = caf_detail::takes<Ms...>();
};

}  // namespace caf_detail

class CafStage {
 public:
  CafStage(caf::actor_system& system, Runtime& runtime) : system_(system), runtime_(runtime) {
    if (runtime.options().time != WorldTime::live)
      throw std::logic_error("in virtual time there is no CAF: what comes from its threads has no moment");
  }

  caf::actor_system& system() const { return system_; }
  Runtime& runtime() const { return runtime_; }

  /// Makes an actor that knows its own face: `body` is a function `Actor body(Self<...>, CafSelf, arguments...)`.
  template <class Body, class... Arguments>
  auto spawn(SpawnOptions options, CafOptions caf_options, Body body, Arguments... arguments) {
    using Signature = caf_detail::SelfOfCafBody<Body>;
    CafFaceHandle face(system_, caf_options, Signature::takes);
    auto requests = std::make_shared<CafRequests>();
    // Answers have room: there is one for each ask, and few that come too late.
    const MailboxOptions mailbox{.capacity = std::min(2 * caf_options.open_asks + 16, 0xFFFFFFu)};
    auto clerk =
        runtime_.spawn({.name = "caf clerk", .scheduler = options.scheduler, .site = options.site, .mailbox = mailbox},
                       caf_detail::clerk, requests);
    face->employ(clerk);
    auto master = runtime_.spawn(options, body, CafSelf(face, clerk, std::move(requests)), std::move(arguments)...);
    accompany(master, face);
    return CafSpawned<decltype(master)>{master, face->as_actor()};
  }
  template <class Body, class... Arguments>
    requires(!std::same_as<std::remove_cvref_t<Body>, CafOptions>)
  auto spawn(SpawnOptions options, Body body, Arguments... arguments) {
    return spawn(options, CafOptions{}, body, std::move(arguments)...);
  }

  /// A face for an actor that knows nothing of it. An actor may have several.
  template <class... Ms>
  caf::actor face_of(Address<Ms...> master, CafOptions caf_options = {}) {
    CafFaceHandle face(system_, caf_options, caf_detail::takes<Ms...>());
    accompany(master, face);
    return face->as_actor();
  }

 private:
  template <class... Ms>
  void accompany(Address<Ms...> master, CafFaceHandle face) {
    // On the master's own scheduler: there the porter sends without an atomic, and sees the mailbox.
    const auto scheduler = static_cast<int>(master.cell()->scheduler().index());
    runtime_.spawn({.name = "caf porter", .scheduler = scheduler}, caf_detail::porter<Ms...>,
                   CafFaceOwner(std::move(face)), master);
  }

  caf::actor_system& system_;
  Runtime& runtime_;
};

/// What the face of an actor has counted. Requires: `handle` is the handle of a face of this process.
CafCounters caf_counters(const caf::actor& handle);

}  // namespace outcry
