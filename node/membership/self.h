// Self: our own life, its number, and what we say when somebody calls us dead.
//
// The incarnation is chosen above everything known (the stored one, the wall clock's milliseconds
// at start, whatever others have seen) and is used only after the owner stored it: a node that
// loses its disk or its clock still comes back above its own past. An accusation is answered by
// going above it: store, then say so to all, and directly to those who told us.
//
// Two lives under one id: a young process that hears of another life of its id takes it for its own
// past and goes above it (a few times at most: the other one may be alive and do the same). An
// older process is the one that was replaced, and is fenced: it falls silent, so that the cluster
// sees one member. Should that other life in truth be gone (a clock that once ran ahead), its
// watchers will miss it and say so, and on that accusation we return above it.
//
// Pure; not thread-safe.
#pragma once

#include <set>
#include <vector>

#include "bus/wire/message.h"
#include "node/membership/membership.h"

namespace riftbus::membership {

class Self {
 public:
  static constexpr std::size_t kTellMax = 64;

  explicit Self(const Settings& settings);

  // Asks for the first incarnation to be stored.
  void start(Actions& out);
  // True: a new incarnation is in use from now on and is to be announced.
  bool on_stored(Incarnation incarnation);
  // Goes above `seen` unless that is under way. True: something is being stored.
  bool rise_above(Incarnation seen, Actions& out);
  // The new record waits for the next incarnation.
  void change(const wire::Record& record, Actions& out);
  void fence() { fenced_ = true; }
  void unfence() { fenced_ = false; }
  void leave() { left_ = true; }

  // Who is told directly once the new incarnation is in use.
  void tell_later(const NodeId& id);
  [[nodiscard]] std::vector<NodeId> take_told();

  [[nodiscard]] const wire::Record& record() const { return record_; }
  [[nodiscard]] Incarnation incarnation() const { return record_.incarnation; }
  // Speaks: has a stored incarnation, is not fenced, has not left.
  [[nodiscard]] bool speaks() const { return stored_once_ && !fenced_ && !left_; }
  [[nodiscard]] bool stored_once() const { return stored_once_; }
  [[nodiscard]] bool fenced() const { return fenced_; }
  [[nodiscard]] bool has_left() const { return left_; }
  [[nodiscard]] bool rising() const { return target_ > record_.incarnation; }
  [[nodiscard]] wire::Claim alive_claim() const;

 private:
  wire::Record record_;
  std::optional<wire::Record> next_record_;
  Incarnation first_;
  Incarnation target_;  // being stored, or in use
  bool stored_once_ = false;
  bool fenced_ = false;
  bool left_ = false;
  std::set<NodeId> tell_;
};

}  // namespace riftbus::membership
