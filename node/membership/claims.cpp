// What is said of members, and what is said of ourselves.
#include <algorithm>

#include "node/membership/state.h"

namespace riftbus::membership {

using wire::Claim;
using wire::Standing;

namespace {

constexpr Nanos kYouth = Seconds(60);
constexpr int kNamesakesMax = 3;

}  // namespace

void Membership::State::learn(const Claim& claim, Source source, const From& from, TimePoint now,
                              Actions& out) {
  if (claim.subject == core.id()) {
    learn_of_self(claim, from, now, out);
    return;
  }
  if (claim.subject.empty() || !core.is_allowed(claim.subject)) {
    ++core.stats.claims_rejected;
    return;
  }
  // A suspicion by us that we do not hold (any more, or never did): others' memory of it is no
  // reason.
  const bool is_doubt =
      claim.standing == Standing::suspect || claim.standing == Standing::unreachable;
  if (is_doubt && claim.accuser == core.id()) return;
  const Member* before = core.table.find(claim.subject);
  const bool lived = before != nullptr && is_live(before->standing);
  const auto outcome = core.believe(claim, source, now, out);
  const bool by_itself = from.id() == claim.subject;
  // It speaks, or is spoken of, as of a life that we hold to be over: it must hear that. A stale
  // flood needs no answer: floods overtake each other all the time.
  if (outcome.stale && claim.standing == Standing::alive &&
      (by_itself || source == Source::hearsay)) {
    corrections.add(claim.subject, now);
  }
  // Told that a member which we hold alive is dead or suspect: let it speak for itself.
  const bool accused = claim.standing == Standing::dead || (is_doubt && outcome.changed);
  if (source == Source::hearsay && accused && lived && !outcome.stale) {
    corrections.add(claim.subject, now);
  }
  if (claim.standing == Standing::suspect && source == Source::spoken && !outcome.stale) {
    observer.on_accusation(claim, now, out);
  }
}

void Membership::State::learn_of_self(const Claim& claim, const From& from, TimePoint now,
                                      Actions& out) {
  if (claim.standing == Standing::alive) {
    learn_of_namesake(claim, now, out);
    return;
  }
  const bool called = from.event.channel == wire::Channel::call;
  if (claim.incarnation < core.self.incarnation()) {
    // An old story. Who tells it in person has not heard the answer yet.
    if (called && core.self.speaks()) core.tell(from.id(), {core.self.alive_claim()}, out);
    return;
  }
  // True, for all that we know, and not to be denied before somebody reaches us: a call does, what
  // we hear on our own subscriptions or are answered does not.
  const bool is_reached = called && from.event.envelope.correlation.value() == 0;
  if (claim.standing == Standing::unreachable && !is_reached) return;
  if (core.self.fenced()) {
    // The life for which we stepped back is missed, if ever it was: ours goes on above it.
    core.self.unfence();
  }
  if (!core.self.rising()) {
    ++core.stats.refutations;
    // A lost relay is no sign of trouble of our own.
    if (claim.standing != Standing::unreachable) core.awareness.worsen(1, now);
    core.announce(Happening::accused_self, claim, out);
  }
  if (!core.self.rise_above(claim.incarnation, out)) return;
  if (called) core.self.tell_later(from.id());
  core.self.tell_later(claim.accuser);
}

// Another life under our id. For a young process it is its own past; later it is a double.
void Membership::State::learn_of_namesake(const Claim& claim, TimePoint now, Actions& out) {
  if (!claim.record || claim.record->instance == core.settings.instance) return;
  if (claim.incarnation < core.self.incarnation() || core.self.fenced()) return;
  const bool young = now - core.started < kYouth && namesakes < kNamesakesMax;
  if (!core.joined || core.self.rising() || young) {
    ++namesakes;
    core.self.rise_above(claim.incarnation, out);
    return;
  }
  // Equal numbers: the higher instance stays, so that not both step back.
  if (claim.incarnation == core.self.incarnation() &&
      claim.record->instance < core.settings.instance) {
    return;
  }
  core.self.fence();
  core.announce(Happening::conflict, claim, out);
}

void Membership::State::hear(const NodeId& id, Incarnation incarnation, TimePoint now,
                             Actions& out) {
  const auto outcome = core.table.hear(id, incarnation, now);
  if (outcome.stale) corrections.add(id, now);
  if (!outcome.changed) return;
  if (outcome.happening) {
    core.announce(*outcome.happening, {id, incarnation, Standing::alive, {}, {}, {}}, out);
  }
  // A life whose record we do not have: its own words, please.
  core.ask(id, Purpose::fetch, {}, wire::Fetch{{id}}, now, out);
}

}  // namespace riftbus::membership
