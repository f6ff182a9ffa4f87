#include "node/consensus/follower.h"

#include <algorithm>

#include "node/consensus/codec.h"

namespace riftbus::consensus {

void Follower::enter_term(TimePoint now) {
  if (term_ == core_.hard.term) return;
  term_ = core_.hard.term;
  matched_ = core_.commit;
  told_ = Index();
  round_ = 0;
  answer_due_ = false;
  watch_ = ProgressWatch();
  watch_.restart(now);
}

Index Follower::acknowledged() const {
  const Index matched = term_ == core_.hard.term ? matched_ : core_.commit;
  return std::min(core_.durability.durable(), matched);
}

bool Follower::is_well_formed(const Append& append, Term term) {
  Index index = append.prev_index;
  Term last = append.prev_term;
  for (const EntryPtr& entry : append.entries) {
    if (entry->index != index.next() || entry->term < last || entry->term > term) return false;
    if (entry->kind == EntryKind::configuration && !decode_configuration(entry->payload)) {
      return false;
    }
    index = entry->index;
    last = entry->term;
  }
  return append.prev_term <= term;
}

bool Follower::contradicts_commit(const Append& append) const {
  const auto differs = [&](Index index, Term term) {
    const auto own = core_.log.term_at(index);
    return index <= core_.commit && own && *own != term;
  };
  if (differs(append.prev_index, append.prev_term)) return true;
  return std::any_of(append.entries.begin(), append.entries.end(),
                     [&](const EntryPtr& entry) { return differs(entry->index, entry->term); });
}

bool Follower::fits(Index prev_index, Term prev_term) const {
  if (prev_index <= core_.commit) return true;  // committed: equal on every leader
  const auto own = core_.log.term_at(prev_index);
  return own && *own == prev_term;
}

void Follower::on_append(ServerId from, const Append& append, TimePoint now) {
  enter_term(now);
  ++core_.stats.appends;
  if (!is_well_formed(append, core_.hard.term)) {
    ++core_.stats.malformed;
    return;
  }
  watch_.observe(append.last > append.commit, append.commit.value(), now);
  round_ = std::max(round_, append.round);
  answer_due_ = true;
  if (is_installing()) return;
  if (contradicts_commit(append)) {
    answer_due_ = false;
    ++core_.stats.malformed;
    core_.announce(Happening::diverged, from);
    return;
  }
  if (!fits(append.prev_index, append.prev_term)) return refuse(from, append);
  // New entries: the answer waits for the disk.
  if (adopt(append)) answer_due_ = false;
  matched_ = std::max(matched_, append.prev_index + append.entries.size());
  core_.commit = std::max(core_.commit, std::min(append.commit, matched_));
}

void Follower::refuse(ServerId to, const Append& append) {
  ++core_.stats.refusals;
  answer_due_ = false;
  const Index hint = core_.log.agreement_before(append.prev_index, append.prev_term);
  core_.send(to, AppendAnswer{acknowledged(), append.round, true, append.prev_index, hint,
                              core_.log.term_at(hint).value_or(Term())});
}

bool Follower::adopt(const Append& append) {
  bool changed = false;
  for (const EntryPtr& entry : append.entries) {
    if (entry->index <= core_.commit) continue;
    const auto own = core_.log.term_at(entry->index);
    if (own && *own == entry->term) continue;
    if (own) core_.truncate(entry->index);
    core_.append(entry);
    changed = true;
  }
  return changed;
}

void Follower::on_chunk(ServerId from, SnapshotChunk chunk, TimePoint now) {
  enter_term(now);
  const bool is_known =
      chunk.meta.index <= core_.commit || core_.log.term_at(chunk.meta.index) == chunk.meta.term;
  if (is_installing() || is_known) {
    // The same entry at the same place: all before it is equal too, and it was committed.
    if (!is_installing()) {
      matched_ = std::max(matched_, chunk.meta.index);
      core_.commit = std::max(core_.commit, chunk.meta.index);
    }
    answer_due_ = true;
    return;
  }
  snapshots_.on_chunk(from, std::move(chunk));
}

bool Follower::on_installed(const SnapshotInstalled& event) {
  const auto meta = snapshots_.on_installed(event);
  if (!meta) return false;
  core_.restart_log(*meta);
  core_.commit = meta->index;
  matched_ = std::max(matched_, meta->index);
  answer_due_ = true;
  return true;
}

void Follower::on_persisted() {
  if (acknowledged() > told_) answer_due_ = true;
}

void Follower::flush() {
  if (!answer_due_ || core_.leader == ServerId() || core_.leader == core_.self()) return;
  answer_due_ = false;
  told_ = acknowledged();
  core_.send(core_.leader, AppendAnswer{told_, round_, false, Index(), Index(), Term()});
}

}  // namespace riftbus::consensus
