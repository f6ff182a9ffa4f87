#include "tunnel/session/session.h"

#include <algorithm>
#include <string>

#include "test/tunnel/session/session_world.h"

namespace riftbus::tunnel {
namespace {

TEST_F(SessionTest, AsksForOneThingAtATimeUntilEveryForwardStands) {
  EXPECT_EQ(session_->next_deadline(), TimePoint::max());
  EXPECT_EQ(tell(event::Start{}), "dial 0");
  EXPECT_EQ(session_->state(), SessionState::dialling);
  EXPECT_EQ(tell(event::Dialled{}), "exchange keys");
  EXPECT_EQ(session_->state(), SessionState::proving);
  EXPECT_EQ(tell(event::HostKeyShown{kPinA}), "authenticate");
  EXPECT_EQ(session_->state(), SessionState::authenticating);
  EXPECT_EQ(tell(event::Authenticated{}), "open forward 0");
  EXPECT_EQ(session_->state(), SessionState::forwarding);
  EXPECT_EQ(tell(event::ForwardOpened{0, 21017}), "open forward 1");
  EXPECT_EQ(tell(event::ForwardOpened{1, 43210}), "serve");
  EXPECT_EQ(session_->state(), SessionState::up);
  EXPECT_EQ(session_->ports(), (std::vector<std::uint16_t>{21017, 43210}));
  EXPECT_EQ(session_->rises(), 1U);
}

TEST_F(SessionTest, WithoutReverseForwardsItIsUpOnceAuthenticated) {
  setup_.forwards.clear();
  rebuild();
  tell(event::Start{});
  tell(event::Dialled{});
  tell(event::HostKeyShown{kPinA});
  EXPECT_EQ(tell(event::Authenticated{}), "serve");
}

TEST_F(SessionTest, SendsNothingToAServerWhoseHostKeyIsNotPinned) {
  tell(event::Start{});
  tell(event::Dialled{});
  EXPECT_TRUE(tell(event::HostKeyShown{"SHA256:evil"}).starts_with("hang up, report F-1811"));
  EXPECT_NE(last_.error.what.find("SHA256:evil"), std::string::npos);
  EXPECT_EQ(last_.error.where, "relay-a:22");
}

TEST_F(SessionTest, AcceptsEitherPinWhileAHostKeyIsBeingChanged) {
  for (const auto& pin : {kPinA, kPinB}) {
    rebuild();
    tell(event::Start{});
    tell(event::Dialled{});
    tell(event::HostKeyShown{"SHA256:evil"});
    ASSERT_EQ(wait_until_due(), "dial 1");
    tell(event::Dialled{});
    EXPECT_EQ(tell(event::HostKeyShown{pin}), "authenticate");
  }
}

TEST_F(SessionTest, GoesToTheOtherServerAtOnceWhenTimeWillNotMendTheFailure) {
  tell(event::Start{});
  tell(event::Dialled{});
  tell(event::HostKeyShown{kPinA});
  EXPECT_TRUE(tell(event::KeyRefused{"publickey"}).starts_with("hang up, report F-1812"));
  EXPECT_EQ(session_->server(), 1U);
  EXPECT_LE(last_.pause, setup_.backoff_max);
}

TEST_F(SessionTest, WithOneServerARefusedKeyIsTriedAgainSlowly) {
  setup_.servers.pop_back();
  rebuild();
  for (int i = 0; i < 20; ++i) {
    tell(session_->state() == SessionState::idle ? SessionEvent{event::Start{}}
                                                 : SessionEvent{event::Tick{}});
    tell(event::Dialled{});
    tell(event::HostKeyShown{kPinA});
    tell(event::KeyRefused{});
    EXPECT_GE(last_.pause, setup_.backoff_max / 2);
    EXPECT_LE(last_.pause, setup_.backoff_max);
    now_ = session_->next_deadline();
  }
}

TEST_F(SessionTest, AlternatesBetweenServersAfterTwoFailures) {
  tell(event::Start{});
  std::string dials;
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(tell(event::DialFailed{"refused"}).starts_with(fail_dial()));
    dials += wait_until_due().substr(5);
  }
  EXPECT_EQ(dials, "011001");
}

TEST_F(SessionTest, PausesGrowFromTheFloorAndEndAtTheCeiling) {
  tell(event::Start{});
  Nanos before{};
  Nanos longest{};
  for (int i = 0; i < 200; ++i) {
    tell(event::Dialled{});
    tell(event::Lost{"too many"});
    EXPECT_GE(last_.pause, setup_.backoff_min);
    EXPECT_LE(last_.pause, std::clamp(before * 3, setup_.backoff_min, setup_.backoff_max));
    before = last_.pause;
    longest = std::max(longest, before);
    wait_until_due();
  }
  EXPECT_GT(longest, setup_.backoff_max / 2);
}

TEST_F(SessionTest, WhereNobodyListensPausesStayShortHoweverLongItLasts) {
  tell(event::Start{});
  Nanos longest{};
  for (int i = 0; i < 200; ++i) {
    tell(event::DialFailed{"refused"});
    EXPECT_GE(last_.pause, setup_.backoff_min);
    EXPECT_LE(last_.pause, Session::kComebackPauseMax);
    longest = std::max(longest, last_.pause);
    wait_until_due();
  }
  EXPECT_GT(longest, Session::kComebackPauseMax / 2);
  EXPECT_LE(longest, Session::kComebackPauseMax);

  setup_.backoff_min = setup_.backoff_max = Seconds{4};
  rebuild();
  tell(event::Start{});
  tell(event::DialFailed{"refused"});
  EXPECT_EQ(last_.pause, Seconds{4});  // never below the floor that was asked for
}

TEST_F(SessionTest, ALinkThatFallsSilentAgainAndAgainIsDialledAtTheFloor) {
  for (int i = 0; i < 5; ++i) {
    bring_up();
    while (session_->state() == SessionState::up) wait_until_due();
    EXPECT_EQ(last_.error.code, 1814);
    EXPECT_EQ(last_.pause, setup_.backoff_min) << i;
  }
}

TEST_F(SessionTest, TwoTunnelsDoNotComeBackInStep) {
  std::vector<std::vector<Nanos>> pauses;
  for (const std::uint64_t seed : {1U, 2U}) {
    random_ = Random(seed);
    rebuild();
    tell(event::Start{});
    for (auto& each = pauses.emplace_back(); each.size() < 5; wait_until_due()) {
      tell(event::DialFailed{});
      each.push_back(last_.pause);
    }
  }
  EXPECT_NE(pauses[0], pauses[1]);
}

TEST_F(SessionTest, ASessionThatHeldStartsAgainAtTheFloor) {
  tell(event::Start{});
  for (int i = 0; i < 21; ++i) {
    tell(event::DialFailed{});
    wait_until_due();
  }
  const auto server = session_->server();
  tell(event::Dialled{});
  tell(event::HostKeyShown{kPinA});
  tell(event::Authenticated{});
  tell(event::ForwardOpened{0, 1});
  tell(event::ForwardOpened{1, 2});
  now_ += setup_.stable;
  tell(event::Lost{"kex error"});
  EXPECT_EQ(last_.pause, setup_.backoff_min);
  EXPECT_EQ(session_->server(), server);
  EXPECT_EQ(session_->ports(), (std::vector<std::uint16_t>{0, 0}));
}

TEST_F(SessionTest, ASessionThatFellAtOnceDoesNot) {
  tell(event::Start{});
  for (int i = 0; i < 20; ++i) {
    tell(event::DialFailed{});
    wait_until_due();
  }
  const Nanos before = last_.pause;
  ASSERT_GT(before, setup_.backoff_min);
  tell(event::Dialled{});
  tell(event::Lost{});
  EXPECT_GT(last_.pause, Nanos{0});
  EXPECT_LE(last_.pause, before * 3);
}

TEST_F(SessionTest, ARefusedForwardIsNamedAndEndsTheSession) {
  tell(event::Start{});
  tell(event::Dialled{});
  tell(event::HostKeyShown{kPinA});
  tell(event::Authenticated{});
  tell(event::ForwardOpened{0, 21017});
  EXPECT_TRUE(tell(event::ForwardRefused{1, ""}).starts_with("hang up, report F-1813"));
  EXPECT_NE(last_.error.what.find("0:127.0.0.1:80"), std::string::npos);
  EXPECT_EQ(session_->ports(), (std::vector<std::uint16_t>{0, 0}));
}

TEST_F(SessionTest, SetUpHasOneTimeLimitWhateverItHangsIn) {
  const std::vector<SessionEvent> steps{event::Dialled{}, event::HostKeyShown{kPinA},
                                        event::Authenticated{}, event::ForwardOpened{0, 1}};
  for (std::size_t hangs_after = 0; hangs_after <= steps.size(); ++hangs_after) {
    rebuild();
    tell(event::Start{});
    for (std::size_t i = 0; i < hangs_after; ++i) {
      EXPECT_EQ(wait(Millis{900}), "");
      tell(steps[i]);
      tell(event::Heard{});
    }
    now_ = session_->since() + Nanos{0};
    EXPECT_TRUE(wait_until_due().starts_with("hang up, report F-1816")) << hangs_after;
  }
}

TEST_F(SessionTest, SilenceIsProbedEachSecondAndIsDeathAfterThree) {
  bring_up();
  EXPECT_EQ(wait(Millis{999}), "");
  EXPECT_EQ(wait(Millis{1}), "probe");
  EXPECT_EQ(wait(Millis{999}), "");
  EXPECT_EQ(wait(Millis{1}), "probe");
  EXPECT_EQ(wait(Millis{999}), "");
  EXPECT_TRUE(wait(Millis{1}).starts_with("hang up, report F-1814"));
  EXPECT_EQ(session_->state(), SessionState::waiting);
}

TEST_F(SessionTest, AnyByteIsASignOfLife) {
  bring_up();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(wait(Seconds{1}), "probe");
    now_ += Millis{1900};
    EXPECT_EQ(tell(event::Heard{}), "");
  }
  EXPECT_EQ(session_->state(), SessionState::up);
}

TEST_F(SessionTest, LateAnswersOfAGivenUpSessionAreIgnored) {
  bring_up();
  tell(event::Lost{"eof"});
  for (const SessionEvent& late :
       {SessionEvent{event::Dialled{}}, SessionEvent{event::HostKeyShown{kPinA}},
        SessionEvent{event::Authenticated{}}, SessionEvent{event::ForwardOpened{0, 1}},
        SessionEvent{event::ForwardRefused{0, ""}}, SessionEvent{event::KeyRefused{}},
        SessionEvent{event::DialFailed{}}, SessionEvent{event::Lost{}},
        SessionEvent{event::Heard{}}, SessionEvent{event::Start{}}}) {
    EXPECT_EQ(tell(late), "");
    EXPECT_EQ(session_->state(), SessionState::waiting);
  }
}

TEST_F(SessionTest, ARestartDialsAtOnceInEveryState) {
  EXPECT_EQ(tell(event::Restart{}), "");
  bring_up();
  EXPECT_EQ(tell(event::Restart{}), "hang up, dial 0");
  tell(event::DialFailed{});
  EXPECT_EQ(tell(event::Restart{}), "dial 0");
}

TEST_F(SessionTest, AfterAStopNothingHappensAnyMore) {
  bring_up();
  EXPECT_EQ(tell(event::Stop{}), "hang up");
  EXPECT_EQ(session_->state(), SessionState::stopped);
  EXPECT_EQ(session_->next_deadline(), TimePoint::max());
  EXPECT_EQ(tell(event::Restart{}), "");
  EXPECT_EQ(wait(Seconds{100}), "");
}

TEST_F(SessionTest, AServersWordsCannotForgeALine) {
  tell(event::Start{});
  tell(event::Dialled{});
  tell(event::Lost{"bad\n2026 forged" + std::string(1000, 'x')});
  EXPECT_EQ(last_.error.what.find('\n'), std::string::npos);
  EXPECT_LT(last_.error.what.size(), 400U);
}

}  // namespace
}  // namespace riftbus::tunnel
