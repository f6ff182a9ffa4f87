#include "test/node/membership/stand.h"

#include <algorithm>

#include "node/membership/rings.h"

namespace riftbus::membership {

namespace {

constexpr Nanos kGrain = Millis(10);

}  // namespace

Stand::Stand(Timing timing) {
  settings_.self = id("me");
  settings_.instance = Instance(99);
  settings_.record = record_of(settings_.self, 0, 99);
  settings_.wall_ms = 1'000'000;
  settings_.timing = timing;
}

void Stand::start() {
  core_ = std::make_unique<Membership>(settings_, random_);
  step(Tick{});
}

void Stand::with_members(int count) {
  start();
  for (int i = 1; i <= count; ++i) take_in(numbered("n", i));
  run(Seconds(8));
  forget_output();
}

void Stand::take_in(const NodeId& member) {
  Peer& taken = peers_[member];
  taken.started = now_ - Seconds(60);
  taken.next_beat = now_ + Millis(100) * (peers_.size() % 10);
  auto record = record_of(member, taken.incarnation, taken.instance);
  if (taken.is_relayed) record.addresses = {relay_address()};
  hear_call(member, wire::Join{record, {}}, 7, Correlation(1));
}

void Stand::silence(const NodeId& member) {
  peer(member).beats = false;
  peer(member).answers = false;
}

void Stand::kill(const NodeId& member) {
  silence(member);
  peer(member).dialled = DialOutcome::refused;
  step(LinkDown{member});
}

std::vector<NodeId> Stand::other_watchers(const NodeId& member) const {
  Rings rings(settings_.timing.watchers);
  for (const Member* each : core_->members()) {
    const bool lives =
        each->standing != wire::Standing::dead && each->standing != wire::Standing::left;
    if (lives) rings.insert(each->record.id, each->record.failure_domain);
  }
  auto watchers = rings.watchers_of(member);
  std::erase(watchers, settings_.self);
  return watchers;
}

void Stand::run(Nanos span) {
  const TimePoint end = now_ + span;
  while (now_ < end) {
    now_ += kGrain;
    for (auto& [member, each] : peers_) {
      if (now_ < each.next_beat) continue;
      each.next_beat += Seconds(1);
      if (each.beats) beat(member);
    }
    if (now_ >= core_->next_deadline()) step(Tick{});
  }
}

Nanos Stand::run_until(Happening happening, const NodeId& subject, Nanos limit) {
  const TimePoint begin = now_;
  const int before = count(happening, subject);
  while (count(happening, subject) == before && now_ - begin < limit) run(kGrain);
  EXPECT_GT(count(happening, subject), before)
      << to_string(happening) << " " << subject.value() << " was not announced";
  return now_ - begin;
}

void Stand::stand_still(Nanos span) {
  now_ += span;
  for (auto& [member, each] : peers_) {
    while (each.next_beat <= now_) each.next_beat += Seconds(1);
  }
}

void Stand::beat(const NodeId& from, Nanos queued) {
  Peer& sender = peers_[from];
  wire::Beat beat;
  beat.incarnation = Incarnation(sender.incarnation);
  beat.uptime_ms = static_cast<std::uint64_t>(to_ms(now_ - queued - sender.started));
  beat.interval_ms = 1000;
  beat.digest = core_->digest();
  ++sender.seq;
  sender.last_beat = now_ - queued;
  if (!subscribed_.contains(from)) return;
  step(Received{wire::Channel::pub, {}, envelope(from, Seq(sender.seq), {}, beat)});
}

void Stand::hear_flood(const NodeId& from, const wire::Claim& claim) {
  Peer& sender = peers_[from];
  ++sender.seq;
  step(
      Received{wire::Channel::pub, {}, envelope(from, Seq(sender.seq), {}, wire::Gossip{{claim}})});
}

void Stand::hear_call(const NodeId& from, wire::Body body, std::uint64_t reply_to,
                      Correlation correlation) {
  step(Received{wire::Channel::call, ReplyTo(reply_to),
                envelope(from, Seq(++call_seq_), correlation, std::move(body))});
}

wire::Envelope Stand::envelope(const NodeId& from, Seq seq, Correlation correlation,
                               wire::Body body) {
  return {from, Instance(peers_[from].instance), seq, correlation, std::move(body)};
}

// Answers come within the same instant, but never inside the step that asked.
void Stand::step(const Event& event) {
  events_.push_back(event);
  if (stepping_) return;
  stepping_ = true;
  while (!events_.empty()) {
    const Event next = std::move(events_.front());
    events_.pop_front();
    Actions actions;
    core_->step(next, now_, actions);
    execute(std::move(actions));
  }
  stepping_ = false;
}

void Stand::execute(Actions actions) {
  for (auto& action : actions) {
    if (auto* announce = std::get_if<Announce>(&action)) announced_.push_back(*announce);
    if (auto* publish = std::get_if<Publish>(&action)) publishes_.push_back(publish->body);
    if (auto* reply = std::get_if<Reply>(&action)) replies_.push_back(*reply);
    if (auto* unsubscribe = std::get_if<Unsubscribe>(&action)) {
      subscribed_.erase(unsubscribe->peer);
    }
    if (auto* subscribe = std::get_if<Subscribe>(&action)) {
      subscribed_.insert(subscribe->peer);
      ++subscriptions_;
      if (peer(subscribe->peer).answers) step(LinkUp{subscribe->peer});
    }
    if (auto* dial = std::get_if<Dial>(&action)) {
      dials_.push_back(dial->peer);
      if (peer(dial->peer).answers_dials) step(Dialled{dial->peer, peer(dial->peer).dialled});
    }
    if (auto* store = std::get_if<StoreIncarnation>(&action)) {
      stores_.push_back(store->incarnation);
      if (disk_works_) step(IncarnationStored{store->incarnation});
    }
    if (auto* send = std::get_if<Send>(&action)) {
      sends_.push_back(*send);
      if (peer(send->to).answers) answer(*send);
    }
  }
}

void Stand::answer(const Send& send) {
  const Peer& answerer = peer(send.to);
  if (send.correlation.value() == 0) return;
  if (std::holds_alternative<wire::Ping>(send.body)) {
    hear_call(send.to, wire::Pong{Incarnation(answerer.incarnation), 0, 0}, 0, send.correlation);
  } else if (std::holds_alternative<wire::Watch>(send.body)) {
    hear_call(send.to, wire::WatchAnswer{Incarnation(answerer.incarnation)}, 0, send.correlation);
  } else if (std::holds_alternative<wire::Digest>(send.body)) {
    hear_call(send.to, wire::DigestAnswer{}, 0, send.correlation);
  } else if (const auto* question = std::get_if<wire::AskHeard>(&send.body)) {
    const Peer& subject = peer(question->subject);
    wire::Heard heard;
    heard.subject = question->subject;
    heard.incarnation = Incarnation(subject.incarnation);
    heard.watching = answerer.can_hear_others;
    heard.refused = answerer.says_refused;
    heard.age_ms = static_cast<std::uint32_t>(to_ms(now_ - subject.last_beat));
    heard.beat_seq = subject.seq;
    hear_call(send.to, heard, 0, send.correlation);
  }
}

int Stand::count(Happening happening, const NodeId& subject) const {
  return static_cast<int>(
      std::count_if(announced_.begin(), announced_.end(), [&](const Announce& announce) {
        return announce.happening == happening && announce.subject == subject;
      }));
}

int Stand::count(Happening happening) const {
  return static_cast<int>(
      std::count_if(announced_.begin(), announced_.end(),
                    [&](const Announce& announce) { return announce.happening == happening; }));
}

const Announce* Stand::last(Happening happening) const {
  for (auto at = announced_.rbegin(); at != announced_.rend(); ++at) {
    if (at->happening == happening) return &*at;
  }
  return nullptr;
}

namespace {

void pick(const wire::Body& body, const NodeId& subject, wire::Standing standing,
          std::vector<wire::Claim>& found) {
  const auto* gossip = std::get_if<wire::Gossip>(&body);
  if (gossip == nullptr) return;
  for (const auto& claim : gossip->claims) {
    if (claim.subject == subject && claim.standing == standing) found.push_back(claim);
  }
}

}  // namespace

std::vector<wire::Claim> Stand::published(const NodeId& subject, wire::Standing standing) const {
  std::vector<wire::Claim> found;
  for (const auto& body : publishes_) pick(body, subject, standing, found);
  return found;
}

std::vector<wire::Claim> Stand::told(const NodeId& to, const NodeId& subject,
                                     wire::Standing standing) const {
  std::vector<wire::Claim> found;
  for (const auto& send : sends_) {
    if (send.to == to) pick(send.body, subject, standing, found);
  }
  return found;
}

wire::Standing Stand::standing(const NodeId& member) const {
  const Member* found = core_->find(member);
  EXPECT_NE(found, nullptr) << member.value() << " is unknown";
  return found == nullptr ? wire::Standing::left : found->standing;
}

WatchReport Stand::report(const NodeId& member) const {
  for (auto& each : core_->watching()) {
    if (each.peer == member) return each;
  }
  ADD_FAILURE() << member.value() << " is not watched";
  return {};
}

void Stand::forget_output() {
  announced_.clear();
  publishes_.clear();
  sends_.clear();
  replies_.clear();
  dials_.clear();
  stores_.clear();
}

}  // namespace riftbus::membership
