// Watch: one watcher's mind about one member, from its beats to its verdict.
//
//              beat in time                    a beat others heard, or an answer
//   hearing ------------------> hearing    cut <----------------------------+
//      | silence, FIN                        | asks again                   |
//      v                                     v                              |
//   probing: ping it, ask its other watchers, dial it after a FIN ----------+
//      | nobody hears it        | nobody answers me either, and I hear few others
//      v                        v
//   accusing --> convicted   doubting: trouble of my own; ask again, accuse only when it lasts
//      ^ all its relays are lost, and nobody hears it
//   rehoming: unreachable, not suspected, for a bounded time
//
// Silence alone asks, never accuses. Two ways lead to a verdict. By silence: Lifeguard's timer,
// shortened by other watchers' own accusations, while the questions are repeated each interval.
// By refusal: the member's own host refuses connections; when a second watcher was refused as
// well, the member has refused_grace to come back, is dialled once more, and is then dead. A lone
// witness of a refusal (others answer, but were not refused) proves nothing but a broken path; if
// there is no other watcher to ask, the grace is kLoneGraceFactor times as long.
//
// A dying process closes its connections and its listener one after the other, so the first dial
// after a lost connection may still be accepted, which proves nothing: it is dialled again, with
// growing pauses, until it is refused or lives; and at once when another watcher was refused.
//
// A member behind relays is dialled through them whenever it is silent. If not one of them can be
// reached, the path is broken and nothing is known of the member, which may be attaching elsewhere:
// it is said to be unreachable, and asked after each interval, but accused only when kRehomeMax is
// over, counted from when anybody said so; so it is not undead for ever if it went with its relay.
// A relay that answers again, with the member still silent, shortens that to kReattachMax.
//
// A beat is news only if it was not queued (arrival.h), and another watcher's memory is news only
// if it holds a later beat than ours (by sequence number, not by age: clocks and limits differ).
//
// Decides and asks, sends nothing: an Outcome says what the owner shall do.
// Pure; not thread-safe.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "node/membership/arrival.h"
#include "node/membership/membership.h"
#include "node/membership/round_trip.h"
#include "node/membership/suspicion.h"
#include "node/membership/timing.h"

namespace riftbus::membership {

// How things stand around the watcher at this moment.
struct Climate {
  Timing timing;
  int factor = 1;                  // 1 + local health score
  Nanos probe_wait{};              // adapted to measured round trips
  Nanos suspicion_min{};           // likewise
  std::vector<NodeId> others;      // the subject's other live watchers
  std::size_t answers_needed = 0;  // from distinct members, before my own uplink is trusted
  TimePoint others_heard{};        // newest beat or answer of any other subject of mine
  bool is_small = false;           // so few members that there may be nobody left to ask
  TimePoint hold_until{};          // no verdicts before (after a pause of our own)
  std::optional<TimePoint> unreachable_since{};  // by anybody's word
};

enum class Finding : std::uint8_t {
  none,
  link_fault,  // it lives, but not on this link
  accuse,      // say so, to everybody
  verdict,     // say that it is dead
  doubt,       // nobody answers: trouble of our own
  relay_lost,  // its relays are gone: say that it is unreachable
};

struct Outcome {
  bool ping = false;  // the subject
  bool ask = false;   // the other watchers (and references, if many are silent)
  bool dial = false;  // the subject
  Finding finding = Finding::none;
  wire::Evidence evidence = wire::Evidence::none;
  bool unanswered = false;  // a round of questions to others ended without any answer
};

class Watch {
 public:
  static constexpr int kLoneGraceFactor = 5;
  static constexpr int kRedialsPerInterval = 20;  // the first pause; each further one is doubled
  static constexpr int kGraceIntervals = 2;       // for a watch that is new, or whose subject is
  // After so long without any answer it matters no more whether it is us or all the others.
  static constexpr Nanos kDoubtMax = std::chrono::minutes(10);
  // For a member to attach to another relay, or to the same one when that is restarted.
  static constexpr Nanos kRehomeMax = Seconds(60);
  // The same, once a relay of its own answers: tunnels dial it every 1.5 s.
  static constexpr Nanos kReattachMax = Seconds(15);
  // A dial through relays that is not answered at all, not even by its own limit.
  static constexpr Nanos kDialMax = Seconds(3);

  Watch(NodeId self, const wire::Record& record, Incarnation incarnation, const Timing& timing,
        TimePoint now);

  // ---- what is heard. `gap`: frames from..to were lost.
  struct Gap {
    Seq from;
    Seq to;
  };
  std::optional<Gap> on_frame(Instance instance, Seq seq);
  void on_beat(const wire::Beat& beat, Seq seq, int factor, TimePoint now);
  // A beat of this id under an older number: a process that is about to learn its true one.
  void on_older_life(TimePoint now);
  // The answer to a ping.
  Outcome on_pong(const wire::Pong& pong, TimePoint asked, TimePoint now);
  Outcome on_link(bool up, TimePoint now);
  Outcome on_dialled(DialOutcome dialled, const Climate& climate, TimePoint now);
  Outcome on_heard(const NodeId& peer, const wire::Heard& heard, const Climate& climate,
                   TimePoint now);
  // Anybody's answer to a question asked for this probe.
  void on_answer(const NodeId& peer, TimePoint now) { answers_[peer] = now; }
  // Another watcher's own accusation.
  Outcome on_accusation(const NodeId& accuser, wire::Evidence evidence, const Climate& climate,
                        TimePoint now);
  Outcome advance(const Climate& climate, TimePoint now);
  // A new life, or a refutation, of the subject.
  void restart(const wire::Record& record, Incarnation incarnation, TimePoint now);
  // Our own pause: waits go on where they were.
  void shift(Nanos by, TimePoint now);

  // ---- what is known
  [[nodiscard]] TimePoint next_deadline() const;
  [[nodiscard]] WatchReport report() const;
  [[nodiscard]] wire::Heard heard(TimePoint now) const;
  // Not heard, for no fault of the link that we know of.
  [[nodiscard]] bool is_lost() const {
    return mode_ != Mode::hearing && mode_ != Mode::cut && mode_ != Mode::rehoming;
  }
  [[nodiscard]] Incarnation incarnation() const { return incarnation_; }
  [[nodiscard]] const wire::Record& record() const { return record_; }
  // When we ourselves last had proof of its life.
  [[nodiscard]] TimePoint last_heard() const { return last_heard_; }
  // By how much its beats vary on the way, beyond the tenth by which every sender varies them.
  [[nodiscard]] Nanos jitter() const;
  [[nodiscard]] Nanos patience() const { return round_trip_.patience(); }
  RoundTrip& round_trip() { return round_trip_; }

 private:
  enum class Mode : std::uint8_t { hearing, probing, cut, doubting, rehoming, accusing, convicted };

  // Whether our own uplink works, as far as the time since `since` shows.
  [[nodiscard]] bool trusts_uplink(const Climate& climate, TimePoint since) const;
  Outcome doubt(const Climate& climate, TimePoint now);
  Outcome begin_probe(const Climate& climate, TimePoint now);
  Outcome end_probe(const Climate& climate, TimePoint now);
  Outcome accuse(wire::Evidence evidence, const Climate& climate, TimePoint now);
  Outcome rehome(const Climate& climate, TimePoint now);
  Outcome advance_rehoming(const Climate& climate, TimePoint now);
  [[nodiscard]] TimePoint frozen_until(const Climate& climate) const;
  [[nodiscard]] bool is_frozen(const Climate& climate, TimePoint now) const;
  void on_relay_dialled(DialOutcome dialled, const Climate& climate, TimePoint now);
  [[nodiscard]] bool awaits_dial(TimePoint now) const;
  [[nodiscard]] bool dials_again(TimePoint now);
  Outcome weigh_refusals(const Climate& climate, TimePoint now);
  Outcome advance_accusation(const Climate& climate, TimePoint now);
  Outcome end_grace(const Climate& climate, TimePoint now);
  void fall_back_to_silence(TimePoint now);
  void hurry(const Climate& climate);
  void redial_later(TimePoint now);
  [[nodiscard]] bool redial_now();
  Outcome found_cut(TimePoint heard_at, TimePoint now);
  void come_to_life();
  void wait_for_proof(TimePoint now);
  [[nodiscard]] TimePoint silent_at() const;
  [[nodiscard]] Nanos interval() const;

  NodeId self_;
  wire::Record record_;
  Incarnation incarnation_;
  Timing timing_;
  Mode mode_ = Mode::hearing;

  // hearing
  Arrival arrival_;
  RoundTrip round_trip_;
  Nanos limit_{};
  TimePoint last_alive_;    // newest proof of life, ours or another watcher's; waits begin here
  TimePoint last_heard_{};  // ours, as it was: a pause of ours does not move it
  TimePoint grace_until_;   // no silence before
  std::optional<TimePoint> last_beat_;
  Instance instance_;
  Seq frame_seq_;  // of the last frame of any kind
  Seq beat_seq_;   // of the last beat that was news
  std::uint8_t peer_health_ = 0;
  bool linked_ = false;
  bool link_known_ = false;
  bool cut_said_ = false;
  bool missed_once_ = false;  // proof of life came from elsewhere, since the last beat
  std::uint64_t arrival_beats_ = 0, missed_ = 0, stale_ = 0;

  // probing, doubting, accusing
  TimePoint due_ = TimePoint::max();
  TimePoint probe_began_{};
  bool waited_for_proof_ = false;        // once in a doubt
  std::map<NodeId, TimePoint> answers_;  // to questions of ours, the last one of each
  std::set<NodeId> accusers_;            // other watchers, of this incarnation
  std::set<NodeId> witnesses_;           // of a refusal, other watchers
  std::set<NodeId> deniers_;          // other watchers that were not refused, as far as they said
  std::optional<TimePoint> lost_at_;  // the link, since the last proof of life
  bool refused_ = false;
  TimePoint redial_due_ = TimePoint::max();  // the last dial was accepted, the link is lost
  Nanos redial_pause_{};
  std::optional<TimePoint> grace_due_;  // refused: when it is dialled once more
  bool last_dial_ = false;
  std::optional<TimePoint> doubt_since_;
  std::optional<Suspicion> suspicion_;

  // rehoming
  bool is_relayed_ = false;
  std::optional<TimePoint> dialled_at_;    // and not answered yet
  bool relays_lost_ = false;               // says the last answer
  std::optional<TimePoint> frozen_since_;  // the first loss in this silence
  std::optional<TimePoint> frozen_until_;
  std::optional<TimePoint> relay_back_;  // since when one answers again
};

}  // namespace riftbus::membership
