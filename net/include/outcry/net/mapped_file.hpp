// MappedFile: an input file in memory, read only, paged in as it is read from front to back.
//
// Thread: any; the bytes never change.
// Limits: a regular file. Whoever makes it shorter while it is mapped ends the process (SIGBUS).
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace outcry {

class MappedFile {
 public:
  MappedFile() = default;
  /// Throws InputError if the file cannot be opened, is no regular file, or cannot be mapped. An empty file is none of
  /// these.
  explicit MappedFile(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace outcry
