#include <vector>

#include "bus/wire/limits.h"
#include "test/sim/checkers.h"
#include "test/sim/cluster.h"

namespace riftbus::sim {

namespace {

constexpr std::size_t kActionsMax = 64;        // of one step, beside two per member
constexpr std::size_t kSubscriptionsMax = 24;  // k out-edges, and those that are being replaced
constexpr std::size_t kHistoryMax = 64;
constexpr std::size_t kConnectionsPerHostMax = 200;
constexpr std::size_t kStepsPerSecondMax = 2000;  // beside what each other member may cause

class BoundChecker : public Checker {
 public:
  void on_step(const Step& step) override {
    steps_.resize(step.cluster.size());
    if (++steps_[step.host.index()] > kStepsPerSecondMax + 50 * step.cluster.size()) {
      step.cluster.fail("bound: " + step.host.id().value() + " has more to do than it can");
    }
    const std::size_t allowed = kActionsMax + 2 * step.cluster.size();
    if (step.actions.size() > allowed) {
      step.cluster.fail("bound: " + step.host.id().value() + " asked for " +
                        std::to_string(step.actions.size()) + " actions in one step");
    }
    for (const auto& action : step.actions) {
      const wire::Body* body = body_of(action);
      if (body != nullptr && claims_in(*body).size() > wire::kClaimsMax) {
        step.cluster.fail("bound: too many claims in one message");
      }
    }
  }

  void on_interval(Cluster& cluster) override {
    steps_.clear();
    if (++seconds_ % 10 != 0) return;
    // In a large cluster a part of it each time: every look costs its square.
    const std::size_t parts = 1 + cluster.size() / 100;
    for (const HostIndex index : cluster.running()) {
      if (index % parts != static_cast<std::size_t>(seconds_ / 10) % parts) continue;
      const MemberHost& host = cluster.host(index);
      if (host.subscriptions().size() > kSubscriptionsMax) {
        cluster.fail("bound: " + host.id().value() + " subscribes to " +
                     std::to_string(host.subscriptions().size()) + " members");
      }
      if (host.core().members().size() > cluster.roster().size() + 1) {
        cluster.fail("bound: " + host.id().value() + " knows more members than the roster");
      }
      for (const membership::Member* member : host.core().members()) {
        if (member->history.size() > kHistoryMax) {
          cluster.fail("bound: " + host.id().value() + " keeps a history of " +
                       std::to_string(member->history.size()));
        }
      }
    }
    if (cluster.fabric().connections() > kConnectionsPerHostMax * cluster.size()) {
      cluster.fail("bound: " + std::to_string(cluster.fabric().connections()) + " connections");
    }
  }

 private:
  std::vector<std::size_t> steps_;  // in this second, by host
  int seconds_ = 0;
};

}  // namespace

std::unique_ptr<Checker> make_bound_checker() { return std::make_unique<BoundChecker>(); }

}  // namespace riftbus::sim
