// Ledger: the queue's whole state, and the few ways in which an item may change.
//
// Items are the truth; lines, timers, counts, reservations and dependants are indexes over them.
// An item is changed only between withdraw(), which takes it out of every index, and place(), which
// puts it back, so no index can miss a change and each can be rebuilt from the items alone. That is
// also what makes snapshots canonical: they hold the items and not one index.
//
// Commands (handlers.h) decide what shall happen; the ledger sees to it that it is whole.
//
// Pure; not thread-safe. Every container is ordered or indexed by number: no order depends on
// addresses, hashes or history.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "node/work/command.h"
#include "node/work/history.h"
#include "node/work/item.h"
#include "node/work/names.h"
#include "node/work/past_adds.h"
#include "node/work/past_ends.h"
#include "node/work/ready.h"
#include "node/work/workers.h"

namespace riftbus::work {

struct CompiledTerms {
  Terms terms;
  Needs needs;
  std::vector<Amount> reserve;  // sorted by name: what a grant holds
};

struct Group {
  std::uint32_t limit = 0;
  std::uint32_t weight = 1;
  bool kept = false;         // configured: it outlives its items
  std::uint32_t leased = 0;  // derived
};

// n items that start together. `open`: every member could start, so all are in the line.
// `assembling`: some are granted and wait. `started`: all are, and none may be taken back for
// being early. What is left of a gang after members ended well is a smaller gang.
struct Gang {
  std::set<WorkId> members;  // unfinished ones
  std::uint16_t size = 0;    // at the beginning
  std::uint32_t timeout_ms = 0;
  LogMs until_ms = 0;  // while assembling: then all give back
  bool started = false;
  bool dissolving = false;  // only within one call
  bool operator==(const Gang&) const = default;
};

struct Remembered {  // a dedupe key
  WorkId id;
  LogMs until_ms = 0;  // 0: while the item is unfinished
  bool operator==(const Remembered&) const = default;
};

struct Orphan {  // a result that came with a fence that was no longer the item's
  WorkId id;
  Fence fence;
  std::uint16_t node = 0;
  LogMs at_ms = 0;
  std::string result;
  bool operator==(const Orphan&) const = default;
};

struct EndNote {  // what a worker said at the end of an attempt
  std::int64_t exit_code = 0;
  std::uint8_t signal = 0;
  std::string tail;
};

class Ledger {
 public:
  Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // Those who write snapshots meanwhile: it changes nothing that somebody reads.
  mutable RecordWatches watches;

  // ---- what is kept
  Settings settings;
  std::uint16_t generation = 0;
  std::uint64_t applied_index = 0;
  LogMs now_ms = 0;
  WorkId next_id{1};
  Names kinds{kKindsMax};
  Names groups{kGroupsMax};
  Names nodes{kNodesMax};
  Names terms_names{kTermsMax};
  std::map<WorkId, Item> items;
  std::map<std::uint16_t, Group> group_of;
  std::map<WorkId, Gang> gangs;  // by their first member
  std::map<std::string, Remembered, std::less<>> dedupe;
  Workers workers;
  History history{watches};
  std::map<std::uint16_t, Tally> kind_tally;
  std::map<std::uint16_t, Tally> node_tally;
  std::deque<Orphan> orphans;
  PastAdds past_adds{watches};
  PastEnds past_ends;
  std::uint64_t dead_evicted = 0;

  // ---- indexes
  std::map<std::uint16_t, CompiledTerms> terms_of;
  std::uint16_t last_terms = 0;  // of the newest item: the next one's are mostly equal
  ReadyLine ready;
  std::set<std::pair<LogMs, WorkId>> alarms;
  std::set<std::pair<LogMs, WorkId>> gang_alarms;
  std::set<std::pair<LogMs, std::string>> dedupe_alarms;
  std::map<WorkId, std::set<WorkId>> dependants;
  std::set<std::pair<LogMs, WorkId>> dead;  // since when
  std::array<std::size_t, 4> counts{};      // of items by state
  std::uint64_t payload_bytes = 0;

  // ---- questions
  [[nodiscard]] const Item* find(WorkId id) const;
  // To be changed, or erased.
  [[nodiscard]] Item* find(WorkId id);
  [[nodiscard]] std::size_t count(State state) const {
    return counts[static_cast<std::size_t>(state)];
  }
  [[nodiscard]] const CompiledTerms& terms(const Item& item) const {
    return terms_of.at(item.terms);
  }
  // LogMs max: nothing will ever be due.
  [[nodiscard]] LogMs next_due_ms() const;
  // Fence of a grant made by the entry at this index, in this generation.
  [[nodiscard]] Fence make_fence(std::uint64_t index) const;

  // ---- changes of one item; each leaves every index true
  // A new item: its terms, kind and group are interned, its dependencies exist.
  void enter(Item item);
  void grant(Item& item, std::uint16_t node, Fence fence);
  // The lease is over; the item goes back into the line, dies or is cancelled, by its own rules.
  // `delay_ms`: beyond what the ending itself demands. The item may be gone afterwards.
  void end_grant(Item& item, Ending ending, const EndNote& note, std::uint64_t delay_ms,
                 bool retryable);
  void complete(Item& item, std::string result);
  void cancel(Item& item, Cause cause);
  void kick(Item& item);
  void purge(Item& item);
  // Of leased work: its holder hears it with the next renewal.
  void request_cancel(Item& item, Cause cause);
  void request_preempt(Item& item);

  // ---- changes of the whole
  void set_group(std::uint16_t number, std::uint32_t limit, std::uint32_t weight);
  // O(ready items) when it changes how they are sorted, and a matter of milliseconds otherwise.
  void configure(const Settings& wanted);

  // ---- time
  // Fires up to kDueMax of what is due at now_ms.
  void fire_due();

  // ---- for the restorer
  // Takes an item as it is, into every index.
  void adopt(Item item);
  void adopt_terms(std::uint16_t number, Terms terms, Needs needs);
  void set_dedupe(const std::string& key, Remembered remembered);
  void erase_dedupe(const std::string& key);

 private:
  void place(Item& item);
  void withdraw(Item& item);
  [[nodiscard]] LogMs alarm_of(const Item& item) const;
  [[nodiscard]] bool can_start(const Item& item) const;
  // Withdrawn and free: into the line, or aside until its time comes.
  void settle(Item& item);
  void requeue(Item& item, LogMs due_ms);
  void die(Item& item);
  void record_attempt(Item& item, Ending ending, const EndNote& note);
  // The item itself will not know its last end any more.
  void remember_end(const Item& item);
  // Withdrawn: out of the queue, into history.
  void close(Item& item, State state, std::string result);
  void resolve_dependants(WorkId id, bool done);
  void release_names(const Item& item);
  void forget_key(const Item& item);
  void fire(Item& item);

  // ---- gangs (ledger_gang.cpp)
  [[nodiscard]] Gang* gang_of(const Item& item);
  // After any change of a member that is in its place again.
  void update_gang(WorkId gang);

  void dissolve_gang(WorkId id, Gang& gang);
  void set_gang_alarm(WorkId id, Gang& gang, LogMs until_ms);
  void leave_gang(WorkId gang, WorkId member, bool done);
};

[[nodiscard]] std::uint64_t mix(std::uint64_t value);

}  // namespace riftbus::work
