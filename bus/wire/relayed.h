// Relayed: whether a node can be reached through relays only.
//
// It names relays and no public address of its own, or says that nobody can dial those that it has.
// Its private addresses may serve neighbours, but from elsewhere somebody else may answer there, or
// nobody: they prove nothing.
//
// Pure.
#pragma once

#include <vector>

#include "bus/wire/message.h"

namespace riftbus::wire {

// The tag by which a node says what others found when they dialled it (node/mesh/reach.h), or what
// its settings say until somebody has; without it, nothing is known. A tag, so that members of an
// older version pass it on.
inline constexpr const char* kDialledTag = "riftbus.dialled";
inline constexpr const char* kDialledYes = "yes";
inline constexpr const char* kDialledNo = "no";

// Nobody can dial its own addresses, it says, and relays lead to it.
[[nodiscard]] bool is_blocked(const Record& record);
[[nodiscard]] bool is_relayed(const Record& record);
// Of the addresses alone.
[[nodiscard]] bool is_relayed(const std::vector<Address>& addresses);

}  // namespace riftbus::wire
