// Stories about the network: calm, lossy, parted, and clocks that drift on it.
#include <algorithm>

#include "test/sim/scenario.h"

namespace riftbus::sim {

namespace {

Nanos minutes(const Args& args, double own) {
  return Seconds(static_cast<std::int64_t>(args.minutes.value_or(own) * 60));
}

void expect_nobody_died(Stage& stage) {
  using membership::Happening;
  const int deaths = stage.count(Happening::died);
  stage.figure("deaths", deaths);
  stage.figure("suspicions", stage.count(Happening::suspected));
  stage.figure("link_faults", stage.count(Happening::link_fault));
  stage.expect(deaths == 0, "nobody is called dead, but " + std::to_string(deaths) + " were");
}

}  // namespace

Outcome run_quiet(const Args& args) {
  Stage stage(args, calm_world(args, 20));
  stage.assemble();
  stage.cluster().run(minutes(args, 10));
  expect_nobody_died(stage);
  const int suspicions = stage.count(membership::Happening::suspected);
  stage.expect(suspicions == 0, "nobody is suspected, but " + std::to_string(suspicions) + " were");
  stage.expect_agreement(Millis(1), "ten calm minutes");
  stage.expect_watched();
  return stage.finish();
}

Outcome run_lossy_wan(const Args& args) {
  ClusterOptions options = calm_world(args, 50);
  options.link.delay_min = options.link.delay_max = Millis(50);
  options.link.jitter = Millis(10);
  options.link.loss = 0.01;
  Stage stage(args, options);
  stage.assemble();
  stage.cluster().run(minutes(args, 60));
  expect_nobody_died(stage);
  stage.expect_watched();
  return stage.finish();
}

Outcome run_drift(const Args& args) {
  ClusterOptions options = calm_world(args, 6);
  options.drift_ppm_max = 400;  // crystals differ by 100; some virtual machines are worse
  Stage stage(args, options);
  stage.assemble();
  stage.cluster().run(minutes(args, 180));
  expect_nobody_died(stage);
  const int suspicions = stage.count(membership::Happening::suspected);
  stage.expect(suspicions == 0, "nobody is suspected, but " + std::to_string(suspicions) + " were");
  for (const HostIndex index : stage.cluster().running()) {
    for (const auto& report : stage.cluster().host(index).core().watching()) {
      stage.expect(report.beats_stale * 20 <= report.beats,
                   "beats of a drifting clock are life, but " + std::to_string(report.beats_stale) +
                       " of " + std::to_string(report.beats) + " were taken for stale");
    }
  }
  return stage.finish();
}

Outcome run_duplicates(const Args& args) {
  ClusterOptions options = draw_world(args, 5, 12);
  options.link.duplicate = 0.3;
  options.link.loss = 0.01;
  Stage stage(args, options);
  stage.assemble();
  stage.cluster().run(Seconds(60));
  expect_nobody_died(stage);
  stage.expect_detected(stage.pick_running(), true, detection_limit(options.timing));
  stage.expect_agreement(Seconds(15), "a death among duplicates");
  return stage.finish();
}

Outcome run_partition(const Args& args) {
  Stage stage(args, draw_world(args, 8, 20));
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(10));
  std::vector<HostIndex> all(cluster.size());
  for (HostIndex i = 0; i < all.size(); ++i) all[i] = i;
  stage.random().shuffle(all);
  all.resize(2 + stage.random().below(all.size() / 2 - 1));
  if (!stage.ok()) return stage.finish();
  cluster.partition(all);
  cluster.run(Seconds(stage.random().between(5, 180)));
  cluster.heal();
  stage.expect_agreement(Seconds(15), "the partition");
  cluster.run(Seconds(30));
  stage.expect_agreement(Millis(1), "the partition and 30 s of peace");
  stage.expect_watched();
  return stage.finish();
}

Outcome run_isolated(const Args& args) {
  Stage stage(args, draw_world(args, 6, 16));
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(10));
  if (!stage.ok()) return stage.finish();
  const HostIndex alone = stage.pick_running();
  cluster.partition({alone});
  cluster.run(Seconds(60));
  for (const membership::Member* member : cluster.host(alone).core().members()) {
    stage.expect(member->standing != wire::Standing::dead,
                 "a node that hears nobody doubts itself, but it calls " +
                     member->record.id.value() + " dead");
  }
  cluster.heal();
  stage.expect_agreement(Seconds(15), "the isolation");
  return stage.finish();
}

Outcome run_link_fault(const Args& args) {
  Stage stage(args, draw_world(args, 6, 14));
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(10));
  for (int round = 0; round < 4 && stage.ok(); ++round) {
    const HostIndex a = stage.pick_running();
    // Preferably towards somebody who watches it: that link matters.
    HostIndex b = stage.pick_running();
    const auto watchers = cluster.host(a).core().watched_by();
    if (!watchers.empty()) b = *cluster.configured(watchers[stage.random().below(watchers.size())]);
    if (a == b) continue;
    cluster.cut(a, b);
    const bool both = stage.random().chance(0.5);
    if (both) cluster.cut(b, a);
    cluster.run(Seconds(45));
    cluster.mend(a, b);
    if (both) cluster.mend(b, a);
    cluster.run(Seconds(20));
  }
  expect_nobody_died(stage);
  stage.expect_agreement(Seconds(15), "the last link was mended");
  stage.expect_watched();
  return stage.finish();
}

Outcome run_lone_refusal(const Args& args) {
  Stage stage(args, draw_world(args, 6, 12));
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(10));
  int refusals_said = 0;
  cluster.set_listener([&](const MemberHost&, const membership::Announce& said) {
    if (said.happening == membership::Happening::died) ++refusals_said;
    if (said.happening != membership::Happening::suspected) return;
    if (said.evidence == wire::Evidence::refused) ++refusals_said;
  });
  for (int round = 0; round < 5 && stage.ok(); ++round) {
    const HostIndex victim = stage.pick_running();
    const auto watchers = cluster.host(victim).core().watched_by();
    if (watchers.empty()) continue;
    const HostIndex watcher = *cluster.configured(watchers[stage.random().below(watchers.size())]);
    // A firewall that answers for the victim, to this watcher only.
    const NodeId& id = cluster.host(victim).id();
    cluster.host(watcher).step(membership::LinkDown{id});
    cluster.host(watcher).step(membership::Dialled{id, membership::DialOutcome::refused});
    cluster.run(Seconds(15));
  }
  stage.expect(refusals_said == 0, "one refusal is a broken link, not a suspicion");
  return stage.finish();
}

}  // namespace riftbus::sim
