#include "node/consensus/applier.h"

#include <algorithm>

#include "config/check.h"

namespace riftbus::consensus {

namespace {

constexpr std::uint64_t kLogPerSnapshot = 2;

}  // namespace

void Applier::on_applied(Index index) {
  RIFTBUS_CHECK(index <= handed_out_);
  applied_ = std::max(applied_, index);
}

void Applier::on_snapshot_taken(const SnapshotTaken& event) {
  if (!asking_ || event.index != asked_) return;
  asking_ = false;
  if (!event.ok || asked_ <= core_.log.snapshot().index) return;
  core_.snapshot_bytes = event.bytes;
  const Index before = core_.log.first();
  SnapshotMeta meta{asked_, core_.log.at(asked_)->term, core_.log.at(asked_)->stamp,
                    core_.log.configuration_at(asked_)};
  const Index base =
      core_.log.compact(meta, core_.limits().trailing_entries, core_.limits().trailing_bytes);
  if (core_.log.first() > before) core_.pending.emplace_back(Compact{base});
}

void Applier::restart(Index index) {
  applied_ = std::max(applied_, index);
  handed_out_ = applied_;
}

void Applier::advance() {
  if (handed_out_ != applied_) return;
  if (is_snapshot_due()) ask_for_snapshot();
  if (core_.commit <= applied_) return;
  Apply apply{core_.log.slice(applied_.next(), core_.commit, core_.limits().apply_bytes,
                              core_.limits().apply_entries)};
  handed_out_ = apply.entries.back()->index;
  core_.pending.emplace_back(std::move(apply));
}

bool Applier::is_snapshot_due() const {
  if (asking_) return false;
  // After one that failed, wait for as much again.
  const Index since = std::max(core_.log.snapshot().index, asked_);
  const std::uint64_t entries = distance(since, applied_);
  const std::uint64_t bytes = core_.log.bytes_between(since, applied_);
  const Limits& limits = core_.limits();
  if (entries >= limits.log_entries || bytes >= limits.log_bytes) return true;
  if (bytes < core_.snapshot_bytes * kLogPerSnapshot) return false;
  return entries >= limits.snapshot_entries || bytes >= limits.snapshot_bytes;
}

void Applier::ask_for_snapshot() {
  asking_ = true;
  asked_ = applied_;
  const EntryPtr& entry = core_.log.at(asked_);
  core_.pending.emplace_back(
      TakeSnapshot{{asked_, entry->term, entry->stamp, core_.log.configuration_at(asked_)}});
}

}  // namespace riftbus::consensus
