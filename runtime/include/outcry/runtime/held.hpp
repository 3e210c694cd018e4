// Held: the watchdog's words: an actor has kept its scheduler for longer than RuntimeOptions::hold_limit, and goes on.
//
// Told once for each turn, on the watchdog's thread. Schedulers read no clock for it.
// Limits: it is time that passed, also while the system gave the processor to somebody else; a little less than the truth.
#pragma once

#include <cstdint>
#include <source_location>
#include <string>

#include <outcry/runtime/time.hpp>

namespace outcry {

struct Held {
  std::uint32_t scheduler = 0;
  std::uint64_t actor = 0;  // Self::id()
  std::string name;
  Duration held{};
  std::source_location awaited{};  // where it last awaited; line 0: it has not yet
};

std::string to_string(const Held& held);

}  // namespace outcry
