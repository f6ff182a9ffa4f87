// ReadyLine: all ready items, in the order in which workers will be given them.
//
// Items lie in classes: equal terms, kind, group and excluded nodes. Within a class any worker
// that may take one may take all, so only the first of each class has to be looked at. A choice
// costs O(classes) once, then O(classes) comparisons and one O(log n) removal per item, however
// many items wait.
//
// The next item is the one with the lowest
//   since - priority * aging  +  running(group) / weight * share  -  data on the spot * affinity
// all of them times: a group with much running waits a little longer than one with nothing, urgent
// work comes earlier, old work becomes urgent. Ties: the lower id. Groups at their limit and
// classes whose reservation does not fit into what is left of the offer are passed over.
//
// Pure; not thread-safe.
#pragma once

#include <map>
#include <set>

#include "node/work/item.h"

namespace riftbus::work {

class ReadyLine {
 public:
  using Line = std::set<Rank>;

  void insert(const Item& item, std::uint32_t aging_ms);
  void erase(const Item& item, std::uint32_t aging_ms);
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const std::map<ClassKey, Line>& classes() const { return classes_; }

 private:
  std::map<ClassKey, Line> classes_;
  std::size_t size_ = 0;
};

}  // namespace riftbus::work
