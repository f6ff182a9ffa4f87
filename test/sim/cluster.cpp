// Time, hosts, questions. The hands that break things: cluster_faults.cpp.
#include "test/sim/cluster.h"

#include <algorithm>
#include <utility>

#include "config/check.h"

namespace riftbus::sim {

namespace {

// Parts of a run with random streams of their own.
enum Part : std::uint64_t { part_network = 1, part_fabric, part_world, part_host };
constexpr Nanos kDeathGrace = Seconds(15);

bool concerns(const wire::Envelope& envelope, const NodeId& subject, wire::Standing standing) {
  const auto* gossip = std::get_if<wire::Gossip>(&envelope.body);
  if (gossip == nullptr) return false;
  return std::any_of(gossip->claims.begin(), gossip->claims.end(), [&](const wire::Claim& c) {
    return c.subject == subject && c.standing == standing;
  });
}

}  // namespace

NodeId name_of(HostIndex index) { return NodeId::parse("n" + std::to_string(index + 1)).value(); }

Cluster::Cluster(const ClusterOptions& options)
    : options_(options),
      network_(options.link, split_seed(options.seed, part_network, 0)),
      fabric_(schedule_, network_, split_seed(options.seed, part_fabric, 0)),
      random_(split_seed(options.seed, part_world, 0)),
      trace_(options.trace_lines),
      truth_(options.timing.silence_min / 2, kDeathGrace),
      checkers_(all_checkers()) {
  schedule_.set_jobs_max(options.jobs_max);
  for (HostIndex i = 0; i < options.nodes; ++i) roster_.insert(name_of(i));
  for (HostIndex i = 0; i < options.nodes; ++i) add_host(name_of(i));
  for (HostIndex i = 0; i < std::min(options.seeds, options.nodes); ++i) {
    seed_ids_.push_back(name_of(i));
  }
  check_each_second();
}

Cluster::~Cluster() = default;

MemberHost& Cluster::add_host(const NodeId& id) {
  const HostIndex index = network_.add_host();
  truth_.add_host();
  roster_.insert(id);
  configured_.emplace(id, index);
  hosts_.push_back(
      std::make_unique<MemberHost>(*this, index, id, split_seed(options_.seed, part_host, index)));
  return *hosts_.back();
}

std::optional<HostIndex> Cluster::configured(const NodeId& id) const {
  const auto found = configured_.find(id);
  if (found == configured_.end()) return std::nullopt;
  return found->second;
}

bool Cluster::run(Nanos span) {
  if (!violations_.empty()) return false;
  if (!schedule_.run_until(schedule_.now() + span)) fail("runaway: more jobs than a run may have");
  return violations_.empty();
}

void Cluster::at(Nanos from_now, std::function<void()> command) {
  schedule_.after(from_now, std::move(command));
}

void Cluster::check_each_second() {
  schedule_.after(Seconds(1), [this] {
    for (auto& checker : checkers_) checker->on_interval(*this);
    check_each_second();
  });
}

std::vector<HostIndex> Cluster::running() const {
  std::vector<HostIndex> indices;
  for (const auto& h : hosts_) {
    if (h->is_running()) indices.push_back(h->index());
  }
  return indices;
}

std::size_t Cluster::watchers_wanted() const {
  const std::size_t live = running().size();
  const std::size_t usual = live < 100 ? 4 : 5;
  const std::size_t k = options_.timing.watchers == 0 ? usual : options_.timing.watchers;
  return std::min(k, live == 0 ? 0 : live - 1);
}

std::string Cluster::find_disagreement() const {
  std::map<NodeId, Incarnation> live;
  for (const HostIndex index : running()) {
    live[hosts_[index]->id()] = hosts_[index]->core().incarnation();
  }
  for (const HostIndex index : running()) {
    const auto& core = hosts_[index]->core();
    const std::string who = hosts_[index]->id().value();
    std::size_t alive = 0;
    for (const membership::Member* member : core.members()) {
      const NodeId& id = member->record.id;
      const auto found = live.find(id);
      if (member->standing == wire::Standing::alive && found == live.end()) {
        return who + " sees " + id.value() + " alive, which does not run";
      }
      if (found == live.end()) continue;
      if (member->standing != wire::Standing::alive) {
        return who + " sees " + id.value() + " " + wire::to_string(member->standing) +
               ", which runs";
      }
      if (member->incarnation != found->second) {
        return who + " sees another incarnation of " + id.value() + " than the present one";
      }
      ++alive;
    }
    if (alive != live.size()) {
      return who + " sees " + std::to_string(alive) + " alive, " + std::to_string(live.size()) +
             " run";
    }
  }
  return "";
}

std::optional<Nanos> Cluster::run_until_agreement(Nanos limit) {
  return run_until([this] { return find_disagreement().empty(); }, limit, Millis(250));
}

std::optional<Nanos> Cluster::run_until(const std::function<bool()>& holds, Nanos limit,
                                        Nanos step) {
  const TimePoint begin = now();
  while (!holds()) {
    if (now() - begin >= limit || !run(step)) return std::nullopt;
  }
  return now() - begin;
}

void Cluster::fail(const std::string& what) {
  if (violations_.size() < 20) violations_.push_back(format_time(now()) + " " + what);
  trace_.line(now(), "!!", what);
  schedule_.stop();
}

void Cluster::note(HostIndex index, const std::string& what) {
  trace_.mix(what);
  if (trace_.wants_text()) trace_.line(now(), hosts_[index]->id().value(), "** " + what);
}

void Cluster::on_started(MemberHost& host) {
  truth_.look_at(network_, now());
  truth_.set_running(host.index(), true, now());
  truth_.look_at(network_, now());
  for (auto& checker : checkers_) checker->on_started(host);
}

void Cluster::on_step(MemberHost& host, const membership::Event& event, const Message* message,
                      const membership::Actions& actions) {
  trace_.mix(static_cast<std::uint64_t>(now().time_since_epoch().count()));
  trace_.mix((std::uint64_t{host.index()} << 32) | (event.index() << 16) | actions.size());
  if (trace_.wants_text()) {
    trace_.line(now(), host.id().value(), "<- " + membership::to_string(event));
    for (const auto& action : actions) {
      trace_.line(now(), host.id().value(), "   -> " + membership::to_string(action));
    }
  }
  if (message != nullptr && message->hop >= 0) follow_flood(host, *message);
  for (auto& checker : checkers_) checker->on_step(Step{*this, host, event, message, actions});
  if (!listener_) return;
  for (const auto& action : actions) {
    if (const auto* said = std::get_if<membership::Announce>(&action)) listener_(host, *said);
  }
}

// ---- one flood ----------------------------------------------------------------------------------

void Cluster::trace_flood(const NodeId& subject, wire::Standing standing) {
  flood_subject_ = subject;
  flood_standing_ = standing;
  hops_.assign(hosts_.size(), -1);
}

int Cluster::hop_of(const MemberHost& host, const wire::Envelope& envelope) const {
  if (flood_subject_.empty() || !concerns(envelope, flood_subject_, flood_standing_)) return -1;
  return std::max(hops_[host.index()], 0);
}

void Cluster::follow_flood(const MemberHost& host, const Message& message) {
  int& origin = hops_[message.from];
  if (origin < 0) origin = 0;
  int& mine = hops_[host.index()];
  if (mine < 0) mine = message.hop + 1;
}

}  // namespace riftbus::sim
