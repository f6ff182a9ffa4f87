// MemberHost: the owner of a membership core, as a daemon would be, on a simulated machine.
//
// It holds what survives a process (the disk, the clock, the name) and, while a process runs, the
// core and its connections. It executes the core's actions in order and returns what came of them
// as events, with the duties of the real owner: an envelope's seq counts up per stream, a call
// connection is made when needed and dropped when idle, sockets are drained before timers are
// looked at, and the tick comes at or a little after the deadline.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "bus/wire/message.h"
#include "node/membership/membership.h"
#include "test/sim/disk.h"
#include "test/sim/fabric.h"
#include "test/sim/host_clock.h"

namespace riftbus::sim {

class Cluster;

struct Message : Payload {
  wire::Envelope envelope;
  wire::Channel channel = wire::Channel::call;
  HostIndex from = 0;
  TimePoint sent;
  int hop = -1;  // of a traced claim; -1: it carries none
};

class MemberHost : public Endpoint {
 public:
  MemberHost(Cluster& cluster, HostIndex index, NodeId id, std::uint64_t seed);

  // ---- commands
  void start();
  void stop_process(bool says_fin);  // kill -9, or the whole machine
  void step(const membership::Event& event, const Message* message = nullptr);

  // ---- the machine
  [[nodiscard]] HostIndex index() const { return index_; }
  [[nodiscard]] const NodeId& id() const { return id_; }
  [[nodiscard]] Disk& disk() { return disk_; }
  [[nodiscard]] HostClock& clock() { return clock_; }
  [[nodiscard]] TimePoint local_now() const;
  void set_wall_skew(Nanos skew) { wall_skew_ = skew; }
  [[nodiscard]] std::uint32_t life() const { return life_; }
  [[nodiscard]] TimePoint started() const { return started_; }

  // ---- the process; CHECKed: it runs
  [[nodiscard]] const membership::Membership& core() const;
  [[nodiscard]] bool is_running() const { return core_ != nullptr; }
  [[nodiscard]] const std::map<NodeId, ConnectionId>& subscriptions() const {
    return subscriptions_;
  }
  // When the frame with this PUB sequence number was sent, in virtual time.
  [[nodiscard]] std::optional<TimePoint> published_at(Seq seq) const;
  [[nodiscard]] wire::Record own_record() const;

  void on_up(ConnectionId id) override;
  void on_down(ConnectionId id, Down down) override;
  void on_frame(ConnectionId id, Side receiver, const Frame& frame) override;
  // After a pause: the loop may have been stopped between draining and its timers.
  void tick_now();

 private:
  struct Call {
    ConnectionId connection = 0;
    TimePoint used;
  };
  void execute(const membership::Action& action);
  void publish(const wire::Body& body);
  void send(const membership::Send& request);
  void reply(const membership::Reply& answer);
  void subscribe(const NodeId& peer);
  void unsubscribe(const NodeId& peer);
  void dial(const NodeId& peer);
  void store(Incarnation incarnation);
  [[nodiscard]] std::vector<NodeId> seeds() const;
  void drop_idle_calls();
  void plan_tick();
  [[nodiscard]] Frame make_frame(const wire::Body& body, wire::Channel channel,
                                 Correlation correlation);
  [[nodiscard]] std::optional<HostIndex> resolve(const NodeId& peer) const;

  Cluster& cluster_;
  HostIndex index_;
  NodeId id_;
  Random machine_random_;
  Disk disk_;
  HostClock clock_;
  Nanos wall_skew_{};

  std::uint32_t life_ = 0;
  TimePoint started_;
  std::unique_ptr<Random> core_random_;
  std::unique_ptr<membership::Membership> core_;
  Instance instance_;
  std::set<NodeId> cached_;  // whom the process knew when it ended: on disk, next to the rest
  Seq pub_seq_, call_seq_;
  std::map<NodeId, ConnectionId> subscriptions_;
  std::map<NodeId, Call> calls_;
  std::vector<TimePoint> published_;  // ring by seq
  TimePoint tick_at_ = TimePoint::max();
  std::uint64_t tick_serial_ = 0;
  int ticks_without_progress_ = 0;
};

}  // namespace riftbus::sim
