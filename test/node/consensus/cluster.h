// Cluster: several consensus servers with modelled disks, links and state machines, in virtual
// time.
//
// Everything happens in one thread, in an order that the seed decides. Messages pass through the
// codec, links keep order and may lose, cut one way and delay; disks complete writes in order after
// a while and forget in a crash what they had not completed; state machines are lists of commands.
//
// Watched at every step, failing the test at once: at most one leader per term; every server
// applies the same command at the same place; log time never goes back; what was acknowledged to a
// client stays (acknowledge() in the test).
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "node/consensus/codec.h"
#include "node/consensus/consensus.h"

namespace riftbus::consensus {

inline ServerId server(std::uint64_t number) { return ServerId(number); }

// Commands applied, in order; its own snapshot.
struct Machine {
  Index at;
  LogTime stamp;
  std::vector<std::string> commands;
  [[nodiscard]] std::string dump() const;
  static Machine load(Index at, LogTime stamp, const std::string& bytes);
};

struct Write {
  Action action;
  std::string snapshot;  // with TakeSnapshot: the state at that moment
};

struct Disk {
  Memory memory;
  std::string snapshot;
  std::string incoming;
  std::deque<Write> writing;  // handed over, not durable
  Nanos delay = Millis(1);
  bool hangs = false;
  std::uint64_t epoch = 0;  // of the process that writes; older completions are void
};

struct Node {
  explicit Node(std::uint64_t seed) : random(seed) {}
  Random random;
  std::unique_ptr<Consensus> core;
  Disk disk;
  Machine machine;
  bool paused = false;         // SIGSTOP
  bool machine_hangs = false;  // applies nothing more
  Policy policy = Policy::raft;
  std::deque<Message> inbox;  // while paused
  std::vector<Announce> news;
  std::map<ReadTicket, Index> ready;
  std::set<ReadTicket> lost;
  [[nodiscard]] bool is_up() const { return core != nullptr; }
};

class Cluster {
 public:
  explicit Cluster(std::uint64_t seed = 1);

  // ---- servers
  void start_voters(int count, Policy policy = Policy::raft,
                    std::vector<std::uint32_t> priorities = {});
  void start_newcomer(ServerId id);
  // kill -9; of the writes under way the first `kept` reach the disk.
  void crash(ServerId id, std::size_t kept = 0);
  void restart(ServerId id);
  void pause(ServerId id) { node(id).paused = true; }
  void resume(ServerId id);
  void hint(std::set<ServerId> alive);
  [[nodiscard]] Node& node(ServerId id) { return *nodes_.at(id); }
  [[nodiscard]] Node& node(std::uint64_t id) { return node(ServerId(id)); }
  [[nodiscard]] Consensus& core(ServerId id) { return *node(id).core; }
  [[nodiscard]] Status status(std::uint64_t id) { return node(id).core->status(); }
  [[nodiscard]] std::vector<ServerId> ids() const;

  // ---- links
  void cut(ServerId from, ServerId to) { cuts_.insert({from, to}); }
  void isolate(ServerId id);
  void heal() { cuts_.clear(); }
  std::function<bool(const Message&)> drop;  // true: lost
  double loss = 0;
  double repeats = 0;
  Nanos delay_min = Millis(1);
  Nanos delay_max = Millis(3);
  Limits limits;
  Timing timing;

  // ---- time
  void run(Nanos span);
  // Fails the test after `limit`. Returns the time it took.
  Nanos run_until(const std::function<bool()>& what, Nanos limit = Seconds(30));
  [[nodiscard]] TimePoint now() const { return now_; }

  // ---- clients
  // The settled leader of the highest term that is up; nobody if there is none.
  [[nodiscard]] ServerId leader();
  ServerId await_leader(Nanos limit = Seconds(30));
  Proposal propose(ServerId to, const std::string& command);
  // Proposed to whoever leads; returns once a server that is up and leads has applied it.
  void commit(const std::string& command);
  void change(const Change& change);
  // Must be in the log of whoever leads, for ever.
  void acknowledge(const Proposal& proposal, const std::string& command);
  [[nodiscard]] bool has_applied(ServerId id, const std::string& command);
  void request(ServerId id, const std::function<void(Consensus&)>& what);
  void step(ServerId id, const Event& event);
  [[nodiscard]] bool agree();  // all members that are up have applied everything

 private:
  using Key = std::pair<TimePoint, std::uint64_t>;
  void at(TimePoint when, std::function<void()> what) { queue_[{when, ++sequence_}] = what; }
  void boot(ServerId id);
  void flush(ServerId id);
  void perform(ServerId id, Action& action);
  void deliver(Message message);
  void write(ServerId id, Action action);
  void finish_write(ServerId id, std::uint64_t epoch);
  void reach_disk(Node& it, const Write& write);
  void complete(ServerId id, const Action& action);
  void apply(ServerId id, const Apply& action);
  void read_snapshot(ServerId id, const ReadSnapshot& action);
  void observe(ServerId id);
  [[nodiscard]] TimePoint next_time();
  void tick();

  Random random_;
  std::map<ServerId, std::unique_ptr<Node>> nodes_;
  std::set<std::pair<ServerId, ServerId>> cuts_;
  std::map<std::pair<ServerId, ServerId>, TimePoint> last_delivery_;
  std::map<Key, std::function<void()>> queue_;
  std::uint64_t sequence_ = 0;
  TimePoint now_{Seconds(1000)};
  std::map<Term, ServerId> leaders_;
  std::map<Index, std::pair<Term, std::string>> decided_;
  std::map<Index, std::pair<Term, std::string>> acknowledged_;
};

}  // namespace riftbus::consensus
