#include "bus/access_list.h"

namespace riftbus::bus {

const char* to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::unknown:
      return "unknown key";
    case Refusal::expired:
      return "expired key";
    case Refusal::revoked:
      return "revoked key";
    case Refusal::invalid:
      return "invalid request";
  }
  return "refused";
}

std::uint16_t code_of(Refusal refusal) {
  return static_cast<std::uint16_t>(1135 + static_cast<unsigned>(refusal));
}

AccessList::AccessList(std::shared_ptr<const Roster> roster) : roster_(std::move(roster)) {
  RIFTBUS_CHECK(roster_ != nullptr);
  for (const auto& [id, entry] : roster_->entries) {
    by_key_.emplace(entry.key, &entry);
    if (entry.previous_key) by_key_.emplace(*entry.previous_key, &entry);
  }
}

AccessDecision AccessList::decide(const CurveKey& key, std::int64_t now_s) const {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    const auto dead = roster_->revoked_keys.find(key);
    if (dead == roster_->revoked_keys.end()) return {nullptr, Refusal::unknown, NodeId()};
    return {nullptr, Refusal::revoked, dead->second};
  }
  const RosterEntry* const entry = found->second;
  if (entry->expires_at_s && now_s >= *entry->expires_at_s) {
    return {nullptr, Refusal::expired, entry->id};
  }
  return {entry, Refusal::unknown, entry->id};
}

}  // namespace riftbus::bus
