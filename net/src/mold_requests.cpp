#include <outcry/net/mold_requests.hpp>

#include <algorithm>

namespace outcry {

MoldRequests::MoldRequests(const MoldRequestOptions& options, std::int64_t now_ns)
    : options_(options), packet_(options.session, options.largest_packet), bytes_(options.bytes, now_ns) {
  assert(options.sources > 0 && "nobody to answer");
  sources_.reserve(options.sources);
}

MoldAnswer MoldRequests::refusal(const mold::DecodedRequest& decoded, std::uint64_t next_sequence, std::uint64_t source,
                                 std::int64_t now_ns) {
  ++counts_.requests;
  // Requests that make no sense count too: who sends many of them is not listened to.
  if (!bucket_of(source, now_ns).take(1, now_ns)) return count(MoldAnswer::limited);
  if (!decoded) return count(MoldAnswer::malformed);
  if (decoded.request.session.padded() != options_.session.padded()) return count(MoldAnswer::other_session);
  if (decoded.request.count == 0 || decoded.request.sequence >= next_sequence) return count(MoldAnswer::out_of_range);
  return MoldAnswer::sent;
}

TokenBucket& MoldRequests::bucket_of(std::uint64_t source, std::int64_t now_ns) {
  auto found = std::find_if(sources_.begin(), sources_.end(), [&](const Source& s) { return s.id == source; });
  if (found == sources_.end()) {
    const Source fresh{source, now_ns, TokenBucket(options_.requests_per_source, now_ns)};
    if (sources_.size() < options_.sources) {
      sources_.push_back(fresh);
      return sources_.back().bucket;
    }
    found = std::min_element(sources_.begin(), sources_.end(),
                             [](const Source& a, const Source& b) { return a.last_ns < b.last_ns; });
    *found = fresh;
  }
  found->last_ns = now_ns;
  return found->bucket;
}

MoldAnswer MoldRequests::count(MoldAnswer answer) {
  switch (answer) {
    case MoldAnswer::sent: ++counts_.sent; break;
    case MoldAnswer::malformed: ++counts_.malformed; break;
    case MoldAnswer::other_session: ++counts_.other_session; break;
    case MoldAnswer::out_of_range: ++counts_.out_of_range; break;
    case MoldAnswer::limited: ++counts_.limited; break;
  }
  return answer;
}

}  // namespace outcry
