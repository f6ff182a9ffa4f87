// What goes into parcels, and what is taken out of them.
#include <algorithm>
#include <utility>

#include "bus/wire/codec.h"
#include "bus/wire/topic.h"
#include "node/mesh/http_path.h"
#include "node/mesh/member_shell.h"

namespace riftbus::node {

namespace {

// Beyond every routing id of the bus (bus/sessions.h).
constexpr std::uint64_t kReplyMark = std::uint64_t{1} << 40U;
constexpr std::size_t kCallsPerParcel = 32;  // the rest of a parcel's frames are publications

bool may_travel(wire::Kind kind) {
  return MemberShell::takes(kind) || kind == wire::Kind::roster_get ||
         kind == wire::Kind::roster_document;
}

}  // namespace

std::string HttpPath::envelope(Correlation correlation, const wire::Body& body) {
  called_ = called_.next();
  return wire::encode({self_, instance_, called_, correlation, body});
}

void HttpPath::published(Seq seq, const wire::Body& body) {
  if (!is_on()) return;
  Kept kept{seq, wire::kind_of(body) == wire::Kind::beat,
            wire::encode({self_, instance_, seq, Correlation{}, body})};
  kept_bytes_ += kept.envelope.size();
  kept_.push_back(std::move(kept));
  while (kept_.size() > kKeptMax || (kept_bytes_ > kKeptBytesMax && kept_.size() > 1)) {
    kept_bytes_ -= kept_.front().envelope.size();
    kept_.pop_front();
  }
}

void HttpPath::sent(const NodeId& to, Correlation correlation, const wire::Body& body,
                    bus::SendOutcome outcome, TimePoint now) {
  if (!is_on() || !may_travel(wire::kind_of(body))) return;
  Peer* peer = peer_of(to);
  if (peer == nullptr || (outcome == bus::SendOutcome::sent && !peer->in_use)) return;
  put(*peer, wire::Way::call, envelope(correlation, body), now);
}

bool HttpPath::reply(bus::ReplyTo to, Correlation correlation, const wire::Body& body,
                     TimePoint now) {
  if ((to.value() & kReplyMark) == 0) return false;
  const auto number = numbers_.find(static_cast<std::uint32_t>(to.value() & ~kReplyMark));
  Peer* peer = number == numbers_.end() ? nullptr : find(number->second);
  if (peer != nullptr && is_on()) {
    put(*peer, wire::Way::answer, envelope(correlation, body), now);
  }
  return true;
}

void HttpPath::put(Peer& peer, wire::Way way, std::string envelope, TimePoint now) {
  if (envelope.size() > wire::kParcelBytesMax) {
    ++counters_.frames_dropped;
    return;
  }
  if (peer.outbox.size() >= kOutboxMax) {
    peer.outbox.pop_front();
    ++counters_.frames_dropped;
  }
  peer.outbox.push_back({{way, std::move(envelope)}, now});
  hurry(now);
}

// What is too large for a post waits for the peer's own.
std::string HttpPath::pack(Peer& peer, std::size_t bytes_max, TimePoint now) {
  wire::Parcel parcel;
  parcel.listens = peer.is_watched;
  parcel.heard = peer.heard_life;
  parcel.after = peer.heard_seq;
  std::size_t left = bytes_max;
  for (auto at = peer.outbox.begin(); at != peer.outbox.end();) {
    auto& envelope = at->frame.envelope;
    if (envelope.size() > left || parcel.frames.size() >= kCallsPerParcel) {
      ++at;
      continue;
    }
    left -= envelope.size();
    parcel.frames.push_back(std::move(at->frame));
    at = peer.outbox.erase(at);
  }
  if (peer.listens) add_publications(peer, parcel, left, bytes_max);
  counters_.frames_out += parcel.frames.size();
  hurry(wanted_at(peer, now));
  return encode(parcel);
}

// What it has not heard yet; who never heard us needs no past, only our last beat.
void HttpPath::add_publications(const Peer& peer, wire::Parcel& parcel, std::size_t bytes_left,
                                std::size_t bytes_max) const {
  const auto add = [&](const Kept& kept) {
    if (kept.envelope.size() > bytes_left) return false;
    bytes_left -= kept.envelope.size();
    parcel.frames.push_back({wire::Way::pub, kept.envelope});
    return true;
  };
  if (peer.listens_life != instance_) {
    const auto beat =
        std::find_if(kept_.rbegin(), kept_.rend(), [](const Kept& kept) { return kept.is_beat; });
    if (beat != kept_.rend()) static_cast<void>(add(*beat));
    return;
  }
  // In order: the rest comes with the next parcel. What fits into none is left out, or no beat
  // would follow it; the core asks for gossip that it misses.
  for (const auto& kept : kept_) {
    const bool is_wanted = kept.seq > peer.listens_after && kept.envelope.size() <= bytes_max;
    if (is_wanted && !add(kept)) return;
  }
}

HttpPath::Outcome HttpPath::on_post(std::string_view sealed, TimePoint now) {
  const auto refuse = [this](bus::SealRefusal reason) -> Outcome {
    ++counters_.refused[static_cast<std::size_t>(reason)];
    return reason;
  };
  if (!is_on()) return Shut{};
  const auto post = wire::decode_post(sealed);
  if (!post) return refuse(bus::SealRefusal::malformed);
  const auto keys = ground_.keys(post->from);
  auto opened = host_.open(*post, keys);
  if (const auto* reason = std::get_if<bus::SealRefusal>(&opened)) return refuse(*reason);
  Peer* peer = peer_of(post->from);
  if (peer == nullptr) return refuse(bus::SealRefusal::stranger);
  if (!peer->rate.take(now)) {
    ++counters_.flooded;
    return Flooded{};
  }
  if (auto* welcome = std::get_if<bus::SealHost::Welcome>(&opened))
    return std::move(welcome->answer);
  const auto& letter = std::get<bus::SealHost::Letter>(opened);
  const auto parcel = wire::decode_parcel(letter.plain);
  if (!parcel) return refuse(bus::SealRefusal::malformed);
  ++counters_.taken;
  peer->posted_to_us = now;
  on_heard(*peer, now);
  unpack(*peer, *parcel);
  return host_.answer(post->from, letter.number, pack(*peer, wire::kParcelBytesMax, now));
}

void HttpPath::unpack(Peer& peer, const wire::Parcel& parcel) {
  peer.listens = parcel.listens;
  peer.listens_life = parcel.heard;
  peer.listens_after = parcel.after;
  for (const auto& frame : parcel.frames) take(peer, frame);
}

// Judged as the bus judges what it hears: by whom it is, and whether it may be said this way.
void HttpPath::take(Peer& peer, const wire::ParcelFrame& frame) {
  auto outcome = wire::decode(frame.envelope);
  auto& envelope = outcome.envelope;
  const bool is_publication = frame.way == wire::Way::pub;
  if (!outcome.ok() || envelope.origin != peer.id) {
    ++counters_.frames_dropped;
    return;
  }
  const auto kind = wire::kind_of(envelope.body);
  const bool fits = is_publication ? wire::topic_of(kind).has_value()
                                   : kind != wire::Kind::beat && may_travel(kind);
  if (!fits || (is_publication && !peer.is_watched)) {
    ++counters_.frames_dropped;
    return;
  }
  if (is_publication && !is_newer(peer, envelope.instance, envelope.seq)) return;
  ++counters_.frames_in;
  bus::Received received;
  received.channel = is_publication ? wire::Channel::pub : wire::Channel::call;
  if (frame.way == wire::Way::call) received.reply_to = bus::ReplyTo(kReplyMark | peer.number);
  received.bytes = frame.envelope.size();
  received.envelope = std::move(envelope);
  ground_.deliver(received);
}

// Each publication counts once, whichever way brings it first.
bool HttpPath::is_newer(Peer& peer, Instance life, Seq seq) {
  if (life == peer.heard_life && seq <= peer.heard_seq) return false;
  peer.heard_life = life;
  peer.heard_seq = seq;
  return true;
}

}  // namespace riftbus::node
