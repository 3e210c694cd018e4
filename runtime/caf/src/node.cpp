#include <outcry/caf/node.hpp>

#include <stdexcept>

#include <caf/io/middleman.hpp>
#ifdef OUTCRY_CAF_OPENSSL
#include <caf/openssl/manager.hpp>
#include <caf/openssl/publish.hpp>
#include <caf/openssl/remote_actor.hpp>
#endif

namespace outcry {

namespace {

void check(const CafCredentials& credentials) {
  if (!credentials.given()) return;
  if (credentials.certificate.empty() || credentials.key.empty() || credentials.authorities.empty())
    throw std::invalid_argument(
        "an encrypted link needs a certificate, its key, and the authorities that are believed");
#ifndef OUTCRY_CAF_OPENSSL
  throw std::invalid_argument("this program was built without CAF's OpenSSL module: its links cannot be encrypted");
#endif
}

}  // namespace

CafNode::CafNode(CafNodeOptions options)
    : options_(std::move(options)), config_(std::make_unique<caf::actor_system_config>()) {
  check(options_.credentials);
  config_->set("scheduler.max-threads", static_cast<std::size_t>(options_.workers));
  config_->set("middleman.heartbeat-interval", caf::timespan(options_.heartbeat));
  config_->set("middleman.connection-timeout", caf::timespan(options_.silence));
  config_->load<caf::io::middleman>();
#ifdef OUTCRY_CAF_OPENSSL
  if (options_.credentials.given()) {
    config_->openssl_certificate = options_.credentials.certificate;
    config_->openssl_key = options_.credentials.key;
    config_->openssl_passphrase = options_.credentials.passphrase;
    config_->openssl_cafile = options_.credentials.authorities;
    config_->load<caf::openssl::manager>();
  }
#endif
  if (options_.announce) options_.announce(*config_);
  system_ = std::make_unique<caf::actor_system>(*config_);
}

CafNode::~CafNode() = default;

caf::expected<std::uint16_t> CafNode::publish(const caf::actor& actor, std::uint16_t port) {
#ifdef OUTCRY_CAF_OPENSSL
  if (encrypted()) return caf::openssl::publish(actor, port, options_.listen.c_str(), true);
#endif
  return system_->middleman().publish(actor, port, options_.listen.c_str(), true);
}

caf::expected<caf::actor> CafNode::connect(const std::string& host, std::uint16_t port) {
#ifdef OUTCRY_CAF_OPENSSL
  if (encrypted()) return caf::openssl::remote_actor(*system_, host, port);
#endif
  return system_->middleman().remote_actor(host, port);
}

}  // namespace outcry
