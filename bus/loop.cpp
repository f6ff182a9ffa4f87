#include "bus/loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "config/check.h"

namespace riftbus::bus {

namespace {

constexpr std::int64_t kWaitMsMax = 60'000;
constexpr unsigned kNumberShift = 32;

}  // namespace

bool must_wait() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) { RIFTBUS_CHECK(epoll_ >= 0); }

Loop::~Loop() { close(epoll_); }

void Loop::watch(int descriptor, Watcher& watcher, bool reads, bool writes) {
  auto [place, is_new] = entries_.try_emplace(descriptor);
  auto& entry = place->second;
  const std::uint32_t wishes = (reads ? EPOLLIN : 0U) | (writes ? EPOLLOUT : 0U);
  entry.watcher = &watcher;
  if (is_new) entry.number = next_number_++ & 0xffffffffU;
  if (!is_new && entry.wishes == wishes) return;
  entry.wishes = wishes;
  epoll_event event{};
  event.events = wishes;
  event.data.u64 = (entry.number << kNumberShift) | static_cast<std::uint32_t>(descriptor);
  RIFTBUS_CHECK(epoll_ctl(epoll_, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event) == 0);
}

void Loop::forget(int descriptor) {
  if (entries_.erase(descriptor) > 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
}

void Loop::run_once(TimePoint until, TimePoint now) {
  // Rounded up: waking a little early would only find that nothing is due yet.
  const auto wait_ms = until <= now ? 0
                       : until == TimePoint::max()
                           ? kWaitMsMax
                           : std::min<std::int64_t>(to_ms(until - now) + 1, kWaitMsMax);
  std::array<epoll_event, kEventsMax> events{};
  const int count = epoll_wait(epoll_, events.data(), kEventsMax, static_cast<int>(wait_ms));
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    const auto entry = entries_.find(static_cast<int>(event.data.u64 & 0xffffffffU));
    if (entry == entries_.end() || entry->second.number != event.data.u64 >> kNumberShift) continue;
    entry->second.watcher->on_ready({(event.events & EPOLLIN) != 0, (event.events & EPOLLOUT) != 0,
                                     (event.events & (EPOLLERR | EPOLLHUP)) != 0});
  }
}

}  // namespace riftbus::bus
