#include "node/quorum/founding.h"

#include "test/node/quorum/quorum_world.h"

namespace riftbus::node {
namespace {

// The founding of one node, and two other first voters that say what the test wants.
class FoundingTest : public testing::Test {
 protected:
  FoundingTest()
      : founding(kSelf, {kSelf, kFirst, kSecond}, *world.self().bus, world.members(), world.now()) {
    world.is_watching = false;
    world.on_other = [this](const bus::Received& received) {
      if (Founding::is_answer(received)) founding.on_reply(received, world.now());
    };
    world.on_turn = [this] { founding.tick(world.now()); };
  }
  void says(const NodeId& voter, LogStage stage) {
    const auto note = founding_note(stage, founding.voters());
    world.voter(voter).on_request = [note](const wire::WorkRequest&) -> std::optional<wire::Body> {
      return wire::WorkReply{wire::WorkOutcome::done, note, {}, 0, true};
    };
  }
  void is_silent(const NodeId& voter) { world.voter(voter).on_request = nullptr; }
  [[nodiscard]] bool until(const std::function<bool()>& holds) {
    return world.until([&] {
      world.pass(Millis(20));
      return holds();
    });
  }

  QuorumWorld world;
  Founding founding;
};

TEST_F(FoundingTest, WhoHasAnsweredAndDiedAgreesToNothing) {
  says(kFirst, LogStage::fresh);
  ASSERT_TRUE(until([&] { return world.voter(kFirst).asked.size() > 1; }));
  is_silent(kFirst);
  world.pass(Founding::kHeardFresh);
  says(kSecond, LogStage::fresh);
  ASSERT_TRUE(until([&] { return world.voter(kSecond).asked.size() > 2; }));
  EXPECT_FALSE(founding.is_agreed(world.now()));
  world.pass(Founding::kTroubleAfter);
  ASSERT_TRUE(until([&] {
    const auto trouble = founding.trouble(world.now());
    return trouble && trouble->code == 1712 && trouble->where == kFirst.value();
  }));
  says(kFirst, LogStage::fresh);
  EXPECT_TRUE(until([&] { return founding.is_agreed(world.now()); }));
}

TEST_F(FoundingTest, WhoHasBegunHasBegun) {
  says(kFirst, LogStage::begun);
  says(kSecond, LogStage::fresh);
  ASSERT_TRUE(until([&] { return founding.is_agreed(world.now()); }));
  founding.begin();
  EXPECT_FALSE(founding.is_over());
  is_silent(kFirst);
  world.pass(Founding::kHeardFresh * 2);
  says(kSecond, LogStage::begun);
  EXPECT_TRUE(until([&] { return founding.is_over(); }));
}

}  // namespace
}  // namespace riftbus::node
