#include <outcry/actors/symbol.hpp>

#include <utility>

namespace outcry {

Actor symbol(SymbolSelf self, SymbolOptions options) {
  Desk desk(self, std::move(options));
  while (auto batch = co_await self.receive_batch()) {
    desk.begin_batch();
    batch.each([&](const auto& message) { desk.take(message); });
    desk.end_batch();
  }
}

}  // namespace outcry
