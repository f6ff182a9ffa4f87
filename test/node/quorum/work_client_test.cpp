#include "node/quorum/work_client.h"

#include "node/work/codec.h"
#include "test/node/quorum/quorum_world.h"

namespace riftbus::node {
namespace {

// One call, and what came of it.
class WorkClientTest : public testing::Test {
 protected:
  WorkClientTest() { world.is_watching = false; }

  void lead(const NodeId& leader, std::uint64_t term = 3) {
    world.watch->hint(leader, term, world.now());
  }
  void submit(Seconds patience = Seconds(20)) {
    work::Claim claim;
    claim.worker = kSelf;
    claim.instance = Instance(7);
    claim.request = 1;
    world.client->submit(claim, Nanos::zero(), world.now() + patience,
                         [this](const Result<work::Reply>& reply) { replies.push_back(reply); });
  }
  // Answers requests about work with these, one after the other; then it is silent.
  void script(const NodeId& voter, std::vector<wire::Body> answers) {
    auto left = std::make_shared<std::vector<wire::Body>>(std::move(answers));
    world.voter(voter).on_request =
        [left](const wire::WorkRequest& request) -> std::optional<wire::Body> {
      if (request.ask == wire::WorkAsk::leader || left->empty()) return std::nullopt;
      const wire::Body first = left->front();
      left->erase(left->begin());
      return first;
    };
  }
  static wire::Body granted(std::uint64_t fence) {
    work::Claimed claimed;
    claimed.fence = work::Fence(fence);
    return wire::WorkReply{wire::WorkOutcome::done, work::encode(work::Reply(claimed)), kFirst, 3,
                           false};
  }
  static wire::Body outcome(wire::WorkOutcome outcome) {
    return wire::WorkReply{outcome, {}, kFirst, 3, false};
  }
  [[nodiscard]] bool is_over() {
    return world.until([&] { return !replies.empty(); });
  }
  void expect_granted(std::uint64_t fence) {
    ASSERT_EQ(replies.size(), 1u);
    ASSERT_TRUE(replies[0].ok());
    EXPECT_EQ(std::get<work::Claimed>(*replies[0]).fence, work::Fence(fence));
    EXPECT_EQ(world.client->open(), 0u);
  }
  void expect_failed(std::uint16_t code) {
    ASSERT_EQ(replies.size(), 1u);
    ASSERT_FALSE(replies[0].ok());
    EXPECT_EQ(replies[0].error().code, code);
    EXPECT_EQ(world.client->open(), 0u);
  }
  const std::vector<wire::WorkRequest>& asked(const NodeId& voter) {
    return world.voter(voter).asked;
  }

  QuorumWorld world;
  std::vector<Result<work::Reply>> replies;
};

TEST_F(WorkClientTest, TheLeaderIsAskedAndItsAnswerComesBack) {
  lead(kFirst);
  script(kFirst, {granted(11)});
  submit();
  EXPECT_TRUE(replies.empty()) << "never from within submit()";
  ASSERT_TRUE(is_over());
  expect_granted(11);
  EXPECT_TRUE(asked(kSecond).empty());
}

TEST_F(WorkClientTest, WhoeverIsNamedIsAskedAtOnceWithTheSameBytes) {
  lead(kFirst);
  script(kFirst, {moved_to(kSecond, 4)});
  script(kSecond, {granted(12)});
  submit();
  ASSERT_TRUE(is_over());
  expect_granted(12);
  ASSERT_EQ(asked(kFirst).size(), 1u);
  ASSERT_EQ(asked(kSecond).size(), 1u);
  EXPECT_EQ(asked(kFirst)[0].body, asked(kSecond)[0].body);
}

TEST_F(WorkClientTest, BusyIsAskedAgainAsItWas) {
  lead(kFirst);
  script(kFirst, {outcome(wire::WorkOutcome::busy), granted(13)});
  submit();
  ASSERT_TRUE(is_over());
  expect_granted(13);
  ASSERT_EQ(asked(kFirst).size(), 2u);
  EXPECT_EQ(asked(kFirst)[0].body, asked(kFirst)[1].body);
}

TEST_F(WorkClientTest, SilenceMeansAnotherVoterAndTheSameBytes) {
  lead(kFirst);
  script(kSecond, {granted(14)});
  submit();
  ASSERT_TRUE(world.until([&] { return !asked(kFirst).empty(); }));
  ASSERT_TRUE(world.until([&] {
    world.pass(Millis(50));
    return !replies.empty();
  }));
  expect_granted(14);
  EXPECT_EQ(asked(kFirst)[0].body, asked(kSecond)[0].body);
}

TEST_F(WorkClientTest, WithoutAKnownLeaderVotersAreAskedInTurn) {
  script(kFirst, {moved_to(NodeId(), 3)});
  script(kSecond, {granted(15)});
  submit();
  ASSERT_TRUE(is_over());
  expect_granted(15);
}

TEST_F(WorkClientTest, ANewLeaderIsAskedBeforeTheOldOnesTimeIsUp) {
  lead(kFirst);
  script(kSecond, {granted(16)});
  submit();
  ASSERT_TRUE(world.until([&] { return !asked(kFirst).empty(); }));
  const TimePoint began = world.now();
  lead(kSecond, 4);
  ASSERT_TRUE(is_over());
  expect_granted(16);
  EXPECT_LT(world.now() - began, Millis(900));
}

TEST_F(WorkClientTest, ALateAnswerOfSomebodyElseIsIgnored) {
  lead(kFirst);
  WorkClient::Number number = 0;
  world.voter(kFirst).on_request = [](const wire::WorkRequest&) { return std::nullopt; };
  submit();
  ASSERT_TRUE(world.until([&] {
    const auto* received = world.voter(kFirst).peer->received(wire::Kind::work_request);
    if (received != nullptr) number = received->correlation.value();
    return received != nullptr;
  }));
  bus::Received foreign;
  foreign.envelope.origin = kSecond;
  foreign.envelope.correlation = Correlation(number);
  foreign.envelope.body = granted(99);
  EXPECT_TRUE(world.client->on_reply(foreign, world.now())) << "ours by its number";
  EXPECT_TRUE(replies.empty());
  foreign.envelope.origin = kFirst;
  EXPECT_TRUE(world.client->on_reply(foreign, world.now()));
  expect_granted(99);
}

TEST_F(WorkClientTest, WhatALeaderOfAnEarlierGenerationGrantsIsNoGrant) {
  const auto later = reign_of(consensus::Generation(2), consensus::Term(1));
  lead(kFirst);
  submit();
  const auto* request = [&]() -> const wire::Envelope* {
    EXPECT_TRUE(world.until([&] { return !asked(kFirst).empty(); }));
    return world.voter(kFirst).peer->received(wire::Kind::work_request);
  }();
  ASSERT_NE(request, nullptr);
  lead(kSecond, later);  // before the old leader has answered
  bus::Received old;
  old.envelope.origin = kFirst;
  old.envelope.correlation = request->correlation;
  old.envelope.body = granted(41);
  EXPECT_TRUE(world.client->on_reply(old, world.now()));
  EXPECT_TRUE(replies.empty());
  auto mine = granted(43);
  std::get<wire::WorkReply>(mine).term = later;
  script(kSecond, {mine});
  ASSERT_TRUE(world.until([&] {
    world.pass(Millis(50));
    return !replies.empty();
  }));
  expect_granted(43);
}

TEST_F(WorkClientTest, WhenTimeIsUpNothingIsKnown) {
  submit(Seconds(3));
  ASSERT_TRUE(world.until([&] {
    world.pass(Millis(100));
    return !replies.empty();
  }));
  expect_failed(WorkClient::kOutOfTime);
}

TEST_F(WorkClientTest, ARefusalIsAnAnswer) {
  lead(kFirst);
  script(kFirst, {wire::Refusal{1304, "no", "ask for the role"}});
  submit();
  ASSERT_TRUE(is_over());
  expect_failed(1304);
}

TEST_F(WorkClientTest, AnAnswerThatCannotBeReadIsAnError) {
  lead(kFirst);
  script(kFirst, {wire::WorkReply{wire::WorkOutcome::done, "nonsense", kFirst, 3, false}});
  submit();
  ASSERT_TRUE(is_over());
  expect_failed(WorkClient::kBadAnswer);
}

TEST_F(WorkClientTest, WhereThisNodeLeadsItsOwnReplicaIsAsked) {
  world.watch->set(kSelf, 5, world.now());
  submit();
  world.turn();
  ASSERT_EQ(world.here.size(), 1u);
  world.client->on_local(world.here[0].first, moved_to(NodeId(), 5), world.now());
  EXPECT_TRUE(replies.empty());
  world.pass(Seconds(1));
  world.turn();
  ASSERT_EQ(world.here.size(), 2u) << "again, as it was";
  EXPECT_EQ(world.here[0].second.body, world.here[1].second.body);
  world.client->on_local(world.here[1].first, std::get<wire::WorkReply>(granted(17)), world.now());
  expect_granted(17);
}

TEST_F(WorkClientTest, MoreCallsThanTheBoundFailInTheNextTurn) {
  for (std::size_t i = 0; i < WorkClient::kCallsMax; ++i) {
    world.client->call({}, world.now() + Seconds(60), [](const auto&) {});
  }
  submit();
  EXPECT_TRUE(replies.empty());
  EXPECT_EQ(world.client->next_deadline(), TimePoint());
  world.client->tick(world.now());
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].error().code, WorkClient::kTooManyCalls);
  EXPECT_EQ(world.client->open(), WorkClient::kCallsMax);
}

}  // namespace
}  // namespace riftbus::node
