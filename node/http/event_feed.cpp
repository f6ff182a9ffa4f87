#include "node/http/event_feed.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace riftbus::node {

namespace {

std::uint64_t number_after_dash(std::string_view id) {
  const auto dash = id.rfind('-');
  std::uint64_t number = 0;
  if (dash == std::string_view::npos) return 0;
  const auto digits = id.substr(dash + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size() ? number : 0;
}

std::string lost_event(const nlohmann::ordered_json& count) {
  return "event: lost\ndata: " + nlohmann::ordered_json{{"lost", count}}.dump() + "\n\n";
}

}  // namespace

void EventFeed::take(const std::string& document) {
  const nlohmann::ordered_json json = nlohmann::ordered_json::parse(document, nullptr, false);
  if (!json.is_object()) return;
  const nlohmann::ordered_json cursor = json.value("cursor", nlohmann::ordered_json());
  const nlohmann::ordered_json events = json.value("events", nlohmann::ordered_json());
  if (!cursor.is_string() || !events.is_array()) return;
  cursor_ = cursor.get<std::string>();
  life_ = cursor_.substr(0, cursor_.rfind('-'));
  for (const auto& event : events) {
    const nlohmann::ordered_json number =
        event.is_object() ? event.value("seq", nlohmann::ordered_json()) : nlohmann::ordered_json();
    if (!number.is_number_unsigned()) continue;
    const auto seq = number.get<std::uint64_t>();
    if (!entries_.empty() && seq <= entries_.back().seq) continue;
    // The journal has gone round while nobody read: what is kept begins behind the gap.
    if (!entries_.empty() && seq > entries_.back().seq + 1) entries_.clear();
    entries_.push_back(
        {seq, event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)});
    if (entries_.size() > kEventsKept) entries_.pop_front();
  }
}

std::string EventFeed::id_of(std::uint64_t seq) const { return life_ + "-" + std::to_string(seq); }

// Where a reader starts: behind what it has seen, or with everything that is still here.
void EventFeed::begin(Place& place, std::string& text) const {
  const std::uint64_t oldest = entries_.empty() ? 1 : entries_.front().seq;
  place.next = oldest;
  if (place.last_id.empty()) return;
  const std::uint64_t seen = number_after_dash(place.last_id);
  const bool is_ours = seen > 0 && place.last_id == id_of(seen);
  if (!is_ours) {
    text += lost_event(nullptr);
  } else {
    place.next = seen + 1;
  }
}

std::string EventFeed::read(Place& place) const {
  std::string text;
  if (cursor_.empty()) return text;  // the loop has not yet spoken
  if (place.next == 0) begin(place, text);
  if (entries_.empty()) return text;
  if (place.next < entries_.front().seq) {
    text += lost_event(entries_.front().seq - place.next);
    place.next = entries_.front().seq;
  }
  const auto first =
      std::lower_bound(entries_.begin(), entries_.end(), place.next,
                       [](const Entry& entry, std::uint64_t seq) { return entry.seq < seq; });
  for (auto at = first; at != entries_.end() && text.size() < kPartBytes; ++at) {
    text += "id: " + id_of(at->seq) + "\ndata: " + at->json + "\n\n";
    place.next = at->seq + 1;
  }
  return text;
}

}  // namespace riftbus::node
