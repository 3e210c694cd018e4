// ItchFileWriter: ITCH messages into a file in BinaryFILE framing, as ItchFileReader reads it.
//
// Thread: one owner; writing may wait for the disk. What has failed once stays failed: end() says so.
// Limits: the file is whole only behind end(), which writes the end of the session.
#pragma once

#include <cstddef>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

#include <outcry/net/message_store.hpp>

namespace outcry {

class ItchFileWriter {
 public:
  /// Throws std::runtime_error that names the file if it cannot be made.
  explicit ItchFileWriter(std::string path);

  void write(std::span<const std::byte> message) noexcept;
  /// Requires: numbers of the store from `first` on.
  void write(const MessageStore& store, std::uint64_t first = 1) noexcept {
    for (std::uint64_t n = first; n < store.next_sequence(); ++n) write(store.message(n));
  }
  /// Throws std::runtime_error if anything was not written. Once.
  void end();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  bool failed_ = false;
};

}  // namespace outcry
