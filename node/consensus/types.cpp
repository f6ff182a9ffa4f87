#include "node/consensus/types.h"

#include <algorithm>
#include <type_traits>

namespace riftbus::consensus {

// The payloads lie in the places behind the last entry, as bytes.
Entries keep(std::span<const Entry> entries) {
  static_assert(std::is_trivially_copyable_v<Entry>);
  std::size_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.payload.size();
  const std::size_t places = entries.size() + (bytes + sizeof(Entry) - 1) / sizeof(Entry);
  const auto piece = std::make_shared<Entry[]>(places);
  Entry* place = piece.get();
  char* free = reinterpret_cast<char*>(place + entries.size());
  Entries kept;
  kept.reserve(entries.size());
  for (const Entry& entry : entries) {
    *place = entry;
    place->payload = std::string_view(free, entry.payload.size());
    free = std::copy(entry.payload.begin(), entry.payload.end(), free);
    kept.emplace_back(piece, place++);
  }
  return kept;
}

EntryPtr keep(const Entry& entry) { return keep(std::span(&entry, 1)).front(); }

}  // namespace riftbus::consensus
