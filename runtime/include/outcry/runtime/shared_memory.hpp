// Shared memory: a region with a name that one process writes and any number of others map and read.
//
// A name like `nasdaq` is a POSIX shared memory object (on Linux /dev/shm/outcry-nasdaq), which goes when its writer
// ends; a name with a slash is a file, which stays. Both begin with a SharedMemoryHeader; behind it lies what the
// layout says, which must be made of lock-free atomics.
//
// One writer: it holds a lock of the kernel's on the region (F_OFD_SETLK) as long as it lives, so that a second writer
// is refused, and readers learn of the writer's death however it died; process numbers that are used again fool nobody.
// What a dead writer left stays readable, for those who have it mapped and for those who open it by name, until the
// next writer of that name puts a new region in its place: the old one is not written any more, and its readers are
// told.
//
// Threads: a writer or reader belongs to one thread at a time; beat() and the memory are for all.
// Errors: SharedMemoryError from constructors, with a sentence for people.
// Limits: the size is fixed. Who may write the file can also cut it short, and kills its readers with SIGBUS. A child
// that
//   a writer forks without exec keeps the lock. In another PID namespace the number of the writer means nothing.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace outcry {

/// What is behind a header: eight letters, and a number that changes whenever the bytes change their meaning.
struct SharedMemoryLayout {
  std::string_view name;  // at most 8
  std::uint32_t version = 1;
};

struct alignas(64) SharedMemoryHeader {
  static constexpr std::uint64_t magic_number = 0x1059'7263'7475'4F89;
  static constexpr std::uint32_t header_version = 1;

  std::atomic<std::uint64_t> magic;  // stored last, with release: readers that see it see the rest
  std::uint32_t version;             // of the header
  std::uint32_t layout_version;
  char layout[8];
  std::uint64_t size;          // of the region, header and all
  std::int64_t writer;         // its process number
  std::uint64_t writer_start;  // when that process began, in clock ticks since boot
  std::int64_t created_ns;     // time of day
  std::uint64_t unused;

  alignas(64) std::atomic<std::int64_t> heartbeat_ns;  // CLOCK_MONOTONIC
  std::atomic<std::uint32_t> ended;                    // 1: the writer went in good order
};
static_assert(sizeof(SharedMemoryHeader) == 128 && std::atomic<std::int64_t>::is_always_lock_free);

class SharedMemoryError : public std::runtime_error {
 public:
  enum class Kind : std::uint8_t {
    bad_name,
    absent,         // nothing has the name
    unfinished,     // a writer has not finished making it, or died at that
    not_ours,       // something else has the name
    wrong_version,  // of the header or of the layout
    in_use,         // another writer has it
    no_room,
    system,  // the system refused something else
  };

  SharedMemoryError(Kind kind, const std::string& sentence) : std::runtime_error(sentence), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

/// An open file with its memory; what writers and readers have in common.
class SharedMapping {
 public:
  SharedMapping() = default;
  SharedMapping(SharedMapping&& other) noexcept;
  SharedMapping& operator=(SharedMapping&& other) noexcept;
  ~SharedMapping();

  /// Maps the whole file; nothing is mapped if it is empty.
  static SharedMapping take(int file, std::size_t size, bool writable);

  int file() const { return file_; }
  std::byte* memory() const { return memory_; }
  std::size_t size() const { return size_; }

 private:
  int file_ = -1;
  std::byte* memory_ = nullptr;
  std::size_t size_ = 0;
};

class SharedMemoryWriter {
 public:
  /// Makes the region, all zero, with room for `bytes`, and takes the name for it. Readers find it once open() is
  /// called.
  SharedMemoryWriter(std::string name, SharedMemoryLayout layout, std::size_t bytes);
  /// Says that the writer has ended, and lets the name go unless it is a file's.
  ~SharedMemoryWriter();
  SharedMemoryWriter(const SharedMemoryWriter&) = delete;
  SharedMemoryWriter& operator=(const SharedMemoryWriter&) = delete;

  /// Room behind the header, aligned to 64 bytes.
  std::byte* data() const { return mapping_.memory() + sizeof(SharedMemoryHeader); }
  /// What is there from now on is for readers.
  void open() noexcept;
  /// Tells readers that the writer is not stuck.
  void beat() noexcept;

  const std::string& name() const { return name_; }

 private:
  SharedMemoryHeader& header() const { return *std::launder(reinterpret_cast<SharedMemoryHeader*>(mapping_.memory())); }

  std::string name_;
  SharedMapping mapping_;
};

/// What has become of the writer of a region.
struct SharedMemoryWriterState {
  enum class Life : std::uint8_t {
    writing,   // it lives
    ended,     // it said so
    gone,      // it died without a word
    replaced,  // another writer has put a new region under the name: open it again
  };
  Life life{};
  std::int64_t process = 0;
  std::int64_t silent_ns = 0;  // since its last beat
};

class SharedMemoryReader {
 public:
  /// Maps the region that has the name. Waits up to a quarter of a second for a writer that is just making it.
  SharedMemoryReader(std::string name, SharedMemoryLayout layout);

  const std::byte* data() const { return mapping_.memory() + sizeof(SharedMemoryHeader); }
  std::size_t size() const { return mapping_.size() - sizeof(SharedMemoryHeader); }
  /// Asks the kernel: some microseconds.
  SharedMemoryWriterState writer() const;

  const std::string& name() const { return name_; }
  const SharedMemoryHeader& header() const {
    return *std::launder(reinterpret_cast<const SharedMemoryHeader*>(mapping_.memory()));
  }

 private:
  std::string name_;
  SharedMapping mapping_;
};

/// The names of the shared memory objects that are ours, in order of the alphabet; files are not among them.
std::vector<std::string> shared_memory_names();

}  // namespace outcry
