#include "bus/counters.h"

namespace riftbus::bus {

std::vector<std::pair<std::string, std::uint64_t>> Counters::list() const {
  std::vector<std::pair<std::string, std::uint64_t>> rows;
  for (std::size_t i = 1; i < rejected.size(); ++i) {
    rows.emplace_back(std::string("rejected_") + wire::to_string(static_cast<wire::Reject>(i)),
                      rejected[i]);
  }
  const std::pair<const char*, std::uint64_t> rest[] = {
      {"impersonation", impersonation},
      {"unauthenticated", unauthenticated},
      {"foreign_routing", foreign_routing},
      {"bad_frames", bad_frames},
      {"wrong_channel", wrong_channel},
      {"duplicates", duplicates},
      {"flooded", flooded},
      {"before_hello", before_hello},
      {"version_mismatch", version_mismatch},
      {"sent_unknown_peer", sent_unknown_peer},
      {"sent_queue_full", sent_queue_full},
      {"sent_expired", sent_expired},
      {"sent_slow_peer", sent_slow_peer},
      {"replies_gone", replies_gone},
      {"sent_bundled", sent_bundled},
      {"sent_oversize", sent_oversize},
      {"dials", dials},
      {"dials_refused", dials_refused},
      {"dials_silent", dials_silent},
      {"dials_relay_lost", dials_relay_lost},
      {"dials_dropped", dials_dropped},
      {"links_up", links_up},
      {"links_down", links_down},
      {"attempts", attempts},
      {"attempts_failed", attempts_failed},
      {"handshakes_refused", handshakes_refused},
      {"handshakes_failed", handshakes_failed},
      {"cuts", cuts},
      {"evictions", evictions},
      {"descriptors_low", descriptors_low},
      {"strangers_cut", strangers_cut},
      {"names_unresolved", names_unresolved},
      {"events_capped", events_capped},
  };
  for (const auto& [name, value] : rest) rows.emplace_back(name, value);
  return rows;
}

}  // namespace riftbus::bus
