// Words that tests of a node are written in.
#pragma once

#include <string>

#include "bus/wire/message.h"
#include "config/types.h"

namespace riftbus::node {

inline NodeId id(const std::string& text) { return *NodeId::parse(text); }

inline const wire::Address kLan{wire::AddressKind::lan, "10.1.0.2", 7770, 7771};

}  // namespace riftbus::node
