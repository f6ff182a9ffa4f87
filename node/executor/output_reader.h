// What a job has written so far, read while it writes.
//
// A stream's bytes are counted from its beginning, also when the beginning is kept no longer, so
// that a reader who comes back says how far it was and misses nothing that is still there. A stream
// lies in two files (output_file.h), and a note beside them says at which byte the newer one
// begins, naming the file it speaks of: a reader that comes between them looks again.
//
// Blocking; not for a loop thread. Errors 1745.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/result.h"
#include "node/work/types.h"

namespace riftbus::executor {

struct OutputPart {
  std::string text;          // as it was written: any bytes
  std::uint64_t offset = 0;  // of its first byte
  std::uint64_t begin = 0;   // of the first byte that is kept
  std::uint64_t end = 0;     // of the stream, so far
  std::uint64_t fence = 0;   // of the attempt that wrote it: the newest that is here
};

// Of a job that runs here or is over. From `offset`, or from the first byte that is kept if that is
// later; without offset the last `bytes_max`. Error 1745: not here (any more).
[[nodiscard]] Result<OutputPart> read_output_part(const std::string& jobs_folder, work::WorkId id,
                                                  bool is_error,
                                                  std::optional<std::uint64_t> offset,
                                                  std::size_t bytes_max);

}  // namespace riftbus::executor
