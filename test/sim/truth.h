// Truth: what really happened to each host, which no node can know.
//
// Its one judgement is innocence: a host is innocent while its process runs, was not stopped for
// long, and could talk both ways with all others but at most one. After trouble it stays excused
// for a grace period, because verdicts that were due may still arrive. Whoever calls an innocent
// host dead is wrong.
#pragma once

#include <vector>

#include "test/sim/fabric.h"

namespace riftbus::sim {

class Truth {
 public:
  // `pause_bound`: a stop up to this long gives nobody a reason. `grace`: after trouble.
  Truth(Nanos pause_bound, Nanos grace) : pause_bound_(pause_bound), grace_(grace) {}

  void add_host() { hosts_.emplace_back(); }
  void set_running(HostIndex host, bool running, TimePoint now);
  void on_stopped(HostIndex host, TimePoint now);
  void on_continued(HostIndex host, TimePoint now);
  // Call before and after each change of the network or of who runs: whoever is cut off from two
  // others or more is in trouble.
  void look_at(const Network& network, TimePoint now);

  // In trouble for a reason that the network does not show.
  void note_trouble(HostIndex host, TimePoint now) { hosts_[host].trouble = now; }

  [[nodiscard]] bool is_innocent(HostIndex host, TimePoint now) const;
  [[nodiscard]] TimePoint last_trouble() const { return last_trouble_; }
  void set_grace(Nanos grace) { grace_ = grace; }

 private:
  struct Host {
    bool running = false;
    bool stopped = false;
    bool cut_off = false;
    TimePoint stopped_at;
    TimePoint trouble = TimePoint(-Seconds(1'000'000));
  };
  std::vector<Host> hosts_;
  Nanos pause_bound_;
  Nanos grace_;
  TimePoint last_trouble_{};
};

}  // namespace riftbus::sim
