// VoterShell: connects this node's server of the replicated log to the world.
//
// The replica (node/replica) decides everything; this shell gives it what the bus and the disk say
// and does what it asks for, in order, once per turn of the loop. Messages to other servers are
// one-way calls; one that the bus does not take is lost, as it might be on the way.
//
// A disk that fails, or whose records are damaged, ends this server's part in the log: it votes and
// acknowledges nothing more, and trouble() says why, in the log, in `status` and in a counter. The
// rest of the node goes on. A log that was here and is gone counts as failed.
//
// Loop thread only, but for open_log(). Everything passed by reference outlives this object.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "config/random.h"
#include "node/mesh/journal.h"
#include "node/quorum/leader_watch.h"
#include "node/quorum/log_disk.h"
#include "node/quorum/server_names.h"
#include "node/replica/replica.h"

namespace riftbus::node {

class MemberShell;

struct VoterSetup {
  NodeId self;
  consensus::ClusterKey cluster;
  std::vector<NodeId> first_voters;  // with whom the log begins; empty: it comes from a leader
  std::string folder;                // of the log; made if it does not exist
  consensus::Policy policy = consensus::Policy::raft;             // by which it begins
  consensus::Policy configured_policy = consensus::Policy::raft;  // to which it may return
  consensus::Timing timing;
  std::uint64_t seed = 1;
};

struct VoterCounters {
  std::uint64_t sent = 0, lost = 0, received = 0, malformed = 0, impostors = 0, disk_failures = 0;
};

// A log as it was found on disk, or begun there.
struct OpenedLog {
  std::unique_ptr<disk::LogStore> store;
  LogStart start;
};

class VoterShell {
 public:
  using OnAnswer = std::function<void(replica::Answer&&)>;

  // Blocking, on any thread: reads and verifies the log, or begins it, and syncs that.
  [[nodiscard]] static Result<OpenedLog> open_log(const VoterSetup& setup);
  VoterShell(VoterSetup setup, OpenedLog log, bus::Bus& bus, MemberShell& members,
             ServerNames& names, LeaderWatch& leader, Journal& journal);

  // A log was begun in this folder, whether it is still there or not.
  [[nodiscard]] static bool had_log(const std::string& folder);

  void on_consensus(const bus::Received& received, TimePoint now);
  void on_disk(TimePoint now);
  void take(replica::Request request, TimePoint now) { replica_->take(std::move(request), now); }
  void set_alive(const std::set<NodeId>& alive, TimePoint now);
  void set_policy(consensus::Policy policy, TimePoint now);
  // Ends the turn: everything that follows from what was taken is done, answers are handed out.
  // `is_on_time`: false while the log's own clock does not run yet: no campaign.
  void flush(TimePoint now, bool is_on_time = true);
  [[nodiscard]] TimePoint next_deadline(TimePoint now) const;
  void on_answer(OnAnswer sink) { on_answer_ = std::move(sink); }

  // ---- operators' requests, answered at once (consensus.h)
  consensus::Refusal transfer(const NodeId& to, TimePoint now);
  consensus::Refusal change(const consensus::Change& change, TimePoint now);
  consensus::Refusal recover(TimePoint now);

  [[nodiscard]] const replica::QueueReplica& replica() const { return *replica_; }
  [[nodiscard]] consensus::Policy configured_policy() const { return setup_.configured_policy; }
  [[nodiscard]] const VoterCounters& counters() const { return counters_; }
  [[nodiscard]] LogDisk::Figures disk() const { return disk_->figures(); }
  [[nodiscard]] const ServerNames& names() const { return names_; }
  // Why this server takes no part, or ought not to; nullptr while all is well. 1714: its log was
  // replaced by a later generation, 1715: it was removed, 1716: another recovery of its generation
  // goes on beside it; else its disk.
  [[nodiscard]] const Error* trouble() const { return trouble_ ? &*trouble_ : nullptr; }
  [[nodiscard]] int wake_fd() const { return disk_->wake_fd(); }

 private:
  void execute(replica::Action& action, TimePoint now);
  void send(const consensus::Message& message, TimePoint now);
  void announce(const consensus::Announce& announce, TimePoint now);
  void fail(const Error& error, TimePoint now);
  void tell_leader(TimePoint now);
  // How the log stands to the others', if that is a trouble.
  void judge_standing(TimePoint now);
  [[nodiscard]] std::optional<Error> find_trouble(const consensus::Glance& glance,
                                                  TimePoint now) const;

  struct Peer {
    NodeId name;
    TimePoint known_until{};  // until then its addresses need not be looked up again
  };

  VoterSetup setup_;
  consensus::ServerId id_;
  Random random_;
  bus::Bus& bus_;
  MemberShell& members_;
  ServerNames& names_;
  LeaderWatch& leader_;
  Journal& journal_;
  std::unique_ptr<replica::QueueReplica> replica_;
  std::unique_ptr<LogDisk> disk_;
  OnAnswer on_answer_;
  VoterCounters counters_;
  std::optional<Error> trouble_;
  bool has_disk_failed_ = false;
  std::map<consensus::ServerId, Peer> peers_;
  std::set<NodeId> alive_;
  std::vector<DiskDone> disk_done_;  // scratch
  replica::Actions actions_;         // scratch
};

// What one turn of the loop may apply of what is decided. A restart or a follower that catches up
// has a whole log to apply, and entries that grant or end 256 items each are small: bounded by
// bytes alone, a turn could take a second, and membership would hear nobody meanwhile.
void bound_turns(replica::ReplicaSettings& settings);

// Stable for the life of a cluster: whatever the voters are, now or later.
[[nodiscard]] consensus::ClusterKey cluster_key_of(const std::string& cluster,
                                                   const std::string& authority);

}  // namespace riftbus::node
