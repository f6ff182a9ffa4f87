#include "test/sim/scenario.h"

#include <algorithm>

namespace riftbus::sim {

Stage::Stage(const Args& args, ClusterOptions options)
    : cluster_([&] {
        options.seed = args.seed;
        options.trace_lines = args.trace_lines;
        return options;
      }()) {
  if (args.trace_sink) cluster_.trace().set_sink(args.trace_sink);
  cluster_.set_listener(
      [this](const MemberHost&, const membership::Announce& said) { said_.push_back(said); });
}

void Stage::expect(bool holds, const std::string& what) {
  if (!holds && ok()) cluster_.fail("expected: " + what);
}

int Stage::count(membership::Happening happening) const {
  return static_cast<int>(std::count_if(
      said_.begin(), said_.end(), [&](const auto& said) { return said.happening == happening; }));
}

int Stage::count(membership::Happening happening, const NodeId& subject) const {
  return static_cast<int>(std::count_if(said_.begin(), said_.end(), [&](const auto& said) {
    return said.happening == happening && said.subject == subject;
  }));
}

void Stage::assemble() {
  cluster_.start_all(Seconds(1));
  cluster_.run(Seconds(1));
  expect_agreement(Seconds(60), "the start");
}

void Stage::expect_agreement(Nanos limit, const std::string& after) {
  if (!ok()) return;
  const auto took = cluster_.run_until_agreement(limit);
  if (took) {
    figure("agreement_s", static_cast<double>(to_ms(*took)) / 1000);
    return;
  }
  expect(false, "all agree " + format_span(limit) + " after " + after + ", but " +
                    cluster_.find_disagreement());
}

void Stage::expect_watched() {
  if (!ok()) return;
  for (const HostIndex index : cluster_.running()) {
    const std::size_t heard_by = cluster_.fabric().subscribers(index);
    expect(heard_by >= cluster_.watchers_wanted(),
           cluster_.host(index).id().value() + " is heard by " +
               std::to_string(cluster_.watchers_wanted()) + " others, but only " +
               std::to_string(heard_by) + " listen");
  }
}

std::optional<Nanos> Stage::expect_detected(HostIndex victim, bool says_fin, Nanos limit) {
  if (!ok()) return std::nullopt;
  if (says_fin) {
    cluster_.crash(victim);
  } else {
    cluster_.vanish(victim);
  }
  const NodeId& id = cluster_.host(victim).id();
  const auto took = cluster_.run_until(
      [&] {
        const auto live = cluster_.running();
        return std::all_of(live.begin(), live.end(), [&](HostIndex index) {
          const membership::Member* member = cluster_.host(index).core().find(id);
          return member == nullptr || member->standing == wire::Standing::dead;
        });
      },
      limit);
  expect(took.has_value(),
         "the death of " + id.value() + " is known to all after " + format_span(limit));
  return took;
}

HostIndex Stage::pick_running() {
  const auto live = cluster_.running();
  return live[random().below(live.size())];
}

Outcome Stage::finish() {
  Outcome outcome;
  outcome.violations = cluster_.violations();
  cluster_.trace().mix(cluster_.fabric().connections());
  outcome.hash = cluster_.trace().hash();
  outcome.jobs = cluster_.schedule().jobs_done();
  outcome.simulated = cluster_.now().time_since_epoch();
  outcome.figures = figures_;
  outcome.tail.assign(cluster_.trace().tail().begin(), cluster_.trace().tail().end());
  return outcome;
}

ClusterOptions calm_world(const Args& args, std::size_t nodes) {
  ClusterOptions options;
  options.nodes = args.nodes.value_or(nodes);
  return options;
}

ClusterOptions draw_world(const Args& args, std::size_t nodes_min, std::size_t nodes_max) {
  Random random(split_seed(args.seed, 77, 0));
  ClusterOptions options;
  options.nodes = nodes_min + random.below(nodes_max - nodes_min + 1);
  if (args.nodes) options.nodes = *args.nodes;
  switch (random.below(3)) {
    case 0:  // one rack
      options.link.delay_min = options.link.delay_max = Nanos(100'000);
      options.link.jitter = Nanos(200'000);
      if (random.chance(0.5)) options.timing = membership::lan_timing();
      break;
    case 1:  // some providers
      options.link.delay_max = Millis(40);
      options.link.loss = random.unit() * 0.01;
      break;
    default:  // a bad ocean
      options.link.delay_min = Millis(20);
      options.link.delay_max = Millis(120);
      options.link.jitter = Millis(40);
      options.link.loss = random.unit() * 0.03;
      if (random.chance(0.3)) options.timing = membership::flaky_timing();
      break;
  }
  if (random.chance(0.3)) options.link.duplicate = 0.05;
  if (random.chance(0.3)) options.link.buffer_frames = 24;
  if (random.chance(0.2)) options.disk.fsync_max = Millis(800);
  options.drift_ppm_max = random.chance(0.3) ? 500 : 50;
  if (random.chance(0.5)) options.link.close_max = Millis(40);
  return options;
}

Nanos detection_limit(const membership::Timing& timing) {
  return timing.silence_max + 2 * timing.probe_max + timing.suspicion_max + 4 * timing.interval +
         Seconds(2);
}

const std::vector<Scenario>& all_scenarios() {
  static const std::vector<Scenario> all = {
      {"chaos", "random faults from a random mask, then peace", true, run_chaos},
      {"quiet", "ten calm minutes: nobody is even suspected", true, run_quiet},
      {"lossy-wan", "50 nodes, 1 % loss, 100 ms round trip, one hour: nobody dies", false,
       run_lossy_wan},
      {"drift", "clocks that run apart for three hours", true, run_drift},
      {"duplicates", "frames come twice, late and out of order", true, run_duplicates},
      {"partition", "two halves part and meet: whole within 15 s", true, run_partition},
      {"isolated", "one node cut off from all accuses nobody", true, run_isolated},
      {"link-fault", "single links break: nobody dies of it", true, run_link_fault},
      {"mass-death", "a third of the cluster vanishes at once", true, run_mass_death},
      {"restart-wiped", "all restart with wiped disks and crooked wall clocks", true,
       run_restart_wiped},
      {"slow-disk", "crashes between choosing an incarnation and storing it", true, run_slow_disk},
      {"flapping", "one node restarts again and again", true, run_flapping},
      {"leave", "some say goodbye; that is not death", true, run_leave},
      {"moved", "a member comes back on another machine", true, run_moved},
      {"conflict", "two processes with one id", true, run_conflict},
      {"revoked", "a member is struck off the roster", true, run_revoked},
      {"late-first-beat", "the first beats for a new watcher have waited: no life", true,
       run_late_first_beat},
      {"paused-watcher", "watchers stopped for 20 s with beats queued kill nobody", true,
       run_paused_watcher},
      {"paused-all", "everybody but one is stopped, then goes on", true, run_paused_all},
      {"paused-accuser", "an accuser stands still while its timer runs out", true,
       run_paused_accuser},
      {"frozen", "a hypervisor freezes machines together with their clocks", true, run_frozen},
      {"cold-start", "all start at once: they know each other in a moment", true, run_cold_start},
      {"kill", "kill -9 is noticed everywhere", true, run_kill},
      {"quick-kill", "kill -9 in a rack: refusals decide within 1.2 s", true, run_quick_kill},
      {"silent-death", "a vanished host is noticed everywhere", true, run_silent_death},
      {"lone-refusal", "one watcher is refused by a listener that others reach", true,
       run_lone_refusal},
      {"rumour", "somebody says that living members are dead: nobody believes it", true,
       run_rumour},
      {"two-accusers", "two of four watchers accuse: the verdict takes its time", true,
       run_two_accusers},
      {"relay-restart", "the only relay of some members dies and comes back: none of them does",
       true, run_relay_restart},
      {"relay-lost", "relays die, and those behind them attach elsewhere", true, run_relay_lost},
      {"relay-and-member", "a member dies together with its only relay, and is found", true,
       run_relay_and_member},
      {"gap", "news lost at a high-water mark are asked for at once", true, run_gap},
  };
  return all;
}

const Scenario* find_scenario(const std::string& name) {
  for (const Scenario& scenario : all_scenarios()) {
    if (name == scenario.name) return &scenario;
  }
  return nullptr;
}

}  // namespace riftbus::sim
