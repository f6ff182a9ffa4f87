#include "bus/ssh/stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "bus/ends.h"
#include "config/check.h"

namespace riftbus::ssh {

namespace {

constexpr int kChunksPerTurn = 4;
constexpr std::size_t kKeepCapacity = 1U << 16;

}  // namespace

Stream::Stream(bus::Loop& loop, Session& session, std::unique_ptr<Channel> channel,
               std::function<void()> wake)
    : loop_(loop), session_(session), channel_(std::move(channel)), wake_(std::move(wake)) {
  channel_->set_reader(this);
}

Stream::~Stream() {
  if (socket_ < 0) return;
  loop_.forget(socket_);
  close(socket_);
}

void Stream::lead_to(int connecting) {
  RIFTBUS_CHECK(socket_ < 0);
  socket_ = connecting;
  stage_ = Stage::connecting;
  writes_ = true;
  watch();
}

void Stream::lead_from(int connected) {
  RIFTBUS_CHECK(socket_ < 0);
  socket_ = connected;
  stage_ = Stage::opening;
  watch();
  resume();
}

void Stream::watch() {
  if (socket_ >= 0) loop_.watch(socket_, *this, reads_, writes_);
}

void Stream::on_ready(bus::Readiness what) {
  if (is_done_) return;
  serve(what);
  if (wake_) wake_();
}

void Stream::serve(bus::Readiness what) {
  if (stage_ == Stage::connecting) {
    if (!what.writable && !what.broken) return;
    problem_ = bus::connect_problem(socket_);
    if (!problem_.empty()) {
      is_done_ = true;
      return;
    }
    stage_ = Stage::open;
    reads_ = true;
    writes_ = false;
    watch();
    write_socket();
  } else if (what.writable) {
    write_socket();
  }
  if (what.readable && reads_) read_socket();
  if (what.broken && !what.readable) become_deaf();
  finish_if_over();
}

// Both directions of the socket have ended, and epoll would say so for ever; what was received
// before may still wait for the channel's window. watch() listens again.
void Stream::become_deaf() {
  if (!bus::connect_problem(socket_).empty()) socket_broken_ = true;
  loop_.forget(socket_);
}

void Stream::resume() {
  wants_attention_ = false;
  // Nobody is left who would read what the target says.
  if (channel_closed_ && stage_ == Stage::no_socket) is_done_ = true;
  if (is_done_ || stage_ == Stage::no_socket || stage_ == Stage::connecting) return;
  if (stage_ == Stage::opening) {
    const auto step = channel_->open_step();
    wants_attention_ = step == Step::again;
    if (step == Step::failed) {
      problem_ = session_.problem();
      is_done_ = true;
    }
    if (step != Step::done) return;
    stage_ = Stage::open;
    reads_ = true;
    watch();
  }
  write_socket();
  read_socket();
  finish_if_over();
}

std::size_t Stream::on_data(std::span<const char> data) {
  if (socket_broken_ || is_done_) {
    left_in_channel_ = 0;
    return data.size();
  }
  std::size_t taken = 0;
  if (stage_ == Stage::open && to_socket_.empty()) taken = send(data.data(), data.size());
  if (socket_broken_) return data.size();
  left_in_channel_ = data.size() - taken;
  if (left_in_channel_ > 0 && stage_ == Stage::open && !writes_) {
    writes_ = true;
    watch();
  }
  return taken;
}

void Stream::on_end() {
  channel_ended_ = true;
  wants_attention_ = true;
}

void Stream::on_close() {
  channel_ended_ = true;
  channel_closed_ = true;
  wants_attention_ = true;
}

std::size_t Stream::send(const char* data, std::size_t size) {
  const ssize_t sent = ::send(socket_, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN && errno != EINTR) {
      socket_broken_ = true;
      wants_attention_ = true;
    }
    return 0;
  }
  bytes_in_ += static_cast<std::uint64_t>(sent);
  return static_cast<std::size_t>(sent);
}

// libssh's buffer, then the socket.
void Stream::write_socket() {
  while (!socket_broken_) {
    if (to_socket_sent_ < to_socket_.size()) {
      to_socket_sent_ +=
          send(to_socket_.data() + to_socket_sent_, to_socket_.size() - to_socket_sent_);
      if (to_socket_sent_ < to_socket_.size()) break;
    }
    to_socket_.clear();
    to_socket_sent_ = 0;
    if (to_socket_.capacity() > kKeepCapacity) to_socket_.shrink_to_fit();
    if (left_in_channel_ == 0) break;
    // All of it, or libssh would enlarge the window for what is still buffered.
    to_socket_.resize(left_in_channel_);
    const std::size_t taken = channel_->take_rest(to_socket_);
    to_socket_.resize(taken);
    left_in_channel_ = taken == 0 ? 0 : left_in_channel_ - std::min(left_in_channel_, taken);
  }
  const bool has_more = !socket_broken_ && to_socket_sent_ < to_socket_.size();
  if (has_more != writes_) {
    writes_ = has_more;
    watch();
  }
  if (channel_ended_ && !has_more && !was_shut_down_ && !socket_broken_) {
    was_shut_down_ = true;
    shutdown(socket_, SHUT_WR);
  }
}

// False: no window, or closed.
bool Stream::write_channel() {
  while (to_channel_sent_ < to_channel_.size()) {
    const auto written = channel_->write(
        {to_channel_.data() + to_channel_sent_, to_channel_.size() - to_channel_sent_});
    if (!written) channel_closed_ = true;
    if (!written || *written == 0) return false;
    to_channel_sent_ += *written;
    bytes_out_ += *written;
  }
  to_channel_.clear();
  to_channel_sent_ = 0;
  return true;
}

// Straight from the socket; only what the channel does not take is kept.
void Stream::write_fresh(std::span<const char> data) {
  const auto written = channel_->write(data);
  channel_closed_ = channel_closed_ || !written;
  const auto sent = written.value_or(0);
  bytes_out_ += sent;
  data = data.subspan(sent);
  to_channel_.assign(data.begin(), data.end());
}

void Stream::read_socket() {
  std::array<char, kChunkBytes> chunk;  // NOLINT: filled by recv()
  bool can_go_on = !socket_ended_ && !socket_broken_ && !channel_closed_;
  for (int turn = 0; can_go_on && turn < kChunksPerTurn; ++turn) {
    const std::size_t window = channel_->window();
    if (session_.is_congested()) session_.note_congestion();
    if (!write_channel() || window == 0 || session_.is_congested()) {
      reads_ = false;
      wants_attention_ = true;
      watch();
      return;
    }
    const std::size_t most = std::min({window, chunk.size(), session_.allotted()});
    const ssize_t size = recv(socket_, chunk.data(), most, MSG_DONTWAIT);
    if (size < 0) {
      if (errno != EAGAIN && errno != EINTR) socket_broken_ = true;
      break;
    }
    socket_ended_ = size == 0;
    const auto received = static_cast<std::size_t>(size);
    can_go_on = !socket_ended_ && received == most;
    if (received > 0) write_fresh({chunk.data(), received});
    session_.note_written(received);
    can_go_on = can_go_on && !channel_closed_;
  }
  if (!to_channel_.empty() && !channel_closed_) wants_attention_ = true;
  if (socket_ended_ && to_channel_.empty() && !end_sent_ && !channel_closed_) {
    end_sent_ = true;
    channel_->send_end();
  }
  const bool wants_more = !socket_ended_ && !socket_broken_ && to_channel_.empty();
  if (reads_ != wants_more) {
    reads_ = wants_more;
    watch();
  }
}

void Stream::finish_if_over() {
  const bool is_drained = left_in_channel_ == 0 && to_socket_.empty();
  if (socket_broken_ || (channel_closed_ && is_drained) ||
      (end_sent_ && channel_ended_ && is_drained)) {
    is_done_ = true;
  }
}

}  // namespace riftbus::ssh
