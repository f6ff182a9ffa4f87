#include "node/carry/stream.h"

#include <algorithm>
#include <utility>

#include "bus/wire/limits.h"

namespace riftbus::carry {

using wire::CarryStep;

namespace {

constexpr std::uint16_t kBroken = 1829;
constexpr const char* kAgain = "nothing, the tunnel dials again";

}  // namespace

Stream::Stream(Side side, std::uint64_t granted, TimePoint now)
    : side_(side), heard_at_(now), said_at_(now), may_say_(std::min(granted, kWindow)) {}

void Stream::step(const Event& event, TimePoint now, Actions& out) {
  if (state_ == State::over) return;
  std::visit([&](const auto& each) { on(each, now, out); }, event);
}

TimePoint Stream::next_deadline() const {
  if (state_ == State::over) return TimePoint::max();
  if (state_ == State::opening) return heard_at_ + kOpenMax;
  return std::min(heard_at_ + kSilenceMax, said_at_ + kSayEvery);
}

std::size_t Stream::room() const {
  const std::uint64_t left = may_say_ - said_;
  if (state_ != State::open || said_end_ || left <= wire::kCarryFrameCost) return 0;
  return std::min<std::size_t>(left - wire::kCarryFrameCost, wire::kCarryBytesMax);
}

std::string_view Stream::unwritten() const {
  if (unwritten_.empty()) return {};
  return std::string_view(unwritten_.front()).substr(written_);
}

void Stream::on(const event::Start&, TimePoint now, Actions& out) {
  say(CarryStep::open, "", now, out);
}

void Stream::on(const event::Taken&, TimePoint now, Actions& out) {
  if (side_ != Side::host || state_ != State::opening) return;
  state_ = State::open;
  heard_at_ = now;
  say(CarryStep::data, "", now, out);
}

void Stream::on(const event::Heard& event, TimePoint now, Actions& out) {
  const wire::Carry& carry = event.carry;
  if (carry.step == CarryStep::close) {
    return finish(Error{kBroken, "the other end closed the stream", "", kAgain}, out);
  }
  if (carry.step == CarryStep::open || carry.offset < heard_) {
    ++dropped_;
    return;
  }
  if (const char* fault = fault_of(carry)) return fail(fault, now, out);
  heard_at_ = now;
  if (side_ == Side::caller) state_ = State::open;
  may_say_ = std::clamp(carry.granted, may_say_, said_ + kWindow);
  heard_end_ = heard_end_ || carry.step == CarryStep::end;
  heard_ += wire::carry_cost(carry.bytes.size());
  if (!carry.bytes.empty()) unwritten_.push_back(carry.bytes);
  settle(out);
}

const char* Stream::fault_of(const wire::Carry& carry) const {
  if (carry.offset > heard_) return "a message was lost";
  const bool is_end = carry.step == CarryStep::end;
  if (heard_end_ && (is_end || !carry.bytes.empty())) return "words after the end";
  if (is_end && !carry.bytes.empty()) return "bytes in an end";
  const std::uint64_t cost = wire::carry_cost(carry.bytes.size());
  if (cost > may_hear_ - heard_) return "more than was granted";
  return nullptr;
}

void Stream::on(const event::Refused& event, TimePoint, Actions& out) {
  if (side_ == Side::caller) finish(Error{event.code, event.what, "", event.next}, out);
}

void Stream::on(const event::Read& event, TimePoint now, Actions& out) {
  if (state_ != State::open || said_end_) return;
  said_end_ = event.bytes.empty();
  say(said_end_ ? CarryStep::end : CarryStep::data, event.bytes, now, out);
  settle(out);
}

void Stream::on(const event::Written& event, TimePoint now, Actions& out) {
  if (unwritten_.empty()) return;
  const std::size_t size = unwritten_.front().size();
  written_ += event.bytes;
  if (written_ < size) return;
  unwritten_.pop_front();
  written_ = 0;
  taken_ += wire::carry_cost(size);
  const std::uint64_t to_grant = taken_ + kWindow - may_hear_;
  if (!heard_end_ && to_grant >= kWindow / 2) say(CarryStep::data, "", now, out);
  settle(out);
}

void Stream::on(const event::Failed& event, TimePoint now, Actions& out) {
  fail(event.why, now, out);
}

void Stream::on(const event::Unsent& event, TimePoint, Actions& out) {
  finish(Error{kBroken, "the bus does not take the stream: " + event.why, "", kAgain}, out);
}

void Stream::on(const event::Tick&, TimePoint now, Actions& out) {
  if (now < next_deadline()) return;
  if (state_ == State::opening) return fail("no answer came", now, out);
  if (now >= heard_at_ + kSilenceMax) return fail("the stream fell silent", now, out);
  say(CarryStep::data, "", now, out);
}

// With all that may be heard by now.
void Stream::say(CarryStep step, std::string bytes, TimePoint now, Actions& out) {
  said_at_ = now;
  may_hear_ = taken_ + kWindow;
  const std::uint64_t offset = said_;
  said_ += wire::carry_cost(bytes.size());
  out.emplace_back(action::Say{{step, offset, may_hear_, std::move(bytes)}});
}

void Stream::fail(const std::string& why, TimePoint now, Actions& out) {
  Error error{kBroken, why, "", kAgain};
  if (side_ == Side::host && state_ == State::opening) {
    out.emplace_back(action::Refuse{error});
  } else {
    say(CarryStep::close, "", now, out);
  }
  finish(std::move(error), out);
}

void Stream::finish(std::optional<Error> error, Actions& out) {
  state_ = State::over;
  unwritten_.clear();
  out.emplace_back(action::Over{std::move(error)});
}

// Whether a direction has ended, or both.
void Stream::settle(Actions& out) {
  if (heard_end_ && unwritten_.empty() && !std::exchange(ended_writes_, true)) {
    out.emplace_back(action::EndWrites{});
  }
  if (ended_writes_ && said_end_) finish(std::nullopt, out);
}

}  // namespace riftbus::carry
