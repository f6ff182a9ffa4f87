// Workers: who has claimed, with which instance, what it offers, and what it was told.
//
// The answers to its last kAnswersKept claims are kept, so that a claim whose reply was lost is
// answered alike when it is repeated, and never granted twice. A newer instance must attach before
// it claims, and say whom it replaces: what a former life sent, and arrives late, replaces nobody.
//
// Pure; not thread-safe. Bounded: kWorkersMax workers; one that holds nothing makes room when it
// was silent longest.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/offer.h"
#include "node/work/types.h"

namespace riftbus::work {

struct Answer {
  std::uint64_t request = 0;
  Fence fence;
  std::vector<WorkId> ids;
  bool operator==(const Answer&) const = default;
};

struct Worker {
  Instance instance;
  LogMs seen_ms = 0;
  bool away = false;  // left; counts no more as a place where work fits
  Offer offer;
  std::vector<Answer> answers;  // ascending by request
  // Derived from the items:
  std::set<WorkId> leases;
  std::map<std::string, std::int64_t, std::less<>> reserved;
};

class Workers {
 public:
  // By number of the node's name.
  [[nodiscard]] const std::map<std::uint16_t, Worker>& all() const { return all_; }
  [[nodiscard]] const Worker* find(std::uint16_t node) const;
  [[nodiscard]] Worker* find(std::uint16_t node);
  // nullptr: the table is full of workers that hold something.
  Worker* admit(std::uint16_t node);
  // False: somebody else than `replaces` is known.
  [[nodiscard]] static bool replace(Worker& worker, Instance instance, Instance replaces);
  [[nodiscard]] static const Answer* find_answer(const Worker& worker, std::uint64_t request);
  static void remember(Worker& worker, Answer answer);

  static void reserve(Worker& worker, WorkId id, const std::vector<Amount>& amounts);
  static void unreserve(Worker& worker, WorkId id, const std::vector<Amount>& amounts);
  // What is left of one amount; negative when an offer shrank under its grants.
  [[nodiscard]] static std::int64_t left(const Worker& worker, std::string_view name);
  [[nodiscard]] static bool has_room(const Worker& worker, const std::vector<Amount>& amounts);

 private:
  std::map<std::uint16_t, Worker> all_;
};

}  // namespace riftbus::work
