#include "node/disk/store_error.h"

#include <sqlite3.h>

#include <cerrno>
#include <system_error>

namespace riftbus::disk {

namespace {

constexpr const char* kReplaceVoter =
    "this voter stops voting; remove it, empty the folder of its log, and add it anew";
constexpr const char* kFreeSpace =
    "this voter stops voting; nothing acknowledged is lost: free space and start it again";
constexpr const char* kCheckDisk =
    "this voter stops voting; look at the disk (dmesg), then start it again or replace it";

}  // namespace

Error lost_log(std::uint16_t code, std::string what, std::string where) {
  return Error{code, std::move(what), std::move(where), kReplaceVoter};
}

Error foreign_log(std::string where) {
  return Error{kStoreOfAnother, "this log belongs to another node or cluster", std::move(where),
               "give the daemon the folder of its own log, or begin with an empty one"};
}

Error log_in_use(std::string where) {
  return Error{kStoreInUse, "another process uses this log", std::move(where),
               "stop the other daemon, or give this one a folder of its own"};
}

Error system_failure(std::uint16_t code, std::string_view what, std::string where, int reason) {
  const bool is_full = reason == ENOSPC || reason == EDQUOT;
  if (is_full) code = kDiskFull;
  return Error{code, std::string(what) + ": " + std::generic_category().message(reason),
               std::move(where), is_full ? kFreeSpace : kCheckDisk};
}

Error database_failure(int code, int extended, std::string_view message, std::string where) {
  const std::string what = std::string(message) + " (SQLite code " + std::to_string(extended) + ")";
  switch (code) {
    case SQLITE_FULL:
      return Error{kDiskFull, "the log cannot be written, the disk is full: " + what,
                   std::move(where), kFreeSpace};
    case SQLITE_BUSY:
      return log_in_use(std::move(where));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:  // a table is not as it was made
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
      return lost_log(kDatabaseDamaged, "the database of the log is damaged: " + what,
                      std::move(where));
    default:
      return Error{kWriteFailed, "the log cannot be read or written: " + what, std::move(where),
                   kCheckDisk};
  }
}

}  // namespace riftbus::disk
