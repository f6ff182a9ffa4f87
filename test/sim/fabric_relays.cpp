// The fabric's relays: ways to hosts that nobody can dial.
#include <algorithm>
#include <utility>

#include "test/sim/fabric.h"

namespace riftbus::sim {

void Fabric::set_named(HostIndex index, std::vector<HostIndex> relays) {
  host(index).named = std::move(relays);
}

void Fabric::attach(HostIndex index, HostIndex relay) {
  Host& h = host(index);
  if (std::find(h.ways.begin(), h.ways.end(), relay) == h.ways.end()) h.ways.push_back(relay);
}

bool Fabric::leads(HostIndex relay, HostIndex index) const {
  const Host& h = hosts_[index];
  return is_running(relay) && std::find(h.ways.begin(), h.ways.end(), relay) != h.ways.end();
}

bool Fabric::is_passable(const Connection& c) const {
  if (c.via == c.to) return network_.is_open_both(c.from, c.to);
  return leads(c.via, c.to) && !is_paused(c.via) && network_.is_open_both(c.from, c.via) &&
         network_.is_open_both(c.via, c.to);
}

bool Fabric::is_open(const Connection& c, HostIndex at, HostIndex towards) const {
  return c.via == c.to ? network_.is_open(at, towards) : is_passable(c);
}

// Connections are spread over what is named; of those, the first that leads there.
HostIndex Fabric::choose_way(const Connection& c) const {
  const Host& h = hosts_[c.to];
  if (!h.hidden || h.named.empty()) return c.to;
  for (std::size_t i = 0; i < h.named.size(); ++i) {
    const HostIndex relay = h.named[(c.from + i) % h.named.size()];
    if (leads(relay, c.to) && !is_paused(relay) && network_.is_open_both(c.from, relay)) {
      return relay;
    }
  }
  return h.named[c.from % h.named.size()];
}

// Each relay that is named is asked for it.
void Fabric::dial_hidden(HostIndex from, HostIndex to, const std::function<void(DialEnd)>& done) {
  Path& path = network_.path(from, to);
  host(std::max(from, to));
  host(from).traffic.bytes_out += kDialBytes;
  const std::uint32_t life = host(from).life;
  schedule_.after(network_.draw_connect(path), [this, from, to, life, done] {
    DialEnd end = DialEnd::relay_lost;
    bool waits = false;
    for (const HostIndex relay : host(to).named) {
      if (!network_.is_open_both(from, relay) || is_paused(relay)) {
        waits = true;
      } else if (leads(relay, to)) {
        end = DialEnd::accepted;
      } else if (is_running(relay) && end == DialEnd::relay_lost) {
        end = DialEnd::silent;
      }
    }
    const bool patient = waits && end != DialEnd::accepted;
    schedule_.after(
        patient ? network_.options().dial_timeout : Nanos::zero(),
        [this, from, life, done, end] { push(from, life, [done, end] { done(end); }); });
  });
}

void Fabric::lose_ways(HostIndex relay, bool says_fin) {
  for (HostIndex index = 0; index < hosts_.size(); ++index) {
    if (std::erase(hosts_[index].ways, relay) == 0) continue;
    for (const ConnectionId id : std::vector<ConnectionId>(hosts_[index].accepted)) {
      Connection& c = *find(id);
      if (c.via != relay || c.state != State::up) continue;
      if (!says_fin) {
        update_block(c);
        continue;
      }
      schedule_.after(network_.draw_transit(*c.path),
                      [this, id, epoch = c.epoch] { break_connection(id, epoch, Down::closed); });
    }
  }
}

}  // namespace riftbus::sim
