// Snapshots: the whole queue as bytes, in pieces, and back.
//
// Canonical: two queues that applied the same commands give the same bytes, whether or not one of
// them was itself restored on the way. So replicas can be compared by a checksum. The format stands
// in records.h. The checksum (XXH3, chained over the frames) finds damage, not malice; reading is
// nevertheless total: any bytes give a queue whose indexes agree with its items, or an Error 1741.
//
// A writer reads the queue while it works: the queue must not change until the last piece was
// taken (CHECKed). Who cannot stop for that long lets a second WorkQueue, on another thread, apply
// the same commands, and takes its snapshots there: determinism makes it the same queue.
//
// Pure; not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/result.h"
#include "node/work/queue.h"

namespace riftbus::work {

inline constexpr std::uint16_t kBadSnapshot = 1741;

class SnapshotWriter {
 public:
  explicit SnapshotWriter(const WorkQueue& queue) : queue_(queue), index_(queue.applied_index()) {}

  [[nodiscard]] bool done() const { return done_; }
  // The next piece, of about this size: at most one record (100 KiB) more. Empty when done.
  std::string next_piece(std::size_t bytes);

 private:
  // Writes the next record and moves on.
  void step(std::string& out);
  template <class Record>
  void write(std::string& out, std::uint8_t tag, const Record& record);
  template <class Map, class Make>
  void write_table(std::string& out, std::uint8_t tag, const Map& table, Make make);
  void write_names(std::string& out, std::uint8_t tag, const Names& names);
  void write_finished(std::string& out);
  void write_rest(std::string& out);
  void next_table();

  const WorkQueue& queue_;
  std::uint64_t index_;
  std::uint8_t tag_ = 1;
  std::uint64_t cursor_ = 0;  // of the current table: everything below is written
  std::string text_cursor_;   // where keys are texts
  std::uint64_t checksum_ = 0;
  bool done_ = false;
};

// All at once: for tests, and for queues that are known to be small.
[[nodiscard]] std::string write_snapshot(const WorkQueue& queue);

class SnapshotReader {
 public:
  SnapshotReader();
  ~SnapshotReader();
  SnapshotReader(const SnapshotReader&) = delete;
  SnapshotReader& operator=(const SnapshotReader&) = delete;

  // The next piece, cut anywhere. After an error every further piece gives the same error.
  Status feed(std::string_view piece);
  // Once, after the last piece.
  Result<WorkQueue> take();

 private:
  class Loader;
  Status fail(std::string what);

  std::unique_ptr<Loader> loader_;
  std::string rest_;  // of a frame that is not yet whole
  std::string error_;
};

[[nodiscard]] Result<WorkQueue> read_snapshot(std::string_view bytes);

}  // namespace riftbus::work
