// What the tests of the runtime share: messages that count themselves, and worlds to play in.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <outcry/runtime/runtime.hpp>
#include <outcry/runtime/task.hpp>

namespace scenario {

using namespace outcry;
using namespace std::chrono_literals;

/// What happened, in order. Actors of one site share one without locks.
using Events = std::vector<std::string>;

struct Number {
  std::int64_t value = 0;
};

/// Travels in a box, for it owns something.
class Text {
 public:
  Text() = default;
  explicit Text(std::string text) : text_(std::move(text)) {}
  const std::string& text() const { return text_; }
  std::uint64_t digest() const { return hash_bytes(0, text_.data(), text_.size()); }

 private:
  std::string text_;
};

/// Travels in a box and can only be moved.
class Parcel {
 public:
  Parcel() = default;
  explicit Parcel(std::int64_t value) : value_(std::make_unique<std::int64_t>(value)) {}
  std::int64_t value() const { return value_ ? *value_ : -1; }

 private:
  std::unique_ptr<std::int64_t> value_;
};

/// Travels in a box, for it is large.
struct Page {
  std::int64_t words[16] = {};
};

/// What RuntimeOptions says of a simulation with one site and no latency.
inline RuntimeOptions simulation(std::uint32_t schedulers = 1) {
  RuntimeOptions options;
  options.schedulers = schedulers;
  options.time = WorldTime::virtually;
  options.log = [](std::string_view) {};
  return options;
}

inline RuntimeOptions live(std::uint32_t schedulers = 1, IdlePolicy idle = IdlePolicy::sleep) {
  RuntimeOptions options;
  options.schedulers = schedulers;
  options.idle = idle;
  options.log = [](std::string_view) {};
  return options;
}

inline std::string at(Time time) { return std::to_string(to_ns(time)); }

}  // namespace scenario

namespace doctest {
template <>
struct StringMaker<scenario::Events> {
  static String convert(const scenario::Events& events) {
    std::string all = "\n";
    for (const std::string& event : events) all.append("    ").append(event).append("\n");
    return all.c_str();
  }
};
}  // namespace doctest
