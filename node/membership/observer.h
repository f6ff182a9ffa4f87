// Observer: whom we watch, and what our watching leads to.
//
// Holds one Watch for each of our subjects on the rings, and for members that asked us for help
// (they were short of watchers). It turns the watches' decisions into questions, accusations and
// verdicts, and keeps their watching leases alive.
//
// Changes of the rings are followed calmly: a new subject is taken within kReplanDelay (so that a
// burst of joins costs one look), an old one is kept for kLingerIntervals more in case the change
// is taken back; only the dead are dropped at once. A member that is merely suspected keeps its
// place on the rings, so a suspicion moves nobody.
//
// If half of our subjects fall silent together, the common cause is likely our own uplink: then
// two other members are asked as well, and without two answers we accuse nobody (watch.h: doubt).
//
// Pure; not thread-safe.
#pragma once

#include <map>

#include "node/membership/core.h"
#include "node/membership/watch.h"

namespace riftbus::membership {

class Observer {
 public:
  static constexpr Nanos kReplanDelay = Millis(200);
  static constexpr int kLingerIntervals = 5;
  // Two renewals in each lease: most of what one costs is the handshake of an idle connection.
  static constexpr Nanos kLease = std::chrono::minutes(20);
  static constexpr Nanos kLeaseRenewal = std::chrono::minutes(9);
  static constexpr std::size_t kRecruitedMax = 16;  // that we help out at most

  explicit Observer(Core& core) : core_(core) {}

  // A frame of any kind on the member's PUB stream: asks for what was lost before it.
  void on_frame(const wire::Envelope& envelope, TimePoint now, Actions& out);
  void on_beat(const wire::Envelope& envelope, const wire::Beat& beat, TimePoint now);
  void on_link(const NodeId& peer, bool up, TimePoint now, Actions& out);
  void on_dialled(const Dialled& dialled, TimePoint now, Actions& out);
  void on_pong(const Calls::Question& question, const wire::Pong& pong, TimePoint now,
               Actions& out);
  void on_heard(const Calls::Question& question, const wire::Heard& heard, TimePoint now,
                Actions& out);
  void on_watch_answer(const Calls::Question& question, TimePoint now);
  // Another watcher's own words.
  void on_accusation(const wire::Claim& claim, TimePoint now, Actions& out);
  // The member asked to be watched; a span of 0 ends it.
  void on_recruit(const NodeId& peer, Nanos lease, TimePoint now);
  [[nodiscard]] wire::Heard heard(const wire::AskHeard& question, TimePoint now) const;

  void advance(TimePoint now, Actions& out);
  void shift(Nanos by, TimePoint now);
  // Gives up all subjects, with a word to each.
  void stop(Actions& out);

  [[nodiscard]] TimePoint next_deadline() const;
  [[nodiscard]] std::vector<WatchReport> report() const;
  [[nodiscard]] bool watches(const NodeId& id) const { return posts_.contains(id); }
  // Watched by us, and not heard.
  [[nodiscard]] bool misses(const NodeId& id) const;

 private:
  struct Post {
    Watch watch;
    TimePoint renew_due;
    std::optional<TimePoint> linger_until;  // no longer our subject
  };
  using Posts = std::map<NodeId, Post>;

  void follow_table(TimePoint now, Actions& out);
  void refresh(Post& post, const Member& member, TimePoint now, Actions& out);
  void replan(TimePoint now, Actions& out);
  void take(const NodeId& subject, TimePoint now, Actions& out);
  Posts::iterator drop(Posts::iterator at, bool say_so, Actions& out);
  void renew(Post& post, TimePoint now, Actions& out);
  void perform(Post& post, const Outcome& outcome, TimePoint now, Actions& out);
  void ask_others(Post& post, TimePoint now, Actions& out);
  void accuse(Post& post, wire::Evidence evidence, TimePoint now, Actions& out);
  void report_relay_loss(Post& post, TimePoint now, Actions& out);
  void convict(Post& post, wire::Evidence evidence, TimePoint now, Actions& out);
  [[nodiscard]] Climate climate_for(const Post& post) const;
  [[nodiscard]] std::vector<NodeId> other_watchers(const NodeId& subject) const;
  [[nodiscard]] Nanos beat_jitter() const;
  [[nodiscard]] std::size_t lost_count() const;
  [[nodiscard]] bool is_mass_loss() const;

  Core& core_;
  Posts posts_;
  std::map<NodeId, TimePoint> recruited_;  // until when
  std::uint64_t table_version_ = 0;
  TimePoint replan_due_ = TimePoint::max();
  TimePoint replanned_{};
};

}  // namespace riftbus::membership
