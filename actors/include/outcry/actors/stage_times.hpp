// StageTimes: how long orders spend in each stage of their way, for each symbol: one set for each scheduler.
//
//   mailbox   from the arrival stamp of a command until the symbol takes it
//   match     from there until its events are handed on
//   deliver   from the take until a quote or trade print that it caused reaches its receiver
//   total     from the arrival stamp until the owner of the order hears of it
//
// Stamps are in nanoseconds of one clock: the world's in a simulation, where they are part of the model and the same in
// every run; the time-stamp counter in replay and live, where they measure this machine. The clock is read twice for
// each batch of messages, not for each message.
// Thread: one scheduler records. Anyone may read while the runtime does not run; else ask the timing actor.
// Cost: 2 to 3 ns a record. Memory: about 4 KiB a symbol and stage, taken when a symbol is first added.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <outcry/messages/identity.hpp>
#include <outcry/runtime/histogram.hpp>

namespace outcry {

enum class Stage : std::uint8_t { mailbox, match, deliver, total };
inline constexpr std::size_t stage_count = 4;
constexpr std::string_view name_of(Stage stage) {
  constexpr std::string_view names[] = {"mailbox", "match", "deliver", "total"};
  return names[static_cast<std::size_t>(stage)];
}

/// The market's order is the one in which a symbol takes its commands. Who had arrived earlier, at another gateway, than
/// one that was taken before him was overtaken.
struct Fairness {
  std::uint64_t overtaken = 0;
  std::int64_t most_ns = 0;  // between the two arrivals, at most

  void took(std::int64_t arrival_ns) noexcept {
    if (arrival_ns >= latest_ns_) {
      latest_ns_ = arrival_ns;
    } else {
      ++overtaken;
      most_ns = std::max(most_ns, latest_ns_ - arrival_ns);
    }
  }
  void add(const Fairness& other) noexcept {
    overtaken += other.overtaken;
    most_ns = std::max(most_ns, other.most_ns);
  }

 private:
  std::int64_t latest_ns_ = 0;
};

class StageTimes {
 public:
  using SymbolStages = std::array<Histogram, stage_count>;

  explicit StageTimes(int significant_digits = 2) : range_{10'000'000'000, significant_digits} {}

  /// The histograms of a symbol; they stay where they are.
  SymbolStages& of(SymbolId symbol) { return times_of(symbol).stages; }
  /// It stays where it is.
  Fairness& fairness_of(SymbolId symbol) { return times_of(symbol).fairness; }
  Fairness fairness(SymbolId symbol) const {
    return symbol.value < symbols_.size() && symbols_[symbol.value] != nullptr ? symbols_[symbol.value]->fairness
                                                                               : Fairness{};
  }

  void record(SymbolId symbol, Stage stage, std::int64_t ns) { of(symbol)[static_cast<std::size_t>(stage)].record(ns); }

  /// Adds one stage to `sum`: of one symbol, or of all.
  void add_to(Histogram& sum, Stage stage, SymbolId symbol) const {
    if (symbol.value < symbols_.size() && symbols_[symbol.value] != nullptr)
      sum.merge(symbols_[symbol.value]->stages[static_cast<std::size_t>(stage)]);
  }
  void add_to(Histogram& sum, Stage stage) const {
    for (std::uint32_t i = 0; i < symbols_.size(); ++i) add_to(sum, stage, SymbolId{i});
  }
  std::size_t symbols() const { return symbols_.size(); }
  int significant_digits() const { return range_.significant_digits; }
  Histogram empty_sum() const { return Histogram(range_); }

 private:
  struct SymbolTimes {
    SymbolStages stages;
    Fairness fairness{};
  };

  SymbolTimes& times_of(SymbolId symbol) {
    if (symbol.value >= symbols_.size()) symbols_.resize(symbol.value + 1);
    auto& times = symbols_[symbol.value];
    if (times == nullptr)
      times = std::make_unique<SymbolTimes>(
          SymbolTimes{{Histogram(range_), Histogram(range_), Histogram(range_), Histogram(range_)}});
    return *times;
  }

  Histogram::Range range_;
  std::vector<std::unique_ptr<SymbolTimes>> symbols_;
};

}  // namespace outcry
