// Socket and Result: what they need of the system.
#include <outcry/runtime/socket.hpp>

#include <unistd.h>

#include <system_error>

#include <outcry/runtime/result.hpp>

namespace outcry {

void Socket::close() noexcept {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

std::string Failure::text() const { return std::string(doing) + ": " + std::generic_category().message(code); }

}  // namespace outcry
