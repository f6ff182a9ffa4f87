// The roster at rest: `roster` as it was signed, and `roster.prev`, the version before it.
//
// A node that cannot read its roster would have to shut everyone out, so one bad block must not
// do that: loading falls back to the version before, says so, and the mesh supplies the newest
// soon after. The fallback may admit a key revoked since; only that version's signature makes it
// acceptable at all. A file that does not read is never moved over a good roster.prev.
//
// Blocking disk work with fsync: the disk thread's and the CLI's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/result.h"
#include "config/roster.h"

namespace riftbus {

inline constexpr const char* kRosterFile = "roster";
inline constexpr const char* kPreviousRosterSuffix = ".prev";

struct LoadedRoster {
  SignedRoster roster;
  // Set if `path` itself was unusable and this is its .prev: for the log.
  std::optional<Error> fallback_reason;
};

// Verifies as verify_roster() does; the Error names path and line. Code 1111: there is no file.
[[nodiscard]] Result<LoadedRoster> load_roster_file(const std::string& path,
                                                    const AuthorityKey& authority,
                                                    std::string_view cluster);
[[nodiscard]] Status save_roster_file(const std::string& path, const SignedRoster& roster);

}  // namespace riftbus
