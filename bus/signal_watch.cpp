#include "bus/signal_watch.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "config/check.h"

namespace riftbus::bus {

SignalWatch::SignalWatch(std::initializer_list<int> numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : numbers) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  descriptor_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  RIFTBUS_CHECK(descriptor_ >= 0);
}

SignalWatch::~SignalWatch() { ::close(descriptor_); }

int SignalWatch::take() {
  signalfd_siginfo info{};
  const auto size = ::read(descriptor_, &info, sizeof info);
  return size == static_cast<ssize_t>(sizeof info) ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace riftbus::bus
