// What leaves a leader: entries, heartbeats, rounds, pieces of a snapshot.
#include <algorithm>

#include "node/consensus/leader.h"

namespace riftbus::consensus {

void Leader::replicate(TimePoint now) {
  if (reads_.wants_round() && is_settled()) {
    reads_.begin_round(++round_, core_.commit);
    beat_all_ = true;
  }
  for (auto& [id, peer] : peers_) replicate_to(id, peer, now);
  beat_all_ = false;
}

void Leader::replicate_to(ServerId to, Progress& peer, TimePoint now) {
  const bool is_due = now >= peer.beat_due();
  if (is_due) peer.allow_probe();
  const bool needs_snapshot =
      peer.mode() != Progress::Mode::snapshot && peer.next() < core_.log.first();
  // Not before it answered in this term: a dead server must not make us read a snapshot.
  if (needs_snapshot && peer.heard()) peer.begin_snapshot(core_.log.snapshot(), now);
  bool sent = false;
  if (peer.mode() == Progress::Mode::snapshot) {
    ask_for_chunks(to, peer, now);
  } else if (!needs_snapshot) {
    sent = send_entries(to, peer, now);
  }
  if (!sent && (is_due || beat_all_)) {
    send_beat(to, peer);
    sent = true;
  }
  if (sent) peer.set_beat_due(now + core_.timing().heartbeat);
}

bool Leader::send_entries(ServerId to, Progress& peer, TimePoint now) {
  const bool is_near = now - peer.contact() < core_.timing().election;
  bool sent = false;
  while (is_near && peer.next() <= core_.log.last() && peer.has_room(core_.limits())) {
    const Index prev = peer.next() - 1;
    Entries entries =
        core_.log.slice(peer.next(), core_.log.last(), kAppendBytesMax, kAppendEntriesMax);
    std::size_t bytes = 0;
    for (const EntryPtr& entry : entries) bytes += size_of(*entry);
    const Index last = entries.back()->index;
    send_append(to, prev, std::move(entries));
    peer.on_sent(last, bytes);
    sent = true;
  }
  return sent;
}

void Leader::send_beat(ServerId to, Progress& peer) {
  // Compared at the last place sent, so that a lost message shows. While a snapshot is sent there
  // is nothing to compare: 0 fits every log.
  const Index prev = peer.next() - 1;
  const bool is_known = peer.mode() != Progress::Mode::snapshot && core_.log.term_at(prev);
  send_append(to, is_known ? prev : Index(), {});
}

void Leader::send_append(ServerId to, Index prev, Entries entries) {
  core_.send(to, Append{prev, core_.log.term_at(prev).value_or(Term()), core_.commit,
                        core_.log.last(), round_, std::move(entries)});
}

void Leader::ask_for_chunks(ServerId to, Progress& peer, TimePoint now) {
  Progress::Transfer& transfer = peer.transfer();
  const bool is_complete = transfer.total != 0 && transfer.acknowledged == transfer.total;
  const Nanos patience = core_.timing().election * (is_complete ? kInstallPatience : 1);
  if (now - transfer.moved >= patience) {  // lost, or a disk did not answer, or it was damaged
    transfer.asked = is_complete ? 0 : transfer.acknowledged;
    transfer.acknowledged = transfer.asked;
    transfer.moved = now;
  }
  const std::uint64_t chunk = core_.limits().chunk_bytes;
  // The first piece alone: it tells how much there is.
  const std::uint64_t window = transfer.total == 0 ? chunk : core_.limits().chunk_window * chunk;
  while (transfer.asked < transfer.acknowledged + window &&
         (transfer.total == 0 || transfer.asked < transfer.total)) {
    core_.pending.emplace_back(ReadSnapshot{to, transfer.asked, core_.limits().chunk_bytes});
    transfer.asked += chunk;
  }
}

void Leader::on_snapshot_bytes(SnapshotBytes event, TimePoint now) {
  const auto found = peers_.find(event.to);
  if (found == peers_.end() || found->second.mode() != Progress::Mode::snapshot) return;
  Progress& peer = found->second;
  if (event.bytes.size() > kChunkBytesMax || event.total > kSnapshotBytesMax) return;
  if (event.meta != peer.transfer().meta) {  // a newer one has been taken meanwhile
    if (event.meta.index < core_.log.snapshot().index) return;
    peer.begin_snapshot(event.meta, now);
    if (event.offset != 0) return;
    peer.transfer().asked = event.bytes.size();
  }
  // Asked for when a longer one was being sent: this one has no such place.
  if (event.offset > event.total || event.bytes.size() > event.total - event.offset) return;
  peer.transfer().total = event.total;
  core_.send(event.to, SnapshotChunk{std::move(event.meta), event.offset, event.total,
                                     std::move(event.bytes)});
}

void Leader::on_snapshot_answer(ServerId from, const SnapshotAnswer& answer, TimePoint now) {
  const auto found = peers_.find(from);
  if (found == peers_.end()) return;
  found->second.on_contact(0, now);
  Progress::Transfer& transfer = found->second.transfer();
  if (found->second.mode() != Progress::Mode::snapshot || answer.index != transfer.meta.index) {
    return;
  }
  if (answer.offset > transfer.total) return;
  if (answer.offset > transfer.acknowledged) transfer.moved = now;
  // It may begin anew (a restart): follow it back when the window is exhausted.
  transfer.acknowledged = answer.offset;
  transfer.asked = std::max(transfer.asked, transfer.acknowledged);
}

}  // namespace riftbus::consensus
