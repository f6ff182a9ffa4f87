#include "test/sim/truth.h"

namespace riftbus::sim {

void Truth::set_running(HostIndex host, bool running, TimePoint now) {
  hosts_[host].running = running;
  hosts_[host].stopped = false;
  last_trouble_ = now;
}

void Truth::on_stopped(HostIndex host, TimePoint now) {
  hosts_[host].stopped = true;
  hosts_[host].stopped_at = now;
  last_trouble_ = now;
}

void Truth::on_continued(HostIndex host, TimePoint now) {
  Host& h = hosts_[host];
  if (!h.stopped) return;
  h.stopped = false;
  if (now - h.stopped_at > pause_bound_) h.trouble = now;
  last_trouble_ = now;
}

void Truth::look_at(const Network& network, TimePoint now) {
  const bool whole = network.is_whole();
  int running = 0;
  for (const Host& h : hosts_) running += h.running ? 1 : 0;
  // Among four or fewer, one lost link leaves too few others to ask.
  const int too_many = running <= 4 ? 1 : 2;
  for (HostIndex a = 0; a < hosts_.size(); ++a) {
    int lost = 0;
    for (HostIndex b = 0; !whole && b < hosts_.size() && lost < too_many; ++b) {
      if (a != b && hosts_[b].running && !network.is_open_both(a, b)) ++lost;
    }
    hosts_[a].cut_off = lost >= too_many || !network.is_up(a);
    if (hosts_[a].cut_off) hosts_[a].trouble = last_trouble_ = now;
  }
}

bool Truth::is_innocent(HostIndex host, TimePoint now) const {
  const Host& h = hosts_[host];
  if (!h.running || h.cut_off) return false;
  if (h.stopped && now - h.stopped_at > pause_bound_) return false;
  return now - h.trouble > grace_;
}

}  // namespace riftbus::sim
