#include <outcry/runtime/topology.hpp>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

namespace outcry {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t most_processors = 1u << 16;  // a file that names more is no list of processors

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Takes digits from the front. Nothing: there are none, or they are too many.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

[[noreturn]] void refuse(const fs::path& file, const std::string& found, const std::string& expected) {
  throw TopologyError(file.string() + ": " + found + ", expected " + expected);
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t most = 60;
  std::string out(1, '"');
  out += text.substr(0, most);
  out += text.size() > most ? "...\"" : "\"";
  return out;
}

std::optional<std::string> content_if_there(const fs::path& file) {
  std::ifstream stream(file);
  if (!stream) return std::nullopt;
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::string content(const fs::path& file, const std::string& expected) {
  auto text = content_if_there(file);
  if (!text) refuse(file, "cannot be read", expected);
  return *text;
}

std::vector<std::uint32_t> processors_in(const fs::path& file) {
  const std::string text = content(file, "a list such as 0-3,8");
  try {
    return parse_processors(text);
  } catch (const std::invalid_argument& error) {
    throw TopologyError(file.string() + ": " + error.what());
  }
}

/// A number below `bound`, alone in its file.
std::uint32_t number_in(const fs::path& file, std::uint64_t bound = std::uint64_t{1} << 32) {
  const std::string text = content(file, "a number");
  std::string_view rest = trimmed(text);
  const auto value = take_number(rest);
  if (!value || !rest.empty() || *value >= bound) refuse(file, "holds " + in_quotes(trimmed(text)), "a number");
  return static_cast<std::uint32_t>(*value);
}

/// "48K", "2M", "512".
std::uint64_t bytes_in(const fs::path& file) {
  const std::string text = content(file, "a size such as 48K");
  std::string_view rest = trimmed(text);
  const auto value = take_number(rest);
  const unsigned shift = rest == "K" ? 10 : rest == "M" ? 20 : rest == "G" ? 30 : 0;
  if (!value || (!rest.empty() && shift == 0) || *value >> (63 - shift) != 0)
    refuse(file, "holds " + in_quotes(trimmed(text)), "a size such as 48K");
  return *value << shift;
}

/// The numbers of folders like cpu17.
std::vector<std::uint32_t> numbered_folders(const fs::path& folder, std::string_view prefix) {
  std::vector<std::uint32_t> numbers;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    std::string_view rest = name;
    if (!rest.starts_with(prefix)) continue;
    rest.remove_prefix(prefix.size());
    const auto number = take_number(rest);
    if (number && rest.empty() && *number < most_processors) numbers.push_back(static_cast<std::uint32_t>(*number));
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<Topology::Cache> caches_of(const fs::path& folder) {
  std::vector<Topology::Cache> caches;
  for (const std::uint32_t index : numbered_folders(folder, "index")) {
    const fs::path one = folder / ("index" + std::to_string(index));
    if (!fs::exists(one / "size")) continue;  // some virtual machines say nothing of it
    Topology::Cache cache;
    cache.level = number_in(one / "level", 16);
    const std::string kind_text = content(one / "type", "Data, Instruction or Unified");
    const std::string_view kind = trimmed(kind_text);
    if (kind == "Data") {
      cache.kind = Topology::Cache::Kind::data;
    } else if (kind == "Instruction") {
      cache.kind = Topology::Cache::Kind::instructions;
    } else if (kind != "Unified") {
      refuse(one / "type", "holds " + in_quotes(kind), "Data, Instruction or Unified");
    }
    cache.bytes = bytes_in(one / "size");
    cache.processors = processors_in(one / "shared_cpu_list");
    caches.push_back(std::move(cache));
  }
  std::sort(caches.begin(), caches.end(),
            [](const auto& a, const auto& b) { return std::pair(a.level, a.kind) < std::pair(b.level, b.kind); });
  return caches;
}

/// "Node 0 MemTotal:       32780532 kB"
std::uint64_t memory_in(const fs::path& file) {
  const auto text = content_if_there(file);
  if (!text) return 0;
  constexpr std::string_view key = "MemTotal:";
  const auto at = text->find(key);
  if (at == std::string::npos) refuse(file, "says nothing of MemTotal", "\"Node 0 MemTotal: 1024 kB\"");
  std::string_view rest = std::string_view(*text).substr(at + key.size());
  const std::string_view line = trimmed(rest.substr(0, rest.find('\n')));
  rest = line;
  const auto kilobytes = take_number(rest);
  if (!kilobytes || trimmed(rest) != "kB" || *kilobytes >> 53 != 0)
    refuse(file, "has a MemTotal of " + in_quotes(line), "\"Node 0 MemTotal: 1024 kB\"");
  return *kilobytes * 1024;
}

std::vector<std::uint32_t> distances_in(const fs::path& file, std::size_t nodes) {
  const auto text = content_if_there(file);
  if (!text) return {};
  std::vector<std::uint32_t> distances;
  std::string_view rest = trimmed(*text);
  while (!rest.empty()) {
    const auto distance = take_number(rest);
    if (!distance || *distance > 255) break;
    distances.push_back(static_cast<std::uint32_t>(*distance));
    rest = trimmed(rest);
  }
  if (!rest.empty() || distances.size() != nodes)
    refuse(file, "holds " + in_quotes(trimmed(*text)),
           std::to_string(nodes) + (nodes == 1 ? " distance" : " distances") + ", one for each node");
  return distances;
}

}  // namespace

std::vector<std::uint32_t> parse_processors(std::string_view text) {
  const std::string_view whole = trimmed(text);
  std::vector<std::uint32_t> processors;
  const auto fail = [&] {
    throw std::invalid_argument("holds " + in_quotes(whole) + ", expected a list such as 0-3,8");
  };
  std::string_view rest = whole;
  while (!rest.empty()) {
    const auto first = take_number(rest);
    if (!first) fail();
    std::uint64_t last = *first;
    if (rest.starts_with('-')) {
      rest.remove_prefix(1);
      const auto end = take_number(rest);
      if (!end) fail();
      last = *end;
    }
    if (last < *first || last >= most_processors) fail();
    if (!processors.empty() && processors.back() >= *first) fail();  // the kernel's lists ascend
    for (std::uint64_t number = *first; number <= last; ++number)
      processors.push_back(static_cast<std::uint32_t>(number));
    if (rest.empty()) break;
    if (!rest.starts_with(',') || rest.size() == 1) fail();
    rest.remove_prefix(1);
  }
  return processors;
}

std::string processors_text(const std::vector<std::uint32_t>& processors) {
  std::string text;
  for (std::size_t i = 0; i < processors.size();) {
    std::size_t end = i + 1;
    while (end < processors.size() && processors[end] == processors[end - 1] + 1) ++end;
    if (!text.empty()) text += ",";
    text += std::to_string(processors[i]);
    if (end - i > 1) text.append("-").append(std::to_string(processors[end - 1]));
    i = end;
  }
  return text;
}

std::uint32_t Topology::cores() const {
  std::uint32_t count = 0;
  for (const Processor& one : processors) count = std::max(count, one.core + 1);
  return count;
}

const Topology::Processor* Topology::processor(std::uint32_t number) const {
  const auto found = std::lower_bound(processors.begin(), processors.end(), number,
                                      [](const Processor& one, std::uint32_t value) { return one.number < value; });
  return found != processors.end() && found->number == number ? &*found : nullptr;
}

const Topology::Node* Topology::node(std::uint32_t number) const {
  for (const Node& one : nodes)
    if (one.number == number) return &one;
  return nullptr;
}

Topology read_topology(const fs::path& sysfs) {
  Topology topology;
  const fs::path cpu = sysfs / "devices/system/cpu";
  const fs::path node = sysfs / "devices/system/node";

  const std::vector<std::uint32_t> online = processors_in(cpu / "online");
  if (online.empty()) refuse(cpu / "online", "names no processor", "at least one");
  for (const std::uint32_t number : numbered_folders(cpu, "cpu"))
    if (!std::binary_search(online.begin(), online.end(), number)) topology.offline.push_back(number);

  for (const std::uint32_t number : online) {
    const fs::path folder = cpu / ("cpu" + std::to_string(number));
    Topology::Processor processor;
    processor.number = number;
    processor.package = number_in(folder / "topology/physical_package_id");
    const fs::path siblings = folder / "topology/thread_siblings_list";
    processor.siblings = processors_in(siblings);
    if (!std::binary_search(processor.siblings.begin(), processor.siblings.end(), number))
      refuse(siblings, "holds " + in_quotes(processors_text(processor.siblings)),
             "a list with processor " + std::to_string(number) + " in it");
    processor.caches = caches_of(folder / "cache");
    topology.processors.push_back(std::move(processor));
  }

  // The kernel numbers cores within a package, with gaps.
  std::map<std::vector<std::uint32_t>, std::uint32_t> cores;
  for (Topology::Processor& one : topology.processors)
    one.core = cores.emplace(one.siblings, static_cast<std::uint32_t>(cores.size())).first->second;

  if (!fs::exists(node / "online")) {
    Topology::Node& only = topology.nodes.emplace_back();
    only.processors = online;
    only.distances = {10};
    return topology;
  }
  const std::vector<std::uint32_t> nodes = processors_in(node / "online");
  if (nodes.empty()) refuse(node / "online", "names no node", "at least one");
  std::vector<bool> placed(online.back() + 1);
  for (const std::uint32_t number : nodes) {
    const fs::path folder = node / ("node" + std::to_string(number));
    Topology::Node one;
    one.number = number;
    one.memory_bytes = memory_in(folder / "meminfo");
    one.distances = distances_in(folder / "distance", nodes.size());
    for (const std::uint32_t processor : processors_in(folder / "cpulist")) {
      const auto found = std::lower_bound(topology.processors.begin(), topology.processors.end(), processor,
                                          [](const auto& other, std::uint32_t value) { return other.number < value; });
      if (found == topology.processors.end() || found->number != processor)
        refuse(folder / "cpulist", "names processor " + std::to_string(processor), "one that is online");
      if (placed[processor])
        refuse(folder / "cpulist", "names processor " + std::to_string(processor), "one that is on no other node");
      placed[processor] = true;
      found->node = number;
      one.processors.push_back(processor);
    }
    topology.nodes.push_back(std::move(one));
  }
  for (const std::uint32_t processor : online)
    if (!placed[processor])
      refuse(node, "no node names processor " + std::to_string(processor), "each that is online on one of them");
  return topology;
}

std::string to_string(const Topology& topology) {
  const auto counted = [](std::size_t count, const char* what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
  };
  std::string text = counted(topology.nodes.size(), "node") + ", " + counted(topology.cores(), "core") + ", " +
                     counted(topology.processors.size(), "processor");
  if (!topology.offline.empty()) text += ", " + processors_text(topology.offline) + " offline";
  text += "\n";
  for (const Topology::Node& one : topology.nodes) {
    text.append("node ").append(std::to_string(one.number)).append(": ");
    text += one.processors.empty() ? "no processors" : "processors ";
    text += processors_text(one.processors) + "; ";
    text += one.memory_bytes == 0 ? "no memory" : std::to_string(one.memory_bytes >> 30) + " GB";
    if (!one.distances.empty()) text += "; distances";
    for (const std::uint32_t distance : one.distances) text.append(" ").append(std::to_string(distance));
    text += "\n";
  }
  return text;
}

}  // namespace outcry
