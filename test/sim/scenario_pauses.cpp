// Stories about processes that stand still: their own pause is nobody's death.
#include <set>

#include "test/sim/scenario.h"

namespace riftbus::sim {

namespace {

void expect_only_the_stopped_died(Stage& stage, const std::set<HostIndex>& stopped) {
  using membership::Happening;
  int others = stage.count(Happening::died);
  for (const HostIndex index : stopped) {
    others -= stage.count(Happening::died, stage.cluster().host(index).id());
  }
  stage.expect(others == 0, "nobody dies of another's pause");
}

}  // namespace

Outcome run_paused_watcher(const Args& args) {
  Stage stage(args, draw_world(args, 6, 20));
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(20));
  if (!stage.ok()) return stage.finish();
  std::set<HostIndex> stopped;
  const std::size_t many = 1 + stage.random().below(3);
  for (std::size_t i = 0; i < many; ++i) stopped.insert(stage.pick_running());
  for (const HostIndex index : stopped) cluster.pause(index, Seconds(20));
  cluster.run(Seconds(20) + Millis(1));
  stage.expect_agreement(Seconds(15), "the watchers went on");
  cluster.run(Seconds(30));
  expect_only_the_stopped_died(stage, stopped);
  stage.expect_watched();
  return stage.finish();
}

Outcome run_paused_all(const Args& args) {
  Stage stage(args, draw_world(args, 6, 14));
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(20));
  if (!stage.ok()) return stage.finish();
  const HostIndex awake = stage.pick_running();
  std::vector<HostIndex> stopped;
  for (const HostIndex index : cluster.running()) {
    if (index != awake) stopped.push_back(index);
  }
  const Nanos span = Seconds(stage.random().between(3, 14));
  for (const HostIndex index : stopped) cluster.pause(index, span);
  cluster.run(span + Millis(1));
  stage.expect_agreement(Seconds(15), "everybody went on");
  cluster.run(Seconds(20));
  stage.expect(stage.count(membership::Happening::died, cluster.host(awake).id()) == 0,
               "the one that never stopped is not called dead");
  return stage.finish();
}

// Its timer ran out while it stood still; what it slept through comes first.
Outcome run_paused_accuser(const Args& args) {
  using membership::Happening;
  Stage stage(args, calm_world(args, 10));
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(20));
  if (!stage.ok()) return stage.finish();
  const HostIndex subject = stage.pick_running();
  const NodeId id = cluster.host(subject).id();
  int deaths = 0;
  bool stopped = false;
  cluster.set_listener([&](const MemberHost& host, const membership::Announce& said) {
    if (said.subject != id) return;
    if (said.happening == Happening::died) ++deaths;
    if (said.happening != Happening::suspected || said.accuser != host.id() || stopped) return;
    stopped = true;
    cluster.at(Millis(1), [&cluster, index = host.index()] { cluster.pause(index, Seconds(6)); });
  });
  cluster.pause(subject, Millis(1800));
  cluster.run(Seconds(20));
  stage.expect(deaths == 0, "an accuser that stood still hears the answer before its timer counts");
  stage.expect_agreement(Seconds(10), "the pauses");
  return stage.finish();
}

Outcome run_frozen(const Args& args) {
  Stage stage(args, draw_world(args, 6, 14));
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(20));
  if (!stage.ok()) return stage.finish();
  std::set<HostIndex> frozen;
  for (int round = 0; round < 3 && stage.ok(); ++round) {
    const HostIndex victim = stage.pick_running();
    frozen.insert(victim);
    const Nanos span = Seconds(stage.random().between(2, 40));
    cluster.freeze(victim, span);
    cluster.run(span + Millis(1));
    stage.expect_agreement(Seconds(20), "the thaw");
  }
  cluster.run(Seconds(30));
  expect_only_the_stopped_died(stage, frozen);
  stage.expect_agreement(Millis(1), "peace");
  return stage.finish();
}

}  // namespace riftbus::sim
