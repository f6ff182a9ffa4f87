// RecordWatch: who writes a snapshot while the queue goes on is told of each record before it goes.
//
// What is written piece by piece has to be the queue as it was at the first piece. So whatever is
// about to change or vanish is shown to the writer first, which keeps a copy if it has not written
// it yet (copy on update, as databases take fuzzy checkpoints). Only tables that may be long are
// watched; the writer copies the others at once (snapshot_writer.cpp).
//
// Pure; not thread-safe.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "node/work/item.h"

namespace riftbus::work {

class RecordWatch {
 public:
  RecordWatch() = default;
  RecordWatch(const RecordWatch&) = delete;
  RecordWatch& operator=(const RecordWatch&) = delete;
  virtual ~RecordWatch() = default;

  // May change, and be erased.
  virtual void before_item(const Item& item) = 0;
  // Of Ledger::dedupe: comes, changes or goes.
  virtual void before_key(const std::string& key) = 0;
  // The oldest one goes.
  virtual void before_finished_goes() = 0;
  virtual void before_result_goes() = 0;
  virtual void before_add_goes() = 0;
};

class RecordWatches {
 public:
  void add(RecordWatch& watch) { all_.push_back(&watch); }
  void remove(RecordWatch& watch) { std::erase(all_, &watch); }
  template <class Tell>
  void tell(Tell tell) const {
    for (RecordWatch* watch : all_) tell(*watch);
  }

 private:
  std::vector<RecordWatch*> all_;
};

}  // namespace riftbus::work
