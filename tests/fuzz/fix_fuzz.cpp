// Any bytes are a stream of FIX. The reader must come to an end within them; what is read as a message of order entry is
// written and read again as the same.
#include <cstdlib>
#include <string>

#include <outcry/net/fix_messages.hpp>

using namespace outcry;

namespace {

constexpr std::size_t limit = 1'024;

template <class Body>
void check(const fix::Message& message, fix::Version version) {
  if (message.type() != Body::type) return;
  Body body;
  if (fix::read(message, version, body)) return;
  static fix::Writer first(4 * limit), second(4 * limit);
  first.begin(version, Body::type);
  fix::write(body, version, first);
  const auto bytes = first.finish();
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const fix::Framed framed = fix::frame(text, 4 * limit);
  if (framed.framing != fix::Framing::whole || framed.size != text.size()) std::abort();
  fix::Message again;
  Body copy;
  if (again.read(text) || fix::read(again, version, copy)) std::abort();
  second.begin(version, Body::type);
  fix::write(copy, version, second);
  const auto copied = second.finish();
  if (text != std::string_view(reinterpret_cast<const char*>(copied.data()), copied.size())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const fix::Framed framed = fix::frame(rest, limit);
    if (framed.framing == fix::Framing::partial) break;
    if (framed.size == 0 || framed.size > rest.size()) std::abort();
    fix::Message message;
    if (framed.framing == fix::Framing::whole && !message.read(rest.substr(0, framed.size))) {
      for (const fix::Version version : {fix::Version::v4_2, fix::Version::v4_4}) {
        check<fix::Logon>(message, version);
        check<fix::ResendRequest>(message, version);
        check<fix::SessionReject>(message, version);
        check<fix::NewOrderSingle>(message, version);
        check<fix::OrderCancelRequest>(message, version);
        check<fix::OrderCancelReplaceRequest>(message, version);
        check<fix::OrderMassCancelRequest>(message, version);
        check<fix::OrderMassCancelReport>(message, version);
        check<fix::ExecutionReport>(message, version);
        check<fix::OrderCancelReject>(message, version);
        check<fix::BusinessReject>(message, version);
      }
    }
    rest.remove_prefix(framed.size);
  }
  return 0;
}
