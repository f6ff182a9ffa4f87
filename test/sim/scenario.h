// Scenario: a story that is told to a cluster, by name and seed.
//
// A scenario builds its world from the seed, breaks it, and states what must come of it in the
// end; what must hold all along is the checkers' business. The same (scenario, seed, nodes,
// minutes) gives the same run on every machine.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "test/sim/cluster.h"

namespace riftbus::sim {

struct Args {
  std::uint64_t seed = 1;
  std::optional<std::size_t> nodes;  // instead of the scenario's own choice
  std::optional<double> minutes;
  std::size_t trace_lines = 0;
  std::function<void(const std::string&)> trace_sink;
};

struct Outcome {
  std::vector<std::string> violations;  // empty: all is well
  std::uint64_t hash = 0;
  std::uint64_t jobs = 0;
  Nanos simulated{};
  std::vector<std::pair<std::string, double>> figures;
  std::vector<std::string> tail;  // of the trace, if asked for
};

// One run while it is being told.
class Stage {
 public:
  Stage(const Args& args, ClusterOptions options);

  [[nodiscard]] Cluster& cluster() { return cluster_; }
  [[nodiscard]] Random& random() { return cluster_.random(); }
  [[nodiscard]] bool ok() const { return cluster_.violations().empty(); }
  void expect(bool holds, const std::string& what);
  void figure(const std::string& name, double value) { figures_.emplace_back(name, value); }
  // How often anybody announced this.
  [[nodiscard]] int count(membership::Happening happening) const;
  [[nodiscard]] int count(membership::Happening happening, const NodeId& subject) const;

  // Starts everybody and waits until they know one another.
  void assemble();
  void expect_agreement(Nanos limit, const std::string& after);
  // Nobody is an orphan: everyone is heard by k others or all that there are.
  void expect_watched();
  // Kills a host, or makes it vanish; the time until everybody knows. Fails beyond `limit`.
  std::optional<Nanos> expect_detected(HostIndex victim, bool says_fin, Nanos limit);
  [[nodiscard]] HostIndex pick_running();
  Outcome finish();

 private:
  Cluster cluster_;
  std::vector<std::pair<std::string, double>> figures_;
  std::vector<membership::Announce> said_;
};

struct Scenario {
  const char* name;
  const char* what;
  bool fast;  // part of the set that every planted bug meets
  Outcome (*run)(const Args& args);
};

[[nodiscard]] const std::vector<Scenario>& all_scenarios();
[[nodiscard]] const Scenario* find_scenario(const std::string& name);

// A world drawn from the seed: a profile, a network between a rack and a bad ocean.
[[nodiscard]] ClusterOptions draw_world(const Args& args, std::size_t nodes_min,
                                        std::size_t nodes_max);
[[nodiscard]] ClusterOptions calm_world(const Args& args, std::size_t nodes);
// Silent death in a cluster of this timing: silence, questions, a lone accuser's suspicion.
[[nodiscard]] Nanos detection_limit(const membership::Timing& timing);

// The stories, by file.
Outcome run_chaos(const Args& args);
Outcome run_quiet(const Args& args);
Outcome run_lossy_wan(const Args& args);
Outcome run_drift(const Args& args);
Outcome run_duplicates(const Args& args);
Outcome run_partition(const Args& args);
Outcome run_isolated(const Args& args);
Outcome run_link_fault(const Args& args);
Outcome run_mass_death(const Args& args);
Outcome run_restart_wiped(const Args& args);
Outcome run_slow_disk(const Args& args);
Outcome run_flapping(const Args& args);
Outcome run_leave(const Args& args);
Outcome run_moved(const Args& args);
Outcome run_conflict(const Args& args);
Outcome run_revoked(const Args& args);
Outcome run_late_first_beat(const Args& args);
Outcome run_paused_watcher(const Args& args);
Outcome run_paused_all(const Args& args);
Outcome run_paused_accuser(const Args& args);
Outcome run_frozen(const Args& args);
Outcome run_cold_start(const Args& args);
Outcome run_kill(const Args& args);
Outcome run_quick_kill(const Args& args);
Outcome run_silent_death(const Args& args);
Outcome run_lone_refusal(const Args& args);
Outcome run_rumour(const Args& args);
Outcome run_two_accusers(const Args& args);
Outcome run_gap(const Args& args);
Outcome run_relay_restart(const Args& args);
Outcome run_relay_lost(const Args& args);
Outcome run_relay_and_member(const Args& args);

}  // namespace riftbus::sim
