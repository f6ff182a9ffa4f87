#include "relay/front/front.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "bus/clock.h"
#include "bus/ends.h"

namespace riftbus::relay {

namespace {

// A member that is gone without a word; the members' own signs of life are quicker.
constexpr Seconds kSilenceMax{30};
constexpr std::int64_t kUnsentBytesMax = 256 * 1024;

std::string peer_address(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  char text[NI_MAXHOST];
  if (::getpeername(descriptor, raw, &size) != 0 ||
      ::getnameinfo(raw, size, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) {
    return "";
  }
  return text;
}

}  // namespace

Front::Front(bus::Loop& loop, const RelayConfig& config) : loop_(loop), config_(config) {}

Front::~Front() {
  strangers_.clear();
  open_.clear();
  if (listener_ < 0) return;
  loop_.forget(listener_);
  ::close(listener_);
}

Status Front::open() {
  ForwardEnd end;
  end.host = config_.front_host;
  end.port = config_.front_port;
  auto listener = bus::listen_end(end);
  if (!listener) return listener.error();
  listener_ = *listener;
  loop_.watch(listener_, *this, true, false);
  return Ok{};
}

void Front::on_ready(bus::Readiness) {
  const TimePoint now = bus::boot_now();
  for (;;) {
    const int accepted = bus::accept_end(listener_);
    if (accepted < 0) {
      if (!bus::is_exhausted(errno)) return;
      loop_.forget(listener_);  // or it would be ready again at once
      accept_due_ = now + kAcceptPause;
      return;
    }
    ++counters_.accepted;
    ++changes_;
    let_in(accepted, peer_address(accepted), now);
  }
}

void Front::let_in(int accepted, const std::string& address, TimePoint now) {
  auto& from_there = addresses_[address];
  const auto all_max = static_cast<std::size_t>(config_.front_connections_max);
  const auto per_address_max = static_cast<std::size_t>(config_.front_per_address_max);
  if (size() >= all_max || from_there >= per_address_max) {
    if (from_there == 0) addresses_.erase(address);
    ++counters_.turned_away;
    ::close(accepted);
    return;
  }
  ++from_there;
  bus::tune_server_socket(accepted, kUnsentBytesMax, kSilenceMax);
  Visit& visit = strangers_.emplace_back(loop_, static_cast<Passage::Owner&>(*this), accepted,
                                         config_.socket_dir);
  visit.place = std::prev(strangers_.end());
  visit.address = address;
  visit.due = now + Millis(config_.grace_ms);
}

void Front::see_out(Visit& visit) {
  ++changes_;
  counters_.bytes += visit.bytes();
  if (!visit.is_stranger) {
    ++counters_.opened;
  } else if (visit.reply() != SocksReply::succeeded) {
    ++counters_.unreachable;
  } else {
    ++counters_.refused;
  }
  const auto from_there = addresses_.find(visit.address);
  if (--from_there->second == 0) addresses_.erase(from_there);
  auto& list = visit.is_stranger ? strangers_ : open_;
  list.erase(visit.place);
}

void Front::sweep(TimePoint now) {
  if (now >= accept_due_) {
    accept_due_ = TimePoint::max();
    loop_.watch(listener_, *this, true, false);
  }
  // Each once: one that opened and ended in the same round was told of twice.
  std::sort(changed_.begin(), changed_.end());
  changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
  for (Visit* visit : std::exchange(changed_, {})) {
    if (visit->is_open() && std::exchange(visit->is_stranger, false)) {
      ++changes_;
      open_.splice(open_.end(), strangers_, visit->place);
    }
    if (visit->is_done()) see_out(*visit);
  }
  while (!strangers_.empty() && now >= strangers_.front().due) see_out(strangers_.front());
}

TimePoint Front::next_deadline() const {
  return strangers_.empty() ? accept_due_ : std::min(strangers_.front().due, accept_due_);
}

FrontCounters Front::counters() const {
  FrontCounters all = counters_;
  all.opened += open_.size();
  for (const Visit& visit : open_) all.bytes += visit.bytes();
  return all;
}

}  // namespace riftbus::relay
