#include <outcry/actors/load_run.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include <outcry/net/soup_client.hpp>
#include <outcry/runtime/connection.hpp>
#include <outcry/runtime/tsc_clock.hpp>

namespace outcry {

namespace {

using Kind = SoupClientEvent::Kind;

constexpr Duration look_for_stop = std::chrono::milliseconds(50);
constexpr Duration retry_login = std::chrono::milliseconds(20);

LoadTimes empty_times() {
  const Histogram empty({.highest = 60'000'000'000, .significant_digits = 3});
  return {empty, empty, empty, empty, empty};
}

/// The connection is logged in and knows its numbers, or will never be.
struct LoadReady {
  std::uint32_t connection = 0;
};
/// Everyone begins at this moment.
struct LoadBegin {
  std::int64_t start_ns = 0;
};

/// What one connection leaves behind.
struct ClientResult {
  LoadCounts counts{};
  std::uint64_t sent = 0;
  std::uint64_t left_open = 0;
  std::uint64_t unanswered = 0;
  std::uint64_t breaks = 0;
  std::uint64_t lost = 0;
  std::int64_t last_answer_ns = 0;
  std::string wrong{};
};

}  // namespace

struct LoadRun::Shared {
  std::vector<LoadTimes> times{};  // by scheduler
  std::vector<ClientResult> results{};
  std::atomic<bool>* stop = nullptr;
  std::atomic<std::int64_t> start_ns{0};
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> answered{0};
  std::atomic<std::uint32_t> ready{0};
};

namespace {

/// One connection, from its first login to its logout; a new socket each time that one is lost.
class Client {
 public:
  enum class Stage : std::uint8_t { logging_in, asking_number, waiting, sending, finishing, cleaning_up, over };

  Client(const LoadOptions& options, std::uint32_t connection, LoadTimes& times, ClientResult& result,
         LoadRun::Shared& shared)
      : options_(options),
        connection_number_(connection),
        user_(options.user_of(connection)),
        times_(times),
        result_(result),
        shared_(shared),
        orders_(orders_of(options, connection), times),
        planned_(options.plan.messages_of(connection)) {}

  Stage stage() const { return stage_; }
  bool wants_socket() const { return !socket_ && stage_ != Stage::over; }
  std::int64_t next_try_ns() const { return next_try_ns_; }

  void connected(Connection socket, std::int64_t now_ns) {
    socket_.emplace(std::move(socket));
    soup_.emplace(SoupClientOptions{.version = soup::Version::v4_00}, now_ns);
    if (login_ns_ == 0) login_ns_ = now_ns;
    soup_->log_in({.user = user_, .password = options_.password, .sequence = next_sequence_}, socket_->out(), now_ns);
  }
  void not_connected(const Failure& failure, std::int64_t now_ns) {
    if (now_ns > give_up_ns(now_ns))
      return fail(fmt::format("cannot connect to {}: {}", options_.venue.text(), failure.text()));
    next_try_ns_ = now_ns + retry_login.count();
  }

  void begin(std::int64_t start_ns) {
    start_ns_ = start_ns;
    if (stage_ == Stage::waiting) stage_ = Stage::sending;
  }

  std::int64_t deadline(std::int64_t now_ns) const {
    std::int64_t next = now_ns + look_for_stop.count();
    if (soup_) next = std::min(next, soup_->deadline());
    if (stage_ == Stage::sending && sent_ < planned_) next = std::min(next, due_ns());
    if (stage_ == Stage::sending)
      if (const auto at = options_.plan.break_off(connection_number_, result_.breaks))
        next = std::min(next, start_ns_ + at->count());
    return next;
  }

  /// Everything that there is to do now.
  void turn(std::int64_t now_ns) {
    const bool stop = shared_.stop->load(std::memory_order_relaxed);
    if (stop && stage_ == Stage::sending) stage_ = Stage::finishing;
    if (stop && stage_ <= Stage::waiting) return over();
    if (!socket_) return;
    if (stage_ == Stage::sending) {
      const auto at = options_.plan.break_off(connection_number_, result_.breaks);
      if (at && now_ns >= start_ns_ + at->count()) return break_off(now_ns);
    }
    const bool deaf =
        stage_ == Stage::sending && options_.plan.is_deaf(connection_number_, Duration(now_ns - start_ns_));
    if (!deaf) read(now_ns);
    if (!socket_ || stage_ == Stage::over) return;
    if (stage_ == Stage::sending) send_due(now_ns);
    if (stage_ == Stage::finishing || stage_ == Stage::cleaning_up) finish(now_ns);
    if (socket_) look_at(soup_->poll(socket_->out(), now_ns), now_ns);
    if (socket_ && socket_->ended() && socket_->in().empty()) lost(now_ns);
  }

  Connection take_socket() {
    Connection socket = std::move(*socket_);
    socket_.reset();
    return socket;
  }
  bool has_socket() const { return socket_.has_value(); }

  void leave_result() {
    result_.counts = orders_.counts();
    result_.sent = sent_;
    result_.left_open = orders_.in_book();
    result_.unanswered = orders_.unacknowledged();
    if (result_.wrong.empty()) result_.wrong = orders_.wrong();
    if (!result_.wrong.empty()) result_.wrong = fmt::format("{}: {}", user_, result_.wrong);
  }

 private:
  static LoadOrdersOptions orders_of(const LoadOptions& options, std::uint32_t connection) {
    LoadOrdersOptions orders = options.orders;
    orders.scenario = options.plan.scenario;
    orders.seed = mix64(options.seed, connection);
    return orders;
  }

  std::int64_t due_ns() const { return start_ns_ + options_.plan.due(connection_number_, sent_).count(); }
  /// A login that was begun so long ago, and has not come to its end, never will.
  std::int64_t give_up_ns(std::int64_t now_ns) {
    if (login_ns_ == 0) login_ns_ = now_ns;
    return login_ns_ + options_.patience.count();
  }

  void fail(std::string sentence) {
    if (result_.wrong.empty()) result_.wrong = std::move(sentence);
    over();
  }
  void over() {
    stage_ = Stage::over;
    if (socket_ && soup_) soup_->log_out(socket_->out());
  }

  void read(std::int64_t now_ns) {
    std::span<const std::byte> rest = socket_->in();
    const std::uint64_t before = orders_.counts().acknowledged;
    while (stage_ != Stage::over) {
      const SoupClientEvent event = soup_->receive(rest, now_ns);
      if (!event) break;
      look_at(event, now_ns);
      if (!socket_) return;  // broken off from here: what was read is gone with it
    }
    socket_->take(socket_->in().size() - rest.size());
    if (const std::uint64_t answered = orders_.counts().acknowledged - before; answered != 0) {
      shared_.answered.fetch_add(answered, std::memory_order_relaxed);
      result_.last_answer_ns = now_ns;
    }
  }

  void look_at(const SoupClientEvent& event, std::int64_t now_ns) {
    switch (event.kind) {
      case Kind::none:
      case Kind::unsequenced: return;
      case Kind::accepted: return logged_in(now_ns);
      case Kind::message: return heard(event.message, now_ns);
      case Kind::rejected:
        // The venue may not have noticed yet that the connection before is gone.
        socket_.reset();
        next_try_ns_ = now_ns + retry_login.count();
        if (now_ns > give_up_ns(now_ns) || (logins_ == 0 && ++refusals_ > 20))
          fail(event.reason == soup::not_authorized ? "the venue does not let this user in"
                                                    : "the venue has no such session");
        return;
      case Kind::end_of_session: return fail("the venue has ended its session");
      case Kind::timed_out: return lost(now_ns);
      case Kind::broken: return fail(fmt::format("the venue sent what is no SoupBinTCP: {}", event.error.text()));
    }
  }

  void logged_in(std::int64_t now_ns) {
    times_.login.record(now_ns - login_ns_);
    login_ns_ = 0;
    next_sequence_ = soup_->next_sequence();
    ++orders_.counts().logins;
    if (logins_++ == 0) {
      stage_ = Stage::asking_number;
      soup_->send(bytes_of(ouch50::AccountQuery{}), socket_->out(), now_ns);
      return;
    }
    orders_.begin_again();
    std::uint32_t from = 0;
    while (const std::size_t size = orders_.next_again(message_, from))
      if (!soup_->send(std::span(message_).first(size), socket_->out(), now_ns)) break;  // the rest at the next one
  }

  template <class Message>
  static std::span<const std::byte> bytes_of(const Message& message) {
    return {reinterpret_cast<const std::byte*>(&message), sizeof message};
  }

  void heard(std::span<const std::byte> message, std::int64_t now_ns) {
    next_sequence_ = soup_->next_sequence();
    if (stage_ != Stage::asking_number) return orders_.heard(message, now_ns);
    const auto decoded = ouch50::decode_outbound(message);
    if (!decoded || decoded.message.type() != ouch50::AccountAnswer::code) return;
    const std::uint32_t first = decoded.message.as<ouch50::AccountAnswer>().next_user_ref;
    orders_.begin_at(std::max(first, 1u));
    stage_ = Stage::waiting;
  }

  void send_due(std::int64_t now_ns) {
    // A packet has a header in front of its message.
    constexpr std::size_t room = LoadOrders::largest_message + 8;
    std::uint64_t count = 0;
    while (sent_ < planned_ && socket_->out().room() >= room) {
      const std::int64_t due = due_ns();
      if (due > now_ns) break;
      const std::size_t size = orders_.next(message_, due);
      if (!soup_->send(std::span(message_).first(size), socket_->out(), now_ns)) break;
      times_.sent.record(now_ns - due);
      ++sent_;
      ++count;
    }
    if (count != 0) shared_.sent.fetch_add(count, std::memory_order_relaxed);
    if (sent_ == planned_) stage_ = Stage::finishing;
  }

  void finish(std::int64_t now_ns) {
    if (finishing_ns_ == 0) finishing_ns_ = now_ns;
    const bool patient = now_ns - finishing_ns_ < options_.patience.count();
    if (orders_.unacknowledged() != 0 && patient && orders_.wrong().empty()) return;
    if (stage_ == Stage::finishing) {
      stage_ = Stage::cleaning_up;
      finishing_ns_ = now_ns;
    }
    constexpr std::size_t room = LoadOrders::largest_message + 8;
    while (options_.clean_up && socket_->out().room() >= room) {
      const std::size_t size = orders_.next_clean_up(message_, now_ns);
      if (size == 0) break;
      soup_->send(std::span(message_).first(size), socket_->out(), now_ns);
    }
    if (!options_.clean_up || orders_.in_book() == 0 || !patient || !orders_.wrong().empty()) over();
  }

  void break_off(std::int64_t now_ns) {
    ++result_.breaks;
    socket_->abort();
    again(now_ns);
  }
  void lost(std::int64_t now_ns) {
    ++result_.lost;
    const bool expected = options_.plan.scenario == LoadScenario::slow_reader && connection_number_ == 0;
    if (!expected)
      return fail(logins_ == 0 ? "the venue closed the connection before the login"
                               : "the venue closed the connection, or was silent for too long");
    again(now_ns);
  }
  void again(std::int64_t now_ns) {
    socket_.reset();
    soup_.reset();
    login_ns_ = now_ns;
    next_try_ns_ = now_ns;
  }

  const LoadOptions& options_;
  std::uint32_t connection_number_;
  std::string user_;
  LoadTimes& times_;
  ClientResult& result_;
  LoadRun::Shared& shared_;
  LoadOrders orders_;
  std::uint64_t planned_;

  Stage stage_ = Stage::logging_in;
  std::optional<Connection> socket_;
  std::optional<SoupClient> soup_;
  std::uint64_t next_sequence_ = 0;  // at first only what is new
  std::uint64_t logins_ = 0;
  int refusals_ = 0;
  std::int64_t login_ns_ = 0;     // when the login that is under way began; 0: none
  std::int64_t next_try_ns_ = 0;  // to connect
  std::int64_t start_ns_ = 0;
  std::int64_t finishing_ns_ = 0;
  std::uint64_t sent_ = 0;
  std::array<std::byte, LoadOrders::largest_message> message_{};
};

struct ClientJob {
  const LoadOptions* options = nullptr;
  LoadRun::Shared* shared = nullptr;
  LoadTimes* times = nullptr;
  std::uint32_t connection = 0;
  Address<LoadReady> director{};
};

Actor load_client(Self<LoadBegin> self, ClientJob job) {
  ClientResult& result = job.shared->results[job.connection];
  Client client(*job.options, job.connection, *job.times, result, *job.shared);
  bool told = false;
  while (client.stage() != Client::Stage::over && !self.stopping()) {
    if (client.wants_socket() && to_ns(self.now()) >= client.next_try_ns()) {
      auto connecting =
          Connection::connect(self, job.options->venue, {.in_bytes = 256 * 1024, .out_bytes = 1024 * 1024},
                              later(self.now(), job.options->patience));
      auto connected = co_await connecting;
      if (connected) {
        client.connected(std::move(*connected), to_ns(self.now()));
      } else {
        client.not_connected(connected.failure(), to_ns(self.now()));
      }
    }
    const std::int64_t deadline = client.wants_socket() ? client.next_try_ns() : client.deadline(to_ns(self.now()));
    co_await self.attend(time_from_ns(deadline));
    const std::int64_t now_ns = to_ns(self.now());
    self.take().each([&](const LoadBegin& begin) { client.begin(begin.start_ns); });
    client.turn(now_ns);
    if (!told && client.stage() >= Client::Stage::waiting) {
      told = true;
      job.director.send(LoadReady{job.connection});
    }
  }
  if (!told) job.director.send(LoadReady{job.connection});
  client.leave_result();
  if (client.has_socket()) {
    Connection socket = client.take_socket();
    socket.close_when_sent();
    // What is still under way from the venue would make closing a reset.
    const Time end = later(self.now(), std::chrono::milliseconds(200));
    while (!socket.ended() && self.now() < end) {
      socket.take(socket.in().size());
      co_await self.attend(end);
    }
  }
}

struct DirectorJob {
  LoadRun::Shared* shared = nullptr;
  std::uint32_t connections = 0;
};

/// Lets everybody begin once all are ready.
Actor load_director(Self<LoadReady> self, DirectorJob job, const std::vector<Address<LoadBegin>>* clients) {
  std::uint32_t ready = 0;
  while (ready < job.connections) {
    const auto one = co_await self.receive();
    if (!one) co_return;
    job.shared->ready.store(++ready, std::memory_order_relaxed);
  }
  const std::int64_t start_ns = to_ns(self.now()) + 1'000'000;
  job.shared->start_ns.store(start_ns, std::memory_order_relaxed);
  for (const Address<LoadBegin>& client : *clients) client.send(LoadBegin{start_ns});
}

}  // namespace

std::string LoadOptions::user_of(std::uint32_t connection) const {
  std::string text = user;
  if (const auto at = text.find('#'); at != std::string::npos) text.replace(at, 1, fmt::format("{}", connection + 1));
  return text;
}

LoadRun::LoadRun(LoadOptions options) : options_(std::move(options)), shared_(std::make_unique<Shared>()) {
  if (options_.plan.connections == 0 || options_.schedulers == 0 || !(options_.plan.rate > 0))
    throw std::invalid_argument("a load has at least one connection, one scheduler and a rate");
  if (options_.plan.connections > 1 && options_.user.find('#') == std::string::npos)
    throw std::invalid_argument("several connections are several accounts: the user needs a # for their number");
  if (options_.user_of(options_.plan.connections - 1).size() > 6)
    throw std::invalid_argument("the user of the last connection has more than 6 characters");
  if (options_.orders.symbols.empty()) throw std::invalid_argument("there is no symbol to trade");
  shared_->times.assign(options_.schedulers, empty_times());
  shared_->results.resize(options_.plan.connections);
  shared_->stop = &stop_;
}

LoadRun::~LoadRun() = default;

LoadReport LoadRun::run() {
  const std::uint32_t connections = options_.plan.connections;
  Runtime runtime({.schedulers = options_.schedulers, .idle = options_.idle, .pin = false});
  std::vector<Address<LoadBegin>> clients;
  const auto director =
      runtime.spawn({.name = "load director", .scheduler = 0, .mailbox = {.capacity = connections + 1}}, load_director,
                    DirectorJob{shared_.get(), connections}, &clients);
  for (std::uint32_t i = 0; i < connections; ++i) {
    const std::uint32_t scheduler = i % options_.schedulers;
    clients.push_back(runtime.spawn({.name = "load client", .scheduler = static_cast<int>(scheduler)}, load_client,
                                    ClientJob{&options_, shared_.get(), &shared_->times[scheduler], i, director}));
  }
  runtime.run();

  LoadReport report{.times = empty_times(), .planned = options_.plan.messages()};
  for (const LoadTimes& times : shared_->times) report.times.merge(times);
  std::int64_t last_ns = shared_->start_ns.load(std::memory_order_relaxed);
  const std::int64_t start_ns = last_ns;
  for (const ClientResult& one : shared_->results) {
    report.counts.add(one.counts);
    report.sent += one.sent;
    report.left_open += one.left_open;
    report.unanswered += one.unanswered;
    report.breaks += one.breaks;
    report.lost += one.lost;
    last_ns = std::max(last_ns, one.last_answer_ns);
    if (!one.wrong.empty()) report.wrong.push_back(one.wrong);
  }
  report.seconds = static_cast<double>(last_ns - start_ns) / 1e9;
  report.stopped = stop_.load(std::memory_order_relaxed);
  if (report.sent != report.planned && !report.stopped && report.wrong.empty())
    report.wrong.push_back(fmt::format("{} of {} messages were sent", report.sent, report.planned));
  return report;
}

LoadRun::Progress LoadRun::progress() const {
  Progress progress{.sent = shared_->sent.load(std::memory_order_relaxed),
                    .answered = shared_->answered.load(std::memory_order_relaxed),
                    .ready = shared_->ready.load(std::memory_order_relaxed)};
  if (const std::int64_t start_ns = shared_->start_ns.load(std::memory_order_relaxed); start_ns != 0)
    progress.elapsed = Duration(std::max<std::int64_t>(TscClock::system_ns() - start_ns, 0));
  return progress;
}

}  // namespace outcry
