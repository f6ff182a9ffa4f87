#include "bus/intake.h"

#include <utility>

#include "bus/wire/topic.h"

namespace riftbus::bus {

namespace {

constexpr std::array<std::string_view, 7> kTexts = {
    "bus: message rejected",
    "bus: message dropped: its origin is not the owner of the connection's key",
    "bus: message dropped: wrong channel for its kind",
    "bus: message dropped: origin is above its rate",
    "bus: message dropped: not one frame",
    "bus: call dropped: the connection did not begin with hello",
    "bus: message dropped: its connection proved no key",
};

bool is_call(const wire::Body& body) { return wire::kind_of(body) != wire::Kind::beat; }

}  // namespace

Admission Intake::admit_call(const NodeId* proven, std::string_view bytes, TimePoint now,
                             wire::DecodeOutcome& outcome) {
  Origin* origin = nullptr;
  if (proven != nullptr) {
    origin = &origin_of(*proven);
    if (const auto verdict = judge_rate(*origin, *proven, bytes.size(), now)) return *verdict;
  }
  if (const auto verdict = decode(proven, bytes, now, outcome)) return *verdict;
  const wire::Envelope& envelope = outcome.envelope;
  if (origin == nullptr) {
    origin = &origin_of(envelope.origin);
    if (const auto verdict = judge_rate(*origin, envelope.origin, bytes.size(), now)) {
      return *verdict;
    }
  }
  if (!is_call(envelope.body)) {
    ++counters_.wrong_channel;
    report(Misdeed::wrong_channel, envelope.origin.value(), "publication as a call", now);
    return Admission::dropped;
  }
  if (!origin->seen.admit(envelope.instance, envelope.seq)) {
    ++counters_.duplicates;
    return Admission::dropped;
  }
  return Admission::accepted;
}

Admission Intake::admit_publication(const NodeId& proven, std::string_view frame, TimePoint now,
                                    wire::DecodeOutcome& outcome) {
  if (const auto verdict = judge_rate(origin_of(proven), proven, frame.size(), now)) {
    return Admission::dropped;
  }
  const auto parts = wire::split_pub_frame(frame);
  if (!parts) {
    ++counters_.bad_frames;
    report(Misdeed::bad_frame, proven.value(), "no topic", now);
    return Admission::dropped;
  }
  if (decode(&proven, parts->envelope, now, outcome)) return Admission::dropped;
  if (wire::topic_of(wire::kind_of(outcome.envelope.body)) != parts->topic) {
    ++counters_.wrong_channel;
    report(Misdeed::wrong_channel, proven.value(), "topic does not fit the kind", now);
    return Admission::dropped;
  }
  return Admission::accepted;
}

std::optional<Admission> Intake::judge_rate(Origin& origin, const NodeId& id, std::size_t bytes,
                                            TimePoint now) {
  const RateVerdict verdict = origin.rate.judge(now, bytes);
  if (verdict == RateVerdict::accept) return std::nullopt;
  ++counters_.flooded;
  report(Misdeed::flood, id.value(), "", now);
  return verdict == RateVerdict::drop_and_tell ? Admission::tell_flooded : Admission::dropped;
}

std::optional<Admission> Intake::decode(const NodeId* proven, std::string_view bytes, TimePoint now,
                                        wire::DecodeOutcome& outcome) {
  outcome = wire::decode(bytes);
  const bool has_origin = outcome.ok() || outcome.header_known;
  if (has_origin && proven != nullptr && outcome.envelope.origin != *proven) {
    ++counters_.impersonation;
    report(Misdeed::impersonation, proven->value(), outcome.envelope.origin.value(), now);
    return Admission::dropped;
  }
  if (outcome.ok()) return std::nullopt;
  ++counters_.rejected[static_cast<std::size_t>(outcome.reject)];
  report(Misdeed::rejected, proven == nullptr ? "unknown" : proven->value(),
         wire::to_string(outcome.reject), now);
  return outcome.header_known ? Admission::tell_rejected : Admission::dropped;
}

Intake::Origin& Intake::origin_of(const NodeId& id) {
  const auto found = origins_.find(id);
  if (found != origins_.end()) return found->second;
  // With CURVE the roster bounds the origins; without, anybody on this machine may invent them.
  if (origins_.size() >= limits_.origins_max) origins_.erase(origins_.begin());
  Origin origin{rate_of(id), SeenCalls(limits_.dedup_window, limits_.dedup_instances)};
  return origins_.emplace(id, std::move(origin)).first->second;
}

OriginRate Intake::rate_of(const NodeId& id) const {
  if (members_.contains(id)) {
    return {TokenBucket(limits_.member_messages_per_s, limits_.member_messages_burst),
            TokenBucket(limits_.member_bytes_per_s, limits_.member_bytes_burst)};
  }
  return {TokenBucket(limits_.origin_messages_per_s, limits_.origin_messages_burst),
          TokenBucket(limits_.origin_bytes_per_s, limits_.origin_bytes_burst)};
}

void Intake::set_members(std::set<NodeId> members) {
  members_.swap(members);
  for (auto& [id, origin] : origins_) {
    if (members.contains(id) != members_.contains(id)) origin.rate = rate_of(id);
  }
}

void Intake::report(Misdeed misdeed, std::string_view peer, std::string_view detail,
                    TimePoint now) {
  const auto index = static_cast<std::size_t>(misdeed);
  std::uint64_t suppressed = 0;
  if (!speakers_[index].admit(now, suppressed)) return;
  log_warn(kTexts[index], {{"peer", std::string(peer)},
                           {"detail", std::string(detail)},
                           {"suppressed", std::to_string(suppressed)}});
}

}  // namespace riftbus::bus
