#include "node/signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

#include "config/check.h"

namespace riftbus::node {

namespace {

// A handler can reach nothing but a global: this is the only one in the daemon.
std::atomic<int> signal_pipe{-1};

void on_signal(int number) {
  const int saved = errno;
  const auto byte = static_cast<unsigned char>(number);
  [[maybe_unused]] const auto written = write(signal_pipe.load(), &byte, 1);
  errno = saved;
}

void handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

}  // namespace

Signals::Signals() {
  int ends[2];
  RIFTBUS_CHECK(pipe(ends) == 0);
  for (const int end : ends) {
    fcntl(end, F_SETFL, O_NONBLOCK);
    fcntl(end, F_SETFD, FD_CLOEXEC);
  }
  read_fd_ = ends[0];
  write_fd_ = ends[1];
  signal_pipe = write_fd_;
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) handle(number, on_signal);
  handle(SIGPIPE, SIG_IGN);
}

Signals::~Signals() {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) handle(number, SIG_DFL);
  signal_pipe = -1;
  close(read_fd_);
  close(write_fd_);
}

int Signals::take() const {
  unsigned char number = 0;
  return read(read_fd_, &number, 1) == 1 ? number : 0;
}

}  // namespace riftbus::node
