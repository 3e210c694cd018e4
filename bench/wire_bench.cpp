// What a message over TCP costs on loopback: our actor with a Connection, against the least that there is, in the same
// program, round by round in turn: a thread that spins on read(), and a bare io_uring loop that spins. Then a venue's orders
// (wire_orders.cpp) and its market data (itch_out.cpp).
//
// A client on core 0 sends 64 bytes and spins until they are back; the server has core 1 to itself. Every echo is checked.

#include <liburing.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <outcry/runtime/connection.hpp>
#include <outcry/runtime/listener.hpp>
#include <outcry/runtime/runtime.hpp>
#include <outcry/runtime/tsc_clock.hpp>

#include "itch_out.hpp"
#include "report.hpp"
#include "wire_echo.hpp"
#include "wire_orders.hpp"

namespace {

using namespace outcry;

constexpr int rounds = 7;
constexpr int warm_up = 500;
constexpr int messages = 4'000;

/// Serves one connection to its end on core 1.
using Server = std::function<void(int descriptor)>;

void spins_on_read(int descriptor) {
  unsigned char bytes[4096];
  for (;;) {
    const ssize_t got = ::recv(descriptor, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return;
    if (got > 0 && ::send(descriptor, bytes, static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) return;
  }
}

/// Deferred task work, one receive for many into provided buffers, a registered file: what our ring uses, and nothing else.
void spins_on_ring(int descriptor) {
  constexpr unsigned count = 64;
  constexpr unsigned bytes = 4096;
  io_uring ring;
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
  parameters.cq_entries = 1024;
  if (io_uring_queue_init_params(64, &ring, &parameters) != 0) return spins_on_read(descriptor);
  io_uring_register_files(&ring, &descriptor, 1);
  void* pages =
      ::mmap(nullptr, count * sizeof(io_uring_buf), PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  auto* buffers = static_cast<io_uring_buf_ring*>(pages);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(pages);
  registration.ring_entries = count;
  io_uring_register_buf_ring(&ring, &registration, 0);
  io_uring_buf_ring_init(buffers);
  std::vector<unsigned char> memory(std::size_t{count} * bytes);
  for (unsigned i = 0; i < count; ++i)
    io_uring_buf_ring_add(buffers, &memory[std::size_t{i} * bytes], bytes, static_cast<unsigned short>(i), count - 1,
                          static_cast<int>(i));
  io_uring_buf_ring_advance(buffers, count);
  const auto receive = [&] {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring);
    io_uring_prep_recv_multishot(sqe, 0, nullptr, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT | IOSQE_FIXED_FILE;
    sqe->user_data = count;
  };
  receive();
  for (bool open = true; open;) {
    io_uring_submit_and_get_events(&ring);
    io_uring_cqe* cqe;
    unsigned head;
    unsigned seen = 0;
    io_uring_for_each_cqe(&ring, head, cqe) {
      ++seen;
      if (cqe->user_data < count) {  // sent: its buffer is free
        io_uring_buf_ring_add(buffers, &memory[cqe->user_data * bytes], bytes,
                              static_cast<unsigned short>(cqe->user_data), count - 1, 0);
        io_uring_buf_ring_advance(buffers, 1);
      } else if (cqe->res > 0) {
        const unsigned buffer = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
        io_uring_sqe* sqe = io_uring_get_sqe(&ring);
        io_uring_prep_send(sqe, 0, &memory[std::size_t{buffer} * bytes], static_cast<std::size_t>(cqe->res),
                           MSG_NOSIGNAL);
        sqe->flags |= IOSQE_FIXED_FILE;
        sqe->user_data = buffer;
        if ((cqe->flags & IORING_CQE_F_MORE) == 0) receive();
      } else {
        open = false;
      }
    }
    io_uring_cq_advance(&ring, seen);
  }
  io_uring_queue_exit(&ring);
  ::munmap(pages, count * sizeof(io_uring_buf));
}

/// Microseconds of each round trip to a server of plain calls.
std::vector<double> measure(int client) {
  std::vector<double> us;
  us.reserve(messages);
  for (int i = 0; i < warm_up + messages; ++i) {
    const std::int64_t begin = TscClock::system_ns();
    bench::round_trip(client, static_cast<std::uint64_t>(i));
    if (i >= warm_up) us.push_back(static_cast<double>(TscClock::system_ns() - begin) / 1e3);
  }
  return us;
}

std::vector<double> with(const Server& server) {
  std::uint16_t port = 0;
  const bench::Descriptor listener = bench::listen_anywhere(port);
  std::thread thread([&] {
    bench::pin_to_core(1);
    const bench::Descriptor accepted(::accept(listener.get(), nullptr, nullptr));
    const int on = 1;
    ::setsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    server(accepted.get());
  });
  std::vector<double> us;
  {
    const bench::Descriptor client = bench::connect_to(port);
    us = measure(client.get());
  }
  thread.join();
  return us;
}

Actor echoes(Self<> self, std::atomic<std::uint16_t>* port) {
  auto listener = Listener::open(self, Endpoint::loopback());
  if (!listener) bench::Report::wrong(listener.failure().text());
  port->store(listener->local().port());
  auto socket = co_await listener->accept();
  if (!socket) bench::Report::wrong(socket.failure().text());
  auto adopted = Connection::adopt(self, std::move(*socket));
  if (!adopted) bench::Report::wrong(adopted.failure().text());
  Connection& connection = *adopted;
  while (!connection.ended()) {
    co_await self.attend();
    connection.out().append(connection.in());
    connection.take(connection.in().size());
  }
}

std::vector<double> with_actor(IdlePolicy idle) {
  RuntimeOptions options;
  options.idle = idle;
  options.processors = {1};
  Runtime runtime(options);
  std::atomic<std::uint16_t> port{0};
  runtime.spawn(echoes, &port);
  runtime.start();
  while (port.load() == 0) std::this_thread::yield();
  std::vector<double> us;
  {
    const bench::Descriptor client = bench::connect_to(port.load());
    us = measure(client.get());
  }
  runtime.join();
  return us;
}

double at(std::vector<double>& us, double part) {
  std::sort(us.begin(), us.end());
  return us[static_cast<std::size_t>(part * static_cast<double>(us.size() - 1))];
}

/// The median round.
double middle(std::vector<double> of_rounds) { return at(of_rounds, 0.5); }

/// Gives the median of the bare ring, which waits as a venue that spins does.
double echo(bench::Report& report) {
  struct Series {
    const char* name;
    std::function<std::vector<double>()> play;
    std::vector<double> p50, p99;
  };
  std::vector<Series> all{
      {"echo.read", [] { return with(spins_on_read); }, {}, {}},
      {"echo.ring", [] { return with(spins_on_ring); }, {}, {}},
      {"echo", [] { return with_actor(IdlePolicy::spin); }, {}, {}},
      {"echo.sleeping", [] { return with_actor(IdlePolicy::sleep); }, {}, {}},
  };
  bench::pin_to_core(0);
  for (int round = 0; round < rounds; ++round) {
    for (Series& series : all) {
      std::vector<double> us = series.play();
      series.p50.push_back(at(us, 0.5));
      series.p99.push_back(at(us, 0.99));
    }
  }
  for (const Series& series : all) {
    report.add(std::string(series.name) + ".p50_us", middle(series.p50), "us");
    report.add(std::string(series.name) + ".p99_us", middle(series.p99), "us");
  }
  report.add("echo.ratio_to_read", middle(all[2].p50) / middle(all[0].p50), "times");
  report.add("echo.ratio_to_ring", middle(all[2].p50) / middle(all[1].p50), "times");
  return middle(all[1].p50);
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("wire", argc, argv);
  bench::wire_orders(report, echo(report));
  bench::measure_itch_out(report);
  return report.finish();
}
