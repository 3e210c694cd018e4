// Result: what came of something that the world may refuse: a value, or a Failure that says what failed and why.
//
//   auto connection = co_await Connection::connect(self, venue);
//   if (!connection) self.runtime().log(connection.failure().text());
//
// Failures of the world are results, mistakes of a program are asserts and exceptions.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>

namespace outcry {

struct Failure {
  int code = 0;            // of the system (errno)
  const char* doing = "";  // static text

  /// "connect: Connection refused"
  std::string text() const;
  friend bool operator==(const Failure& a, const Failure& b) { return a.code == b.code; }
};

template <class T = void>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Failure failure) : failure_(failure) { assert(failure.code != 0 && "a failure without a code"); }

  explicit operator bool() const { return value_.has_value(); }
  /// Requires: there is a value.
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  /// Code zero: there is none.
  const Failure& failure() const { return failure_; }

 private:
  std::optional<T> value_;
  Failure failure_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Failure failure) : failure_(failure) { assert(failure.code != 0 && "a failure without a code"); }

  explicit operator bool() const { return failure_.code == 0; }
  const Failure& failure() const { return failure_; }

 private:
  Failure failure_;
};

}  // namespace outcry
