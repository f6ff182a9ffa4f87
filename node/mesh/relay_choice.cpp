#include "node/mesh/relay_choice.h"

#include <xxhash.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace riftbus::node {

namespace {

// No id holds a blank, so no two pairs make the same text.
std::uint64_t weight_of(const NodeId& node, const NodeId& relay) {
  const std::string pair = node.value() + " " + relay.value();
  return XXH3_64bits(pair.data(), pair.size());
}

}  // namespace

std::vector<RelayPlace> rank_relays(const NodeId& node, std::vector<RelayPlace> relays,
                                    bool is_ordered) {
  if (is_ordered) return relays;
  std::vector<RelayPlace> ranked;
  std::map<std::string, std::size_t> taken;  // how many of each domain
  while (!relays.empty()) {
    const auto best = std::min_element(
        relays.begin(), relays.end(), [&](const RelayPlace& a, const RelayPlace& b) {
          return std::tuple(taken[a.domain], ~weight_of(node, a.id), a.id) <
                 std::tuple(taken[b.domain], ~weight_of(node, b.id), b.id);
        });
    ++taken[best->domain];
    ranked.push_back(std::move(*best));
    relays.erase(best);
  }
  return ranked;
}

}  // namespace riftbus::node
