// KillDesk: the actor that an operator asks to stop somebody, and to let him go on.
//
//   engage    whoever subscribed is told, and blocks at once; what is open is cancelled; then the file is written, and
//             the operator has his answer when it is on the disk. If it cannot be written, everything is blocked and
//             cancelled all the same, and the answer says that a restart would not remember it;
//             asked again, it tries again.
//   release   the file is written first: if that fails, nothing is released.
//
// It cancels by one MassCancel for each symbol and account. An order that a port sent just before it heard of it may
// reach the symbol behind that: so each port that is told cancels what its own account has, too, from where the order
// came, which is the order that mailboxes keep. Only then nothing survives.
//
// Thread: its scheduler. The file is written by a thread beside the schedulers.
// Limits: one thing at a time: while the file is written, others who ask wait, and no more than its mailbox holds.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <outcry/actors/kill_switch.hpp>
#include <outcry/actors/participant.hpp>
#include <outcry/runtime/actor.hpp>

namespace outcry {

struct KillAnswer {
  bool changed = false;             // false: it was so already, or it could not be done
  bool is_engaged = false;          // now
  std::array<char, 118> failure{};  // what the file did not take; empty: nothing went wrong

  std::string_view text() const { return failure.data(); }
};

struct EngageKill {
  using Reply = KillAnswer;
  KillScope scope{};
  std::array<char, 120> why{};  // ends with NUL

  static EngageKill because(const KillScope& scope, std::string_view why);
};
struct ReleaseKill {
  using Reply = KillAnswer;
  KillScope scope{};
};

/// What is engaged now. Travels in a box.
struct KillReport {
  KillReport() = default;
  std::vector<Engagement> engaged{};
};
struct KillQuery {
  using Reply = KillReport;
  std::uint32_t unused{};
};

/// What a port or gate is told. It looks up whether that is about its account.
struct KillChanged {
  KillScope scope{};
  std::uint32_t engaged = 0;  // 1: blocked from now on
};
static_assert(!travels_in_box<KillChanged>);

using KillAddress = Address<KillChanged>;

/// Everything that is engaged is told at once, then each change.
struct SubscribeKills {
  KillAddress address{};
};

using KillDeskAddress = Address<Ask<EngageKill>, Ask<ReleaseKill>, Ask<KillQuery>, SubscribeKills>;
using KillDeskSelf = Self<Ask<EngageKill>, Ask<ReleaseKill>, Ask<KillQuery>, SubscribeKills>;

struct KillDeskSetup {
  KillSwitch* state = nullptr;           // read from the file, with all accounts; outlives the actor, and is its alone
  std::string path{};                    // of the file; empty: nothing is remembered
  std::vector<SymbolAddress> symbols{};  // by SymbolId, from 0
};

Actor kill_desk(KillDeskSelf self, KillDeskSetup setup);

}  // namespace outcry
