#include "node/membership/suspicion.h"

#include <gtest/gtest.h>

#include "test/node/membership/vocabulary.h"

namespace riftbus::membership {
namespace {

Suspicion suspicion_of(unsigned expected) {
  return {id("w0"), expected, Seconds(2), Seconds(30), kStart};
}

TEST(Suspicion, EndsEarlierWithEachConfirmationByLifeguardsFormula) {
  const struct {
    int confirmations;
    Millis total;
  } table[] = {{0, Millis(30000)}, {1, Millis(16000)}, {2, Millis(7810)}, {3, Millis(2000)}};
  for (const auto& row : table) {
    Suspicion suspicion = suspicion_of(3);
    for (int i = 1; i <= row.confirmations; ++i) suspicion.confirm(numbered("w", i));
    EXPECT_NEAR(static_cast<double>(to_ms(suspicion.due() - kStart)),
                static_cast<double>(row.total.count()), 5.0)
        << row.confirmations << " confirmations";
  }
}

TEST(Suspicion, CountsAnAccuserOnce) {
  Suspicion suspicion = suspicion_of(3);
  EXPECT_TRUE(suspicion.confirm(id("w1")));
  const TimePoint due = suspicion.due();
  EXPECT_FALSE(suspicion.confirm(id("w1")));
  EXPECT_FALSE(suspicion.confirm(id("w0"))) << "the first accuser confirms nothing";
  EXPECT_EQ(suspicion.due(), due);
}

TEST(Suspicion, NeverEndsBeforeItsMinimumHoweverManyConfirm) {
  Suspicion suspicion = suspicion_of(3);
  for (int i = 1; i <= 6; ++i) suspicion.confirm(numbered("w", i));
  EXPECT_EQ(suspicion.due(), kStart + Seconds(2));
}

TEST(Suspicion, EndsAtItsMinimumWhenNobodyIsExpectedToConfirm) {
  EXPECT_EQ(suspicion_of(0).due(), kStart + Seconds(2));
}

TEST(Suspicion, MovesWithAPauseOfItsOwner) {
  Suspicion suspicion = suspicion_of(1);
  suspicion.shift(Seconds(7));
  EXPECT_EQ(suspicion.due(), kStart + Seconds(37));
}

TEST(Suspicion, ListsAccusersInOrderOfArrival) {
  Suspicion suspicion = suspicion_of(2);
  suspicion.confirm(id("w9"));
  suspicion.confirm(id("w3"));
  EXPECT_EQ(suspicion.accusers(), (std::vector{id("w0"), id("w9"), id("w3")}));
}

}  // namespace
}  // namespace riftbus::membership
