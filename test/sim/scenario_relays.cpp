// Stories about members that are reached only through relays, and about those relays.
#include <algorithm>

#include "node/membership/watch.h"
#include "test/sim/scenario.h"

namespace riftbus::sim {

namespace {

using membership::Happening;

// The first `relays` hosts are relays, the last `hidden` ones behind them.
struct Town {
  std::vector<HostIndex> relays;
  std::vector<HostIndex> hidden;
};

Town settle(Stage& stage, std::size_t relays, std::size_t hidden) {
  Cluster& cluster = stage.cluster();
  Town town;
  for (HostIndex i = 0; i < relays; ++i) town.relays.push_back(i);
  for (std::size_t i = cluster.size() - hidden; i < cluster.size(); ++i) {
    const auto index = static_cast<HostIndex>(i);
    auto order = town.relays;
    stage.random().shuffle(order);
    cluster.hide(index, order);
    town.hidden.push_back(index);
  }
  for (const HostIndex relay : town.relays) cluster.start(relay);
  cluster.run(Seconds(1));
  stage.assemble();
  cluster.run(Seconds(10));
  stage.expect_agreement(Seconds(15), "all are attached");
  return town;
}

// The process ends, the machine does, or it stops; for good, until it is started again.
void take_down(Stage& stage, HostIndex relay) {
  if (stage.random().chance(0.5)) return stage.cluster().crash(relay);
  stage.cluster().vanish(relay);
}

void expect_none_died(Stage& stage, const Town& town) {
  for (const HostIndex index : town.hidden) {
    const NodeId& id = stage.cluster().host(index).id();
    const int deaths = stage.count(Happening::died, id);
    stage.expect(deaths == 0, id.value() + " lives behind a relay, but " + std::to_string(deaths) +
                                  " call it dead");
  }
}

}  // namespace

Outcome run_relay_restart(const Args& args) {
  Stage stage(args, draw_world(args, 6, 14));
  Cluster& cluster = stage.cluster();
  const Town town = settle(stage, 1, 1 + stage.random().below(3));
  for (int round = 0; round < 3 && stage.ok(); ++round) {
    const HostIndex relay = town.relays.front();
    // Beyond the freeze it is the member itself that objects: its own connections work.
    const Nanos away = Millis(stage.random().between(100, round == 0 ? 150'000 : 40'000));
    if (round == 2) {
      cluster.pause(relay, away);
      cluster.run(away);
    } else {
      take_down(stage, relay);
      cluster.run(away);
      cluster.start(relay);
    }
    stage.expect_agreement(Seconds(60), "the relay is back");
    cluster.run(Seconds(20));
    expect_none_died(stage, town);
  }
  stage.figure("unreachable", stage.count(Happening::unreachable));
  stage.expect_agreement(Seconds(1), "peace");
  stage.expect_watched();
  return stage.finish();
}

Outcome run_relay_lost(const Args& args) {
  Stage stage(args, draw_world(args, 9, 16));
  Cluster& cluster = stage.cluster();
  const Town town = settle(stage, 3, 2 + stage.random().below(3));
  if (!stage.ok()) return stage.finish();
  const int before = stage.count(Happening::unreachable);
  take_down(stage, town.relays[0]);
  cluster.run(Seconds(40));
  expect_none_died(stage, town);
  const int unreachable = stage.count(Happening::unreachable) - before;
  stage.expect(unreachable == 0, "each has two relays and one is left, but " +
                                     std::to_string(unreachable) + " say that it is unreachable");
  stage.expect_agreement(Seconds(20), "one relay is gone");
  // Both of those that are left, for less than the time to re-home.
  take_down(stage, town.relays[1]);
  cluster.run(Millis(stage.random().between(0, 5000)));
  take_down(stage, town.relays[2]);
  cluster.run(Seconds(stage.random().between(1, 30)));
  cluster.start(town.relays[static_cast<std::size_t>(stage.random().below(3))]);
  stage.expect_agreement(Seconds(60), "one relay serves again");
  cluster.run(Seconds(20));
  expect_none_died(stage, town);
  return stage.finish();
}

Outcome run_relay_and_member(const Args& args) {
  ClusterOptions options = draw_world(args, 6, 12);
  Stage stage(args, options);
  Cluster& cluster = stage.cluster();
  const Town town = settle(stage, 1, 2);
  if (!stage.ok()) return stage.finish();
  const HostIndex relay = town.relays.front();
  const HostIndex victim = town.hidden.front();
  const bool relay_first = stage.random().chance(0.5);
  take_down(stage, relay_first ? relay : victim);
  cluster.run(Millis(stage.random().between(0, 400)));
  take_down(stage, relay_first ? victim : relay);
  const Nanos away = Seconds(stage.random().between(1, 30));
  if (stage.random().chance(0.5)) cluster.at(away, [&cluster, relay] { cluster.start(relay); });
  const NodeId& id = cluster.host(victim).id();
  const Nanos limit = membership::Watch::kRehomeMax + detection_limit(options.timing);
  const auto took = cluster.run_until(
      [&] {
        const auto live = cluster.running();
        return std::all_of(live.begin(), live.end(), [&](HostIndex index) {
          const membership::Member* member = cluster.host(index).core().find(id);
          return index == town.hidden.back() || member == nullptr ||
                 member->standing == wire::Standing::dead;
        });
      },
      limit);
  stage.expect(took.has_value(),
               id.value() + ", which died with its relay, is dead after " + format_span(limit));
  if (took) stage.figure("found_s", static_cast<double>(to_ms(*took)) / 1000);
  return stage.finish();
}

}  // namespace riftbus::sim
