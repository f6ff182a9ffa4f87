#include "test/sim/checkers.h"
#include "test/sim/cluster.h"

namespace riftbus::sim {

namespace {

class DeathChecker : public Checker {
 public:
  void on_step(const Step& step) override {
    for (const auto& action : step.actions) {
      const auto* said = std::get_if<membership::Announce>(&action);
      if (said == nullptr || said->happening != membership::Happening::died) continue;
      judge(step.cluster, step.host, said->subject, said->incarnation, "calls");
    }
  }

  // Also whoever believes it without having announced it.
  void on_interval(Cluster& cluster) override {
    if (++seconds_ % kSecondsBetweenLooks != 0) return;
    // In a large cluster a part of it each time: every look costs its square.
    const std::size_t parts = 1 + cluster.size() / 100;
    for (const HostIndex index : cluster.running()) {
      if (index % parts != static_cast<std::size_t>(seconds_ / kSecondsBetweenLooks) % parts)
        continue;
      // Who stood still or was cut off has not heard the news yet.
      if (!cluster.truth().is_innocent(index, cluster.now() - kBeliefGrace)) continue;
      if (cluster.fabric().is_paused(index)) continue;
      for (const membership::Member* member : cluster.host(index).core().members()) {
        if (member->standing != wire::Standing::dead) continue;
        const auto accused = cluster.configured(member->record.id);
        if (!accused || !cluster.truth().is_innocent(*accused, cluster.now() - kBeliefGrace))
          continue;
        judge(cluster, cluster.host(index), member->record.id, member->incarnation, "believes");
      }
    }
  }

 private:
  static constexpr int kSecondsBetweenLooks = 5;
  // An old error may live as long as the parts of a healed network need to find each other.
  static constexpr Nanos kBeliefGrace = Seconds(15);

  static void judge(Cluster& cluster, const MemberHost& judge, const NodeId& subject,
                    Incarnation incarnation, const char* verb) {
    const auto accused = cluster.configured(subject);
    if (!accused || !cluster.host(*accused).is_running() || has_twin(cluster, subject)) return;
    const MemberHost& host = cluster.host(*accused);
    // Of a life or a suspicion before, or of one that it does not know yet: it will rise above.
    if (host.core().incarnation() != incarnation) return;
    if (!cluster.truth().is_innocent(*accused, cluster.now())) return;
    cluster.fail("false death: " + judge.id().value() + " " + verb + " " + subject.value() +
                 " (incarnation " + std::to_string(incarnation.value()) +
                 ") dead, which runs and can be reached");
  }

  // Two processes with one id: whichever is fenced, it is not for this checker to judge.
  static bool has_twin(const Cluster& cluster, const NodeId& id) {
    int running = 0;
    for (const HostIndex index : cluster.running()) running += cluster.host(index).id() == id;
    return running > 1;
  }

  int seconds_ = 0;
};

}  // namespace

std::unique_ptr<Checker> make_death_checker() { return std::make_unique<DeathChecker>(); }

}  // namespace riftbus::sim
