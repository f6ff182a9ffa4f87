// Snapshots: the whole queue as bytes, in pieces, and back.
//
// Canonical: two queues that applied the same commands give the same bytes, whether or not one of
// them was itself restored on the way. So replicas can be compared by a checksum. The format stands
// in records.h. The checksum (XXH3, chained over the frames) finds damage, not malice; reading is
// nevertheless total: any bytes give a queue whose indexes agree with its items, or an Error 1741.
//
// A writer writes the queue as it was when the writer was made, however the queue goes on meanwhile
// (record_watch.h): a loop that must not stand still writes a piece now and then. The tables that
// may be long are read as they are written; the others, of a few thousand records, are copied at
// once.
//
// Pure; not thread-safe.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/result.h"
#include "node/work/queue.h"

namespace riftbus::work {

inline constexpr std::uint16_t kBadSnapshot = 1741;

class SnapshotWriter final : private RecordWatch {
 public:
  // `queue` must outlive it, and not be moved to.
  explicit SnapshotWriter(const WorkQueue& queue);
  ~SnapshotWriter() override;

  [[nodiscard]] bool done() const { return part_ == Part::none; }
  // The next piece, of about this size: at most one record (200 KiB) more. At most kStepsMax
  // records are looked at, so it may be empty before it is done: some keys have nothing to be
  // written.
  std::string next_piece(std::size_t bytes);

 private:
  static constexpr std::size_t kStepsMax = 4096;

  // What follows what; each long table is a part of its own.
  enum class Part : std::uint8_t { head, items, keys, finished, results, rest, adds, tail, none };
  // Frames that wait to be written.
  struct Copied {
    std::string frames;
    std::size_t written = 0;
  };
  // Of a row whose oldest records give way: the next one to be written, the end, and those of them
  // that have gone.
  template <class Record>
  struct Row {
    std::uint64_t next = 0;
    std::uint64_t end = 0;
    std::deque<Record> kept;
    // Of the one that goes.
    [[nodiscard]] bool lacks(std::uint64_t number) const { return number >= next && number < end; }
  };

  void before_item(const Item& item) override;
  void before_key(const std::string& key) override;
  void before_finished_goes() override;
  void before_result_goes() override;
  void before_add_goes() override;

  void copy_head();
  void copy_rest();
  // Writes the next record, or moves on.
  void step(std::string& out);
  void write_item(std::string& out);
  void write_key(std::string& out);
  void write_finished(std::string& out);
  void write_result(std::string& out);
  void write_add(std::string& out);
  void write_copied(std::string& out, Copied& copied);
  void write_end(std::string& out);
  [[nodiscard]] std::string result_frame(const History::Kept& kept) const;
  void put(std::string& out, std::string_view frame);
  // What stands from `begin` on in `out` is a frame.
  void count_frame(const std::string& out, std::size_t begin);
  void next_part();

  const Ledger& ledger_;
  Part part_ = Part::head;
  std::uint64_t checksum_ = 0;
  Copied head_, rest_, tail_;

  WorkId next_item_;
  const WorkId items_end_;  // later ones have come since
  std::map<WorkId, std::string> kept_items_;

  std::optional<std::string> last_key_;
  std::map<std::string, std::string, std::less<>> kept_keys_;  // empty: there was none

  Row<Finished> finished_;
  const std::uint64_t finished_begin_;
  Row<std::string> results_;
  Row<std::string> adds_;
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
