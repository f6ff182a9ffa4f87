#include "relay/gate/gate.h"

#include <gtest/gtest.h>

#include "test/relay/gate/keys.h"

namespace riftbus::relay {
namespace {

// A gate with a clock of its own; each call answers with what the gate wants done.
class GateTest : public testing::Test {
 protected:
  GateTest() { rebuild(); }

  static AllowList list_of(const std::string& text) {
    auto parsed = parse_allow_list(text, "keys");
    EXPECT_TRUE(parsed.problems.empty());
    return std::move(parsed.list);
  }
  static std::string line(char c, const std::string& node) {
    return "ssh-ed25519 " + key_of(c) + " " + node + "\n";
  }
  void rebuild() { gate_.emplace(limits_, list_of(keys_)); }

  std::string tell(const GateEvent& event) {
    GateActions out;
    gate_->step(event, now_, out);
    std::string text;
    for (const auto& action : out) {
      text += (text.empty() ? "" : ", ") + to_string(action);
      if (const auto* refuse = std::get_if<action::Refuse>(&action)) why_ = refuse->error.what;
      if (const auto* end = std::get_if<action::End>(&action)) why_ = end->error.what;
    }
    return text;
  }
  std::string wait(Nanos span) {
    now_ += span;
    return tell(event::Tick{});
  }
  std::string connect(SessionNumber session, const std::string& address = "192.0.2.1") {
    return tell(event::Connected{session, address});
  }
  std::string offer(SessionNumber session, char key, const std::string& user, bool proven = true) {
    return tell(event::KeyOffered{session, user, key_of(key), proven});
  }
  std::string listen(SessionNumber session, int port, const std::string& host = "localhost") {
    return tell(event::ListenAsked{session, host, port});
  }
  void attach(SessionNumber session, char key = 'a', const std::string& user = "n1") {
    connect(session);
    ASSERT_TRUE(offer(session, key, user).ends_with("admit " + std::to_string(session))) << why_;
  }

  GateLimits limits_;
  std::string keys_ = line('a', "n1") + line('b', "n2") + line('c', "n1");
  std::optional<Gate> gate_;
  TimePoint now_{Seconds{1000}};
  std::string why_;
};

TEST_F(GateTest, AListedKeyIsAdmittedUnderItsNodesName) {
  EXPECT_EQ(connect(1), "accept 1");
  EXPECT_EQ(offer(1, 'a', "n1", false), "accept 1");
  EXPECT_EQ(gate_->stranger_count(), 1U);
  EXPECT_EQ(offer(1, 'a', "n1"), "admit 1");
  EXPECT_EQ(gate_->stranger_count(), 0U);
  EXPECT_EQ(gate_->find(1)->node->value(), "n1");
  EXPECT_EQ(gate_->counters().admitted, 1U);
}

TEST_F(GateTest, AnUnknownKeyOrAnotherNodesNameIsRefused) {
  connect(1);
  EXPECT_EQ(offer(1, 'x', "n1"), "refuse 1 F-1834");
  EXPECT_EQ(why_, "a key that is not listed asks for \"n1\"");
  EXPECT_EQ(offer(1, 'a', "n2"), "refuse 1 F-1834");
  EXPECT_EQ(why_, "the key of n1 asks for \"n2\"");
  EXPECT_EQ(offer(1, 'a', "n1+root", false), "refuse 1 F-1834");
  EXPECT_EQ(offer(1, 'a', "n1\n", false), "refuse 1 F-1834, end 1 F-1835");
  EXPECT_EQ(gate_->find(1), nullptr);
  EXPECT_EQ(gate_->stranger_count(), 0U);
  EXPECT_EQ(offer(1, 'a', "n1"), "");
}

TEST_F(GateTest, OtherMethodsCountAsAttempts) {
  connect(1);
  EXPECT_EQ(tell(event::OtherMethod{1}), "refuse 1 F-1834");
  tell(event::OtherMethod{1});
  tell(event::OtherMethod{1});
  EXPECT_EQ(tell(event::OtherMethod{1}), "refuse 1 F-1834, end 1 F-1835");
}

TEST_F(GateTest, AskingWhichMethodsThereAreIsAnAttemptWithoutALine) {
  connect(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(tell(event::OtherMethod{1, true}), "");
  EXPECT_EQ(tell(event::OtherMethod{1, true}), "refuse 1 F-1834, end 1 F-1835");
}

TEST_F(GateTest, WhoProvesNothingInTimeIsDisconnected) {
  connect(1);
  EXPECT_EQ(gate_->next_deadline(), now_ + limits_.grace);
  tell(event::Heard{1});  // a byte a second does not help
  EXPECT_EQ(wait(limits_.grace - Millis{1}), "");
  EXPECT_EQ(wait(Millis{1}), "end 1 F-1835");
  EXPECT_EQ(gate_->next_deadline(), TimePoint::max());
}

TEST_F(GateTest, TheNewestSessionOfANodeAndClassEndsTheOldOne) {
  attach(1);
  EXPECT_EQ(listen(1, 21017), "listen 1 21017");
  connect(2, "192.0.2.2");
  EXPECT_EQ(offer(2, 'a', "n1"), "end 1 F-1839, admit 2");
  EXPECT_EQ(why_, "a newer session of n1 came from 192.0.2.2");
  EXPECT_EQ(listen(2, 21017), "listen 2 21017");
  connect(3);
  EXPECT_EQ(offer(3, 'c', "n1"), "end 2 F-1839, admit 3");  // with its other key too
  connect(4);
  EXPECT_EQ(offer(4, 'b', "n2"), "admit 4");
  EXPECT_EQ(gate_->counters().superseded, 2U);
  EXPECT_EQ(tell(event::Gone{1}), "");
}

TEST_F(GateTest, ControlAndBulkOfANodeStandBesideEachOther) {
  attach(1);
  connect(2);
  EXPECT_EQ(offer(2, 'a', "n1+bulk"), "admit 2");
  EXPECT_EQ(gate_->find(2)->traffic, TrafficClass::bulk);
  EXPECT_EQ(listen(1, 21017), "listen 1 21017");
  EXPECT_EQ(listen(2, 21017), "refuse 2 F-1837");
  EXPECT_EQ(why_, "a listener of n1 is refused: a session of the node listens as n1.21017");
  EXPECT_EQ(listen(1, 0), "listen 1 1");
  EXPECT_EQ(listen(2, 0), "listen 2 10001");
  EXPECT_EQ(listen(1, 0), "listen 1 2");
}

TEST_F(GateTest, TheSameNumberOfTwoNodesIsTwoListeners) {
  attach(1);
  attach(2, 'b', "n2");
  EXPECT_EQ(listen(1, 21017), "listen 1 21017");
  EXPECT_EQ(listen(2, 21017), "listen 2 21017");
}

TEST_F(GateTest, AListenerHasNoAddressAndThereAreFewOfThem) {
  attach(1);
  for (const auto* host : {"", "*", "0.0.0.0", "192.0.2.9"}) {
    EXPECT_EQ(listen(1, 21017, host), "refuse 1 F-1837") << host;
  }
  EXPECT_EQ(listen(1, -1), "refuse 1 F-1837");
  EXPECT_EQ(listen(1, 65536), "refuse 1 F-1837");
  for (int port : {1, 2, 3, 4}) EXPECT_EQ(listen(1, port, "127.0.0.1").substr(0, 6), "listen");
  EXPECT_EQ(listen(1, 5), "refuse 1 F-1837");
  EXPECT_EQ(tell(event::CancelAsked{1, 3}), "unlisten 1 3");
  EXPECT_EQ(tell(event::CancelAsked{1, 3}), "refuse 1 F-1837");
  EXPECT_EQ(listen(1, 3), "listen 1 3");
  EXPECT_EQ(gate_->counters().listeners_refused, 7U);
}

TEST_F(GateTest, PermitListenBoundsAskedAndChosenNumbers) {
  keys_ = "permitlisten=\"5\",permitlisten=\"6\" " + line('a', "n1");
  rebuild();
  attach(1);
  EXPECT_EQ(listen(1, 7), "refuse 1 F-1837");
  EXPECT_EQ(listen(1, 5), "listen 1 5");
  EXPECT_EQ(listen(1, 0), "listen 1 6");
  EXPECT_EQ(listen(1, 0), "refuse 1 F-1837");
}

TEST_F(GateTest, AListenerThatCouldNotBeMadeIsFreeAgain) {
  attach(1);
  listen(1, 21017);
  EXPECT_EQ(tell(event::ListenFailed{1, 21017}), "");
  EXPECT_EQ(listen(1, 21017), "listen 1 21017");
}

TEST_F(GateTest, ANodeOpensOnlyWhatItsKeyPermits) {
  keys_ = "permitopen=\"127.0.0.1:7770\" " + line('a', "n1") + line('b', "n2");
  rebuild();
  attach(1);
  attach(2, 'b', "n2");
  EXPECT_EQ(tell(event::OpenAsked{1, "127.0.0.1", 7770}), "open 1 127.0.0.1:7770");
  EXPECT_EQ(tell(event::OpenAsked{1, "127.0.0.1", 22}), "refuse 1 F-1838");
  EXPECT_EQ(tell(event::OpenAsked{2, "127.0.0.1", 7770}), "refuse 2 F-1838");
  EXPECT_EQ(tell(event::OpenAsked{1, "127.0.0.1", 7770 + 65536}), "refuse 1 F-1838");
}

TEST_F(GateTest, AStrangerGetsNothing) {
  connect(1);
  EXPECT_EQ(listen(1, 21017), "");
  EXPECT_EQ(tell(event::OpenAsked{1, "127.0.0.1", 7770}), "");
  EXPECT_EQ(tell(event::CancelAsked{1, 21017}), "refuse 1 F-1837");
}

TEST_F(GateTest, SilenceIsAskedAboutAndThenEnds) {
  attach(1);
  EXPECT_EQ(wait(Millis{999}), "");
  EXPECT_EQ(wait(Millis{1}), "probe 1");
  EXPECT_EQ(wait(Millis{500}), "");
  EXPECT_EQ(wait(Millis{500}), "probe 1");
  tell(event::Heard{1});
  EXPECT_EQ(wait(Millis{999}), "");
  EXPECT_EQ(wait(Millis{1}), "probe 1");
  EXPECT_EQ(wait(Seconds{1}), "probe 1");
  EXPECT_EQ(wait(Millis{999}), "");
  EXPECT_EQ(wait(Millis{1}), "end 1 F-1840");
  EXPECT_EQ(why_, "n1 fell silent");
}

TEST_F(GateTest, ATickThatCameMuchTooLateProbesBeforeItAccuses) {
  attach(1);
  tell(event::Heard{1});
  EXPECT_EQ(wait(Millis{2500}), "probe 1");
  EXPECT_EQ(wait(Millis{500}), "end 1 F-1840");
}

TEST_F(GateTest, AKeyThatLeavesTheListOrExpiresEndsItsSessions) {
  attach(1);
  attach(2, 'b', "n2");
  EXPECT_EQ(tell(event::ListChanged{list_of(line('a', "n1"))}), "end 2 F-1841");
  EXPECT_EQ(tell(event::ListChanged{list_of(line('a', "n9"))}), "end 1 F-1841");
  keys_ = "expiry-time=\"19700102\" " + line('a', "n1");
  rebuild();
  attach(3);
  EXPECT_EQ(tell(event::WallClock{86'399}), "");
  EXPECT_EQ(tell(event::WallClock{86'400}), "end 3 F-1841");
  connect(4);
  EXPECT_EQ(offer(4, 'a', "n1", false), "refuse 4 F-1834");
  EXPECT_EQ(why_, "the key of n1 has expired");
}

TEST_F(GateTest, StrangersAreBoundedInAllAndPerAddress) {
  limits_.strangers_max = 3;
  limits_.strangers_per_address_max = 2;
  rebuild();
  EXPECT_EQ(connect(1), "accept 1");
  EXPECT_EQ(connect(2), "accept 2");
  EXPECT_EQ(connect(3), "refuse 3 F-1833");
  EXPECT_EQ(why_, "too many unproven connections from one address");
  EXPECT_EQ(connect(4, "192.0.2.2"), "accept 4");
  EXPECT_EQ(connect(5, "192.0.2.3"), "refuse 5 F-1833");
  EXPECT_EQ(why_, "too many unproven connections");
  offer(1, 'a', "n1");
  EXPECT_EQ(connect(6), "accept 6");
  tell(event::Gone{4});
  EXPECT_EQ(connect(7, "192.0.2.3"), "accept 7");
  EXPECT_EQ(gate_->counters().turned_away, 2U);
}

TEST_F(GateTest, SessionsAreBoundedInAllAndPerAddress) {
  limits_.sessions_max = 3;
  limits_.sessions_per_address_max = 2;
  rebuild();
  attach(1);
  attach(2, 'b', "n2");
  EXPECT_EQ(connect(3), "refuse 3 F-1833");
  EXPECT_EQ(why_, "too many sessions from one address");
  EXPECT_EQ(connect(4, "192.0.2.2"), "accept 4");
  EXPECT_EQ(connect(5, "192.0.2.3"), "refuse 5 F-1833");
  EXPECT_EQ(why_, "too many sessions");
  tell(event::Gone{1});
  EXPECT_EQ(connect(6), "accept 6");
}

TEST_F(GateTest, NothingIsLeftOfSessionsThatAreGone) {
  for (SessionNumber session = 1; session <= 1000; ++session) {
    attach(session, 'a', session % 2 == 0 ? "n1" : "n1+bulk");
    listen(session, 21017);
    tell(event::Heard{session});
  }
  tell(event::Gone{999});
  tell(event::Gone{1000});
  EXPECT_TRUE(gate_->guests().empty());
  EXPECT_EQ(gate_->next_deadline(), TimePoint::max());
  EXPECT_EQ(gate_->stranger_count(), 0U);
}

TEST(UserName, IsANodesIdAndPerhapsBulk) {
  EXPECT_EQ(parse_user("n1")->traffic, TrafficClass::control);
  EXPECT_EQ(parse_user("n1+bulk")->node.value(), "n1");
  for (const auto* bad : {"", "+bulk", "n1+control", "n1+bulk+bulk", "a b", "../x"}) {
    EXPECT_FALSE(parse_user(bad)) << bad;
  }
}

}  // namespace
}  // namespace riftbus::relay
