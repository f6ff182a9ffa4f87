#include "node/mesh/reach.h"

#include <gtest/gtest.h>

#include "test/node/vocabulary.h"

namespace riftbus::node {
namespace {

const wire::Address kPublic{wire::AddressKind::public_ip, "198.51.100.101", 21770, 21771};

DialTry worked(const wire::Address& address) { return {address, true, "", Millis(3)}; }
DialTry failed(const wire::Address& address) { return {address, false, "no answer", {}}; }

// Five members in domains of their own, but for what a test says; time passes in seconds.
class Town {
 public:
  explicit Town(int members = 5) {
    for (int i = 1; i <= members; ++i) {
      const std::string name = "m" + std::to_string(i);
      look_.witnesses.push_back({id(name), name, false});
    }
    look_.addresses = {kPublic, kLan};
  }

  Witness& member(int number) { return look_.witnesses[static_cast<std::size_t>(number - 1)]; }
  ReachLook& look() { return look_; }

  // Whom it has asked by then, since the last call.
  std::vector<NodeId> after(int seconds) {
    asked_.clear();
    for (int i = 0; i < seconds; ++i) {
      now_ += Seconds{1};
      step(look_);
    }
    return asked_;
  }
  std::vector<NodeId> round() { return after(40); }
  std::vector<NodeId> say(const NodeId& witness, std::vector<DialTry> tries) {
    asked_.clear();
    step(ReachSaid{witness, std::move(tries)});
    return asked_;
  }
  std::vector<NodeId> silent(const NodeId& witness) {
    asked_.clear();
    step(ReachSilent{witness, "no answer"});
    return asked_;
  }
  // A whole round in which all say the same.
  void all_say(bool can_dial) {
    for (const auto& witness : round()) {
      say(witness, can_dial ? std::vector{worked(kPublic), failed(kLan)}
                            : std::vector{failed(kPublic), failed(kLan)});
    }
  }
  const Reach& reach() const { return reach_; }
  Reachability verdict() const { return reach_.verdict(); }
  int changes() const { return changes_; }

 private:
  void step(const ReachEvent& event) {
    ReachActions out;
    reach_.step(event, now_, out);
    asked_.insert(asked_.end(), out.ask.begin(), out.ask.end());
    changes_ += out.has_changed ? 1 : 0;
  }

  Random random_{7};
  Reach reach_{"home", random_};
  ReachLook look_;
  TimePoint now_{Seconds{100}};
  std::vector<NodeId> asked_;
  int changes_ = 0;
};

TEST(Reach, TwoSuccessesAreTheProof) {
  Town town;
  const auto asked = town.round();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_TRUE(town.say(asked[0], {worked(kPublic), failed(kLan)}).empty());
  EXPECT_EQ(town.verdict(), Reachability::unknown) << "one is no proof";
  EXPECT_TRUE(town.say(asked[1], {worked(kPublic)}).empty());
  EXPECT_EQ(town.verdict(), Reachability::direct);
  EXPECT_EQ(town.reach().evidence().size(), 2u);
  EXPECT_EQ(town.changes(), 1);
}

TEST(Reach, TwoFailuresSayTheOpposite) {
  Town town;
  const auto asked = town.round();
  ASSERT_EQ(asked.size(), 2u);
  town.say(asked[0], {failed(kPublic), failed(kLan)});
  EXPECT_EQ(town.verdict(), Reachability::unknown);
  town.say(asked[1], {failed(kPublic)});
  EXPECT_EQ(town.verdict(), Reachability::blocked);
  EXPECT_EQ(town.reach().doubt(), "");
}

TEST(Reach, AThirdDecidesBetweenTwoThatDisagree) {
  for (const bool can_dial : {true, false}) {
    Town town;
    const auto asked = town.round();
    ASSERT_EQ(asked.size(), 2u);
    EXPECT_TRUE(town.say(asked[0], {worked(kPublic)}).empty());
    const auto third = town.say(asked[1], {failed(kPublic)});
    ASSERT_EQ(third.size(), 1u);
    EXPECT_NE(third[0], asked[0]);
    EXPECT_NE(third[0], asked[1]);
    town.say(third[0], {can_dial ? worked(kPublic) : failed(kPublic)});
    EXPECT_EQ(town.verdict(), can_dial ? Reachability::direct : Reachability::blocked);
  }
}

TEST(Reach, NoVerdictIsSticky) {
  Town town;
  for (const bool can_dial : {true, false, true, false}) {
    town.all_say(can_dial);
    EXPECT_EQ(town.verdict(), can_dial ? Reachability::direct : Reachability::blocked);
  }
  EXPECT_EQ(town.changes(), 4) << "each took one round";
}

TEST(Reach, AVerdictThatNobodyConfirmsIsForgotten) {
  for (const bool can_dial : {true, false}) {
    Town town;
    town.all_say(can_dial);
    town.look().witnesses.clear();
    town.after(140);
    EXPECT_NE(town.verdict(), Reachability::unknown);
    town.after(20);
    EXPECT_EQ(town.verdict(), Reachability::unknown);
    EXPECT_NE(town.reach().doubt().find("none"), std::string::npos);
    EXPECT_EQ(town.reach().last_found(), can_dial ? Reachability::direct : Reachability::blocked);
  }
}

TEST(Reach, OneOtherMemberIsNotEnough) {
  Town town(1);
  for (int i = 0; i < 5; ++i) {
    for (const auto& witness : town.round()) town.say(witness, {worked(kPublic)});
  }
  EXPECT_EQ(town.verdict(), Reachability::unknown);
  EXPECT_NE(town.reach().doubt().find("one"), std::string::npos);
  EXPECT_EQ(town.reach().evidence().size(), 1u) << "what it said is shown";
}

TEST(Reach, SilenceIsNoEvidenceAndOthersAreAsked) {
  Town town;
  const auto asked = town.round();
  ASSERT_EQ(asked.size(), 2u);
  const auto third = town.silent(asked[0]);
  ASSERT_EQ(third.size(), 1u);
  town.say(asked[1], {failed(kPublic)});
  EXPECT_EQ(town.verdict(), Reachability::unknown);
  town.say(third[0], {failed(kPublic)});
  EXPECT_EQ(town.verdict(), Reachability::blocked);
  for (const auto& next : town.round()) EXPECT_NE(next, asked[0]) << "it rests";
}

TEST(Reach, ARoundEndsWhenNobodyIsLeft) {
  Town town(3);
  auto asked = town.round();
  ASSERT_EQ(asked.size(), 2u);
  const auto third = town.silent(asked[0]);
  ASSERT_EQ(third.size(), 1u);
  EXPECT_TRUE(town.silent(asked[1]).empty());
  EXPECT_TRUE(town.say(third[0], {worked(kPublic)}).empty());
  EXPECT_EQ(town.verdict(), Reachability::unknown);
  EXPECT_TRUE(town.say(third[0], {worked(kPublic)}).empty()) << "once is enough";
  EXPECT_EQ(town.reach().evidence().size(), 3u);
}

TEST(Reach, AtMostSoManyAreAskedInARound) {
  Town town(9);
  std::size_t count = 0;
  for (auto asked = town.round(); !asked.empty();) {
    count += asked.size();
    std::vector<NodeId> next;
    for (const auto& witness : asked) {
      const auto more = town.silent(witness);
      next.insert(next.end(), more.begin(), more.end());
    }
    asked = next;
  }
  EXPECT_EQ(count, Reach::kWitnessesMax);
}

TEST(Reach, NeighboursAreAskedOnlyIfThereIsNobodyElse) {
  Town town;
  for (const int near : {1, 2, 3}) town.member(near).is_near = true;
  for (int i = 0; i < 5; ++i) {
    for (const auto& witness : town.round()) {
      EXPECT_TRUE(witness == id("m4") || witness == id("m5")) << witness.value();
      town.say(witness, {worked(kPublic)});
    }
  }
  town.look().witnesses.resize(3);
  EXPECT_EQ(town.round().size(), 2u);
}

TEST(Reach, NeighboursDoNotOutvoteOneFromElsewhereWhoFailed) {
  Town town;
  for (const int near : {1, 2, 3, 4}) town.member(near).is_near = true;
  auto asked = town.round();
  while (!asked.empty()) {
    std::vector<NodeId> further;
    for (const auto& witness : asked) {
      const bool is_far = witness == id("m5");
      const auto more = town.say(witness, {is_far ? failed(kPublic) : worked(kPublic)});
      further.insert(further.end(), more.begin(), more.end());
    }
    asked = further;
  }
  EXPECT_EQ(town.verdict(), Reachability::unknown);
  EXPECT_EQ(town.reach().evidence().size(), 5u) << "all were asked";
  EXPECT_FALSE(town.reach().doubt().empty());
}

TEST(Reach, WitnessesAreOfDifferentDomains) {
  Town town;
  for (const int same : {1, 2, 3}) town.member(same).domain = "ovh";
  town.member(4).domain = "home";  // as this node is
  for (int i = 0; i < 5; ++i) {
    const auto asked = town.round();
    ASSERT_EQ(asked.size(), 2u);
    EXPECT_TRUE(asked[0] == id("m5") || asked[1] == id("m5"));
    EXPECT_TRUE(asked[0] != id("m4") && asked[1] != id("m4"));
    for (const auto& witness : asked) town.say(witness, {worked(kPublic)});
  }
}

TEST(Reach, NewAddressesAreTriedAtOnce) {
  Town town;
  town.all_say(false);
  town.look().addresses = {kLan};
  const auto asked = town.after(7);
  ASSERT_EQ(asked.size(), 2u);
}

TEST(Reach, TriesOfAddressesThatAreNotOursSayNothing) {
  Town town(2);
  for (const auto& witness : town.round()) {
    town.say(witness, {worked({wire::AddressKind::public_ip, "192.0.2.9", 1, 2})});
  }
  EXPECT_EQ(town.verdict(), Reachability::unknown);
  for (const auto& testimony : town.reach().evidence()) {
    EXPECT_FALSE(testimony.can_dial.has_value());
    EXPECT_TRUE(testimony.tries.empty());
  }
}

TEST(Reach, WordsOfWhomNobodyAskedAreNotHeard) {
  Town town;
  town.say(id("m1"), {worked(kPublic)});
  town.say(id("m2"), {worked(kPublic)});
  EXPECT_EQ(town.verdict(), Reachability::unknown);
}

TEST(Reach, ALostAnswerDoesNotStopTheRounds) {
  Town town;
  ASSERT_EQ(town.round().size(), 2u);
  EXPECT_TRUE(town.after(20).empty());
  EXPECT_FALSE(town.after(120).empty());
}

TEST(Reach, PrivateAddressesOfOneNetworkAreNeighbours) {
  const auto lan = [](const char* host) {
    return wire::Address{wire::AddressKind::lan, host, 7770, 7771};
  };
  EXPECT_TRUE(share_network(lan("10.1.0.2"), lan("10.1.0.77")));
  EXPECT_FALSE(share_network(lan("10.1.0.2"), lan("10.2.0.2")));
  EXPECT_FALSE(share_network(lan("10.1.0.2"), lan("host.example")));
  EXPECT_FALSE(share_network(lan("host.example"), lan("host.example")));
  EXPECT_FALSE(share_network(kPublic, kPublic));
}

}  // namespace
}  // namespace riftbus::node
