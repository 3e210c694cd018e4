#include <outcry/actors/host_profile.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "command_line.hpp"

namespace outcry {

namespace {

struct Reader {
  HostProfile& profile;

  [[noreturn]] void fail(const toml::node& node, const std::string& sentence) const {
    throw HostProfileError(fmt::format("{}, line {}: {}", profile.file, node.source().begin.line, sentence));
  }

  void known(const toml::table& table, const std::string& prefix, const std::vector<std::string>& keys) const {
    const toml::node* first = nullptr;
    std::string name;
    for (const auto& [key, node] : table) {
      const std::string one{std::string_view(key)};
      if (std::find(keys.begin(), keys.end(), one) != keys.end()) continue;
      if (first != nullptr && first->source().begin.line <= node.source().begin.line) continue;
      first = &node;
      name = one;
    }
    if (first != nullptr) fail(*first, fmt::format("there is no key {}{}{}", prefix, name, suggestion(name, keys)));
  }

  std::uint32_t number(const toml::table& table, const std::string& prefix, const char* key, std::int64_t least,
                       std::int64_t most, std::optional<std::uint32_t> otherwise = {}) const {
    const toml::node* node = table.get(key);
    if (node == nullptr && otherwise) return *otherwise;
    const std::string expected = fmt::format("expected a whole number from {} to {}", least, most);
    if (node == nullptr) fail(table, fmt::format("{}{} is missing, {}", prefix, key, expected));
    const auto* value = node->as_integer();
    if (value == nullptr) fail(*node, fmt::format("{}{} is no whole number, {}", prefix, key, expected));
    if (value->get() < least || value->get() > most)
      fail(*node, fmt::format("{}{} is {}, {}", prefix, key, value->get(), expected));
    return static_cast<std::uint32_t>(value->get());
  }

  bool truth(const toml::table& table, const std::string& prefix, const char* key) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return false;
    if (!node->is_boolean()) fail(*node, fmt::format("{}{} is neither true nor false", prefix, key));
    return node->as_boolean()->get();
  }

  std::string text(const toml::table& table, const std::string& prefix, const char* key, const char* expected,
                   std::optional<std::string> otherwise = {}) const {
    const toml::node* node = table.get(key);
    if (node == nullptr && otherwise) return *otherwise;
    if (node == nullptr) fail(table, fmt::format("{}{} is missing, expected {}", prefix, key, expected));
    if (!node->is_string()) fail(*node, fmt::format("{}{} is no text, expected {}", prefix, key, expected));
    return node->as_string()->get();
  }

  /// An empty table where there is none; its line is that of the file.
  const toml::table& table_in(const toml::table& root, const char* key) const {
    static const toml::table empty;
    const toml::node* node = root.get(key);
    if (node == nullptr) return empty;
    if (!node->is_table()) fail(*node, fmt::format("{0} is a single value, expected a table: [{0}]", key));
    return *node->as_table();
  }

  void read(const toml::table& root) {
    known(root, "", {"name", "siblings_free", "machine", "memory", "cast"});
    profile.name = text(root, "", "name", "what machine it is for, in quotes");
    profile.siblings_free = truth(root, "", "siblings_free");

    if (root.get("machine") == nullptr) fail(root, "there is no [machine], expected its nodes, cores and processors");
    const toml::table& machine = table_in(root, "machine");
    known(machine, "machine.", {"nodes", "cores", "processors"});
    profile.nodes = number(machine, "machine.", "nodes", 1, 1024);
    profile.cores = number(machine, "machine.", "cores", 1, 65536);
    profile.processors = number(machine, "machine.", "processors", 1, 65536);

    const toml::table& memory = table_in(root, "memory");
    known(memory, "memory.", {"huge_pages", "lock", "prefault_mb", "limit_mb"});
    const char* kinds = "\"none\", \"transparent\" or \"reserved\"";
    const std::string kind = text(memory, "memory.", "huge_pages", kinds, "none");
    if (kind == "transparent") {
      profile.memory.huge_pages = HugePages::transparent;
    } else if (kind == "reserved") {
      profile.memory.huge_pages = HugePages::reserved;
    } else if (kind != "none") {
      fail(*memory.get("huge_pages"), fmt::format("memory.huge_pages is \"{}\", expected {}", kind, kinds));
    }
    profile.memory.lock = truth(memory, "memory.", "lock");
    profile.memory.prefault_bytes = std::size_t{number(memory, "memory.", "prefault_mb", 0, 1 << 20, 0)} << 20;
    profile.memory.limit_bytes = std::size_t{number(memory, "memory.", "limit_mb", 0, 1 << 24, 0)} << 20;

    const toml::node* cast = root.get("cast");
    if (cast == nullptr || !cast->is_array_of_tables())
      fail(cast == nullptr ? root : *cast, "there is no cast, expected [[cast]] with processors");
    for (const toml::node& one : *cast->as_array()) read_cast(*one.as_table());
  }

  void read_cast(const toml::table& cast) {
    known(cast, "cast.", {"role", "processors", "node", "priority"});
    HostProfile::Seat seat;
    seat.role = text(cast, "cast.", "role", "what runs there, in quotes");
    seat.node = number(cast, "cast.", "node", 0, 1023);
    if (seat.node >= profile.nodes)
      fail(*cast.get("node"),
           fmt::format("cast.node is {}, expected one of the machine's: 0 to {}", seat.node, profile.nodes - 1));
    seat.priority = number(cast, "cast.", "priority", 0, 99, 0);
    const std::string list = text(cast, "cast.", "processors", "a list such as \"0-3,8\"");
    const toml::node& where = *cast.get("processors");
    seat.line = static_cast<std::uint32_t>(where.source().begin.line);
    std::vector<std::uint32_t> processors;
    try {
      processors = parse_processors(list);
    } catch (const std::invalid_argument& error) {
      fail(where, fmt::format("cast.processors {}", error.what()));
    }
    if (processors.empty()) fail(where, "cast.processors is empty, expected a list such as \"0-3,8\"");
    for (const std::uint32_t processor : processors) {
      for (const HostProfile::Seat& other : profile.seats)
        if (other.processor == processor)
          fail(where,
               fmt::format("cast.processors names processor {}, which is in line {} already", processor, other.line));
      seat.processor = processor;
      profile.seats.push_back(seat);
    }
  }
};

void require_seats(const HostProfile& profile, std::uint32_t schedulers) {
  if (schedulers > profile.seats.size())
    throw HostProfileError(fmt::format("{}: has a place for {} scheduler{}, not for {}", profile.file,
                                       profile.seats.size(), profile.seats.size() == 1 ? "" : "s", schedulers));
}

}  // namespace

HostProfile read_host_profile(const std::filesystem::path& path) {
  HostProfile profile;
  profile.file = path.string();
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw HostProfileError(profile.file + ": is a folder, expected a TOML file");
  std::ifstream file(path);
  if (!file) throw HostProfileError(fmt::format("{}: cannot be opened: {}", profile.file, std::strerror(errno)));
  std::ostringstream text;
  text << file.rdbuf();
  try {
    const toml::table table = toml::parse(text.str());
    Reader{profile}.read(table);
  } catch (const toml::parse_error& error) {
    throw HostProfileError(
        fmt::format("{}, line {}: is not TOML: {}", profile.file, error.source().begin.line, error.description()));
  }
  return profile;
}

std::vector<std::uint32_t> HostProfile::processors_for(std::uint32_t schedulers) const {
  require_seats(*this, schedulers);
  std::vector<std::uint32_t> all;
  all.reserve(schedulers);
  for (std::uint32_t i = 0; i < schedulers; ++i) all.push_back(seats[i].processor);
  return all;
}

MemoryOptions HostProfile::memory_for(std::uint32_t schedulers) const {
  require_seats(*this, schedulers);
  MemoryOptions options = memory;
  for (std::uint32_t i = 0; i < schedulers; ++i) options.nodes.push_back(seats[i].node);
  return options;
}

void HostProfile::place(RuntimeOptions& options) const {
  options.processors = processors_for(options.schedulers);
  options.memory = memory_for(options.schedulers);
  options.fifo_priorities.clear();
  for (std::uint32_t i = 0; i < options.schedulers; ++i) options.fifo_priorities.push_back(seats[i].priority);
}

std::string mismatch(const HostProfile& profile, const Topology& topology) {
  const auto counted = [](std::size_t count, const char* what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
  };
  if (profile.processors != topology.processors.size() || profile.cores != topology.cores() ||
      profile.nodes != topology.nodes.size())
    return fmt::format("{} is for a machine of {}, {} and {}; this one has {}, {} and {}", profile.file,
                       counted(profile.nodes, "node"), counted(profile.cores, "core"),
                       counted(profile.processors, "processor"), topology.nodes.size(), topology.cores(),
                       topology.processors.size());
  const auto here = [&](const HostProfile::Seat& seat) { return fmt::format("{}, line {}", profile.file, seat.line); };
  for (const HostProfile::Seat& seat : profile.seats) {
    const Topology::Processor* processor = topology.processor(seat.processor);
    if (processor == nullptr)
      return fmt::format(
          "{}: cast.processors names processor {}, which this machine does not have, or has switched off", here(seat),
          seat.processor);
    if (processor->node != seat.node)
      return fmt::format("{}: cast.node is {}, but processor {} is on node {}", here(seat), seat.node, seat.processor,
                         processor->node);
    const Topology::Node* node = topology.node(seat.node);
    if (node == nullptr || (node->memory_bytes == 0 && topology.nodes.size() > 1))
      return fmt::format("{}: cast.node is {}, which has no memory", here(seat), seat.node);
    if (!profile.siblings_free) continue;
    for (const HostProfile::Seat& other : profile.seats) {
      if (other.processor == seat.processor) break;
      const auto& siblings = processor->siblings;
      if (std::find(siblings.begin(), siblings.end(), other.processor) != siblings.end())
        return fmt::format("{}: processor {} is on the core of processor {}, but siblings_free is true", here(seat),
                           seat.processor, other.processor);
    }
  }
  return {};
}

}  // namespace outcry
