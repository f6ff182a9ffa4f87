// Members: what a node's list says about where its members are.
//
// A tap of further nodes finds them through the first one. The list comes from a node, so it is
// read as foreign text: bounded, and what does not fit is left out.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/targets.h"

namespace riftbus::tap {

// One member with its addresses, best first.
struct Listed {
  NodeId id;
  std::vector<bus::Target> targets;
};
struct NodePage {
  std::vector<Listed> nodes;
  std::string after;  // cursor of the next page; empty: that was all
};
// A node.list document, without those that are dead or left or whose key `roster` does not know
// (nullptr: keys do not matter). Nothing: it is not such a document.
[[nodiscard]] std::optional<NodePage> read_node_page(std::string_view json, const Roster* roster);

}  // namespace riftbus::tap
