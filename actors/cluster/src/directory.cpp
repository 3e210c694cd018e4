#include <outcry/cluster/directory.hpp>

#include <map>

namespace outcry {

Actor directory(Self<CafMessage, CafDown> self, CafSelf caf) {
  struct Listed {
    Listing listing;
    caf::actor gateway;
  };
  std::map<SymbolId, Listed> symbols;
  while (auto message = co_await self.receive()) {
    if (const auto* down = std::get_if<CafDown>(&*message)) {
      std::erase_if(symbols, [&](const auto& entry) { return entry.second.gateway.address() == down->source; });
      continue;
    }
    auto& asked = std::get<CafMessage>(*message);
    if (asked.holds<Listing, caf::actor>()) {
      const auto& listing = asked.get<Listing>(0);
      const auto& gateway = asked.get<caf::actor>(1);
      const auto [place, fresh] = symbols.try_emplace(listing.symbol, Listed{listing, gateway});
      if (!gateway || !fresh) {
        if (fresh) symbols.erase(place);
        asked.fail(caf_failed(fresh ? "a listing without a gateway" : "the symbol is listed already"));
      } else {
        caf.monitor(gateway);
        asked.reply();
      }
    } else if (asked.holds<FindSymbol>()) {
      const auto found = symbols.find(asked.get<FindSymbol>(0).symbol);
      if (found == symbols.end()) {
        asked.fail(caf_failed("nobody has the symbol"));
      } else {
        asked.reply(found->second.listing, found->second.gateway);
      }
    } else {
      asked.fail(caf::make_error(caf::sec::unexpected_message));
    }
  }
}

}  // namespace outcry
