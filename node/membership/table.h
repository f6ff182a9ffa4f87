// Table: what we believe of every member, and the rules by which a claim changes it.
//
// Order of belief: a higher incarnation beats a lower one whatever it says; within one incarnation
// alive < unreachable < suspect < dead < left. So an accusation is answered only by a new
// incarnation, which only the accused can make, and claims may arrive in any order, any number of
// times: the result is the same.
//
// Where a claim comes from decides how far it goes:
//   own      our observation or our own words
//   spoken   flooded, or said by the observer itself: believed, and passed on if it was news
//   hearsay  told by a third member's memory (join, repair): news of life is believed, but of a
//            member that we hold to be alive, a remote `dead` makes only a suspect, who has until
//            its verdict ripens to refute. Hearsay is never an observation: it confirms nothing.
//   heard    the member's own beat or answer, without a record
// An alive member that we did not hear ourselves stays `verified` = false: shown, watched, but it
// rests on others' word.
//
// The dead are remembered (1 h ephemeral, 72 h otherwise, 24 h if they left), so that an old claim
// cannot raise them; then they are forgotten. The rings and the digest follow the live members.
//
// Pure; not thread-safe. Bounded: kMembersMax members, kHistoryMax steps each.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "bus/wire/message.h"
#include "node/membership/membership.h"
#include "node/membership/rings.h"
#include "node/membership/view_digest.h"

namespace riftbus::membership {

enum class Source : std::uint8_t { own, spoken, hearsay };

inline constexpr Nanos kTombstoneEphemeral = std::chrono::hours(1);
inline constexpr Nanos kTombstoneStable = std::chrono::hours(72);
inline constexpr Nanos kTombstoneLeft = std::chrono::hours(24);
// A member with this tag may vanish for good: it is forgotten sooner.
inline constexpr const char* kEphemeralTag = "ephemeral";

[[nodiscard]] bool is_live(wire::Standing standing);

class Table {
 public:
  static constexpr std::size_t kMembersMax = 4096;
  static constexpr std::size_t kHistoryMax = 16;
  static constexpr int kRemindersPerRipening = 2;

  // `ripening`: how long a hearsay verdict waits for its refutation.
  Table(NodeId self, unsigned rings, Nanos ripening);

  // ---- changes
  struct Outcome {
    bool changed = false;   // belief changed: worth passing on, if the source is believed
    bool stale = false;     // we know better: the speaker, or the subject, should hear it
    bool rejected = false;  // malformed, or one member too many
    std::optional<Happening> happening{};
  };
  Outcome merge(const wire::Claim& claim, Source source, TimePoint now);
  // A beat or an answer of the member itself: proves its life in this incarnation.
  Outcome hear(const NodeId& id, Incarnation incarnation, TimePoint now);
  // Our own record under a new incarnation; never judged by claims.
  void set_self(const wire::Record& record, wire::Standing standing, TimePoint now);
  bool forget(const NodeId& id);

  // Verdicts that ripened (subjects, now dead) and tombstones reaped by `now`.
  struct Due {
    std::vector<NodeId> died;
    std::vector<NodeId> forgotten;
    // Suspects and the unreachable: neither refuted nor judged, time and again.
    std::vector<NodeId> undecided;
  };
  Due advance(TimePoint now);
  void shift(Nanos by);
  [[nodiscard]] TimePoint next_deadline() const;

  // ---- questions
  [[nodiscard]] const Member* find(const NodeId& id) const;
  [[nodiscard]] const std::map<NodeId, Member>& members() const { return members_; }
  [[nodiscard]] const Rings& rings() const { return rings_; }
  [[nodiscard]] const ViewDigest& digest() const { return digest_; }
  [[nodiscard]] std::size_t live_count() const { return rings_.size(); }
  [[nodiscard]] const std::set<NodeId>& dead() const { return dead_; }
  // Everything that somebody who knows nothing of the member must be told: a record if it lives,
  // and the accusation or verdict. Empty for unknown members.
  [[nodiscard]] std::vector<wire::Claim> claims_of(const NodeId& id) const;
  // Grows whenever a belief or a record changes.
  [[nodiscard]] std::uint64_t version() const { return version_; }

 private:
  Outcome merge_alive(const wire::Claim& claim, Source source, TimePoint now);
  Outcome merge_accusation(const wire::Claim& claim, TimePoint now);
  Outcome merge_end(const wire::Claim& claim, Source source, TimePoint now);
  Outcome insert(Member member, bool remember, TimePoint now);
  // Sets a standing and everything that follows from it.
  void judge(Member& member, const wire::Claim& claim, TimePoint now);
  void enter(const Member& member);
  void withdraw(const Member& member);
  void set_due(const NodeId& id, std::optional<TimePoint> due);
  // When the member's standing asks for attention: a reminder, or the end of its tombstone.
  [[nodiscard]] std::optional<TimePoint> due_time(const Member& member, TimePoint now) const;

  NodeId self_;
  Nanos ripening_;
  std::map<NodeId, Member> members_;
  Rings rings_;
  ViewDigest digest_;
  std::set<NodeId> dead_;
  std::map<NodeId, TimePoint> due_of_;
  std::set<std::pair<TimePoint, NodeId>> due_;
  std::map<NodeId, wire::Claim> ripening_verdicts_;  // hearsay, for live members with a due time
  std::uint64_t version_ = 0;
};

}  // namespace riftbus::membership
