// Commands: everything that can happen to the queue, one struct each; and what it answers.
//
// A command is the content of one log entry. All replicas apply the same commands in the same
// order, so they hold the same queue; whatever is decided, is decided inside apply(). Commands are
// therefore complete: no clock, no node and no file is asked while one is applied.
//
// Repeating is safe for every command. A worker numbers its claims, an adder gives its batch a
// nonce, and whatever ends a grant names its fence: a repeated command gives the answer of the
// first, or does nothing. So "no reply" always means: send the same again.
//
// Elements may be appended to a command in a later version, with a default (fields.h).
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "config/offer.h"
#include "node/work/types.h"

namespace riftbus::work {

// ---- work ------------------------------------------------------------------------------------

// What usually comes from the definition of a kind and is shared by many items: stored once.
struct Terms {
  std::string needs;                     // needs.h
  std::vector<Amount> reserve;           // beyond, or instead of, what `needs` implies
  std::uint32_t lease_ms = 600'000;      // long: one minute without quorum must not cost GPU hours
  std::uint32_t timeout_ms = 3'600'000;  // of one attempt; the executor obeys it
  std::uint32_t backoff_base_ms = 5'000;
  std::uint32_t backoff_cap_ms = 600'000;
  std::uint8_t attempts_max = 3;  // failures of the work itself
  std::uint8_t losses_max = 10;   // nodes that vanished under it
  OnDisconnect on_disconnect = OnDisconnect::kill;
  bool overlap_ok = false;  // may be granted again at once when membership buries the holder
  bool operator==(const Terms&) const = default;
};

struct Spec {
  std::string kind;
  std::string payload;         // larger things by name of their content
  std::string group;           // whose work it is: limits and fair share
  std::uint8_t priority = 50;  // 255 is most urgent; age counts too (Settings::aging_ms)
  Terms terms;
  std::uint64_t delay_ms = 0;
  std::uint64_t expires_ms = 0;   // cancelled if it waits then; 0: never
  std::uint64_t deadline_ms = 0;  // cancelled, and stopped, if not done by then; 0: never
  std::string dedupe;             // one unfinished item per key ...
  std::uint64_t dedupe_window_ms = 600'000;  // ... and this long after its end
  std::vector<WorkId> after;                 // not before these are done
  std::vector<std::uint16_t> after_here;     // ... and these, by position in this batch
  std::uint16_t gang = 0;  // items of this batch with one number start together or not at all
  std::uint32_t gang_timeout_ms = 60'000;  // how long the first may wait for the last
  std::vector<std::string> data;           // preferred where these lie
  bool operator==(const Spec&) const = default;
};

// All or nothing: a batch with one bad item adds none.
struct Add {
  std::uint64_t nonce = 0;  // drawn once per batch, kept when it is repeated; 0: do not remember
  std::vector<Spec> items;
  bool operator==(const Add&) const = default;
};

// ---- workers ---------------------------------------------------------------------------------

struct Claim {
  NodeId worker;
  Instance instance;
  std::uint64_t request = 0;  // grows by each new claim of this instance; the same when repeated
  std::uint32_t max = 1;
  Offer offer;
  bool operator==(const Claim&) const = default;
};

struct Hold {
  WorkId id;
  Fence fence;
  auto operator<=>(const Hold&) const = default;
};

// "I was started anew, and of my predecessor's grants I still run these" (the others are lost at
// once; repeated by the same instance it ends nothing); or "I leave" (all are given back).
//
// Accepted only if `replaces` is the instance that the queue knows. A newcomer learns it from a
// first refusal (Verdicts::holder) and asks again. Without that, an Attach of a life that is over,
// stuck under way in a process that was stopped, would arrive late and lock out the living one.
struct Attach {
  NodeId worker;
  Instance instance;
  std::vector<Hold> holds;
  bool leaving = false;
  Instance replaces{};
  bool operator==(const Attach&) const = default;
};

struct Finish {
  Hold hold;
  std::string result;
  bool operator==(const Finish&) const = default;
};
struct Complete {
  NodeId worker;
  std::vector<Finish> works;
  bool operator==(const Complete&) const = default;
};

// How an attempt failed, and how far it came.
struct Failure {
  Hold hold;
  bool retryable = true;
  std::int64_t exit_code = 0;
  std::uint8_t signal = 0;
  std::string tail;        // the end of stderr, or a reason
  std::string checkpoint;  // empty: as before
  bool operator==(const Failure&) const = default;
};
struct Fail {
  NodeId worker;
  std::vector<Failure> works;
  bool operator==(const Fail&) const = default;
};
struct Bury {  // to the dead letters, whatever attempts are left
  NodeId worker;
  std::vector<Failure> works;
  bool operator==(const Bury&) const = default;
};

struct Return {
  Hold hold;
  std::uint64_t delay_ms = 0;
  std::uint8_t percent = 0;
  std::string checkpoint;
  bool lost = false;  // in a Release: not in order, what watched over it was killed; a loss
  bool operator==(const Return&) const = default;
};
struct Release {
  NodeId worker;
  std::vector<Return> works;
  bool operator==(const Release&) const = default;
};

// Progress worth surviving the leader: the next attempt is given the checkpoint.
struct Note {
  NodeId worker;
  std::vector<Return> works;
  bool operator==(const Note&) const = default;
};

// ---- the leader ------------------------------------------------------------------------------

// Nobody else proposes it; `term` is the leader's when it judged. Applied only in that term: what a
// deposed leader saw of renewals is worth nothing.
struct Expire {
  std::uint64_t term = 0;
  Lapse lapse = Lapse::silence;
  std::vector<Return> works;  // with the last progress and checkpoint that the leader heard
  bool operator==(const Expire&) const = default;
};
// Time passes: fires what is due. Proposed when WorkQueue::next_due_ms() has come, and now and then
// before, so that the log knows how late it is.
struct Tick {
  bool operator==(const Tick&) const = default;
};

// ---- operators -------------------------------------------------------------------------------

struct Cancel {  // at once if not leased, else by the holder's next renewal
  std::vector<WorkId> ids;
  bool operator==(const Cancel&) const = default;
};
struct Preempt {  // the holder is asked to write a checkpoint and give it back
  std::vector<WorkId> ids;
  bool operator==(const Preempt&) const = default;
};
struct Kick {  // dead letters: ready again, with fresh attempts
  std::vector<WorkId> ids;
  bool operator==(const Kick&) const = default;
};
struct Purge {  // dead letters: into history
  std::vector<WorkId> ids;
  bool operator==(const Purge&) const = default;
};
struct SetGroup {
  std::string group;
  std::uint32_t limit = 0;   // leased at the same time; 0: no limit
  std::uint32_t weight = 1;  // of its share
  bool operator==(const SetGroup&) const = default;
};

// Bounds that an operator may move. Replicated: all replicas must agree on them.
struct Settings {
  std::uint32_t soft_max = 100'000;  // unfinished items; above it, adders are asked to slow
  std::uint32_t hard_max = 200'000;  // nothing more is taken
  std::uint64_t payload_bytes_max = 512ULL << 20;
  std::uint32_t history_max = 1'000'000;    // finished items remembered, 50 bytes each
  std::uint32_t results_max = 4'096;        // results kept of those
  std::uint32_t dead_max = 10'000;          // dead letters; the oldest gives way, counted
  std::uint32_t dedupe_max = 200'000;       // keys remembered after the end of their item
  std::uint32_t aging_ms = 60'000;          // waiting this long is worth one step of priority
  std::uint32_t share_ms = 60'000;          // one running item of a group costs its next one this
  std::uint32_t affinity_ms = 60'000;       // and data on the spot is worth this
  std::uint32_t worker_fresh_ms = 600'000;  // a worker silent for longer does not count as a place
  bool operator==(const Settings&) const = default;
};
struct Configure {
  Settings settings;
  bool operator==(const Configure&) const = default;
};
// After a disaster: a new generation makes every fence of the old one smaller than any to come.
struct Recover {
  std::uint16_t generation = 0;
  bool operator==(const Recover&) const = default;
};

using Command = std::variant<Add, Claim, Attach, Complete, Fail, Bury, Release, Note, Expire, Tick,
                             Cancel, Preempt, Kick, Purge, SetGroup, Configure, Recover>;
// The alternative's index is its number in the log: append only.
inline constexpr std::size_t kCommandKinds = std::variant_size_v<Command>;
[[nodiscard]] const char* command_name(const Command& command);

// ---- answers ---------------------------------------------------------------------------------

struct Added {
  Outcome outcome = Outcome::ok;
  std::vector<WorkId> ids;          // per item; of an earlier one where the key was known
  std::vector<std::uint8_t> known;  // per item: its key was known, nothing was added
  std::uint32_t bad_item = 0;       // position of the item that was refused
  std::string why;                  // for people
  bool slow_down = false;           // above the soft limit
  bool operator==(const Added&) const = default;
};

struct Grant {
  WorkId id;
  bool held = true;  // false, in a repeated answer: no longer yours, and nothing below is set
  std::string kind;
  std::string payload;
  Terms terms;
  std::uint16_t attempt = 1;  // counting failures and losses
  std::uint8_t percent = 0;   // of the last attempt
  std::string checkpoint;
  WorkId gang;  // first item of its gang; 0: alone
  std::uint16_t gang_size = 0;
  bool hold = false;  // do not begin: wait until a renewal says that the gang is complete
  bool operator==(const Grant&) const = default;
};
struct Claimed {
  Outcome outcome = Outcome::ok;
  Fence fence;                // of all grants in this answer
  std::vector<Grant> grants;  // may be empty
  bool operator==(const Claimed&) const = default;
};

struct Judged {
  WorkId id;
  Outcome outcome = Outcome::ok;
  State state = State::done;  // the item's, now; meaningless if unknown
  bool operator==(const Judged&) const = default;
};
struct Verdicts {
  Outcome outcome = Outcome::ok;  // of the whole, when no element was looked at
  std::vector<Judged> works;
  Instance holder{};  // of a refused Attach: whom the queue knows
  bool operator==(const Verdicts&) const = default;
};

using Reply = std::variant<Added, Claimed, Verdicts>;

}  // namespace riftbus::work
