#include "bus/tap/mirror.h"

#include <algorithm>

#include "config/check.h"

namespace riftbus::tap {

namespace {

std::string summarize(const wire::Envelope& envelope) {
  std::string summary = wire::to_string(envelope.body);
  if (summary.size() > wire::kSummaryBytesMax) summary.resize(wire::kSummaryBytesMax);
  return summary;  // ASCII by contract of to_string: cutting splits no character
}

}  // namespace

// On the wire, roughly: numbers and headers, then texts.
std::size_t frame_cost(const wire::TapFrame& frame) {
  constexpr std::size_t kFixedBytes = 48;
  return kFixedBytes + frame.peer.value().size() + frame.origin.value().size() + frame.kind.size() +
         frame.summary.size() + frame.payload.size();
}

Status Mirror::start(TapHandle handle, const wire::TapStart& request, bool payloads_granted,
                     TimePoint now) {
  if (request.lease_ms == 0) {
    if (const auto found = taps_.find(handle); found != taps_.end()) {
      found->second.ending = true;
      found->second.lease_end = now;
    }
    return Ok{};
  }
  auto filter = Filter::parse(request.filter);
  if (!filter.ok()) return filter.error();
  if (request.payloads && !payloads_granted) {
    return Error{1551, "payloads are not for this key", "",
                 "tap without --payloads, or with a key that has the admin role"};
  }
  if (!taps_.contains(handle) && taps_.size() >= limits_.taps_max) {
    return Error{1552, "enough taps already: " + std::to_string(taps_.size()), "",
                 "end one of them; a tap that died is forgotten within a minute"};
  }
  const auto [entry, is_new] = taps_.try_emplace(handle);
  Tap& tap = entry->second;
  if (!is_new) tap.credit = std::min(tap.credit + kTapGrantBytes, kTapWindowBytes);
  tap.filter = std::move(*filter);
  tap.payloads = request.payloads;
  tap.ending = false;
  tap.lease_end = now + std::min(Millis(request.lease_ms), limits_.lease_max);
  return Ok{};
}

void Mirror::stop(TapHandle handle) { taps_.erase(handle); }

void Mirror::show(wire::Direction direction, wire::Channel channel, const NodeId& peer,
                  const wire::Envelope& envelope, std::string_view bytes, std::int64_t wall_ms) {
  const wire::Kind kind = wire::kind_of(envelope.body);
  if (kind == wire::Kind::tap_data) return;
  wire::TapFrame frame;
  frame.wall_ms = wall_ms;
  frame.direction = direction;
  frame.channel = channel;
  frame.peer = peer;
  frame.origin = envelope.origin;
  frame.kind = wire::to_string(kind);
  frame.seq = envelope.seq.value();
  frame.correlation = envelope.correlation.value();
  frame.bytes = static_cast<std::uint32_t>(bytes.size());
  bool summarized = false;
  const auto add_summary = [&] {
    if (!summarized) frame.summary = summarize(envelope);
    summarized = true;
  };
  for (auto& [handle, tap] : taps_) {
    if (tap.ending) continue;
    if (tap.filter.needs_summary()) add_summary();
    if (!tap.filter.matches(self_, frame)) continue;
    ++tap.matched;
    if (tap.queue.size() >= limits_.queue_frames_max) {
      drop(tap);
      continue;
    }
    add_summary();
    wire::TapFrame copy = frame;
    if (tap.payloads && bytes.size() <= limits_.payload_bytes_max) copy.payload = bytes;
    enqueue(tap, std::move(copy));
  }
}

void Mirror::enqueue(Tap& tap, wire::TapFrame frame) {
  const std::size_t size = frame_cost(frame);
  if (tap.queue_bytes + size > limits_.queue_bytes_max) return drop(tap);
  tap.queue_bytes += size;
  tap.queue.push_back(std::move(frame));
}

void Mirror::drop(Tap& tap) {
  ++tap.dropped;
  ++dropped_;
}

std::vector<TapHandle> Mirror::ready() const {
  std::vector<TapHandle> handles;
  for (const auto& [handle, tap] : taps_) {
    if (tap.credit == 0) continue;
    if (!tap.queue.empty() || tap.dropped != tap.dropped_told) handles.push_back(handle);
  }
  return handles;
}

wire::TapData Mirror::drain(TapHandle handle, std::size_t bytes_max) {
  wire::TapData data;
  const auto found = taps_.find(handle);
  if (found == taps_.end()) return data;
  Tap& tap = found->second;
  // Each part of what a tap asks for at its end is an answer of its own: nothing piles up.
  if (!tap.ending) bytes_max = std::min(bytes_max, tap.credit);
  std::size_t bytes = 0;
  while (!tap.queue.empty() && data.frames.size() < wire::kTapFramesMax && bytes_max > 0) {
    const std::size_t size = frame_cost(tap.queue.front());
    if (!data.frames.empty() && bytes + size > bytes_max) break;
    bytes += size;
    RIFTBUS_CHECK(tap.queue_bytes >= size);
    tap.queue_bytes -= size;
    data.frames.push_back(std::move(tap.queue.front()));
    tap.queue.pop_front();
  }
  tap.credit -= std::min(bytes, tap.credit);
  data.matched = tap.matched;
  data.dropped = tap.dropped;
  tap.dropped_told = tap.dropped;
  return data;
}

void Mirror::expire(TimePoint now) {
  std::erase_if(taps_, [&](const auto& entry) { return entry.second.lease_end <= now; });
}

TimePoint Mirror::next_deadline() const {
  TimePoint next = TimePoint::max();
  for (const auto& [handle, tap] : taps_) next = std::min(next, tap.lease_end);
  return next;
}

}  // namespace riftbus::tap
