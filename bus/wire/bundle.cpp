#include "bus/wire/bundle.h"

#include <cstdint>

#include "config/check.h"

namespace riftbus::wire {

namespace {

constexpr char kMark = '\xC1';
constexpr std::size_t kLengthBytes = 4;

std::size_t read_length(std::string_view bytes) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length = length << 8u | static_cast<std::uint8_t>(bytes[i]);
  }
  return length;
}

}  // namespace

bool comes_in_crowds(Kind kind) { return kind == Kind::work_request || kind == Kind::work_reply; }

void Bundle::add(std::string_view envelope) {
  RIFTBUS_CHECK(!envelope.empty() && envelope.size() <= UINT32_MAX);
  if (count_++ == 0) bytes_.assign(1, kMark);
  for (std::size_t shift = 8 * kLengthBytes; shift > 0;) {
    shift -= 8;
    bytes_.push_back(static_cast<char>(envelope.size() >> shift & 0xFFu));
  }
  bytes_.append(envelope);
}

bool Bundle::has_room_for(std::string_view envelope) const {
  return count_ == 0 || bytes_.size() + kLengthBytes + envelope.size() <= kBundleBytes;
}

std::string_view Bundle::frame() const {
  const std::string_view whole(bytes_);
  return count_ == 1 ? whole.substr(1 + kLengthBytes) : whole;
}

// Gives the memory back: there may be one for each of thousands of connections.
void Bundle::clear() {
  bytes_ = std::string();
  count_ = 0;
}

bool split_frame(std::string_view frame, std::vector<std::string_view>& out) {
  out.clear();
  if (frame.empty() || frame.front() != kMark) {
    out.push_back(frame);
    return true;
  }
  frame.remove_prefix(1);
  while (!frame.empty()) {
    const std::size_t length = frame.size() < kLengthBytes ? 0 : read_length(frame);
    if (length == 0 || length > frame.size() - kLengthBytes || out.size() == kBundleEnvelopesMax) {
      out.clear();
      return false;
    }
    out.push_back(frame.substr(kLengthBytes, length));
    frame.remove_prefix(kLengthBytes + length);
  }
  return !out.empty();
}

}  // namespace riftbus::wire
