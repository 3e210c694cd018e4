// Peer: the other process of the tests of the CAF face.
//
//   caf_peer serve ADDRESS [CERTIFICATE KEY AUTHORITIES]        publishes a bank, prints its port, ends with its branch
//   caf_peer visit ADDRESS PORT [CERTIFICATE KEY AUTHORITIES]   asks it, tells it to end, and exits with 0 if all was right
//
// A bank is an Outcry actor that opens accounts: coroutine actors, and clerks: event-based CAF actors.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <caf/all.hpp>

#include <outcry/runtime/runtime.hpp>

#include "bank.hpp"

using namespace std::chrono_literals;

namespace outcry {
namespace {

Actor account(Self<Deposit, Ask<BalanceQuery>, Close> self) {
  std::int64_t sum = 0;
  while (auto message = co_await self.receive()) {
    if (const auto* close = std::get_if<Close>(&*message)) {
      if (close->broken != 0) throw std::runtime_error("the account is broken");
      break;
    }
    match(
        *message, [&](const Deposit& deposit) { sum += deposit.amount; },
        [&](const Ask<BalanceQuery>& ask) { ask.reply(Balance{sum}); }, [](const Close&) {});
  }
}

caf::behavior clerk(caf::event_based_actor* self) {
  return {[](std::int32_t a, std::int32_t b) { return a + b; },
          [self](const Close& close) {
            self->quit(close.broken != 0 ? caf::exit_reason::out_of_workers : caf::exit_reason::normal);
          }};
}

Actor bank(Self<CafMessage> self, CafSelf caf, CafStage* stage) {
  while (auto message = co_await self.receive()) {
    if (message->holds<std::string>()) {
      const auto what = message->get<std::string>(0);
      if (what == "account") {
        message->reply(stage->face_of(self.spawn(account)));
      } else if (what == "clerk") {
        message->reply(caf.system().spawn(clerk));
      } else if (what == "end") {
        break;
      }
    }
  }
}

int serve(CafNodeOptions options) {
  CafNode node(std::move(options));
  Runtime runtime({.idle = IdlePolicy::sleep, .pin = false, .log = [](std::string_view) {}});
  CafStage stage(node.system(), runtime);
  const auto here = stage.spawn({.name = "bank"}, bank, &stage);
  const auto port = node.publish(here.handle, 0);
  if (!port) {
    std::fprintf(stderr, "%s\n", node.text(port.error()).c_str());
    return 1;
  }
  std::printf("%u\n", unsigned(*port));
  std::fflush(stdout);
  runtime.run();
  return 0;
}

int visit(CafNodeOptions options, const std::string& host, std::uint16_t port) {
  CafNode node(std::move(options));
  const auto bank = node.connect(host, port);
  if (!bank) {
    std::fprintf(stderr, "%s\n", node.text(bank.error()).c_str());
    return 3;
  }
  caf::scoped_actor self(node.system());
  std::int64_t balance = 0;
  self->request(*bank, 10s, std::string("account"))
      .receive(
          [&](const caf::actor& account) {
            self->monitor(account);
            for (std::int64_t i = 1; i <= 100; ++i) self->send(account, Deposit{i});
            self->request(account, 10s, BalanceQuery{})
                .receive([&](const Balance& answer) { balance = answer.amount; }, [](caf::error&) {});
            self->send(account, Close{});
            self->receive([&](const caf::down_msg& down) { balance += down.reason ? 1'000'000 : 0; });
          },
          [](caf::error&) {});
  self->send(*bank, std::string("end"));
  std::printf("balance %lld\n", static_cast<long long>(balance));
  return balance == 5'050 ? 0 : 1;
}

}  // namespace
}  // namespace outcry

int main(int argc, char** argv) {
  const std::string what = argc > 2 ? argv[1] : "";
  const int credentials = what == "serve" ? 3 : 4;
  if ((what != "serve" && what != "visit") || (argc != credentials && argc != credentials + 3)) return 2;
  outcry::CafNodeOptions options{.announce = outcry::announce_bank};
  if (argc == credentials + 3)
    options.credentials = {
        .certificate = argv[credentials], .key = argv[credentials + 1], .authorities = argv[credentials + 2]};
  if (what == "visit") return outcry::visit(options, argv[2], static_cast<std::uint16_t>(std::atoi(argv[3])));
  options.listen = argv[2];
  return outcry::serve(options);
}
