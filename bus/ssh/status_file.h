// A program's status as a JSON file that others read: replaced as a whole, so that a reader never
// sees half of one, and not synced, since it tells nothing that matters after a crash.
//
// A disk may hang for longer than a peer waits for a sign of life. So a thread of its own writes,
// and whoever has something new to say leaves it there: of what waits, the newest is written.
//
// Contract: one thread uses a StatusWriter. None of its calls waits for the disk, but for finish(),
// for a bounded time. The writing thread starts with the first write, inherits that moment's
// signal mask and rights, and is left alone with a disk that hangs when this object ends.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "config/result.h"
#include "config/types.h"

namespace riftbus::ssh {

// Blocks on the disk. 1805.
[[nodiscard]] Status write_status(const std::string& path, const nlohmann::json& status);

class StatusWriter {
 public:
  explicit StatusWriter(std::string path);
  ~StatusWriter();
  StatusWriter(const StatusWriter&) = delete;
  StatusWriter& operator=(const StatusWriter&) = delete;

  void write(nlohmann::json status);
  // What came of writing since the last call, the newest outcome: 1805; nothing: none has ended.
  [[nodiscard]] std::optional<Status> take_outcome();
  // Waits until all is written. False: it was not within `patience`.
  bool finish(Millis patience);

 private:
  struct Shared;
  static void work(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;
  bool has_thread_ = false;
};

}  // namespace riftbus::ssh
