#include "node/quorum/work_desk.h"

#include "node/replica/protocol.h"
#include "node/work/codec.h"
#include "test/node/quorum/quorum_world.h"

namespace riftbus::node {
namespace {

const NodeId kOperator = bus::id_of("op");
const NodeId kMember = bus::id_of("w");

work::Add one_item(std::uint64_t nonce) {
  work::Add add;
  add.nonce = nonce;
  add.items.emplace_back();
  add.items[0].kind = "job";
  return add;
}

// The desk of one node that an operator and a member ask over the bus. lead(): with a log of its
// own, on a real disk, that has one voter and so elects itself.
class WorkDeskTest : public testing::Test {
 protected:
  WorkDeskTest()
      : operator_(&world.world().add("op")),
        member_(&world.world().add("w")),
        desk(
            kSelf, *world.self().bus, *world.client, *world.watch,
            [this](const NodeId& id) -> const std::set<Role>& { return roles[id]; },
            [this](const wire::Query& query, const std::set<Role>&, bool stale) {
              return answer_question(query, stale);
            }) {
    roles = {{kSelf, {Role::node}},
             {kMember, {Role::node}},
             {kFirst, {Role::node, Role::voter}},
             {kOperator, {Role::admin}}};
    world.is_watching = false;
    world.on_other = [this](const bus::Received& received) { take(received); };
    world.on_turn = [this] { turn(); };
  }

  void take(const bus::Received& received) {
    if (std::holds_alternative<wire::WorkRequest>(received.envelope.body)) {
      desk.on_request(bus::Received(received), world.now());
    } else if (const auto* query = std::get_if<wire::Query>(&received.envelope.body)) {
      desk.on_question(received, *query, query->name == "order", world.now());
    }
  }
  void turn() {
    for (const auto& [number, request] : std::exchange(world.here, {})) {
      desk.on_here(number, request, world.now());
    }
    if (!voter) return;
    voter->on_disk(world.now());
    voter->flush(world.now());
  }
  void lead() {
    roles[kSelf] = {Role::node, Role::voter};
    names.add(kSelf);
    VoterSetup setup;
    setup.self = kSelf;
    setup.first_voters = {kSelf};
    setup.folder = world.folder().file("log");
    auto log = VoterShell::open_log(setup);
    ASSERT_TRUE(log.ok());
    voter = std::make_unique<VoterShell>(setup, std::move(*log), *world.self().bus, world.members(),
                                         names, *world.watch, world.journal());
    desk.set_voter(voter.get());
    ASSERT_TRUE(world.until([&] {
      world.pass(Millis(10));
      return world.watch->is_self();
    }));
  }
  Result<std::string> answer_question(const wire::Query& query, bool stale) const {
    if (query.name == "nonsense") return Error{1501, "no such question", "", "ask another"};
    return query.name + (stale ? " stale" : " fresh");
  }

  // The answer to one request; empty: none came.
  std::optional<wire::Body> ask(bus::Peer& who, wire::Body body) {
    const Correlation number(next_++);
    who.bus->send(kSelf, number, std::move(body));
    std::optional<wire::Body> answer;
    EXPECT_TRUE(world.until([&] {
      for (const auto* received : who.all<bus::Received>()) {
        if (received->envelope.correlation == number) answer = received->envelope.body;
      }
      return answer.has_value();
    }));
    return answer;
  }
  wire::WorkReply reply_to(bus::Peer& who, wire::WorkRequest request) {
    const auto body = ask(who, std::move(request));
    const auto* reply = body ? std::get_if<wire::WorkReply>(&*body) : nullptr;
    EXPECT_NE(reply, nullptr) << "refused";
    return reply ? *reply : wire::WorkReply{wire::WorkOutcome::busy, {}, {}, 0, false};
  }
  std::uint16_t refusal_of(bus::Peer& who, wire::Body request) {
    const auto body = ask(who, std::move(request));
    const auto* refused = body ? std::get_if<wire::Refusal>(&*body) : nullptr;
    return refused ? refused->code : std::uint16_t{0};
  }
  static wire::WorkRequest command(const work::Command& given, const NodeId& client = {}) {
    return {wire::WorkAsk::command, work::encode(given), 0, client};
  }

  QuorumWorld world;
  bus::Peer* operator_;
  bus::Peer* member_;
  std::map<NodeId, std::set<Role>> roles;
  ServerNames names;
  std::unique_ptr<VoterShell> voter;
  WorkDesk desk;
  std::uint64_t next_ = 500;
};

// ---- where another node leads ------------------------------------------------------------------

TEST_F(WorkDeskTest, AMemberIsToldWhoLeadsOnceThatIsConfirmed) {
  world.watch->hint(kFirst, 4, world.now());
  auto reply = reply_to(*member_, command(one_item(1)));
  EXPECT_EQ(reply.outcome, wire::WorkOutcome::moved);
  EXPECT_TRUE(reply.leader.empty()) << "only somebody has said so";
  world.watch->set(kFirst, 4, world.now());
  reply = reply_to(*member_, command(one_item(1)));
  EXPECT_EQ(reply.outcome, wire::WorkOutcome::moved);
  EXPECT_EQ(reply.leader, kFirst);
  EXPECT_EQ(reply.term, 4u);
}

TEST_F(WorkDeskTest, WhoLeadsIsToldToAnybody) {
  world.watch->set(kFirst, 4, world.now());
  const auto reply = reply_to(*operator_, {wire::WorkAsk::leader, {}, 0, {}});
  EXPECT_EQ(reply.outcome, wire::WorkOutcome::done);
  EXPECT_EQ(reply.leader, kFirst);
}

TEST_F(WorkDeskTest, AVoterPassesAnOperatorsCommandOnInItsName) {
  roles[kSelf] = {Role::node, Role::voter};
  world.watch->set(kFirst, 4, world.now());
  world.voter(kFirst).on_request = [](const wire::WorkRequest&) -> std::optional<wire::Body> {
    return wire::WorkReply{wire::WorkOutcome::done, "as it came", kFirst, 4, false};
  };
  const auto reply = reply_to(*operator_, command(one_item(1)));
  EXPECT_EQ(reply.outcome, wire::WorkOutcome::done);
  EXPECT_EQ(reply.body, "as it came");
  ASSERT_EQ(world.voter(kFirst).asked.size(), 1u);
  EXPECT_EQ(world.voter(kFirst).asked[0].client, kOperator);
  EXPECT_EQ(world.voter(kFirst).asked[0].body, work::encode(one_item(1)));
}

TEST_F(WorkDeskTest, WhatIsPassedOnIsReadFirstAndWaitsNoLongerThanTheBound) {
  roles[kSelf] = {Role::node, Role::voter};
  world.watch->set(kFirst, 4, world.now());
  world.voter(kFirst).on_request = [](const wire::WorkRequest&) -> std::optional<wire::Body> {
    return wire::WorkReply{wire::WorkOutcome::done, "as it came", kFirst, 4, false};
  };
  for (const auto kind : {wire::WorkAsk::command, wire::WorkAsk::renewal}) {
    EXPECT_EQ(refusal_of(*operator_, wire::WorkRequest{kind, "junk", 0, {}}), 1722);
  }
  EXPECT_TRUE(world.voter(kFirst).asked.empty());
  auto request = command(one_item(1));
  request.wait_ms = ~0U;
  EXPECT_EQ(reply_to(*operator_, request).outcome, wire::WorkOutcome::done);
  ASSERT_EQ(world.voter(kFirst).asked.size(), 1u);
  EXPECT_EQ(Millis(world.voter(kFirst).asked[0].wait_ms), WorkDesk::kWaitMax);
  EXPECT_EQ(desk.passed_bytes(), 0u);
}

TEST_F(WorkDeskTest, MoreBytesThanTheBoundAreNotPassedOnAtOnce) {
  roles[kSelf] = {Role::node, Role::voter};
  world.watch->set(kFirst, 4, world.now());  // who is silent
  auto large = one_item(1);
  large.items[0].payload = std::string(60'000, 'x');
  large.items.resize(3, large.items[0]);
  const auto request = command(large);
  std::size_t sent = 0;
  while (desk.passed_bytes() + request.body.size() <= WorkDesk::kPassedBytesMax) {
    operator_->bus->send(kSelf, Correlation(next_++), request);
    ++sent;
    ASSERT_TRUE(world.until([&] { return desk.passed_bytes() == sent * request.body.size(); }));
  }
  EXPECT_EQ(refusal_of(*operator_, request), WorkClient::kTooManyCalls);
  ASSERT_TRUE(world.until([&] {
    world.pass(Seconds(1));
    return desk.passed_bytes() == 0;
  })) << "who gave up holds nothing any more";
}

TEST_F(WorkDeskTest, AMereNodePassesNoCommandOn) {
  world.watch->set(kFirst, 4, world.now());
  EXPECT_EQ(reply_to(*operator_, command(one_item(1))).outcome, wire::WorkOutcome::moved);
  EXPECT_NE(refusal_of(*operator_, wire::Query{"order", {}}), 0);
  EXPECT_TRUE(world.voter(kFirst).asked.empty());
}

TEST_F(WorkDeskTest, AQuestionThatReachesNobodyIsAnsweredStale) {
  const Correlation number(next_++);
  operator_->bus->send(kSelf, number, wire::Query{"work.list", {}});
  const wire::Answer* answer = nullptr;
  ASSERT_TRUE(world.until([&] {
    world.pass(Millis(20));
    for (const auto* received : operator_->all<bus::Received>()) {
      if (received->envelope.correlation != number) continue;
      answer = std::get_if<wire::Answer>(&received->envelope.body);
    }
    return answer != nullptr;
  }));
  EXPECT_EQ(answer->json, "work.list stale");
}

TEST_F(WorkDeskTest, OnlyAMemberSpeaksForSomebodyElse) {
  EXPECT_EQ(refusal_of(*operator_, command(one_item(1), kMember)), 1304);
}

// ---- where this node leads ---------------------------------------------------------------------

TEST_F(WorkDeskTest, TheLeaderCarriesOutACommandOnce) {
  lead();
  const auto first = reply_to(*operator_, command(one_item(7)));
  const auto again = reply_to(*operator_, command(one_item(7)));
  ASSERT_EQ(first.outcome, wire::WorkOutcome::done);
  const auto added = work::decode_reply(first.body);
  ASSERT_TRUE(added.ok());
  ASSERT_EQ(std::get<work::Added>(added.value).ids.size(), 1u);
  const auto repeated = work::decode_reply(again.body);
  ASSERT_TRUE(repeated.ok());
  EXPECT_EQ(std::get<work::Added>(repeated.value).ids, std::get<work::Added>(added.value).ids);
  EXPECT_EQ(desk.open(), 0u) << "nobody is remembered who was answered";
}

TEST_F(WorkDeskTest, TheLeaderAnswersQuestionsAfterAQuorumHasConfirmedIt) {
  lead();
  const auto body = ask(*operator_, wire::Query{"work.list", {}});
  ASSERT_TRUE(body.has_value());
  const auto* answer = std::get_if<wire::Answer>(&*body);
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->json, "work.list fresh");
  EXPECT_EQ(refusal_of(*operator_, wire::Query{"nonsense", {}}), 1501);
}

TEST_F(WorkDeskTest, OurOwnCallsAreServedLikeOthers) {
  lead();
  std::optional<Result<work::Reply>> reply;
  world.client->submit(one_item(9), Nanos::zero(), world.now() + Seconds(20),
                       [&](const Result<work::Reply>& one) { reply = one; });
  ASSERT_TRUE(world.until([&] { return reply.has_value(); }));
  ASSERT_TRUE(reply->ok());
  EXPECT_EQ(std::get<work::Added>(**reply).ids.size(), 1u);
}

TEST_F(WorkDeskTest, WhatCannotBeReadIsRefused) {
  lead();
  EXPECT_EQ(refusal_of(*operator_, wire::WorkRequest{wire::WorkAsk::command, "junk", 0, {}}), 1722);
  EXPECT_EQ(refusal_of(*operator_, wire::WorkRequest{wire::WorkAsk::renewal, "junk", 0, {}}), 1722);
  EXPECT_EQ(refusal_of(*operator_, wire::WorkRequest{wire::WorkAsk::question, "junk", 0, {}}),
            1722);
  EXPECT_EQ(desk.open(), 0u);
}

TEST_F(WorkDeskTest, AMemberWorksForItselfOnly) {
  lead();
  work::Claim claim;
  claim.worker = kSelf;
  claim.instance = Instance(1);
  claim.request = 1;
  EXPECT_EQ(refusal_of(*member_, command(claim)), 1304);
  work::Renewal renewal;
  renewal.worker = kSelf;
  EXPECT_EQ(refusal_of(
                *member_,
                wire::WorkRequest{wire::WorkAsk::renewal, replica::encode_renewal(renewal), 0, {}}),
            1304);
  claim.worker = kMember;
  EXPECT_EQ(reply_to(*member_, command(claim)).outcome, wire::WorkOutcome::done);
}

TEST_F(WorkDeskTest, AMereNodesWordForAnOperatorIsNoOrder) {
  lead();
  const work::Cancel cancel{{work::WorkId(1)}};
  EXPECT_EQ(refusal_of(*member_, command(cancel, kOperator)), 1304);
  EXPECT_EQ(refusal_of(*member_, command(cancel)), 1304);
  EXPECT_EQ(reply_to(*operator_, command(cancel)).outcome, wire::WorkOutcome::done);
}

// ---- who may -----------------------------------------------------------------------------------

TEST(RefuseCommand, TakesTheRoleThatTheCommandNeeds) {
  const std::set<Role> admin{Role::admin}, member{Role::node}, reader{Role::tap};
  EXPECT_EQ(refuse_command(one_item(1), kMember, member), nullptr);
  EXPECT_NE(refuse_command(one_item(1), kMember, reader), nullptr);
  EXPECT_NE(refuse_command(one_item(0), kOperator, admin), nullptr) << "it could not be repeated";
  EXPECT_EQ(refuse_command(work::Configure{}, kOperator, admin), nullptr);
  EXPECT_NE(refuse_command(work::Configure{}, kMember, member), nullptr);
  for (const work::Command& own :
       {work::Command(work::Expire{}), work::Command(work::Tick{}), work::Command(work::Recover{})})
    EXPECT_NE(refuse_command(own, kOperator, admin), nullptr) << work::command_name(own);
}

}  // namespace
}  // namespace riftbus::node
