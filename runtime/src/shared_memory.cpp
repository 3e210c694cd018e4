// Shared memory: how a name is taken, found, and let go.
#include <outcry/runtime/shared_memory.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace outcry {

namespace {

using Kind = SharedMemoryError::Kind;

constexpr std::string_view prefix = "outcry-";
constexpr std::size_t longest_name = 200;
constexpr int tries_for_name = 100;

// ---- names

bool is_file(std::string_view name) { return name.find('/') != std::string_view::npos; }

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

/// "the shared memory nasdaq" or "the file runs/nasdaq", for sentences.
std::string what_is(const std::string& name) {
  return joined({is_file(name) ? "the file " : "the shared memory ", name});
}

void check_name(const std::string& name) {
  if (is_file(name)) return;
  const bool good = !name.empty() && name.size() <= longest_name && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
  if (!good)
    throw SharedMemoryError(Kind::bad_name,
                            joined({"'", name,
                                    "' cannot be the name of shared memory: expected letters, digits, '.', '_' and "
                                    "'-', or the path of a file, with a slash"}));
}

std::string object_of(const std::string& name) { return joined({"/", prefix, name}); }

int open_name(const std::string& name, int flags) {
  constexpr mode_t mode = 0644;  // others read
  return is_file(name) ? ::open(name.c_str(), flags | O_CLOEXEC, mode)
                       : ::shm_open(object_of(name).c_str(), flags | O_CLOEXEC, mode);
}

void unlink_name(const std::string& name) {
  if (is_file(name)) {
    ::unlink(name.c_str());
  } else {
    ::shm_unlink(object_of(name).c_str());
  }
}

[[noreturn]] void refuse(const std::string& name, const char* did, int error) {
  const Kind kind = error == ENOENT                                         ? Kind::absent
                    : error == ENOSPC || error == ENOMEM || error == EDQUOT ? Kind::no_room
                                                                            : Kind::system;
  throw SharedMemoryError(kind,
                          joined({what_is(name), " cannot be ", did, ": ", std::generic_category().message(error)}));
}

// ---- files

/// Closes what is not handed on.
class File {
 public:
  explicit File(int file) : file_(file) {}
  ~File() {
    if (file_ >= 0) ::close(file_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return file_; }
  int release() { return std::exchange(file_, -1); }

 private:
  int file_;
};

struct Identity {
  dev_t device;
  ino_t number;
  bool operator==(const Identity&) const = default;
};

std::optional<Identity> identity_of(int file) {
  struct stat status{};
  if (::fstat(file, &status) != 0) return std::nullopt;
  return Identity{status.st_dev, status.st_ino};
}

/// Of what has the name now; nothing: nothing has it.
std::optional<Identity> identity_of(const std::string& name) {
  const File file(open_name(name, O_RDONLY));
  return file.get() < 0 ? std::nullopt : identity_of(file.get());
}

std::size_t size_of(int file) {
  struct stat status{};
  return ::fstat(file, &status) == 0 ? static_cast<std::size_t>(status.st_size) : 0;
}

// The lock belongs to the open file, not to the process: it also keeps a second writer of the same process out, and
// closing another descriptor of the same file does not drop it.
bool lock(int file) {
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return ::fcntl(file, F_OFD_SETLK, &whole) == 0;
}

/// Whether someone else holds the lock; asks without taking it, so that no writer is refused because of a reader.
bool is_locked(int file) {
  struct flock whole{};
  whole.l_type = F_RDLCK;
  whole.l_whence = SEEK_SET;
  return ::fcntl(file, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

// ---- headers

std::int64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// In clock ticks since boot; zero where the system does not tell.
std::uint64_t start_of_this_process() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  // The second field is a name in parentheses and may hold anything; the start is the 20th behind it.
  const auto end = line.rfind(')');
  if (end == std::string::npos) return 0;
  const char* at = line.c_str() + end + 1;
  for (int field = 3; field < 22; ++field) {
    while (*at == ' ') ++at;
    while (*at != ' ' && *at != 0) ++at;
  }
  return std::strtoull(at, nullptr, 10);
}

void copy_layout_name(char (&to)[8], std::string_view name) {
  assert(name.size() <= sizeof to && "a layout's name has eight letters at most");
  std::memset(to, 0, sizeof to);
  std::memcpy(to, name.data(), name.size());
}

std::string text_of(const char (&layout)[8]) {
  return {layout, static_cast<std::size_t>(std::find(layout, layout + sizeof layout, '\0') - layout)};
}

/// The magic number of a file, zero where there is none. Read, not mapped: it may not be ours, and be cut short any
/// time.
std::uint64_t magic_of(int file) {
  std::uint64_t magic = 0;
  return ::pread(file, &magic, sizeof magic, 0) == sizeof magic ? magic : 0;
}

std::string process_of_writer(int file) {
  std::int64_t process = 0;
  if (::pread(file, &process, sizeof process, offsetof(SharedMemoryHeader, writer)) != sizeof process || process == 0)
    return "another process";
  return joined({"process ", std::to_string(process)});
}

/// Makes a new file under the name, ours alone to write. One that a dead writer left gives way; any other does not.
int take_name(const std::string& name) {
  for (int i = 0; i < tries_for_name; ++i) {
    File made(open_name(name, O_RDWR | O_CREAT | O_EXCL));
    if (made.get() >= 0) {
      // Another writer may have looked at it before it was locked, taken it for a leftover and removed it.
      if (lock(made.get()) && identity_of(name) == identity_of(made.get())) return made.release();
      continue;
    }
    if (errno != EEXIST) refuse(name, "made", errno);

    const File there(open_name(name, O_RDWR));
    if (there.get() < 0) {
      if (errno == ENOENT) continue;
      refuse(name, "replaced", errno);
    }
    if (!lock(there.get())) {
      if (errno != EAGAIN && errno != EACCES) refuse(name, "locked", errno);
      throw SharedMemoryError(Kind::in_use, joined({what_is(name), " is being written by ",
                                                    process_of_writer(there.get()), "; there can be one writer only"}));
    }
    if (size_of(there.get()) != 0 && magic_of(there.get()) != SharedMemoryHeader::magic_number &&
        magic_of(there.get()) != 0)
      throw SharedMemoryError(Kind::not_ours,
                              joined({what_is(name), " exists and is something else; it was left alone"}));
    // Whoever would put another file under the name had to lock this one first.
    if (identity_of(name) == identity_of(there.get())) unlink_name(name);
  }
  throw SharedMemoryError(Kind::in_use, joined({what_is(name), " is being taken by other writers again and again"}));
}

}  // namespace

// ---- mappings

SharedMapping::SharedMapping(SharedMapping&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      memory_(std::exchange(other.memory_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

SharedMapping& SharedMapping::operator=(SharedMapping&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(memory_, other.memory_);
  std::swap(size_, other.size_);
  return *this;
}

SharedMapping::~SharedMapping() {
  if (memory_ != nullptr) ::munmap(memory_, size_);
  if (file_ >= 0) ::close(file_);
}

SharedMapping SharedMapping::take(int file, std::size_t size, bool writable) {
  SharedMapping mapping;
  mapping.file_ = file;
  if (size == 0) return mapping;
  // The writer has its pages before it runs; readers get theirs as they read.
  void* memory = ::mmap(nullptr, size, writable ? PROT_READ | PROT_WRITE : PROT_READ,
                        MAP_SHARED | (writable ? MAP_POPULATE : 0), file, 0);
  if (memory == MAP_FAILED) return mapping;
  mapping.memory_ = static_cast<std::byte*>(memory);
  mapping.size_ = size;
  return mapping;
}

// ---- writers

SharedMemoryWriter::SharedMemoryWriter(std::string name, SharedMemoryLayout layout, std::size_t bytes)
    : name_(std::move(name)) {
  check_name(name_);
  const std::size_t size = sizeof(SharedMemoryHeader) + bytes;
  File file(take_name(name_));
  try {
    // Reserved, so that a full disk is an error here and not a signal in the middle of a market.
    if (const int error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(size)); error != 0) {
      if (error != EFBIG && error != ENOSPC) refuse(name_, "given its size", error);
      throw SharedMemoryError(Kind::no_room, joined({what_is(name_), " needs ", std::to_string((size >> 20) + 1),
                                                     " MiB, and there is no room for that"}));
    }
    mapping_ = SharedMapping::take(file.release(), size, true);
    if (mapping_.memory() == nullptr) refuse(name_, "mapped", errno);
  } catch (...) {
    unlink_name(name_);
    throw;
  }

  auto* header = ::new (mapping_.memory()) SharedMemoryHeader{};
  header->version = SharedMemoryHeader::header_version;
  header->layout_version = layout.version;
  copy_layout_name(header->layout, layout.name);
  header->size = size;
  header->writer = ::getpid();
  header->writer_start = start_of_this_process();
  header->created_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

SharedMemoryWriter::~SharedMemoryWriter() {
  header().ended.store(1, std::memory_order_release);
  if (!is_file(name_) && identity_of(name_) == identity_of(mapping_.file())) unlink_name(name_);
}

void SharedMemoryWriter::open() noexcept {
  beat();
  header().magic.store(SharedMemoryHeader::magic_number, std::memory_order_release);
}

void SharedMemoryWriter::beat() noexcept { header().heartbeat_ns.store(monotonic_ns(), std::memory_order_relaxed); }

// ---- readers

SharedMemoryReader::SharedMemoryReader(std::string name, SharedMemoryLayout layout) : name_(std::move(name)) {
  check_name(name_);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(250);
  for (;; std::this_thread::sleep_for(std::chrono::milliseconds(2))) {
    File file(open_name(name_, O_RDONLY));
    if (file.get() < 0) {
      if (errno == ENOENT) throw SharedMemoryError(Kind::absent, joined({"there is no ", what_is(name_).substr(4)}));
      refuse(name_, "opened", errno);
    }
    const std::size_t size = size_of(file.get());
    const std::uint64_t magic = magic_of(file.get());
    if (magic != 0 && magic != SharedMemoryHeader::magic_number)
      throw SharedMemoryError(Kind::not_ours, joined({what_is(name_), " is something else"}));
    if (magic != 0 && size >= sizeof(SharedMemoryHeader)) {
      mapping_ = SharedMapping::take(file.release(), size, false);
      if (mapping_.memory() == nullptr) refuse(name_, "mapped", errno);
      break;
    }
    if (std::chrono::steady_clock::now() < give_up) continue;
    throw SharedMemoryError(
        Kind::unfinished,
        joined({what_is(name_), is_locked(file.get()) ? " is still being made; try again"
                                                      : " was left unfinished by a writer that died"}));
  }

  const SharedMemoryHeader& found = header();
  (void)found.magic.load(std::memory_order_acquire);
  const auto version = [](std::uint32_t number) { return std::to_string(number); };
  if (found.version != SharedMemoryHeader::header_version)
    throw SharedMemoryError(Kind::wrong_version,
                            joined({what_is(name_), " has a header of version ", version(found.version),
                                    "; this program reads version ", version(SharedMemoryHeader::header_version)}));
  if (const std::string text = text_of(found.layout); text != layout.name)
    throw SharedMemoryError(Kind::not_ours,
                            joined({what_is(name_), " holds '", text, "', where '", layout.name, "' was expected"}));
  if (found.layout_version != layout.version)
    throw SharedMemoryError(Kind::wrong_version,
                            joined({what_is(name_), " has version ", version(found.layout_version), " of the layout '",
                                    layout.name, "'; this program reads version ", version(layout.version)}));
  if (found.size != mapping_.size())
    throw SharedMemoryError(Kind::not_ours, joined({what_is(name_), " has ", std::to_string(mapping_.size()),
                                                    " bytes, where its header says ", std::to_string(found.size)}));
}

SharedMemoryWriterState SharedMemoryReader::writer() const {
  using Life = SharedMemoryWriterState::Life;
  SharedMemoryWriterState state;
  state.process = header().writer;
  state.silent_ns = std::max<std::int64_t>(0, monotonic_ns() - header().heartbeat_ns.load(std::memory_order_relaxed));
  const bool locked = is_locked(mapping_.file());
  const auto named = identity_of(name_);
  if (named && named != identity_of(mapping_.file())) {
    state.life = Life::replaced;
  } else if (header().ended.load(std::memory_order_acquire) != 0) {
    state.life = Life::ended;
  } else {
    state.life = locked ? Life::writing : Life::gone;
  }
  return state;
}

std::vector<std::string> shared_memory_names() {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator at("/dev/shm", error), end; !error && at != end; at.increment(error)) {
    const std::string file = at->path().filename().string();
    if (file.starts_with(prefix)) names.push_back(file.substr(prefix.size()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace outcry
