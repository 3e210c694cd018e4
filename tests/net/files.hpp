// Files: the recorded markets that tests read, and those that a test writes for itself.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <outcry/net/itch.hpp>
#include <outcry/net/record_reader.hpp>

#include "tests/scratch.hpp"

namespace outcry::test {

using outcry_test::Scratch;

inline std::string data(std::string_view name) { return std::string(OUTCRY_DATA) + "/" + std::string(name); }

/// Prints why the test is skipped if one of the files is not there.
inline bool missing(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (std::filesystem::exists(data(name))) continue;
    std::printf("SKIPPED: no %s\n", data(name).c_str());
    return true;
  }
  return false;
}

inline std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <class Message>
std::string frame(const Message& message) {
  std::byte bytes[itch::largest_message + 2];
  const std::size_t size = itch::encode_frame(message, bytes);
  return {reinterpret_cast<const char*>(bytes), size};
}

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// Bytes that end where a page ends, with nothing mapped behind it: a read past the end faults in any build.
class AtPageEnd {
 public:
  explicit AtPageEnd(std::string_view bytes) : page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
    size_ = (bytes.size() / page_ + 2) * page_;
    base_ = static_cast<char*>(::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base_ == MAP_FAILED || ::mprotect(base_ + size_ - page_, page_, PROT_NONE) != 0) std::abort();
    text_ = {base_ + size_ - page_ - bytes.size(), bytes.size()};
    if (!bytes.empty()) std::memcpy(base_ + size_ - page_ - bytes.size(), bytes.data(), bytes.size());
  }
  AtPageEnd(const AtPageEnd&) = delete;
  AtPageEnd& operator=(const AtPageEnd&) = delete;
  ~AtPageEnd() { ::munmap(base_, size_); }
  std::string_view text() const { return text_; }

 private:
  std::size_t page_, size_;
  char* base_;
  std::string_view text_;
};

inline std::vector<HistoryEvent> read_all(RecordReader& reader) {
  std::vector<HistoryEvent> events;
  HistoryEvent batch[64];
  while (const std::size_t size = reader.read(batch)) events.insert(events.end(), batch, batch + size);
  return events;
}

}  // namespace outcry::test
