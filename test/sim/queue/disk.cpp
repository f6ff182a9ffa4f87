#include "test/sim/queue/disk.h"

#include <algorithm>

namespace riftbus::consensus {

void LogImage::write(const Action& action, const std::string& snapshot_state) {
  if (const auto* persist = std::get_if<Persist>(&action)) {
    if (persist->hard) hard = *persist->hard;
    while (persist->cut_from != Index() && !entries.empty() &&
           entries.back()->index >= persist->cut_from) {
      entries.pop_back();
    }
    for (const EntryPtr& entry : persist->entries) {
      if (entry->index != last().next()) problem = "a hole in the log on disk";
      entries.push_back(entry);
    }
  } else if (const auto* compact = std::get_if<Compact>(&action)) {
    if (compact->up_to > snapshot.index) problem = "deleted what no snapshot covers";
    while (!entries.empty() && entries.front()->index <= compact->up_to) entries.pop_front();
  } else if (const auto* take = std::get_if<TakeSnapshot>(&action)) {
    snapshot = take->meta;
    state = snapshot_state;
  } else if (const auto* chunk = std::get_if<StoreChunk>(&action)) {
    if (chunk->offset == 0) incoming.clear();
    if (chunk->offset != incoming.size()) {
      problem = "a hole in a snapshot on disk: offset " + std::to_string(chunk->offset) +
                " after " + std::to_string(incoming.size()) + " bytes";
    }
    incoming += chunk->bytes;
  } else if (const auto* install = std::get_if<InstallSnapshot>(&action)) {
    snapshot = install->meta;
    entries.clear();
    state = std::move(incoming);
    incoming.clear();
  }
}

Index LogImage::last() const { return entries.empty() ? snapshot.index : entries.back()->index; }

const Entry* LogImage::find(Index index) const {
  if (entries.empty() || index < entries.front()->index || index > entries.back()->index) {
    return nullptr;
  }
  return entries[static_cast<std::size_t>(index.value() - entries.front()->index.value())].get();
}

bool LogImage::holds(Index index, Term term) const {
  if (const Entry* entry = find(index)) return entry->term == term;
  return index <= snapshot.index;
}

Memory LogImage::load() const {
  Memory memory;
  memory.hard = hard;
  memory.snapshot = snapshot;
  memory.entries.assign(entries.begin(), entries.end());
  memory.snapshot_bytes = state.size();
  return memory;
}

void Disk::submit(Action action, std::string snapshot_state) {
  if (has_failed_) return;
  pending_.push_back({std::move(action), std::move(snapshot_state)});
  if (batch_ == 0 && !manual_) begin_fsync();
}

void Disk::begin_fsync() {
  batch_ = pending_.size();
  if (batch_ == 0) return;
  const Nanos span(random_.between(pace_.fsync_min.count(), pace_.fsync_max.count()));
  schedule_.after(span, [this, life = life_] { end_fsync(life); });
}

void Disk::end_fsync(std::uint64_t life) {
  if (life != life_) return;
  overdue_ = hangs_;
  if (hangs_) return;
  if (refuses_) return fail();
  finish(batch_);
  if (life == life_) begin_fsync();
}

std::size_t Disk::finish(std::size_t count) {
  count = std::min(count, pending_.size());
  std::vector<Action> finished;
  for (std::size_t i = 0; i < count; ++i) {
    image_.write(pending_.front().action, pending_.front().state);
    finished.push_back(std::move(pending_.front().action));
    pending_.pop_front();
  }
  batch_ = 0;
  const std::uint64_t life = life_;
  const bool lumps = !manual_ && random_.chance(0.5);
  for (std::size_t i = 0; i < count && life == life_; ++i) {
    const bool more = i + 1 < count && std::holds_alternative<Persist>(finished[i]) &&
                      std::holds_alternative<Persist>(finished[i + 1]);
    if (!(lumps && more)) done(finished[i]);
  }
  return count;
}

void Disk::fail() {
  std::size_t kept = static_cast<std::size_t>(random_.below(batch_ + 1));
  for (; kept > 0; --kept) {
    image_.write(pending_.front().action, pending_.front().state);
    pending_.pop_front();
  }
  pending_.clear();
  batch_ = 0;
  ++life_;
  has_failed_ = true;
  failed();
}

void Disk::crash(std::size_t kept_max) {
  const std::size_t most = std::min(kept_max, pending_.size());
  std::size_t kept = manual_ ? most : static_cast<std::size_t>(random_.below(most + 1));
  for (; kept > 0; --kept) {
    image_.write(pending_.front().action, pending_.front().state);
    pending_.pop_front();
  }
  pending_.clear();
  image_.incoming.clear();
  batch_ = 0;
  overdue_ = false;
  has_failed_ = false;
  ++life_;
}

void Disk::set_hanging(bool hangs) {
  hangs_ = hangs;
  if (hangs_ || !overdue_) return;
  schedule_.after(Nanos(0), [this, life = life_] { end_fsync(life); });
}

}  // namespace riftbus::consensus
