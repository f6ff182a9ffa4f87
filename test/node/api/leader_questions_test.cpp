#include "node/api/leader_questions.h"

#include "config/exit_status.h"
#include "test/node/quorum/quorum_world.h"

namespace riftbus::node {
namespace {

// The loop reads the clock once for all messages of a turn, and the log's time never goes back: an
// order that came with a later time than its turn's made the daemon abort at the next message.
TEST(LeaderQuestions, OrdersHaveTheTimeOfTheirTurn) {
  QuorumWorld world;
  ServerNames names;
  names.add(kSelf);
  VoterSetup setup;
  setup.self = kSelf;
  setup.first_voters = {kSelf};
  setup.folder = world.folder().file("log");
  auto log = VoterShell::open_log(setup);
  ASSERT_TRUE(log.ok());
  VoterShell voter(setup, std::move(*log), *world.self().bus, world.members(), names, *world.watch,
                   world.journal());

  const TimePoint turn = world.now();
  LeaderQuestions questions(*world.watch, names, [&] {
    NodeView view;
    view.self = kSelf;
    view.journal = &world.journal();
    view.now = {turn, 0};
    return view;
  });
  questions.set_voter(&voter);
  const auto order = [&](const std::string& name, const std::string& key, const std::string& word) {
    return questions.answer(wire::Query{name, {{key, word}}}, {Role::admin}, false);
  };
  EXPECT_TRUE(order("leader.policy", "policy", "bully").ok());
  voter.flush(turn);
  const auto refused = order("leader.transfer", "id", "v1");
  ASSERT_FALSE(refused.ok()) << "it does not lead";
  EXPECT_EQ(exit_status_of(refused.error()), kExitTemporary) << "but may soon";
  voter.flush(turn);
}

}  // namespace
}  // namespace riftbus::node
