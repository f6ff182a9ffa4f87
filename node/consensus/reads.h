// Reads: linearizable reads without writing to the log (ReadIndex; dissertation, 6.4).
//
// A read may be answered from the state at index i if no later leader can have committed anything
// beyond i when the read came. The leader notes its commit index, asks everybody "am I still your
// leader?" in a numbered round, and when a majority has echoed the round and the state machine has
// reached i, the read is ready. It takes no lease and trusts no clock. A new leader must first
// commit an entry of its own: until then its commit index may lag behind what was decided.
//
// Reads of one turn share a round. Pure; not thread-safe.
#pragma once

#include <deque>

#include "node/consensus/consensus.h"

namespace riftbus::consensus {

class Reads {
 public:
  void add(ReadTicket ticket) { waiting_.push_back({ticket, 0, Index()}); }
  [[nodiscard]] std::size_t count() const { return waiting_.size(); }
  [[nodiscard]] bool wants_round() const { return !waiting_.empty() && waiting_.back().round == 0; }
  void begin_round(std::uint64_t round, Index commit) {
    for (auto read = waiting_.rbegin(); read != waiting_.rend() && read->round == 0; ++read) {
      read->round = round;
      read->index = commit;
    }
  }
  // Rounds and indices do not decrease along the queue.
  void settle(std::uint64_t round_echoed, Index applied, Actions& out) {
    while (!waiting_.empty()) {
      const Read& read = waiting_.front();
      if (read.round == 0 || read.round > round_echoed || read.index > applied) return;
      out.emplace_back(ReadReady{read.ticket, read.index});
      waiting_.pop_front();
    }
  }
  void lose_all(Actions& out) {
    for (const Read& read : waiting_) out.emplace_back(ReadLost{read.ticket});
    waiting_.clear();
  }

 private:
  struct Read {
    ReadTicket ticket;
    std::uint64_t round = 0;  // 0: not begun
    Index index;
  };
  std::deque<Read> waiting_;
};

}  // namespace riftbus::consensus
