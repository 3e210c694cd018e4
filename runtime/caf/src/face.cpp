// CafFace: what happens on CAF's threads, and the clerk.
#include <outcry/caf/face.hpp>

#include <stdexcept>
#include <string>

#include <outcry/caf/stage.hpp>

namespace outcry {

CafFace::CafFace(caf::actor_config& config, CafOptions options, Takes takes)
    : CafActor(config), options_(options), takes_(takes) {
  if (options.lane == 0 || options.open_asks == 0)
    throw std::invalid_argument("the lane of a CAF face holds at least one message, and lets in at least one ask");
}

CafCounters CafFace::counters() const {
  return {received_.load(std::memory_order_relaxed), dead_letters_.load(std::memory_order_relaxed),
          bounced_.load(std::memory_order_relaxed), unexpected_.load(std::memory_order_relaxed)};
}

void CafFace::arrived(CafElement element) {
  if (!gate_.enter()) {
    bounce_or_count(std::move(element), caf_receiver_gone());
    return;
  }
  switch (kind_of(*element)) {
    case CafKind::response:
      if (clerk_) tell_clerk(CafResponse(response_number(*element), element->move_content_to_message()));
      break;
    case CafKind::exit:
      if (takes_.exits) {
        put_in_lane(std::move(element), true);
      } else {
        asked_to_end(exit_notice(*element));
      }
      break;
    case CafKind::down:
      if (takes_.downs) put_in_lane(std::move(element), true);
      break;
    case CafKind::info: tell_about_myself(*element); break;
    case CafKind::message:
    case CafKind::request: put_in_lane(std::move(element), false); break;
  }
  gate_.leave();
}

// By the inbox whatever the thread: an ask that CAF bounces at once is answered on the asker's own.
void CafFace::tell_clerk(CafResponse response) {
  Envelope envelope;
  envelope.to = clerk_.cell();
  envelope.generation = clerk_.generation();
  envelope.type = &message_type<CafResponse>;
  Payload<CafResponse>::put(envelope.payload, std::move(response));
  send_from_outside(envelope);
}

// Counted in before it is pushed, so that a lane never holds more than it should.
void CafFace::put_in_lane(CafElement element, bool control) {
  const std::uint32_t before = waiting_.fetch_add(1, std::memory_order_relaxed);
  if (before >= options_.lane && !control) {
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    bounce_or_count(std::move(element), caf_mailbox_full());
    return;
  }
  received_.fetch_add(1, std::memory_order_relaxed);
  // The porter opens the face, then looks at the lane; this pushes, then looks whether it is open: one sees the other.
  if (lane_.push(std::move(element)) && open_.load(std::memory_order_seq_cst)) porter_.send(CafWake{});
}

// Past the lane: an actor whose mailbox is full, and whose porter waits, must hear it, too.
void CafFace::asked_to_end(const CafNotice& notice) {
  if (!notice.reason) return;
  const std::lock_guard guard(exit_mutex_);
  if (exit_reason_ && !is_kill(notice.reason)) return;
  exit_reason_ = notice.reason;
  if (!master_) return;
  is_kill(notice.reason) ? master_.kill() : master_.stop();
}

void CafFace::open(CafPorterAddress porter, AnyAddress master) {
  porter_ = porter;
  open_.store(true, std::memory_order_seq_cst);
  const std::lock_guard guard(exit_mutex_);
  master_ = master;
  if (exit_reason_) is_kill(*exit_reason_) ? master_.kill() : master_.stop();
}

void CafFace::close(caf::error reason) {
  if (std::exchange(closed_, true)) return;
  gate_.close();
  CafBatch batch = lane_.take_all();
  for (CafElement element = batch.next(); element != nullptr; element = batch.next())
    bounce_or_count(std::move(element), caf_receiver_gone());
  if (clerk_) clerk_.stop();
  end(std::move(reason));
}

caf::error CafFace::reason_of(const Down& down) {
  const std::lock_guard guard(exit_mutex_);
  switch (down.end) {
    case End::failed: return caf_failed(std::string(down.why()));
    case End::finished: return exit_reason_ ? *exit_reason_ : caf::error();
    case End::killed: return exit_reason_ ? *exit_reason_ : caf::make_error(caf::exit_reason::kill);
    default: return exit_reason_ ? *exit_reason_ : caf::make_error(caf::exit_reason::unknown);
  }
}

void CafFace::bounce_or_count(CafElement element, const caf::error& why) {
  switch (kind_of(*element)) {
    case CafKind::request:
    case CafKind::info:
      if (element->mid.is_request()) {
        count_bounced();
        bounce_element(element, why);
        break;
      }
      [[fallthrough]];
    case CafKind::message: count_dead_letter(); break;
    case CafKind::exit:
    case CafKind::down:
    case CafKind::response: break;
  }
}

void CafFace::unexpected(CafElement element) {
  unexpected_.fetch_add(1, std::memory_order_relaxed);
  bounce_element(element, caf::make_error(caf::sec::unexpected_message));
}

CafCounters caf_counters(const caf::actor& handle) {
  const auto* face = dynamic_cast<const CafFace*>(caf::actor_cast<caf::abstract_actor*>(handle));
  if (face == nullptr) throw std::invalid_argument("only the faces of this process have counters");
  return face->counters();
}

// ---- the clerk

void CafRequests::answered(CafResponse response) {
  const auto found = open_.find(response.number);
  if (found == open_.end()) return;  // too late
  CafAnswer answer(std::move(response.content));
  if (Then then = std::move(found->second.then)) {
    open_.erase(found);
    then(std::move(answer));
  } else if (found->second.to) {
    const ReplyTo<CafAnswer> to = *found->second.to;
    open_.erase(found);
    to.reply(std::move(answer));
  } else {
    found->second.early = std::move(answer);
  }
}

void CafRequests::awaited(const Ask<AwaitCaf>& ask) {
  const auto found = open_.find(ask.query.number);
  if (found == open_.end()) {
    ask.bounce();
  } else if (found->second.early) {
    CafAnswer answer = std::move(*found->second.early);
    open_.erase(found);
    ask.reply(std::move(answer));
  } else {
    found->second.to = ask.reply_to;
  }
}

void CafSelf::monitor(const caf::actor& other) const {
  if (!face_->takes().downs) throw std::logic_error("an actor that monitors CAF actors takes CafDown messages");
  face_->watch(other);
}

namespace caf_detail {

Actor clerk(Self<CafResponse, Ask<AwaitCaf>> self, std::shared_ptr<CafRequests> requests) {
  while (auto message = co_await self.receive()) {
    match(
        *message, [&](CafResponse& response) { requests->answered(std::move(response)); },
        [&](Ask<AwaitCaf>& ask) { requests->awaited(ask); });
  }
}

caf::error error_of(AskError why) {
  switch (why) {
    case AskError::refused: return caf_mailbox_full();
    case AskError::timed_out: return caf::make_error(caf::sec::request_timeout);
    case AskError::stopped: return caf_failed("not taken any more");
    default: return caf_receiver_gone();
  }
}

}  // namespace caf_detail

}  // namespace outcry
