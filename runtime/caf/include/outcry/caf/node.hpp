// CafNode: a CAF system that is joined with others by CAF's middleman.
//
//   CafNode node({.announce = announce_market_words});
//   const auto port = node.publish(handle, 0);               // on loopback, any free port
//   const auto remote = node.connect("127.0.0.1", *port);    // in the other process
//
// Links are plain and on loopback unless told otherwise. With credentials every link of the node is encrypted, and both
// ends must show a certificate of the same authorities: one without is refused.
// A node that is silent for `silence` counts as lost: its actors end, who monitors them hears remote_link_unreachable.
// Threads: any. Errors: std::invalid_argument for credentials without their half or without CAF's OpenSSL module; what the
// network refuses is a caf::error.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <caf/expected.hpp>

#include <outcry/caf/adapter.hpp>

namespace outcry {

/// Files in PEM.
struct CafCredentials {
  std::string certificate = {};
  std::string key = {};
  std::string passphrase = {};
  std::string authorities = {};  // whose certificates are believed

  bool given() const { return !certificate.empty() || !key.empty() || !authorities.empty(); }
};

struct CafNodeOptions {
  std::string listen = "127.0.0.1";  // the address of this machine that published actors are reached at; "0.0.0.0": all
  CafCredentials credentials = {};
  std::chrono::milliseconds heartbeat{500};
  std::chrono::milliseconds silence{3000};
  std::uint32_t workers = 2;
  std::function<void(caf::actor_system_config&)> announce = {};  // the message types that travel
};

class CafNode {
 public:
  explicit CafNode(CafNodeOptions options = {});
  ~CafNode();
  CafNode(const CafNode&) = delete;
  CafNode& operator=(const CafNode&) = delete;

  caf::actor_system& system() { return *system_; }
  bool encrypted() const { return options_.credentials.given(); }

  /// The port. Others who connect to it get this actor.
  caf::expected<std::uint16_t> publish(const caf::actor& actor, std::uint16_t port);
  caf::expected<caf::actor> connect(const std::string& host, std::uint16_t port);
  std::string text(const caf::error& error) const { return caf_text(*system_, error); }

 private:
  CafNodeOptions options_;
  std::unique_ptr<caf::actor_system_config> config_;
  std::unique_ptr<caf::actor_system> system_;
};

}  // namespace outcry
