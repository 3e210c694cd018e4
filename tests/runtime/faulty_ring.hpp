// FaultyRing: in front of the kernel's ring, it does to requests and completions what the kernel may do, as often as it is
// told and as a seed draws it: short transfers, EINTR, EAGAIN, no buffers, broken chains, and completions late and in
// another order (those of one request keep theirs).
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OUTCRY_TEST_ASAN
#endif
#endif
#if defined(OUTCRY_TEST_ASAN) || defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#include <outcry/runtime/random.hpp>
#include <outcry/runtime/ring_device.hpp>

namespace outcry_test {

/// How often, of 100 requests or completions.
struct Faults {
  int shortened = 0;    // sends and receives of fewer bytes than were asked
  int interrupted = 0;  // EINTR
  int again = 0;        // EAGAIN
  int cancelled = 0;    // ECANCELED, though nobody asked for it
  int no_buffers = 0;   // ENOBUFS, for a request for many
  int broken = 0;       // a chain breaks somewhere
  int held = 0;         // completions that come later than others
  int no_files = 0;     // EMFILE for an accept
};

/// What was done.
struct Done {
  std::uint64_t shortened = 0, interrupted = 0, again = 0, cancelled = 0, no_buffers = 0, broken = 0, held = 0,
                no_files = 0;
  std::uint64_t given_back = 0;  // requests whose memory the kernel had
  std::uint64_t gone = 0;        // and which was freed meanwhile, as far as AddressSanitizer can tell
};

class FaultyRing final : public outcry::RingDevice {
 public:
  using Request = outcry::RingRequest;
  using Completion = outcry::RingCompletion;

  FaultyRing(std::unique_ptr<outcry::RingDevice> kernel, Faults faults, std::uint64_t seed, Done* done)
      : kernel_(std::move(kernel)), faults_(faults), random_(seed), done_(done) {}

  outcry::RingFeatures features() const override { return kernel_->features(); }

  void push(const Request& request) override {
    chain_.push_back(request);
    if (request.linked) return;
    std::vector<Request> chain = std::exchange(chain_, {});
    std::size_t whole = chain.size();
    if (chain.size() > 1 && happens(faults_.broken, done_->broken)) {
      whole = random_.below(chain.size());
      if (whole > 0) chain[whole - 1].linked = false;
      answer(chain[whole], -EINTR);
      for (std::size_t i = whole + 1; i < chain.size(); ++i) answer(chain[i], -ECANCELED);
    }
    for (std::size_t i = 0; i < whole; ++i) pass(chain[i], chain.size() > 1);
  }

  std::uint32_t room() const override { return kernel_->room(); }
  void enter() override { kernel_->enter(); }
  void wait(outcry::Duration patience) override {
    if (waiting_.empty()) {
      kernel_->wait(patience);
    } else {
      kernel_->enter();
    }
  }

  std::size_t reap(std::span<Completion> completions) override {
    Completion got[64];
    while (const std::size_t count = kernel_->reap(got)) {
      for (std::size_t i = 0; i < count; ++i) check_memory(got[i]);
      waiting_.insert(waiting_.end(), got, got + count);
    }
    std::size_t given = 0;
    std::size_t look = waiting_.size();
    while (given < completions.size() && look-- > 0) {
      if (faults_.held == 0) {
        completions[given++] = take(0);
        continue;
      }
      if (given > 0 && happens(faults_.held, done_->held)) break;
      std::size_t index = random_.below(waiting_.size());
      for (std::size_t i = 0; i < index; ++i)
        if (waiting_[i].tag == waiting_[index].tag) index = i;
      completions[given++] = take(index);
    }
    return given;
  }
  bool ready() const override { return !waiting_.empty() || kernel_->ready(); }

  bool register_file(std::uint32_t place, int descriptor) override { return kernel_->register_file(place, descriptor); }
  bool open_group(std::uint16_t group, std::byte* memory, std::uint32_t count, std::uint32_t bytes) override {
    return kernel_->open_group(group, memory, count, bytes);
  }
  void close_group(std::uint16_t group) override { kernel_->close_group(group); }
  void give_back(std::uint16_t group, std::uint16_t buffer) override { kernel_->give_back(group, buffer); }
  bool tell(int descriptor) override { return kernel_->tell(descriptor); }
  void told(bool on) override { kernel_->told(on); }

 private:
  bool happens(int of_100, std::uint64_t& count) {
    if (of_100 == 0 || static_cast<int>(random_.below(100)) >= of_100) return false;
    ++count;
    return true;
  }

  void pass(Request request, bool in_chain) {
    using Kind = Request::Kind;
    const bool transfer = request.kind == Kind::send || request.kind == Kind::receive;
    const bool message = request.kind == Kind::receive_message || request.kind == Kind::send_message;
    if (in_chain || (!transfer && !message && request.kind != Kind::accept)) return hand_over(request);
    if (happens(faults_.interrupted, done_->interrupted)) return answer(request, -EINTR);
    if (happens(faults_.again, done_->again)) return answer(request, -EAGAIN);
    if (happens(faults_.cancelled, done_->cancelled)) return answer(request, -ECANCELED);
    if (request.pooled && happens(faults_.no_buffers, done_->no_buffers)) return answer(request, -ENOBUFS);
    if (request.kind == Kind::accept && happens(faults_.no_files, done_->no_files)) return answer(request, -EMFILE);
    if (transfer && !request.pooled && request.bytes > 1 && happens(faults_.shortened, done_->shortened))
      request.bytes = 1 + static_cast<std::uint32_t>(random_.below(request.bytes));
    hand_over(request);
  }

  void hand_over(const Request& request) {
    if (request.memory != nullptr && request.kind != Request::Kind::cancel) lent_[request.tag] = request;
    kernel_->push(request);
  }

  /// Whether the memory of a request that has come to its end was there all the time.
  void check_memory(const Completion& completion) {
    const auto request = lent_.find(completion.tag);
    if (completion.more || request == lent_.end()) return;
    ++done_->given_back;
    // Of a message it is the header that is named.
    const bool message =
        request->second.kind == Request::Kind::receive_message || request->second.kind == Request::Kind::send_message;
    [[maybe_unused]] const std::size_t bytes = message ? 56 : request->second.bytes;
#if defined(OUTCRY_TEST_ASAN) || defined(__SANITIZE_ADDRESS__)
    if (__asan_region_is_poisoned(request->second.memory, bytes) != nullptr) ++done_->gone;
#endif
    lent_.erase(request);
  }

  void answer(const Request& request, int result) {
    Completion completion;
    completion.tag = request.tag;
    completion.result = result;
    waiting_.push_back(completion);
  }

  Completion take(std::size_t index) {
    const Completion completion = waiting_[index];
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(index));
    return completion;
  }

  std::unique_ptr<outcry::RingDevice> kernel_;
  Faults faults_;
  outcry::Random random_;
  Done* done_;
  std::vector<Request> chain_;
  std::deque<Completion> waiting_;
  std::unordered_map<std::uint64_t, Request> lent_;
};

}  // namespace outcry_test
