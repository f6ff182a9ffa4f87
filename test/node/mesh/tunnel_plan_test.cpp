#include "node/mesh/tunnel_plan.h"

#include <gtest/gtest.h>

namespace riftbus::node {
namespace {

NodeId id(const std::string& text) { return *NodeId::parse(text); }

// Four relays; the test says which are up, and passes time in seconds.
class World {
 public:
  explicit World(int relays = 4) : plan_(names(relays)) {}

  World& up(int relay, bool is_up = true) {
    sights_[name(relay)].is_up = is_up;
    return *this;
  }
  World& down(int relay) { return up(relay, false); }
  World& drain(int relay, bool is_draining = true) {
    sights_[name(relay)].is_draining = is_draining;
    return *this;
  }
  World& want(std::size_t count) {
    wanted_ = count;
    return *this;
  }
  // "r1 home, r2 warm" once so much time has passed.
  std::string after(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      now_ += Seconds{1};
      plan_.step(sights_, wanted_, now_);
    }
    if (seconds == 0) plan_.step(sights_, wanted_, now_);
    std::string text;
    for (const auto& wish : plan_.wishes()) {
      text += (text.empty() ? "" : ", ") + wish.relay.value() + " " + to_string(wish.role);
    }
    return text;
  }

 private:
  static NodeId name(int relay) { return id("r" + std::to_string(relay)); }
  static std::vector<NodeId> names(int count) {
    std::vector<NodeId> all;
    for (int i = 1; i <= count; ++i) all.push_back(name(i));
    return all;
  }

  TunnelPlan plan_;
  std::map<NodeId, TunnelSight> sights_;
  std::size_t wanted_ = TunnelPlan::kWanted;
  TimePoint now_{Seconds{100}};
};

TEST(TunnelPlan, BeginsWithTheFirstTwo) {
  World world;
  EXPECT_EQ(world.after(0), "r1 home, r2 warm");
  EXPECT_EQ(world.up(1).up(2).after(300), "r1 home, r2 warm");
}

TEST(TunnelPlan, TakesWhatThereIs) {
  EXPECT_EQ(World(1).after(60), "r1 home");
  EXPECT_EQ(World(0).after(60), "");
}

TEST(TunnelPlan, AFurtherOneServesWhileAnEarlierOneCannotBeReached) {
  World world;
  world.up(1).up(2).after(60);
  EXPECT_EQ(world.down(1).after(15), "r1 home, r2 warm") << "it may come back at once";
  EXPECT_EQ(world.after(10), "r1 home, r2 warm, r3 spare") << "the first goes on being tried";
  EXPECT_EQ(world.up(3).after(600), "r1 home, r2 warm, r3 spare");
}

TEST(TunnelPlan, ANodeFindsBackToItsHome) {
  World world;
  world.up(2).up(3).after(60);
  EXPECT_EQ(world.after(1), "r1 home, r2 warm, r3 spare");
  EXPECT_EQ(world.up(1).after(10), "r1 home, r2 warm, r3 leaving") << "the new way is young";
  EXPECT_EQ(world.after(30), "r1 home, r2 warm");
}

TEST(TunnelPlan, AWayThatFlapsDoesNotEndTheOneThatHolds) {
  World world;
  world.up(2).up(3).after(60);
  for (int i = 0; i < 20; ++i) {
    world.up(1).after(10);
    EXPECT_NE(world.down(1).after(10).find("r3"), std::string::npos);
  }
}

TEST(TunnelPlan, NeverMoreThanFour) {
  World world(9);
  EXPECT_EQ(world.after(600), "r1 home, r2 warm, r3 spare, r4 spare");
  world.up(9).up(8);
  EXPECT_EQ(world.after(600), "r1 home, r2 warm, r3 spare, r4 spare");
}

TEST(TunnelPlan, ADrainedRelayIsLeftOnceTwoOthersHold) {
  World world;
  world.up(1).up(2).after(60);
  EXPECT_EQ(world.drain(1).after(1), "r2 home, r3 warm, r1 leaving");
  EXPECT_EQ(world.after(15), "r2 home, r3 warm, r1 leaving") << "r3 is not up yet";
  EXPECT_EQ(world.up(3).after(10), "r2 home, r3 warm, r1 leaving");
  EXPECT_EQ(world.after(30), "r2 home, r3 warm");
  world.down(1);
  EXPECT_EQ(world.drain(1, false).after(10), "r1 home, r2 warm, r3 leaving");
}

TEST(TunnelPlan, ADrainedRelayIsKeptWhereThereIsNoOther) {
  World world(2);
  world.up(1).up(2).after(60);
  EXPECT_EQ(world.drain(1).after(600), "r2 home, r1 warm");
}

TEST(TunnelPlan, ANodeThatCanBeDialledKeepsOneForTheDayWhenThatEnds) {
  World world;
  world.up(1).up(2).after(60);
  EXPECT_EQ(world.want(1).after(1), "r1 home");
  EXPECT_EQ(world.down(1).after(25), "r1 home, r2 warm") << "one that works";
  EXPECT_EQ(world.up(1).after(10), "r1 home, r2 leaving");
  EXPECT_EQ(world.after(30), "r1 home");
  EXPECT_EQ(world.want(2).after(1), "r1 home, r2 warm");
}

TEST(TunnelPlan, NoneIsKeptWhereNoneIsWanted) {
  World world;
  EXPECT_EQ(world.want(0).after(60), "");
  EXPECT_EQ(world.want(2).up(1).up(2).after(60), "r1 home, r2 warm");
  EXPECT_EQ(world.want(0).after(1), "");
}

}  // namespace
}  // namespace riftbus::node
