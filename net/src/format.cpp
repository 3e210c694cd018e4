#include <outcry/net/format.hpp>

#include <cstdlib>
#include <iterator>

#include <outcry/net/dbn_csv.hpp>
#include <outcry/net/event_csv.hpp>
#include <outcry/net/itch_file.hpp>
#include <outcry/net/lobster.hpp>

#include "content.hpp"

namespace outcry {
namespace {

struct Row {
  Format format;
  std::string_view name;
  Content content;
  std::unique_ptr<RecordReader> (*open)(const std::string& path, const ReaderOptions& options);
};

template <class Reader>
std::unique_ptr<RecordReader> open_as(const std::string& path, const ReaderOptions& options) {
  return std::make_unique<Reader>(path, options);
}

constexpr Row table[] = {
    {Format::itch, "itch", Content::itch, &open_as<ItchFileReader>},
    {Format::lobster, "lobster", Content::lobster_messages, &open_as<LobsterReader>},
    {Format::dbn, "dbn", Content::databento_mbo, &open_as<DbnCsvReader>},
    {Format::csv, "csv", Content::event_csv, &open_as<EventCsvReader>},
};

const Row& row_of(Format format) {
  for (const Row& row : table)
    if (row.format == format) return row;
  std::abort();  // the table above forgot a format
}

}  // namespace

std::string_view name_of(Format format) { return row_of(format).name; }

std::optional<Format> format_named(std::string_view name) {
  for (const Row& row : table)
    if (row.name == name) return row.format;
  return {};
}

std::string format_names() {
  std::string names;
  for (std::size_t i = 0; i < std::size(table); ++i) {
    if (i > 0) names += i + 1 == std::size(table) ? " or " : ", ";
    names += table[i].name;
  }
  return names;
}

Format recognise(const std::string& path) {
  const MappedFile file(path);
  const Content content = content_of(file.bytes());
  for (const Row& row : table)
    if (row.content == content) return row.format;
  throw InputError({path}, describe(content, file.bytes()), "a recorded market: " + format_names());
}

std::unique_ptr<RecordReader> open_records(const std::string& path, std::optional<Format> format,
                                           const ReaderOptions& options) {
  return row_of(format ? *format : recognise(path)).open(path, options);
}

}  // namespace outcry
