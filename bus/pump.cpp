#include "bus/pump.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace riftbus::bus {

void Pump::Side::close() {
  if (descriptor < 0) return;
  loop.forget(descriptor);
  ::close(std::exchange(descriptor, -1));
}

void Pump::start(int left, int right) {
  left_.descriptor = left;
  right_.descriptor = right;
  watch(left_, right_);
  watch(right_, left_);
}

void Pump::on_ready(Side& side, Readiness what) {
  if (is_done_) return;
  side.hung_up = side.hung_up || what.broken;
  move(left_, right_);
  move(right_, left_);
  if (is_done_ || is_over(left_, right_) || is_over(right_, left_)) return finish();
  watch(left_, right_);
  watch(right_, left_);
}

// Everything that `side` sent was delivered, and nothing more can reach it.
bool Pump::is_over(const Side& side, const Side& other) {
  if (!side.ended || other.has_unsent()) return false;
  return side.hung_up || (other.ended && !side.has_unsent());
}

void Pump::finish() {
  is_done_ = true;
  left_.close();
  right_.close();
  owner_.on_pump_done();
}

void Pump::move(Side& from, Side& to) {
  std::array<char, kChunkBytes> chunk;
  while (!is_done_ && flush(to) && !from.ended) {
    const auto size = ::recv(from.descriptor, chunk.data(), chunk.size(), 0);
    if (size < 0) {
      is_done_ = !must_wait();  // else it was reset
      return;
    }
    if (size == 0) {
      from.ended = true;
      ::shutdown(to.descriptor, SHUT_WR);
      return;
    }
    bytes_ += static_cast<std::uint64_t>(size);
    if (!send(to, chunk.data(), static_cast<std::size_t>(size))) return;
    // One chunk per turn, for fairness; the kernel tells of the rest, unless the side is gone.
    if (!from.hung_up) return;
  }
}

bool Pump::flush(Side& side) {
  if (!side.has_unsent()) return true;
  std::vector<char> waiting = std::exchange(side.unsent, {});
  const std::size_t begin = std::exchange(side.sent, 0);
  return send(side, waiting.data() + begin, waiting.size() - begin);
}

bool Pump::send(Side& side, const char* data, std::size_t size) {
  while (size > 0 && !side.hung_up) {
    const auto taken = ::send(side.descriptor, data, size, MSG_NOSIGNAL);
    if (taken < 0) {
      if (errno == EINTR) continue;
      side.hung_up = !must_wait();
      if (side.hung_up) break;
      side.unsent.assign(data, data + size);
      return false;
    }
    data += taken;
    size -= static_cast<std::size_t>(taken);
  }
  return true;
}

void Pump::watch(Side& side, const Side& other) {
  // The kernel tells of a hang-up again and again, whether or not anything was asked for.
  if (side.hung_up) return side.loop.forget(side.descriptor);
  const bool reads = !side.ended && !other.has_unsent();
  side.loop.watch(side.descriptor, side, reads, side.has_unsent());
}

}  // namespace riftbus::bus
