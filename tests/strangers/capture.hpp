// Capture: packets of ours in a pcap file, as a network card would have seen them: Ethernet, IPv4, TCP or UDP.
//
// A conversation has its handshake and its end, numbers that go on, and checksums that are right, so that whoever
// dissects the file has nothing to say about these layers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace outcry_test {

class Capture {
 public:
  explicit Capture(const std::string& path) : file_(std::fopen(path.c_str(), "wb")) {
    if (file_ == nullptr) throw std::runtime_error(path + " cannot be written");
    little(0xA1B2C3D4, 4);
    little(2, 2);
    little(4, 2);
    little(0, 4);
    little(0, 4);
    little(65'535, 4);
    little(1, 4);  // Ethernet
    flush();
  }
  ~Capture() { std::fclose(file_); }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  void datagram(std::uint16_t from, std::uint16_t to, std::span<const std::byte> payload) {
    std::vector<std::uint8_t> segment;
    big(segment, from, 2);
    big(segment, to, 2);
    big(segment, 8 + payload.size(), 2);
    big(segment, 0, 2);
    append(segment, payload);
    put_checksum(segment, 17, 6);
    packet(17, segment, false);
  }

  /// A connection of a client to a server's port.
  class Conversation {
   public:
    Conversation(Capture& capture, std::uint16_t client, std::uint16_t server)
        : capture_(capture), ports_{client, server} {
      capture_.segment(ports_[0], ports_[1], numbers_[0], 0, syn, {}, false);
      ++numbers_[0];
      capture_.segment(ports_[1], ports_[0], numbers_[1], numbers_[0], syn | ack, {}, true);
      ++numbers_[1];
      acknowledge(0);
    }
    ~Conversation() {
      close(0);
      close(1);
      acknowledge(0);
    }
    Conversation(const Conversation&) = delete;
    Conversation& operator=(const Conversation&) = delete;

    void from_client(std::span<const std::byte> bytes) { send(0, bytes); }
    void from_server(std::span<const std::byte> bytes) { send(1, bytes); }

   private:
    static constexpr std::size_t largest = 1'460;

    void send(int side, std::span<const std::byte> bytes) {
      while (!bytes.empty()) {
        const auto part = bytes.first(std::min(bytes.size(), largest));
        capture_.segment(ports_[side], ports_[1 - side], numbers_[side], numbers_[1 - side], ack | push, part,
                         side == 1);
        numbers_[side] += static_cast<std::uint32_t>(part.size());
        bytes = bytes.subspan(part.size());
        acknowledge(1 - side);
      }
    }
    void acknowledge(int side) {
      capture_.segment(ports_[side], ports_[1 - side], numbers_[side], numbers_[1 - side], ack, {}, side == 1);
    }
    void close(int side) {
      capture_.segment(ports_[side], ports_[1 - side], numbers_[side], numbers_[1 - side], ack | fin, {}, side == 1);
      ++numbers_[side];
    }

    Capture& capture_;
    std::uint16_t ports_[2];
    std::uint32_t numbers_[2] = {1'000, 2'000};
  };

 private:
  static constexpr std::uint8_t fin = 1, syn = 2, push = 8, ack = 16;

  static void big(std::vector<std::uint8_t>& to, std::size_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  static void append(std::vector<std::uint8_t>& to, std::span<const std::byte> bytes) {
    for (const std::byte one : bytes) to.push_back(std::to_integer<std::uint8_t>(one));
  }
  void little(std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  void flush() {
    if (std::fwrite(out_.data(), 1, out_.size(), file_) != out_.size()) throw std::runtime_error("the disk is full");
    out_.clear();
  }

  static std::uint32_t sum(std::span<const std::uint8_t> bytes, std::uint32_t sum) {
    for (std::size_t i = 0; i < bytes.size(); ++i) sum += static_cast<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
    return sum;
  }
  static std::uint16_t folded(std::uint32_t sum) {
    while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
  }
  static std::vector<std::uint8_t> address(bool server) {
    return {10, 0, 0, static_cast<std::uint8_t>(server ? 2 : 1)};
  }

  static void put_checksum(std::vector<std::uint8_t>& segment, std::uint8_t protocol, std::size_t at) {
    std::uint32_t all = sum(address(false), 0);
    all = sum(address(true), all) + protocol + static_cast<std::uint32_t>(segment.size());
    const std::uint16_t check = folded(sum(segment, all));
    segment[at] = static_cast<std::uint8_t>(check >> 8);
    segment[at + 1] = static_cast<std::uint8_t>(check);
  }

  void segment(std::uint16_t from, std::uint16_t to, std::uint32_t number, std::uint32_t acknowledged,
               std::uint8_t flags, std::span<const std::byte> payload, bool from_server) {
    std::vector<std::uint8_t> bytes;
    big(bytes, from, 2);
    big(bytes, to, 2);
    big(bytes, number, 4);
    big(bytes, acknowledged, 4);
    bytes.push_back(5 << 4);
    bytes.push_back(flags);
    big(bytes, 65'535, 2);
    big(bytes, 0, 2);
    big(bytes, 0, 2);
    append(bytes, payload);
    put_checksum(bytes, 6, 16);
    packet(6, bytes, from_server);
  }

  void packet(std::uint8_t protocol, const std::vector<std::uint8_t>& segment, bool from_server) {
    std::vector<std::uint8_t> ip{0x45, 0};
    big(ip, 20 + segment.size(), 2);
    big(ip, ++packets_, 2);
    big(ip, 0x4000, 2);
    ip.push_back(64);
    ip.push_back(protocol);
    big(ip, 0, 2);
    for (const std::uint8_t one : address(from_server)) ip.push_back(one);
    for (const std::uint8_t one : address(!from_server)) ip.push_back(one);
    const std::uint16_t check = folded(sum(ip, 0));
    ip[10] = static_cast<std::uint8_t>(check >> 8);
    ip[11] = static_cast<std::uint8_t>(check);

    std::vector<std::uint8_t> frame;
    for (const int side : {from_server ? 1 : 2, from_server ? 2 : 1})
      for (const int byte : {2, 0, 0, 0, 0, side}) frame.push_back(static_cast<std::uint8_t>(byte));
    big(frame, 0x0800, 2);
    frame.insert(frame.end(), ip.begin(), ip.end());
    frame.insert(frame.end(), segment.begin(), segment.end());
    little(1'700'000'000, 4);
    little(packets_ * 100, 4);
    little(static_cast<std::uint32_t>(frame.size()), 4);
    little(static_cast<std::uint32_t>(frame.size()), 4);
    out_.insert(out_.end(), frame.begin(), frame.end());
    flush();
  }

  std::FILE* file_;
  std::vector<std::uint8_t> out_;
  std::uint32_t packets_ = 0;
};

}  // namespace outcry_test
