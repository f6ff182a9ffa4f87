// Confinement: what the SSH half gives up before it talks to strangers.
//
// It parses bytes of anybody on the Internet with a library that has had its share of holes, so it
// is a process of its own, with a user of its own where it was started as root, without bus keys,
// and with no way to gain rights again.
#pragma once

#include <string>

#include "config/result.h"

namespace riftbus::relay {

// A folder for the nodes' sockets that only `user` enters (empty: who we are), made if missing.
// The value is a descriptor that keeps every other relay out for as long as it is open. Sockets
// that a killed relay left there are removed. 1830, 1845.
[[nodiscard]] Result<int> claim_socket_dir(const std::string& path, const std::string& user);
// Becomes `user` for good if that is not empty. 1845: unknown, or we are not root.
[[nodiscard]] Status become_user(const std::string& user);
// No new rights by any program file, and no memory image on disk.
void forbid_gains();

}  // namespace riftbus::relay
