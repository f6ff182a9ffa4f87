#include "node/executor/scribe.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "bus/clock.h"

namespace riftbus::executor {

namespace {

constexpr int kRoundsPerTurn = 16;  // of 64 KiB: a flood keeps us from nothing else

}  // namespace

Scribe::Scribe(std::string folder, const JobSpec& spec)
    : folder_(std::move(folder)),
      output_bytes_max_(spec.output_bytes_max),
      disk_bytes_max_(spec.disk_bytes_max),
      disk_check_every_(spec.disk_check_every),
      tail_(work::kTailBytesMax) {}

void Scribe::begin(int out, int err) {
  streams_[0].fd = out;
  streams_[1].fd = err;
  for (const auto& stream : streams_) {
    fcntl(stream.fd, F_SETFL, fcntl(stream.fd, F_GETFL) | O_NONBLOCK);
  }
  measure_at_ = bus::boot_now() + disk_check_every_;
  thread_ = std::thread([this] { run(); });
}

void Scribe::put(const JobState& state) {
  {
    const std::lock_guard lock(mutex_);
    waiting_ = state;
  }
  to_thread_.wake();
}

void Scribe::end() {
  if (!thread_.joinable()) return;
  ending_ = true;
  to_thread_.wake();
  thread_.join();
}

bool Scribe::is_too_large() const {
  to_owner_.clear();
  return too_large_;
}

// ---- the thread ------------------------------------------------------------------------------

void Scribe::run() {
  streams_[0].file.emplace(folder_ + "/stdout.log", output_bytes_max_);
  streams_[1].file.emplace(folder_ + "/stderr.log", output_bytes_max_);
  while (!ending_) {
    const auto wait = measuring_ ? Nanos{0} : measure_at_ - bus::boot_now();
    std::array<pollfd, 3> polled{{{to_thread_.descriptor(), POLLIN, 0},
                                  {streams_[0].fd, POLLIN, 0},
                                  {streams_[1].fd, POLLIN, 0}}};
    const auto wait_ms =
        wait > Nanos{0} ? static_cast<int>(std::min<std::int64_t>(to_ms(wait) + 1, 1000)) : 0;
    poll(polled.data(), polled.size(), wait_ms);
    to_thread_.clear();
    write_waiting();
    for (auto& stream : streams_) take(stream);
    measure();
  }
  for (auto& stream : streams_) take(stream);
  for (auto& stream : streams_) {
    if (stream.fd >= 0) close(stream.fd);
    stream.fd = -1;
  }
}

void Scribe::write_waiting() {
  std::optional<JobState> state;
  {
    const std::lock_guard lock(mutex_);
    state = std::exchange(waiting_, std::nullopt);
  }
  if (!state) return;
  static_cast<void>(write_state(folder_, *state));
  wake_daemon(folder_);
}

void Scribe::take(Stream& stream) {
  std::array<char, 64 * 1024> buffer{};
  for (int round = 0; round < kRoundsPerTurn && stream.fd >= 0; ++round) {
    const auto got = read(stream.fd, buffer.data(), buffer.size());
    if (got < 0) return;
    if (got == 0) {
      close(stream.fd);
      stream.fd = -1;
      return;
    }
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    stream.file->write(bytes);
    if (&stream == &streams_[1]) tail_.write(bytes);
  }
}

void Scribe::measure() {
  const auto begun = bus::boot_now();
  if (!measuring_ && begun < measure_at_) return;
  if (!measuring_) meter_.begin({folder_ + "/work", folder_ + "/io"});
  if (!measuring_) measured_for_ = Nanos{0};
  measuring_ = !meter_.advance(kEntriesPerTurn);
  const auto now = bus::boot_now();
  measured_for_ += now - begun;
  if (meter_.bytes() > disk_bytes_max_) {
    measuring_ = false;  // the rest does not matter
    too_large_ = true;
    to_owner_.wake();
  }
  if (!measuring_) {
    measure_at_ = now + std::max<Nanos>(disk_check_every_, measured_for_ * kDiskShare);
  }
}

void wake_daemon(const std::string& folder) {
  const auto slash = folder.rfind('/');
  const std::string wake = folder.substr(0, slash) + "/wake";
  const int fifo = open(wake.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fifo < 0) return;  // no daemon: it will look when it comes
  [[maybe_unused]] const auto put = write(fifo, "\n", 1);
  close(fifo);
}

}  // namespace riftbus::executor
