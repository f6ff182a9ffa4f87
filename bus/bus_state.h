// What is behind bus/bus.h: included by bus*.cpp only.
//
// One struct, four files by task: bus.cpp (life, roster, addresses), bus_send.cpp, bus_receive.cpp,
// bus_poll.cpp (one turn of the loop).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "bus/access_list.h"
#include "bus/bus.h"
#include "bus/cut.h"
#include "bus/dialer.h"
#include "bus/fine_timer.h"
#include "bus/intake.h"
#include "bus/link.h"
#include "bus/poll_set.h"
#include "bus/prover.h"
#include "bus/resolver.h"
#include "bus/sessions.h"
#include "bus/socket.h"
#include "bus/wire/bundle.h"
#include "config/random.h"

namespace riftbus::bus {

struct Bus::State {
  struct QueuedCall {
    Correlation correlation;
    wire::Body body;
    TimePoint expires{};
  };
  // A peer that we call.
  struct Callee {
    Callee(LinkWorld& world, const NodeId& peer) : link(world, peer, wire::Channel::call) {}
    Link link;
    std::deque<QueuedCall> queue;
    bool takes_bundles = false;
    wire::Bundle calls;  // of this turn, not sent yet
    TimePoint used{};
  };
  struct Wakeup {
    WakeId id;
    int descriptor = -1;
    void* socket = nullptr;
  };
  // What an entry of `items` is for.
  struct Source {
    enum class Kind : std::uint8_t {
      router,
      publisher,
      data,
      monitor,
      dial,
      resolver,
      wakeup,
      timer
    };
    Kind kind = Kind::router;
    Link* link = nullptr;
    WakeId wake;
  };

  State(zmq::context_t& zmq_context, const KeyPair* keys, Settings chosen);

  // bus.cpp
  [[nodiscard]] std::vector<CurveKey> keys_of(const NodeId& peer) const;
  void refresh_keys(TimePoint now);
  void cut_refused();
  Callee& callee_of(const NodeId& peer, TimePoint now);
  void guard_descriptors(TimePoint now);

  // bus_send.cpp
  [[nodiscard]] std::string encode(Seq seq, Correlation correlation, wire::Body body);
  // Nothing: too large, and counted.
  [[nodiscard]] std::optional<std::string> encode_call(Correlation correlation, wire::Body body);
  void observe_out(wire::Channel channel, const NodeId& peer, std::string_view bytes);
  SendOutcome deliver(Callee& callee, Correlation correlation, wire::Body body);
  SendOutcome answer(ReplyTo to, Correlation correlation, wire::Body body);
  SendOutcome send_call(Callee& callee, std::string_view frame, std::size_t envelopes);
  SendOutcome send_calls(Callee& callee);  // those that wait
  SendOutcome send_answer(ReplyTo to, std::string_view frame, std::size_t envelopes);
  SendOutcome send_answers(ReplyTo to, Session& session);  // those that wait
  void send_bundles();
  void flush(Callee& callee, TimePoint now);
  void greet(Callee& callee, TimePoint now);
  void expire_calls(TimePoint now);

  // bus_receive.cpp; each reads at most `quota` messages and says how many it read.
  std::size_t drain_router(std::size_t quota, TimePoint now, std::vector<Event>& out);
  std::size_t drain_publisher(std::size_t quota);
  std::size_t drain_link(Link& link, zmq::socket_t& socket, std::size_t quota, TimePoint now,
                         std::vector<Event>& out);
  // How many envelopes the frame held; a malformed one counts as one.
  std::size_t take_calls(TimePoint now, std::vector<Event>& out);
  void take_call(ReplyTo to, Session& session, const Connection* connection, std::string_view bytes,
                 TimePoint now, std::vector<Event>& out);
  std::size_t take_answers(Link& link, TimePoint now, std::vector<Event>& out);
  void take_answer(Link& link, std::string_view bytes, TimePoint now, std::vector<Event>& out);
  void take_publication(Link& link, TimePoint now, std::vector<Event>& out);
  [[nodiscard]] bool check_access(const Connection& connection, std::uint64_t& access_version);
  void answer_hello(ReplyTo to, const wire::Envelope& envelope);
  void hear_hello_answer(const NodeId& peer, const wire::Envelope& envelope);
  void refuse_rejected(ReplyTo to);
  void refuse(ReplyTo to, Correlation correlation, std::uint16_t code, std::string what,
              std::string next);

  // bus_poll.cpp
  void rebuild_items();
  void mark_used_sockets();
  [[nodiscard]] TimePoint own_deadline() const;
  [[nodiscard]] bool drain_hot(TimePoint now, std::vector<Event>& out);
  [[nodiscard]] bool drain_polled(TimePoint now, std::vector<Event>& out);
  [[nodiscard]] bool drain_ready(TimePoint now, std::vector<Event>& out);
  std::size_t drain(const Source& source, std::size_t quota, TimePoint now,
                    std::vector<Event>& out);
  void step_links(TimePoint now, std::vector<Event>& out);
  void step_link(Link& link, Callee* callee, TimePoint now, std::vector<Event>& out);
  [[nodiscard]] std::vector<DialTarget> dial_targets(const NodeId& peer, bool& is_relayed,
                                                     TimePoint now);
  void step_dials(TimePoint now, std::vector<Event>& out);
  void sweep(TimePoint now);

  zmq::context_t& context;
  Settings settings;
  Limits& limits;
  Counters counters;
  Traffic traffic;
  Random random;
  SocketFactory sockets;
  Resolver resolver;
  Detours detours;
  LinkWorld world;
  Intake intake;
  Dialer dialer;
  Prover prover;
  ConnectionBook book;
  Sessions sessions;
  FrameObserver* observer = nullptr;

  zmq::socket_t router;
  zmq::socket_t publisher;
  std::uint16_t call_port = 0;
  std::uint16_t pub_port = 0;

  std::shared_ptr<const Roster> roster;
  std::unique_ptr<AccessList> access;
  std::uint64_t access_version = 0;

  std::map<NodeId, std::vector<wire::Address>> addresses;
  std::map<NodeId, Link> subscriptions;
  std::map<NodeId, Callee> callees;
  std::vector<Wakeup> wakeups;
  std::uint32_t wakeups_made = 0;
  FineTimer fine_timer;  // for deadlines within poll()'s grain

  std::vector<ReplyTo> answered;            // sessions with answers of this turn
  bool has_called = false;                  // a callee has calls of this turn
  std::vector<std::string_view> envelopes;  // of the frame being read

  Seq published;
  Seq called;
  std::uint64_t greetings = 0;

  std::vector<Event> pending;  // from calls of the owner, told by the next poll
  PollSet items;
  std::vector<Source> sources;
  std::uint64_t items_generation = 0;
  std::uint64_t dial_generation = 0;
  std::vector<std::size_t> ready;  // indices into `sources` with messages
  std::vector<std::size_t> hot;    // had messages at the last look at all
  int hot_turns = 0;
  std::size_t first_ready = 0;  // rotates, so that nobody is always last
  bool monitors_ready = false;
  bool more = false;
  TimePoint next_sweep{};
  TimePoint next_expiry_check{};
  RateLimited descriptor_speaker;

  // Reused buffers.
  zmq::message_t routing_frame;
  zmq::message_t frame;
  wire::DecodeOutcome outcome;
};

}  // namespace riftbus::bus
