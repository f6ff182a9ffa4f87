#include "bus/sessions.h"

#include <algorithm>
#include <vector>

namespace riftbus::bus {

std::optional<std::uint32_t> Sessions::parse(std::string_view routing_id) {
  if (routing_id.size() != kRoutingIdBytes || routing_id[0] != '\0') return std::nullopt;
  std::uint32_t number = 0;
  for (std::size_t i = 1; i < kRoutingIdBytes; ++i) {
    number = (number << 8u) | static_cast<unsigned char>(routing_id[i]);
  }
  return number;
}

std::optional<Sessions::RoutingId> Sessions::routing_id(ReplyTo to) {
  if ((to.value() & ~std::uint64_t{0xffffffffu}) != kMark) return std::nullopt;
  RoutingId id{};
  for (std::size_t i = 1; i < kRoutingIdBytes; ++i) {
    id.bytes[i] = static_cast<char>((to.value() >> (8 * (kRoutingIdBytes - 1 - i))) & 0xffu);
  }
  return id;
}

Session& Sessions::use(std::uint32_t number, TimePoint now) {
  const auto found = sessions_.find(number);
  if (found != sessions_.end()) {
    found->second.used = now;
    return found->second;
  }
  if (sessions_.size() >= sessions_max_) forget_oldest();
  Session& session = sessions_[number];
  session.used = now;
  return session;
}

Session* Sessions::find(ReplyTo to) {
  if (!routing_id(to)) return nullptr;
  const auto found = sessions_.find(static_cast<std::uint32_t>(to.value()));
  return found == sessions_.end() ? nullptr : &found->second;
}

// An eighth at once, so that a full table does not cost a search with each new connection.
void Sessions::forget_oldest() {
  std::vector<TimePoint> used;
  used.reserve(sessions_.size());
  for (const auto& [number, session] : sessions_) used.push_back(session.used);
  const auto eighth = used.begin() + static_cast<std::ptrdiff_t>(used.size() / 8);
  std::nth_element(used.begin(), eighth, used.end());
  const TimePoint limit = *eighth;
  std::erase_if(sessions_, [&](const auto& item) { return item.second.used <= limit; });
}

}  // namespace riftbus::bus
