// OUCH's words: the letters that versions 4.2 and 5.0 have in common.
//
// A field of a message holds whatever byte was sent: values that are not listed here occur.
#pragma once

namespace outcry::ouch {

enum class Side : char { buy = 'B', sell = 'S', sell_short = 'T', sell_short_exempt = 'E' };
enum class Capacity : char { agency = 'A', principal = 'P', riskless = 'R', other = 'O' };
enum class YesNo : char { yes = 'Y', no = 'N' };
enum class OrderState : char { live = 'L', dead = 'D' };
enum class SystemCode : char { start_of_day = 'S', end_of_day = 'E' };
enum class CustomerType : char { retail = 'R', not_retail = 'N' };

enum class Cross : char {
  continuous = 'N',
  opening = 'O',
  closing = 'C',
  halt = 'H',
  supplemental = 'S',
  retail = 'R',
  extended = 'E',
  after_hours_close = 'A',
};

enum class CancelReason : char {
  user = 'U',
  immediate_or_cancel = 'I',
  timeout = 'T',
  supervisory = 'S',
  regulatory = 'D',
  self_match_prevention = 'Q',
  system = 'Z',
  market_collars = 'K',
  closed = 'E',
  post_only = 'F',
  post_only_contra = 'G',
  halted = 'H',
  open_protection = 'X',
  listing = 'e',
};

enum class BrokenReason : char { erroneous = 'E', consent = 'C', supervisory = 'S', external = 'X' };

/// Those that a market of its own needs; NASDAQ has more.
enum class Liquidity : char {
  added = 'A',
  removed = 'R',
  added_hidden = 'J',
  opening_cross = 'O',
  closing_cross = 'C',
  halt_cross = 'H',
  halt_cross_hidden = 'K',
  removed_midpoint = 'm',
  added_midpoint = 'k',
  midpoint = 'N',
  added_reserve = 'u',
  supplemental = '0',
};

/// Is the letter one of those in `letters`?
template <class Word>
constexpr bool one_of(Word word, const char* letters) {
  for (; *letters != '\0'; ++letters)
    if (static_cast<char>(word) == *letters) return true;
  return false;
}

}  // namespace outcry::ouch
