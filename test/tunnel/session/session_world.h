// What the tests of the session share.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tunnel/session/session.h"

namespace riftbus::tunnel {

inline const std::string kPinA = "SHA256:aaa";
inline const std::string kPinB = "SHA256:bbb";

// A session with a clock of its own; each call answers with what the session wants done.
class SessionTest : public testing::Test {
 protected:
  SessionTest() { rebuild(); }

  void rebuild() { session_.emplace(setup_, random_); }

  std::string tell(const SessionEvent& event) {
    SessionActions out;
    session_->step(event, now_, out);
    std::string text;
    for (const auto& action : out) {
      text += (text.empty() ? "" : ", ") + to_string(action);
      if (const auto* report = std::get_if<action::Report>(&action)) last_ = *report;
    }
    return text;
  }
  std::string wait(Nanos span) {
    now_ += span;
    return tell(event::Tick{});
  }
  // To the moment when something is due.
  std::string wait_until_due() { return wait(session_->next_deadline() - now_); }

  void bring_up() {
    if (session_->state() == SessionState::idle) tell(event::Start{});
    if (session_->state() == SessionState::waiting) wait_until_due();
    tell(event::Dialled{});
    tell(event::HostKeyShown{kPinA});
    tell(event::Authenticated{});
    for (std::size_t i = 0; i < setup_.forwards.size(); ++i) tell(event::ForwardOpened{i, 9000});
    ASSERT_EQ(session_->state(), SessionState::up);
  }
  static std::string fail_dial() { return "hang up, report F-1810"; }

  SessionSetup setup_{{{"relay-a:22", {kPinA}}, {"relay-b:22", {kPinA, kPinB}}},
                      {"21017:127.0.0.1:7770", "0:127.0.0.1:80"}};
  Random random_{7};
  std::optional<Session> session_;
  TimePoint now_{Seconds{1000}};
  action::Report last_;
};

}  // namespace riftbus::tunnel
