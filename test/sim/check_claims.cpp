#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "test/sim/checkers.h"
#include "test/sim/cluster.h"

namespace riftbus::sim {

namespace {

class ClaimChecker : public Checker {
 public:
  void on_started(MemberHost& host) override {
    if (host.index() < watching_.size()) watching_[host.index()].clear();
  }

  void on_step(const Step& step) override {
    if (watching_.size() <= step.host.index()) watching_.resize(step.cluster.size());
    observe(step);
    for (const auto& action : step.actions) {
      if (std::holds_alternative<membership::Subscribe>(action)) {
        Watch& watch = watching_[step.host.index()][std::get<membership::Subscribe>(action).peer];
        watch.until = TimePoint::max();
      }
      if (std::holds_alternative<membership::Unsubscribe>(action)) {
        watching_[step.host.index()][std::get<membership::Unsubscribe>(action).peer].until =
            step.cluster.now() + Seconds(10);
      }
      const wire::Body* body = body_of(action);
      if (body == nullptr) continue;
      for (const wire::Claim& claim : claims_in(*body)) check(step, claim);
    }
    // Last: a verdict may be announced before it is spoken, in the same step.
    for (const auto& action : step.actions) check_announced(step, action);
  }

 private:
  struct Watch {
    TimePoint until{};         // when it may no longer accuse
    TimePoint heard{};         // a sign of life that had not waited anywhere
    Incarnation life;          // that showed it
    bool link_failed = false;  // since then
  };
  using Utterance = std::tuple<NodeId, NodeId, Incarnation, wire::Standing>;

  static bool is_accusation(const wire::Claim& claim) {
    return !claim.accuser.empty() && claim.evidence != wire::Evidence::conflict &&
           (claim.standing == wire::Standing::suspect || claim.standing == wire::Standing::dead ||
            claim.standing == wire::Standing::unreachable);
  }

  // Of which life; nothing: this message is no sign of life.
  static std::optional<Incarnation> life_in(const wire::Body& body) {
    if (const auto* beat = std::get_if<wire::Beat>(&body)) return beat->incarnation;
    if (const auto* pong = std::get_if<wire::Pong>(&body)) return pong->incarnation;
    return std::nullopt;
  }

  void observe(const Step& step) {
    auto& mine = watching_[step.host.index()];
    const auto life = step.message == nullptr ? std::nullopt : life_in(step.message->envelope.body);
    if (life) {
      const NodeId& origin = step.message->envelope.origin;
      const Nanos waited = step.cluster.now() - step.message->sent;
      if (waited <= step.cluster.options().timing.silence_min / 2) {
        mine[origin].heard = step.cluster.now();
        mine[origin].life = *life;
        mine[origin].link_failed = false;
      }
    }
    if (const auto* down = std::get_if<membership::LinkDown>(&step.event)) {
      mine[down->peer].link_failed = true;
    }
    if (const auto* dialled = std::get_if<membership::Dialled>(&step.event)) {
      if (dialled->outcome == membership::DialOutcome::refused ||
          dialled->outcome == membership::DialOutcome::relay_lost) {
        mine[dialled->peer].link_failed = true;
      }
    }
  }

  void check(const Step& step, const wire::Claim& claim) {
    if (!is_accusation(claim) || step.cluster.ignores_inventions()) return;
    const Utterance key{claim.accuser, claim.subject, claim.incarnation, claim.standing};
    if (uttered_.contains(key)) return;
    const std::string what = claim.subject.value() + " " + wire::to_string(claim.standing);
    if (claim.accuser != step.host.id()) {
      step.cluster.fail("invented accusation: " + step.host.id().value() + " says that " +
                        claim.accuser.value() + " calls " + what + ", which it never did");
      return;
    }
    uttered_[key] = step.cluster.now();
    const Watch& watch = watching_[step.host.index()][claim.subject];
    const Nanos silent = step.cluster.now() - watch.heard;
    const auto& timing = step.cluster.options().timing;
    if (watch.until < step.cluster.now()) {
      step.cluster.fail("accuser without eyes: " + step.host.id().value() + " calls " + what +
                        " and does not watch it");
    } else if (silent < timing.silence_min / 2 && watch.life >= claim.incarnation &&
               !watch.link_failed && is_innocent(step, claim)) {
      step.cluster.fail("accused while heard: " + step.host.id().value() + " calls " + what +
                        ", heard " + format_span(silent) + " ago");
    }
    if (claim.standing == wire::Standing::dead) check_patience(step, claim, what);
  }

  // Nobody buries a member on a suspicion: somebody who watched it must have spoken the verdict.
  void check_announced(const Step& step, const membership::Action& action) {
    const auto* said = std::get_if<membership::Announce>(&action);
    if (said == nullptr || said->happening != membership::Happening::died) return;
    if (said->accuser.empty() || said->evidence == wire::Evidence::conflict) return;
    if (uttered_.contains(
            {said->accuser, said->subject, said->incarnation, wire::Standing::dead})) {
      return;
    }
    step.cluster.fail("verdict of nobody: " + step.host.id().value() + " buries " +
                      said->subject.value() + " by " + said->accuser.value() +
                      ", which never called it dead");
  }

  // Only then must its first beat be believed: after a freeze it may look like an old one.
  static bool is_innocent(const Step& step, const wire::Claim& claim) {
    const auto index = step.cluster.configured(claim.subject);
    return index && step.cluster.truth().is_innocent(*index, step.cluster.now());
  }

  // Before its verdict a watcher says its suspicion and gives the accused time to object.
  void check_patience(const Step& step, const wire::Claim& claim, const std::string& what) {
    const auto& timing = step.cluster.options().timing;
    const auto said =
        uttered_.find({claim.accuser, claim.subject, claim.incarnation, wire::Standing::suspect});
    if (said == uttered_.end()) {
      step.cluster.fail("verdict without suspicion: " + claim.accuser.value() + " calls " + what);
      return;
    }
    Nanos least = std::min(timing.refused_grace, timing.suspicion_min) * 9 / 10;
    if (claim.evidence == wire::Evidence::silence && accusers_of(claim) < 2) {
      least = 5 * timing.suspicion_min;  // a lone accuser waits longest
    }
    if (step.cluster.now() - said->second < least) {
      step.cluster.fail("hasty verdict: " + claim.accuser.value() + " calls " + what + " " +
                        format_span(step.cluster.now() - said->second) + " after suspecting it");
    }
  }

  // Who suspected this life of the subject so far.
  [[nodiscard]] int accusers_of(const wire::Claim& claim) const {
    return static_cast<int>(std::count_if(uttered_.begin(), uttered_.end(), [&](const auto& entry) {
      const auto& [accuser, subject, incarnation, standing] = entry.first;
      return subject == claim.subject && incarnation == claim.incarnation &&
             standing == wire::Standing::suspect;
    }));
  }

  std::vector<std::map<NodeId, Watch>> watching_;  // by host
  std::map<Utterance, TimePoint> uttered_;
};

}  // namespace

std::unique_ptr<Checker> make_claim_checker() { return std::make_unique<ClaimChecker>(); }

}  // namespace riftbus::sim
