#include "bus/ssh/streams.h"

#include <algorithm>
#include <utility>

namespace riftbus::ssh {

Streams::Streams(bus::Loop& loop, std::function<void()> wake)
    : loop_(loop), wake_(std::move(wake)) {}

Stream& Streams::add(Session& session, std::unique_ptr<Channel> channel) {
  auto stream = std::make_unique<Stream>(loop_, session, std::move(channel), wake_);
  return *streams_.emplace(++last_, std::move(stream)).first->second;
}

Stream* Streams::find(std::uint64_t number) {
  const auto found = streams_.find(number);
  return found == streams_.end() ? nullptr : found->second.get();
}

std::uint64_t Streams::bytes_out() const {
  std::uint64_t sum = bytes_out_;
  for (const auto& [number, stream] : streams_) sum += stream->bytes_out();
  return sum;
}

std::uint64_t Streams::bytes_in() const {
  std::uint64_t sum = bytes_in_;
  for (const auto& [number, stream] : streams_) sum += stream->bytes_in();
  return sum;
}

std::size_t Streams::bytes_held() const {
  std::size_t sum = 0;
  for (const auto& [number, stream] : streams_) sum += stream->bytes_held();
  return sum;
}

void Streams::resume() {
  for (auto& [number, stream] : streams_) {
    if (stream->is_waiting()) stream->resume();
  }
}

void Streams::sweep(const std::function<void(const std::string& problem)>& tell) {
  for (auto each = streams_.begin(); each != streams_.end();) {
    const auto& stream = *each->second;
    if (!stream.is_done()) {
      ++each;
      continue;
    }
    bytes_out_ += stream.bytes_out();
    bytes_in_ += stream.bytes_in();
    if (!stream.problem().empty() && tell) tell(stream.problem());
    each = streams_.erase(each);
  }
}

void Streams::drop_slowest() {
  const auto slowest = std::ranges::max_element(
      streams_, {}, [](const auto& each) { return each.second->bytes_held(); });
  if (slowest != streams_.end()) slowest->second->give_up();
}

void Streams::drop_all() {
  for (auto& [number, stream] : streams_) stream->give_up();
  sweep({});
}

}  // namespace riftbus::ssh
