// SshHalf: the program riftbus-relay-ssh, from prepared settings to a clean end.
//
// It terminates the nodes' tunnels and turns what they listen for into Unix sockets; it holds no
// key of the bus and does not speak it. One thread and one loop for all sessions; only those in
// which something happened are looked at after a round, so that a thousand idle ones cost nothing.
// The list of keys is read again when its file changes: a node whose line is removed is out
// within kListEvery.
//
// SIGTERM and SIGINT take leave of every node and return; SIGHUP reopens the log and reads the
// list again.
//
// Contract: one SshHalf per process (it blocks the signals above, and gives up rights in open()).
// open(), then run(), which returns at the end of the program.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "bus/log.h"
#include "bus/resolver.h"
#include "bus/signal_watch.h"
#include "bus/ssh/status_file.h"
#include "config/cluster.h"
#include "relay/allow_file.h"
#include "relay/peer.h"

namespace riftbus::relay {

// Of all sessions, those that are gone too.
struct RelayTotals {
  PeerCounters counters;
  std::uint64_t exhaustions = 0;  // times that no descriptor or memory was left for a connection
  std::uint64_t connections = 0;
  std::uint64_t bytes_to_nodes = 0;
  std::uint64_t bytes_from_nodes = 0;
};

class SshHalf : private bus::Watcher, private Desk {
 public:
  static constexpr Seconds kListEvery{1};
  static constexpr Seconds kStatusEvery{5};      // besides after changes
  static constexpr Millis kStatusPause{250};     // but no more often than that
  static constexpr Millis kLastStatusMax{1000};  // what the end waits for it
  static constexpr Seconds kAcceptPause{1};      // without a free descriptor

  SshHalf(const NodeSettings& settings, ssh::Key host_key);
  ~SshHalf() override;
  SshHalf(const SshHalf&) = delete;
  SshHalf& operator=(const SshHalf&) = delete;

  // Listens, claims the folder of sockets, reads the list and becomes who it shall be: 1817, 1830,
  // 1831, 1845.
  [[nodiscard]] Status open();
  void run();

  [[nodiscard]] const Gate& gate() const { return *gate_; }
  [[nodiscard]] const std::map<SessionNumber, std::unique_ptr<Peer>>& peers() const {
    return peers_;
  }
  [[nodiscard]] RelayTotals totals() const;

 private:
  struct Doorbell;

  void on_ready(bus::Readiness what) override;  // a signal
  std::optional<GateAction> ask(const GateEvent& event) override;
  void attend(Peer& peer) override { attended_.insert(peer.number()); }
  void pause_accepting(Peer& peer) override;
  void report(const Error& error) override;
  [[nodiscard]] std::string socket_path(SessionNumber session, std::uint16_t number) override;

  void accept_peers();
  void pause();
  void resume_accepting();
  void greet(int descriptor);
  void carry_out(const GateAction& action);
  void finish_turn();
  void look_at_list(TimePoint now);
  void take_list();
  void serve_attended();
  void bury(SessionNumber number);
  void want_status();
  void write_state(TimePoint now, bool is_running);
  [[nodiscard]] TimePoint next_deadline(TimePoint now) const;

  const NodeSettings settings_;
  const RelayConfig& config_;
  ssh::Key host_key_;
  SshServer server_;
  AllowFile allow_file_;
  bus::Loop loop_;
  bus::Resolver resolver_;
  std::unique_ptr<Gate> gate_;
  std::map<SessionNumber, std::unique_ptr<Peer>> peers_;
  std::set<SessionNumber> attended_;
  std::set<SessionNumber> paused_;  // accept nothing until accept_due_
  SessionNumber next_number_ = 1;
  std::unique_ptr<Doorbell> doorbell_;
  int folder_lock_ = -1;
  std::optional<bus::SignalWatch> signals_;            // from open() on
  std::map<std::uint16_t, bus::RateLimited> reports_;  // by code
  RelayTotals gone_;
  std::uint64_t exhaustions_ = 0;
  TimePoint list_due_{};
  ssh::StatusWriter status_writer_;
  TimePoint status_due_{};
  TimePoint status_written_{};
  TimePoint accept_due_ = TimePoint::max();
  bool status_failed_ = false;
  bool list_failed_ = false;
  bool is_stopping_ = false;
};

}  // namespace riftbus::relay
