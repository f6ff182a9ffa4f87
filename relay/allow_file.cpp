#include "relay/allow_file.h"

#include <sys/stat.h>

#include "bus/durable_file.h"

namespace riftbus::relay {

std::optional<AllowFile::Version> AllowFile::version() const {
  struct stat found {};
  if (stat(path_.c_str(), &found) != 0) return std::nullopt;
  constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
  return Version{found.st_dev, found.st_ino, found.st_size,
                 found.st_mtim.tv_sec * kNanosPerSecond + found.st_mtim.tv_nsec};
}

bool AllowFile::has_changed() const { return version() != seen_; }

Result<ParsedAllowList> AllowFile::read() {
  seen_ = version();  // before reading: what changes meanwhile is seen as a change
  const auto refuse = [&](const std::string& what) {
    return Error{1831, "the list of keys is not readable: " + what, path_,
                 "write there what riftbus-tunnel --show-key prints on each node"};
  };
  struct stat found {};
  if (stat(path_.c_str(), &found) == 0 && (found.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return refuse("others may write it, chmod go-w it");
  }
  const auto text = read_small_file(path_, kBytesMax, FilePrivacy::shared);
  if (!text) return refuse(text.error().what);
  return parse_allow_list(*text, path_);
}

}  // namespace riftbus::relay
