#include <outcry/net/itch_file_writer.hpp>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <outcry/net/big_endian.hpp>

namespace outcry {

ItchFileWriter::ItchFileWriter(std::string path) : path_(std::move(path)), file_(std::fopen(path_.c_str(), "wb")) {
  if (file_ == nullptr) throw std::runtime_error(path_ + ": " + std::strerror(errno));
}

void ItchFileWriter::write(std::span<const std::byte> message) noexcept {
  assert(file_ != nullptr && !message.empty() && message.size() <= 0xFFFF && "a message that no frame holds");
  const BigEndian<2> length = static_cast<std::uint16_t>(message.size());
  failed_ |= std::fwrite(&length, sizeof length, 1, file_.get()) != 1;
  failed_ |= std::fwrite(message.data(), message.size(), 1, file_.get()) != 1;
}

void ItchFileWriter::end() {
  const BigEndian<2> length = 0;
  failed_ |= std::fwrite(&length, sizeof length, 1, file_.get()) != 1;
  failed_ |= std::fclose(file_.release()) != 0;
  if (failed_) throw std::runtime_error(path_ + ": not everything could be written");
}

}  // namespace outcry
