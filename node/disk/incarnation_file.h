// IncarnationFile: the number of this node's newest life, on disk before anyone hears of it.
//
// Two fixed slots in one preallocated file, written in turn and fsynced: a crash in the middle of
// a write leaves the other slot, and a full disk cannot stop an update, because no block is
// allocated after creation. Each slot carries a checksum; of the valid ones the higher counts.
//
// Blocking: used on the disk thread, and once at start before any other thread runs.
#pragma once

#include <cstdint>
#include <string>

#include "config/result.h"
#include "config/types.h"

namespace riftbus::node {

class IncarnationFile {
 public:
  explicit IncarnationFile(std::string path) : path_(std::move(path)) {}

  // 0 while the file does not exist. Both slots damaged is an Error: the caller logs it and starts
  // above the wall clock, which is higher than any life it can have had.
  [[nodiscard]] Result<Incarnation> load();
  // Durable when it returns ok. `incarnation` is above every earlier one.
  [[nodiscard]] Status store(Incarnation incarnation);

 private:
  std::string path_;
  int next_slot_ = 0;
};

}  // namespace riftbus::node
