// Repair: finding out that two members know different things, and evening it out.
//
// Every beat carries a digest of its sender's view. A subject whose digest differs from ours for
// longer than a flood takes is asked for details: 64 bucket hashes there, the entries of the
// buckets that differ back, then the claims that are really wanted; what we know better is sent the
// other way. Once per kStrangerPause the same is done with a random member, for two groups could
// agree among themselves only. A round that changed nothing makes the next one with that member
// wait twice as long.
//
// All that comes back is hearsay (table.h).
//
// Pure; not thread-safe. Bounded: one round at a time.
#pragma once

#include <map>
#include <optional>

#include "node/membership/core.h"

namespace riftbus::membership {

class Repair {
 public:
  static constexpr int kPatienceIntervals = 3;
  static constexpr Nanos kStrangerPause = Seconds(120);
  static constexpr Nanos kBackoffMax = Seconds(60);
  static constexpr std::size_t kFetchIds = 64;  // in one question

  explicit Repair(Core& core) : core_(core) {}

  void start(TimePoint now);
  void on_beat(const NodeId& from, std::uint32_t digest, TimePoint now, Actions& out);
  // We begin to listen to this member: what it said before that is asked for.
  void on_listening(const NodeId& to, TimePoint now, Actions& out);
  [[nodiscard]] wire::DigestAnswer answer(const wire::Digest& digest) const;
  [[nodiscard]] std::vector<wire::Claim> answer(const wire::Fetch& fetch) const;
  void on_answer(const NodeId& from, const wire::DigestAnswer& answer, TimePoint now, Actions& out);
  void advance(TimePoint now, Actions& out);
  [[nodiscard]] TimePoint next_deadline() const { return stranger_due_; }
  void shift(Nanos by);

 private:
  struct Difference {
    TimePoint since;
    Nanos patience{};
    std::uint64_t version = 0;  // of our table when it was last asked about
  };
  void begin(const NodeId& with, TimePoint now, Actions& out);

  Core& core_;
  std::map<NodeId, Difference> differences_;
  std::optional<TimePoint> round_until_;
  TimePoint stranger_due_ = TimePoint::max();
};

}  // namespace riftbus::membership
