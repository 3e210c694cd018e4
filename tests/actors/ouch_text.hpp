// What a port says to its client, as text: a line for each message.
//
//   A 1 buy 100 AAPL 150.00 live      U 1>2 120 at 151.00      E 1 60 at 150.00 A      C 1 40 U      J 3 1D
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include <outcry/net/ouch42.hpp>
#include <outcry/net/ouch50.hpp>

namespace outcry::test {

inline std::string price_text(std::uint64_t price) {
  char text[32];
  std::snprintf(text, sizeof text, "%llu.%04llu", static_cast<unsigned long long>(price / 10'000),
                static_cast<unsigned long long>(price % 10'000));
  std::string out = text;
  while (out.ends_with("0") && out[out.size() - 3] != '.') out.pop_back();
  return out;
}

template <class Letter>
std::string letter(Letter word) {
  return std::string(1, static_cast<char>(word));
}

inline std::string hex(std::uint64_t number) {
  char text[20];
  std::snprintf(text, sizeof text, "%llX", static_cast<unsigned long long>(number));
  return text;
}

inline std::string key_text(const ouch50::U32& user_ref) { return std::to_string(user_ref.value()); }
inline std::string key_text(const ouch42::Token& token) { return std::string(token.text()); }

template <class M>
const auto& key_of(const M& message) {
  if constexpr (requires { message.user_ref; })
    return message.user_ref;
  else
    return message.token;
}
template <class M>
std::uint32_t size_of(const M& message) {
  if constexpr (requires { message.quantity; })
    return message.quantity;
  else
    return message.shares;
}

/// Both versions' messages have the same letters and, but for keys and sizes, the same fields.
template <class M>
std::string text_of(const M& m) {
  const std::string name = letter(M::code) + " ";
  if constexpr (requires { m.event; }) {
    return name + letter(m.event);
  } else if constexpr (requires { m.next_user_ref; }) {
    return name + key_text(m.next_user_ref);
  } else if constexpr (requires { m.original_user_ref; }) {
    return name + key_text(m.original_user_ref) + ">" + key_text(m.user_ref) + " " + std::to_string(m.quantity) +
           " at " + price_text(m.price);
  } else if constexpr (requires { m.previous_token; }) {
    return name + key_text(m.previous_token) + ">" + key_text(m.token) + " " + std::to_string(m.shares) + " at " +
           price_text(m.price);
  } else if constexpr (requires { m.prevented; }) {
    return name + key_text(key_of(m)) + " " + std::to_string(m.decrement) + " at " + price_text(m.execution_price);
  } else if constexpr (requires { m.decrement; }) {
    return name + key_text(key_of(m)) + " " + std::to_string(m.decrement) + " " + letter(m.reason);
  } else if constexpr (requires {
                         m.match;
                         m.liquidity;
                       }) {
    return name + key_text(key_of(m)) + " " + std::to_string(size_of(m)) + " at " + price_text(m.price) + " " +
           letter(m.liquidity);
  } else if constexpr (requires { m.state; }) {
    const auto& symbol = [&]() -> const Alpha<8>& {
      if constexpr (requires { m.symbol; })
        return m.symbol;
      else
        return m.stock;
    }();
    return name + key_text(key_of(m)) + " " + letter(m.side) + " " + std::to_string(size_of(m)) + " " +
           std::string(symbol.text()) + " " + price_text(m.price) + (m.state == ouch::OrderState::live ? "" : " dead");
  } else if constexpr (requires { m.why(); }) {
    return name + key_text(m.user_ref) + " " + hex(m.reason.value());
  } else if constexpr (requires {
                         m.reason;
                         key_of(m);
                       }) {
    return name + key_text(key_of(m)) + " " + letter(m.reason);
  } else if constexpr (requires {
                         m.side;
                         size_of(m);
                       }) {
    return name + key_text(key_of(m)) + " " + letter(m.side) + " " + std::to_string(size_of(m));
  } else {
    return name + key_text(key_of(m));
  }
}

inline std::string ouch50_text(std::span<const std::byte> bytes) {
  const auto decoded = ouch50::decode_outbound(bytes);
  if (!decoded) return "broken";
  std::string out;
  decoded.message.visit([&](const auto& message) { out = text_of(message); });
  return out;
}
inline std::string ouch42_text(std::span<const std::byte> bytes) {
  const auto decoded = ouch42::decode_outbound(bytes);
  if (!decoded) return "broken";
  std::string out;
  decoded.message.visit([&](const auto& message) { out = text_of(message); });
  return out;
}

}  // namespace outcry::test
