#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "node/executor/output_reader.h"
#include "node/executor/processes_linux.h"
#include "node/executor/runner.h"
#include "node/jobs/kinds.h"

namespace riftbus::executor {

namespace {

namespace fs = std::filesystem;

constexpr int kTrashNamesMax = 100;

// What the program wrote for the queue. Too long a result is a mistake of the program.
void read_words(const std::string& folder, Exit& exit) {
  exit.percent = parse_percent(read_part(folder + "/io/progress", kProgressBytesMax));
  bool whole = true;
  auto checkpoint = read_part(folder + "/io/checkpoint", work::kCheckpointBytesMax, &whole);
  if (whole) exit.checkpoint = std::move(checkpoint);
  auto result = read_part(folder + "/io/result", work::kResultBytesMax, &whole);
  if (whole) {
    exit.result = std::move(result);
  } else if (exit.code == 0 && exit.signal == 0) {
    exit.started = false;
    exit.tail = "its result is longer than " + std::to_string(work::kResultBytesMax) + " bytes";
  }
}

// Who may not write into a folder cannot remove what is in it, unless it is its own to open.
void open_up(const fs::path& tree) {
  std::vector<fs::path> waiting{tree};
  while (!waiting.empty()) {
    const fs::path folder = std::move(waiting.back());
    waiting.pop_back();
    std::error_code failure;
    fs::permissions(folder, fs::perms::owner_all, fs::perm_options::add, failure);
    for (fs::directory_iterator at(folder, failure); !failure && at != fs::directory_iterator();
         at.increment(failure)) {
      std::error_code ignored;
      if (at->symlink_status(ignored).type() == fs::file_type::directory) {
        waiting.push_back(at->path());
      }
    }
  }
}

Status remove_tree(const fs::path& tree) {
  std::error_code failure;
  fs::remove_all(tree, failure);
  if (!failure) return Ok{};
  open_up(tree);
  fs::remove_all(tree, failure);
  if (!failure) return Ok{};
  return Error{kBadJobFiles, "cannot remove what a job left: " + failure.message(), tree,
               "remove it by hand"};
}

}  // namespace

std::uint8_t parse_percent(const std::string& text) {
  const double value = std::strtod(text.c_str(), nullptr);
  return value > 0 ? static_cast<std::uint8_t>(std::min(value, 100.0)) : 0;
}

std::int64_t gpus_needed(const work::Terms& terms) {
  for (const auto& amount : jobs::reserved_by(terms)) {
    if (amount.name == "gpus") return amount.milli;
  }
  return 0;
}

// ---- life and end ----------------------------------------------------------------------------

// Read-only, so that a file system that became read-only does not stand in the way of the truth.
Runner::Life Runner::life_of(const std::string& folder, int& lock) {
  lock = ::open((folder + "/lock").c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) return errno == ENOENT ? Life::gone : Life::unknown;
  if (flock(lock, LOCK_EX | LOCK_NB) == 0) return Life::gone;
  const Life life = errno == EWOULDBLOCK ? Life::lives : Life::unknown;
  close(lock);
  lock = -1;
  return life;
}

// riftbus-job is gone. Either it wrote how the job ended, or it was killed in the middle.
std::optional<Exit> Runner::bury(const std::string& folder, int kill_rounds) {
  auto state = read_state(folder);
  if (!state || !state->ended) {
    // A pid of an earlier boot names somebody else by now.
    const auto spec = read_spec(folder);
    const bool is_ours = state && spec && spec->boot_id == boot_id();
    const pid_t pid = is_ours ? static_cast<pid_t>(state->pid) : 0;
    if (!kill_remains(folder, pid, is_ours ? state->pid_started : 0, kill_rounds)) {
      return std::nullopt;
    }
    state = read_state(folder);  // for want of a descriptor it may have been unreadable just now
  }
  Exit exit;
  if (state && state->ended) {
    exit = state->exit;
  } else {
    exit.cause = Cause::runner_failed;
    exit.tail = "riftbus-job was killed; so was what it watched over";
  }
  read_words(folder, exit);
  return exit;
}

Result<std::vector<jobs::FoundJob>> Runner::recover() {
  std::vector<jobs::FoundJob> found;
  const auto holds = find_attempts(options_.folder);
  if (!holds) return holds.error();
  for (const auto& hold : *holds) {
    const std::string folder = folder_of(hold);
    const auto spec = read_spec(folder);
    int lock = -1;
    const Life life = life_of(folder, lock);
    const bool usable = spec && spec->boot_id == boot_id() && spec->hold == hold;
    const auto state = read_state(folder);
    const auto exit = life == Life::gone ? bury(folder, kKillRounds) : std::nullopt;
    jobs::FoundJob job;
    job.hold = hold;
    if (usable) {
      job.kind = spec->kind.name;
      job.terms = spec->terms;
      job.attempt = spec->attempt;
      job.kill_grace = spec->kill_grace;
      job.stop_at = state ? state->stop_at : spec->stop_at;
    }
    if (usable && !exit) {
      // It lives, or something of it does, or nobody can tell: look() will.
      watched_[hold] = {};
      watched_[hold].has_remains = life == Life::gone;
      gpus_.adopt(hold, spec->gpus, gpus_needed(spec->terms));
      found.push_back(std::move(job));
    } else if (usable && state && state->ended) {
      job.ended = true;
      job.exit = *exit;
      found.push_back(std::move(job));
    } else if (exit) {
      // Lost: nobody will finish it. With the lock held, a late riftbus-job finds no record.
      remove_folder(hold);
    }
    if (lock >= 0) close(lock);
  }
  return found;
}

// ---- clearing away ---------------------------------------------------------------------------

// Renamed away at once, so that nothing of it is met again; removing it may take long.
void Runner::remove_folder(const Hold& hold) const {
  std::error_code failure;
  const fs::path folder = folder_of(hold);
  fs::remove(folder / "spec.json", failure);
  const fs::path trash = fs::path(options_.folder) / kTrashFolder;
  fs::path gone = trash / folder_name(hold);
  // A name may be taken by what an earlier life could not remove.
  for (int n = 1; fs::exists(gone, failure) && n < kTrashNamesMax; ++n) {
    gone = trash / (folder_name(hold) + "." + std::to_string(n));
  }
  fs::rename(folder, gone, failure);
  if (failure || options_.finished_kept == 0) return;
  if (!fs::exists(gone / "stdout.log", failure)) return;
  const fs::path kept = fs::path(options_.folder) / kFinishedFolder / folder_name(hold);
  fs::create_directory(kept, failure);
  for (const auto* name : {"stdout.log.begin", "stdout.log.1", "stdout.log", "stderr.log.begin",
                           "stderr.log.1", "stderr.log"}) {
    fs::rename(gone / name, kept / name, failure);
  }
}

Status Runner::clear_trash() const {
  const fs::path trash = fs::path(options_.folder) / kTrashFolder;
  std::vector<fs::path> all;
  std::error_code failure;
  for (fs::directory_iterator at(trash, failure); !failure && at != fs::directory_iterator();
       at.increment(failure)) {
    all.push_back(at->path());
  }
  if (failure) {
    return Error{kBadJobFiles, "cannot list what is to be removed: " + failure.message(), trash,
                 "check permissions there"};
  }
  Status outcome = Ok{};
  for (const auto& each : all) {
    if (auto status = remove_tree(each); !status) outcome = status;
  }
  return outcome;
}

void Runner::discard(const Hold& hold) {
  watched_.erase(hold);
  gpus_.give_back(hold);
  remove_folder(hold);
  prune_finished();
}

void Runner::prune_finished() const {
  const std::string finished = options_.folder + "/" + kFinishedFolder;
  const auto listed = find_attempts(finished);
  if (!listed || listed->size() <= options_.finished_kept) return;
  auto kept = *listed;
  // Fences grow: the smallest is the oldest.
  std::sort(kept.begin(), kept.end(),
            [](const Hold& one, const Hold& other) { return one.fence < other.fence; });
  std::error_code failure;
  for (std::size_t i = 0; i + options_.finished_kept < kept.size(); ++i) {
    fs::remove_all(finished + "/" + folder_name(kept[i]), failure);
  }
}

// ---- for others ------------------------------------------------------------------------------

Result<std::string> read_output(const std::string& jobs_folder, work::WorkId id, bool is_error,
                                std::size_t bytes_max) {
  auto part = read_output_part(jobs_folder, id, is_error, std::nullopt, bytes_max);
  if (!part) return part.error();
  return std::move(part->text);
}

}  // namespace riftbus::executor
