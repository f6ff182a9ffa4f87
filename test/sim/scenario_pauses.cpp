// Stories about processes that stand still: their own pause is nobody's death.
#include <algorithm>
#include <map>
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

std::uint64_t stale_beats(const MemberHost& host) {
  std::uint64_t stale = 0;
  for (const auto& report : host.core().watching()) stale += report.beats_stale;
  return stale;
}

// Somebody asks `host` about `subject`; nobody waits for the answer, but the checkers read it.
void ask_heard(MemberHost& host, const MemberHost& from, const MemberHost& subject) {
  constexpr std::uint64_t kNoConnection = 1ull << 40;
  membership::Received received;
  received.channel = wire::Channel::call;
  received.reply_to = membership::ReplyTo(kNoConnection);
  received.envelope.origin = from.id();
  received.envelope.instance = Instance(1);
  received.envelope.correlation = Correlation(1);
  received.envelope.body = wire::AskHeard{subject.id(), subject.core().incarnation()};
  host.step(received);
}

// Whom this host listens to without having heard a beat; nothing: nobody.
std::optional<HostIndex> find_unheard(Cluster& cluster, HostIndex watcher) {
  const MemberHost& host = cluster.host(watcher);
  for (const auto& report : host.core().watching()) {
    const auto found = host.subscriptions().find(report.peer);
    if (found == host.subscriptions().end() || report.beats > 0) continue;
    if (cluster.fabric().is_flowing(found->second)) return cluster.configured(report.peer);
  }
  return std::nullopt;
}

}  // namespace

// The first beats that a new watcher gets have waited, in its own queue or in the network, and
// there is nothing yet to measure them by.
Outcome run_late_first_beat(const Args& args) {
  ClusterOptions options = calm_world(args, 8);
  options.timing = membership::flaky_timing();
  Stage stage(args, options);
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(20));
  if (!stage.ok()) return stage.finish();
  const HostIndex watcher = stage.pick_running();
  cluster.restart(watcher, false);
  std::optional<HostIndex> subject;
  const auto is_listening = [&] { return (subject = find_unheard(cluster, watcher)).has_value(); };
  if (!cluster.run_until(is_listening, Seconds(10), Millis(5))) return stage.finish();
  const bool in_own_queue = args.seed % 2 == 0;
  if (in_own_queue) {
    cluster.pause(watcher, Seconds(12));
  } else {
    cluster.cut(*subject, watcher);
    cluster.at(Seconds(6), [&] { cluster.mend(*subject, watcher); });
  }
  cluster.run(Millis(4500));
  cluster.pause(*subject, Seconds(14));
  const HostIndex asker =
      (std::max(watcher, *subject) + 1) % static_cast<HostIndex>(cluster.size());
  for (int i = 0; i < 30 && stage.ok(); ++i) {
    cluster.run(Millis(500));
    if (in_own_queue && i < 15) continue;
    ask_heard(cluster.host(watcher), cluster.host(asker), cluster.host(*subject));
  }
  cluster.run(Seconds(30));
  stage.expect_agreement(Seconds(30), "the pauses");
  return stage.finish();
}

Outcome run_paused_watcher(const Args& args) {
  Stage stage(args, draw_world(args, 6, 20));
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(20));
  if (!stage.ok()) return stage.finish();
  std::set<HostIndex> stopped;
  const std::size_t many = 1 + stage.random().below(3);
  for (std::size_t i = 0; i < many; ++i) stopped.insert(stage.pick_running());
  std::map<HostIndex, std::uint64_t> stale_before;
  for (const HostIndex index : stopped) {
    stale_before[index] = stale_beats(cluster.host(index));
    cluster.pause(index, Seconds(20));
  }
  cluster.run(Seconds(20) + Millis(1));
  stage.expect_agreement(Seconds(15), "the watchers went on");
  for (const auto& [index, before] : stale_before) {
    stage.expect(stale_beats(cluster.host(index)) > before,
                 "beats that waited 20 s are no life, but " + cluster.host(index).id().value() +
                     " took them all for news");
  }
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

// Its timer ran out while it stood still; what it slept through comes first. Either it sleeps so
// long that its own witnesses are old when it wakes, or it falls asleep late, with the others'
// confirmations in its book, and is overdue when it wakes.
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
  const bool asleep_late = args.seed % 2 == 0;
  const Nanos delay = asleep_late ? Millis(300) : Millis(1);
  const Nanos span = asleep_late ? Millis(2200) : Millis(6000);
  cluster.set_listener([&](const MemberHost& host, const membership::Announce& said) {
    if (said.subject != id) return;
    if (said.happening == Happening::died) ++deaths;
    if (said.happening != Happening::suspected || said.accuser != host.id() || stopped) return;
    stopped = true;
    cluster.at(delay, [&cluster, span, index = host.index()] { cluster.pause(index, span); });
  });
  cluster.pause(subject, asleep_late ? Millis(2200) : Millis(1800));
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
