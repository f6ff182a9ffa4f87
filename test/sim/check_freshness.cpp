#include <vector>

#include "test/sim/checkers.h"
#include "test/sim/cluster.h"

namespace riftbus::sim {

namespace {

// Retransmissions, and the way of an answer about an answer.
constexpr Nanos kLateMax = Seconds(6);

// A watcher that answers "I heard it N ms ago" says that it lived then. Whoever counts beats that
// waited in a queue as life says so of times at which the member did nothing at all.
class FreshnessChecker : public Checker {
 public:
  void on_step(const Step& step) override {
    active_.resize(step.cluster.size());
    active_[step.host.index()] = step.cluster.now();
    for (const auto& action : step.actions) {
      const wire::Body* body = body_of(action);
      const auto* heard = body == nullptr ? nullptr : std::get_if<wire::Heard>(body);
      if (heard != nullptr && heard->watching) check(step, *heard);
    }
  }

 private:
  void check(const Step& step, const wire::Heard& heard) {
    const auto index = step.cluster.configured(heard.subject);
    if (!index || step.cluster.was_frozen(step.host.index())) return;
    const TimePoint claimed = step.cluster.now() - Millis(heard.age_ms);
    const Nanos late = claimed - active_[*index];
    if (late <= kLateMax) return;
    step.cluster.fail("stale beat counted as life: " + step.host.id().value() +
                      " says that it heard " + heard.subject.value() + " " + format_span(late) +
                      " after the last thing that one did");
  }

  std::vector<TimePoint> active_;  // by host
};

}  // namespace

std::unique_ptr<Checker> make_freshness_checker() { return std::make_unique<FreshnessChecker>(); }

}  // namespace riftbus::sim
