// Datagrams: packets in buffers of the socket's own, by one request for many where the kernel can; packets out in chains,
// so that they keep their order.
#include <outcry/runtime/datagrams.hpp>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <vector>

#include <outcry/runtime/socket.hpp>

#include "ring.hpp"
#include "sockaddr.hpp"

namespace outcry {

namespace {

constexpr std::size_t name_bytes = sizeof(sockaddr_in6);
constexpr std::size_t control_bytes = 96;
constexpr std::size_t packet_begin = sizeof(PooledMessage) + name_bytes + control_bytes;
static_assert((sizeof(PooledMessage) + name_bytes) % 4 == 0);
constexpr std::uint32_t chain_limit = 32;

bool passing(int code) { return code == EINTR || code == EAGAIN || code == ECANCELED; }

}  // namespace

struct DatagramState final : SocketState {
  explicit DatagramState(DatagramOptions& options)
      : packet_bytes(std::max<std::size_t>(options.packet_bytes, 1)),
        wanted(std::move(options.wanted)),
        places(new packet_detail::Places(
            static_cast<std::uint32_t>(std::bit_ceil(std::clamp<std::size_t>(options.in_packets, 1, 32768))),
            (packet_begin + packet_bytes + 7) / 8 * 8)),
        came(places->count()),
        out_memory(new std::byte[std::max<std::size_t>(options.out_packets, 1) * packet_bytes]),
        leaving(std::max<std::size_t>(options.out_packets, 1)) {
    places->own(this, [](void* state, std::uint32_t place) { static_cast<DatagramState*>(state)->came_back(place); });
    free_places.reserve(places->count());
    for (std::uint32_t place = places->count(); place > 0; --place) free_places.push_back(place - 1);
  }
  ~DatagramState() override {
    held = {};
    while (came_count > 0) held = take_oldest();
    held = {};
    places->disown();
  }

  struct Leaving {
    sockaddr_storage to;
    msghdr message;
    iovec parts[2];
    PacketBuffer packet;
    bool done;
  };

  // ---- coming in

  void arm() {
    if (ending || receive) return;
    RingRequest request;
    request.kind = RingRequest::Kind::receive_message;
    request.bytes = 1;
    request.memory = &header;
    header = {};
    header.msg_namelen = name_bytes;
    header.msg_controllen = control_bytes;
    many = group != 0 && !many_is_refused;
    if (many) {
      request.many = request.pooled = true;
      request.group = group;
    } else {
      if (free_places.empty()) return;  // came_back() makes room
      std::byte* place = places->at(free_places.back());
      part = {place + packet_begin, packet_bytes};
      header.msg_name = place + sizeof(PooledMessage);
      header.msg_control = place + sizeof(PooledMessage) + name_bytes;
      header.msg_iov = &part;
      header.msg_iovlen = 1;
    }
    receive = true;
    ring->push(*this, receiving, request);
  }

  void received(const RingCompletion& completion) {
    if (!completion.more) receive = false;
    bool starved = false;
    if (completion.result >= 0 && !ending) {
      if (completion.buffer >= 0) {
        take_in(static_cast<std::uint32_t>(completion.buffer));
      } else {
        const std::uint32_t place = free_places.back();
        free_places.pop_back();
        PooledMessage front{};
        front.name_bytes = header.msg_namelen;
        front.control_bytes = static_cast<std::uint32_t>(header.msg_controllen);
        front.packet_bytes = static_cast<std::uint32_t>(completion.result);
        front.flags = static_cast<std::uint32_t>(header.msg_flags);
        std::memcpy(places->at(place), &front, sizeof front);
        take_in(place);
      }
    } else {
      if (completion.buffer >= 0) ring->give_back(group, completion.buffer);
      if (ending) return;
      if (completion.result == -EINVAL && many && with_actor == 0) {
        many_is_refused = true;
      } else if (completion.result == -ENOBUFS) {
        starved = with_actor == places->count();  // came_back() arms it again
      } else if (completion.result == -EBADF || completion.result == -ENOTSOCK) {
        fail(-completion.result);
        return;
      }
    }
    if (!starved) arm();
  }

  void take_in(std::uint32_t place) {
    ++with_actor;
    PooledMessage front;
    std::memcpy(&front, places->at(place), sizeof front);
    PacketBuffer packet(*places, place);
    if ((front.flags & MSG_TRUNC) != 0) {
      ++too_large;
      return;
    }
    packet_detail::Places::Place& details = (*places)[place];
    details.begin = packet_begin;
    details.size = front.packet_bytes;
    details.arrived = ring->reaped_at();
    sockaddr_storage from{};
    std::memcpy(&from, places->at(place) + sizeof front, std::min<std::size_t>(front.name_bytes, name_bytes));
    details.from = from_sockaddr(from);
    look_at_control(place, std::min<std::size_t>(front.control_bytes, control_bytes), details.arrived);
    if (wanted && !wanted(as_datagram(packet))) {
      ++unwanted;
      return;
    }
    came[(came_first + came_count++) % came.size()] = std::move(packet);
    reader.wake();
    notice();
  }

  static Datagram as_datagram(const PacketBuffer& packet) { return {packet.bytes(), packet.from(), packet.arrived()}; }

  void look_at_control(std::uint32_t place, std::size_t bytes, Time& arrived) {
    const std::byte* at = places->at(place) + sizeof(PooledMessage) + name_bytes;
    while (bytes >= sizeof(cmsghdr)) {
      cmsghdr control;
      std::memcpy(&control, at, sizeof control);
      if (control.cmsg_len < sizeof control || control.cmsg_len > bytes) return;
      const std::byte* data = at + CMSG_LEN(0);
      if (control.cmsg_level == SOL_SOCKET && control.cmsg_type == SCM_TIMESTAMPNS) {
        timespec real;
        std::memcpy(&real, data, sizeof real);
        arrived = time_from_ns(real.tv_sec * 1'000'000'000 + real.tv_nsec) + Ring::since_epoch();
      } else if (control.cmsg_level == SOL_SOCKET && control.cmsg_type == SO_RXQ_OVFL) {
        std::memcpy(&lost_by_system, data, sizeof lost_by_system);
      }
      const std::size_t step = CMSG_ALIGN(control.cmsg_len);
      if (step >= bytes) return;
      at += step;
      bytes -= step;
    }
  }

  /// Nobody holds it any more.
  void came_back(std::uint32_t place) {
    --with_actor;
    if (ring == nullptr || ending) return;
    if (many) {
      ring->give_back(group, static_cast<std::int32_t>(place));
    } else {
      free_places.push_back(place);
    }
    if (!receive) arm();
  }

  PacketBuffer take_oldest() {
    PacketBuffer packet = std::move(came[came_first]);
    came_first = (came_first + 1) % came.size();
    --came_count;
    return packet;
  }

  std::optional<Datagram> next() {
    held = {};
    if (came_count == 0) return std::nullopt;
    held = take_oldest();
    return as_datagram(held);
  }

  // ---- going out

  bool send(std::span<const std::byte> copied, const PacketBuffer& packet, const Endpoint& to) {
    if (ring == nullptr || ending || copied.size() > packet_bytes || leaving_count == leaving.size()) {
      ++unsendable;
      return false;
    }
    const std::size_t index = (leaving_first + leaving_count++) % leaving.size();
    Leaving& place = leaving[index];
    std::byte* copy = out_memory.get() + index * packet_bytes;
    if (!copied.empty()) std::memcpy(copy, copied.data(), copied.size());
    place.done = false;
    place.packet = packet;
    place.parts[0] = {copy, copied.size()};
    place.parts[1] = {const_cast<std::byte*>(packet.bytes().data()), packet.bytes().size()};
    place.message = {};
    place.message.msg_namelen = to_sockaddr(to, place.to);
    place.message.msg_name = &place.to;
    const bool alone = packet && copied.empty();  // the kernel looks at one part only
    place.message.msg_iov = alone ? place.parts + 1 : place.parts;
    place.message.msg_iovlen = packet && !alone ? 2 : 1;
    ring->set_dirty(*this);
    return true;
  }

  // One chain at a time: the next packet starts when the one before is with the kernel.
  void flush() override {
    if (chain > 0 || ending) return;
    const auto most = std::min<std::size_t>({leaving_count, chain_limit, std::max(ring->room(), 1u)});
    std::uint32_t indices[chain_limit];
    std::uint32_t count = 0;
    for (std::size_t i = 0; i < leaving_count && count < most; ++i) {
      const std::size_t index = (leaving_first + i) % leaving.size();
      if (!leaving[index].done) indices[count++] = static_cast<std::uint32_t>(index);
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      RingRequest request;
      request.kind = RingRequest::Kind::send_message;
      request.memory = &leaving[indices[i]].message;
      request.bytes = 1;
      request.linked = i + 1 < count;
      in_chain[i] = indices[i];
      ++chain;
      ring->push(*this, static_cast<Operation>(first_of_many + i), request);
    }
  }

  // Of a chain that broke the rest is cancelled: that has not been sent.
  void sent(std::uint32_t link, int result) {
    Leaving& packet = leaving[in_chain[link]];
    if (result >= 0) {
      packet.done = true;
    } else if (!passing(-result)) {
      packet.done = true;
      ++unsendable;
    }
    if (--chain > 0) return;
    const bool was_full = leaving_count == leaving.size();
    while (leaving_count > 0 && leaving[leaving_first].done) {
      leaving[leaving_first].packet = {};
      leaving_first = (leaving_first + 1) % leaving.size();
      --leaving_count;
    }
    if (ending) return;
    if (was_full) notice();
    if (leaving_count > 0) flush();
  }

  // ---- both

  void completed(Operation operation, const RingCompletion& completion) override {
    if (operation == receiving) {
      received(completion);
    } else if (operation >= first_of_many) {
      sent(operation - first_of_many, completion.result);
    } else if (ending && receive) {
      ring->cancel(*this, receiving);
    }
    if (ending && in_flight == 0) close_group();
  }

  void fail(int code) {
    failure = {code, "receive"};
    reader.wake();
    notice();
  }

  void end_operations() override {
    ::shutdown(descriptor, SHUT_RDWR);
    if (receive) ring->cancel(*this, receiving);
    if (in_flight == 0) close_group();
  }
  void ring_is_gone() override { fail(ECANCELED); }

  void close_group() {
    if (group != 0) ring->close_group(std::exchange(group, std::uint16_t{0}));
  }

  std::size_t packet_bytes;
  std::function<bool(const Datagram&)> wanted;
  Endpoint local;
  Failure failure;
  SocketWaiter reader;

  packet_detail::Places* places;
  std::vector<PacketBuffer> came;  // a ring
  std::size_t came_first = 0;
  std::size_t came_count = 0;
  PacketBuffer held;                       // what next() gave last
  std::vector<std::uint32_t> free_places;  // where there is one packet for each request
  std::uint32_t with_actor = 0;            // places that wait to be taken, or are held
  bool receive = false;
  bool many = false;
  bool many_is_refused = false;
  std::uint16_t group = 0;
  msghdr header{};
  iovec part{};
  std::uint64_t too_large = 0;
  std::uint64_t unwanted = 0;
  std::uint32_t lost_by_system = 0;

  std::unique_ptr<std::byte[]> out_memory;
  std::vector<Leaving> leaving;
  std::size_t leaving_first = 0;
  std::size_t leaving_count = 0;
  std::uint32_t in_chain[chain_limit];
  std::uint32_t chain = 0;  // under way
  std::uint64_t unsendable = 0;
};

namespace {

template <class T>
bool set(int descriptor, int level, int option, const T& value) {
  return ::setsockopt(descriptor, level, option, &value, sizeof value) == 0;
}

/// What the group's packets need, in and out; null: all went well.
const char* set_up_groups(int descriptor, bool v6, const DatagramOptions& options) {
  if (v6) {
    const unsigned index = options.interface.empty() ? 0 : ::if_nametoindex(options.interface.c_str());
    if (!options.interface.empty()) {
      if (index == 0) return (errno = ENODEV), "find the interface";
      if (!set(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_IF, index)) return "choose the interface";
    }
    if (!set(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, options.ttl)) return "set the time to live";
    if (!set(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, static_cast<int>(options.loop))) return "set the loop";
    if (!options.group) return nullptr;
    ipv6_mreq membership{};
    std::memcpy(&membership.ipv6mr_multiaddr, options.group->address().data(), 16);
    membership.ipv6mr_interface = index;
    return set(descriptor, IPPROTO_IPV6, IPV6_JOIN_GROUP, membership) ? nullptr : "join the group";
  }
  ip_mreqn membership{};
  if (!options.interface.empty() && ::inet_pton(AF_INET, options.interface.c_str(), &membership.imr_address) != 1) {
    membership.imr_ifindex = static_cast<int>(::if_nametoindex(options.interface.c_str()));
    if (membership.imr_ifindex == 0) return (errno = ENODEV), "find the interface";
  }
  if (!options.interface.empty() && !set(descriptor, IPPROTO_IP, IP_MULTICAST_IF, membership))
    return "choose the interface";
  if (!set(descriptor, IPPROTO_IP, IP_MULTICAST_TTL, options.ttl)) return "set the time to live";
  if (!set(descriptor, IPPROTO_IP, IP_MULTICAST_LOOP, static_cast<int>(options.loop))) return "set the loop";
  set(descriptor, IPPROTO_IP, IP_MULTICAST_ALL, 0);  // only what it has joined itself
  if (!options.group) return nullptr;
  std::memcpy(&membership.imr_multiaddr, options.group->address().data(), 4);
  return set(descriptor, IPPROTO_IP, IP_ADD_MEMBERSHIP, membership) ? nullptr : "join the group";
}

}  // namespace

Result<Datagrams> Datagrams::open(ActorCell& cell, const Endpoint& local, DatagramOptions options) {
  const Result<Ring*> ring = ring_of(cell);
  if (!ring) return ring.failure();
  if (options.group && (!options.group->is_multicast() || options.group->is_v6() != local.is_v6()))
    return Failure{EINVAL, "join a group"};
  Socket socket(::socket(local.is_v6() ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), {});
  if (!socket) return Failure{errno, "make a socket"};
  const int descriptor = socket.descriptor();
  if (options.reuse && !set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)) return Failure{errno, "share a port"};
  set(descriptor, SOL_SOCKET, SO_RXQ_OVFL, 1);
  if (options.kernel_stamps) set(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr(local, address);
  if (::bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) != 0) return Failure{errno, "bind"};
  if (const char* failed = set_up_groups(descriptor, local.is_v6(), options); failed != nullptr)
    return Failure{errno, failed};

  auto state = std::make_unique<DatagramState>(options);
  state->local = local_of(descriptor);
  state->group = (*ring)->open_group(state->places->memory(), state->places->count(),
                                     static_cast<std::uint32_t>(state->places->bytes()));
  (*ring)->add(*state, socket.give_up(), cell);
  state->arm();
  return Datagrams(state.release());
}

std::optional<Datagram> Datagrams::next() noexcept { return state_ != nullptr ? state_->next() : std::nullopt; }

bool Datagrams::send(std::span<const std::byte> bytes, const Endpoint& to) noexcept {
  return state_ != nullptr && state_->send(bytes, {}, to);
}

bool Datagrams::send(const PacketBuffer& packet, const Endpoint& to, std::span<const std::byte> head) noexcept {
  return state_ != nullptr && state_->send(head, packet, to);
}

PacketBuffer Datagrams::keep() const noexcept { return state_ != nullptr ? state_->held : PacketBuffer(); }

std::uint64_t Datagrams::filtered() const noexcept { return state_ != nullptr ? state_->unwanted : 0; }

Endpoint Datagrams::local() const noexcept { return state_ != nullptr ? state_->local : Endpoint(); }

std::uint64_t Datagrams::dropped() const noexcept {
  return state_ != nullptr ? state_->too_large + state_->lost_by_system : 0;
}

std::uint64_t Datagrams::unsendable() const noexcept { return state_ != nullptr ? state_->unsendable : 0; }

std::size_t Datagrams::unsent() const noexcept { return state_ != nullptr ? state_->leaving_count : 0; }

void Datagrams::close() noexcept {
  DatagramState* state = std::exchange(state_, nullptr);
  if (state == nullptr) return;
  if (state->ring == nullptr) {
    delete state;
    return;
  }
  state->ending = true;
  state->end_operations();
  state->ring->orphan(*state);
}

bool ReceivingDatagram::await_ready() const noexcept {
  return state_ == nullptr || state_->came_count > 0 || state_->failure.code != 0;
}

void ReceivingDatagram::await_suspend(std::coroutine_handle<> point) {
  waited_ = true;
  state_->held = {};
  wait_on_socket(state_->reader, point, deadline_, where_);
}

Result<Datagram> ReceivingDatagram::await_resume() {
  if (state_ == nullptr) return Failure{EBADF, "receive"};
  if (auto packet = state_->next()) return *packet;
  if (state_->failure.code != 0) return state_->failure;
  return nothing_came(waited_, "receive");
}

}  // namespace outcry
