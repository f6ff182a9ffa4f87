// PeerCache: members met before, on disk, so that a node finds its cluster when every seed is down.
//
// One SQLite table, bounded in rows and age. Each peer carries a reputation, the exponential
// moving average (alpha 0.2) of "could it be reached": bootstrapping asks the best first, seeds
// before all. It is a cache: a damaged file is moved aside as FILE.corrupt, said aloud, and begun
// anew; losing it costs nothing but a slower start when all seeds are gone.
//
// A file that is not there is made by the first save, which has the disk thread to itself: making
// it costs six waits for the disk, and a start that did so was the slowest part of a join.
//
// Blocking: used on the disk thread, and once at start. Times are wall-clock seconds, because they
// must outlive a reboot.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bus/wire/message.h"
#include "config/result.h"
#include "config/types.h"

namespace SQLite {
class Database;
}

namespace riftbus::node {

struct CachedPeer {
  NodeId id;
  std::vector<wire::Address> addresses;
  double reputation = 0.5;  // 0 never reached .. 1 always; unknown peers start in the middle
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::int64_t last_seen_s = 0;
  bool is_seed = false;
};

// What was learned about a peer since the last save.
struct PeerSighting {
  NodeId id;
  std::vector<wire::Address> addresses;
  bool reached = false;
  bool is_seed = false;
};

inline constexpr double kReputationAlpha = 0.2;
[[nodiscard]] double updated_reputation(double before, bool reached);

class PeerCache {
 public:
  struct Limits {
    std::int64_t entries_max = 200;
    std::int64_t ttl_s = 7 * 24 * 3600;
  };

  // Opens the file if there is one. `note` receives one line when a damaged file had to be moved
  // aside.
  [[nodiscard]] static Result<std::unique_ptr<PeerCache>> open(const std::string& path,
                                                               Limits limits, std::string& note);
  ~PeerCache();

  // Seeds first, then by reputation; entries older than the time to live are left out.
  [[nodiscard]] Result<std::vector<CachedPeer>> load(std::int64_t now_s);
  // One transaction; then drops what is too old or beyond the limit, worst reputation first.
  [[nodiscard]] Status save(const std::vector<PeerSighting>& sightings, std::int64_t now_s);
  // A peer whose key was revoked must not be asked again.
  [[nodiscard]] Status forget(const NodeId& id);

 private:
  PeerCache(std::string path, std::unique_ptr<SQLite::Database> database, Limits limits);

  std::string path_;
  std::unique_ptr<SQLite::Database> database_;  // null until there is a file
  Limits limits_;
};

}  // namespace riftbus::node
