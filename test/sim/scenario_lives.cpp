// Stories about lives: deaths, restarts, disks, leaving, moving, impostors.
#include "test/sim/scenario.h"

namespace riftbus::sim {

namespace {

constexpr Nanos kStartSpacing = Millis(20);
constexpr Nanos kColdStartMax = Millis(500);
constexpr Nanos kQuickKillMax = Millis(1200);

double bytes_out_per_node(Cluster& cluster) {
  double bytes = 0;
  for (HostIndex i = 0; i < cluster.size(); ++i) {
    bytes += static_cast<double>(cluster.fabric().traffic(i).bytes_out);
  }
  return bytes / static_cast<double>(cluster.size());
}

}  // namespace

// Everybody's seeds are all the others, of whom most do not run yet: nobody waits for a retry, and
// what is said before anybody listens is not lost for long.
Outcome run_cold_start(const Args& args) {
  ClusterOptions options = calm_world(args, 20 + args.seed % 31);
  options.link.delay_min = options.link.delay_max = Nanos(100'000);
  options.link.jitter = Nanos(200'000);
  options.seeds = options.nodes;
  Stage stage(args, options);
  Cluster& cluster = stage.cluster();
  for (HostIndex i = 0; i < cluster.size(); ++i) {
    cluster.at(kStartSpacing * i, [&cluster, i] { cluster.start(i); });
  }
  cluster.run(kStartSpacing * cluster.size());
  const auto took = cluster.run_until([&] { return cluster.find_disagreement().empty(); },
                                      kColdStartMax, Millis(10));
  stage.expect(took.has_value(), "all know each other " + format_span(kColdStartMax) +
                                     " after the last start, but " + cluster.find_disagreement());
  if (took) stage.figure("joined_s", static_cast<double>(to_ms(*took)) / 1000);
  stage.figure("bytes_out_per_node", bytes_out_per_node(cluster));
  cluster.run(Seconds(10));
  stage.expect_watched();
  stage.figure("bytes_out_per_node_10s", bytes_out_per_node(cluster));
  return stage.finish();
}

Outcome run_kill(const Args& args) {
  ClusterOptions options = draw_world(args, 5, 20);
  Stage stage(args, options);
  stage.assemble();
  stage.cluster().run(Seconds(20));
  const Nanos limit = options.timing.suspicion_max + 2 * options.timing.probe_max + Seconds(2);
  for (int round = 0; round < 2 && stage.ok(); ++round) {
    const auto took = stage.expect_detected(stage.pick_running(), true, limit);
    if (took) stage.figure("kill_known_to_all_s", static_cast<double>(to_ms(*took)) / 1000);
    stage.cluster().run(Seconds(20));
  }
  stage.expect_agreement(Seconds(5), "two kills");
  stage.expect_watched();
  return stage.finish();
}

// On a quiet network refusals decide, whatever the order in which the dying process closes its
// descriptors: an accepted dial to a dead listener's queue must not send its watchers back to
// waiting for silence.
Outcome run_quick_kill(const Args& args) {
  ClusterOptions options = calm_world(args, 5 + args.seed % 30);
  options.link.delay_min = options.link.delay_max = Nanos(100'000);
  options.link.jitter = Nanos(200'000);
  options.link.close_max = Millis(40);
  Stage stage(args, options);
  stage.assemble();
  stage.cluster().run(Seconds(20));
  for (int round = 0; round < 6 && stage.ok(); ++round) {
    const HostIndex victim = stage.pick_running();
    const auto took = stage.expect_detected(victim, true, kQuickKillMax);
    if (took) stage.figure("kill_known_to_all_s", static_cast<double>(to_ms(*took)) / 1000);
    stage.cluster().run(Seconds(5));
    stage.cluster().start(victim);
    stage.cluster().run(Seconds(10));
  }
  stage.expect_agreement(Seconds(5), "six kills");
  return stage.finish();
}

Outcome run_silent_death(const Args& args) {
  ClusterOptions options = draw_world(args, 5, 20);
  Stage stage(args, options);
  stage.assemble();
  stage.cluster().run(Seconds(20));
  for (int round = 0; round < 2 && stage.ok(); ++round) {
    const auto took =
        stage.expect_detected(stage.pick_running(), false, detection_limit(options.timing));
    if (took) stage.figure("silence_known_to_all_s", static_cast<double>(to_ms(*took)) / 1000);
    stage.cluster().run(Seconds(20));
  }
  stage.expect_agreement(Seconds(5), "two silent deaths");
  stage.expect_watched();
  return stage.finish();
}

Outcome run_mass_death(const Args& args) {
  ClusterOptions options = draw_world(args, 9, 20);
  Stage stage(args, options);
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(20));
  if (!stage.ok()) return stage.finish();
  const std::size_t victims = cluster.size() / 3;
  for (std::size_t i = 0; i < victims; ++i) cluster.vanish(stage.pick_running());
  stage.expect_agreement(2 * detection_limit(options.timing), "a third vanished");
  cluster.run(Seconds(20));
  stage.expect_watched();
  return stage.finish();
}

Outcome run_restart_wiped(const Args& args) {
  Stage stage(args, draw_world(args, 5, 16));
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(20));
  for (int round = 0; round < 2 && stage.ok(); ++round) {
    for (HostIndex i = 0; i < cluster.size(); ++i) {
      const Nanos skew = Seconds(stage.random().between(-86'400, 60));
      cluster.host(i).set_wall_skew(skew);
      const Nanos wait = Millis(stage.random().between(0, 3000));
      cluster.at(wait, [&cluster, i] { cluster.restart(i, true); });
    }
    cluster.run(Millis(3001));
    stage.expect_agreement(Seconds(60), "all were restarted with wiped disks");
    cluster.run(Seconds(30));
  }
  stage.expect_agreement(Millis(1), "peace");
  return stage.finish();
}

Outcome run_slow_disk(const Args& args) {
  ClusterOptions options = draw_world(args, 5, 10);
  options.disk.fsync_min = Millis(200);
  options.disk.fsync_max = Millis(1500);
  Stage stage(args, options);
  Cluster& cluster = stage.cluster();
  stage.assemble();
  for (int round = 0; round < 12 && stage.ok(); ++round) {
    const HostIndex victim = stage.pick_running();
    cluster.change_record(victim, std::to_string(round));
    cluster.run(Millis(stage.random().between(1, 1500)));
    cluster.restart(victim, stage.random().chance(0.3));
    cluster.run(Millis(stage.random().between(1, 4000)));
  }
  stage.expect_agreement(Seconds(60), "the last restart");
  return stage.finish();
}

Outcome run_flapping(const Args& args) {
  Stage stage(args, draw_world(args, 5, 12));
  Cluster& cluster = stage.cluster();
  stage.assemble();
  const HostIndex victim = stage.pick_running();
  for (int round = 0; round < 8 && stage.ok(); ++round) {
    if (stage.random().chance(0.5)) {
      cluster.crash(victim);
    } else {
      cluster.vanish(victim);
    }
    cluster.run(Millis(stage.random().between(10, 15'000)));
    cluster.start(victim);
    cluster.run(Millis(stage.random().between(10, 15'000)));
  }
  stage.expect_agreement(Seconds(30), "the last restart");
  return stage.finish();
}

Outcome run_leave(const Args& args) {
  using membership::Happening;
  Stage stage(args, draw_world(args, 6, 14));
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(10));
  if (!stage.ok()) return stage.finish();
  const HostIndex first = stage.pick_running();
  const NodeId id = cluster.host(first).id();
  cluster.leave(first);
  cluster.run(Seconds(60));
  stage.expect(stage.count(Happening::died, id) == 0, "who says goodbye is not called dead");
  for (const HostIndex index : cluster.running()) {
    const membership::Member* member = cluster.host(index).core().find(id);
    stage.expect(member == nullptr || member->standing == wire::Standing::left,
                 "who said goodbye is seen as left by " + cluster.host(index).id().value());
  }
  cluster.start(first);
  stage.expect_agreement(Seconds(15), "its return");
  return stage.finish();
}

Outcome run_moved(const Args& args) {
  ClusterOptions options = draw_world(args, 5, 12);
  Stage stage(args, options);
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(10));
  if (!stage.ok()) return stage.finish();
  const HostIndex from = stage.pick_running();
  const NodeId id = cluster.host(from).id();
  const HostIndex to = cluster.add_host(id).index();
  cluster.host(to).set_wall_skew(Seconds(stage.random().between(-86'400, 0)));
  if (stage.random().chance(0.5)) {
    cluster.crash(from);
  } else {
    cluster.vanish(from);
  }
  cluster.run(Millis(stage.random().between(100, 30'000)));
  cluster.move_configured(id, to);
  cluster.start(to);
  stage.expect_agreement(Seconds(30), "the move");
  return stage.finish();
}

Outcome run_conflict(const Args& args) {
  using membership::Happening;
  ClusterOptions options = draw_world(args, 6, 12);
  Stage stage(args, options);
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(10));
  if (!stage.ok()) return stage.finish();
  const NodeId id = cluster.host(stage.pick_running()).id();
  const HostIndex impostor = cluster.add_host(id).index();
  cluster.start(impostor);
  cluster.run(Seconds(40));
  stage.expect(stage.count(Happening::conflict) > 0, "somebody reports that two have one id");
  for (const HostIndex index : cluster.running()) {
    if (cluster.host(index).id() == id) continue;
    const auto* member = cluster.host(index).core().find(id);
    stage.expect(member != nullptr && member->standing != wire::Standing::left,
                 "one of the two stays a member for " + cluster.host(index).id().value());
  }
  cluster.crash(impostor);
  stage.expect_agreement(Seconds(60), "the impostor went");
  return stage.finish();
}

Outcome run_revoked(const Args& args) {
  Stage stage(args, draw_world(args, 6, 12));
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(5));
  if (!stage.ok()) return stage.finish();
  const HostIndex victim = stage.pick_running();
  const NodeId id = cluster.host(victim).id();
  auto members = cluster.roster();
  members.erase(id);
  cluster.crash(victim);  // the bus cuts it off
  cluster.set_roster(members);
  cluster.run(Seconds(2));
  for (const HostIndex index : cluster.running()) {
    stage.expect(
        cluster.host(index).core().find(id) == nullptr,
        "a member struck off the roster is forgotten by " + cluster.host(index).id().value());
  }
  cluster.run(Seconds(30));
  stage.expect_agreement(Millis(1), "the revocation");
  stage.expect_watched();
  return stage.finish();
}

}  // namespace riftbus::sim
