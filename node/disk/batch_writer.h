// BatchWriter: the end of the log on disk, within transactions that its owner begins and commits.
//
// Entries of one transaction are gathered and become as few rows as the bounds of a batch allow; a
// cut may fall into the middle of a row, which is then written anew without what was cut off. After
// a failure it is as useless as the store.
//
// Blocking; not thread-safe. Throws SQLite::Exception.
#pragma once

#include "node/disk/log_database.h"
#include "node/disk/recovery.h"

namespace riftbus::disk {

class BatchWriter {
 public:
  BatchWriter(LogDatabase& database, const LogOwner& owner, const std::string& path)
      : database_(database), owner_(owner), path_(path) {}
  void start(const Recovered& from);

  // Everything from `from` on is gone. An Error: a row that has to be shortened is damaged.
  [[nodiscard]] Status cut(consensus::Index from);
  // The next one (CHECKed).
  void append(consensus::EntryPtr entry);
  // What was gathered becomes rows. Before anything else is numbered, and before the commit.
  void flush();
  // A snapshot took the log's place: rows up to now do not count any more.
  void restart(consensus::Index last);

  [[nodiscard]] consensus::Index last() const { return last_; }
  // The highest number in use; take_seq() uses the next one.
  [[nodiscard]] Seq seq() const { return seq_; }
  Seq take_seq() { return seq_ = seq_.next(); }

  // Deletes batches from the beginning, within one transaction's bounds: those up to `floor`, and
  // those up to `settled` that hold no entry behind `up_to`. True: there are more.
  [[nodiscard]] Result<bool> tidy(Seq floor, Seq settled, consensus::Index up_to);

 private:
  [[nodiscard]] Status cut_rows(consensus::Index from);

  LogDatabase& database_;
  const LogOwner& owner_;
  const std::string& path_;
  consensus::Index last_;
  Seq seq_;
  Seq floor_;  // rows up to it do not count
  consensus::Entries gathered_;
};

}  // namespace riftbus::disk
