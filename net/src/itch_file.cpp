#include <outcry/net/itch_file.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include <outcry/net/itch.hpp>

#include "content.hpp"
#include "csv_line.hpp"

namespace outcry {
namespace {

bool makes_event(char type) {
  constexpr std::string_view types = "AFECXDUPQ";
  return types.find(type) != std::string_view::npos;
}

template <class Message>
const Message& message_at(const std::byte* at) {
  return *reinterpret_cast<const Message*>(at);
}

bool side_of(char letter, Side& side) {
  side = letter == 'S' ? Side::sell : Side::buy;
  return letter == 'B' || letter == 'S';
}

bool is_state(char letter) { return letter == 'H' || letter == 'P' || letter == 'Q' || letter == 'T'; }

std::string letter(char c) {
  return c >= ' ' && c <= '~' ? fmt::format("'{}'", c)
                              : fmt::format("0x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
}

}  // namespace

struct ItchFileReader::WrongField {
  const char* name = nullptr;  // null: none is wrong
  char value = '\0';
  const char* expected = nullptr;
};

ItchFileReader::ItchFileReader(const std::string& path, const ReaderOptions& options) : RecordReader(path, options) {
  begin();
}

ItchFileReader::ItchFileReader(std::string name, std::span<const std::byte> bytes, const ReaderOptions& options)
    : RecordReader(std::move(name), bytes, options) {
  begin();
}

void ItchFileReader::begin() {
  const Content content = content_of(bytes_);
  if (content != Content::itch && content != Content::bytes)
    throw InputError({name_}, describe(content, bytes_), "ITCH 5.0 messages in BinaryFILE frames");
  symbols_ = std::make_unique<std::array<std::uint32_t, 65536>>();
  symbols_->fill(unknown);

  for (std::uint64_t at = 0; const std::size_t size = itch_frame(bytes_, at); at += 2 + size) {
    const std::byte* const message = bytes_.data() + at + 2;
    const char type = static_cast<char>(*message);
    if (makes_event(type)) break;
    if (type == itch::StockDirectory::code) {
      const auto& directory = message_at<itch::StockDirectory>(message);
      learn(directory.header.stock_locate, directory.stock.text());
    }
  }
}

SymbolId ItchFileReader::learn(std::uint16_t locate, std::string_view stock) {
  std::uint32_t& symbol = (*symbols_)[locate];
  if (symbol == unknown) {
    symbol = static_cast<std::uint32_t>(instruments_.size());
    instruments_.push_back(recorded_stock({symbol}, stock.empty() ? fmt::format("locate-{}", locate) : stock));
    named_.push_back(!stock.empty());
    unnamed_ += stock.empty();
  } else if (!named_[symbol] && !stock.empty()) {
    instruments_[symbol].name = padded_name(stock);
    named_[symbol] = true;
    --unnamed_;
  }
  return {symbol};
}

SymbolId ItchFileReader::symbol_of(std::uint16_t locate) {
  const std::uint32_t symbol = (*symbols_)[locate];
  return symbol != unknown ? SymbolId{symbol} : learn(locate, {});
}

SymbolId ItchFileReader::symbol_of(std::uint16_t locate, std::string_view padded_stock) {
  const std::uint32_t symbol = (*symbols_)[locate];
  if (symbol != unknown && unnamed_ == 0) return {symbol};
  return learn(locate, padded_stock.substr(0, padded_stock.find_last_not_of(' ') + 1));
}

std::size_t ItchFileReader::read(std::span<HistoryEvent> out) noexcept {
  if (ended_ || stopped()) return 0;

  std::size_t made = 0;
  while (made < out.size()) {
    const std::size_t size = itch_frame(bytes_, at_);
    if (size == 0) [[unlikely]] {
      if (pass_broken_frame()) continue;
      break;
    }
    const std::byte* const message = bytes_.data() + at_ + 2;
    const auto& header = message_at<itch::Header<'\0'>>(message);
    HistoryEvent& event = out[made];
    event = {.time_ns = static_cast<std::int64_t>(header.timestamp.value()), .record = count_record()};

    WrongField wrong;
    const bool makes_one = fill(message, event, wrong);
    if (event.time_ns >= day_ns || wrong.name) [[unlikely]] {
      const bool go_on = wrong.name
                             ? pass_over(here(),
                                         fmt::format("{} {} in a message of type {}", wrong.name, letter(wrong.value),
                                                     letter(header.type)),
                                         wrong.expected)
                             : pass_over(here(), fmt::format("the time {}", seconds(event.time_ns)), "one before 24 h");
      if (!go_on) break;
      at_ += 2 + size;
      continue;
    }
    if (!in_order(event)) break;
    ++counts_[static_cast<std::uint8_t>(header.type)];
    at_ += 2 + size;
    made += makes_one;
  }
  return made;
}

// True: the message makes an event. Of `event`, time and record are there already.
bool ItchFileReader::fill(const std::byte* message, HistoryEvent& event, WrongField& wrong) {
  const auto& header = message_at<itch::Header<'\0'>>(message);
  const std::uint16_t locate = header.stock_locate;
  switch (header.type) {
    case itch::AddOrder::code:
    case itch::AddOrderAttributed::code: {  // the one begins like the other
      const auto& add = message_at<itch::AddOrder>(message);
      if (!side_of(add.side, event.side)) wrong = {"side", add.side, "B or S"};
      event.kind = HistoryKind::add;
      event.id = {add.order};
      event.price = {add.price};
      event.quantity = {add.shares};
      event.symbol = symbol_of(locate, add.stock.padded());
      return true;
    }
    case itch::OrderDelete::code:
      event.kind = HistoryKind::remove;
      event.id = {message_at<itch::OrderDelete>(message).order};
      event.symbol = symbol_of(locate);
      return true;
    case itch::OrderReplace::code: {
      const auto& replace = message_at<itch::OrderReplace>(message);
      event.kind = HistoryKind::replace;
      event.id = {replace.order};
      event.new_id = {replace.new_order};
      event.price = {replace.price};
      event.quantity = {replace.shares};
      event.symbol = symbol_of(locate);
      return true;
    }
    case itch::OrderExecuted::code: {
      const auto& execution = message_at<itch::OrderExecuted>(message);
      event.kind = HistoryKind::execute;
      event.id = {execution.order};
      event.quantity = {execution.shares};
      event.symbol = symbol_of(locate);
      return true;
    }
    case itch::OrderExecutedAt::code: {
      const auto& execution = message_at<itch::OrderExecutedAt>(message);
      if (execution.printable != 'Y' && execution.printable != 'N')
        wrong = {"printable", execution.printable, "Y or N"};
      event.kind = HistoryKind::execute;
      event.id = {execution.order};
      event.price = {execution.price};
      event.quantity = {execution.shares};
      event.printable = execution.printable == 'Y';
      event.symbol = symbol_of(locate);
      return true;
    }
    case itch::OrderCancel::code: {
      const auto& cancel = message_at<itch::OrderCancel>(message);
      event.kind = HistoryKind::reduce;
      event.id = {cancel.order};
      event.quantity = {cancel.shares};
      event.symbol = symbol_of(locate);
      return true;
    }
    case itch::Trade::code: {
      const auto& trade = message_at<itch::Trade>(message);
      if (!side_of(trade.side, event.side)) wrong = {"side", trade.side, "B or S"};
      event.kind = HistoryKind::hidden_execute;
      event.id = {trade.order};
      event.price = {trade.price};
      event.quantity = {trade.shares};
      event.symbol = symbol_of(locate, trade.stock.padded());
      return true;
    }
    case itch::CrossTrade::code: {
      const auto& cross = message_at<itch::CrossTrade>(message);
      event.kind = HistoryKind::cross;
      event.price = {cross.price};
      event.quantity = {
          static_cast<std::uint32_t>(std::min<std::uint64_t>(cross.shares, std::numeric_limits<std::uint32_t>::max()))};
      event.symbol = symbol_of(locate, cross.stock.padded());
      return true;
    }
    case itch::TradingAction::code: {
      const auto& action = message_at<itch::TradingAction>(message);
      if (!is_state(action.state)) wrong = {"trading state", action.state, "H, P, Q or T"};
      event.kind = action.state == 'T' ? HistoryKind::resume : HistoryKind::halt;
      event.symbol = symbol_of(locate, action.stock.padded());
      return true;
    }
    case itch::StockDirectory::code:
      learn(locate, message_at<itch::StockDirectory>(message).stock.text());
      return false;
    default: return false;
  }
}

std::uint32_t ItchFileReader::count_record() {
  if (records_ % checkpoint_every == 0) checkpoints_.push_back(at_);
  return static_cast<std::uint32_t>(records_++);
}

// In front of a frame that is not sound, or at the end. True: go on from at_.
bool ItchFileReader::pass_broken_frame() {
  const std::uint64_t left = bytes_.size() - at_;
  const auto length = left < 2 ? 0u : std::uint32_t{itch::U16(message_at<itch::U16>(bytes_.data() + at_))};
  const bool end_of_session = left >= 2 && length == 0;
  if (left == 0 ||
      (end_of_session && std::ranges::all_of(bytes_.subspan(at_), [](std::byte b) { return b == std::byte{0}; }))) {
    at_ = bytes_.size();
    ended_ = true;
    return false;
  }

  Complaint complaint;
  const char type = left > 2 ? static_cast<char>(bytes_[at_ + 2]) : '\0';
  const std::size_t size = itch::size_of(type);
  if (end_of_session)
    complaint = {fmt::format("{} more bytes after the end of the session", left - 2), "the end of the file"};
  else if (left < 2)
    complaint = {"the end of the file after one byte of a length", "two bytes of length"};
  else if (left == 2)
    complaint = {fmt::format("the end of the file after the length {}", length),
                 fmt::format("a message of {} bytes", length)};
  else if (size == 0)
    complaint = {fmt::format("a message of type {} and {} bytes", letter(type), length), "a type of ITCH 5.0"};
  else if (size != length)
    complaint = {fmt::format("a message of type {} and {} bytes", letter(type), length), fmt::format("{} bytes", size)};
  else
    complaint = {fmt::format("the end of the file after {} bytes of a message of type {}", left - 2, letter(type)),
                 fmt::format("{} bytes", size)};

  count_record();
  if (!pass_over(here(), std::move(complaint.found), std::move(complaint.expected))) return false;
  at_ = after_broken(at_);
  return true;
}

bool ItchFileReader::sound_from(std::uint64_t offset, int frames) const {
  for (int frame = 0; frame < frames; ++frame) {
    if (frame > 0 && offset == bytes_.size()) return true;
    const std::size_t size = itch_frame(bytes_, offset);
    if (size == 0) return false;
    const auto& header = message_at<itch::Header<'\0'>>(bytes_.data() + offset + 2);
    if (static_cast<std::int64_t>(header.timestamp.value()) >= day_ns) return false;
    offset += 2 + size;
  }
  return true;
}

std::uint64_t ItchFileReader::after_broken(std::uint64_t offset) const {
  if (bytes_.size() - offset >= 2) {
    const std::uint64_t stated = offset + 2 + message_at<itch::U16>(bytes_.data() + offset).value();
    if (stated == bytes_.size() || (stated < bytes_.size() && sound_from(stated, 1))) return stated;
  }
  while (++offset < bytes_.size())
    if (sound_from(offset, 3)) return offset;
  return bytes_.size();
}

Place ItchFileReader::here() const { return {name_, Place::Unit::offset, at_}; }

Place ItchFileReader::place_of(std::uint32_t record) const {
  if (record >= records_) return {name_};
  std::uint64_t at = checkpoints_[record / checkpoint_every];
  for (std::uint32_t left = record % checkpoint_every; left > 0; --left) {
    const std::size_t size = itch_frame(bytes_, at);
    at = size != 0 ? at + 2 + size : after_broken(at);
  }
  return {name_, Place::Unit::offset, at};
}

}  // namespace outcry
