// The hands that break a cluster and mend it.
#include <algorithm>

#include "test/sim/cluster.h"
#include "test/sim/trace.h"

namespace riftbus::sim {

void Cluster::topology_changed() {
  truth_.look_at(network_, now());
  fabric_.on_topology_changed();
}

void Cluster::start_all(Nanos spread) {
  for (HostIndex i = 0; i < hosts_.size(); ++i) {
    const Nanos wait(random_.between(0, spread.count()));
    at(wait, [this, i] { start(i); });
  }
}

void Cluster::start(HostIndex index) {
  if (hosts_[index]->is_running()) return;
  if (!network_.is_up(index)) {
    truth_.look_at(network_, now());
    network_.set_up(index, true);
    topology_changed();
  }
  note(index, "starts");
  hosts_[index]->start();
}

void Cluster::crash(HostIndex index) {
  if (!hosts_[index]->is_running()) return;
  note(index, "is killed");
  truth_.set_running(index, false, now());
  truth_.look_at(network_, now());
  hosts_[index]->stop_process(true);
}

void Cluster::vanish(HostIndex index) {
  if (!hosts_[index]->is_running()) return;
  note(index, "vanishes");
  truth_.set_running(index, false, now());
  truth_.look_at(network_, now());
  hosts_[index]->stop_process(false);
}

void Cluster::restart(HostIndex index, bool wiped) {
  crash(index);
  if (wiped) {
    note(index, "loses its disk");
    hosts_[index]->disk().wipe();
  }
  start(index);
}

void Cluster::pause(HostIndex index, Nanos span) {
  if (!hosts_[index]->is_running() || fabric_.is_paused(index)) return;
  note(index, "is stopped for " + format_span(span));
  truth_.on_stopped(index, now());
  fabric_.pause(index);
  const std::uint32_t life = hosts_[index]->life();
  at(span, [this, index, life] {
    if (!hosts_[index]->is_running() || hosts_[index]->life() != life) return;
    note(index, "goes on");
    truth_.on_continued(index, now());
    const bool timers_first = random_.chance(0.25);
    if (timers_first) hosts_[index]->tick_now();
    fabric_.resume(index);
    if (!timers_first) hosts_[index]->tick_now();
  });
}

// Seen from outside the machine is gone for a while; seen from inside nothing happened.
void Cluster::freeze(HostIndex index, Nanos span) {
  if (!hosts_[index]->is_running() || fabric_.is_paused(index)) return;
  note(index, "is frozen for " + format_span(span));
  truth_.on_stopped(index, now());
  network_.set_up(index, false);
  topology_changed();
  fabric_.pause(index);
  const std::uint32_t life = hosts_[index]->life();
  at(span, [this, index, life, begin = now()] {
    if (!hosts_[index]->is_running() || hosts_[index]->life() != life) return;
    note(index, "thaws");
    truth_.look_at(network_, now());
    truth_.on_continued(index, now());
    thawed_[index] = now();
    hosts_[index]->clock().stand_still(begin, now());
    network_.set_up(index, true);
    topology_changed();
    fabric_.resume(index);
    hosts_[index]->tick_now();
  });
}

bool Cluster::was_frozen(HostIndex index) const {
  const auto found = thawed_.find(index);
  return found != thawed_.end() && now() - found->second < Seconds(30);
}

void Cluster::leave(HostIndex index) {
  if (!hosts_[index]->is_running()) return;
  note(index, "leaves");
  truth_.set_running(index, false, now());
  truth_.look_at(network_, now());
  fabric_.hand(index, [this, index] { hosts_[index]->step(membership::LeaveRequested{}); });
  const std::uint32_t life = hosts_[index]->life();
  at(Seconds(1), [this, index, life] {
    if (!hosts_[index]->is_running() || hosts_[index]->life() != life) return;
    hosts_[index]->stop_process(true);
  });
}

void Cluster::cut(HostIndex from, HostIndex to) {
  note(from, "is cut off towards " + hosts_[to]->id().value());
  truth_.look_at(network_, now());
  network_.cut(from, to);
  topology_changed();
}

void Cluster::mend(HostIndex from, HostIndex to) {
  note(from, "reaches " + hosts_[to]->id().value() + " again");
  truth_.look_at(network_, now());
  network_.mend(from, to);
  topology_changed();
}

void Cluster::partition(const std::vector<HostIndex>& island) {
  if (island.empty()) return;
  note(island.front(), "and " + std::to_string(island.size() - 1) + " more are an island");
  truth_.look_at(network_, now());
  for (HostIndex i = 0; i < hosts_.size(); ++i) network_.set_colour(i, 0);
  for (const HostIndex i : island) network_.set_colour(i, 1);
  topology_changed();
}

void Cluster::heal() {
  note(0, "and all others: the network is whole");
  truth_.look_at(network_, now());
  network_.mend_all();
  topology_changed();
}

void Cluster::change_record(HostIndex index, const std::string& tag) {
  if (!hosts_[index]->is_running()) return;
  note(index, "changes its record");
  wire::Record record = hosts_[index]->own_record();
  record.tags["changed"] = tag;
  fabric_.hand(index,
               [this, index, record] { hosts_[index]->step(membership::SelfChanged{record}); });
}

void Cluster::set_roster(const std::set<NodeId>& members) {
  roster_ = members;
  roster_version_ = roster_version_.next();
  for (const HostIndex index : running()) {
    fabric_.hand(index, [this, index] {
      hosts_[index]->step(membership::RosterAdopted{roster_version_, roster_});
    });
  }
}

}  // namespace riftbus::sim
