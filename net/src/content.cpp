#include "content.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "csv_line.hpp"
#include "databento.hpp"

namespace outcry {
namespace {

bool begins_with(std::span<const std::byte> bytes, std::initializer_list<unsigned> magic) {
  return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin(),
                                                    [](unsigned a, std::byte b) { return std::byte(a) == b; });
}

// The first frame is sound, or the file ends in it: nothing else begins with a length that fits a letter that fits it.
bool is_itch(std::span<const std::byte> bytes) {
  if (bytes.size() < 3) return false;
  const std::size_t length = *reinterpret_cast<const itch::U16*>(bytes.data());
  return length != 0 && length == itch::size_of(static_cast<char>(bytes[2]));
}

bool is_text(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes.first(std::min<std::size_t>(bytes.size(), 512)), [](std::byte b) {
    return b == std::byte{'\n'} || b == std::byte{'\r'} || b == std::byte{'\t'} ||
           (b >= std::byte{' '} && b <= std::byte{'~'});
  });
}

bool are_numbers(std::string_view line) {
  std::array<std::string_view, 4096> columns;
  const std::size_t count = split(line, columns);
  std::int64_t number = 0;
  return count <= columns.size() && std::all_of(columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(count),
                                                [&](std::string_view column) { return parse(column, number); });
}

bool is_lobster_message(std::string_view line) {
  std::array<std::string_view, 6> columns;
  std::int64_t time = 0, number = 0;
  return split(line, columns) == 6 && parse_seconds(columns[0], time) && columns[1].size() == 1 &&
         columns[1][0] >= '1' && columns[1][0] <= '7' && parse(columns[2], number) && parse(columns[3], number) &&
         parse(columns[4], number) && (columns[5] == "1" || columns[5] == "-1");
}

}  // namespace

Content content_of(std::span<const std::byte> bytes) {
  if (bytes.empty()) return Content::empty;
  if (begins_with(bytes, {0x1f, 0x8b})) return Content::gzip;
  if (begins_with(bytes, {0x28, 0xb5, 0x2f, 0xfd})) return Content::zstd;
  if (begins_with(bytes, {'D', 'B', 'N'})) return Content::dbn;
  if (begins_with(bytes, {0xd4, 0xc3, 0xb2, 0xa1}) || begins_with(bytes, {0xa1, 0xb2, 0xc3, 0xd4}) ||
      begins_with(bytes, {0x4d, 0x3c, 0xb2, 0xa1}) || begins_with(bytes, {0x0a, 0x0d, 0x0d, 0x0a}))
    return Content::pcap;
  if (is_itch(bytes)) return Content::itch;
  if (!is_text(bytes)) return Content::bytes;

  const std::string_view line = line_at(bytes, 0).text;
  const std::size_t columns = split(line, {});
  if (line == event_csv_header) return Content::event_csv;
  if (line == bbo_states_header) return Content::bbo_states;
  if (line.starts_with("n,a0,aq0,b0,bq0") && columns % 4 == 1) return Content::top_states;
  if (line == "None,None,None,None") return Content::bbo_changes;
  const databento::Header header(line);
  if (databento::is_mbo(header)) return Content::databento_mbo;
  if (databento::is_mbp(header)) return Content::databento_mbp;
  if (line.find("ts_recv,ts_event,") != std::string_view::npos) return Content::databento;
  if (is_lobster_message(line)) return Content::lobster_messages;
  if (columns % 4 == 0 && are_numbers(line)) return Content::lobster_orderbook;
  return Content::text;
}

std::string describe(Content content, std::span<const std::byte> bytes) {
  switch (content) {
    case Content::empty: return "an empty file";
    case Content::itch: return "ITCH 5.0 messages in BinaryFILE frames";
    case Content::lobster_messages: return "a LOBSTER message file";
    case Content::lobster_orderbook: return "a LOBSTER order book file";
    case Content::event_csv: return "an event CSV";
    case Content::bbo_states: return "states of best bid and offer (n_last,ask,...)";
    case Content::top_states: return "states of the best levels (n,a0,aq0,...)";
    case Content::bbo_changes: return "changes of best bid and offer (None,None,None,None first)";
    case Content::databento_mbo: return "Databento's market by order as CSV";
    case Content::databento_mbp: return "Databento's market by price as CSV";
    case Content::databento: return "a Databento CSV that lacks columns of market by order";
    case Content::dbn: return "a Databento DBN file, which is not read yet";
    case Content::gzip: return "a file compressed with gzip";
    case Content::zstd: return "a file compressed with zstd";
    case Content::pcap: return "a packet capture";
    case Content::text: return fmt::format("text that begins {}", quoted(line_at(bytes, 0).text));
    case Content::bytes: break;
  }
  std::string begin;
  for (const std::byte byte : bytes.first(std::min<std::size_t>(bytes.size(), 8)))
    begin += fmt::format(" {:02x}", std::to_integer<unsigned>(byte));
  return "bytes that begin" + begin;
}

}  // namespace outcry
