// A program with an event loop of its own, by epoll, that pumps the runtime on its one thread: a pipe brings it lines, it
// asks an actor about each, and the actor's answers come back between its own events.
//
//   build/release/bin/event_loop
#include <sys/epoll.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>

#include <outcry/runtime/runtime.hpp>

using namespace outcry;

struct Price {
  std::int64_t ticks;
};

// Says the best price so far, a moment after each new one.
Actor best_price(Self<Price> self) {
  std::int64_t best = 0;
  while (auto price = co_await self.receive()) {
    co_await self.sleep(std::chrono::milliseconds(1));
    best = std::max(best, price->ticks);
    std::printf("best of the prices up to %ld: %ld\n", static_cast<long>(price->ticks), static_cast<long>(best));
  }
}

int main() {
  Runtime runtime({.idle = IdlePolicy::sleep, .hosted_schedulers = 1});
  const auto best = runtime.spawn({.name = "best price"}, best_price);
  runtime.start();

  // The host's own source of events: another program would have sockets here.
  int line[2];
  if (pipe(line) != 0) return 1;
  std::thread market([write_end = line[1]] {
    for (const char price : {'3', '9', '5'}) {
      if (write(write_end, &price, 1) != 1) break;
    }
    close(write_end);
  });

  const int events = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  for (const int descriptor : {line[0], runtime.wake_fd()}) {
    event.data.fd = descriptor;
    epoll_ctl(events, EPOLL_CTL_ADD, descriptor, &event);
  }
  for (Polled polled = runtime.poll(); !polled.ended(); polled = runtime.poll()) {
    if (epoll_wait(events, &event, 1, polled.timeout_ms()) != 1 || event.data.fd != line[0]) continue;
    char digit = 0;
    if (read(line[0], &digit, 1) == 1) {
      best.send(Price{digit - '0'});
    } else {
      epoll_ctl(events, EPOLL_CTL_DEL, line[0], nullptr);
      best.stop();  // after what it has been sent
    }
  }
  runtime.join();
  market.join();
  close(events);
  close(line[0]);
}
// best of the prices up to 3: 3
// best of the prices up to 9: 9
// best of the prices up to 5: 9
