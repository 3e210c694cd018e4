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

class StageTimes {
 public:
  using SymbolStages = std::array<Histogram, stage_count>;

  explicit StageTimes(int significant_digits = 2) : range_{10'000'000'000, significant_digits} {}

  /// The histograms of a symbol; they stay where they are.
  SymbolStages& of(SymbolId symbol) {
    if (symbol.value >= symbols_.size()) symbols_.resize(symbol.value + 1);
    auto& stages = symbols_[symbol.value];
    if (stages == nullptr)
      stages = std::make_unique<SymbolStages>(
          SymbolStages{Histogram(range_), Histogram(range_), Histogram(range_), Histogram(range_)});
    return *stages;
  }

  void record(SymbolId symbol, Stage stage, std::int64_t ns) { of(symbol)[static_cast<std::size_t>(stage)].record(ns); }

  /// Adds one stage to `sum`: of one symbol, or of all.
  void add_to(Histogram& sum, Stage stage, SymbolId symbol) const {
    if (symbol.value < symbols_.size() && symbols_[symbol.value] != nullptr)
      sum.merge((*symbols_[symbol.value])[static_cast<std::size_t>(stage)]);
  }
  void add_to(Histogram& sum, Stage stage) const {
    for (std::uint32_t i = 0; i < symbols_.size(); ++i) add_to(sum, stage, SymbolId{i});
  }
  std::size_t symbols() const { return symbols_.size(); }
  int significant_digits() const { return range_.significant_digits; }
  Histogram empty_sum() const { return Histogram(range_); }

 private:
  Histogram::Range range_;
  std::vector<std::unique_ptr<SymbolStages>> symbols_;
};

}  // namespace outcry
