// Batch: one Add on its way in: judged as a whole before anything is changed.
//
// Judging needs names interned, so that their number is known to fit; names that a refused batch
// brought along are forgotten again. An item whose dedupe key is known, to the queue or from
// earlier in the batch, stands for that other item, also as a dependency.
//
// Lives only within one handle(Add).
#pragma once

#include <boost/container/small_vector.hpp>
#include <map>
#include <string>
#include <vector>

#include "node/work/ledger.h"

namespace riftbus::work {

class Batch {
 public:
  // Takes the payloads of `add` once nothing is refused.
  Batch(Ledger& ledger, Add& add) : ledger_(ledger), add_(add), plans_(add.items.size()) {}

  [[nodiscard]] Added run();

 private:
  // What an item of the batch will become.
  struct Plan {
    WorkId id;
    bool known = false;  // stands for an item that exists, or comes earlier in the batch
    std::uint16_t kind = 0;
    std::uint16_t group = 0;
    std::uint16_t terms = 0;
    std::vector<WorkId> after;
  };

  [[nodiscard]] bool refuse(Outcome outcome, std::size_t item, std::string why);
  [[nodiscard]] bool judge_room();
  [[nodiscard]] bool judge_values(std::size_t item);
  [[nodiscard]] bool judge_spans(std::size_t item);
  void number_items();
  [[nodiscard]] bool judge_gangs();
  [[nodiscard]] bool judge_dependencies(std::size_t item);
  [[nodiscard]] bool judge_order();
  [[nodiscard]] bool intern(std::size_t item);
  void forget_names();
  [[nodiscard]] Item make_item(std::size_t item);
  void enter_gangs();
  void enter_items();
  // All items of one gang are one node when cycles are looked for.
  [[nodiscard]] std::size_t node_of(std::size_t item) const;

  Ledger& ledger_;
  Add& add_;
  boost::container::small_vector<Plan, 1> plans_;  // mostly one
  std::map<std::uint16_t, std::vector<std::size_t>> gangs_;
  std::map<std::uint16_t, Needs> new_terms_;
  WorkId end_;  // after the last new id
  Added added_;
};

}  // namespace riftbus::work
