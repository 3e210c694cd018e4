#include "fix_memory.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include <outcry/net/input_error.hpp>

namespace outcry {

namespace {

constexpr std::size_t digits = 20;

}  // namespace

FixMemory::FixMemory(const std::string& path, const std::string& sender, const std::string& target)
    : head_(fmt::format("outcry fix session, version 1, {} at {}, next message ", sender, target)) {
  if (path.empty()) return;
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0) throw std::system_error(errno, std::generic_category(), path + ": cannot be opened");
  std::string text(head_.size() + digits + 2, '\0');
  const ssize_t size = ::pread(file_, text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  if (text.empty()) {
    const std::string line = fmt::format("{}{:020}\n", head_, next_);
    failed_ = ::pwrite(file_, line.data(), line.size(), 0) != static_cast<ssize_t>(line.size());
    if (!failed_) return;
    const int why = errno;
    ::close(file_);
    throw std::system_error(why, std::generic_category(), path + ": cannot be written");
  }
  const char* const begin = text.data() + head_.size();
  const bool has_size = text.size() == head_.size() + digits + 1 && text.back() == '\n';
  const auto [end, error] = has_size ? std::from_chars(begin, begin + digits, next_) : std::from_chars_result{};
  if (has_size && text.starts_with(head_) && error == std::errc() && end == begin + digits && next_ != 0) return;
  ::close(file_);
  throw InputError({path, Place::Unit::line, 1}, "\"" + text.substr(0, text.find('\n')) + "\"",
                   "\"" + head_ + "\" and a number of 20 digits");
}

FixMemory::~FixMemory() {
  if (file_ >= 0) ::close(file_);
}

void FixMemory::keep(std::uint64_t next) {
  if (next == next_ && !failed_) return;
  next_ = next;
  if (file_ < 0) return;
  std::array<char, digits> text;
  fmt::format_to_n(text.data(), text.size(), "{:020}", next);
  failed_ = ::pwrite(file_, text.data(), text.size(), static_cast<off_t>(head_.size())) != ssize_t{digits};
}

}  // namespace outcry
