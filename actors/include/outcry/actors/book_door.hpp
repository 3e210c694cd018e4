// BookDoor: where threads that are no actors find the book of a running symbol, to read it while it works.
//
//     BookDoor door;                                     // outlives the runtime
//     runtime.spawn(symbol, SymbolOptions{.door = &door});
//     ...
//     if (const auto book = door.book()) BookReader reader(book);  // on any thread
//
// Thread: any. The symbol opens it once, when it begins; nothing of it is on the way of a command.
// Limits: live worlds only. In virtual time what another actor publishes is reached by message, and the door says
// refused.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include <outcry/book/book_reader.hpp>

namespace outcry {

class BookDoor {
 public:
  enum class State : std::uint8_t { waiting, open, refused };

  State state() const {
    const std::lock_guard lock(mutex_);
    return refused_ ? State::refused : book_ ? State::open : State::waiting;
  }
  /// Null unless it is open. A book that has ended stays here, and its readers say closed.
  std::shared_ptr<const SharedBook> book() const {
    const std::lock_guard lock(mutex_);
    return book_;
  }

  // The symbol's.

  void open(std::shared_ptr<const SharedBook> book) {
    const std::lock_guard lock(mutex_);
    book_ = std::move(book);
  }
  void refuse() {
    const std::lock_guard lock(mutex_);
    refused_ = true;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const SharedBook> book_;
  bool refused_ = false;
};

}  // namespace outcry
