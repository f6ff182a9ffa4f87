#include "bus/wire/topic.h"

#include <gtest/gtest.h>

#include "test/bus/wire/samples.h"

namespace riftbus::wire {
namespace {

using namespace std::string_literals;

TEST(Topic, AFrameIsTheTopicAZeroByteAndTheEnvelope) {
  EXPECT_EQ(make_pub_frame("beat", "abc"), "beat\0abc"s);
  const std::string frame = make_pub_frame(kTopicGossip, "x\0y"s);
  const auto parts = split_pub_frame(frame);
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->topic, "gossip");
  EXPECT_EQ(parts->envelope, "x\0y"s);
}

TEST(Topic, RefusesFramesWithoutTopicOrEnvelope) {
  for (const auto& bad : {""s, "beat"s, "\0abc"s, "beat\0"s, "Be at\0abc"s, "\xFF\0abc"s,
                          std::string(kTopicBytesMax + 1, 'a') + "\0abc"s}) {
    EXPECT_FALSE(split_pub_frame(bad).has_value());
  }
  EXPECT_TRUE(split_pub_frame(std::string(kTopicBytesMax, 'a') + "\0abc"s).has_value());
}

TEST(Topic, ASubscriptionMatchesItsTopicAndNoLongerOne) {
  const std::string prefix = subscription_for("beat");
  EXPECT_TRUE(make_pub_frame("beat", "e").starts_with(prefix));
  EXPECT_FALSE(make_pub_frame("beats", "e").starts_with(prefix));
}

TEST(Topic, OnlyBeatAndGossipArePublished) {
  Random random(1);
  for (std::size_t index = 0; index < kBodies; ++index) {
    const Kind kind = kind_of(random_body(index, random));
    const auto topic = topic_of(kind);
    EXPECT_EQ(topic.has_value(), kind == Kind::beat || kind == Kind::gossip) << to_string(kind);
    EXPECT_TRUE(is_topic(topic.value_or("calls-need-none"))) << to_string(kind);
  }
}

}  // namespace
}  // namespace riftbus::wire
