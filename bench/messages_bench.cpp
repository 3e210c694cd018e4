// Messages between actors: ours and, where libcaf is installed, the same work by CAF in the same program, round by round
// in turn. A message is one hop; an ask is the question and its answer together.
//
// Both count and check what was delivered before a number is printed. Both start the clock inside an actor, after a
// warm-up, and stop it there; one core means one worker pinned to core 0, two cores mean two workers on cores 0 and 1.

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <outcry/runtime/runtime.hpp>

#if defined(OUTCRY_BENCH_CAF)
#include <caf/all.hpp>
#endif

#include "report.hpp"

namespace {

using outcry::Actor;
using outcry::Address;
using outcry::Ask;
using outcry::Runtime;
using outcry::Self;

constexpr int rounds = 9;
constexpr std::int64_t warm_up = 20'000;  // messages, in each round, before the clock is started
constexpr int senders = 4;
constexpr int receivers = 16;

double now_ns() {
  return static_cast<double>(std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

/// The time of each chunk of messages after the warm-up, on cache lines of its own.
struct alignas(128) Lap {
  static constexpr std::int64_t chunks = 100;

  explicit Lap(std::int64_t count) : messages(count), chunk(count / chunks) { ends.reserve(chunks + 1); }

  std::int64_t messages;
  std::int64_t chunk;
  std::int64_t counted = 0;
  std::int64_t next = warm_up;
  std::vector<double> ends;

  void count() {
    if (++counted == next) {
      ends.push_back(now_ns());
      next += chunk;
    }
  }
  bool complete() const { return counted == warm_up + messages && ends.size() == chunks + 1; }

  /// Nanoseconds a message, for each chunk.
  std::vector<double> chunks_ns(const char* what, double messages_counted_as_one = 1) const {
    if (!complete()) bench::Report::wrong(std::string(what) + ": not every message was delivered");
    std::vector<double> ns;
    for (std::size_t i = 1; i < ends.size(); ++i)
      ns.push_back((ends[i] - ends[i - 1]) / static_cast<double>(chunk) / messages_counted_as_one);
    return ns;
  }
};
using Chunks = std::vector<double>;

struct Ball {
  std::int64_t number;
};

struct Question {
  using Reply = Ball;
  std::int64_t number;
};

outcry::RuntimeOptions on_cores(std::uint32_t cores) {
  outcry::RuntimeOptions options;
  options.schedulers = cores;
  options.idle = outcry::IdlePolicy::spin;
  return options;
}

// ---- ours

struct PartnerIs {
  Address<Ball> address;
};

Actor player(Self<Ball, PartnerIs> self, Lap* lap, bool serves) {
  auto first = co_await self.receive();
  const Address<Ball> partner = std::get<PartnerIs>(*first).address;
  if (serves) partner.send(Ball{0});
  const std::int64_t last = 2 * (warm_up + lap->messages);
  while (auto message = co_await self.receive()) {
    const Ball ball = std::get<Ball>(*message);
    lap->count();
    if (ball.number + 1 < last) {
      partner.send(Ball{ball.number + 1});
    } else {
      partner.stop();
      break;
    }
  }
}

/// Each of the two counts every other message.
Chunks one_hop(const Lap (&laps)[2], const char* what) {
  if (!laps[1].complete()) bench::Report::wrong(std::string(what) + ": not every message was delivered");
  return laps[0].chunks_ns(what, 2);
}

Chunks ours_pingpong(std::uint32_t cores, std::int64_t messages) {
  Runtime runtime(on_cores(cores));
  Lap laps[2]{Lap(messages / 2), Lap(messages / 2)};
  auto one = runtime.spawn({.scheduler = 0}, player, &laps[0], true);
  auto two = runtime.spawn({.scheduler = static_cast<int>(cores) - 1}, player, &laps[1], false);
  two.send(PartnerIs{one});
  one.send(PartnerIs{two});
  runtime.run();
  return one_hop(laps, "ping-pong");
}

Actor counter(Self<Ball> self, Lap* lap, std::int64_t* sum, std::int64_t until) {
  for (std::int64_t taken = 0; taken < until;) {
    auto batch = co_await self.receive_batch(256);
    taken += batch.size();
    batch.each([&](Ball ball) {
      *sum += ball.number;
      lap->count();
    });
  }
}

Actor source(Self<> self, Address<Ball> to, std::int64_t messages) {
  for (std::int64_t i = 1; i <= messages; ++i) co_await to.send(Ball{i});
  static_cast<void>(self);
}

void check_sum(const char* what, std::int64_t sum, std::int64_t each, std::int64_t times) {
  if (sum != times * (each * (each + 1) / 2))
    bench::Report::wrong(std::string(what) + ": the messages were not the ones sent");
}

Chunks ours_fan_in(std::uint32_t cores, std::int64_t messages) {
  Runtime runtime(on_cores(cores));
  Lap lap(messages);
  std::int64_t sum = 0;
  const std::int64_t each = (messages + warm_up) / senders;
  auto to = runtime.spawn({.scheduler = 0, .mailbox = {.capacity = 4096}}, counter, &lap, &sum, each * senders);
  for (int i = 0; i < senders; ++i) runtime.spawn({.scheduler = static_cast<int>(cores) - 1}, source, to, each);
  runtime.run();
  check_sum("fan-in", sum, each, senders);
  return lap.chunks_ns("fan-in");
}

Actor spreader(Self<> self, std::vector<Address<Ball>> to, std::int64_t each) {
  for (std::int64_t i = 1; i <= each; ++i)
    for (const Address<Ball>& address : to) co_await address.send(Ball{i});
  static_cast<void>(self);
}

Chunks ours_fan_out(std::uint32_t cores, std::int64_t messages) {
  Runtime runtime(on_cores(cores));
  Lap lap(messages);
  std::int64_t sum = 0;
  const std::int64_t each = (messages + warm_up) / receivers;
  std::vector<Address<Ball>> to;
  for (int i = 0; i < receivers; ++i)
    to.push_back(runtime.spawn({.scheduler = 0, .mailbox = {.capacity = 1024}}, counter, &lap, &sum, each));
  runtime.spawn({.scheduler = static_cast<int>(cores) - 1}, spreader, to, each);
  runtime.run();
  check_sum("fan-out", sum, each, receivers);
  return lap.chunks_ns("fan-out");
}

Actor answerer(Self<Ask<Question>> self) {
  while (auto ask = co_await self.receive()) ask->reply(Ball{ask->query.number + 1});
}

Actor asker(Self<> self, Address<Ask<Question>> to, Lap* lap) {
  for (std::int64_t i = 0; i < warm_up + lap->messages; ++i) {
    const auto answer = co_await to.ask(Question{i});
    if (answer && answer->number == i + 1) lap->count();
  }
  to.stop();
  static_cast<void>(self);
}

Chunks ours_ask(std::uint32_t cores, std::int64_t messages) {
  Runtime runtime(on_cores(cores));
  Lap lap(messages);
  auto to = runtime.spawn({.scheduler = static_cast<int>(cores) - 1}, answerer);
  runtime.spawn({.scheduler = 0}, asker, to, &lap);
  runtime.run();
  return lap.chunks_ns("ask");
}

Actor short_lived(Self<Ball> self, Lap* lap) {
  co_await self.receive();
  lap->count();
}

Actor parent(Self<> self, Lap* lap) {
  for (std::int64_t i = 1; i <= warm_up + lap->messages; ++i) {
    self.spawn(short_lived, lap).send(Ball{i});
    if (i % 64 == 0) co_await self.yield();
  }
}

Chunks ours_spawn(std::int64_t messages) {
  Runtime runtime(on_cores(1));
  Lap lap(messages);
  runtime.spawn(parent, &lap);
  runtime.run();
  return lap.chunks_ns("spawn");
}

Actor idle(Self<Ball> self, std::int64_t* sum) {
  while (auto ball = co_await self.receive()) *sum += ball->number;
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double all = 0, resident = 0;
  statm >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double ours_idle_bytes(std::int64_t actors) {
  Runtime runtime(on_cores(1));
  std::int64_t sum = 0;
  Address<Ball> last;
  const double before = resident_bytes();
  for (std::int64_t i = 0; i < actors; ++i) last = runtime.spawn(idle, &sum);
  last.send(Ball{7});
  double used = 0;
  runtime.spawn(
      [](Self<> self, double* bytes, double start) -> Actor {
        co_await self.sleep(std::chrono::milliseconds(1));  // by now each has had its first turn and waits
        *bytes = resident_bytes() - start;
        self.runtime().stop();
      },
      &used, before);
  runtime.run();
  if (runtime.actors() < static_cast<std::uint64_t>(actors) || sum != 7) bench::Report::wrong("idle actors are gone");
  return used / static_cast<double>(actors);
}

// ---- CAF

#if defined(OUTCRY_BENCH_CAF)

/// CAF's threads inherit the cores of the thread that makes the system.
class OnCores {
 public:
  explicit OnCores(int cores) {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t wanted;
    CPU_ZERO(&wanted);
    for (int core = 0; core < cores; ++core) CPU_SET(core, &wanted);
    sched_setaffinity(0, sizeof wanted, &wanted);
  }
  ~OnCores() { sched_setaffinity(0, sizeof before_, &before_); }
  OnCores(const OnCores&) = delete;
  OnCores& operator=(const OnCores&) = delete;

 private:
  cpu_set_t before_{};
};

struct CafConfig : caf::actor_system_config {
  explicit CafConfig(int workers) { set("scheduler.max-threads", static_cast<std::size_t>(workers)); }
};

template <class Play>
void with_caf(int cores, Play play) {
  const OnCores pinned(cores);
  CafConfig config(cores);
  caf::actor_system system(config);
  play(system);
  system.await_all_actors_done();
}

// The ball goes back to who sent it, so that a message holds a number, as ours does.
caf::behavior caf_ball(caf::event_based_actor* self, Lap* lap) {
  const std::int64_t last = 2 * (warm_up + lap->messages);
  return {
      [=](std::int64_t number) {
        lap->count();
        const auto partner = caf::actor_cast<caf::actor>(self->current_sender());
        if (number + 1 < last) {
          self->send(partner, number + 1);
        } else {
          self->send_exit(partner, caf::exit_reason::user_shutdown);
          self->quit();
        }
      },
      [=](const caf::actor& partner) { self->send(partner, std::int64_t{0}); },
  };
}

Chunks caf_pingpong(int cores, std::int64_t messages) {
  Lap laps[2]{Lap(messages / 2), Lap(messages / 2)};
  with_caf(cores, [&](caf::actor_system& system) {
    auto one = system.spawn(caf_ball, &laps[0]);
    auto two = system.spawn(caf_ball, &laps[1]);
    caf::anon_send(one, two);
  });
  return one_hop(laps, "ping-pong of CAF");
}

caf::behavior caf_counter(caf::event_based_actor* self, Lap* lap, std::int64_t* sum, std::int64_t until) {
  auto taken = std::make_shared<std::int64_t>(0);
  return {[=](std::int64_t number) {
    *sum += number;
    lap->count();
    if (++*taken == until) self->quit();
  }};
}

/// Sends a part, then lets others have a turn: CAF's mailboxes have no bound.
caf::behavior caf_source(caf::event_based_actor* self, std::vector<caf::actor> to, std::int64_t each) {
  return {[=](std::int64_t first) {
    const std::int64_t last = std::min(each, first + 255);
    for (std::int64_t i = first; i <= last; ++i)
      for (const caf::actor& address : to) self->send(address, i);
    if (last == each) {
      self->quit();
    } else {
      self->send(self, last + 1);
    }
  }};
}

Chunks caf_fan_in(int cores, std::int64_t messages) {
  Lap lap(messages);
  std::int64_t sum = 0;
  const std::int64_t each = (messages + warm_up) / senders;
  with_caf(cores, [&](caf::actor_system& system) {
    auto to = system.spawn(caf_counter, &lap, &sum, each * senders);
    for (int i = 0; i < senders; ++i)
      caf::anon_send(system.spawn(caf_source, std::vector<caf::actor>{to}, each), std::int64_t{1});
  });
  check_sum("fan-in of CAF", sum, each, senders);
  return lap.chunks_ns("fan-in of CAF");
}

/// Each receiver counts and times its own messages, for CAF may run them on both cores, many of one at a time: so a round is
/// one chunk, from the end of the first warm-up to the last message.
Chunks caf_fan_out(int cores, std::int64_t messages) {
  const std::int64_t each = messages / receivers + warm_up;
  std::vector<Lap> laps(receivers, Lap(messages / receivers));
  std::vector<std::int64_t> sums(receivers);
  with_caf(cores, [&](caf::actor_system& system) {
    std::vector<caf::actor> to;
    for (std::size_t i = 0; i < receivers; ++i) to.push_back(system.spawn(caf_counter, &laps[i], &sums[i], each));
    caf::anon_send(system.spawn(caf_source, to, each), std::int64_t{1});
  });
  for (std::size_t i = 0; i < receivers; ++i) {
    check_sum("fan-out of CAF", sums[i], each, 1);
    if (!laps[i].complete()) bench::Report::wrong("fan-out of CAF: not every message was delivered");
  }
  double start = laps[0].ends.front(), stop = laps[0].ends.back();
  for (const Lap& lap : laps) {
    start = std::min(start, lap.ends.front());
    stop = std::max(stop, lap.ends.back());
  }
  // The last receiver's warm-up may fall into that time: the messages of all the others then do, too.
  return {(stop - start) / static_cast<double>(each * receivers - warm_up)};
}

caf::behavior caf_answerer(caf::event_based_actor*) {
  return {[](std::int64_t number) { return number + 1; }};
}

void caf_ask_next(caf::event_based_actor* self, const caf::actor& to, Lap* lap, std::int64_t number) {
  if (number == warm_up + lap->messages) {
    self->send_exit(to, caf::exit_reason::user_shutdown);
    return;
  }
  self->request(to, caf::infinite, number).then([=](std::int64_t answer) {
    if (answer == number + 1) lap->count();
    caf_ask_next(self, to, lap, number + 1);
  });
}

void caf_asker(caf::event_based_actor* self, const caf::actor& to, Lap* lap) { caf_ask_next(self, to, lap, 0); }

Chunks caf_ask(int cores, std::int64_t messages) {
  Lap lap(messages);
  with_caf(cores, [&](caf::actor_system& system) { system.spawn(caf_asker, system.spawn(caf_answerer), &lap); });
  return lap.chunks_ns("ask of CAF");
}

caf::behavior caf_short_lived(caf::event_based_actor* self, Lap* lap) {
  return {[=](std::int64_t) {
    lap->count();
    self->quit();
  }};
}

caf::behavior caf_parent(caf::event_based_actor* self, Lap* lap) {
  const std::int64_t until = warm_up + lap->messages;
  return {[=](std::int64_t first) {
    const std::int64_t last = std::min(until, first + 63);
    for (std::int64_t i = first; i <= last; ++i) self->send(self->spawn(caf_short_lived, lap), i);
    if (last == until) {
      self->quit();
    } else {
      self->send(self, last + 1);
    }
  }};
}

Chunks caf_spawn(std::int64_t messages) {
  Lap lap(messages);
  with_caf(1, [&](caf::actor_system& system) { caf::anon_send(system.spawn(caf_parent, &lap), std::int64_t{1}); });
  return lap.chunks_ns("spawn of CAF");
}

#endif

struct Result {
  double ours = 0;
  double caf = 0;
  double ratio() const { return caf / ours; }
};

double at(const Chunks& sorted, double part) {
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

void print(const char* who, const Chunks& sorted) {
  std::printf("   %s p10 %.1f  p50 %.1f  p90 %.1f", who, at(sorted, 0.1), at(sorted, 0.5), at(sorted, 0.9));
}

/// Both in turn; the medians of all chunks.
Result compare(const char* what, const std::function<Chunks()>& ours, const std::function<Chunks()>& caf) {
  Chunks ours_ns, caf_ns;
  for (int round = -1; round < rounds; ++round) {  // the first warms up the memory
    const Chunks one = ours();
    const Chunks other = caf ? caf() : Chunks{};
    if (round < 0) continue;
    ours_ns.insert(ours_ns.end(), one.begin(), one.end());
    caf_ns.insert(caf_ns.end(), other.begin(), other.end());
  }
  std::sort(ours_ns.begin(), ours_ns.end());
  std::sort(caf_ns.begin(), caf_ns.end());
  std::printf("  %s:", what);
  print("ours", ours_ns);
  if (caf) print("CAF", caf_ns);
  std::printf(" ns, %d rounds of %d chunks\n", rounds, static_cast<int>(Lap::chunks));
  return {at(ours_ns, 0.5), caf ? at(caf_ns, 0.5) : 0};
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("messages", argc, argv);
  std::string only;  // --only PREFIX of a name
  for (int i = 1; i + 1 < argc; ++i)
    if (std::string_view(argv[i]) == "--only") only = argv[i + 1];
  const auto wanted = [&](const std::string& name) { return name.starts_with(only); };

  if (wanted("idle_actor.bytes"))
    report.add("idle_actor.bytes", ours_idle_bytes(1'000'000), "bytes", bench::at_most(1'024));

#if defined(OUTCRY_BENCH_CAF)
#define BY_CAF(work) [] { return work; }
#else
#define BY_CAF(work) nullptr
  std::printf("  libcaf is not here: ours only\n");
#endif
  using Work = std::function<Chunks()>;
  using Target = std::optional<bench::Target>;
  const auto add = [&](const std::string& name, const Work& ours, const Work& caf, Target ns, Target ratio) {
    if (!wanted(name)) return;
    const Result result = compare(name.c_str(), ours, caf);
    report.add(name + ".ns", result.ours, "ns", ns);
    if (!caf) return;
    report.add(name + ".ratio_to_caf", result.ratio(), "ratio", ratio);
    report.add(name + ".caf_ns", result.caf, "ns");
  };

  add(
      "pingpong.same_core", [] { return ours_pingpong(1, 2'000'000); }, BY_CAF(caf_pingpong(1, 200'000)),
      bench::at_most(20), bench::at_least(25));
  add("fanin.same_core", [] { return ours_fan_in(1, 2'000'000); }, BY_CAF(caf_fan_in(1, 400'000)), bench::at_most(20),
      {});
  add("fanout.same_core", [] { return ours_fan_out(1, 1'900'000); }, BY_CAF(caf_fan_out(1, 800'000)),
      bench::at_most(20), {});
  add("ask.same_core", [] { return ours_ask(1, 1'000'000); }, BY_CAF(caf_ask(1, 100'000)), {}, bench::at_least(15));
  add("spawn", [] { return ours_spawn(500'000); }, BY_CAF(caf_spawn(50'000)), {}, bench::at_least(20));
  if (std::thread::hardware_concurrency() < 2) return report.finish();
  add("pingpong.two_cores", [] { return ours_pingpong(2, 200'000); }, BY_CAF(caf_pingpong(2, 200'000)),
      bench::at_most(300), {});
  add(
      "fanin.two_cores", [] { return ours_fan_in(2, 2'000'000); }, BY_CAF(caf_fan_in(2, 400'000)), bench::at_most(35),
      bench::at_least(5));
  add("fanout.two_cores", [] { return ours_fan_out(2, 1'900'000); }, BY_CAF(caf_fan_out(2, 800'000)),
      bench::at_most(35), {});
  add("ask.two_cores", [] { return ours_ask(2, 100'000); }, BY_CAF(caf_ask(2, 100'000)), {}, {});
  return report.finish();
}
