#include <outcry/runtime/memory.hpp>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace outcry {

namespace {

std::string bytes_text(std::uint64_t bytes) {
  if (bytes != 0 && bytes % (1 << 20) == 0) return std::to_string(bytes >> 20) + " MB";
  if (bytes != 0 && bytes % 1024 == 0) return std::to_string(bytes >> 10) + " kB";
  return std::to_string(bytes) + " bytes";
}

std::string refusal(int error) { return error == 0 ? "" : " (" + std::generic_category().message(error) + ")"; }

std::string node_text(const Arena& arena) {
  const auto node = arena.pages().options().node;
  if (!node) return "wherever it was touched first";
  const PageSource::Placed placed = arena.pages().placed_on(*node);
  const int error = arena.pages().statistics().node_error;
  const std::string where = "node " + std::to_string(*node);
  if (error != 0) return where + " was refused" + refusal(error);
  if (placed.looked_at == 0) return where + ", no page touched so far";
  return std::to_string(placed.on_node) + " of " + std::to_string(placed.looked_at) + " pages on " + where;
}

std::string huge_text(const PageSource& pages) {
  const PageSource::Statistics statistics = pages.statistics();
  std::string text = bytes_text(pages.huge_bytes()) + " of " + bytes_text(statistics.mapped) + " in huge pages";
  if (pages.options().huge_pages == HugePages::reserved)
    text += ", " + bytes_text(statistics.reserved) + " of them set aside";
  if (statistics.huge_error == 0) return text;
  if (pages.options().huge_pages == HugePages::reserved) text += ": too few are set aside (sysctl vm.nr_hugepages)";
  return text + refusal(statistics.huge_error);
}

std::string lock_text(const PageSource& pages, MemorySystem& system) {
  const PageSource::Statistics statistics = pages.statistics();
  std::string text = bytes_text(statistics.locked) + " of " + bytes_text(statistics.mapped) + " locked";
  if (statistics.lock_error == 0) return text;
  const std::uint64_t limit = system.lock_limit();
  if (limit != UINT64_MAX) {
    text += ": this process may lock " + bytes_text(limit) + " (ulimit -l, RLIMIT_MEMLOCK)";
  }
  return text + refusal(statistics.lock_error);
}

}  // namespace

Memory::Memory(MemoryOptions options, std::uint32_t schedulers)
    : options_(std::move(options)),
      system_(options_.system != nullptr ? *options_.system : MemorySystem::real()),
      several_nodes_(system_.several_nodes()),
      prefaulted_(schedulers),
      came_(schedulers) {
  arenas_.reserve(schedulers);
  for (std::uint32_t i = 0; i < schedulers; ++i) {
    PageOptions pages{.huge_pages = options_.huge_pages, .lock = options_.lock, .limit_bytes = options_.limit_bytes};
    if (i < options_.nodes.size()) pages.node = options_.nodes[i];
    arenas_.push_back(std::make_unique<Arena>(options_.arena, pages, system_));
    if (options_.prefault_bytes != 0 && options_.arena != ArenaKind::host)
      prefaulted_[i] = arenas_.back()->pages().prefault(options_.prefault_bytes);
  }
}

bool Memory::enter(std::uint32_t scheduler, ThreadOf thread) noexcept {
  Arena& mine = *arenas_[scheduler];
  mine.enter();
  const bool places = several_nodes_ && options_.arena != ArenaKind::host;
  const bool first = std::exchange(came_[scheduler], 1) == 0;
  if (places && first && scheduler >= options_.nodes.size()) mine.pages().prefer_node(system_.current_node());
  if (const auto node = mine.pages().options().node; places && node && thread == ThreadOf::runtime)
    system_.prefer_node_for_thread(node);
  return first && entered_.fetch_add(1, std::memory_order_relaxed) + 1 == arenas_.size() && has_wishes();
}

void Memory::leave(std::uint32_t scheduler, ThreadOf thread) noexcept {
  arenas_[scheduler]->leave();
  if (several_nodes_ && options_.arena != ArenaKind::host && thread == ThreadOf::runtime)
    system_.prefer_node_for_thread(std::nullopt);
}

std::vector<NodeMemory> Memory::nodes() const {
  std::vector<NodeMemory> nodes;
  for (const auto& arena : arenas_) {
    const std::uint32_t number = arena->pages().options().node.value_or(0);
    auto at = std::find_if(nodes.begin(), nodes.end(), [&](const NodeMemory& one) { return one.node >= number; });
    if (at == nodes.end() || at->node != number) at = nodes.insert(at, NodeMemory{.node = number});
    const Arena::Statistics one = arena->statistics();
    ++at->arenas;
    at->statistics.capacity += one.capacity;
    at->statistics.in_use += one.in_use;
    at->statistics.high_water += one.high_water;
    at->statistics.allocated += one.allocated;
    at->statistics.remote_frees += one.remote_frees;
    at->statistics.refused += one.refused;
  }
  return nodes;
}

NearScheduler::NearScheduler(const Memory& memory, std::uint32_t scheduler) {
  const auto node = memory.arena(scheduler).pages().options().node;
  if (node && memory.system().several_nodes() && memory.system().prefer_node_for_thread(node) == 0)
    system_ = &memory.system();
}

NearScheduler::~NearScheduler() {
  if (system_ != nullptr) system_->prefer_node_for_thread(std::nullopt);
}

StartReport Memory::report() const {
  StartReport report;
  for (std::uint32_t i = 0; i < arenas_.size(); ++i) {
    const Arena& arena = *arenas_[i];
    const std::string who = "scheduler " + std::to_string(i) + ", ";
    const auto row = [&](const char* what, std::string asked, std::string obtained) {
      report.rows.push_back({who + what, std::move(asked), std::move(obtained)});
    };
    constexpr const char* kinds[] = {"the host's allocator", "pages", "jemalloc"};
    row("arena", kinds[static_cast<int>(options_.arena)], arena.name());
    if (options_.arena == ArenaKind::host) continue;
    if (i < options_.nodes.size()) {
      row("node", "node " + std::to_string(options_.nodes[i]), node_text(arena));
    } else if (several_nodes_) {
      row("node", "where it runs", node_text(arena));
    }
    if (options_.huge_pages != HugePages::none)
      row("huge pages", options_.huge_pages == HugePages::reserved ? "set aside" : "transparent",
          huge_text(arena.pages()));
    if (options_.lock) row("locked memory", "all", lock_text(arena.pages(), system_));
    if (options_.prefault_bytes != 0)
      row("prefaulted", bytes_text(options_.prefault_bytes),
          prefaulted_[i] ? bytes_text(options_.prefault_bytes)
                         : "nothing: " + (options_.limit_bytes != 0 && options_.limit_bytes < options_.prefault_bytes
                                              ? "the limit is " + bytes_text(options_.limit_bytes)
                                              : std::string("the kernel has no more")));
  }
  return report;
}

std::string to_string(const NodeMemory& node) {
  const Arena::Statistics& statistics = node.statistics;
  return "node " + std::to_string(node.node) + ": " + std::to_string(node.arenas) +
         (node.arenas == 1 ? " arena, " : " arenas, ") + std::to_string(statistics.in_use) + " bytes in use, " +
         std::to_string(statistics.high_water) + " at most of " + std::to_string(statistics.capacity) + ", " +
         std::to_string(statistics.remote_frees) + " freed from elsewhere";
}

}  // namespace outcry
