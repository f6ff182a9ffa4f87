// The acting half of an Observer: questions, accusations and verdicts.
#include <algorithm>

#include "node/membership/observer.h"

namespace riftbus::membership {

using wire::Claim;
using wire::Evidence;
using wire::Standing;

namespace {

constexpr std::size_t kSmallCluster = 3;     // where there may be nobody left to ask
constexpr std::size_t kReferencesAsked = 2;  // about our own uplink

}  // namespace

std::vector<NodeId> Observer::other_watchers(const NodeId& subject) const {
  auto watchers = core_.table.rings().watchers_of(subject);
  std::erase_if(watchers, [&](const NodeId& id) {
    const Member* member = core_.table.find(id);
    return id == core_.id() || member == nullptr || member->standing != Standing::alive;
  });
  return watchers;
}

std::size_t Observer::lost_count() const {
  return static_cast<std::size_t>(
      std::count_if(posts_.begin(), posts_.end(),
                    [](const auto& entry) { return entry.second.watch.is_lost(); }));
}

bool Observer::is_mass_loss() const {
  return posts_.size() >= 2 && 2 * lost_count() >= posts_.size();
}

// The mean over all subjects, without the variation that senders put in on purpose.
Nanos Observer::beat_jitter() const {
  Nanos sum{};
  for (const auto& [id, post] : posts_) sum += post.watch.jitter();
  return posts_.empty() ? sum : sum / static_cast<std::int64_t>(posts_.size());
}

Climate Observer::climate_for(const Post& post) const {
  Climate climate;
  climate.timing = core_.timing();
  climate.factor = core_.awareness.factor();
  climate.probe_wait =
      std::max(core_.probe_wait(), std::min(post.watch.patience(), core_.timing().probe_max));
  climate.suspicion_min = core_.suspicion_min(beat_jitter());
  const NodeId& subject = post.watch.record().id;
  climate.others = other_watchers(subject);
  const Member* member = core_.table.find(subject);
  if (member != nullptr && member->standing == Standing::unreachable) {
    climate.unreachable_since = member->since;
  }
  climate.hold_until = core_.hold_until;
  climate.is_small = core_.table.live_count() <= kSmallCluster;
  for (const auto& [id, other] : posts_) {
    if (&other == &post) continue;
    climate.others_heard = std::max(climate.others_heard, other.watch.last_heard());
  }
  if (is_mass_loss() && !climate.is_small) {
    const std::size_t live_others = core_.table.live_count() - 1;
    const std::size_t askable = live_others - std::min(live_others, lost_count());
    climate.answers_needed = std::clamp<std::size_t>(askable, 1, kReferencesAsked);
  }
  return climate;
}

void Observer::perform(Post& post, const Outcome& outcome, TimePoint now, Actions& out) {
  const NodeId& subject = post.watch.record().id;
  if (outcome.dial) out.push_back(Dial{subject});
  if (outcome.ping) {
    ++core_.stats.probes;
    core_.ask(subject, Purpose::ping, {}, wire::Ping{}, now, out);
  }
  if (outcome.ask) ask_others(post, now, out);
  if (outcome.unanswered) core_.awareness.worsen(1, now);
  switch (outcome.finding) {
    case Finding::none:
    case Finding::doubt:
      break;
    case Finding::link_fault: {
      ++core_.stats.link_faults;
      const Claim fault{subject,    post.watch.incarnation(), Standing::alive,
                        core_.id(), Evidence::silence,        std::nullopt};
      core_.announce(Happening::link_fault, fault, out);
      break;
    }
    case Finding::accuse:
      accuse(post, outcome.evidence, now, out);
      break;
    case Finding::relay_lost:
      report_relay_loss(post, now, out);
      break;
    case Finding::verdict:
      convict(post, outcome.evidence, now, out);
      break;
  }
}

void Observer::ask_others(Post& post, TimePoint now, Actions& out) {
  const NodeId& subject = post.watch.record().id;
  const wire::AskHeard question{subject, post.watch.incarnation()};
  for (const auto& watcher : other_watchers(subject)) {
    ++core_.stats.indirect_probes;
    core_.ask(watcher, Purpose::ask, subject, question, now, out);
  }
  if (!is_mass_loss()) return;
  std::set<NodeId> references;
  for (std::size_t i = 0; i < 2 * kReferencesAsked && references.size() < kReferencesAsked; ++i) {
    const NodeId drawn = core_.draw_live();
    if (drawn.empty() || posts_.contains(drawn)) continue;
    if (!references.insert(drawn).second) continue;
    core_.ask(drawn, Purpose::reference, subject, wire::Ping{}, now, out);
  }
}

// Flooded if it is news to us; the other watchers and the accused hear it directly in any case.
void Observer::accuse(Post& post, Evidence evidence, TimePoint now, Actions& out) {
  const NodeId& subject = post.watch.record().id;
  const Member* member = core_.table.find(subject);
  if (member == nullptr || !is_live(member->standing)) return;
  ++core_.stats.suspicions;
  const Claim claim{subject,  member->incarnation, Standing::suspect, core_.id(),
                    evidence, std::nullopt};
  core_.believe(claim, Source::own, now, out);
  for (const auto& watcher : other_watchers(subject)) core_.tell(watcher, {claim}, out);
  core_.tell(subject, {claim}, out);
}

// Said once by whoever finds it first; not to the member, which cannot be told now.
void Observer::report_relay_loss(Post& post, TimePoint now, Actions& out) {
  const NodeId& subject = post.watch.record().id;
  const Member* member = core_.table.find(subject);
  if (member == nullptr || member->standing != Standing::alive) return;
  ++core_.stats.relay_losses;
  const Claim claim{subject,    member->incarnation, Standing::unreachable,
                    core_.id(), Evidence::silence,   std::nullopt};
  core_.believe(claim, Source::own, now, out);
}

void Observer::convict(Post& post, Evidence evidence, TimePoint now, Actions& out) {
  const NodeId& subject = post.watch.record().id;
  const Member* member = core_.table.find(subject);
  if (member == nullptr || !is_live(member->standing)) return;
  ++core_.stats.deaths;
  const Claim claim{subject,  member->incarnation, Standing::dead, core_.id(),
                    evidence, std::nullopt};
  core_.believe(claim, Source::own, now, out);
  core_.tell(subject, {claim}, out);
}

}  // namespace riftbus::membership
