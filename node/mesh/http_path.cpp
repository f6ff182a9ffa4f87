#include "node/mesh/http_path.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace riftbus::node {

namespace {

constexpr Nanos kPollMin = Millis(200);
constexpr Nanos kPollMax = Seconds(5);
constexpr Seconds kLatelyUp{10};
constexpr Seconds kJustFailed{1};
constexpr Seconds kLostMin{3};

}  // namespace

HttpPath::HttpPath(const KeyPair& own, NodeId self, Instance instance, PathGround ground)
    : own_(own),
      self_(std::move(self)),
      instance_(instance),
      ground_(std::move(ground)),
      host_(own, self_) {}

void HttpPath::set_mode(MembershipMode mode, TimePoint now) {
  mode_ = mode;
  if (is_on()) return hurry(now);
  kept_.clear();
  kept_bytes_ = 0;
  for (auto& [id, peer] : peers_) {
    peer.outbox.clear();
    peer.heard.reset();
    peer.failed.reset();
    peer.caller.forget();
    if (peer.held) ground_.dialled({id, *std::exchange(peer.held, std::nullopt)});
    judge_use(peer, now);
    take_down(peer);
  }
  due_ = TimePoint::max();
}

// ---- what the node does on the bus -------------------------------------------------------------

void HttpPath::subscribe(const NodeId& peer, TimePoint now) {
  Peer* found = peer_of(peer);
  if (found == nullptr) return;
  found->is_watched = true;
  found->watched_at = now;
  if (is_on()) hurry(silent_at(*found));
}

void HttpPath::unsubscribe(const NodeId& peer) {
  Peer* found = find(peer);
  if (found == nullptr) return;
  found->is_watched = false;
  found->bus_up = found->http_up = found->in_use = false;
  found->held.reset();
}

bool HttpPath::on_bus_link(const NodeId& peer, bool up, TimePoint now) {
  Peer* found = peer_of(peer);
  if (found == nullptr) return true;
  found->bus_up = up;
  if (!is_on() || up) return true;
  hurry(now);
  return !found->http_up;
}

bool HttpPath::on_bus_publication(const wire::Envelope& envelope, TimePoint now) {
  Peer* peer = find(envelope.origin);
  if (peer == nullptr) return true;
  peer->bus_heard = now;
  if (peer->in_use) judge_use(*peer, now);
  return is_newer(*peer, envelope.instance, envelope.seq) || !is_on();
}

bool HttpPath::on_bus_dialled(const bus::Dialled& dialled, TimePoint now) {
  const bool is_lost =
      dialled.outcome == bus::DialOutcome::refused || dialled.outcome == bus::DialOutcome::silent;
  Peer* peer = find(dialled.peer);
  if (!is_on() || !is_lost || peer == nullptr || ground_.places(dialled.peer).empty()) return true;
  if (peer->failed && now - *peer->failed < kJustFailed) {
    ground_.dialled({dialled.peer, merged(*peer, dialled.outcome, now)});
    return false;
  }
  peer->held = dialled.outcome;
  peer->held_until = now + kHeldMax;
  peer->not_before = now;
  hurry(now);
  return false;
}

// What the bus found, and what HTTP did after it.
bus::DialOutcome HttpPath::merged(const Peer& peer, bus::DialOutcome outcome, TimePoint now) const {
  if (outcome == bus::DialOutcome::refused) return outcome;
  const bool was_up = peer.heard && now - *peer.heard < kLatelyUp;
  return peer.failed && peer.refused && was_up ? bus::DialOutcome::refused : outcome;
}

void HttpPath::settle_dial(Peer& peer, bool is_heard, TimePoint now) {
  if (!peer.held) return;
  const auto outcome = *std::exchange(peer.held, std::nullopt);
  ground_.dialled({peer.id, is_heard ? bus::DialOutcome::accepted : merged(peer, outcome, now)});
}

// ---- when to post ------------------------------------------------------------------------------

HttpPath::Peer* HttpPath::find(const NodeId& id) {
  const auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : &found->second;
}

HttpPath::Peer* HttpPath::peer_of(const NodeId& id) {
  if (Peer* peer = find(id)) return peer;
  if (id == self_ || ground_.keys(id).empty()) return nullptr;
  numbers_[++peers_made_] = id;
  return &peers_.try_emplace(id, own_, self_, id, peers_made_).first->second;
}

TimePoint HttpPath::silent_at(const Peer& peer) const {
  const Nanos interval = std::clamp(ground_.interval(peer.id), kPollMin, kPollMax);
  return std::max(peer.bus_heard, peer.watched_at) + interval + interval / 2;
}

bool HttpPath::is_silent(const Peer& peer, TimePoint now) const {
  return peer.is_watched ? now >= silent_at(peer) : !ground_.calls_up(peer.id);
}

// When there is reason for a post; not whether it may go now.
TimePoint HttpPath::wanted_at(const Peer& peer, TimePoint now) const {
  if (peer.held) return now;
  TimePoint wanted = TimePoint::max();
  if (peer.is_watched) {
    const Nanos interval = std::clamp(ground_.interval(peer.id), kPollMin, kPollMax);
    const TimePoint silent = silent_at(peer);
    if (now >= silent) {
      wanted = peer.posted + std::max(interval / 2, kPollMin);
    } else {
      wanted = mode_ == MembershipMode::http ? std::min(silent, peer.posted + interval) : silent;
    }
  }
  for (const auto& [frame, at] : peer.outbox) {
    if (frame.envelope.size() > kPostBytesMax) continue;  // goes with an answer, or not at all
    const bool waits_for_bus = frame.way == wire::Way::call && !peer.in_use;
    wanted = std::min(wanted, waits_for_bus ? at + kHeadStart : now);
  }
  return wanted;
}

void HttpPath::tick(TimePoint now) {
  if (!is_on() || now < due_) return;
  due_ = TimePoint::max();
  forget_strangers();
  for (auto& [id, peer] : peers_) look_after(peer, now);
}

void HttpPath::forget_strangers() {
  for (auto at = peers_.begin(); at != peers_.end();) {
    if (!ground_.keys(at->first).empty()) {
      ++at;
      continue;
    }
    numbers_.erase(at->second.number);
    at = peers_.erase(at);
  }
}

// Calls that the bus has delivered after all.
void HttpPath::forget_calls_of_bus(Peer& peer) {
  std::erase_if(peer.outbox,
                [](const Waiting& waiting) { return waiting.frame.way == wire::Way::call; });
}

void HttpPath::look_after(Peer& peer, TimePoint now) {
  if (peer.held && now >= peer.held_until) settle_dial(peer, false, now);
  const Nanos lost = std::max<Nanos>(kLostMin, 3 * ground_.interval(peer.id));
  if (peer.http_up && (!peer.heard || now - *peer.heard > lost)) take_down(peer);
  judge_use(peer, now);
  std::erase_if(peer.outbox, [&](const Waiting& each) { return now - each.at > kCallMax; });
  if (!peer.outbox.empty() && !peer.in_use && !is_silent(peer, now) && ground_.calls_up(peer.id)) {
    forget_calls_of_bus(peer);
  }
  if (peer.errand == 0) {
    const TimePoint at = std::max(wanted_at(peer, now), peer.not_before);
    if (now >= at) {
      post(peer, now);
    } else {
      hurry(at);
    }
  }
  if (peer.held) hurry(peer.held_until);
  if (peer.http_up && peer.heard) hurry(*peer.heard + lost + Millis(1));
}

void HttpPath::post(Peer& peer, TimePoint now) {
  const auto places = ground_.places(peer.id);
  const auto keys = ground_.keys(peer.id);
  if (places.empty() || keys.empty()) {
    // Whoever cannot be posted to may still post to us: what waits, waits for that.
    peer.not_before = now + kBackoffMax;
    return hurry(peer.not_before);
  }
  const bool is_stale = peer.caller.ready() &&
                        std::find(keys.begin(), keys.end(), peer.caller.peer_key()) == keys.end();
  if (is_stale) peer.caller.forget();
  peer.is_greeting = !peer.caller.ready();
  const std::string sealed = peer.is_greeting ? peer.caller.hello(keys[peer.key % keys.size()])
                                              : peer.caller.seal(pack(peer, kPostBytesMax, now));
  peer.used = places[peer.place % places.size()];
  peer.posted = now;
  const std::uint64_t errand =
      (std::uint64_t{peer.number} << 32U) | (++errands_made_ & 0xffffffffU);
  http::Errand asked{errand,
                     peer.used.host,
                     peer.used.port,
                     kRoute,
                     nlohmann::json{{"sealed", bus::to_base64(sealed)}}.dump(),
                     kPostWithin};
  if (!ground_.post(std::move(asked))) {
    peer.not_before = now + kPollMin;
    return hurry(peer.not_before);
  }
  peer.errand = errand;
  ++peer.posts;
  ++counters_.posts;
}

// ---- what came of it ---------------------------------------------------------------------------

void HttpPath::on_fetched(const http::Fetched& fetched, TimePoint now) {
  const auto number = numbers_.find(static_cast<std::uint32_t>(fetched.number >> 32U));
  Peer* peer = number == numbers_.end() ? nullptr : find(number->second);
  if (peer == nullptr || peer->errand != fetched.number) return;
  peer->errand = 0;
  if (!is_on()) return;
  hurry(now);
  if (fetched.fate != http::Fate::answered) {
    return fail(*peer, fetched.fate == http::Fate::refused, fetched.trouble, Nanos(), now);
  }
  if (fetched.status == 200) return on_answer(*peer, fetched.body, now);
  on_refusal(*peer, fetched.status, fetched.body, now);
}

void HttpPath::on_answer(Peer& peer, const std::string& body, TimePoint now) {
  const nlohmann::json json = nlohmann::json::parse(body, nullptr, false);
  const auto text = json.is_object() && json.contains("sealed") && json["sealed"].is_string()
                        ? json["sealed"].get<std::string>()
                        : std::string();
  const auto sealed = bus::from_base64(text, text.size());
  if (!sealed) return fail(peer, false, "its answer does not read", Nanos(), now);
  if (peer.is_greeting) {
    if (!peer.caller.on_welcome(*sealed)) {
      return fail(peer, false, "its welcome is not its own", kShutPause, now);
    }
    peer.not_before = peer.posted = TimePoint{};  // now what was to be said
    return;
  }
  const auto plain = peer.caller.open(*sealed);
  const auto parcel = plain ? wire::decode_parcel(*plain) : std::nullopt;
  if (!parcel) return fail(peer, false, "its answer is not its own", kShutPause, now);
  peer.trouble.clear();
  peer.failures = 0;
  peer.failed.reset();
  peer.not_before = TimePoint{};
  on_heard(peer, now);
  unpack(peer, *parcel);
}

void HttpPath::on_refusal(Peer& peer, unsigned status, const std::string& body, TimePoint now) {
  const nlohmann::json json = nlohmann::json::parse(body, nullptr, false);
  const std::string code = json.is_object() ? json.value("code", "") : "";
  peer.caller.forget();
  if (code == "NO_SESSION" && peer.trouble != code) {
    peer.trouble = code;  // once; a second time in a row is a failure
    peer.not_before = peer.posted = TimePoint{};
    return;
  }
  ++peer.key;  // it may be changing its key
  fail(peer, false, code.empty() ? "HTTP status " + std::to_string(status) : code, kShutPause, now);
}

// A parcel of it has come, as an answer or of itself.
void HttpPath::on_heard(Peer& peer, TimePoint now) {
  peer.heard = now;
  if (peer.is_watched && !peer.http_up) {
    peer.http_up = true;
    if (!peer.bus_up) ground_.link(peer.id, true);
  }
  judge_use(peer, now);
  settle_dial(peer, true, now);
}

void HttpPath::fail(Peer& peer, bool refused, std::string trouble, Nanos pause, TimePoint now) {
  ++peer.failures;
  ++peer.posts_failed;
  ++counters_.failed;
  ++peer.place;
  peer.failed = now;
  peer.refused = refused;
  peer.trouble = std::move(trouble);
  const Nanos interval = std::clamp(ground_.interval(peer.id), kPollMin, kPollMax);
  const Nanos backoff = std::max(interval / 2, kPollMin) * (1 << std::min(peer.failures - 1, 5));
  peer.not_before = now + std::max<Nanos>(pause, std::min<Nanos>(backoff, kBackoffMax));
  const bool posts_itself = peer.posted_to_us && now - *peer.posted_to_us < kPostWithin;
  if (!posts_itself && (refused || peer.failures > 1)) take_down(peer);
  settle_dial(peer, false, now);
}

void HttpPath::take_down(Peer& peer) {
  if (!std::exchange(peer.http_up, false)) return;
  if (peer.is_watched && !peer.bus_up) ground_.link(peer.id, false);
}

void HttpPath::judge_use(Peer& peer, TimePoint now) {
  const bool is_used = is_on() && peer.is_watched && peer.http_up && is_silent(peer, now);
  if (is_used == peer.in_use) return;
  peer.in_use = is_used;
  peer.in_use_since = now;
  ground_.used(peer.id, is_used);
}

std::map<NodeId, HttpWay> HttpPath::ways() const {
  std::map<NodeId, HttpWay> ways;
  if (!is_on()) return ways;
  for (const auto& [id, peer] : peers_) {
    if (peer.posts == 0 && !peer.heard) continue;
    ways[id] = {peer.in_use, peer.in_use_since, peer.heard,  peer.used,
                peer.posts,  peer.posts_failed, peer.trouble};
  }
  return ways;
}

}  // namespace riftbus::node
