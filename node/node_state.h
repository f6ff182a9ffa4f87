// What a running node consists of, in the order in which it is built (and, reversed, taken down).
// Private to node.cpp and node_loop.cpp.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <zmq.hpp>

#include "bus/bus.h"
#include "bus/zap.h"
#include "node/desk.h"
#include "node/disk_thread.h"
#include "node/journal.h"
#include "node/member_shell.h"
#include "node/node.h"
#include "node/roster_shell.h"
#include "node/signals.h"

namespace riftbus::node {

struct Node::State {
  explicit State(Prepared prepared_in);

  // node.cpp: building.
  [[nodiscard]] Status open_gate();
  [[nodiscard]] Status open_bus();
  void open_members();
  void log_listeners() const;

  // node_loop.cpp: running.
  void run();
  void turn();
  void handle(const bus::Event& event);
  void on_received(const bus::Received& received);
  void on_owner_kind(const bus::Received& received, wire::Kind kind, const std::set<Role>& roles);
  void on_signal(int number);
  void housekeeping();
  void save_sightings();
  void log_strangers();
  void check_self();
  [[nodiscard]] std::set<Role> roles_of(const NodeId& id) const;
  [[nodiscard]] NodeView view() const;
  [[nodiscard]] TimePoint next_deadline() const;

  Prepared prepared;
  Instance instance;
  Signals signals;
  zmq::context_t context;
  std::unique_ptr<bus::ZapHandler> gate;  // null with --insecure
  std::unique_ptr<bus::Bus> bus;
  Journal journal;
  std::shared_ptr<PeerCache> cache;  // used on the disk thread only, once it runs
  DiskThread disk;
  std::unique_ptr<RosterShell> roster;  // null with --insecure
  std::unique_ptr<MemberShell> members;
  std::unique_ptr<Desk> desk;

  wire::Record self_record;
  bus::WakeId signal_wake;
  bus::WakeId disk_wake;
  TimePoint started;
  TimePoint now;
  TimePoint housekeeping_due;
  TimePoint sightings_due;
  TimePoint self_check_due;
  std::optional<TimePoint> ends_at;  // set once leaving
};

}  // namespace riftbus::node
