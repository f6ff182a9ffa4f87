// MemberShell: connects the membership core to the world, and adds nothing of its own.
//
// What the bus hears becomes the core's events; what the core asks for is done in its order: sent,
// published, subscribed, dialled, stored. An incarnation is handed to the disk thread and comes
// back as an event once it is durable; if the disk refuses, it is tried again each second and said
// in the log, because until then this node must keep silent about its new life.
//
// Loop thread only. Everything passed by reference outlives it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bus/bus.h"
#include "config/random.h"
#include "node/disk/disk_thread.h"
#include "node/disk/incarnation_file.h"
#include "node/membership/membership.h"
#include "node/mesh/address_book.h"
#include "node/mesh/http_path.h"
#include "node/mesh/journal.h"

namespace riftbus::node {

class MemberShell {
 public:
  MemberShell(membership::Settings settings, AddressBook addresses, std::string incarnation_path,
              std::uint64_t seed, bus::Bus& bus, DiskThread& disk, Journal& journal);

  // From now on the core's messages may go over HTTP, too. Null: they may not.
  void use(HttpPath* http) { http_ = http; }
  // What HTTP makes of what the bus says (PathGround).
  void on_joint_link(const NodeId& peer, bool up, TimePoint now);
  void on_joint_dialled(const bus::Dialled& dialled, TimePoint now);
  // As the bus is told them.
  [[nodiscard]] AddressBook::Addresses addresses_of(const NodeId& peer) const {
    return addresses_.best(peer, core_);
  }

  // Whether messages of this kind are the core's.
  [[nodiscard]] static bool takes(wire::Kind kind);

  // The core's first step: it takes a new incarnation.
  void start(TimePoint now);
  void on_received(const bus::Received& received, TimePoint now);
  void on_link(const NodeId& peer, bool up, TimePoint now);
  void on_dialled(const bus::Dialled& dialled, TimePoint now);
  void on_roster(const Roster& roster, TimePoint now);
  void on_self_changed(const wire::Record& record, TimePoint now);
  // Says goodbye; the owner keeps the loop running a little for the words to get out.
  void leave(TimePoint now);
  // Runs what is due.
  void tick(TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const;

  // Members whose addresses changed are told to the bus; cheap, once a second.
  void refresh_addresses();

  [[nodiscard]] const membership::Membership& core() const { return core_; }
  // Peers' addresses must be known to the bus before anything is sent to them.
  void make_known(const NodeId& peer);

 private:
  void step(const membership::Event& event, TimePoint now);
  void execute(const membership::Action& action, TimePoint now);
  void store(Incarnation incarnation);
  void announce(const membership::Announce& announce, TimePoint now);

  Random random_;
  membership::Membership core_;
  AddressBook addresses_;
  std::shared_ptr<IncarnationFile> incarnation_file_;
  bus::Bus& bus_;
  DiskThread& disk_;
  Journal& journal_;
  HttpPath* http_ = nullptr;
  std::optional<Incarnation> unstored_;  // the disk refused it: try again
  TimePoint retry_store_{};
};

// The members that a roster allows: every key with a member's role.
[[nodiscard]] std::set<NodeId> allowed_members(const Roster& roster);

}  // namespace riftbus::node
