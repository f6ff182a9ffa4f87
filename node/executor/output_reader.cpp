#include "node/executor/output_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "node/executor/job_files.h"
#include "node/executor/output_file.h"

namespace riftbus::executor {

namespace {

// The writer may change files between two steps of a reader, but not so often.
constexpr int kLooksMax = 5;

class File {
 public:
  explicit File(const std::string& path)
      : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {
    if (descriptor_ >= 0 && fstat(descriptor_, &found_) != 0) found_ = {};
  }
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] bool is_there() const { return descriptor_ >= 0; }
  [[nodiscard]] std::uint64_t node() const { return found_.st_ino; }
  // When it was opened; what came later is left for the next reader.
  [[nodiscard]] std::uint64_t bytes() const { return static_cast<std::uint64_t>(found_.st_size); }

  void append_to(std::string& text, std::uint64_t from, std::uint64_t most) const {
    const auto length = static_cast<std::size_t>(std::min(most, bytes() - std::min(from, bytes())));
    const std::size_t before = text.size();
    text.resize(before + length);
    std::size_t done = 0;
    while (done < length) {
      const auto got = pread(descriptor_, text.data() + before + done, length - done,
                             static_cast<off_t>(from + done));
      if (got <= 0) break;
      done += static_cast<std::size_t>(got);
    }
    text.resize(before + done);
  }

 private:
  int descriptor_;
  struct stat found_ {};
};

// Nothing: the files were being exchanged. `is_last`: then the note could not be written, and what
// is kept counts as all there was.
std::optional<OutputPart> look(const std::string& path, std::optional<std::uint64_t> offset,
                               std::size_t bytes_max, bool is_last) {
  const File newer(path);
  const auto note = OutputFile::read_note(path);
  const File older(path + ".1");
  const bool is_noted = note && note->file == newer.node() && older.node() != newer.node();
  if (older.is_there() && !is_noted && !is_last) return std::nullopt;
  const std::uint64_t newer_begins =
      older.is_there() ? (is_noted ? note->begin : older.bytes()) : 0;
  const std::uint64_t kept = older.is_there() ? std::min(older.bytes(), newer_begins) : 0;
  OutputPart part;
  part.begin = newer_begins - kept;
  part.end = newer_begins + newer.bytes();
  const std::uint64_t tail = part.end - std::min<std::uint64_t>(bytes_max, part.end);
  part.offset = std::clamp(offset.value_or(tail), part.begin, part.end);
  if (part.offset < newer_begins) {
    older.append_to(part.text, part.offset - part.begin, bytes_max);
    // Cut short on the disk: what follows would not be what follows.
    if (part.text.size() < std::min<std::uint64_t>(newer_begins - part.offset, bytes_max)) {
      return part;
    }
  }
  if (newer.is_there() && part.text.size() < bytes_max) {
    const std::uint64_t at = std::max(part.offset, newer_begins) - newer_begins;
    newer.append_to(part.text, at, bytes_max - part.text.size());
  }
  return part;
}

}  // namespace

Result<OutputPart> read_output_part(const std::string& jobs_folder, work::WorkId id, bool is_error,
                                    std::optional<std::uint64_t> offset, std::size_t bytes_max) {
  for (int looks = 0;; ++looks) {
    std::optional<Hold> best;
    std::string best_folder;
    for (const auto& base : {jobs_folder, jobs_folder + "/" + kFinishedFolder}) {
      const auto holds = find_attempts(base);
      if (!holds) return holds.error();
      for (const auto& hold : *holds) {
        if (hold.id != id || (best && hold.fence < best->fence)) continue;
        best = hold;
        best_folder = base + "/" + folder_name(hold);
      }
    }
    if (!best) {
      return Error{kBadJobFiles, "no output of this work is kept here", jobs_folder,
                   "see which node ran it, and executor.finished_kept"};
    }
    const std::string path = best_folder + (is_error ? "/stderr.log" : "/stdout.log");
    auto part = look(path, offset, bytes_max, looks + 1 == kLooksMax);
    if (!part) continue;
    part->fence = best->fence.value();
    return std::move(*part);
  }
}

}  // namespace riftbus::executor
