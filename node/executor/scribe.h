// Scribe: all of a job's watching-over that may wait for a disk, on a thread of its own: its
// output, its record, the size of its directory.
//
// The Warden keeps the deadline of a lease, and a lease does not wait until a disk answers: so the
// warden touches no disk as long as the program runs, and gives what must be written to this one.
// Of several records that wait only the newest is written. While the disk does not answer, the
// program's output stands still in its pipes, which bound it.
//
// Contract: all functions are the owner's, one thread; end() blocks as long as the disk does, the
// others never. The signals that the owner wants must be blocked before begin().
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "bus/wake_pipe.h"
#include "node/executor/directory_meter.h"
#include "node/executor/job_files.h"
#include "node/executor/output_file.h"

namespace riftbus::executor {

class Scribe {
 public:
  static constexpr int kDiskShare = 20;  // measuring may take one twentieth of the time
  static constexpr std::size_t kEntriesPerTurn = 500;

  Scribe(std::string folder, const JobSpec& spec);
  ~Scribe() { end(); }
  Scribe(const Scribe&) = delete;
  Scribe& operator=(const Scribe&) = delete;

  // Takes the reading ends of the program's output and error. Once.
  void begin(int out, int err);
  // To be written down, and the daemon to be told.
  void put(const JobState& state);
  // No process of the job is left: takes what its pipes still hold. What was put last may have
  // remained unwritten.
  void end();

  // Readable when is_too_large() may have become true.
  [[nodiscard]] int descriptor() const { return to_owner_.descriptor(); }
  [[nodiscard]] bool is_too_large() const;
  // The end of the program's standard error; after end().
  [[nodiscard]] const std::string& tail() const { return tail_.text(); }

 private:
  struct Stream {
    int fd = -1;
    std::optional<OutputFile> file;
  };
  void run();
  void take(Stream& stream);
  void write_waiting();
  void measure();

  std::string folder_;
  std::uint64_t output_bytes_max_;
  std::uint64_t disk_bytes_max_;
  Nanos disk_check_every_;
  std::thread thread_;
  bus::WakePipe to_thread_;
  bus::WakePipe to_owner_;
  std::atomic<bool> ending_ = false;
  std::atomic<bool> too_large_ = false;
  std::mutex mutex_;  // never held while a disk is asked
  std::optional<JobState> waiting_;

  // The thread's own.
  std::array<Stream, 2> streams_;  // output, error
  OutputTail tail_;
  DirectoryMeter meter_;
  bool measuring_ = false;
  Nanos measured_for_{};
  TimePoint measure_at_;
};

// Tells the daemon, if there is one, that something about this job has changed.
void wake_daemon(const std::string& folder);

}  // namespace riftbus::executor
