// WorkSender: gives commands to the queue and does not rest until it has an answer.
//
// Whether a command happened is unknown until its answer is here: a lost reply, a leader that
// fell, a node that went away all look alike. So the same bytes are sent again, through whichever
// node can be reached, until the answer comes or `patience` is over; the queue recognises what it
// has already done (node/work/command.h). Nothing is ever added twice by that, and what was
// answered is on a majority of disks.
//
// Contract: one thread; blocks. Refusals that no repetition can cure end it at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "node/ctl/session.h"
#include "node/work/command.h"

namespace riftbus::ctl {

inline constexpr std::uint16_t kQueueRefused = 1562;

// What send() ended with, for who gave a command that must not be repeated unseen: one that was
// heard may be decided once a majority is back.
[[nodiscard]] Error in_doubt(Error error);

class WorkSender {
 public:
  WorkSender(const Context& context, Millis patience) : context_(context), patience_(patience) {}

  // Every second of waiting: how it stands, for people.
  void on_delay(std::function<void(const std::string&)> tell) { tell_ = std::move(tell); }

  [[nodiscard]] Result<work::Reply> send(const work::Command& command);
  // A question that is asked again until it is answered.
  [[nodiscard]] Result<Json> ask(const std::string& query, const Arguments& arguments);

 private:
  // `attempt` gives a value, an Error to be passed on, or nothing: try again.
  template <class Value>
  [[nodiscard]] Result<Value> persist(
      const std::function<Result<std::optional<Value>>(Session&)>& attempt);

  const Context& context_;
  Millis patience_;
  std::function<void(const std::string&)> tell_;
  std::unique_ptr<Session> session_;
};

}  // namespace riftbus::ctl
