#include <outcry/net/record_reader.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "csv_line.hpp"

namespace outcry {

RecordReader::RecordReader(const std::string& path, const ReaderOptions& options)
    : file_(path), name_(path), bytes_(file_.bytes()), lenient_(options.lenient) {}

RecordReader::RecordReader(std::string name, std::span<const std::byte> bytes, const ReaderOptions& options)
    : name_(std::move(name)), bytes_(bytes), lenient_(options.lenient) {}

bool RecordReader::pass_over(Place place, std::string found, std::string expected) {
  ++broken_;
  if (!first_broken_) first_broken_.emplace(std::move(place), std::move(found), std::move(expected));
  return lenient_;
}

bool RecordReader::pass_back(HistoryEvent& event) {
  const std::int64_t time_ns = event.time_ns;
  event.time_ns = time_ns_;
  if (first_broken_) return ++broken_, true;  // lenient, and the place of no other record will be asked for
  return pass_over(place_of(event.record), fmt::format("the time {} after {}", seconds(time_ns), seconds(time_ns_)),
                   "times that do not go back");
}

std::string symbol_of_file(const std::string& given, const std::string& path) {
  if (!given.empty()) return given;
  std::string name = path.substr(path.find_last_of('/') + 1);  // + 1 is 0 if there is no folder
  name.resize(std::min(name.find_first_of("_."), name.size()));
  for (char& c : name)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return name;
}

Instrument recorded_stock(SymbolId symbol, std::string_view name) {
  return {.symbol = symbol,
          .name = padded_name(name),
          .tick = 100,
          .off_tick_allowed = true,
          .lot = 1,
          .price_scale = 10'000};
}

}  // namespace outcry
