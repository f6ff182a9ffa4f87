// Peer: one SSH session at the relay, with its listeners and the connections in it.
//
// It asks the gate (through its Desk) what the client may have, and carries the answer out: a
// listener is a Unix socket, <node>.<number>, closed to everybody but this process's user; each
// connection to it becomes a channel to the client. A connection that the client opens leads to a
// target that its key permits. When the session ends, everything in it does.
//
// Contract: one thread. finish_turn() is called after every round of the loop in which it asked
// for that through its Desk; a peer is destroyed only there, when is_over().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "bus/loop.h"
#include "bus/resolver.h"
#include "bus/ssh/streams.h"
#include "config/relay_config.h"
#include "relay/gate/gate.h"
#include "relay/ssh_server.h"

namespace riftbus::relay {

class Peer;

// What a peer needs of the process around it.
class Desk {
 public:
  virtual ~Desk() = default;
  // The gate's answer to what the peer asked; nothing: refused, and reported.
  virtual std::optional<GateAction> ask(const GateEvent& event) = 0;
  // finish_turn() is wanted.
  virtual void attend(Peer& peer) = 0;
  // No descriptor is left for what waits: resume_accepting() is wanted after a pause.
  virtual void pause_accepting(Peer& peer) = 0;
  // Something that peers can cause at will: counted, and reported now and then.
  virtual void report(const Error& error) = 0;
  [[nodiscard]] virtual std::string socket_path(SessionNumber session, std::uint16_t number) = 0;
};

struct PeerCounters {
  std::uint64_t refused_requests = 0;     // shells, commands and the like
  std::uint64_t refused_connections = 0;  // too many
  std::uint64_t unreached = 0;            // the client, or the target, did not take them
  std::uint64_t dropped_slow = 0;
};

class Peer : private bus::Watcher, private SshPeerOwner {
 public:
  Peer(SessionNumber number, const RelayConfig& config, SshServer& server, int descriptor,
       Desk& desk, bus::Loop& loop, bus::Resolver& resolver);
  ~Peer() override;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  [[nodiscard]] SessionNumber number() const { return number_; }
  void finish_turn();
  // Ask for a sign of life.
  void probe();
  void resume_accepting();
  // The gate wants it gone: its names are free at once, the rest ends in finish_turn().
  void end();
  [[nodiscard]] bool is_over() const { return is_ended_ || ssh_.is_over(); }
  [[nodiscard]] bool is_ended() const { return is_ended_; }
  [[nodiscard]] std::string problem() const { return ssh_.problem(); }

  [[nodiscard]] const ssh::Streams& streams() const { return streams_; }
  [[nodiscard]] std::string cipher() const { return ssh_.cipher(); }
  [[nodiscard]] const PeerCounters& counters() const { return counters_; }

 private:
  struct Listener;

  void on_ready(bus::Readiness what) override;
  bool accept_key(const std::string& user, const std::string& key, bool is_proven) override;
  void on_other_method(bool is_question) override;
  std::optional<std::uint16_t> listen(const std::string& host, int port) override;
  bool cancel(int port) override;
  std::optional<ForwardEnd> admit_open(const std::string& host, int port) override;
  void on_open(const ForwardEnd& target, std::unique_ptr<ssh::Channel> channel) override;
  void on_refused(const char* what) override;

  void accept_from(std::uint16_t number);
  [[nodiscard]] bool has_room();
  void sweep();

  SessionNumber number_;
  const RelayConfig& config_;
  Desk& desk_;
  bus::Loop& loop_;
  bus::Resolver& resolver_;
  SshPeer ssh_;
  ssh::Streams streams_;
  std::map<std::uint16_t, std::unique_ptr<Listener>> listeners_;
  std::uint64_t heard_bytes_ = 0;
  bool is_ended_ = false;
  PeerCounters counters_;
};

}  // namespace riftbus::relay
