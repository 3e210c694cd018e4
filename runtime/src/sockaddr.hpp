// Endpoints as the system has them.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <outcry/runtime/endpoint.hpp>

namespace outcry {

/// The size of what was filled in.
socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage& address);
Endpoint from_sockaddr(const sockaddr_storage& address);

/// Of a socket; the empty endpoint if it has none.
Endpoint local_of(int descriptor);
Endpoint peer_of(int descriptor);

}  // namespace outcry
