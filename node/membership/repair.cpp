#include "node/membership/repair.h"

#include <algorithm>
#include <iterator>

namespace riftbus::membership {

namespace {

constexpr int kRoundIntervals = 2;      // after which an unanswered round is given up
constexpr int kNewcomerIntervals = 15;  // in which we look more closely: much was missed

// True if `theirs` is news to whoever believes `mine`.
bool is_newer(const wire::DigestEntry& theirs, const Member& mine) {
  if (theirs.incarnation != mine.incarnation) return theirs.incarnation > mine.incarnation;
  return !is_live(theirs.standing) && is_live(mine.standing);
}

bool is_older(const wire::DigestEntry& theirs, const Member& mine) {
  if (theirs.incarnation != mine.incarnation) return theirs.incarnation < mine.incarnation;
  return is_live(theirs.standing) && !is_live(mine.standing);
}

}  // namespace

void Repair::start(TimePoint now) {
  stranger_due_ = now + Nanos(core_.random.between(0, Nanos(kStrangerPause).count()));
}

void Repair::on_beat(const NodeId& from, std::uint32_t digest, TimePoint now, Actions& out) {
  if (digest == core_.table.digest().total()) {
    differences_.erase(from);
    return;
  }
  const bool newcomer = now - core_.started < kNewcomerIntervals * core_.interval();
  const auto [at, first] = differences_.try_emplace(from);
  Difference& difference = at->second;
  if (first) {
    difference.since = now;
    difference.patience = (newcomer ? 1 : kPatienceIntervals) * core_.interval() * 9 / 10;
  }
  if (now - difference.since < difference.patience || (round_until_ && now < *round_until_)) return;
  // Nothing was learned since the last round with this member: it will not be different now.
  const bool in_vain = difference.version == core_.table.version() + 1;
  difference.version = core_.table.version() + 1;
  difference.since = now;
  if (in_vain) difference.patience = std::min<Nanos>(2 * difference.patience, kBackoffMax);
  begin(from, now, out);
}

void Repair::on_listening(const NodeId& to, TimePoint now, Actions& out) {
  differences_.erase(to);
  begin(to, now, out);
}

void Repair::begin(const NodeId& with, TimePoint now, Actions& out) {
  ++core_.stats.digest_rounds;
  round_until_ = now + kRoundIntervals * core_.interval();
  core_.ask(with, Purpose::digest, {}, wire::Digest{core_.table.digest().buckets()}, now, out);
}

wire::DigestAnswer Repair::answer(const wire::Digest& digest) const {
  wire::DigestAnswer answer;
  const auto& mine = core_.table.digest().buckets();
  std::array<bool, wire::kDigestBuckets> differs{};
  for (std::size_t i = 0; i < mine.size(); ++i) {
    differs[i] = mine[i] != digest.buckets[i];
    if (differs[i]) answer.differing.push_back(static_cast<std::uint8_t>(i));
  }
  if (answer.differing.empty()) return answer;
  for (const auto& [id, member] : core_.table.members()) {
    if (!differs[ViewDigest::bucket_of(id)]) continue;
    answer.entries.push_back({id, member.incarnation, member.standing});
  }
  return answer;
}

std::vector<wire::Claim> Repair::answer(const wire::Fetch& fetch) const {
  std::vector<wire::Claim> claims;
  for (std::size_t i = 0; i < std::min(kFetchIds, fetch.ids.size()); ++i) {
    auto found = core_.table.claims_of(fetch.ids[i]);
    claims.insert(claims.end(), std::make_move_iterator(found.begin()),
                  std::make_move_iterator(found.end()));
  }
  return claims;
}

void Repair::on_answer(const NodeId& from, const wire::DigestAnswer& answer, TimePoint now,
                       Actions& out) {
  round_until_.reset();
  std::array<bool, wire::kDigestBuckets> differs{};
  for (const auto bucket : answer.differing) {
    if (bucket < differs.size()) differs[bucket] = true;
  }
  std::vector<wire::Fetch> fetches;
  std::vector<wire::Claim> better;
  std::set<NodeId> named;
  for (const auto& entry : answer.entries) {
    named.insert(entry.id);
    const Member* mine = core_.table.find(entry.id);
    if (mine == nullptr ? is_live(entry.standing) : is_newer(entry, *mine)) {
      if (!core_.is_allowed(entry.id)) continue;
      if (fetches.empty() || fetches.back().ids.size() >= kFetchIds) fetches.emplace_back();
      fetches.back().ids.push_back(entry.id);
    } else if (mine != nullptr && is_older(entry, *mine)) {
      auto claims = core_.table.claims_of(entry.id);
      better.insert(better.end(), claims.begin(), claims.end());
    }
  }
  for (const auto& [id, member] : core_.table.members()) {
    if (!differs[ViewDigest::bucket_of(id)] || named.contains(id)) continue;
    if (!is_live(member.standing)) continue;
    auto claims = core_.table.claims_of(id);
    better.insert(better.end(), claims.begin(), claims.end());
  }
  if (!fetches.empty() || !better.empty()) ++core_.stats.digest_repairs;
  for (auto& fetch : fetches) core_.ask(from, Purpose::fetch, {}, std::move(fetch), now, out);
  core_.tell(from, std::move(better), out);
}

void Repair::advance(TimePoint now, Actions& out) {
  if (now < stranger_due_) return;
  stranger_due_ = now + core_.jittered(kStrangerPause);
  std::erase_if(differences_, [&](const auto& entry) {
    const Member* member = core_.table.find(entry.first);
    return member == nullptr || !is_live(member->standing);
  });
  const NodeId drawn = core_.draw_live();
  if (!drawn.empty()) begin(drawn, now, out);
}

void Repair::shift(Nanos by) {
  for (auto& [id, difference] : differences_) difference.since += by;
  if (stranger_due_ != TimePoint::max()) stranger_due_ += by;
}

}  // namespace riftbus::membership
