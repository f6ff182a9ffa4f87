#include "node/consensus/snapshot_receiver.h"

namespace riftbus::consensus {

bool SnapshotReceiver::continues(ServerId from, const SnapshotChunk& chunk) const {
  return incoming_ && incoming_->from == from && incoming_->term == core_.hard.term &&
         incoming_->meta == chunk.meta && incoming_->total == chunk.total;
}

void SnapshotReceiver::on_chunk(ServerId from, SnapshotChunk chunk) {
  if (installing_) return;
  ++core_.stats.chunks;
  const SnapshotMeta meta = chunk.meta;
  if (!continues(from, chunk)) {
    incoming_ = Incoming{from, core_.hard.term, chunk.meta, chunk.total, 0};
  }
  if (chunk.offset == incoming_->offset) store(std::move(chunk));
  const bool is_complete = incoming_->offset == incoming_->total;
  core_.send(from, SnapshotAnswer{meta.index, meta.term, incoming_->offset});
  if (!is_complete) return;
  installing_ = meta;
  installing_bytes_ = incoming_->total;
  incoming_.reset();
  core_.flush_write();  // what was to be written before must not follow the new log
  core_.pending.emplace_back(InstallSnapshot{meta});
}

void SnapshotReceiver::store(SnapshotChunk chunk) {
  incoming_->offset += chunk.bytes.size();
  core_.pending.emplace_back(
      StoreChunk{std::move(chunk.meta), chunk.offset, chunk.total, std::move(chunk.bytes)});
}

std::optional<SnapshotMeta> SnapshotReceiver::on_installed(const SnapshotInstalled& event) {
  if (!installing_ || installing_->index != event.index) return std::nullopt;
  std::optional<SnapshotMeta> result = std::move(installing_);
  installing_.reset();
  if (!event.ok) return std::nullopt;
  core_.snapshot_bytes = installing_bytes_;
  return result;
}

}  // namespace riftbus::consensus
