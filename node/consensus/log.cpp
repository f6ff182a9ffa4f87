#include "node/consensus/log.h"

#include <algorithm>
#include <iterator>

#include "config/check.h"
#include "node/consensus/codec.h"

namespace riftbus::consensus {

Log::Log(SnapshotMeta snapshot, const Entries& entries) {
  restart(std::move(snapshot));
  for (const EntryPtr& entry : entries) {
    if (entry->index > base_index_) append(entry);
  }
}

Term Log::last_term() const { return entries_.empty() ? base_term_ : entries_.back().entry->term; }

LogTime Log::last_stamp() const {
  return entries_.empty() ? snapshot_.stamp : entries_.back().entry->stamp;
}

std::optional<Term> Log::term_at(Index index) const {
  if (index == base_index_) return base_term_;
  if (index < base_index_ || index > last()) return std::nullopt;
  return slot(index).entry->term;
}

const EntryPtr& Log::at(Index index) const {
  RIFTBUS_CHECK(index >= first() && index <= last());
  return slot(index).entry;
}

Entries Log::slice(Index from, Index to, std::size_t bytes_max, std::size_t count_max) const {
  Entries result;
  std::size_t bytes = 0;
  for (Index index = from; index <= to && index <= last() && result.size() < count_max;
       index = index.next()) {
    const EntryPtr& entry = at(index);
    bytes += size_of(*entry);
    if (bytes > bytes_max && !result.empty()) break;
    result.push_back(entry);
  }
  return result;
}

Index Log::agreement_before(Index index, Term term) const {
  index = std::min(index, last());
  while (index > base_index_ && slot(index).entry->term > term) index = index - 1;
  return index;
}

bool Log::is_covered_by(Index other_last, Term other_last_term) const {
  if (other_last_term != last_term()) return other_last_term > last_term();
  return other_last >= last();
}

void Log::append(EntryPtr entry) {
  RIFTBUS_CHECK(entry->index == last().next());
  RIFTBUS_CHECK(entry->term >= last_term());
  if (entry->kind == EntryKind::configuration) {
    const auto configuration = decode_configuration(entry->payload);
    RIFTBUS_CHECK(configuration.has_value());  // what comes from outside was decoded before
    milestones_.push_back({entry->index, entry->term, *configuration});
  }
  const std::uint64_t before = bytes_total_;
  bytes_total_ += size_of(*entry);
  entries_.push_back({std::move(entry), before});
}

void Log::truncate(Index from) {
  RIFTBUS_CHECK(from > base_index_);
  while (last() >= from) {
    bytes_total_ = entries_.back().bytes_before;
    entries_.pop_back();
  }
  while (milestones_.size() > 1 && milestones_.back().index >= from) milestones_.pop_back();
}

Index Log::compact(const SnapshotMeta& snapshot, std::uint64_t entries_max,
                   std::uint64_t bytes_max) {
  RIFTBUS_CHECK(snapshot.index <= last());
  if (snapshot.index <= snapshot_.index) return base_index_;
  snapshot_ = snapshot;
  Index base = std::max(base_index_, snapshot.index - entries_max);
  while (bytes_between(base, snapshot.index) > bytes_max) base = base.next();
  if (base == base_index_) return base_index_;
  base_term_ = at(base)->term;
  const auto first_kept =
      entries_.begin() + static_cast<std::ptrdiff_t>(distance(base_index_, base));
  std::deque<Slot> kept(std::make_move_iterator(first_kept),
                        std::make_move_iterator(entries_.end()));
  dropped_.swap(entries_);
  entries_.swap(kept);
  base_index_ = base;
  while (milestones_.size() > 1 && milestones_[1].index <= base) {
    milestones_.erase(milestones_.begin());
  }
  return base_index_;
}

void Log::free_dropped(std::size_t most) {
  for (; most > 0 && !dropped_.empty(); --most) dropped_.pop_front();
}

void Log::restart(SnapshotMeta snapshot) {
  snapshot_ = std::move(snapshot);
  base_index_ = snapshot_.index;
  base_term_ = snapshot_.term;
  dropped_.swap(entries_);
  entries_.clear();
  milestones_.assign(1, Milestone{snapshot_.index, snapshot_.term, snapshot_.configuration});
}

const Configuration& Log::configuration() const { return milestones_.back().configuration; }

Index Log::configuration_index() const { return milestones_.back().index; }

const Configuration& Log::configuration_at(Index index) const {
  auto found = milestones_.begin();
  for (auto next = found + 1; next != milestones_.end() && next->index <= index; ++next) {
    found = next;
  }
  return found->configuration;
}

bool Log::may_be_voter(ServerId id, Index commit) const {
  for (auto each = milestones_.rbegin(); each != milestones_.rend(); ++each) {
    if (each->configuration.is_voter(id)) return true;
    if (each->index <= commit) return false;
  }
  return false;
}

std::uint64_t Log::bytes_through(Index index) const {
  if (index >= last()) return bytes_total_;
  if (index < first()) return entries_.empty() ? bytes_total_ : entries_.front().bytes_before;
  return slot(index.next()).bytes_before;
}

std::uint64_t Log::bytes_between(Index low, Index high) const {
  return high > low ? bytes_through(high) - bytes_through(low) : 0;
}

}  // namespace riftbus::consensus
