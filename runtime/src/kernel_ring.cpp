// KernelRing: setting up, probing, and the translation of requests.
#include "kernel_ring.hpp"

#include <liburing.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

namespace outcry {

namespace {

class KernelRing final : public RingDevice {
 public:
  KernelRing(const IoOptions& options, bool one_thread) {
    static constexpr unsigned deferred =
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
    static constexpr unsigned cooperative = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
    if (options.mode == IoMode::kernel_polled && try_kind("kernel-polled", IORING_SETUP_SQPOLL, options)) return;
    if (options.ring == RingKind::deferred && one_thread && try_kind("deferred", deferred, options)) return;
    if (options.ring != RingKind::plain && try_kind("cooperative", cooperative, options)) return;
    try_kind("plain", 0, options);
  }

  ~KernelRing() override {
    if (error_ != 0) return;
    for (Group& group : groups_)
      if (group.ring != nullptr) ::munmap(group.ring, group.count * sizeof(io_uring_buf));
    io_uring_queue_exit(&ring_);
  }

  int error() const { return error_; }
  RingFeatures features() const override { return features_; }

  void push(const RingRequest& request) override {
    io_uring_sqe* sqe;
    while ((sqe = io_uring_get_sqe(&ring_)) == nullptr) io_uring_submit(&ring_);
    prepare(*sqe, request);
    sqe->user_data = request.tag;
    unsigned flags = sqe->flags;
    if (request.registered) flags |= IOSQE_FIXED_FILE;
    if (request.linked) flags |= IOSQE_IO_LINK;
    if (request.pooled) {
      flags |= IOSQE_BUFFER_SELECT;
      sqe->buf_group = request.group;
    }
    sqe->flags = static_cast<__u8>(flags);
  }

  std::uint32_t room() const override { return io_uring_sq_space_left(&ring_); }

  void enter() override {
    give_buffers();
    const bool asks = (load_flags() & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
    if (asks) {
      io_uring_submit_and_get_events(&ring_);
    } else if (io_uring_sq_ready(&ring_) != 0) {
      deferred_ ? io_uring_submit_and_get_events(&ring_) : io_uring_submit(&ring_);
    }
  }

  void wait(Duration patience) override {
    give_buffers();
    const std::int64_t ns = std::max<std::int64_t>(0, patience.count());
    __kernel_timespec timeout{ns / 1'000'000'000, ns % 1'000'000'000};
    io_uring_cqe* first = nullptr;
    io_uring_submit_and_wait_timeout(&ring_, &first, 1, patience == forever ? nullptr : &timeout, nullptr);
  }

  std::size_t reap(std::span<RingCompletion> completions) override {
    unsigned head = *ring_.cq.khead;
    const unsigned tail = io_uring_smp_load_acquire(ring_.cq.ktail);
    std::size_t count = 0;
    for (; head != tail && count < completions.size(); ++head, ++count) {
      const io_uring_cqe& cqe = ring_.cq.cqes[head & ring_.cq.ring_mask];
      RingCompletion& completion = completions[count];
      completion.tag = cqe.user_data;
      completion.result = cqe.res;
      completion.buffer =
          (cqe.flags & IORING_CQE_F_BUFFER) != 0 ? static_cast<std::int32_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT) : -1;
      completion.more = (cqe.flags & IORING_CQE_F_MORE) != 0;
      completion.notification = (cqe.flags & IORING_CQE_F_NOTIF) != 0;
    }
    io_uring_cq_advance(&ring_, static_cast<unsigned>(count));
    return count;
  }

  bool ready() const override {
    return io_uring_cq_ready(&ring_) != 0 || (load_flags() & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
  }

  bool register_file(std::uint32_t place, int descriptor) override {
    return features_.registered_files && io_uring_register_files_update(&ring_, place, &descriptor, 1) == 1;
  }

  // liburing 2.3 has no io_uring_setup_buf_ring().
  bool open_group(std::uint16_t number, std::byte* memory, std::uint32_t count, std::uint32_t bytes) override {
    if (!features_.receives_many || count > 32768) return false;
    void* pages =
        ::mmap(nullptr, count * sizeof(io_uring_buf), PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    if (pages == MAP_FAILED) return false;
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(pages);
    registration.ring_entries = count;
    registration.bgid = number;
    if (io_uring_register_buf_ring(&ring_, &registration, 0) != 0) {
      ::munmap(pages, count * sizeof(io_uring_buf));
      return false;
    }
    if (groups_.size() <= number) groups_.resize(number + 1u);
    Group& group = groups_[number];
    group = {static_cast<io_uring_buf_ring*>(pages), memory, count, bytes, 0, false};
    io_uring_buf_ring_init(group.ring);
    for (std::uint32_t i = 0; i < count; ++i) give_back(number, static_cast<std::uint16_t>(i));
    give_buffers();
    return true;
  }

  void close_group(std::uint16_t number) override {
    Group& group = groups_[number];
    io_uring_unregister_buf_ring(&ring_, number);
    ::munmap(group.ring, group.count * sizeof(io_uring_buf));
    group = {};
  }

  void give_back(std::uint16_t number, std::uint16_t buffer) override {
    Group& group = groups_[number];
    io_uring_buf_ring_add(group.ring, group.memory + std::size_t{buffer} * group.bytes, group.bytes, buffer,
                          io_uring_buf_ring_mask(group.count), group.added++);
    if (!group.changed) {
      group.changed = true;
      changed_.push_back(number);
    }
  }

  bool tell(int descriptor) override {
    if (io_uring_register_eventfd(&ring_, descriptor) != 0) return false;
    told(false);
    return true;
  }
  void told(bool on) override { io_uring_cq_eventfd_toggle(&ring_, on); }

 private:
  struct Group {
    io_uring_buf_ring* ring = nullptr;
    std::byte* memory = nullptr;
    std::uint32_t count = 0;
    std::uint32_t bytes = 0;
    int added = 0;  // and not shown to the kernel yet
    bool changed = false;
  };

  unsigned load_flags() const { return io_uring_smp_load_acquire(ring_.sq.kflags); }

  // Many given back cost the kernel's cache line once.
  void give_buffers() {
    for (const std::uint16_t number : changed_) {
      Group& group = groups_[number];
      if (group.ring == nullptr) continue;
      io_uring_buf_ring_advance(group.ring, std::exchange(group.added, 0));
      group.changed = false;
    }
    changed_.clear();
  }

  bool try_kind(const char* kind, unsigned flags, const IoOptions& options) {
    io_uring_params parameters{};
    parameters.flags = flags | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    parameters.cq_entries = std::max({options.completions, options.submissions, 1u});
    parameters.sq_thread_idle = 50;  // ms
    const int failed = io_uring_queue_init_params(std::max(options.submissions, 1u), &ring_, &parameters);
    error_ = -failed;
    if (failed != 0) return false;
    features_.kind = kind;
    deferred_ = (flags & IORING_SETUP_DEFER_TASKRUN) != 0;
    const std::unique_ptr<io_uring_probe, void (*)(io_uring_probe*)> probe(io_uring_get_probe_ring(&ring_),
                                                                           io_uring_free_probe);
    const auto has = [&](int operation) {
      return probe != nullptr && io_uring_opcode_supported(probe.get(), operation) != 0;
    };
    // Receiving many came with the kernel that brought zero-copy sends (6.0), accepting many with IORING_OP_SOCKET (5.19).
    features_.zero_copy = has(IORING_OP_SEND_ZC);
    features_.accepts_many = options.many && has(IORING_OP_SOCKET);
    features_.receives_many = options.many && features_.zero_copy;
    if (options.registered) {
      features_.registered_files = options.files > 0 && io_uring_register_files_sparse(&ring_, options.files) == 0;
      features_.registered_ring = io_uring_register_ring_fd(&ring_) == 1;
    }
    changed_.reserve(64);
    return true;
  }

  static void prepare(io_uring_sqe& sqe, const RingRequest& request) {
    using Kind = RingRequest::Kind;
    switch (request.kind) {
      case Kind::accept:
        if (request.many) {
          io_uring_prep_multishot_accept(&sqe, request.file, nullptr, nullptr, SOCK_CLOEXEC);
        } else {
          io_uring_prep_accept(&sqe, request.file, nullptr, nullptr, SOCK_CLOEXEC);
        }
        break;
      case Kind::connect:
        io_uring_prep_connect(&sqe, request.file, static_cast<sockaddr*>(request.memory), request.bytes);
        break;
      case Kind::receive:
        if (request.many) {
          io_uring_prep_recv_multishot(&sqe, request.file, nullptr, 0, 0);
        } else {
          io_uring_prep_recv(&sqe, request.file, request.memory, request.bytes, 0);
        }
        break;
      case Kind::send:
        if (request.zero_copy) {
          io_uring_prep_send_zc(&sqe, request.file, request.memory, request.bytes, MSG_NOSIGNAL, 0);
        } else {
          io_uring_prep_send(&sqe, request.file, request.memory, request.bytes, MSG_NOSIGNAL);
        }
        break;
      case Kind::receive_message:
        if (request.many) {
          io_uring_prep_recvmsg_multishot(&sqe, request.file, static_cast<msghdr*>(request.memory), 0);
        } else {
          io_uring_prep_recvmsg(&sqe, request.file, static_cast<msghdr*>(request.memory), 0);
        }
        break;
      case Kind::send_message:
        io_uring_prep_sendmsg(&sqe, request.file, static_cast<msghdr*>(request.memory), MSG_NOSIGNAL);
        break;
      case Kind::cancel: io_uring_prep_cancel64(&sqe, request.target, 0); break;
      case Kind::wait_readable: io_uring_prep_poll_add(&sqe, request.file, POLLIN); break;
    }
  }

  io_uring ring_{};
  RingFeatures features_;
  int error_ = ENOSYS;
  bool deferred_ = false;
  std::vector<Group> groups_;
  std::vector<std::uint16_t> changed_;
};

}  // namespace

std::unique_ptr<RingDevice> make_kernel_ring(const IoOptions& options, bool one_thread) {
  auto ring = std::make_unique<KernelRing>(options, one_thread);
  if (ring->error() == 0) return ring;
  errno = ring->error();
  return nullptr;
}

}  // namespace outcry
