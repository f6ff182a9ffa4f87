// Membership::State: the parts, and which of them hears of what.
//
// Every event goes to the one part it concerns; then whatever is due is done; then the news of the
// step leave in one flush. The split into files: membership.cpp the door, dispatch.cpp messages to
// parts, claims.cpp what is said of members and of ourselves.
#pragma once

#include "node/membership/core.h"
#include "node/membership/corrections.h"
#include "node/membership/join.h"
#include "node/membership/leases.h"
#include "node/membership/observer.h"
#include "node/membership/repair.h"

namespace riftbus::membership {

struct Membership::State {
  State(Settings settings, Random& random)
      : core(std::move(settings), random),
        observer(core),
        leases(core),
        corrections(core),
        join(core),
        repair(core) {}

  // ---- events
  void on(const Received& event, TimePoint now, Actions& out);
  void on(const LinkUp& event, TimePoint now, Actions& out);
  void on(const LinkDown& event, TimePoint now, Actions& out);
  void on(const Dialled& event, TimePoint now, Actions& out);
  void on(const IncarnationStored& event, TimePoint now, Actions& out);
  void on(const RosterAdopted& event, TimePoint now, Actions& out);
  void on(const SelfChanged& event, TimePoint now, Actions& out);
  void on(const LeaveRequested& event, TimePoint now, Actions& out);
  void on(const Tick& event, TimePoint now, Actions& out);

  void start(TimePoint now, Actions& out);
  void forgive_pause(TimePoint now, Actions& out);
  void advance(TimePoint now, Actions& out);
  void beat(TimePoint now, Actions& out);
  void remind(const NodeId& id, TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const;

  // ---- messages; `from` names the speaker and, for answers, the question
  struct From {
    const Received& event;
    std::optional<Calls::Question> question;
    [[nodiscard]] const NodeId& id() const { return event.envelope.origin; }
    [[nodiscard]] bool answers(Purpose purpose) const {
      return question && question->purpose == purpose;
    }
  };
  void take(const wire::Beat& beat, const From& from, TimePoint now, Actions& out);
  void take(const wire::Gossip& gossip, const From& from, TimePoint now, Actions& out);
  void take(const wire::Join& join_request, const From& from, TimePoint now, Actions& out);
  void take(const wire::JoinAnswer& answer, const From& from, TimePoint now, Actions& out);
  void take(const wire::Watch& watch, const From& from, TimePoint now, Actions& out);
  void take(const wire::WatchAnswer& answer, const From& from, TimePoint now, Actions& out);
  void take(const wire::Ping& ping, const From& from, TimePoint now, Actions& out);
  void take(const wire::Pong& pong, const From& from, TimePoint now, Actions& out);
  void take(const wire::AskHeard& question, const From& from, TimePoint now, Actions& out);
  void take(const wire::Heard& heard, const From& from, TimePoint now, Actions& out);
  void take(const wire::Resync& resync, const From& from, TimePoint now, Actions& out);
  void take(const wire::Digest& digest, const From& from, TimePoint now, Actions& out);
  void take(const wire::DigestAnswer& answer, const From& from, TimePoint now, Actions& out);
  void take(const wire::Fetch& fetch, const From& from, TimePoint now, Actions& out);
  // Everything else is the owner's.
  template <class Other>
  void take(const Other&, const From&, TimePoint, Actions&) {}
  void reply(const From& from, wire::Body body, Actions& out) const;

  // ---- claims
  void learn(const wire::Claim& claim, Source source, const From& from, TimePoint now,
             Actions& out);
  void learn_of_self(const wire::Claim& claim, const From& from, TimePoint now, Actions& out);
  void learn_of_namesake(const wire::Claim& claim, TimePoint now, Actions& out);
  // The member itself was heard: beat, answer, request.
  void hear(const NodeId& id, Incarnation incarnation, TimePoint now, Actions& out);

  Core core;
  Observer observer;
  Leases leases;
  Corrections corrections;
  Join join;
  Repair repair;

  bool started = false;
  int namesakes = 0;  // other lives that we went above
  TimePoint last_step{};
  TimePoint promised = TimePoint::max();  // when we wanted to be called at the latest
  TimePoint beat_due = TimePoint::max();
};

}  // namespace riftbus::membership
