#include <outcry/net/fix_writer.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>

namespace outcry::fix {

namespace {

// Behind the body there is room for the checksum.
constexpr std::size_t back = trailer_size;

}  // namespace

Writer::Writer(std::size_t largest) : largest_(largest), memory_(new char[front + largest + back]) {}

void Writer::begin(Version version, std::string_view type) {
  version_ = version;
  size_ = front;
  overflow_ = false;
  put(tag::type, type);
}

void Writer::append(std::string_view text) {
  if (overflow_ || text.size() > front + largest_ - size_) {
    overflow_ = true;
    return;
  }
  std::memcpy(memory_.get() + size_, text.data(), text.size());
  size_ += text.size();
}

void Writer::append_number(std::uint64_t value, std::size_t digits) {
  char text[24];
  const std::size_t size = static_cast<std::size_t>(std::to_chars(text, text + sizeof text, value).ptr - text);
  for (std::size_t i = size; i < digits; ++i) append("0");
  append({text, size});
}

void Writer::field(Tag tag) {
  append_number(tag);
  append("=");
}

void Writer::put(Tag tag, std::string_view value) {
  field(tag);
  append(value);
  append({&separator, 1});
}

void Writer::put_number(Tag tag, std::uint64_t value) {
  field(tag);
  append_number(value);
  append({&separator, 1});
}

void Writer::put_price(Tag tag, std::int64_t price) {
  const std::uint64_t units = price < 0 ? 0 - static_cast<std::uint64_t>(price) : static_cast<std::uint64_t>(price);
  field(tag);
  if (price < 0) append("-");
  append_number(units / 10'000);
  if (std::uint64_t rest = units % 10'000; rest != 0) {
    std::size_t digits = 4;
    for (; rest % 10 == 0; rest /= 10) --digits;
    append(".");
    append_number(rest, digits);
  }
  append({&separator, 1});
}

void Writer::put_time(Tag tag, std::int64_t utc_ns) {
  using namespace std::chrono;
  const sys_time<nanoseconds> time{nanoseconds(utc_ns)};
  const sys_days midnight = floor<days>(time);
  const year_month_day date(midnight);
  const hh_mm_ss clock(floor<milliseconds>(time - midnight));
  const auto number = [](auto value) { return static_cast<std::uint64_t>(value); };
  field(tag);
  append_number(number(static_cast<int>(date.year())), 4);
  append_number(static_cast<unsigned>(date.month()), 2);
  append_number(static_cast<unsigned>(date.day()), 2);
  append("-");
  append_number(number(clock.hours().count()), 2);
  append(":");
  append_number(number(clock.minutes().count()), 2);
  append(":");
  append_number(number(clock.seconds().count()), 2);
  append(".");
  append_number(number(clock.subseconds().count()), 3);
  append({&separator, 1});
}

std::span<const std::byte> Writer::finish() {
  if (overflow_) return {};
  const std::size_t body = size_ - front;
  char head[front];
  char* at = head;
  const auto add = [&](std::string_view text) { at = std::copy(text.begin(), text.end(), at); };
  add("8=");
  add(begin_string(version_));
  add({&separator, 1});
  add("9=");
  at = std::to_chars(at, head + front, body).ptr;
  add({&separator, 1});
  const auto head_size = static_cast<std::size_t>(at - head);
  char* begin = memory_.get() + front - head_size;
  std::memcpy(begin, head, head_size);

  unsigned sum = 0;
  for (const char* c = begin; c != memory_.get() + size_; ++c) sum += static_cast<unsigned char>(*c);
  sum &= 0xFF;
  const char trailer[back] = {'1',
                              '0',
                              '=',
                              static_cast<char>('0' + sum / 100),
                              static_cast<char>('0' + sum / 10 % 10),
                              static_cast<char>('0' + sum % 10),
                              separator};
  std::memcpy(memory_.get() + size_, trailer, back);
  return {reinterpret_cast<const std::byte*>(begin), head_size + body + back};
}

}  // namespace outcry::fix
