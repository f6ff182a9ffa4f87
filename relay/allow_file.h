// AllowFile: the list of keys on disk, read again when it has changed.
//
// A file that others may write is refused: whoever writes it decides who gets in. While the relay
// runs, a file that is gone or unreadable leaves the list as it was, so that an editor's moment
// between two versions does not end every session; a line that is wrong only loses its key.
//
// Contract: blocking, for a small local file.
#pragma once

#include <optional>
#include <string>
#include <tuple>

#include "relay/gate/allow_list.h"

namespace riftbus::relay {

class AllowFile {
 public:
  static constexpr std::size_t kBytesMax = 1 << 20;

  explicit AllowFile(std::string path) : path_(std::move(path)) {}

  // 1831.
  [[nodiscard]] Result<ParsedAllowList> read();
  // Another file, or another content, than read() last looked at.
  [[nodiscard]] bool has_changed() const;

 private:
  // Device, inode, size, and time of the last change in nanoseconds.
  using Version = std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::int64_t>;
  [[nodiscard]] std::optional<Version> version() const;

  std::string path_;
  std::optional<Version> seen_;
};

}  // namespace riftbus::relay
