#include "node/consensus/core.h"

#include <algorithm>

#include "config/check.h"

namespace riftbus::consensus {

Core::Core(Settings given, Random& source)
    : settings(std::move(given)),
      random(source),
      log(settings.memory.snapshot, settings.memory.entries),
      durability(log.last()),
      hard(settings.memory.hard),
      commit(settings.memory.snapshot.index),
      snapshot_bytes(settings.memory.snapshot_bytes),
      written_last_(log.last()) {
  RIFTBUS_CHECK(settings.self != ServerId());
  RIFTBUS_CHECK(settings.limits.chunk_bytes <= kChunkBytesMax);
  // The log proves a term that the hard state may have missed: they are written together.
  hard.term = std::max(hard.term, log.last_term());
  if (hard.term != settings.memory.hard.term) hard.vote = ServerId();
  settings.memory = Memory();
}

std::size_t Core::rank_of(ServerId id) const {
  const Configuration& configuration = log.configuration();
  const Server* own = configuration.find(id);
  const std::uint32_t priority = own == nullptr ? 0 : own->priority;
  return static_cast<std::size_t>(std::count_if(
      configuration.servers().begin(), configuration.servers().end(), [&](const Server& server) {
        if (server.standing != Standing::voter || server.id == id) return false;
        if (!seems_alive(server.id)) return false;
        return server.priority != priority ? server.priority > priority : server.id > id;
      }));
}

void Core::set_hard(const HardState& state) {
  RIFTBUS_CHECK(state.term >= hard.term);
  if (state == hard) return;
  hard = state;
  ++hard_version;
}

void Core::set_vote(Term term, ServerId vote) {
  HardState next = hard;
  next.term = term;
  next.vote = vote;
  set_hard(next);
}

bool Core::is_removed() const {
  if (role != Role::follower || leader != ServerId()) return false;
  return is_told_removed || has_removed(self());
}

void Core::append(EntryPtr entry) {
  const Index index = entry->index;
  log.append(std::move(entry));
  changed_from_ = is_log_changed_ ? std::min(changed_from_, index) : index;
  is_log_changed_ = true;
}

void Core::truncate(Index from) {
  RIFTBUS_CHECK(from > commit);
  log.truncate(from);
  durability.truncate(from);
  changed_from_ = is_log_changed_ ? std::min(changed_from_, from) : from;
  is_log_changed_ = true;
}

void Core::restart_log(const SnapshotMeta& snapshot) {
  log.restart(snapshot);
  durability.restart(snapshot.index);
  written_last_ = snapshot.index;
  is_log_changed_ = false;
}

void Core::send(ServerId to, MessageBody body) {
  if (held_.size() >= kHeldMessagesMax) {
    held_.pop_front();
    ++stats.outbox_dropped;
  }
  held_.push_back({hard_version, Message{settings.cluster, hard.generation, self(), to, hard.term,
                                         std::move(body), hard.mark}});
}

void Core::announce(Happening happening, ServerId subject, Reason reason) {
  pending.emplace_back(Announce{happening, hard.term, subject, reason});
}

void Core::flush_write() {
  if (!is_log_changed_ && written_version_ == hard_version) return;
  Persist write;
  if (written_version_ != hard_version) write.hard = hard;
  if (is_log_changed_) {
    if (changed_from_ <= written_last_) write.cut_from = changed_from_;
    for (Index index = changed_from_; index <= log.last(); index = index.next()) {
      write.entries.push_back(log.at(index));
    }
  }
  written_last_ = log.last();
  written_version_ = hard_version;
  is_log_changed_ = false;
  write.seq = durability.issue(log.last(), hard_version);
  pending.emplace_back(std::move(write));
}

void Core::release_messages() {
  // Versions do not decrease along the queue.
  while (!held_.empty() && held_.front().version <= durability.hard_version()) {
    Message& message = held_.front().message;
    if (message.term == hard.term) {
      pending.emplace_back(Send{std::move(message)});
    } else {
      ++stats.outbox_dropped;
    }
    held_.pop_front();
  }
}

}  // namespace riftbus::consensus
