// Which part hears of which event and message.
#include <algorithm>

#include "bus/wire/relayed.h"
#include "node/membership/state.h"

namespace riftbus::membership {

using wire::Claim;
using wire::Standing;

void Membership::State::on(const Tick&, TimePoint, Actions&) {}

void Membership::State::on(const LinkUp& event, TimePoint now, Actions& out) {
  observer.on_link(event.peer, true, now, out);
  if (core.self.speaks() && observer.watches(event.peer)) repair.on_listening(event.peer, now, out);
}

void Membership::State::on(const LinkDown& event, TimePoint now, Actions& out) {
  observer.on_link(event.peer, false, now, out);
}

void Membership::State::on(const Dialled& event, TimePoint now, Actions& out) {
  if (core.self.speaks()) observer.on_dialled(event, now, out);
}

void Membership::State::on(const IncarnationStored& event, TimePoint now, Actions& out) {
  const bool first = !core.self.stored_once();
  if (!core.self.on_stored(event.incarnation) || core.self.has_left()) return;
  core.table.set_self(core.self.record(), Standing::alive, now);
  if (first) {
    beat_due = now + Nanos(core.random.between(0, core.interval().count()));
    join.start(now, out);
    repair.start(now);
    return;
  }
  core.gossip.add(core.self.alive_claim());
  auto told = core.self.take_told();
  // Behind relays: whoever listened to us may have lost us with one of them.
  if (wire::is_relayed(core.self.record())) {
    for (const auto& watcher : core.table.rings().watchers_of(core.id())) {
      if (std::find(told.begin(), told.end(), watcher) == told.end()) told.push_back(watcher);
    }
  }
  for (const auto& id : told) core.tell(id, {core.self.alive_claim()}, out);
}

void Membership::State::on(const RosterAdopted& event, TimePoint now, Actions& out) {
  // Our watchers learn of the new version from our next beat: not an interval later at each hop.
  if (event.version != core.settings.roster) beat_due = std::min(beat_due, now);
  core.settings.roster = event.version;
  core.settings.allowed = event.members;
  std::vector<NodeId> refused;
  for (const auto& [id, member] : core.table.members()) {
    if (id != core.id() && !core.is_allowed(id)) refused.push_back(id);
  }
  for (const auto& id : refused) {
    core.table.forget(id);
    core.announce(Happening::forgotten, {id, {}, Standing::left, {}, {}, {}}, out);
  }
}

void Membership::State::on(const SelfChanged& event, TimePoint, Actions& out) {
  core.self.change(event.record, out);
}

void Membership::State::on(const LeaveRequested&, TimePoint now, Actions& out) {
  if (core.self.has_left()) return;
  if (core.self.speaks()) {
    const wire::Claim goodbye{core.id(), core.self.incarnation(), Standing::left,
                              {},        wire::Evidence::goodbye, std::nullopt};
    core.gossip.add(goodbye);
    core.stats.floods_sent += core.gossip.flush(out);
    // A watcher that has not connected to us again yet, after a restart, hears nothing published.
    for (const NodeId& watcher : core.table.rings().watchers_of(core.id())) {
      out.push_back(Send{watcher, Correlation(), wire::Gossip{{goodbye}}});
    }
    observer.stop(out);
    core.table.set_self(core.self.record(), Standing::left, now);
  }
  core.self.leave();
}

void Membership::State::on(const Received& event, TimePoint now, Actions& out) {
  const auto& envelope = event.envelope;
  const NodeId& origin = envelope.origin;
  if (!core.self.stored_once() || core.self.has_left()) return;
  if (origin == core.id() || !core.is_allowed(origin)) return;
  From from{event, std::nullopt};
  if (event.channel == wire::Channel::pub) {
    observer.on_frame(envelope, now, out);
  } else if (envelope.correlation.value() != 0 && event.reply_to.value() == 0) {
    from.question = core.calls.close(envelope.correlation, origin);
    if (from.question) core.round_trip.learn(now - from.question->asked);
  }
  std::visit([&](const auto& body) { take(body, from, now, out); }, envelope.body);
}

void Membership::State::reply(const From& from, wire::Body body, Actions& out) const {
  // Fenced, we would speak for the life that replaced us.
  if (!core.self.speaks() || from.event.reply_to.value() == 0) return;
  out.push_back(Reply{from.event.reply_to, from.event.envelope.correlation, std::move(body)});
}

void Membership::State::take(const wire::Beat& beat, const From& from, TimePoint now,
                             Actions& out) {
  if (from.event.channel != wire::Channel::pub) return;
  observer.on_beat(from.event.envelope, beat, now);
  hear(from.id(), beat.incarnation, now, out);
  if (core.self.speaks()) repair.on_beat(from.id(), beat.digest, now, out);
}

void Membership::State::take(const wire::Gossip& gossip, const From& from, TimePoint now,
                             Actions& out) {
  const bool flooded = from.event.channel == wire::Channel::pub || from.answers(Purpose::resync);
  for (const auto& claim : gossip.claims) {
    // Said by the subject of itself, or by the accuser of what it sees now: as good as flooded. A
    // verdict in a call is memory, even its speaker's own: verdicts are flooded when they fall.
    const bool of_self = claim.subject == from.id() &&
                         (claim.standing == Standing::alive || claim.standing == Standing::left);
    const bool is_doubt =
        claim.standing == Standing::suspect || claim.standing == Standing::unreachable;
    const bool own_words = of_self || (is_doubt && claim.accuser == from.id());
    learn(claim, flooded || own_words ? Source::spoken : Source::hearsay, from, now, out);
  }
}

void Membership::State::take(const wire::Join& request, const From& from, TimePoint now,
                             Actions& out) {
  const auto& record = request.record;
  if (record.id != from.id() || record.instance != from.event.envelope.instance) {
    ++core.stats.claims_rejected;
    return;
  }
  const Member* known = core.table.find(record.id);
  const Incarnation seen = known == nullptr ? Incarnation{} : known->incarnation;
  core.joined = true;  // whoever asks us is company
  learn({record.id, record.incarnation, Standing::alive, {}, wire::Evidence::none, record},
        Source::spoken, from, now, out);
  reply(from, join.answer(request, seen), out);
}

void Membership::State::take(const wire::JoinAnswer& answer, const From& from, TimePoint now,
                             Actions& out) {
  if (!from.answers(Purpose::join)) return;
  if (answer.seen > core.self.incarnation() && core.self.rise_above(answer.seen, out)) {
    core.self.tell_later(from.id());
  }
  for (const auto& claim : answer.claims) learn(claim, Source::hearsay, from, now, out);
  if (core.self.speaks()) join.on_answer(*from.question, answer, now, out);
}

void Membership::State::take(const wire::Watch& watch, const From& from, TimePoint now,
                             Actions& out) {
  const Nanos lease = Millis(watch.lease_ms);
  if (watch.recruit) {
    observer.on_recruit(from.id(), lease, now);
  } else {
    leases.on_watch(from.id(), lease, now);
  }
  reply(from, wire::WatchAnswer{core.self.incarnation()}, out);
}

void Membership::State::take(const wire::WatchAnswer& answer, const From& from, TimePoint now,
                             Actions& out) {
  if (!from.answers(Purpose::watch)) return;
  observer.on_watch_answer(*from.question, now);
  hear(from.id(), answer.incarnation, now, out);
}

void Membership::State::take(const wire::Ping&, const From& from, TimePoint now, Actions& out) {
  wire::Pong pong;
  pong.incarnation = core.self.incarnation();
  pong.health = static_cast<std::uint8_t>(core.awareness.score());
  pong.uptime_ms = static_cast<std::uint64_t>(to_ms(now - core.started));
  reply(from, pong, out);
}

void Membership::State::take(const wire::Pong& pong, const From& from, TimePoint now,
                             Actions& out) {
  if (!from.answers(Purpose::ping) && !from.answers(Purpose::reference)) return;
  hear(from.id(), pong.incarnation, now, out);
  observer.on_pong(*from.question, pong, now, out);
}

void Membership::State::take(const wire::AskHeard& question, const From& from, TimePoint now,
                             Actions& out) {
  reply(from, observer.heard(question, now), out);
}

void Membership::State::take(const wire::Heard& heard, const From& from, TimePoint now,
                             Actions& out) {
  if (from.answers(Purpose::ask)) observer.on_heard(*from.question, heard, now, out);
}

void Membership::State::take(const wire::Resync& resync, const From& from, TimePoint,
                             Actions& out) {
  auto claims = core.gossip.said(resync.from, resync.to);
  auto pages = into_pages(std::move(claims));
  // The answer holds the first page; the rest, if there is one, follows unasked.
  reply(from, pages.empty() ? wire::Gossip{} : std::move(pages.front()), out);
  for (std::size_t i = 1; i < pages.size(); ++i) {
    out.push_back(Send{from.id(), Correlation{}, std::move(pages[i])});
  }
}

void Membership::State::take(const wire::Digest& digest, const From& from, TimePoint,
                             Actions& out) {
  reply(from, repair.answer(digest), out);
}

void Membership::State::take(const wire::DigestAnswer& answer, const From& from, TimePoint now,
                             Actions& out) {
  if (from.answers(Purpose::digest)) repair.on_answer(from.id(), answer, now, out);
}

void Membership::State::take(const wire::Fetch& fetch, const From& from, TimePoint, Actions& out) {
  reply(from, wire::Gossip{repair.answer(fetch)}, out);
}

}  // namespace riftbus::membership
