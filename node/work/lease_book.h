// LeaseBook: the leader's memory of who renewed what, and its judgement on those who did not.
//
// Renewals are frequent and worth little, so they are never logged: the leader keeps them, and only
// the end of a lease becomes an entry (Expire). A new leader knows nothing of the past and gives
// every lease its whole length again. A checkpoint that must outlive the leader is brought into the
// log by its worker (Note); what renewals said before that is old then, and an Expire leaves it
// out.
//
// Once the end of a lease is proposed, renewals of it are refused, although the entry may not be
// committed yet: an acknowledged renewal is a promise that nobody else is granted the work for a
// lease, and the entry in flight would break it.
//
// For the same reason a leader must know that it leads when it acknowledges: the owner confirms
// its leadership with a quorum after a renewal came in, and only then calls renew() and answers. A
// leader that was deposed without noticing would otherwise promise time that its successor, who
// began counting earlier, has given away.
//
// Pure; not thread-safe. One entry per leased item, so it is bounded as the queue is (what ends
// without a reply that names it, a gang that fell apart, is forgotten when its time comes).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "node/work/queue.h"

namespace riftbus::work {

struct Renewed {  // by a worker, for one grant
  Hold hold;
  std::uint8_t percent = 0;
  std::string checkpoint;  // empty: as before
  bool operator==(const Renewed&) const = default;
};
struct Renewal {
  NodeId worker;
  std::vector<Renewed> works;
  bool operator==(const Renewal&) const = default;
};

enum class Order : std::uint8_t {
  go_on,
  wait,     // a gang that is not complete: hold the work, do not begin it
  cancel,   // stop and report: it is no longer wanted
  preempt,  // write a checkpoint, stop and release
};
struct RenewedAnswer {
  Judged judged;  // anything but `ok`: stop at once
  Order order = Order::go_on;
  bool operator==(const RenewedAnswer&) const = default;
};

class LeaseBook {
 public:
  // This node leads in this term and its own first entry is applied.
  void begin(const WorkQueue& queue, std::uint64_t term, TimePoint now);
  // It no longer leads.
  void end();
  [[nodiscard]] bool is_open() const { return open_; }

  // After each command was applied, with its reply: begins the leases of new grants and forgets
  // those that ended.
  void applied(const WorkQueue& queue, const Reply& reply, TimePoint now);
  [[nodiscard]] std::vector<RenewedAnswer> renew(const WorkQueue& queue, const Renewal& renewal,
                                                 TimePoint now);

  // The leases that ran out, as commands to propose; each is said once.
  [[nodiscard]] std::vector<Expire> expire(const WorkQueue& queue, TimePoint now);
  // Evidence about a worker came in: ends what it holds (Lapse::dead: only work that may overlap).
  [[nodiscard]] std::vector<Expire> expire_worker(const WorkQueue& queue, const NodeId& worker,
                                                  Lapse lapse);
  // TimePoint max: no lease runs.
  [[nodiscard]] TimePoint next_deadline() const;
  [[nodiscard]] std::size_t size() const { return leases_.size(); }

 private:
  struct Lease {
    Fence fence;
    TimePoint until;
    std::uint8_t percent = 0;
    std::string checkpoint;
    std::string logged;   // the log's, when that came
    bool ending = false;  // proposed to be over
  };
  void begin_granted(const WorkQueue& queue, const Claimed& claimed, TimePoint now);
  Lease& start(const Item& item, Nanos length, TimePoint now);
  void drop(WorkId id);
  [[nodiscard]] Return propose_end(const Item& item, Lease& lease);
  [[nodiscard]] std::vector<Expire> pack(std::vector<Return> works, Lapse lapse) const;

  bool open_ = false;
  std::uint64_t term_ = 0;
  std::map<WorkId, Lease> leases_;
  std::set<std::pair<TimePoint, WorkId>> due_;  // of leases that are not ending
};

}  // namespace riftbus::work
