// The CAF face: what a message and an ask cost through it, beside the same between two actors of CAF's, and over a socket
// to another process of this program (bench_caf serve). Works in turn within each round; every answer is checked.
//
// CAF has one worker, which does not sleep (its default sleeps 50 us between looks, which an ask would wait for), and one
// scheduler of ours spins: two processors. So CAF's own actors share their worker, and ours are across threads from them.

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include <outcry/caf/node.hpp>
#include <outcry/caf/stage.hpp>
#include <outcry/runtime/runtime.hpp>

#include "report.hpp"

extern char** environ;

namespace {

using namespace std::chrono_literals;
using namespace outcry;

constexpr int rounds = 5;
constexpr std::int64_t sends = 200'000, asks = 10'000, remote_asks = 2'000, remote_sends = 50'000, window = 1'000;

double now_ns() {
  return static_cast<double>(std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

struct Tick {
  std::int64_t number = 0;
};
struct Question {
  using Reply = Tick;
  std::int64_t number = 0;
};
struct Finish {
  std::int64_t unused = 0;
};
template <class F>
typename F::result_type inspect(F& f, Tick& x) {
  return caf_fields(f, "Tick", x.number);
}
template <class F>
typename F::result_type inspect(F& f, Question& x) {
  return caf_fields(f, "Question", x.number);
}
template <class F>
typename F::result_type inspect(F& f, Finish& x) {
  return caf_fields(f, "Finish", x.unused);
}

void announce(caf::actor_system_config& config) {
  caf_announce<Tick>(config, "Tick");
  caf_announce<Question>(config, "Question");
  caf_announce<Finish>(config, "Finish");
}

Actor answers(Self<Tick, Ask<Question>, Finish> self) {
  std::int64_t last = 0;
  while (auto message = co_await self.receive()) {
    if (std::holds_alternative<Finish>(*message)) break;
    match(
        *message, [&](const Tick& tick) { last = tick.number; },
        [&](const Ask<Question>& ask) { ask.reply(Tick{ask.query.number < 0 ? last : ask.query.number + 1}); },
        [](const Finish&) {});
  }
}

caf::behavior caf_answers(caf::event_based_actor* self) {
  auto last = std::make_shared<std::int64_t>(0);
  return {[last](const Tick& tick) { *last = tick.number; },
          [last](const Question& question) { return Tick{question.number < 0 ? *last : question.number + 1}; },
          [self](const Finish&) { self->quit(); }};
}

void right(bool is_right, const char* what) {
  if (!is_right) bench::Report::wrong(what);
}

/// Sends with one ask behind each `in_flight` of them: the time for each message.
void stream_next(caf::event_based_actor* self, const caf::actor& to, std::int64_t from, std::int64_t count,
                 std::int64_t in_flight) {
  if (from > count) return self->quit();
  const std::int64_t last = std::min(count, from + in_flight - 1);
  for (std::int64_t i = from; i <= last; ++i) self->send(to, Tick{i});
  self->request(to, caf::infinite, Question{-1}).then([=](const Tick& tick) {
    right(tick.number == last, "a stream lost a message");
    stream_next(self, to, last + 1, count, in_flight);
  });
}

void run(caf::actor_system& system, const std::function<void(caf::event_based_actor*)>& work) {
  caf::scoped_actor self(system);
  self->spawn<caf::monitored>([&](caf::event_based_actor* me) { work(me); });
  self->receive([](const caf::down_msg&) {});
}

double stream(caf::actor_system& system, const caf::actor& to, std::int64_t count, std::int64_t in_flight) {
  const double begin = now_ns();
  run(system, [&](caf::event_based_actor* me) { stream_next(me, to, 1, count, in_flight); });
  return (now_ns() - begin) / static_cast<double>(count);
}

void ask_next(caf::event_based_actor* self, const caf::actor& to, std::int64_t left, std::vector<double>* ns) {
  if (left == 0) return self->quit();
  const double begin = now_ns();
  self->request(to, caf::infinite, Question{left}).then([=](const Tick& tick) {
    right(tick.number == left + 1, "a wrong answer");
    ns->push_back(now_ns() - begin);
    ask_next(self, to, left - 1, ns);
  });
}

std::vector<double> asked_by_caf(caf::actor_system& system, const caf::actor& to, std::int64_t count) {
  std::vector<double> ns;
  run(system, [&](caf::event_based_actor* me) { ask_next(me, to, count, &ns); });
  return ns;
}

Actor asks_out(Self<> self, CafSelf caf, caf::actor to, std::int64_t count, std::vector<double>* ns) {
  for (std::int64_t i = 1; i <= count; ++i) {
    const double begin = now_ns();
    auto asking = caf.ask(to, 60s, Question{i});
    const auto answer = co_await asking;
    right(answer && *answer && answer->get<Tick>().number == i + 1, "a wrong answer");
    ns->push_back(now_ns() - begin);
  }
  static_cast<void>(self);
}

Actor asks_natively(Self<> self, Address<Ask<Question>> to, std::int64_t count, std::vector<double>* ns) {
  const double begin = now_ns();
  for (std::int64_t i = 1; i <= count; ++i) {
    auto asking = to.ask(Question{i});
    const auto answer = co_await asking;
    right(answer && answer->number == i + 1, "a wrong answer");
  }
  ns->push_back((now_ns() - begin) / static_cast<double>(count));
  static_cast<void>(self);
}

double at(std::vector<double>& ns, double part) {
  std::sort(ns.begin(), ns.end());
  return ns[static_cast<std::size_t>(part * static_cast<double>(ns.size() - 1))];
}

int serve() {
  CafNode node({.announce = announce});
  Runtime runtime({.pin = false});
  CafStage stage(node.system(), runtime);
  const caf::actor handle =
      stage.face_of(runtime.spawn({.mailbox = {.capacity = 65'536}}, answers), {.lane = 1u << 20});
  const auto port = node.publish(handle, 0);
  if (!port) return 1;
  std::printf("%u\n", unsigned(*port));
  std::fflush(stdout);
  runtime.run();
  return 0;
}

/// This program as the other end of a socket.
struct Other {
  explicit Other(const char* program) {
    int ends[2];
    right(::pipe(ends) == 0, "no pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    std::string name = program, what = "serve";
    char* arguments[] = {name.data(), what.data(), nullptr};
    right(::posix_spawn(&process, program, &actions, nullptr, arguments, environ) == 0, "no other process");
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    char text[16] = {};
    right(::read(ends[0], text, sizeof text - 1) > 0, "the other process did not start");
    ::close(ends[0]);
    port = static_cast<std::uint16_t>(std::atoi(text));
  }
  ~Other() {
    ::kill(process, SIGKILL);
    ::waitpid(process, nullptr, 0);
  }
  pid_t process = 0;
  std::uint16_t port = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "serve") return serve();
  bench::Report report("caf", argc, argv);

  std::vector<double> send, caf_send, ask, caf_ask, ask_out, native, remote, remote_stream;
  {
    caf::actor_system_config config;
    config.set("scheduler.max-threads", std::size_t{1});
    config.set("work-stealing.aggressive-poll-attempts", std::size_t{1} << 40);
    caf::actor_system system(config);
    for (int round = -1; round < rounds; ++round) {
      Runtime runtime({.idle = IdlePolicy::spin, .pin = false});
      CafStage stage(system, runtime);
      const auto address = runtime.spawn({.mailbox = {.capacity = 65'536}}, answers);
      const caf::actor ours = stage.face_of(address, {.lane = 1u << 20});
      const caf::actor theirs = system.spawn(caf_answers);
      runtime.start();
      const double one = stream(system, ours, sends, sends), two = stream(system, theirs, sends, sends);
      std::vector<double> three = asked_by_caf(system, ours, asks), four = asked_by_caf(system, theirs, asks), five,
                          six;
      runtime.spawn(asks_natively, Address<Ask<Question>>(address), asks, &six);
      const auto asker = stage.spawn({}, asks_out, theirs, asks, &five);
      caf::scoped_actor self(system);
      self->monitor(asker.handle);
      self->receive([](const caf::down_msg&) {});
      caf::anon_send(theirs, Finish{});
      caf::anon_send(ours, Finish{});
      runtime.join();
      if (round < 0) continue;
      send.push_back(one);
      caf_send.push_back(two);
      ask.insert(ask.end(), three.begin(), three.end());
      caf_ask.insert(caf_ask.end(), four.begin(), four.end());
      ask_out.insert(ask_out.end(), five.begin(), five.end());
      native.insert(native.end(), six.begin(), six.end());
    }
  }
  report.add("local.send.ns", at(send, 0.5), "ns");
  report.add("local.send.ratio_to_caf", at(caf_send, 0.5) / at(send, 0.5), "ratio");
  report.add("local.ask.p50_ns", at(ask, 0.5), "ns");
  report.add("local.ask.p99_ns", at(ask, 0.99), "ns");
  report.add("local.ask.ratio_to_caf", at(caf_ask, 0.5) / at(ask, 0.5), "ratio");
  report.add("local.ask_out.p50_ns", at(ask_out, 0.5), "ns");
  report.add("local.ask.ratio_to_native", at(ask, 0.5) / at(native, 0.5), "ratio");

  Other other(argv[0]);
  CafNode node({.announce = announce});
  const auto far = node.connect("127.0.0.1", other.port);
  right(far.engaged(), "no connection");
  for (int round = -1; round < rounds; ++round) {
    Runtime runtime({.pin = false});
    CafStage stage(node.system(), runtime);
    std::vector<double> one;
    stage.spawn({}, asks_out, *far, remote_asks, &one);
    runtime.run();
    const double two = stream(node.system(), *far, remote_sends, window);
    if (round < 0) continue;
    remote.insert(remote.end(), one.begin(), one.end());
    remote_stream.push_back(two);
  }
  report.add("remote.ask.p50_us", at(remote, 0.5) / 1e3, "us");
  report.add("remote.ask.p99_us", at(remote, 0.99) / 1e3, "us");
  report.add("remote.send.per_s", 1e9 / at(remote_stream, 0.5), "messages/s");
  return report.finish();
}
