#include <map>
#include <optional>

#include "test/sim/checkers.h"
#include "test/sim/cluster.h"

namespace riftbus::sim {

namespace {

class IncarnationChecker : public Checker {
 public:
  void on_step(const Step& step) override {
    for (const auto& action : step.actions) {
      const wire::Body* body = body_of(action);
      if (body == nullptr) continue;
      if (const auto* beat = std::get_if<wire::Beat>(body)) check(step, beat->incarnation);
      if (const auto* pong = std::get_if<wire::Pong>(body)) check(step, pong->incarnation);
      if (const auto* watch = std::get_if<wire::WatchAnswer>(body)) check(step, watch->incarnation);
      if (const auto* join = std::get_if<wire::Join>(body)) check(step, join->record.incarnation);
      for (const wire::Claim& claim : claims_in(*body)) {
        if (claim.subject == step.host.id() && claim.record) check(step, claim.incarnation);
      }
    }
  }

 private:
  struct Life {
    HostIndex host = 0;
    std::uint32_t life = 0;
    bool operator==(const Life&) const = default;
  };

  void check(const Step& step, Incarnation said) {
    if (said.value() == 0) return;  // nothing chosen yet
    MemberHost& host = step.host;
    Life& owner =
        owners_.try_emplace({host.id(), said}, Life{host.index(), host.life()}).first->second;
    const Life self{host.index(), host.life()};
    const std::string what = host.id().value() + " speaks as " + std::to_string(said.value());
    if (!(owner == self)) {
      // Words about our former life, passed on before we took a number of our own, are not ours.
      if (said != host.core().incarnation()) return;
      step.cluster.fail("incarnation reused: " + what + ", as a life before it did");
      return;
    }
    if (host.disk().load("incarnation") < said.value()) {
      step.cluster.fail("incarnation not stored: " + what + " before it is on disk");
    }
  }

  std::map<std::pair<NodeId, Incarnation>, Life> owners_;
};

}  // namespace

std::unique_ptr<Checker> make_incarnation_checker() {
  return std::make_unique<IncarnationChecker>();
}

}  // namespace riftbus::sim
