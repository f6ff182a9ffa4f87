// HttpPath: membership over HTTP, where the bus does not get through.
//
// Some networks let nothing pass but HTTP. A member whose bus ports cannot be reached is then not
// dead: the same messages that the bus would carry (beats, gossip, calls and their answers) travel
// in sealed posts (bus/seal.h, bus/wire/parcel.h), and the membership core hardly notices. Each
// post brings what this node has for the peer, its answer what the peer has for this node, so it is
// enough that one of the two can reach the other's HTTP port.
//
// hybrid: a watched member is posted to while its beats stay out on the bus, twice in each of its
// intervals, and calls go along that the bus could not deliver. http: likewise, and once in each
// interval while the bus works, so that a failing bus costs no time at all. swim: nothing is sent,
// and posts are refused. What the bus brings always counts as well; nothing is counted twice.
//
// What it adds to the core's view: a link is up as long as either way works, and a dial that the
// bus saw refused or unanswered is asked again over HTTP before the core is told. That nobody
// listens for HTTP is evidence only where somebody did a moment ago: elsewhere HTTP is simply shut.
//
// Nothing but membership and rosters travels so; work and leadership need the bus. It owns no
// socket: posts go out through `ground.post`, and what came of them comes back as on_fetched().
// Loop thread. Bounded: peers by the roster, all queues by the constants here. Times do not
// decrease.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bus/bus.h"
#include "bus/http/client.h"
#include "bus/rate.h"
#include "bus/seal.h"
#include "bus/wire/parcel.h"
#include "node/mesh/http_way.h"

namespace riftbus::node {

struct HttpPathCounters {
  std::uint64_t posts = 0, failed = 0, taken = 0, frames_in = 0, frames_out = 0, frames_dropped = 0,
                flooded = 0;
  std::array<std::uint64_t, bus::kSealRefusals> refused{};  // posts to this node, by reason
};

struct PathGround {
  std::function<std::vector<HttpPlace>(const NodeId&)> places;
  // Of a member that the roster in force allows; else none.
  std::function<std::vector<CurveKey>(const NodeId&)> keys;
  std::function<Nanos(const NodeId&)> interval;   // between its beats
  std::function<bool(const NodeId&)> calls_up;    // the bus is connected for calls to it
  std::function<bool(http::Errand)> post;         // false: not now
  std::function<void(bus::Received&)> deliver;    // origin proven, kind allowed
  std::function<void(const NodeId&, bool)> link;  // as the core is to see it
  std::function<void(const bus::Dialled&)> dialled;
  std::function<void(const NodeId&, bool)> used;  // begins or ends to be heard this way only
};

class HttpPath {
 public:
  static constexpr const char* kRoute = "/membership/beat";
  static constexpr Millis kPostWithin{2000};
  static constexpr Millis kHeadStart{300};  // for the bus, with a call that waits for it
  static constexpr Seconds kCallMax{5};     // that waits for a post
  static constexpr Seconds kBackoffMax{5};
  static constexpr Seconds kShutPause{15};  // after an answer that says: not here
  static constexpr Seconds kHeldMax{2};     // a dial
  // Of what a post carries: its receiver must read it before it knows who sent it. Answers may be
  // as large as a parcel.
  static constexpr std::size_t kPostBytesMax = 40 * 1024;
  static constexpr std::size_t kOutboxMax = 64;
  static constexpr std::size_t kKeptMax = 64;  // publications
  static constexpr std::size_t kKeptBytesMax = 256 * 1024;
  static constexpr std::uint32_t kPostsPerSecond = 40;  // of one peer
  static constexpr std::uint32_t kPostsBurst = 80;

  HttpPath(const KeyPair& own, NodeId self, Instance instance, PathGround ground);

  void set_mode(MembershipMode mode, TimePoint now);
  [[nodiscard]] MembershipMode mode() const { return mode_; }
  [[nodiscard]] bool is_on() const { return mode_ != MembershipMode::swim; }

  // ---- what the node does on the bus
  void subscribe(const NodeId& peer, TimePoint now);
  void unsubscribe(const NodeId& peer);
  void published(Seq seq, const wire::Body& body);
  void sent(const NodeId& to, Correlation correlation, const wire::Body& body,
            bus::SendOutcome outcome, TimePoint now);
  // False: not a call that came this way.
  bool reply(bus::ReplyTo to, Correlation correlation, const wire::Body& body, TimePoint now);

  // ---- what the bus says. False: the core is not to be told (again).
  [[nodiscard]] bool on_bus_link(const NodeId& peer, bool up, TimePoint now);
  [[nodiscard]] bool on_bus_dialled(const bus::Dialled& dialled, TimePoint now);
  [[nodiscard]] bool on_bus_publication(const wire::Envelope& envelope, TimePoint now);

  // ---- HTTP
  // Of no member that may speak, or not to be understood: why.
  struct Shut {};
  struct Flooded {};
  using Outcome = std::variant<std::string, bus::SealRefusal, Shut, Flooded>;
  [[nodiscard]] Outcome on_post(std::string_view sealed, TimePoint now);
  void on_fetched(const http::Fetched& fetched, TimePoint now);
  void tick(TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const { return due_; }

  [[nodiscard]] std::map<NodeId, HttpWay> ways() const;
  [[nodiscard]] const HttpPathCounters& counters() const { return counters_; }

 private:
  struct Waiting {
    wire::ParcelFrame frame;
    TimePoint at;
  };
  struct Kept {
    Seq seq;
    bool is_beat = false;
    std::string envelope;
  };
  struct Peer {
    Peer(const KeyPair& own, const NodeId& self, const NodeId& id_of, std::uint32_t number_of)
        : id(id_of),
          number(number_of),
          caller(own, self, id_of),
          rate(kPostsPerSecond, kPostsBurst) {}
    NodeId id;
    std::uint32_t number;
    bus::SealCaller caller;
    bus::TokenBucket rate;  // of its posts to us
    // The bus.
    bool is_watched = false;
    TimePoint watched_at{};
    TimePoint bus_heard{};
    bool bus_up = false;
    // HTTP, as it went.
    bool http_up = false;
    bool in_use = false;
    TimePoint in_use_since{};
    std::optional<TimePoint> heard;  // a parcel of it, either way
    std::optional<TimePoint> posted_to_us;
    std::optional<TimePoint> failed;  // since then no post was answered
    bool refused = false;             // that last one: nobody listened
    int failures = 0;                 // in a row
    std::uint64_t posts = 0, posts_failed = 0;
    std::string trouble;
    // Posting.
    std::uint64_t errand = 0;  // under way; 0: none
    bool is_greeting = false;
    TimePoint posted{};
    TimePoint not_before{};
    std::size_t place = 0;  // in turn, as they fail
    std::size_t key = 0;
    HttpPlace used;
    std::deque<Waiting> outbox;
    // Publications: the last one of it that reached us, and from where on it wants ours.
    Instance heard_life;
    Seq heard_seq;
    bool listens = false;
    Instance listens_life;
    Seq listens_after;
    // A dial that the bus has lost.
    std::optional<bus::DialOutcome> held;
    TimePoint held_until{};
  };

  [[nodiscard]] Peer* find(const NodeId& id);
  // Null: the roster does not allow it.
  [[nodiscard]] Peer* peer_of(const NodeId& id);
  [[nodiscard]] bool is_silent(const Peer& peer, TimePoint now) const;
  [[nodiscard]] TimePoint silent_at(const Peer& peer) const;
  [[nodiscard]] TimePoint wanted_at(const Peer& peer, TimePoint now) const;
  void hurry(TimePoint at) { due_ = std::min(due_, at); }
  void forget_calls_of_bus(Peer& peer);
  void look_after(Peer& peer, TimePoint now);
  void post(Peer& peer, TimePoint now);
  void judge_use(Peer& peer, TimePoint now);
  void take_down(Peer& peer);
  void on_answer(Peer& peer, const std::string& body, TimePoint now);
  void on_refusal(Peer& peer, unsigned status, const std::string& body, TimePoint now);
  void on_heard(Peer& peer, TimePoint now);
  void fail(Peer& peer, bool refused, std::string trouble, Nanos pause, TimePoint now);
  void settle_dial(Peer& peer, bool is_heard, TimePoint now);
  [[nodiscard]] bus::DialOutcome merged(const Peer& peer, bus::DialOutcome outcome,
                                        TimePoint now) const;
  void forget_strangers();

  // http_path_mail.cpp
  [[nodiscard]] std::string envelope(Correlation correlation, const wire::Body& body);
  void put(Peer& peer, wire::Way way, std::string envelope, TimePoint now);
  [[nodiscard]] std::string pack(Peer& peer, std::size_t bytes_max, TimePoint now);
  void add_publications(const Peer& peer, wire::Parcel& parcel, std::size_t bytes_left,
                        std::size_t bytes_max) const;
  void unpack(Peer& peer, const wire::Parcel& parcel);
  void take(Peer& peer, const wire::ParcelFrame& frame);
  [[nodiscard]] static bool is_newer(Peer& peer, Instance life, Seq seq);

  const KeyPair& own_;
  NodeId self_;
  Instance instance_;
  PathGround ground_;
  MembershipMode mode_ = MembershipMode::swim;
  bus::SealHost host_;
  std::map<NodeId, Peer> peers_;
  std::map<std::uint32_t, NodeId> numbers_;
  std::uint32_t peers_made_ = 0;
  std::uint64_t errands_made_ = 0;
  Seq called_;
  std::deque<Kept> kept_;
  std::size_t kept_bytes_ = 0;
  TimePoint due_ = TimePoint::max();
  HttpPathCounters counters_;
};

}  // namespace riftbus::node
