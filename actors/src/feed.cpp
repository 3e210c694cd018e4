#include <outcry/actors/feed.hpp>

#include <outcry/runtime/runtime.hpp>

namespace outcry {

namespace {

// True: out of events, or told to stop.
bool is_over(const FeedOptions& options, std::span<HistoryEvent> room, std::span<HistoryEvent>& batch) {
  FeedState& state = *options.state;
  if (state.stop.load(std::memory_order_relaxed)) return true;
  batch = room.first(options.reader->read(room));
  state.messages.store(options.reader->messages(), std::memory_order_relaxed);
  state.bytes.store(options.reader->bytes_read(), std::memory_order_relaxed);
  return batch.empty();
}

void send(const FeedOptions& options, std::span<HistoryEvent> batch, std::int64_t stamp_ns) {
  FeedState& state = *options.state;
  if (state.events == 0) state.first_ns = batch.front().time_ns;
  state.events += batch.size();
  state.last_ns = batch.back().time_ns;
  for (HistoryEvent& event : batch) {
    event.arrival_ns = stamp_ns;
    options.symbols[event.symbol.value].send_at(time_from_ns(event.time_ns), event);
  }
}

}  // namespace

Actor feed(FeedSelf self, FeedOptions options) {
  std::vector<HistoryEvent> room(options.batch);
  std::span<HistoryEvent> batch;
  while (!is_over(options, room, batch)) {
    const Time departure = time_from_ns(batch.front().time_ns) - options.lookahead;
    const bool go_on = co_await self.sleep_until(departure);
    if (!go_on) break;
    send(options, batch, stamp_now(options.stamps, self.scheduler()));
  }
  self.runtime().stop();
}

}  // namespace outcry
