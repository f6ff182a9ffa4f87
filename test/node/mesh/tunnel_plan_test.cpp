#include "node/mesh/tunnel_plan.h"

#include <gtest/gtest.h>

#include "test/node/vocabulary.h"

namespace riftbus::node {
namespace {

// Four relays; the test says which are up, and passes time in seconds.
class Relays {
 public:
  explicit Relays(int relays = 4) : plan_(names(relays)) {}

  Relays& up(int relay, bool is_up = true) {
    sights_[name(relay)].is_up = is_up;
    return *this;
  }
  Relays& down(int relay) { return up(relay, false); }
  Relays& drain(int relay, bool is_draining = true) {
    sights_[name(relay)].is_draining = is_draining;
    return *this;
  }
  Relays& want(std::size_t count) {
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
  Relays relays;
  EXPECT_EQ(relays.after(0), "r1 home, r2 warm");
  EXPECT_EQ(relays.up(1).up(2).after(300), "r1 home, r2 warm");
}

TEST(TunnelPlan, TakesWhatThereIs) {
  EXPECT_EQ(Relays(1).after(60), "r1 home");
  EXPECT_EQ(Relays(0).after(60), "");
}

TEST(TunnelPlan, AFurtherOneServesWhileAnEarlierOneCannotBeReached) {
  Relays relays;
  relays.up(1).up(2).after(60);
  EXPECT_EQ(relays.down(1).after(15), "r1 home, r2 warm") << "it may come back at once";
  EXPECT_EQ(relays.after(10), "r1 home, r2 warm, r3 spare") << "the first goes on being tried";
  EXPECT_EQ(relays.up(3).after(600), "r1 home, r2 warm, r3 spare");
}

TEST(TunnelPlan, ANodeFindsBackToItsHome) {
  Relays relays;
  relays.up(2).up(3).after(60);
  EXPECT_EQ(relays.after(1), "r1 home, r2 warm, r3 spare");
  EXPECT_EQ(relays.up(1).after(10), "r1 home, r2 warm, r3 leaving") << "the new way is young";
  EXPECT_EQ(relays.after(30), "r1 home, r2 warm");
}

TEST(TunnelPlan, AWayThatFlapsDoesNotEndTheOneThatHolds) {
  Relays relays;
  relays.up(2).up(3).after(60);
  for (int i = 0; i < 20; ++i) {
    relays.up(1).after(10);
    EXPECT_NE(relays.down(1).after(10).find("r3"), std::string::npos);
  }
}

TEST(TunnelPlan, NeverMoreThanFour) {
  Relays relays(9);
  EXPECT_EQ(relays.after(600), "r1 home, r2 warm, r3 spare, r4 spare");
  relays.up(9).up(8);
  EXPECT_EQ(relays.after(600), "r1 home, r2 warm, r3 spare, r4 spare");
}

TEST(TunnelPlan, ADrainedRelayIsLeftOnceTwoOthersHold) {
  Relays relays;
  relays.up(1).up(2).after(60);
  EXPECT_EQ(relays.drain(1).after(1), "r2 home, r3 warm, r1 leaving");
  EXPECT_EQ(relays.after(15), "r2 home, r3 warm, r1 leaving") << "r3 is not up yet";
  EXPECT_EQ(relays.up(3).after(10), "r2 home, r3 warm, r1 leaving");
  EXPECT_EQ(relays.after(30), "r2 home, r3 warm");
  relays.down(1);
  EXPECT_EQ(relays.drain(1, false).after(10), "r1 home, r2 warm, r3 leaving");
}

TEST(TunnelPlan, ADrainedRelayIsKeptWhereThereIsNoOther) {
  Relays relays(2);
  relays.up(1).up(2).after(60);
  EXPECT_EQ(relays.drain(1).after(600), "r2 home, r1 warm");
}

TEST(TunnelPlan, ANodeThatCanBeDialledKeepsOneForTheDayWhenThatEnds) {
  Relays relays;
  relays.up(1).up(2).after(60);
  EXPECT_EQ(relays.want(1).after(1), "r1 home");
  EXPECT_EQ(relays.down(1).after(25), "r1 home, r2 warm") << "one that works";
  EXPECT_EQ(relays.up(1).after(10), "r1 home, r2 leaving");
  EXPECT_EQ(relays.after(30), "r1 home");
  EXPECT_EQ(relays.want(2).after(1), "r1 home, r2 warm");
}

TEST(TunnelPlan, NoneIsKeptWhereNoneIsWanted) {
  Relays relays;
  EXPECT_EQ(relays.want(0).after(60), "");
  EXPECT_EQ(relays.want(2).up(1).up(2).after(60), "r1 home, r2 warm");
  EXPECT_EQ(relays.want(0).after(1), "");
}

}  // namespace
}  // namespace riftbus::node
