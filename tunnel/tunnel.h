// Tunnel: the program riftbus-tunnel, from prepared settings to a clean end.
//
// One thread, one loop, one link per class of traffic that has a forward: bulk never delays
// control, because it has a connection of its own. SIGTERM and SIGINT end every connection, take
// leave of the servers and return; SIGUSR1 makes new sessions at once; SIGHUP reopens the log.
//
// Beside a session that the bus carries, a second link tries the direct way now and then. It takes
// the other's place as soon as its key is accepted: the relay keeps the newest session of a node,
// and ends the other at that moment.
//
// Contract: one Tunnel per process (it blocks the signals above). run() returns at the end of the
// program; with `only_once`, already when a session fails, with that failure.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/resolver.h"
#include "bus/signal_watch.h"
#include "bus/ssh/status_file.h"
#include "config/cluster.h"
#include "config/random.h"
#include "tunnel/link.h"
#include "tunnel/session/way_back.h"

namespace riftbus::tunnel {

class Tunnel : private bus::Watcher {
 public:
  static constexpr Seconds kStatusEvery{5};      // besides at each change of state
  static constexpr Millis kLastStatusMax{1000};  // what the end waits for it
  static constexpr std::uint64_t kTrialDialsMax = 8;

  // What is missing in the settings: 1803.
  [[nodiscard]] static Status check(const NodeSettings& settings);

  Tunnel(const NodeSettings& settings, ssh::Key key, std::uint64_t seed, bool only_once);
  ~Tunnel() override;
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  // Listens and blocks the signals: 1817, or the descriptor limit.
  [[nodiscard]] Status open();
  [[nodiscard]] Status run();

 private:
  struct ResolverWatcher;
  struct Lane {  // one class of traffic
    explicit Lane(Random& random) : way_back(random) {}
    std::unique_ptr<Link> link;
    std::unique_ptr<Link> trial;  // of the direct way, while `link` is carried
    WayBack way_back;
  };

  [[nodiscard]] std::unique_ptr<Link> make_link(TrafficClass traffic, bool is_trial);
  void tend_trial(Lane& lane, TimePoint now);
  void on_ready(bus::Readiness what) override;  // a signal
  void finish_turn();
  void write_state(TimePoint now, bool is_running);
  [[nodiscard]] TimePoint next_deadline() const;

  const NodeSettings settings_;
  ssh::Key key_;
  bool only_once_;
  Random random_;
  bus::Loop loop_;
  bus::Resolver resolver_;
  std::unique_ptr<ResolverWatcher> resolver_watcher_;
  std::optional<bus::SignalWatch> signals_;  // from open() on
  std::vector<Lane> lanes_;
  ssh::StatusWriter status_writer_;
  TimePoint status_due_{};
  bool status_failed_ = false;
  bool is_stopping_ = false;
  std::optional<Error> end_;
};

}  // namespace riftbus::tunnel
