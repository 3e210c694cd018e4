// Any bytes are a recorded market of any format. A reader must come to an end within them, strict or lenient, and say
// where it stopped; times never go back.
#include <array>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include <outcry/net/dbn_csv.hpp>
#include <outcry/net/event_csv.hpp>
#include <outcry/net/itch_file.hpp>
#include <outcry/net/lobster.hpp>

#include "bytes.hpp"

using namespace outcry;

namespace {

/// None if the bytes are no file of the format.
std::unique_ptr<RecordReader> reader(std::uint64_t format, std::span<const std::byte> bytes,
                                     const ReaderOptions& options) try {
  switch (format) {
    case 0: return std::make_unique<ItchFileReader>("fuzz.itch", bytes, options);
    case 1: return std::make_unique<LobsterReader>("fuzz_message.csv", bytes, options);
    case 2: return std::make_unique<EventCsvReader>("fuzz.csv", bytes, options);
    default: return std::make_unique<DbnCsvReader>("fuzz.dbn.csv", bytes, options);
  }
} catch (const std::runtime_error&) {
  return nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::span<const std::byte> bytes{reinterpret_cast<const std::byte*>(data + 1), size - 1};
  const bool lenient = (data[0] & 4) != 0;
  const auto market = reader(data[0] & 3, bytes, {.lenient = lenient, .symbol = "FUZZ"});
  if (!market) return 0;
  std::array<HistoryEvent, 7> events;
  std::int64_t time_ns = 0;
  for (std::size_t count = events.size(); count == events.size();) {
    count = market->read(events);
    for (std::size_t i = 0; i < count; ++i) {
      if (events[i].time_ns < time_ns || events[i].symbol.value >= market->instruments().size()) std::abort();
      time_ns = events[i].time_ns;
    }
  }
  if (market->bytes_read() > market->bytes_total()) std::abort();
  if (!lenient && market->error() == nullptr && market->bytes_read() != market->bytes_total()) std::abort();
  static_cast<void>(market->position());
  return 0;
}
