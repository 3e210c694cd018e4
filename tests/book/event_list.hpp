// EventList: a consumer that keeps what a book tells it, to be compared or read.
#pragma once

#include <cstring>
#include <string>
#include <variant>
#include <vector>

#include <outcry/book/event_consumer.hpp>

namespace outcry_test {

using namespace outcry;

class EventList {
 public:
  using Event = std::variant<Accepted, Rejected, Traded, Cancelled, Reduced, Modified, Replaced, AcceptedTerms,
                             Refreshed, Triggered, Repriced, PhaseChanged, Uncrossed>;

  template <class E>
    requires std::is_constructible_v<Event, const E&>
  void on(const E& event) {
    events_.emplace_back(event);
  }

  void clear() { events_.clear(); }
  const std::vector<Event>& events() const { return events_; }

  friend bool operator==(const EventList& a, const EventList& b) {
    if (a.events_.size() != b.events_.size()) return false;
    for (std::size_t i = 0; i < a.events_.size(); ++i)
      if (!same(a.events_[i], b.events_[i])) return false;
    return true;
  }

  /// One event a line, in the words of the trade.
  std::string text() const {
    std::string all;
    for (const Event& event : events_) all += std::visit([](const auto& e) { return text_of(e); }, event) + '\n';
    return all;
  }

 private:
  // Events have no padding, so equal bytes are equal events: every field counts.
  static bool same(const Event& a, const Event& b) {
    if (a.index() != b.index()) return false;
    return std::visit(
        [&](const auto& x) { return std::memcmp(&x, &std::get<std::decay_t<decltype(x)>>(b), sizeof x) == 0; }, a);
  }

  static std::string number(std::uint64_t n) { return std::to_string(n); }
  static std::string at(Price price) { return " at " + std::to_string(price.units); }
  static std::string order(const char* what, OrderId id) { return std::string(what) + ' ' + number(id.value); }

  static std::string text_of(const Accepted& e) {
    return order("accepted", e.id) + ": " + to_string(e.side) + ' ' + number(e.quantity.lots) + at(e.price);
  }
  static std::string text_of(const Rejected& e) {
    return order("rejected", e.id) + (e.new_id.value ? " as " + number(e.new_id.value) : "") + ": " +
           to_string(e.reason);
  }
  static std::string text_of(const Traded& e) {
    return "traded " + number(e.quantity.lots) + at(e.price) + ": " + number(e.taker.value) + " took from " +
           number(e.maker.value) + ", which has " + number(e.maker_open.lots) + " left";
  }
  static std::string text_of(const Cancelled& e) {
    return order("cancelled", e.id) + ": " + number(e.quantity.lots) + at(e.price) + ", " + to_string(e.reason);
  }
  static std::string text_of(const Reduced& e) {
    return order("reduced", e.id) + " by " + number(e.by.lots) + " to " + number(e.open.lots) + at(e.price);
  }
  static std::string text_of(const Modified& e) {
    return order("modified", e.id) + ": " + number(e.quantity.lots) + at(e.price) +
           (e.kept_place ? ", kept its place" : "") +
           (e.open != e.quantity ? ", " + number(e.open.lots) + " open" : "");
  }
  static std::string text_of(const Replaced& e) {
    return order("replaced", e.id) + " by " + number(e.new_id.value) + ": " + number(e.quantity.lots) + at(e.price);
  }
  // The terms of a special order say nothing that its command did not say; they are compared, not written.
  static std::string text_of(const AcceptedTerms& e) { return order("  terms of", e.id); }
  static std::string text_of(const Refreshed& e) {
    return order("refreshed", e.id) + ": shows " + number(e.displayed.lots) + at(e.price) + ", " +
           number(e.reserve.lots) + " more behind it";
  }
  static std::string text_of(const Triggered& e) {
    return order("triggered", e.id) + at(e.last) + ": " + to_string(e.side) + ' ' + number(e.quantity.lots) +
           (e.is_market ? " at the market" : at(e.price));
  }
  static std::string text_of(const Repriced& e) {
    return order("repriced", e.id) + (e.is_parked ? ": parked" : ": " + number(e.open.lots) + at(e.price));
  }
  static std::string text_of(const PhaseChanged& e) {
    constexpr const char* names[] = {"continuous", "halted", "auction", "closed"};
    return std::string("phase: ") + names[static_cast<int>(e.phase)];
  }
  static std::string text_of(const Uncrossed& e) {
    return "uncrossed " + number(e.volume) + at(e.price) + ", imbalance " + std::to_string(e.imbalance);
  }

  std::vector<Event> events_;
};

}  // namespace outcry_test
