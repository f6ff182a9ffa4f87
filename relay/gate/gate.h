// Gate: who may connect to a relay, stay, and have what forwarded.
//
// A session begins as a stranger's connection and has `grace` to prove a listed key. It is then a
// node's session of one class, control or bulk, by the user's name it asked for ("n1",
// "n1+bulk"). The newest session of a node and class is the only one: it ends its predecessor, so
// that a node whose link died unnoticed has its listeners back at once and under the same name.
// That takes the node's own key, so nobody can push another node out.
//
// A listener is asked for by number, as a port is with ssh's -R, and is called <node>.<number>:
// no two nodes collide, and the name survives reconnects. Number 0 lets the gate choose: the
// lowest free one from 1 for control, from kBulkNumber for bulk, so that a node which asks for the
// same gets the same.
//
// A session is alive while bytes come. After `keepalive` of silence it is asked for an answer,
// once per interval; after `keepalive` * `missed_max` it is over. A key that leaves the list, or
// expires, ends its sessions; that is noticed when the owner tells the new list or the time.
//
// Strangers are bounded in all and per address, sessions in all and per address, listeners per
// session. Whoever is refused too often is disconnected.
//
// Pure: reads no clock and sends nothing; requests are appended to `out`, to be carried out in
// order. The answer to what a session asked for (Accept, Refuse, ...) is in `out` when step()
// returns. After End, or Gone, a session is forgotten, and events of it are ignored. `now` never
// decreases (CHECKed). Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "relay/gate/allow_list.h"

namespace riftbus::relay {

using SessionNumber = std::uint64_t;

struct GateLimits {
  Nanos grace = Seconds{10};
  Nanos keepalive = Seconds{1};
  std::int64_t missed_max = 3;
  std::size_t attempts_max = 4;  // refused keys and methods; ssh's first, "none", is one
  std::size_t strangers_max = 64;
  std::size_t strangers_per_address_max = 16;  // rented hosts share addresses
  std::size_t sessions_max = 1024;
  std::size_t sessions_per_address_max = 256;
  std::size_t listeners_max = 4;  // of one session
};

// What happened. Texts come from peers and are made printable by whoever shows them.
namespace event {
struct Tick {};  // it is next_deadline() or later
struct WallClock {
  std::int64_t wall_s = 0;
};
struct ListChanged {
  AllowList list;
};
struct Connected {  // numbers only grow
  SessionNumber session = 0;
  std::string address;
};
struct KeyOffered {
  SessionNumber session = 0;
  std::string user;
  std::string key;         // base64
  bool is_proven = false;  // else only asked about
};
struct OtherMethod {  // a password, for instance
  SessionNumber session = 0;
  bool is_question = false;  // "none": how clients ask which methods there are
};
struct ListenAsked {
  SessionNumber session = 0;
  std::string host;
  int port = 0;
};
struct ListenFailed {  // after Listen
  SessionNumber session = 0;
  std::uint16_t number = 0;
};
struct CancelAsked {
  SessionNumber session = 0;
  int port = 0;
};
struct OpenAsked {
  SessionNumber session = 0;
  std::string host;
  int port = 0;
};
struct Heard {
  SessionNumber session = 0;
};
struct Gone {
  SessionNumber session = 0;
};
}  // namespace event
using GateEvent =
    std::variant<event::Tick, event::WallClock, event::ListChanged, event::Connected,
                 event::KeyOffered, event::OtherMethod, event::ListenAsked, event::ListenFailed,
                 event::CancelAsked, event::OpenAsked, event::Heard, event::Gone>;

// What to do, in order.
namespace action {
struct Accept {  // the connection, or the key that was only asked about
  SessionNumber session = 0;
};
struct Refuse {
  SessionNumber session = 0;
  Error error;
};
struct Admit {  // the key is proven
  SessionNumber session = 0;
};
struct Listen {
  SessionNumber session = 0;
  std::uint16_t number = 0;
};
struct Unlisten {
  SessionNumber session = 0;
  std::uint16_t number = 0;
};
struct Open {
  SessionNumber session = 0;
  ForwardEnd target;
};
struct Probe {
  SessionNumber session = 0;
};
struct End {  // its listeners at once
  SessionNumber session = 0;
  Error error;
};
}  // namespace action
using GateAction = std::variant<action::Accept, action::Refuse, action::Admit, action::Listen,
                                action::Unlisten, action::Open, action::Probe, action::End>;
using GateActions = std::vector<GateAction>;
// "listen 7 21017", "end 7 F-1840": the trace of scenario tests.
[[nodiscard]] std::string to_string(const GateAction& action);

struct Guest {
  std::string address;
  TimePoint since{};  // connected, then admitted
  TimePoint heard{};
  TimePoint probed{};
  TimePoint due{};  // when to look at it next
  std::size_t attempts = 0;
  std::optional<NodeId> node;  // once admitted
  TrafficClass traffic = TrafficClass::control;
  std::string key;
  std::set<std::uint16_t> listeners;

  [[nodiscard]] bool is_admitted() const { return node.has_value(); }
};

struct GateCounters {
  std::uint64_t connected = 0;
  std::uint64_t turned_away = 0;  // connections: too many
  std::uint64_t keys_refused = 0;
  std::uint64_t admitted = 0;
  std::uint64_t superseded = 0;
  std::uint64_t silenced = 0;  // sessions that fell silent
  std::uint64_t revoked = 0;   // sessions whose key left the list or expired
  std::uint64_t listeners_refused = 0;
  std::uint64_t opens_refused = 0;
};

class Gate {
 public:
  static constexpr std::uint16_t kBulkNumber = 10'001;

  Gate(const GateLimits& limits, AllowList list);

  void step(const GateEvent& event, TimePoint now, GateActions& out);
  // TimePoint::max() while nobody is here.
  [[nodiscard]] TimePoint next_deadline() const;

  // nullptr: gone.
  [[nodiscard]] const Guest* find(SessionNumber session) const;
  [[nodiscard]] const std::map<SessionNumber, Guest>& guests() const { return guests_; }
  [[nodiscard]] const GateCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t stranger_count() const { return strangers_; }
  [[nodiscard]] std::size_t listed_keys() const { return list_.size(); }

 private:
  using Place = std::map<SessionNumber, Guest>::iterator;

  void on(const event::Tick&, GateActions& out);
  void on(const event::WallClock&, GateActions& out);
  void on(const event::ListChanged&, GateActions& out);
  void on(const event::Connected&, GateActions& out);
  void on(const event::KeyOffered&, GateActions& out);
  void on(const event::OtherMethod&, GateActions& out);
  void on(const event::ListenAsked&, GateActions& out);
  void on(const event::ListenFailed&, GateActions& out);
  void on(const event::CancelAsked&, GateActions& out);
  void on(const event::OpenAsked&, GateActions& out);
  void on(const event::Heard&, GateActions& out);
  void on(const event::Gone&, GateActions& out);

  void admit(Place guest, const NodeId& node, TrafficClass traffic, const std::string& key,
             GateActions& out);
  void refuse_attempt(Place guest, Error error, GateActions& out);
  void look_at(Place guest, GateActions& out);
  void end(Place guest, Error error, GateActions& out);
  void forget(Place guest);
  void end_unlisted(GateActions& out);
  void schedule(Place guest, TimePoint due);
  [[nodiscard]] std::string why_not(const Guest& guest, const std::string& host, int port) const;
  [[nodiscard]] std::uint16_t choose_number(const Guest& guest) const;

  GateLimits limits_;
  AllowList list_;
  TimePoint now_{};
  std::int64_t wall_s_ = 0;
  std::map<SessionNumber, Guest> guests_;
  std::set<std::pair<TimePoint, SessionNumber>> deadlines_;
  std::map<std::string, std::pair<std::size_t, std::size_t>> addresses_;  // all; strangers
  std::map<std::pair<NodeId, TrafficClass>, SessionNumber> newest_;
  std::map<std::pair<NodeId, std::uint16_t>, SessionNumber> listeners_;
  std::size_t strangers_ = 0;
  GateCounters counters_;
};

// The user's name that a session asks for: "n1" or "n1+bulk".
struct UserName {
  NodeId node;
  TrafficClass traffic = TrafficClass::control;
};
[[nodiscard]] std::optional<UserName> parse_user(std::string_view text);

}  // namespace riftbus::relay
