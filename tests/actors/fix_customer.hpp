// FixCustomer: a client of a venue who is no actor, and speaks FIX byte for byte, over loopback.
#pragma once

#include <ctime>
#include <string>
#include <utility>

#include "tests/net/fix_text.hpp"
#include "tests/wire.hpp"

namespace outcry_test {

/// Fields are written "11=a 54=1"; an underscore in a value is a space.
class FixCustomer : public Wire {
 public:
  FixCustomer(const std::string& at, std::string name, outcry::fix::Version version)
      : Wire(at), name_(std::move(name)), version_(version) {}

  void says(const std::string& type, std::string fields = {}) {
    for (char& c : fields) c = c == ' ' ? '|' : c == '_' ? ' ' : c;
    if (!fields.empty()) fields += '|';
    send(outcry::test::fix_text(version_, "35=" + type + "|34=" + std::to_string(++number_) + "|49=" + name_ +
                                              "|52=" + stamp() + "|56=OUTCRY|" + fields));
  }
  void log_on(const std::string& password, const std::string& more = "141=Y") {
    says("A", "98=0 108=30 " + more + (password.empty() ? "" : " 554=" + password));
  }
  void enter(const std::string& id, char side, int lots, const std::string& price) {
    says("D", "11=" + id + " 21=1 38=" + std::to_string(lots) + " 40=2 44=" + price + " 54=" + side +
                  " 55=AAPL 59=1 60=" + stamp());
  }
  /// The next message that is no heartbeat, "|35=8|...|"; empty at the end.
  std::string hears() {
    for (;;) {
      const outcry::fix::Framed framed = outcry::fix::frame(early_, 8'192);
      if (framed.framing == outcry::fix::Framing::partial) {
        const std::string more = some(1);
        if (more.empty()) return {};
        early_ += more;
        continue;
      }
      const std::string message = outcry::test::readable(early_.substr(0, framed.size));
      early_.erase(0, framed.size);
      if (message.find("|35=0|") == std::string::npos) return message;
    }
  }
  static std::string stamp() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y%m%d-%H:%M:%S", &utc);
    return text;
  }

 private:
  std::string name_;
  outcry::fix::Version version_;
  int number_ = 0;
  std::string early_;
};

}  // namespace outcry_test
