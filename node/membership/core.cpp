#include "node/membership/core.h"

#include <algorithm>
#include <cmath>

namespace riftbus::membership {

namespace {

constexpr int kCalmIntervals = 3;  // without trouble, to trust ourselves one step more

}  // namespace

Core::Core(Settings given, Random& source)
    : settings(std::move(given)),
      random(source),
      self(settings),
      table(settings.self, settings.timing.watchers,
            kSuspicionMaxFactor * settings.timing.suspicion_min),
      awareness(kCalmIntervals * settings.timing.interval) {}

bool Core::is_allowed(const NodeId& member) const {
  return settings.roster.value() == 0 || settings.allowed.contains(member);
}

Nanos Core::jittered(Nanos span) {
  const auto tenth = span.count() / 10;
  return span + Nanos(random.between(-tenth, tenth));
}

Nanos Core::probe_wait() const {
  return std::clamp(round_trip.patience(), timing().probe_min, timing().probe_max);
}

// An accusation must reach the accused, and its answer the accuser, over the depth of the rings.
Nanos Core::suspicion_min(Nanos jitter) const {
  const auto members = static_cast<double>(std::max<std::size_t>(2, table.live_count()));
  const auto rings = static_cast<double>(std::max<std::size_t>(2, table.rings().count()));
  const int depth = static_cast<int>(std::ceil(std::log(members) / std::log(rings))) + 2;
  const Nanos measured = round_trip.floor() / 2 + 2 * jitter;
  const Nanos flood = 2 * depth * std::max(timing().hop, measured);
  return std::clamp(flood, timing().suspicion_min,
                    std::max(timing().suspicion_min, timing().suspicion_max));
}

NodeId Core::draw_live() {
  const auto& rings = table.rings();
  if (rings.size() < 2) return {};
  const auto at = static_cast<std::size_t>(random.below(rings.size()));
  const NodeId& drawn = rings.seat(at);
  return drawn == id() ? rings.seat((at + 1) % rings.size()) : drawn;
}

void Core::announce(Happening happening, const wire::Claim& claim, Actions& out) const {
  out.push_back(
      Announce{happening, claim.subject, claim.incarnation, claim.accuser, claim.evidence});
}

Table::Outcome Core::believe(const wire::Claim& claim, Source source, TimePoint now, Actions& out) {
  const auto outcome = table.merge(claim, source, now);
  if (outcome.rejected) ++stats.claims_rejected;
  if (!outcome.changed) {
    if (source != Source::own && !outcome.rejected) ++stats.floods_duplicate;
    return outcome;
  }
  if (outcome.happening) announce(*outcome.happening, claim, out);
  // Second-hand life is worth telling; second-hand accusations are not ours to repeat. A joiner
  // learns everything at once and nobody listens to it yet.
  const bool is_life = claim.standing == wire::Standing::alive;
  if (source != Source::hearsay || (is_life && joined)) gossip.add(claim);
  return outcome;
}

void Core::ask(const NodeId& to, Purpose purpose, const NodeId& subject, wire::Body body,
               TimePoint now, Actions& out) {
  out.push_back(Send{to, calls.open(to, purpose, subject, now), std::move(body)});
}

void Core::tell(const NodeId& to, std::vector<wire::Claim> claims, Actions& out) {
  for (auto& page : into_pages(std::move(claims))) {
    out.push_back(Send{to, Correlation{}, std::move(page)});
  }
}

}  // namespace riftbus::membership
