// The end of an exchange's day, as its director plays it (exchange_director.hpp says what it is).
//
// Thread: the director's.
#pragma once

#include <outcry/runtime/task.hpp>

#include "exchange_parts.hpp"

namespace outcry {

class ExchangeClosing {
 public:
  ExchangeClosing(DirectorSelf self, Exchange::Parts& parts) : self_(self), parts_(parts) {}

  Task<> play();

 private:
  struct Standing {
    bool answers = false;
    bool attached = false;
    std::uint32_t open_orders = 0;
    std::uint64_t messages = 0;  // of its clients
  };

  Task<Standing> standing_of(PortOfAccount port);
  Task<> cancel();
  Task<> end_sessions();
  Task<> wait_for_feeds();
  Task<> stop_symbols();

  DirectorSelf self_;
  Exchange::Parts& parts_;
  Time end_ = never;   // by when everybody should have gone
  Time half_ = never;  // half of that time
};

}  // namespace outcry
