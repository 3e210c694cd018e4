// Registry: the actor that knows the names.
#include <outcry/runtime/registry.hpp>

#include <string>
#include <string_view>
#include <unordered_map>

namespace outcry {

namespace registry_detail {

namespace {

struct Entry {
  AnyAddress actor;
  const TakenTypes* types = nullptr;
};

std::string list_of(const TakenTypes& types) {
  std::string list;
  for (std::uint32_t i = 0; i < types.count; ++i) {
    if (i > 0) list += i + 1 == types.count ? " and " : ", ";
    list += types.first[i]->name;
  }
  return list.empty() ? "no messages" : list;
}

}  // namespace

std::string no_answer(std::string_view name) {
  return std::string("the registry did not say who is '").append(name).append("'");
}

std::string unknown(std::string_view name) { return std::string("no actor is named '").append(name).append("'"); }

std::string other_type(std::string_view name, const TakenTypes& wanted, const TakenTypes& taken) {
  return std::string("'")
      .append(name)
      .append("' takes ")
      .append(list_of(taken))
      .append(", not ")
      .append(list_of(wanted));
}

Actor registry(Self<Announce, Ask<Claim>, Ask<Find>, Ended> self) {
  std::unordered_map<std::string, Entry> entries;
  const auto put = [&](const Announce& said) {
    if (!said.actor) {
      entries.erase(std::string(said.name.view()));
      return;
    }
    Entry& entry = entries[std::string(said.name.view())];
    const bool known = entry.actor == said.actor;
    entry = {said.actor, said.types};
    if (!known) self.monitor_address(said.actor);
  };
  while (auto message = co_await self.receive()) {
    match(
        *message, [&](const Announce& said) { put(said); },
        [&](const Ask<Claim>& ask) {
          const auto found = entries.find(std::string(ask.query.name.view()));
          if (found == entries.end()) {
            put(ask.query);
            ask.reply(Answer{ask.query.actor, ask.query.types});
          } else {
            ask.reply(Answer{found->second.actor, found->second.types});
          }
        },
        [&](const Ask<Find>& ask) {
          const auto found = entries.find(std::string(ask.query.name.view()));
          ask.reply(found == entries.end() ? Answer{} : Answer{found->second.actor, found->second.types});
        },
        [&](const Ended& ended) {
          std::erase_if(entries, [&](const auto& e) { return e.second.actor == ended.actor; });
        });
  }
}

}  // namespace registry_detail

namespace {

SpawnOptions for_registry(SpawnOptions options) {
  if (options.name.empty()) options.name = "registry";
  options.background = true;
  return options;
}

}  // namespace

Registry::Registry(Runtime& runtime, SpawnOptions options)
    : to_(runtime.spawn(for_registry(options), registry_detail::registry)) {}

}  // namespace outcry
