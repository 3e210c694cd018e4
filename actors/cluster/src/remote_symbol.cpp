#include <outcry/cluster/remote_symbol.hpp>

#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace outcry {

namespace {

using namespace std::chrono_literals;

template <class M>
inline constexpr bool is_command = one_of<M, NewOrder, CancelOrder, ReduceOrder, ModifyOrder, ReplaceOrder>;
template <class M>
inline constexpr bool is_event = one_of<M, Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced>;

CommandKind kind_of_command(const NewOrder&) { return CommandKind::new_order; }
CommandKind kind_of_command(const CancelOrder&) { return CommandKind::cancel; }
CommandKind kind_of_command(const ReduceOrder&) { return CommandKind::reduce; }
CommandKind kind_of_command(const ModifyOrder&) { return CommandKind::modify; }
CommandKind kind_of_command(const ReplaceOrder&) { return CommandKind::replace; }

template <class Command>
Rejected refusal(const Command& command, Reason reason) {
  Rejected rejected{.id = command.id, .account = command.account, .symbol = command.symbol};
  if constexpr (std::is_same_v<Command, ReplaceOrder>) rejected.new_id = command.new_id;
  rejected.command = kind_of_command(command);
  rejected.reason = reason;
  rejected.arrival_ns = command.arrival_ns;
  return rejected;
}

using SessionSelf = Self<NewOrder, CancelOrder, ReduceOrder, ModifyOrder, ReplaceOrder, SubscribeRemotely, Accepted,
                         Rejected, Filled, Cancelled, Reduced, Modified, Replaced, Quote, TradePrint, Depth, CafDown>;

struct SessionSetup {
  SymbolAddress symbol{};
  caf::actor participant;
  AccountId account{};
  WhenLost when_lost{};
};

/// The participant's stand-in at the symbol.
class Session {
 public:
  Session(SessionSelf self, CafSelf caf, SessionSetup setup)
      : self_(self), caf_(std::move(caf)), setup_(std::move(setup)) {
    caf_.monitor(setup_.participant);
    setup_.symbol.send(EnterSymbol{setup_.account, self_.address()});
  }

  /// Nothing is left to be done for a participant that is gone.
  bool over() const { return lost_ && (setup_.when_lost == WhenLost::keep || orders_.empty()); }

  template <class M>
  void take(const M& message) {
    if constexpr (is_command<M>) {
      if (!lost_) command(message);
    } else if constexpr (is_event<M>) {
      orders_.hear(message);
      if (!lost_) caf_.send(setup_.participant, message);
    } else if constexpr (std::is_same_v<M, SubscribeRemotely>) {
      if (message.quotes != 0) setup_.symbol.send(SubscribeQuotes{self_.address()});
      if (message.trades != 0) setup_.symbol.send(SubscribeTrades{self_.address()});
      if (message.depth != 0) setup_.symbol.send(SubscribeDepth{self_.address()});
    } else if constexpr (std::is_same_v<M, CafDown>) {
      lose();
    } else {
      if (!lost_) caf_.send(setup_.participant, message);
    }
  }

 private:
  template <class M>
  void command(M message) {
    message.account = setup_.account;
    if constexpr (std::is_same_v<M, NewOrder>) {
      if (!well_formed(message)) {
        caf_.send(setup_.participant, refusal(message, Reason::invalid_combination));
        return;
      }
      orders_.sent(message);
    }
    if (!setup_.symbol.send(message).accepted()) {
      const Rejected rejected = refusal(message, Reason::mailbox_full);
      orders_.hear(rejected);
      caf_.send(setup_.participant, rejected);
    }
  }

  void lose() {
    if (std::exchange(lost_, true) || setup_.when_lost == WhenLost::keep) return;
    for (const auto& [id, order] : orders_.all()) setup_.symbol.send(CancelOrder{.id = id, .account = setup_.account});
  }

  SessionSelf self_;
  CafSelf caf_;
  SessionSetup setup_;
  OpenOrders orders_;
  bool lost_ = false;
};

Actor session(SessionSelf self, CafSelf caf, SessionSetup setup) {
  Session session(self, std::move(caf), std::move(setup));
  while (!session.over()) {
    auto message = co_await self.receive();
    if (!message) break;
    std::visit([&](const auto& one) { session.take(one); }, *message);
  }
}

}  // namespace

Actor symbol_gateway(Self<CafMessage, Down> self, CafSelf caf, GatewayOptions options) {
  self.monitor(options.symbol);
  std::vector<AnyAddress> sessions;
  while (auto message = co_await self.receive()) {
    if (std::holds_alternative<Down>(*message)) break;
    auto& asked = std::get<CafMessage>(*message);
    if (!asked.holds<EnterRemotely>() || asked.sender() == nullptr) {
      asked.fail(caf::make_error(caf::sec::unexpected_message));
      continue;
    }
    // On the symbol's scheduler, so that between the two nothing crosses; events have room for a burst.
    const auto scheduler = static_cast<int>(options.symbol.cell()->scheduler().index());
    const SessionSetup setup{options.symbol, caf::actor_cast<caf::actor>(asked.sender()),
                             asked.get<EnterRemotely>(0).account, options.when_lost};
    const auto made = options.stage->spawn({.name = "session", .scheduler = scheduler, .mailbox = {.capacity = 65'536}},
                                           session, setup);
    sessions.push_back(made.address);
    asked.reply(made.handle);
  }
  for (const AnyAddress& one : sessions) one.stop();
  static_cast<void>(caf);
}

namespace {

/// The symbol's stand-in at the participant.
class RemoteSymbol {
 public:
  RemoteSymbol(CafSelf caf, SymbolId symbol) : caf_(std::move(caf)), symbol_(symbol) {}

  void entered(ParticipantAddress participant, caf::actor session) {
    participant_ = participant;
    session_ = std::move(session);
    lost_ = session_ == nullptr;
    if (!lost_) caf_.monitor(session_);
  }

  template <class M>
  void take(const M& message) {
    if constexpr (is_command<M>) {
      if (lost_) {
        tell(refusal(message, Reason::market_closed));
        return;
      }
      if constexpr (std::is_same_v<M, NewOrder>) orders_.sent(message);
      caf_.send(session_, message);
    } else if constexpr (is_event<M>) {
      orders_.hear(message);
      tell(message);
    } else if constexpr (std::is_same_v<M, Quote>) {
      quote_ = message;
      if (quotes_) quotes_.send(message);
    } else if constexpr (std::is_same_v<M, TradePrint>) {
      if (trades_) trades_.send(message);
    } else if constexpr (std::is_same_v<M, Depth>) {
      if (depth_) depth_.send(message);
    } else if constexpr (std::is_same_v<M, SubscribeQuotes>) {
      quotes_ = message.address;
      subscribe({.quotes = 1});
    } else if constexpr (std::is_same_v<M, SubscribeTrades>) {
      trades_ = message.address;
      subscribe({.trades = 1});
    } else if constexpr (std::is_same_v<M, SubscribeDepth>) {
      depth_ = message.address;
      subscribe({.depth = 1});
    } else if constexpr (std::is_same_v<M, Ask<QuoteQuery>>) {
      message.reply(quote_);  // the last one that arrived; none before that
    } else if constexpr (std::is_same_v<M, SpecialOrder>) {
      tell(Rejected{.id = message.id,
                    .account = message.account,
                    .symbol = message.symbol,
                    .command = CommandKind::new_order,
                    .reason = Reason::unsupported,
                    .arrival_ns = message.arrival_ns});
    } else if constexpr (std::is_same_v<M, MassCancel>) {  // of the participant's own orders, one by one
      for (const auto& [id, order] : orders_.all())
        if ((order.side == Side::buy ? message.buys : message.sells) != 0)
          take(CancelOrder{
              .id = id, .account = message.account, .symbol = message.symbol, .arrival_ns = message.arrival_ns});
    } else if constexpr (std::is_same_v<M, CafDown>) {
      lose();
    }  // the day, its phases and history are the exchange's own
  }

 private:
  template <class Event>
  void tell(const Event& event) {
    if (participant_) participant_.send(event);
  }
  void subscribe(SubscribeRemotely what) {
    if (!lost_) caf_.send(session_, what);
  }

  void lose() {
    if (std::exchange(lost_, true)) return;
    for (const auto& [id, order] : orders_.all()) {
      if (order.answered) {
        tell(Cancelled{.id = id,
                       .price = order.price,
                       .quantity = order.open,
                       .symbol = symbol_,
                       .side = order.side,
                       .reason = Reason::market_closed});
      } else {
        tell(Rejected{.id = id, .symbol = symbol_, .command = CommandKind::new_order, .reason = Reason::market_closed});
      }
    }
    orders_.clear();
  }

  CafSelf caf_;
  SymbolId symbol_;
  caf::actor session_;
  bool lost_ = true;  // until a session is there
  ParticipantAddress participant_;
  QuoteAddress quotes_;
  TradeAddress trades_;
  DepthAddress depth_;
  Quote quote_{};
  OpenOrders orders_;
};

}  // namespace

Actor remote_symbol(RemoteSymbolSelf self, CafSelf caf, caf::actor gateway, SymbolId symbol) {
  RemoteSymbol remote(caf, symbol);
  while (auto message = co_await self.receive()) {
    if (const auto* enter = std::get_if<EnterSymbol>(&*message)) {
      const ParticipantAddress participant = enter->address;
      auto entering = caf.ask(gateway, 5s, EnterRemotely{enter->account});
      const auto entered = co_await entering;
      caf::actor session;
      if (entered && *entered && entered->holds<caf::actor>()) session = entered->get<caf::actor>();
      remote.entered(participant, std::move(session));
      continue;
    }
    std::visit([&](const auto& one) { remote.take(one); }, *message);
  }
}

}  // namespace outcry
