// ItchFileReader: a day of ITCH 5.0 in BinaryFILE framing: two bytes of length, then the message; length 0 ends the
// session.
//
// A F E C X D U P Q H make events; the other types are counted. `record` is the message's ordinal in the file.
// Instruments come from the stock directory; those listed before the first order are known at once. Where a file has no
// directory entry for a locate, the first message with a stock field names it; until then it is called "locate-N".
// An H is a resume if trading goes on and a halt otherwise (quotation only is a halt). A cross of more than 2^32 - 1
// shares shows that many.
// Lenient: a frame that makes no sense is passed over by its own length if a sound frame follows there, and else up to
// the next three sound frames in a row.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <outcry/net/record_reader.hpp>

namespace outcry {

class ItchFileReader final : public RecordReader {
 public:
  /// Throws InputError if the file cannot be read, is empty, or plainly is something else.
  explicit ItchFileReader(const std::string& path, const ReaderOptions& options = {});
  /// The same from memory, which must outlive the reader; `name` is what errors call it.
  ItchFileReader(std::string name, std::span<const std::byte> bytes, const ReaderOptions& options = {});

  std::size_t read(std::span<HistoryEvent> out) noexcept override;
  Place place_of(std::uint32_t record) const override;

 private:
  static constexpr std::uint32_t unknown = ~std::uint32_t{0};
  static constexpr std::uint64_t checkpoint_every = 1 << 16;

  struct WrongField;

  void begin();
  SymbolId learn(std::uint16_t locate, std::string_view stock);
  SymbolId symbol_of(std::uint16_t locate);
  SymbolId symbol_of(std::uint16_t locate, std::string_view padded_stock);
  bool fill(const std::byte* message, HistoryEvent& event, WrongField& wrong);
  std::uint32_t count_record();
  bool pass_broken_frame();
  bool sound_from(std::uint64_t offset, int frames) const;
  std::uint64_t after_broken(std::uint64_t offset) const;
  Place here() const;

  std::unique_ptr<std::array<std::uint32_t, 65536>> symbols_;  // by stock locate
  std::vector<bool> named_;                                    // by symbol
  std::uint32_t unnamed_ = 0;
  std::vector<std::uint64_t> checkpoints_;  // offset of every 65,536th record
  bool ended_ = false;
};

}  // namespace outcry
