#include <outcry/net/mapped_file.hpp>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <outcry/net/input_error.hpp>

namespace outcry {
namespace {

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

[[noreturn]] void refuse(const std::string& path, std::string found) {
  throw InputError({path}, std::move(found), "a file that can be read");
}

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.number < 0) refuse(path, fmt::format("nothing that opens ({})", std::strerror(errno)));
  struct stat status{};
  if (::fstat(file.number, &status) != 0) refuse(path, fmt::format("no size ({})", std::strerror(errno)));
  if (S_ISDIR(status.st_mode)) refuse(path, "a directory");
  if (!S_ISREG(status.st_mode)) refuse(path, "a pipe or device");

  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) return;
  void* const mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (mapped == MAP_FAILED)
    refuse(path, fmt::format("{} bytes that cannot be mapped ({})", size_, std::strerror(errno)));
  ::madvise(mapped, size_, MADV_SEQUENTIAL);  // a hint: its failure changes nothing
  data_ = static_cast<const std::byte*>(mapped);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace outcry
