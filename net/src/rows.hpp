// Rows: the one way in which the readers of text walk through their lines.
#pragma once

#include <utility>

#include <outcry/net/record_reader.hpp>

#include "csv_line.hpp"

namespace outcry {

template <class ParseRow>
std::size_t RecordReader::read_rows(std::span<HistoryEvent> out, ParseRow parse_row) {
  if (stopped()) return 0;
  std::size_t made = 0;
  while (made < out.size() && at_ < bytes_.size()) {
    const CsvLine line = line_at(bytes_, at_);
    if (line.text.empty() && only_blank_from(bytes_, at_)) {
      at_ = bytes_.size();
      break;
    }
    HistoryEvent& event = out[made];
    event = {.record = static_cast<std::uint32_t>(records_++)};
    char type = '\0';
    Complaint complaint;
    if (!parse_row(line.text, event, type, complaint)) {
      if (!pass_over(place_of(event.record), std::move(complaint.found), std::move(complaint.expected))) break;
      at_ = line.next;
      continue;
    }
    if (!in_order(event)) break;
    ++counts_[static_cast<std::uint8_t>(type)];
    at_ = line.next;
    ++made;
  }
  return made;
}

}  // namespace outcry
