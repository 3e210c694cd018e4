// Format: which recorded market a file holds, by its name on the command line or by its content.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <outcry/net/record_reader.hpp>

namespace outcry {

enum class Format : std::uint8_t { itch, lobster, dbn, csv };

/// As it is written after --format.
std::string_view name_of(Format format);
/// Nothing if there is no such format.
std::optional<Format> format_named(std::string_view name);
/// "itch, lobster, dbn or csv", for help and errors.
std::string format_names();

/// By content, whatever the file is called. Throws InputError, with what the file seems to be, if it is none of the
/// formats.
Format recognise(const std::string& path);

/// Opens a file as `format`, or as what it is. Throws InputError.
std::unique_ptr<RecordReader> open_records(const std::string& path, std::optional<Format> format = {},
                                           const ReaderOptions& options = {});

}  // namespace outcry
