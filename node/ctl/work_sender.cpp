#include "node/ctl/work_sender.h"

#include <algorithm>
#include <thread>

#include "bus/clock.h"
#include "node/work/codec.h"

namespace riftbus::ctl {

namespace {

constexpr Millis kPauseFirst{50};
constexpr Millis kPauseMax{1000};
constexpr std::uint16_t kUnreadable = 1507;

}  // namespace

Error in_doubt(Error error) {
  if (may_pass(error)) {
    error.next =
        "it may still be done if it was heard: see `riftbus why leader`, then look before "
        "you repeat it";
  }
  return error;
}

template <class Value>
Result<Value> WorkSender::persist(
    const std::function<Result<std::optional<Value>>(Session&)>& attempt) {
  const TimePoint start = bus::boot_now();
  Millis pause = kPauseFirst;
  TimePoint told = start;
  while (true) {
    Error trouble{1723, "no leader has answered in time", "", "ask riftbus why leader"};
    if (!session_) {
      auto opened = Session::open(context_);
      if (opened.ok()) session_ = std::move(*opened);
      if (!opened.ok()) trouble = opened.error();
      if (!opened.ok() && !may_pass(trouble)) return trouble;
    }
    if (session_) {
      auto outcome = attempt(*session_);
      if (outcome.ok() && *outcome) return std::move(**outcome);
      if (!outcome.ok()) {
        trouble = outcome.error();
        if (!may_pass(trouble)) return trouble;
        session_.reset();  // perhaps another node knows the way
      }
    }
    const TimePoint now = bus::boot_now();
    if (now - start >= patience_) return trouble;
    if (tell_ && now - told >= Seconds(1)) {
      told = now;
      tell_(trouble.what + "; trying again");
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kPauseMax);
  }
}

Result<work::Reply> WorkSender::send(const work::Command& command) {
  const wire::WorkRequest request{wire::WorkAsk::command, work::encode(command), 0, NodeId()};
  return persist<work::Reply>([&request](Session& session) -> Result<std::optional<work::Reply>> {
    auto answer = session.call(request);
    if (!answer.ok()) return answer.error();
    const auto* reply = std::get_if<wire::WorkReply>(&*answer);
    if (reply == nullptr) {
      return Error{kUnreadable, "the answer is not one about work", session.entry().value(),
                   "compare `riftbus version` with the node's software"};
    }
    if (reply->outcome == wire::WorkOutcome::moved) {
      if (auto status = session.follow_leader(); !status.ok()) return status.error();
    }
    if (reply->outcome != wire::WorkOutcome::done) return std::optional<work::Reply>();
    auto decoded = work::decode_reply(reply->body);
    if (decoded.ok()) return std::optional<work::Reply>(std::move(decoded.value));
    return Error{kUnreadable, "the answer cannot be read", session.entry().value(),
                 "compare `riftbus version` with the node's software"};
  });
}

Result<Json> WorkSender::ask(const std::string& query, const Arguments& arguments) {
  return persist<Json>([&](Session& session) -> Result<std::optional<Json>> {
    auto answer = session.ask(query, arguments);
    if (!answer.ok()) return answer.error();
    return std::optional<Json>(std::move(*answer));
  });
}

}  // namespace riftbus::ctl
