// ParticipantEvents: a participant as a symbol's events reach it, where they are called and not sent.
//
// Thread: whoever calls says.
#pragma once

#include <outcry/actors/participant.hpp>

namespace outcry {

class ParticipantEvents {
 public:
  virtual ~ParticipantEvents() = default;
  virtual void on(const Accepted& event) = 0;
  virtual void on(const Rejected& event) = 0;
  virtual void on(const Filled& event) = 0;
  virtual void on(const Cancelled& event) = 0;
  virtual void on(const Reduced& event) = 0;
  virtual void on(const Modified& event) = 0;
  virtual void on(const Replaced& event) = 0;
  virtual void on(const AcceptedTerms& event) = 0;
  virtual void on(const Refreshed& event) = 0;
  virtual void on(const Repriced& event) = 0;
};

}  // namespace outcry
