// What a running node consists of, in the order in which it is built (and, reversed, taken down).
// Private to the node*.cpp.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <zmq.hpp>

#include "bus/bus.h"
#include "bus/zap.h"
#include "config/random.h"
#include "node/api/desk.h"
#include "node/api/dial_backs.h"
#include "node/api/leader_questions.h"
#include "node/api/peer_questions.h"
#include "node/disk/disk_thread.h"
#include "node/disk/standing_orders.h"
#include "node/executor_shell.h"
#include "node/http/http_front.h"
#include "node/mesh/attacher.h"
#include "node/mesh/carrier.h"
#include "node/mesh/http_path.h"
#include "node/mesh/journal.h"
#include "node/mesh/member_shell.h"
#include "node/mesh/reach.h"
#include "node/mesh/roster_shell.h"
#include "node/node.h"
#include "node/quorum/founding.h"
#include "node/quorum/voter_shell.h"
#include "node/quorum/work_client.h"
#include "node/quorum/work_desk.h"
#include "node/signals.h"

namespace riftbus::node {

// Counters are whole numbers.
[[nodiscard]] inline std::uint64_t micros(Nanos span) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(span.count(), 0) / 1000);
}

struct Node::State {
  explicit State(Prepared prepared_in);

  // node.cpp: building.
  [[nodiscard]] Status open_gate();
  [[nodiscard]] Status open_bus();
  void open_members();
  void log_listeners() const;

  // node_leader.cpp: leadership and work.
  void open_leadership();
  [[nodiscard]] VoterSetup voter_setup(const std::vector<NodeId>& first) const;
  void keep_log(VoterSetup setup, Result<OpenedLog> opened);
  [[nodiscard]] consensus::ClusterKey cluster_key() const;
  [[nodiscard]] std::vector<NodeId> first_voters() const;
  [[nodiscard]] std::vector<NodeId> listed_voters() const;
  void learn_names();
  [[nodiscard]] bool on_work_kind(bus::Received& received, wire::Kind kind,
                                  const std::set<Role>& roles);
  bool on_work_reply(const bus::Received& received, const std::set<Role>& roles);
  [[nodiscard]] bool on_leader_query(const bus::Received& received, const std::set<Role>& roles);
  [[nodiscard]] Result<std::string> answer_question(const wire::Query& query,
                                                    const std::set<Role>& roles, bool stale);
  void turn_leadership();
  [[nodiscard]] TimePoint leadership_deadline() const;
  void time_commits();
  [[nodiscard]] Nanos lease_remaining() const;
  void tend_leadership();
  void promote_learners();
  void add_leadership(NodeView& seen) const;

  // node_founding.cpp
  [[nodiscard]] std::string own_note() const;
  void turn_founding();
  void tend_founding();
  void end_founding();
  void open_log(const std::vector<NodeId>& first);
  void on_consensus(const bus::Received& received, const std::set<Role>& roles);

  // node_executor.cpp
  void load_orders();
  void save_orders();
  void open_executor();
  [[nodiscard]] const std::set<Role>& rights_in(const bus::Received& received,
                                                const std::set<Role>& roles) const;
  [[nodiscard]] bool on_executor_query(const bus::Received& received, const std::set<Role>& roles);

  // node_attach.cpp: relays, those that lead here and being one.
  void open_attacher();
  void open_carrier();
  void tend_relays();
  void look_at_relay();
  void add_relays(NodeView& seen) const;
  [[nodiscard]] bool is_relay() const;
  [[nodiscard]] std::map<std::string, std::string> own_tags() const;
  void know_subject(const wire::Query& query);
  [[nodiscard]] bool on_relay_order(const bus::Received& received, const std::set<Role>& roles);
  [[nodiscard]] Result<std::string> restart_tunnels(const wire::Query& query);
  [[nodiscard]] Result<std::string> drain_relay(const wire::Query& query);

  // node_reach.cpp: whether others can dial this node.
  void open_reach();
  void tend_reach();
  void step_reach(const ReachEvent& event);
  void tell_reach();
  [[nodiscard]] bool on_dial_back(const bus::Received& received, const std::set<Role>& roles);
  [[nodiscard]] std::size_t relays_wanted() const;

  // node_http.cpp
  void open_http();
  [[nodiscard]] Glance glance() const;
  [[nodiscard]] NodeId name_for_http() const;
  void answer_for_http(const wire::Query& query, const HttpGround::OnDocument& done);
  void ask_node_for_http(const NodeId& node, const wire::Query& query, HttpGround::OnDocument done);
  void turn_http();
  void tend_http();

  // node_http_path.cpp: membership over HTTP, and how it is turned on and off.
  void open_http_path();
  void choose_membership(MembershipMode mode);
  [[nodiscard]] MembershipMode configured_membership() const;
  [[nodiscard]] std::optional<std::string> own_http_tag() const;
  [[nodiscard]] std::vector<HttpPlace> http_places_of(const NodeId& peer) const;
  [[nodiscard]] std::vector<CurveKey> member_keys(const NodeId& peer) const;
  void on_posted(bus::Received& received);
  [[nodiscard]] Result<std::string> answer_flags(const wire::Query& query,
                                                 const std::set<Role>& roles);

  // node_keys.cpp
  void log_strangers();
  void tell_stranger(const bus::RefusedHandshake& refused);
  void check_own_key();

  // node_loop.cpp: running.
  void run();
  void turn();
  void measure_turn(TimePoint begun);
  void handle(bus::Event& event);
  // Whoever is responsible may take its body.
  void on_received(bus::Received& received);
  // The answer does; if need be it waits (LeaderWatch::when_known).
  [[nodiscard]] static bool names_leader(const wire::Query& query) {
    return query.name == "status" || query.name == "leader.show";
  }
  void take_member_words(const bus::Received& received);
  void on_query(const bus::Received& received);
  void on_owner_kind(const bus::Received& received, wire::Kind kind, const std::set<Role>& roles);
  void on_signal(int number);
  void housekeeping();
  void save_sightings();
  void check_self();
  void renew_record(const wire::Resources& resources);
  [[nodiscard]] const std::set<Role>& roles_of(const NodeId& id) const;
  [[nodiscard]] NodeView view() const;
  [[nodiscard]] TimePoint next_deadline() const;

  Prepared prepared;
  Instance instance;
  Signals signals;
  zmq::context_t context;
  std::unique_ptr<bus::ZapHandler> gate;  // null with --insecure
  struct Stranger {
    bus::RefusedHandshake refused;  // since it was last told of
    TimePoint due;                  // when it may be told of again
  };
  std::map<std::pair<std::string, bus::Refusal>, Stranger> strangers;
  std::unique_ptr<bus::Bus> bus;
  Journal journal;
  std::shared_ptr<PeerCache> cache;  // used on the disk thread only, once it runs
  DiskThread disk;
  std::unique_ptr<RosterShell> roster;   // null with --insecure
  std::unique_ptr<HttpPath> http_path;   // likewise
  std::unique_ptr<http::Client> poster;  // once membership has used HTTP
  std::set<NodeId> called;               // with whom the bus is connected for calls,
  TimePoint called_at;                   // as of then
  std::unique_ptr<MemberShell> members;
  std::unique_ptr<Desk> desk;
  std::unique_ptr<PeerQuestions> peers;
  ServerNames names;
  std::unique_ptr<LeaderWatch> leader;
  std::unique_ptr<WorkClient> work;
  std::unique_ptr<LeaderQuestions> leader_questions;
  std::unique_ptr<WorkDesk> work_desk;
  std::unique_ptr<Founding> founding;       // while a first voter has not begun its log
  std::optional<Error> founding_trouble;    // why not yet
  bool is_opening_log = false;              // on the disk thread; `voter` or a trouble follows
  std::unique_ptr<VoterShell> voter;        // null where this node keeps no log
  std::optional<Error> voter_trouble;       // why not, if it should
  std::unique_ptr<ExecutorShell> executor;  // null where this node runs no work
  StandingOrders orders;
  std::unique_ptr<HttpDesk> http_desk;  // null: HTTP is off
  std::unique_ptr<HttpFront> http;      // null: not listening
  double disk_percent = 0;
  // How long whatever comes must wait until the loop looks at it: its turns, without their sleep.
  struct TurnTimes {
    std::uint64_t turns = 0;
    Nanos sum{};
    Nanos longest{};         // of the window that is over,
    Nanos longest_so_far{};  // of the present one,
    TimePoint window_end;    // which ends then
  };
  TurnTimes turn_times;
  struct CommitTimes {
    std::optional<consensus::Index> awaited;  // one entry at a time
    TimePoint since;
    std::uint64_t count = 0;
    Nanos sum{};
  };
  CommitTimes commit_times;

  wire::Record self_record;
  std::unique_ptr<Attacher> attacher;  // null where everybody can dial this node, or no relay is
  std::unique_ptr<Carrier> carrier;
  Random chance;
  std::unique_ptr<Reach> reach;  // null where nothing depends on it
  std::unique_ptr<DialBacks> dial_backs;
  std::string relay_status = "{}";  // of the relay on this host
  bool own_key_refused = false;     // by most peers
  bool is_reading_relay = false;
  std::vector<bus::Event> events;  // scratch
  bus::WakeId signal_wake;
  bus::WakeId disk_wake;
  bus::WakeId carry_wake;
  std::optional<bus::WakeId> log_wake;
  std::optional<bus::WakeId> http_wake;
  std::optional<bus::WakeId> poster_wake;
  TimePoint started;
  TimePoint now;
  TimePoint housekeeping_due;
  TimePoint sightings_due;
  TimePoint self_check_due;
  TimePoint key_check_due;
  TimePoint http_due;  // when to try again to listen
  TimePoint disk_percent_due;
  std::optional<TimePoint> ends_at;  // set once leaving
};

}  // namespace riftbus::node
