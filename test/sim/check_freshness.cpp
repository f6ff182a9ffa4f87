#include "test/sim/checkers.h"
#include "test/sim/cluster.h"

namespace riftbus::sim {

namespace {

// A beat may be late by as much as an honest network makes it, and still count.
Nanos late_max(const Cluster& cluster) {
  return cluster.options().timing.silence_max * 2 + Seconds(1);
}

class FreshnessChecker : public Checker {
 public:
  void on_step(const Step& step) override {
    for (const auto& action : step.actions) {
      const wire::Body* body = body_of(action);
      const auto* heard = body == nullptr ? nullptr : std::get_if<wire::Heard>(body);
      if (heard != nullptr && heard->watching) check_answer(step, *heard);
    }
  }

  void on_interval(Cluster& cluster) override {
    if (++seconds_ % 2 != 0) return;
    for (const HostIndex index : cluster.running()) {
      if (cluster.fabric().is_paused(index)) continue;
      MemberHost& host = cluster.host(index);
      for (const membership::WatchReport& report : host.core().watching()) {
        const auto sent = sent_at(cluster, report.peer, report.last_seq);
        if (!sent) continue;
        const Nanos ago = host.local_now() - report.last_beat;
        const Nanos late = cluster.now() - ago - *sent;
        if (late > late_max(cluster)) complain(cluster, host, report.peer, late);
      }
    }
  }

 private:
  static std::optional<TimePoint> sent_at(Cluster& cluster, const NodeId& peer, Seq seq) {
    const auto index = cluster.configured(peer);
    if (!index) return std::nullopt;
    return cluster.host(*index).published_at(seq);
  }

  static void check_answer(const Step& step, const wire::Heard& heard) {
    const auto sent = sent_at(step.cluster, heard.subject, Seq(heard.beat_seq));
    if (!sent) return;
    const Nanos late = step.cluster.now() - Millis(heard.age_ms) - *sent;
    if (late > late_max(step.cluster)) complain(step.cluster, step.host, heard.subject, late);
  }

  static void complain(Cluster& cluster, const MemberHost& host, const NodeId& peer, Nanos late) {
    const auto index = cluster.configured(peer);
    // A restarted member counts its frames from one again: the old number means nothing now.
    if (!cluster.host(*index).is_running() && cluster.host(*index).life() > 1) return;
    if (cluster.host(*index).is_running() &&
        cluster.now() - cluster.host(*index).started() < Seconds(120)) {
      return;
    }
    cluster.fail("stale beat counted as life: " + host.id().value() + " took a beat of " +
                 peer.value() + " for life that was " + format_span(late) + " old");
  }

  int seconds_ = 0;
};

}  // namespace

std::unique_ptr<Checker> make_freshness_checker() { return std::make_unique<FreshnessChecker>(); }

}  // namespace riftbus::sim
