// A node's way to the leader, over real sockets on loopback: LeaderWatch and WorkClient of one
// node, and voters that answer what the test tells them to.
//
// Everything runs on the test's thread. Time is the bus's own plus what the test lets pass, so that
// no test waits for a deadline of seconds.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "bus/clock.h"
#include "node/disk/disk_thread.h"
#include "node/mesh/journal.h"
#include "node/mesh/member_shell.h"
#include "node/quorum/leader_watch.h"
#include "node/quorum/work_client.h"
#include "test/bus/bus_world.h"
#include "test/node/temp_folder.h"

namespace riftbus::node {

inline const NodeId kSelf = bus::id_of("n");
inline const NodeId kFirst = bus::id_of("v1");
inline const NodeId kSecond = bus::id_of("v2");
inline const NodeId kThird = bus::id_of("v3");

inline wire::WorkReply says_leader(const NodeId& leader, std::uint64_t term) {
  return {wire::WorkOutcome::done, {}, leader, term, false};
}
inline wire::WorkReply moved_to(const NodeId& leader, std::uint64_t term) {
  return {wire::WorkOutcome::moved, {}, leader, term, false};
}

// A voter: everything that it is asked is kept, and answered as the test wants it.
struct Voter {
  using OnRequest = std::function<std::optional<wire::Body>(const wire::WorkRequest&)>;

  bus::Peer* peer = nullptr;
  OnRequest on_request;  // none, or nothing returned: silent
  std::vector<wire::WorkRequest> asked;
  std::size_t seen = 0;  // of the peer's events

  void turn() {
    for (; seen < peer->events.size(); ++seen) {
      const auto* received = std::get_if<bus::Received>(&peer->events[seen]);
      if (received == nullptr) continue;
      const auto* request = std::get_if<wire::WorkRequest>(&received->envelope.body);
      if (request == nullptr) continue;
      asked.push_back(*request);
      auto answer = on_request ? on_request(*request) : std::nullopt;
      if (answer) peer->bus->reply(received->reply_to, received->envelope.correlation, *answer);
    }
  }
  // How often it was asked this.
  [[nodiscard]] std::size_t count(wire::WorkAsk ask) const {
    std::size_t count = 0;
    for (const auto& one : asked) count += one.ask == ask;
    return count;
  }
};

class QuorumWorld {
 public:
  // This node, two voters, and who else is in `voters`, which is what this node believes.
  explicit QuorumWorld(const std::vector<NodeId>& voters = {kFirst, kSecond})
      : journal_(Instance(1)), self_(&world_.add(kSelf.value())) {
    std::set<NodeId> ids{kFirst, kSecond};
    ids.insert(voters.begin(), voters.end());
    ids.erase(kSelf);
    for (const NodeId& id : ids) voters_[id].peer = &world_.add(id.value());
    std::map<NodeId, AddressBook::Addresses> addresses;
    for (const auto& [id, voter] : voters_) addresses[id] = {bus::World::address_of(*voter.peer)};
    membership::Settings settings;
    settings.self = kSelf;
    settings.instance = Instance(1);
    settings.record.id = kSelf;
    members_ =
        std::make_unique<MemberShell>(std::move(settings), AddressBook(addresses, {}),
                                      folder_.file("incarnation"), 1, *self_->bus, disk_, journal_);
    watch = std::make_unique<LeaderWatch>(kSelf, voters, *self_->bus, *members_);
    client = std::make_unique<WorkClient>(
        kSelf, *self_->bus, *members_, *watch,
        [this](WorkClient::Number number, const wire::WorkRequest& request, TimePoint) {
          here.emplace_back(number, request);
        });
  }

  [[nodiscard]] TimePoint now() const { return bus::boot_now() + passed_; }
  void pass(Nanos span) { passed_ += span; }
  Voter& voter(const NodeId& id) { return voters_[id]; }
  bus::Peer& self() { return *self_; }
  bus::World& world() { return world_; }
  MemberShell& members() { return *members_; }
  Journal& journal() { return journal_; }
  const TempFolder& folder() const { return folder_; }

  void turn() {
    for (auto& [id, voter] : voters_) voter.turn();
    for (; seen_ < self_->events.size(); ++seen_) {
      const auto* received = std::get_if<bus::Received>(&self_->events[seen_]);
      if (received == nullptr) continue;
      const bool is_ours = watch->on_reply(*received, now()) || client->on_reply(*received, now());
      if (!is_ours && on_other) on_other(*received);
    }
    if (is_watching) watch->tick(now());
    client->tick(now());
    if (on_turn) on_turn();
  }
  [[nodiscard]] bool until(const std::function<bool()>& holds) {
    return world_.until([&] {
      turn();
      return holds();
    });
  }

  std::unique_ptr<LeaderWatch> watch;
  std::unique_ptr<WorkClient> client;
  std::vector<std::pair<WorkClient::Number, wire::WorkRequest>> here;  // given to our own replica
  bool is_watching = true;  // false: only the calls themselves are on the wire
  std::function<void(const bus::Received&)> on_other;
  std::function<void()> on_turn;

 private:
  TempFolder folder_;
  Journal journal_;
  DiskThread disk_;
  bus::World world_;
  bus::Peer* self_;
  std::map<NodeId, Voter> voters_;
  std::unique_ptr<MemberShell> members_;
  std::size_t seen_ = 0;  // of our own events
  Nanos passed_{};
};

}  // namespace riftbus::node
