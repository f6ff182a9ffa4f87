// Stand: a few replicas in virtual time, with perfect disks and links that can be cut.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "node/replica/replica.h"

namespace riftbus::replica {

inline NodeId node(std::string_view name) { return NodeId::parse(name).value(); }

class Stand {
 public:
  explicit Stand(int voters, std::uint64_t snapshot_entries = 256 * 1024);

  // ---- time
  void run(Nanos span);
  void run_until(const std::function<bool()>& what, Nanos limit = Seconds(30));
  [[nodiscard]] TimePoint now() const { return now_; }

  // ---- servers and links
  std::size_t await_leader();
  [[nodiscard]] QueueReplica& at(std::size_t number) { return *hosts_[number].replica; }
  void isolate(std::size_t number) { cut_.insert(number); }
  void heal() { cut_.clear(); }
  // kill -9 and a new start from what is on disk.
  void restart(std::size_t number);

  // ---- requests
  Ticket ask(std::size_t number, work::Command command, Nanos wait = {});
  Ticket give(std::size_t number, Request request);
  // nullptr: not yet.
  [[nodiscard]] const Answer* answer_to(Ticket ticket) const;
  const Answer& await(Ticket ticket, Nanos limit = Seconds(30));
  // Asked of whoever leads, again and again until it is done.
  work::Reply commit(const work::Command& command);
  Ticket next_ticket() { return Ticket(++tickets_); }

  std::uint64_t persists = 0, sends = 0, answers_seen = 0, snapshots = 0;

 private:
  struct Host {
    std::unique_ptr<Random> random;
    std::unique_ptr<QueueReplica> replica;
    consensus::Memory disk;
    std::string snapshot;
    std::string draft;  // of the next one
    std::deque<consensus::Event> inbox;
  };
  void boot(std::size_t number);
  void turn();
  void execute(std::size_t number, Action& action);
  void keep(Host& host, const consensus::Persist& write);

  std::vector<Host> hosts_;
  std::set<std::size_t> cut_;
  std::map<Ticket, Answer> answers_;
  TimePoint now_{Seconds(1000)};
  std::uint64_t tickets_ = 0;
  std::uint64_t snapshot_entries_;
};

// One item of kind "job".
work::Add add_items(std::size_t count, std::uint64_t nonce, std::uint32_t lease_ms = 600'000);
work::Claim claim(const NodeId& worker, std::uint64_t request, std::uint32_t max = 1);

}  // namespace riftbus::replica
