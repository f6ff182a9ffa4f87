// Stories about words: rumours, accusations that repeat, news that were dropped on the way.
#include <algorithm>
#include <set>

#include "test/sim/checkers.h"
#include "test/sim/scenario.h"

namespace riftbus::sim {

namespace {

// One-way calls of `from` that its core never sent: it has a bug, or an old view.
void inject(Stage& stage, HostIndex from, HostIndex to, const wire::Claim& claim) {
  membership::Received received;
  received.channel = wire::Channel::call;
  received.envelope.origin = stage.cluster().host(from).id();
  received.envelope.instance = Instance(1);
  received.envelope.body = wire::Gossip{{claim}};
  stage.cluster().host(to).step(received);
}

std::vector<HostIndex> watchers_of(Cluster& cluster, HostIndex subject) {
  std::vector<HostIndex> watchers;
  for (const HostIndex index : cluster.running()) {
    if (cluster.host(index).subscriptions().contains(cluster.host(subject).id())) {
      watchers.push_back(index);
    }
  }
  return watchers;
}

bool all_alive(Cluster& cluster, const MemberHost& observer, const std::vector<HostIndex>& hosts) {
  return std::all_of(hosts.begin(), hosts.end(), [&](HostIndex index) {
    const auto* member = observer.core().find(cluster.host(index).id());
    return member != nullptr && member->standing == wire::Standing::alive;
  });
}

// Notes whether every accuser counted on all of these watchers when it accused.
class AccusationWatch : public Checker {
 public:
  AccusationWatch(NodeId subject, std::vector<HostIndex> watchers, bool& all_counted_on)
      : subject_(std::move(subject)),
        watchers_(std::move(watchers)),
        all_counted_on_(all_counted_on) {}

  void on_step(const Step& step) override {
    for (const auto& action : step.actions) {
      const wire::Body* body = body_of(action);
      if (body == nullptr || !accuses_now(step, *body)) continue;
      all_counted_on_ = all_counted_on_ && all_alive(step.cluster, step.host, watchers_);
    }
  }

 private:
  // True the first time that this host accuses the subject.
  bool accuses_now(const Step& step, const wire::Body& body) {
    const auto& claims = claims_in(body);
    const bool accuses = std::any_of(claims.begin(), claims.end(), [&](const wire::Claim& c) {
      return c.subject == subject_ && c.accuser == step.host.id();
    });
    return accuses && accusers_.insert(step.host.index()).second;
  }

  NodeId subject_;
  std::vector<HostIndex> watchers_;
  bool& all_counted_on_;
  std::set<HostIndex> accusers_;
};

}  // namespace

Outcome run_rumour(const Args& args) {
  using membership::Happening;
  Stage stage(args, draw_world(args, 6, 12));
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(10));
  cluster.ignore_inventions();
  for (int round = 0; round < 4 && stage.ok(); ++round) {
    const HostIndex liar = stage.pick_running();
    const HostIndex subject = stage.pick_running();
    const HostIndex witness = stage.pick_running();
    const HostIndex hearer = stage.pick_running();
    if (subject == liar || subject == hearer || liar == hearer || witness == liar) continue;
    if (witness == subject || witness == hearer) continue;
    const auto standing =
        stage.random().chance(0.7) ? wire::Standing::dead : wire::Standing::suspect;
    inject(stage, liar, hearer,
           {cluster.host(subject).id(), cluster.host(subject).core().incarnation(), standing,
            cluster.host(witness).id(), wire::Evidence::silence, std::nullopt});
    cluster.run(Seconds(20));
  }
  const int deaths = stage.count(Happening::died);
  stage.expect(deaths == 0, "nobody dies of a rumour, but " + std::to_string(deaths) + " did");
  stage.expect_agreement(Seconds(15), "the rumours");
  return stage.finish();
}

Outcome run_two_accusers(const Args& args) {
  ClusterOptions options = calm_world(args, 12);
  Stage stage(args, options);
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(20));
  if (!stage.ok()) return stage.finish();
  const HostIndex subject = stage.pick_running();
  const NodeId id = cluster.host(subject).id();
  auto watchers = watchers_of(cluster, subject);
  stage.random().shuffle(watchers);
  std::optional<TimePoint> suspected, died;
  bool four_expected = true;
  cluster.add_checker(std::make_unique<AccusationWatch>(id, watchers, four_expected));
  cluster.set_listener([&](const MemberHost&, const membership::Announce& said) {
    if (said.subject != id) return;
    if (said.happening == membership::Happening::suspected && !suspected) suspected = cluster.now();
    if (said.happening == membership::Happening::died && !died) died = cluster.now();
  });
  cluster.vanish(subject);
  cluster.run(Millis(200));
  for (std::size_t i = 2; i < watchers.size(); ++i) cluster.pause(watchers[i], Seconds(9));
  cluster.run(Seconds(9));
  if (suspected && died && four_expected) {
    stage.expect(*died - *suspected >= 9 * options.timing.suspicion_min / 4,
                 "two accusers wait for a third, but the verdict came after " +
                     format_span(*died - *suspected));
  }
  return stage.finish();
}

Outcome run_gap(const Args& args) {
  ClusterOptions options = calm_world(args, 8);
  options.link.buffer_frames = 3;
  options.link.delay_max = Millis(10);
  Stage stage(args, options);
  Cluster& cluster = stage.cluster();
  stage.assemble();
  cluster.run(Seconds(30));
  if (!stage.ok()) return stage.finish();
  const HostIndex stalled = stage.pick_running();
  HostIndex changed = stage.pick_running();
  if (changed == stalled) changed = (changed + 1) % static_cast<HostIndex>(cluster.size());
  // Its kernel still acknowledges, nobody reads: the streams towards it fill up. Not for so long
  // that it would be called dead: who comes back is told everything anyway.
  cluster.pause(stalled, Seconds(3));
  cluster.run(Millis(2500));
  const Incarnation before = cluster.host(changed).core().incarnation();
  const NodeId id = cluster.host(changed).id();
  cluster.change_record(changed, "news");
  cluster.run(Millis(501));
  const auto took = cluster.run_until(
      [&] {
        const auto* member = cluster.host(stalled).core().find(id);
        return member != nullptr && member->incarnation > before;
      },
      Seconds(10));
  stage.expect(
      took && *took <= Millis(1800),
      "what was dropped is asked for as soon as the next frame shows the gap, but it took " +
          format_span(took.value_or(Seconds(10))));
  return stage.finish();
}

}  // namespace riftbus::sim
