// LogMark: the number of the last transaction that a log acknowledged, in a file of its own.
//
// It exists to catch a database that forgot something: a log that knows less than its mark has lost
// acknowledged entries, and its voter must not vote. Writing it must cost nothing, so it is not
// synced: after a power cut it may lag behind, and that is safe; it is never ahead, because it is
// written only after the transaction is durable. Two slots in two sectors, written in turn, each
// with owner and checksum: a torn write leaves the other one. Of the valid ones the higher counts.
//
// The file is also the lock: one process at a time has it (flock), and is told so by Error 1701.
//
// Blocking; not thread-safe.
#pragma once

#include <memory>
#include <string>

#include "config/result.h"
#include "node/disk/log_record.h"

namespace riftbus::disk {

class LogMark {
 public:
  // Makes it, with number 0 and durably, if `may_create` and it does not exist.
  [[nodiscard]] static Result<std::unique_ptr<LogMark>> open(const std::string& path,
                                                             const LogOwner& owner,
                                                             bool may_create);
  ~LogMark();
  LogMark(const LogMark&) = delete;
  LogMark& operator=(const LogMark&) = delete;

  // As found when it was opened, or set since.
  [[nodiscard]] Seq seq() const { return seq_; }
  // False: errno says why.
  [[nodiscard]] bool set(Seq seq);
  [[nodiscard]] bool sync();

 private:
  LogMark(int fd, const LogOwner& owner) : fd_(fd), owner_(owner) {}
  [[nodiscard]] Status load(const std::string& path);

  int fd_;
  LogOwner owner_;
  Seq seq_;
  unsigned next_slot_ = 0;
};

}  // namespace riftbus::disk
