// AccessList: a roster arranged for the one question of a handshake: whose key is this, and may it
// speak now?
//
// Immutable and complete in memory, because every handshake of the process waits for the answer.
// A new roster makes a new list; the old one lives until the last reader lets go. Safe to share
// between threads. Reads no clock: the caller says what time it is.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "config/roster.h"

namespace riftbus::bus {

// Why a handshake was refused. invalid: not a CURVE request of our domain.
enum class Refusal : std::uint8_t { unknown, expired, revoked, invalid };
[[nodiscard]] const char* to_string(Refusal refusal);
// The code of `riftbus explain`: 1135 to 1138.
[[nodiscard]] std::uint16_t code_of(Refusal refusal);

struct AccessDecision {
  const RosterEntry* entry = nullptr;  // whom the key belongs to; lives as long as the list
  Refusal refusal = Refusal::unknown;  // if not allowed
  NodeId owner;                        // also of an expired or revoked key; empty if unknown
  [[nodiscard]] bool allowed() const { return entry != nullptr; }
};

class AccessList {
 public:
  // `roster` is not null (CHECKed).
  explicit AccessList(std::shared_ptr<const Roster> roster);

  // `now_s`: seconds since the Unix epoch. A key is refused from its expiry on.
  [[nodiscard]] AccessDecision decide(const CurveKey& key, std::int64_t now_s) const;
  [[nodiscard]] const Roster& roster() const { return *roster_; }

 private:
  std::shared_ptr<const Roster> roster_;
  std::map<CurveKey, const RosterEntry*> by_key_;
};

}  // namespace riftbus::bus
