// SshClient: the client's half of an SSH session, over libssh: what bus/ssh/session.h leaves to it.
//
// Set up step by step, each step asked for again while it says so: exchange keys, look at the
// server's key, authenticate, open forwards one at a time. Only then do signs of life and
// connections flow: libssh reads the answer about an allocated port from whatever came last.
//
// Not possible with this library: a server's listener on a Unix socket.
//
// Contract: as Session's. The owner outlives the client and destroys no channel from within a call.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "bus/ssh/key.h"
#include "bus/ssh/session.h"
#include "config/forward.h"

namespace riftbus::tunnel {

// Whom a session asks about connections that the server passes on.
class SshOwner {
 public:
  virtual ~SshOwner() = default;
  // Does a forward of ours listen on this port of the server, and is there room?
  virtual bool admit_connection(std::uint16_t server_port) = 0;
  virtual void on_connection(std::uint16_t server_port, std::unique_ptr<ssh::Channel> channel) = 0;
};

struct SshOptions {
  std::string user;
  std::string cipher;  // auto, chacha20, aes-gcm
  std::uint64_t rekey_bytes = 0;
  // A relay of ours keeps two sessions of one node, told apart by the user's name.
  TrafficClass traffic = TrafficClass::control;
};

class SshClient : public ssh::Session {
 public:
  // Takes the connected socket over.
  SshClient(const SshOptions& options, int descriptor, SshOwner& owner);

  [[nodiscard]] ssh::Step exchange_keys();
  // After exchange_keys(): "SHA256:..." of the key that the server has proven to own.
  [[nodiscard]] std::string host_pin();
  // It is a relay of ours, by its own word.
  [[nodiscard]] bool is_relay() const { return is_relay_; }
  [[nodiscard]] ssh::Step authenticate(const ssh::Key& key);
  // Once authenticated; `port` becomes the server's.
  [[nodiscard]] ssh::Step open_forward(const ForwardEnd& listen, std::uint16_t& port);
  [[nodiscard]] std::unique_ptr<ssh::Channel> open_channel(const ForwardEnd& target);

 private:
  int receive(ssh_message_struct* message) override;

  SshOwner& owner_;
  TrafficClass traffic_;
  std::string user_;
  bool is_relay_ = false;
};

}  // namespace riftbus::tunnel
