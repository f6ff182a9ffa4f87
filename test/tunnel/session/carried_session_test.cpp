#include <string>

#include "test/tunnel/session/session_world.h"

namespace riftbus::tunnel {
namespace {

class CarriedSessionTest : public SessionTest {
 protected:
  CarriedSessionTest() {
    setup_.servers = {{"relay:7722", {kPinA}}, {"relay:7722 over CURVE", {kPinA}, true}};
    rebuild();
  }
  // Black-holed: nothing answers, until the time is up.
  void fail_by_silence() {
    EXPECT_TRUE(wait_until_due().starts_with("hang up, report F-1816"));
    wait_until_due();
  }
  void reach_the_carrier() {
    tell(event::Start{});
    for (int i = 0; i < 2; ++i) {
      EXPECT_FALSE(session_->is_carried());
      fail_by_silence();
    }
    ASSERT_TRUE(session_->is_carried());
    EXPECT_EQ(session_->state(), SessionState::dialling);
  }
};

TEST_F(CarriedSessionTest, TheBusIsAskedOnceTheDirectWayHasFailedTwice) {
  reach_the_carrier();
  bring_up();
  EXPECT_TRUE(session_->is_carried());
  tell(event::Lost{"the relay was stopped"});
  EXPECT_TRUE(session_->is_carried()) << "once more by the way that worked";
  wait_until_due();
  tell(event::DialFailed{"no socket"});
  EXPECT_FALSE(session_->is_carried());
}

TEST_F(CarriedSessionTest, AFirewallThatCutsWhatItLetBeginLeadsToTheBus) {
  tell(event::Start{});
  const TimePoint began = now_;
  while (now_ - began < Session::kCarrierPatience) {
    ASSERT_FALSE(session_->is_carried());
    bring_up();
    now_ += Seconds{1};
    tell(event::Lost{"reset"});
  }
  for (int i = 0; i < 2 && !session_->is_carried(); ++i) {
    bring_up();
    tell(event::Lost{"reset"});
  }
  EXPECT_TRUE(session_->is_carried());
}

TEST_F(CarriedSessionTest, ARelayThatIsStartedAgainIsWaitedFor) {
  bring_up();
  now_ += setup_.stable;
  tell(event::Lost{"the relay was stopped"});
  const TimePoint lost = now_;
  int dials = 0;
  for (; now_ - lost < Session::kCarrierPatience; ++dials) {
    EXPECT_FALSE(session_->is_carried());
    wait_until_due();
    tell(event::DialFailed{"refused"});
  }
  EXPECT_GT(dials, 3);
  for (int i = 0; i < 2 && !session_->is_carried(); ++i) {
    wait_until_due();
    tell(event::DialFailed{"refused"});
  }
  EXPECT_TRUE(session_->is_carried());
}

TEST_F(CarriedSessionTest, AWrongHostKeyOrARefusedKeyIsNoReasonForIt) {
  tell(event::Start{});
  for (int i = 0; i < 10; ++i) {
    tell(event::Dialled{});
    tell(event::HostKeyShown{i % 2 == 0 ? "SHA256:evil" : kPinA});
    if (i % 2 == 1) tell(event::KeyRefused{"publickey"});
    EXPECT_EQ(last_.error.code, i % 2 == 0 ? 1811 : 1812);
    EXPECT_GE(last_.pause, setup_.backoff_max / 2) << "people must act: no haste";
    EXPECT_EQ(wait_until_due(), "dial 0");
  }
}

TEST_F(CarriedSessionTest, WhereTheRelayIsDownNeitherWayMakesThePausesLong) {
  tell(event::Start{});
  for (int i = 0; i < 100; ++i) {
    if (session_->is_carried()) {
      tell(event::Dialled{});
      tell(event::Lost{"end of file"});
    } else {
      tell(event::DialFailed{"refused"});
    }
    EXPECT_LE(last_.pause, Session::kComebackPauseMax);
    wait_until_due();
  }
}

}  // namespace
}  // namespace riftbus::tunnel
