// Chaos: which faults a run has is drawn from its seed, so that rare pairs meet alone too.
#include <algorithm>

#include "test/sim/scenario.h"

namespace riftbus::sim {

namespace {

enum class Fault {
  crash,
  wiped,
  vanish,
  pause,
  freeze,
  cut_one_way,
  cut_pair,
  partition,
  leave,
  change,
  slow_disk,
  loss_burst,
  count
};

class Chaos {
 public:
  explicit Chaos(Stage& stage) : stage_(stage), cluster_(stage.cluster()) {
    for (int fault = 0; fault < static_cast<int>(Fault::count); ++fault) {
      if (stage.random().chance(0.4)) mask_.push_back(static_cast<Fault>(fault));
    }
    if (mask_.empty()) mask_.push_back(Fault::crash);
  }

  void run(Nanos span) {
    const TimePoint end = cluster_.now() + span;
    while (cluster_.now() < end && stage_.ok()) {
      strike(mask_[stage_.random().below(mask_.size())]);
      cluster_.run(between(Millis(200), Seconds(12)));
    }
  }

 private:
  Nanos between(Nanos low, Nanos high) {
    return Nanos(stage_.random().between(low.count(), high.count()));
  }

  void back_later(HostIndex index, bool wiped) {
    if (stage_.random().chance(0.2)) return;
    cluster_.at(between(Millis(50), Seconds(40)), [this, index, wiped] {
      if (cluster_.host(index).is_running()) return;
      if (wiped && a_seed_runs()) cluster_.host(index).disk().wipe();
      cluster_.start(index);
    });
  }

  // Without a seed and without a disk nobody can find anybody: that is not the core's fault.
  bool a_seed_runs() const {
    const auto& seeds = cluster_.seed_ids();
    return std::any_of(seeds.begin(), seeds.end(), [this](const NodeId& id) {
      return cluster_.host(*cluster_.configured(id)).is_running();
    });
  }

  // At least half of the machines run: a cluster that is gone has nothing to show.
  bool may_lose_one() { return cluster_.running().size() * 2 > cluster_.size() + 1; }

  void strike(Fault fault) {
    const HostIndex victim = stage_.pick_running();
    HostIndex other = stage_.pick_running();
    switch (fault) {
      case Fault::crash:
      case Fault::wiped:
        if (!may_lose_one()) return;
        cluster_.crash(victim);
        return back_later(victim, fault == Fault::wiped);
      case Fault::vanish:
        if (!may_lose_one()) return;
        cluster_.vanish(victim);
        return back_later(victim, false);
      case Fault::pause:
        return cluster_.pause(victim, between(Millis(100), Seconds(30)));
      case Fault::freeze:
        return cluster_.freeze(victim, between(Millis(100), Seconds(30)));
      case Fault::cut_one_way:
      case Fault::cut_pair:
        return cut(victim, other, fault == Fault::cut_pair);
      case Fault::partition:
        return partition();
      case Fault::leave:
        if (!may_lose_one()) return;
        cluster_.leave(victim);
        return back_later(victim, false);
      case Fault::change:
        return cluster_.change_record(victim, std::to_string(stage_.random().below(100)));
      case Fault::slow_disk:
        return cluster_.host(victim).disk().set_options({Millis(100), Seconds(3)});
      case Fault::loss_burst:
        return lose();
      case Fault::count:
        return;
    }
  }

  void cut(HostIndex a, HostIndex b, bool both) {
    if (a == b) return;
    cluster_.cut(a, b);
    if (both) cluster_.cut(b, a);
    cluster_.at(between(Seconds(1), Seconds(40)), [this, a, b, both] {
      cluster_.mend(a, b);
      if (both) cluster_.mend(b, a);
    });
  }

  void partition() {
    std::vector<HostIndex> island;
    for (HostIndex i = 0; i < cluster_.size(); ++i) {
      if (stage_.random().chance(0.4)) island.push_back(i);
    }
    if (island.empty() || island.size() == cluster_.size()) return;
    cluster_.partition(island);
    cluster_.at(between(Seconds(2), Seconds(60)), [this] { cluster_.heal(); });
  }

  void lose() {
    const double before = cluster_.options().link.loss;
    cluster_.network().set_loss(0.10);
    cluster_.at(between(Seconds(2), Seconds(20)),
                [this, before] { cluster_.network().set_loss(before); });
  }

  Stage& stage_;
  Cluster& cluster_;
  std::vector<Fault> mask_;
};

}  // namespace

Outcome run_chaos(const Args& args) {
  Stage stage(args, draw_world(args, 4, 16));
  Cluster& cluster = stage.cluster();
  for (HostIndex i = 0; i < cluster.size(); ++i) {
    const Nanos skew = Seconds(stage.random().between(-3600, 3600));
    cluster.host(i).set_wall_skew(skew);
  }
  stage.assemble();
  Chaos chaos(stage);
  if (stage.ok()) {
    chaos.run(Seconds(static_cast<std::int64_t>(args.minutes.value_or(1.5) * 60)));
  }
  if (stage.ok()) cluster.run(Seconds(60));  // what was started ends by itself
  if (stage.ok()) {
    cluster.heal();
    cluster.network().set_loss(cluster.options().link.loss);
    for (HostIndex i = 0; i < cluster.size(); ++i) {
      cluster.host(i).disk().set_options(cluster.options().disk);
    }
    stage.expect_agreement(Seconds(60), "the last fault");
    cluster.run(Seconds(20));
    stage.expect_agreement(Millis(1), "peace");
    stage.expect_watched();
  }
  if (stage.ok() && cluster.running().size() > 3) {
    stage.expect_detected(stage.pick_running(), stage.random().chance(0.5),
                          detection_limit(cluster.options().timing));
  }
  return stage.finish();
}

}  // namespace riftbus::sim
