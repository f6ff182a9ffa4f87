// Witness: what must hold always, checked after every turn of every voter.
//
// It knows more than any voter: all disks, all logs, true time. It keeps the one true history (an
// entry enters it when any voter is first seen to have applied it) and a reference queue that
// applies this history alone, beside a checker of histories that shares no code with the queue.
//
// Of the log
//   one leader per term; a leader has everything that was committed before its term
//   same index and term: same entry, and the same one before it (log matching)
//   everybody applies the one history, without gaps; equal places give equal queues, byte for byte
//   an entry is in it only once a majority of the configured voters has it durably: so nothing is
//     granted, acknowledged or read by a minority, and no two majorities decide apart
//   whatever a voter says it has, is on its disk and equal to its leader's; a term and a vote are
//   on
//     disk before they are heard of, one vote per term
//   a read shows everything that was decided when it came
//   log time never goes back, and never runs faster than the fastest clock
//
// Of the queue
//   tokens only rise; one grant of an item at a time, and none while a promised lease runs: counted
//     in true time, from the grant and from each renewal that was acknowledged
//   only the holder's own, newest token ends a grant; an item is completed once
//   what a client or worker is told (added, granted, done) is decided, and stays; at the end every
//     item that was accepted has come to one end
//   the same request twice has the answer of one (test/node/work/checker.h judges all of this from
//     commands and replies alone)
//
// Of workers (worker.h)
//   no program runs that was not granted, and none beside another run of the same work
//
// In peace, within five minutes: one leader, all of the configuration equal, nothing left to do.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "node/replica/replica.h"
#include "test/node/work/checker.h"
#include "test/sim/queue/disk.h"

namespace riftbus::consensus {

class World;
class Voter;

class Witness {
 public:
  explicit Witness(World& world) : world_(world) {}

  // ---- of voters
  void wrote(const Voter& voter, const consensus::Persist& write);
  void stood(Voter& voter);
  void said(const Voter& voter, const consensus::Message& message);
  void announced(const Voter& voter, const consensus::Announce& news);
  void answered(const Voter& voter, const replica::Answer& answer, Index decided_then,
                TimePoint asked);
  // The first configuration is given, not decided.
  void begin(const consensus::Memory& memory);

  // ---- of clients
  void acknowledged_add(const work::Added& added);
  void acknowledged_end(work::WorkId id);
  // A worker runs this now.
  void began(const work::Hold& hold);

  // In the end: everything that was accepted has come to one end.
  void finish();
  // Compares now, whatever was compared lately.
  void compare(Voter& voter);

  [[nodiscard]] Index decided() const { return Index(history_.size()); }
  [[nodiscard]] const work::WorkQueue& reference() const { return reference_; }
  [[nodiscard]] const work::Checker& checker() const { return checker_; }
  [[nodiscard]] std::size_t leaders() const { return leaders_.size(); }
  [[nodiscard]] std::size_t comparisons() const { return comparisons_; }

 private:
  static constexpr std::uint64_t kCompareEvery = 32;  // entries

  struct Decided {
    consensus::EntryPtr entry;
    Term committed_by;  // at the latest
  };
  void check_leader(const Voter& voter, Term term);
  void follow(Voter& voter, const consensus::Status& status);
  void decide(const Voter& voter, const consensus::EntryPtr& entry,
              const consensus::Status& status);
  void check_majority(const Voter& voter, const consensus::Entry& entry);
  void check_time(const consensus::Entry& entry);
  void apply(const consensus::Entry& entry);
  void judge_grants(const work::Claimed& claimed);
  void judge_expiry(const work::Expire& command, const work::Verdicts& verdicts);
  // A renewal counts from when it came: whoever confirmed it then may lead no more when it is
  // answered.
  void promise(const work::Hold& hold, TimePoint from);
  void check_acknowledgement(const Voter& voter, Term term, Index match);
  void blame(const Voter& voter, const std::string& what);

  World& world_;
  std::vector<Decided> history_;
  std::map<Term, ServerId> leaders_;
  std::map<std::pair<Term, Index>, std::pair<Term, const consensus::Entry*>> known_;
  std::vector<consensus::EntryPtr> kept_;  // what `known_` points to
  std::map<std::pair<ServerId, Term>, ServerId> votes_;
  work::WorkQueue reference_;
  work::Checker checker_;
  std::map<std::uint64_t, std::uint64_t> queue_at_;  // applied index -> hash of the queue there
  std::set<work::WorkId> added_, completed_;
  std::set<work::Hold> granted_;
  work::Fence newest_;
  std::map<work::Hold, TimePoint> promised_;  // nobody else before then
  std::size_t comparisons_ = 0;
};

}  // namespace riftbus::consensus
