// Cluster: a world of machines that run the membership core, and the hands that break it.
//
// It ties the generic parts (schedule, network, fabric, disks) to membership hosts, executes
// faults, keeps the book of what really happened (Truth), and shows every step to the checkers.
// A scenario is a C++ function or a script that calls the commands below; it never judges by
// itself what a checker can judge always.
//
// One Cluster is one run. Everything in it follows from options.seed.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "test/sim/checker.h"
#include "test/sim/fabric.h"
#include "test/sim/member_host.h"
#include "test/sim/trace.h"
#include "test/sim/truth.h"

namespace riftbus::sim {

struct ClusterOptions {
  std::uint64_t seed = 1;
  std::size_t nodes = 5;
  membership::Timing timing = membership::wan_timing();
  LinkOptions link;
  DiskOptions disk;
  std::int64_t drift_ppm_max = 50;
  std::size_t seeds = 3;  // the first nodes are everybody's seeds
  std::size_t trace_lines = 0;
  std::uint64_t jobs_max = 400'000'000;
};

class Cluster {
 public:
  explicit Cluster(const ClusterOptions& options);
  ~Cluster();

  // ---- time
  // False: a violation was found, or the run was cut off; further commands do nothing useful.
  bool run(Nanos span);
  [[nodiscard]] TimePoint now() const { return schedule_.now(); }
  void at(Nanos from_now, std::function<void()> command);

  // ---- commands (hosts are numbered from 0 and named n1, n2, ...)
  void start_all(Nanos spread);
  MemberHost& add_host(const NodeId& id);  // not running yet
  void start(HostIndex host);
  void crash(HostIndex host);
  void vanish(HostIndex host);
  void restart(HostIndex host, bool wiped);
  void pause(HostIndex host, Nanos span);   // SIGSTOP, SIGCONT: the clock goes on
  void freeze(HostIndex host, Nanos span);  // the hypervisor stops the machine and its clock
  void leave(HostIndex host);               // says goodbye, then ends
  void cut(HostIndex from, HostIndex to);   // one way
  void mend(HostIndex from, HostIndex to);
  void partition(const std::vector<HostIndex>& island);  // the island against the rest
  void heal();                                           // all cuts and partitions
  void change_record(HostIndex host, const std::string& tag);
  // What the cluster file says of this id from now on.
  void move_configured(const NodeId& id, HostIndex to) { configured_[id] = to; }
  void set_roster(const std::set<NodeId>& members);
  // Before it starts: behind a router from now on, attached to up to kWaysMax of these relays at a
  // time, the first ones that run.
  static constexpr std::size_t kWaysMax = 2;
  void hide(HostIndex host, std::vector<HostIndex> relays);

  // ---- questions
  [[nodiscard]] std::size_t size() const { return hosts_.size(); }
  [[nodiscard]] MemberHost& host(HostIndex index) { return *hosts_[index]; }
  [[nodiscard]] const MemberHost& host(HostIndex index) const { return *hosts_[index]; }
  [[nodiscard]] std::vector<HostIndex> running() const;
  // Its clock stood still not long ago: it cannot know how old its memories are.
  [[nodiscard]] bool was_frozen(HostIndex host) const;
  // Every running node sees exactly the running nodes alive under their present incarnations; the
  // text says who does not, empty if all do.
  [[nodiscard]] std::string find_disagreement() const;
  // Runs until find_disagreement() is empty; nothing: not within `limit`.
  std::optional<Nanos> run_until_agreement(Nanos limit);
  std::optional<Nanos> run_until(const std::function<bool()>& holds, Nanos limit,
                                 Nanos step = Millis(50));
  [[nodiscard]] std::size_t watchers_wanted() const;  // k, at the present number of nodes

  // ---- hops of one flood: claims about `subject` with this standing
  void trace_flood(const NodeId& subject, wire::Standing standing);
  [[nodiscard]] const std::vector<int>& hops() const { return hops_; }  // per host; -1: not reached
  int hop_of(const MemberHost& host, const wire::Envelope& envelope) const;

  // ---- what went wrong
  void fail(const std::string& what);
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  // The story itself invents accusations.
  void ignore_inventions() { ignores_inventions_ = true; }
  [[nodiscard]] bool ignores_inventions() const { return ignores_inventions_; }
  void add_checker(std::unique_ptr<Checker> checker) { checkers_.push_back(std::move(checker)); }
  // Called for every announcement of any node; for scripts and measurements.
  void set_listener(std::function<void(const MemberHost&, const membership::Announce&)> listener) {
    listener_ = std::move(listener);
  }

  // ---- for the hosts
  [[nodiscard]] Schedule& schedule() { return schedule_; }
  [[nodiscard]] Fabric& fabric() { return fabric_; }
  [[nodiscard]] Network& network() { return network_; }
  [[nodiscard]] Trace& trace() { return trace_; }
  [[nodiscard]] Truth& truth() { return truth_; }
  [[nodiscard]] const Truth& truth() const { return truth_; }
  [[nodiscard]] Random& random() { return random_; }
  [[nodiscard]] const ClusterOptions& options() const { return options_; }
  [[nodiscard]] const std::vector<NodeId>& seed_ids() const { return seed_ids_; }
  [[nodiscard]] const std::set<NodeId>& roster() const { return roster_; }
  [[nodiscard]] std::optional<HostIndex> configured(const NodeId& id) const;
  // Which a hidden host names in its record; empty: it is not hidden.
  [[nodiscard]] std::vector<HostIndex> relays_of(HostIndex host) const;
  [[nodiscard]] RosterVersion roster_version() const { return roster_version_; }
  void on_started(MemberHost& host);
  void on_step(MemberHost& host, const membership::Event& event, const Message* message,
               const membership::Actions& actions);

 private:
  struct Hidden {
    std::vector<HostIndex> relays;  // in the order in which it wants them
    std::vector<HostIndex> named;
    std::set<HostIndex> attaching;
    std::optional<TimePoint> differs_since;  // its ways from what it names
    std::optional<TimePoint> alone_since;
  };
  void tend_hidden();
  void tend(HostIndex host, Hidden& hidden);
  void note(HostIndex host, const std::string& what);
  void topology_changed();
  void check_each_second();
  void follow_flood(const MemberHost& host, const Message& message);

  ClusterOptions options_;
  Schedule schedule_;
  Network network_;
  Fabric fabric_;
  Random random_;
  Trace trace_;
  Truth truth_;
  std::vector<std::unique_ptr<MemberHost>> hosts_;
  std::vector<NodeId> seed_ids_;
  std::set<NodeId> roster_;
  RosterVersion roster_version_{1};
  std::map<NodeId, HostIndex> configured_;
  std::vector<std::unique_ptr<Checker>> checkers_;
  std::vector<std::string> violations_;
  std::function<void(const MemberHost&, const membership::Announce&)> listener_;
  std::map<HostIndex, TimePoint> thawed_;
  std::map<HostIndex, Hidden> hidden_;
  bool ignores_inventions_ = false;
  NodeId flood_subject_;
  wire::Standing flood_standing_ = wire::Standing::alive;
  std::vector<int> hops_;
};

[[nodiscard]] NodeId name_of(HostIndex index);  // 0 -> "n1"

}  // namespace riftbus::sim
