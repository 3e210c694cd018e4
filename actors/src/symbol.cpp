#include <outcry/actors/symbol.hpp>

#include <memory>
#include <utility>

namespace outcry {

Actor symbol(SymbolSelf self, SymbolOptions options) {
  // On the heap: the book is aligned to cache lines, which the memory of a coroutine frame is not.
  const auto desk = std::make_unique<Desk>(self, std::move(options));
  while (auto batch = co_await self.receive_batch()) {
    desk->begin_batch();
    batch.each([&](const auto& message) { desk->take(message); });
    desk->end_batch();
    // Complete feeds get every change: the symbol waits for room where there is none. A feed waits for nobody.
    ShownOrders* const news = desk->shown_orders();
    if (news == nullptr) [[likely]]
      continue;
    for (std::size_t i = 0; i < news->subscribers(); ++i) {
      const OrdersAddress address = news->address(i);
      for (std::size_t n = 0; n < news->waiting(i); ++n) {
        auto sent = address.send(news->change(i, n));
        if (!sent.accepted()) co_await sent;
      }
    }
    news->forget();
  }
}

}  // namespace outcry
