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
  }
}

}  // namespace outcry
