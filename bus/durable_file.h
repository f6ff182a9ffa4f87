// Small files that must survive a crash whole: written beside their place, synced, then put there
// in one step. A reader sees the old file or the new one, never half of either.
//
// Guarantee: when a function returns Ok, content and directory entry are on disk (fsync of both).
// When it returns an Error, the file of that name is as it was. Blocking: not for a loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/result.h"

namespace riftbus {

enum class FilePrivacy { secret, shared };  // 0600 and 0644, whatever the umask

// Error 1110 if the path exists: nothing is ever overwritten.
[[nodiscard]] Status create_file(const std::string& path, std::string_view content,
                                 FilePrivacy privacy);
[[nodiscard]] Status replace_file(const std::string& path, std::string_view content,
                                  FilePrivacy privacy);

// Error 1111 unless it is a regular file of at most `size_max` bytes. A secret must be closed to
// group and others: Error 1112 says which chmod closes it.
[[nodiscard]] Result<std::string> read_small_file(const std::string& path, std::size_t size_max,
                                                  FilePrivacy privacy);

// Makes the directory (0700, parents as the umask says) or accepts one that is a directory into
// which nobody but its owner can write: Error 1115 otherwise.
[[nodiscard]] Status make_private_directory(const std::string& path);

}  // namespace riftbus
