// SshServer and SshPeer: the server's half of SSH, over libssh: what bus/ssh/session.h leaves to
// it.
//
// All that a client can reach here is a key exchange, the proof of a key, and requests to forward,
// each of which the owner decides. Everything else libssh offers is turned off or refused: other
// keys than ed25519, old key exchanges and ciphers, compression, passwords, shells, commands,
// sftp, agents, X11. libssh has no request for listeners on Unix sockets by path (ssh -R /path),
// and refuses them by itself.
//
// Contract: as Session's. The owner outlives its peer, and never destroys it from within a call.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "bus/ssh/key.h"
#include "bus/ssh/session.h"
#include "config/forward.h"
#include "config/result.h"

struct ssh_bind_struct;

namespace riftbus::relay {

// Whom a session asks about everything.
class SshPeerOwner {
 public:
  virtual ~SshPeerOwner() = default;
  // The key in base64. Asked first whether it would do, then with the proof.
  virtual bool accept_key(const std::string& user, const std::string& key, bool is_proven) = 0;
  // A password or the like; `is_question`: "none", which only asks what there is.
  virtual void on_other_method(bool is_question) = 0;
  // The number under which it listens now; nothing: refused.
  virtual std::optional<std::uint16_t> listen(const std::string& host, int port) = 0;
  virtual bool cancel(int port) = 0;
  virtual std::optional<ForwardEnd> admit_open(const std::string& host, int port) = 0;
  virtual void on_open(const ForwardEnd& target, std::unique_ptr<ssh::Channel> channel) = 0;
  // Something else was asked for, and refused.
  virtual void on_refused(const char* what) = 0;
};

struct SshServerOptions {
  std::string cipher;  // auto, chacha20, aes-gcm
  std::uint64_t rekey_bytes = 0;
};

class SshPeer;

class SshServer {
 public:
  SshServer(const ssh::Key& host_key, const SshServerOptions& options);
  ~SshServer();
  SshServer(const SshServer&) = delete;
  SshServer& operator=(const SshServer&) = delete;

 private:
  friend class SshPeer;
  SshServerOptions options_;
  ssh_bind_struct* bind_;
};

class SshPeer : public ssh::Session {
 public:
  // Takes the accepted socket over. is_over() at once if libssh does not want it.
  SshPeer(SshServer& server, int descriptor, SshPeerOwner& owner);
  ~SshPeer() override;

  // Leads a connection on a listener to the client, who asked for `host` and `port`.
  [[nodiscard]] std::unique_ptr<ssh::Channel> open_channel(const std::string& host,
                                                           std::uint16_t port);

 private:
  struct Callbacks;
  int receive(ssh_message_struct* message) override;
  int receive_global(ssh_message_struct* message);
  int receive_open(ssh_message_struct* message);

  SshPeerOwner& owner_;
  std::unique_ptr<Callbacks> callbacks_;
};

}  // namespace riftbus::relay
