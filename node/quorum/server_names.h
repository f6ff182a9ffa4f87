// ServerNames: which node stands behind a number in the replicated log.
//
// The log knows servers by 64 bits of a hash (node/replica/protocol.h); operators and the bus know
// names. Two names with one number are a mistake that must not go unnoticed: the second is refused,
// and whoever adds it to the log hears so.
//
// Loop thread only.
#pragma once

#include <map>

#include "node/replica/protocol.h"

namespace riftbus::node {

class ServerNames {
 public:
  // False: another name has this number.
  bool add(const NodeId& node) {
    const auto [at, is_new] = names_.try_emplace(replica::server_id_of(node), node);
    return is_new || at->second == node;
  }
  // Empty: unknown.
  [[nodiscard]] NodeId find(consensus::ServerId id) const {
    const auto at = names_.find(id);
    return at == names_.end() ? NodeId() : at->second;
  }
  // For people: the name, else the number.
  [[nodiscard]] std::string text(consensus::ServerId id) const {
    const NodeId name = find(id);
    return name.empty() ? "#" + std::to_string(id.value()) : name.value();
  }

 private:
  std::map<consensus::ServerId, NodeId> names_;
};

}  // namespace riftbus::node
