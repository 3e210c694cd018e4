// Shared memory: one writer for each name, readers that outlive it and know what became of it.
#include <doctest/doctest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <new>
#include <optional>
#include <string>
#include <thread>

#include <outcry/runtime/sequence_lock.hpp>
#include <outcry/runtime/shared_memory.hpp>

using namespace outcry;

namespace {

using Kind = SharedMemoryError::Kind;
using Life = SharedMemoryWriterState::Life;

constexpr SharedMemoryLayout pairs{"pairs", 1};

struct Pair {
  std::uint64_t number{};
  std::uint64_t twice{};
};
using Content = SequenceLock<Pair>;

/// A name that nobody else has, gone at the end.
class Name {
 public:
  Name() : text_("test-" + std::to_string(getpid()) + "-" + std::to_string(++made_)) {}
  ~Name() { shm_unlink(("/outcry-" + text_).c_str()); }
  operator const std::string&() const { return text_; }  // NOLINT
  const std::string& text() const { return text_; }
  bool exists() const { return std::filesystem::exists("/dev/shm/outcry-" + text_); }

 private:
  static inline int made_ = 0;
  std::string text_;
};

struct Failure {
  Kind kind{};
  std::string sentence{};
};
/// What `make` was refused for; nothing: it was not.
template <class Make>
std::optional<Failure> failure_of(Make make) {
  try {
    make();
    return std::nullopt;
  } catch (const SharedMemoryError& error) {
    return Failure{error.kind(), error.what()};
  }
}

const Content& content_of(const SharedMemoryReader& reader) {
  return *std::launder(reinterpret_cast<const Content*>(reader.data()));
}

/// A child that writes pairs under the name until it is killed. Returns once it has written some.
pid_t fork_writer(const std::string& name) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      SharedMemoryWriter writer(name, pairs, sizeof(Content));
      auto* content = ::new (writer.data()) Content;
      writer.open();
      for (std::uint64_t number = 1;; ++number) {
        content->store({number, 2 * number});
        if (number % 1024 == 0) writer.beat();
      }
    } catch (...) {
      _exit(1);
    }
  }
  for (int i = 0; i < 60'000; ++i) {  // longer than any machine takes
    try {
      const SharedMemoryReader reader(name, pairs);
      if (reader.header().writer == child && content_of(reader).stores() > 1000) return child;
    } catch (const SharedMemoryError&) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  FAIL("the writer did not come up");
  return child;
}

void end(pid_t child) {
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
}

}  // namespace

TEST_CASE(
    "what a writer puts in shared memory is read by another mapping of it, and the name goes when the writer ends") {
  const Name name;
  std::optional<SharedMemoryReader> reader;
  {
    SharedMemoryWriter writer(name, pairs, sizeof(Content));
    auto* content = ::new (writer.data()) Content;
    writer.open();
    content->store({3, 6});

    reader.emplace(name, pairs);
    CHECK(reader->size() == sizeof(Content));
    CHECK(content_of(*reader).load()->twice == 6);
    CHECK(reader->writer().life == Life::writing);
    CHECK(reader->writer().process == getpid());
    const auto names = shared_memory_names();
    CHECK(std::count(names.begin(), names.end(), name.text()) == 1);

    content->store({4, 8});
    CHECK(content_of(*reader).load()->twice == 8);
  }

  CHECK(reader->writer().life == Life::ended);
  CHECK(content_of(*reader).load()->twice == 8);
  CHECK_FALSE(name.exists());
  const auto refused = failure_of([&] { SharedMemoryReader again(name, pairs); });
  REQUIRE(refused);
  CHECK(refused->kind == Kind::absent);
  CHECK(refused->sentence == "there is no shared memory " + name.text());
}

TEST_CASE("a file stays behind its writer, and the next writer takes its place") {
  const std::string file = std::filesystem::temp_directory_path() / ("outcry-test-" + std::to_string(getpid()));
  for (std::uint64_t round = 1; round <= 2; ++round) {
    {
      SharedMemoryWriter writer(file, pairs, sizeof(Content));
      auto* content = ::new (writer.data()) Content;
      content->store({round, 2 * round});
      writer.open();
    }
    const SharedMemoryReader reader(file, pairs);
    CHECK(content_of(reader).load()->number == round);
    CHECK(reader.writer().life == Life::ended);
  }
  std::filesystem::remove(file);
}

TEST_CASE("a reader of a writer that is killed says so and still reads what it left") {
  const Name name;
  const pid_t child = fork_writer(name);
  SharedMemoryReader reader(name, pairs);
  CHECK(reader.writer().life == Life::writing);
  CHECK(reader.writer().process == child);
  CHECK(reader.writer().silent_ns < 2'000'000'000);

  kill(child, SIGKILL);
  siginfo_t ended{};
  REQUIRE(waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT) ==
          0);  // dead, but its number still in use
  CHECK(reader.writer().life == Life::gone);
  end(child);

  CHECK(reader.writer().life == Life::gone);
  CHECK(reader.writer().process == child);
  // A kill may come in the middle of a store. Then what is there is half of it.
  const auto pair = content_of(reader).load();
  const Pair left = pair ? *pair : content_of(reader).leftover();
  CHECK(left.number > 1000);
  if (pair) CHECK(pair->twice == 2 * pair->number);
  CHECK(name.exists());
  const SharedMemoryReader late(name, pairs);
  CHECK(late.writer().life == Life::gone);
  CHECK(content_of(late).leftover().number == left.number);
}

TEST_CASE("a writer takes the name of one that was killed, and the readers of the old memory are told") {
  const Name name;
  end(fork_writer(name));
  const SharedMemoryReader old(name, pairs);
  REQUIRE(old.writer().life == Life::gone);
  const std::uint64_t left = content_of(old).leftover().number;

  SharedMemoryWriter writer(name, pairs, sizeof(Content));
  auto* content = ::new (writer.data()) Content;
  content->store({1, 2});
  writer.open();

  CHECK(old.writer().life == Life::replaced);
  CHECK(content_of(old).leftover().number == left);
  const SharedMemoryReader fresh(name, pairs);
  CHECK(fresh.writer().life == Life::writing);
  CHECK(content_of(fresh).load()->number == 1);
}

TEST_CASE("a second writer of a name is refused, with the number of the first, and the first does not notice") {
  const Name name;
  SUBCASE("of the same process") {
    SharedMemoryWriter writer(name, pairs, sizeof(Content));
    auto* content = ::new (writer.data()) Content;
    content->store({5, 10});
    writer.open();

    const auto refused = failure_of([&] { SharedMemoryWriter second(name, pairs, sizeof(Content)); });

    REQUIRE(refused);
    CHECK(refused->kind == Kind::in_use);
    CHECK(refused->sentence == "the shared memory " + name.text() + " is being written by process " +
                                   std::to_string(getpid()) + "; there can be one writer only");
    const SharedMemoryReader reader(name, pairs);
    CHECK(reader.writer().life == Life::writing);
    CHECK(content_of(reader).load()->number == 5);
  }
  SUBCASE("of another process") {
    const pid_t child = fork_writer(name);
    const auto refused = failure_of([&] { SharedMemoryWriter second(name, pairs, sizeof(Content)); });
    const SharedMemoryReader reader(name, pairs);
    const Life life = reader.writer().life;
    end(child);

    REQUIRE(refused);
    CHECK(refused->kind == Kind::in_use);
    CHECK(refused->sentence.find("process " + std::to_string(child)) != std::string::npos);
    CHECK(life == Life::writing);
  }
}

TEST_CASE("of writers that come for one name at once exactly one gets it") {
  const Name name;
  for (int round = 0; round < 50; ++round) {
    if (round % 2 == 1) {  // with a leftover to be replaced
      const int file = shm_open(("/outcry-" + name.text()).c_str(), O_CREAT | O_RDWR, 0644);
      REQUIRE(file >= 0);
      close(file);
    }
    std::atomic<int> ready{0}, got{0}, refused{0}, over{0};
    std::vector<std::thread> writers;
    for (int i = 0; i < 3; ++i)
      writers.emplace_back([&] {
        ready.fetch_add(1);
        while (ready.load() < 3) std::this_thread::yield();
        try {
          SharedMemoryWriter writer(name, pairs, sizeof(Content));
          got.fetch_add(1);
          over.fetch_add(1);
          while (over.load() < 3) std::this_thread::yield();  // nobody lets go before all have tried
        } catch (const SharedMemoryError& error) {
          if (error.kind() == Kind::in_use) refused.fetch_add(1);
          over.fetch_add(1);
        }
      });
    for (std::thread& writer : writers) writer.join();
    CHECK(got == 1);
    CHECK(refused == 2);
    CHECK_FALSE(name.exists());
  }
}

TEST_CASE("memory of another version, of another kind, or half made is refused with a sentence that says which") {
  const Name name;
  const auto refusal = [&](SharedMemoryLayout wanted) {
    const auto refused = failure_of([&] { SharedMemoryReader reader(name, wanted); });
    REQUIRE(refused);
    return *refused;
  };
  SharedMemoryWriter writer(name, {"pairs", 2}, sizeof(Content));

  CHECK(refusal({"pairs", 2}).kind == Kind::unfinished);  // not open yet
  CHECK(refusal({"pairs", 2}).sentence == "the shared memory " + name.text() + " is still being made; try again");
  writer.open();
  CHECK_FALSE(failure_of([&] { SharedMemoryReader reader(name, {"pairs", 2}); }));
  CHECK(refusal({"pairs", 1}).kind == Kind::wrong_version);
  CHECK(refusal({"pairs", 1}).sentence ==
        "the shared memory " + name.text() + " has version 2 of the layout 'pairs'; this program reads version 1");
  CHECK(refusal({"triples", 2}).kind == Kind::not_ours);
  CHECK(refusal({"triples", 2}).sentence ==
        "the shared memory " + name.text() + " holds 'pairs', where 'triples' was expected");
}

TEST_CASE("a file that is something else is neither read nor overwritten") {
  const std::string file = std::filesystem::temp_directory_path() / ("outcry-test-letter-" + std::to_string(getpid()));
  std::ofstream(file) << "Dear reader, this is a letter.";

  const auto written = failure_of([&] { SharedMemoryWriter writer(file, pairs, sizeof(Content)); });
  const auto read = failure_of([&] { SharedMemoryReader reader(file, pairs); });

  REQUIRE(written);
  REQUIRE(read);
  CHECK(written->kind == Kind::not_ours);
  CHECK(written->sentence == "the file " + file + " exists and is something else; it was left alone");
  CHECK(read->kind == Kind::not_ours);
  std::string line;
  std::getline(std::ifstream(file), line);
  CHECK(line == "Dear reader, this is a letter.");
  std::filesystem::remove(file);
}

TEST_CASE(
    "names that cannot be, folders that are not there and sizes that do not fit are refused, and nothing is left "
    "behind") {
  for (const std::string bad : {"", "two words", "a\nb"}) {
    const auto refused = failure_of([&] { SharedMemoryWriter writer(bad, pairs, sizeof(Content)); });
    REQUIRE(refused);
    CHECK(refused->kind == Kind::bad_name);
  }
  const auto nowhere = failure_of([&] { SharedMemoryWriter writer("/nowhere/at/all", pairs, sizeof(Content)); });
  REQUIRE(nowhere);
  CHECK(nowhere->kind == Kind::absent);

  const Name name;
  const auto large = failure_of([&] { SharedMemoryWriter writer(name, pairs, std::size_t{1} << 50); });
  REQUIRE(large);
  CHECK(large->kind == Kind::no_room);
  CHECK_FALSE(name.exists());
}

TEST_CASE("writers and readers that come and go leave no file open and no memory mapped") {
  const auto open_files = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto mapped = [](const std::string& name) {
    std::ifstream maps("/proc/self/maps");
    std::size_t lines = 0;
    for (std::string line; std::getline(maps, line);) lines += line.find(name) != std::string::npos;
    return lines;
  };
  const Name name;
  const auto before = open_files();

  for (int round = 0; round < 20; ++round) {
    SharedMemoryWriter writer(name, pairs, sizeof(Content));
    writer.open();
    const SharedMemoryReader reader(name, pairs);
    (void)reader.writer();
    (void)failure_of([&] { SharedMemoryWriter second(name, pairs, sizeof(Content)); });
    (void)failure_of([&] { SharedMemoryReader other(name, {"other", 1}); });
    CHECK(mapped(name) == 2);
  }

  CHECK(open_files() == before);
  CHECK(mapped(name) == 0);
  CHECK_FALSE(name.exists());
}
