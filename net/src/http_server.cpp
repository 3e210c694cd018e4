#include <outcry/net/http_server.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace outcry {

namespace {

using Kind = HttpServerEvent::Kind;

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view head_end = "\r\n\r\n";

std::string_view phrase(int status) {
  constexpr std::array<std::pair<int, std::string_view>, 11> phrases{{{200, "OK"},
                                                                      {400, "Bad Request"},
                                                                      {403, "Forbidden"},
                                                                      {404, "Not Found"},
                                                                      {405, "Method Not Allowed"},
                                                                      {408, "Request Timeout"},
                                                                      {413, "Content Too Large"},
                                                                      {422, "Unprocessable Content"},
                                                                      {431, "Request Header Fields Too Large"},
                                                                      {503, "Service Unavailable"},
                                                                      {505, "HTTP Version Not Supported"}}};
  for (const auto& [number, text] : phrases)
    if (number == status) return text;
  return "?";
}

/// What methods and names of fields are made of.
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c != 0x7F; });
}

/// Values may hold spaces, tabs and letters of other alphabets, but nothing that moves a cursor.
bool is_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7F); });
}

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

std::string_view without_spaces(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Whether a list such as "keep-alive, close" has the word.
bool lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (same(without_spaces(list.substr(0, comma)), word)) return true;
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return false;
}

struct Head {
  std::string_view path{};
  std::string_view query{};
  bool head_only = false;
  bool is_post = false;
  bool stays_open = true;
  int status = 0;  // what is wrong with it; 0: nothing
};

struct Fields {
  int hosts = 0;
  bool has_body = false;
  bool has_origin = false;
  bool close = false;
  bool keep = false;
};

/// False if a line is no field.
bool read_fields(std::string_view lines, Fields& fields) {
  while (!lines.empty()) {
    const std::size_t end = lines.find(line_end);
    const std::string_view line = lines.substr(0, end);
    lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + line_end.size());
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = without_spaces(line.substr(colon + 1));
    if (!is_value(value)) return false;
    if (same(name, "host")) ++fields.hosts;
    if (same(name, "origin")) fields.has_origin = true;
    if (same(name, "transfer-encoding")) fields.has_body = true;
    if (same(name, "content-length") && value != "0") fields.has_body = true;
    if (!same(name, "connection")) continue;
    fields.close |= lists(value, "close");
    fields.keep |= lists(value, "keep-alive");
  }
  return true;
}

/// `text` is a request without the empty line at its end.
Head read_head(std::string_view text, bool posts) {
  const std::size_t end = text.find(line_end);
  const std::string_view line = text.substr(0, end);
  const std::string_view fields_text = end == std::string_view::npos ? std::string_view() : text.substr(end + 2);
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return {.status = 400};
  const std::string_view method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method) || target.empty() || !is_visible(target)) return {.status = 400};
  if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.' ||
      std::isdigit(static_cast<unsigned char>(version[5])) == 0 ||
      std::isdigit(static_cast<unsigned char>(version[7])) == 0)
    return {.status = 400};
  if (version[5] != '1') return {.status = 505};
  const bool is_1_0 = version[7] == '0';

  Fields fields;
  if (!read_fields(fields_text, fields)) return {.status = 400};
  if (fields.hosts > 1 || (fields.hosts == 0 && !is_1_0)) return {.status = 400};
  if (fields.has_body) return {.status = 413};

  if (target.starts_with("http://")) {  // as to a proxy
    const std::size_t slash = target.find('/', 7);
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  const bool is_post = posts && method == "POST";
  const bool is_known = is_post || method == "GET" || method == "HEAD";
  if (target.front() != '/' || !is_known) return {.status = is_known ? 400 : 405};
  if (is_post && fields.has_origin) return {.status = 403};
  Head head;
  head.is_post = is_post;
  const std::size_t question = target.find('?');
  head.path = target.substr(0, question);
  if (question != std::string_view::npos) head.query = target.substr(question + 1);
  head.head_only = method == "HEAD";
  head.stays_open = !fields.close && (!is_1_0 || fields.keep);
  return head;
}

std::string date_text(std::int64_t clock_s) {
  constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(clock_s);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                     months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                     utc.tm_sec);
}

}  // namespace

HttpServerEvent HttpServer::receive(std::span<const std::byte>& bytes, std::int64_t now_ns) {
  if (!stays_open_) return {};
  // An empty line or two in front of a request are passed over.
  while (!began_ && bytes.size() >= 2 && bytes[0] == std::byte{'\r'} && bytes[1] == std::byte{'\n'})
    bytes = bytes.subspan(2);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!began_ && text == "\r") return {};
  if (!began_ && !text.empty()) {
    began_ = true;
    since_ns_ = now_ns;
    searched_ = 0;
  }
  const std::size_t end = text.find(head_end, searched_);
  if (end == std::string_view::npos || end + head_end.size() > options_.largest_request) {
    if (end != std::string_view::npos || text.size() >= options_.largest_request)
      return {.kind = Kind::refused, .status = 431};
    searched_ = text.size() < head_end.size() ? 0 : text.size() - head_end.size() + 1;
    return {};
  }
  const Head head = read_head(text.substr(0, end), options_.posts);
  bytes = bytes.subspan(end + head_end.size());
  began_ = false;
  searched_ = 0;
  since_ns_ = now_ns;
  head_only_ = head.head_only;
  stays_open_ = head.status == 0 && head.stays_open;
  if (head.status != 0) return {.kind = Kind::refused, .status = head.status};
  return {.kind = Kind::request, .path = head.path, .query = head.query, .is_post = head.is_post};
}

std::string HttpServer::answer(const HttpAnswer& answer, std::int64_t clock_s) const {
  std::string text =
      fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n",
                  answer.status, phrase(answer.status), date_text(clock_s), answer.type, answer.body.size());
  if (answer.status == 405) text += "Allow: GET, HEAD\r\n";
  if (!stays_open_) text += "Connection: close\r\n";
  text += line_end;
  if (!head_only_) text += answer.body;
  return text;
}

std::string HttpServer::refuse(int status, std::int64_t clock_s) {
  stays_open_ = false;
  head_only_ = false;
  std::string body = fmt::format("{} {}\n", status, phrase(status));
  if (status == 413) body = "a request has no body here: what it asks for stands behind the question mark\n";
  if (status == 403) body = "a page in a browser may not ask for this\n";
  return answer({.status = status, .body = body}, clock_s);
}

HttpServerEvent HttpServer::poll(std::int64_t now_ns) {
  if (now_ns < deadline()) return {};
  return {.kind = Kind::timed_out, .status = began_ ? 408 : 0};
}

}  // namespace outcry
