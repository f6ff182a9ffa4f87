// Voter: one process of the replicated queue: the daemon's own QueueReplica, and around it what the
// daemon would be: a loop that gathers events into turns, a disk, links, a clock that drifts.
//
// The process can be killed, started from its disk, and stopped (SIGSTOP): then everything that
// comes waits outside. `told` is the log as the process has handed it to its disk, durable or not:
// what it believes. Not thread-safe; lives in one World.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "node/replica/replica.h"
#include "test/sim/host_clock.h"
#include "test/sim/queue/disk.h"
#include "test/sim/queue/links.h"

namespace riftbus::consensus {

class World;

using AnswerBody = decltype(replica::Answer::body);
using Reply = std::function<void(const AnswerBody&)>;

class Voter {
 public:
  Voter(World& world, ServerId id, std::uint64_t seed);

  void start();
  void crash(std::size_t kept_max = SIZE_MAX);
  void pause() {
    paused_ = true;
    ++pauses_;
  }
  // Names the pause under way, or the last one.
  [[nodiscard]] std::uint64_t pauses() const { return pauses_; }
  void resume();
  void set_policy(consensus::Policy policy);
  void set_clock(const sim::HostClock& clock) { clock_ = clock; }
  // A hypervisor held the machine: its clock did not go on.
  void stand_still(TimePoint from, TimePoint to) { clock_.stand_still(from, to); }
  // Each voter alone knows this; the turn gathers what comes within so much time.
  void set_turn_max(Nanos span) { turn_max_ = span; }

  void receive(const consensus::Message& message);
  // From a client, at the moment it arrives here.
  void ask(replica::Request request, replica::Ticket ticket, Reply reply);
  void take(consensus::Event event);
  // Requests of operators; nothing happens while it is down or stopped.
  void operate(const std::function<void(replica::QueueReplica&, TimePoint)>& what);

  [[nodiscard]] ServerId id() const { return id_; }
  [[nodiscard]] bool is_up() const { return replica_ != nullptr; }
  [[nodiscard]] bool is_paused() const { return paused_; }
  [[nodiscard]] const replica::QueueReplica& replica() const { return *replica_; }
  [[nodiscard]] consensus::Status status() const { return replica_->log().status(); }
  [[nodiscard]] Disk& disk() { return disk_; }
  [[nodiscard]] const Disk& disk() const { return disk_; }
  [[nodiscard]] const LogImage& told() const { return told_; }
  [[nodiscard]] consensus::Policy policy() const { return policy_; }
  // How far the witness has followed it.
  Index seen_applied;
  Index compared_at;

 private:
  struct Asked {
    Reply reply;
    Index decided;  // when it arrived
    TimePoint at{};
  };
  [[nodiscard]] TimePoint local_now() const;
  void post(std::function<void()> what);
  void schedule_turn(Nanos within);
  void schedule_deadline();
  void turn();
  void perform(replica::Action& action);
  void keep_piece(replica::SnapshotPiece& piece);
  void read_snapshot(const consensus::ReadSnapshot& action);
  void answer(const replica::Answer& answer);
  void on_durable(const Action& action);
  void mark(const replica::Actions& actions);

  World& world_;
  ServerId id_;
  Random random_;
  Random core_random_;
  Disk disk_;
  LogImage told_;
  sim::HostClock clock_;
  consensus::Policy policy_ = consensus::Policy::raft;
  std::unique_ptr<replica::QueueReplica> replica_;
  std::string draft_;            // of its own snapshot
  bool is_draft_valid_ = false;  // nothing was installed since it was begun
  std::map<replica::Ticket, Asked> asked_;
  std::deque<std::function<void()>> inbox_;  // while stopped
  Nanos turn_max_{};
  TimePoint turn_at_ = TimePoint::max();
  TimePoint deadline_at_ = TimePoint::max();
  std::uint64_t life_ = 0;
  bool paused_ = false;
  std::uint64_t pauses_ = 0;
  TimePoint read_at_{};  // when the last read of a snapshot is done
};

}  // namespace riftbus::consensus
