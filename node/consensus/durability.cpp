#include "node/consensus/durability.h"

#include <algorithm>

namespace riftbus::consensus {

WriteSeq Durability::issue(Index last, std::uint64_t version) {
  issued_ = issued_.next();
  pending_.push_back({issued_, last, version});
  return issued_;
}

void Durability::complete(WriteSeq seq) {
  while (!pending_.empty() && pending_.front().seq <= seq) {
    const Write& write = pending_.front();
    durable_ = std::max(durable_, write.last);
    hard_version_ = std::max(hard_version_, write.version);
    completed_ = write.seq;
    pending_.pop_front();
  }
}

void Durability::truncate(Index from) {
  durable_ = std::min(durable_, from - 1);
  for (Write& write : pending_) write.last = std::min(write.last, from - 1);
}

void Durability::restart(Index snapshot) {
  truncate(Index(1));
  durable_ = snapshot;
}

}  // namespace riftbus::consensus
