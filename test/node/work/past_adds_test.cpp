#include "node/work/past_adds.h"

#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "config/random.h"

namespace riftbus::work {
namespace {

std::vector<WorkId> ids_of(std::uint64_t nonce) { return {WorkId(nonce), WorkId(nonce + 1)}; }

TEST(PastAdds, AnEmptyOneKnowsNothing) {
  const RecordWatches nobody;
  const PastAdds past(nobody);
  EXPECT_EQ(past.find(0), nullptr);
  EXPECT_EQ(past.size(), 0U);
}

// Nonces that follow each other, as one adder draws them, and ones from anywhere, in turn.
TEST(PastAdds, KnowsTheNewestAndNoOther) {
  Random random(7);
  const RecordWatches nobody;
  PastAdds past(nobody);
  std::deque<std::uint64_t> kept;
  std::set<std::uint64_t> all;
  std::uint64_t near = 1;
  for (std::size_t i = 0; i < 3 * kAddsKept; ++i) {
    const std::uint64_t nonce = i % 2 == 0 ? ++near : random.next();
    if (!all.insert(nonce).second) continue;
    ASSERT_EQ(past.find(nonce), nullptr);
    past.add(nonce, ids_of(nonce));
    kept.push_back(nonce);
    if (kept.size() <= kAddsKept) continue;
    ASSERT_EQ(past.find(kept.front()), nullptr) << "the oldest gives way";
    kept.pop_front();
    if (i % 1024 != 0) continue;
    ASSERT_EQ(past.size(), kept.size());
    for (std::size_t place = 0; place < kept.size(); ++place) {
      ASSERT_NE(past.find(kept[place]), nullptr);
      ASSERT_EQ(*past.find(kept[place]), ids_of(kept[place]));
      ASSERT_EQ(past.at(place).nonce, kept[place]);
    }
  }
}

}  // namespace
}  // namespace riftbus::work
