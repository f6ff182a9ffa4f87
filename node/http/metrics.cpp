#include "node/http/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "node/api/api_leader.h"
#include "node/api/api_relays.h"
#include "node/http/http_desk.h"

namespace riftbus::node {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// Counters that may fall again.
constexpr auto kGauges = std::to_array<std::string_view>(
    {"tap.taps", "carry.streams", "jobs.running", "work.parked", "work.calls_open", "http.open",
     "http.streams", "log.write_us_max", "log.snapshot_bytes", "log.lease_us", "loop.turn_us_max"});

class Families {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  void gauge(const std::string& name, const char* help, double value, const Labels& labels = {}) {
    add(name, help, MetricType::Gauge, labels).gauge.value = value;
  }
  void counter(const std::string& name, const char* help, double value, const Labels& labels = {}) {
    add(name, help, MetricType::Counter, labels).counter.value = value;
  }
  void summary(const std::string& name, const char* help, double count, double sum) {
    auto& metric = add(name, help, MetricType::Summary, {});
    metric.summary.sample_count = static_cast<std::uint64_t>(count);
    metric.summary.sample_sum = sum;
  }
  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return out.str();
  }

 private:
  ClientMetric& add(const std::string& name, const char* help, MetricType type,
                    const Labels& labels) {
    if (families_.empty() || families_.back().name != name) {
      families_.push_back({name, help, type, {}});
    }
    auto& metric = families_.back().metric.emplace_back();
    for (const auto& [key, value] : labels) metric.label.push_back({key, value});
    return metric;
  }

  std::vector<MetricFamily> families_;
};

double seconds_counted(const NodeView& view, const char* counter_us) {
  const auto found = view.counters.find(counter_us);
  return found == view.counters.end() ? 0 : static_cast<double>(found->second) / 1e6;
}

double counted(const NodeView& view, const char* counter) {
  const auto found = view.counters.find(counter);
  return found == view.counters.end() ? 0 : static_cast<double>(found->second);
}

double exact_seconds(Nanos span) { return std::chrono::duration<double>(span).count(); }

void add_members(const NodeView& view, Families& families) {
  std::array<std::size_t, 6> counts{};
  for (const auto* member : view.membership->members()) {
    ++counts.at(static_cast<std::size_t>(member->standing));
  }
  for (std::size_t i = 1; i < counts.size(); ++i) {
    families.gauge("riftbus_members", "Members by standing.", static_cast<double>(counts[i]),
                   {{"state", wire::to_string(static_cast<wire::Standing>(i))}});
  }
  const auto& stats = view.membership->stats();
  const auto count = [&](const char* name, const char* help, std::uint64_t value) {
    families.counter(name, help, static_cast<double>(value));
  };
  count("riftbus_suspicions_total", "Members that this node suspected.", stats.suspicions);
  count("riftbus_suspicion_refuted_total", "Suspicions of this node that it refuted.",
        stats.refutations);
  count("riftbus_deaths_total", "Members that this node pronounced dead.", stats.deaths);
  count("riftbus_probes_total", "Members that were asked because they were silent.", stats.probes);
  families.gauge("riftbus_local_health_score", "0 well to 7 in trouble.",
                 view.membership->health());
  std::size_t peers = 0;
  for (const auto& watch : view.membership->watching()) {
    if (!watch.rtt || ++peers > kPeersMax) continue;
    families.gauge("riftbus_heartbeat_rtt_seconds", "Round trip to a watched member.",
                   exact_seconds(*watch.rtt), {{"peer", watch.peer.value()}});
  }
}

void add_leadership(const NodeView& view, Families& families) {
  if (!view.leadership) return;
  const auto& watch = *view.leadership->leader;
  families.gauge("riftbus_has_leader", "Whether this node knows who leads.",
                 watch.leader().empty() ? 0 : 1);
  families.gauge("riftbus_is_leader", "Whether this node leads.", watch.is_self() ? 1 : 0);
  families.gauge("riftbus_epoch", "Term of the leader, as this node knows it.",
                 static_cast<double>(watch.term()));
  families.counter("riftbus_leader_changes_total", "Changes of who leads, as this node saw them.",
                   static_cast<double>(watch.version()));
  const auto* voter = view.leadership->voter;
  if (voter == nullptr) return;
  const auto disk = voter->disk();
  families.summary("riftbus_log_fsync_seconds", "Writes of the log, to the disk and through it.",
                   static_cast<double>(disk.writes), static_cast<double>(disk.write_us) / 1e6);
  families.summary("riftbus_commit_seconds",
                   "From an entry of the log to its decision, of a leader.",
                   counted(view, "log.commits_timed"), seconds_counted(view, "log.commit_us"));
  families.gauge("riftbus_lease_remaining_seconds",
                 "Until this voter gives its leader up, if nobody were heard any more.",
                 seconds_counted(view, "log.lease_us"));
  const auto& ledger = voter->replica().queue().ledger();
  double claims = 0, waited_s = 0;
  for (const auto& [kind, tally] : ledger.kind_tally) {
    claims += static_cast<double>(tally.granted);
    waited_s += static_cast<double>(tally.waited_ms) / 1000;
  }
  families.summary("riftbus_work_claim_seconds", "For how long work waited to be claimed.", claims,
                   waited_s);
  for (const auto state :
       {work::State::delayed, work::State::ready, work::State::leased, work::State::dead}) {
    families.gauge("riftbus_work_items", "Unfinished work by state, in this node's copy.",
                   static_cast<double>(ledger.count(state)), {{"state", work::to_string(state)}});
  }
}

void add_links(const NodeView& view, Families& families) {
  std::map<std::string, std::pair<std::size_t, std::size_t>> kinds;  // up, all
  for (const auto& link : view.links) {
    for (const auto* report : {&link.calls, &link.beats}) {
      if (!report->has_value() || !(*report)->address) continue;
      auto& [up, all] = kinds[wire::to_string((*report)->address->kind)];
      if ((*report)->up) ++up;
      ++all;
    }
  }
  for (const auto& [via, counts] : kinds) {
    families.gauge("riftbus_link_up", "Connections that stand, by kind of address.",
                   static_cast<double>(counts.first), {{"via", via}});
  }
  for (const auto& [via, counts] : kinds) {
    families.gauge("riftbus_links", "Connections that are wanted, by kind of address.",
                   static_cast<double>(counts.second), {{"via", via}});
  }
}

void add_relays(const NodeView& view, Families& families) {
  if (!view.relays) return;
  if (const auto* attacher = view.relays->attacher) {
    std::size_t relays = 0;
    for (const auto& [relay, run] : attacher->keeper().runs()) {
      if (++relays > kPeersMax || run.starts == 0) continue;
      families.counter("riftbus_tunnel_restarts_total", "Starts of a tunnel after its first one.",
                       static_cast<double>(run.starts - 1), {{"relay", relay.value()}});
    }
  }
  if (view.relays->status == nullptr) return;
  const Json status = Json::parse(*view.relays->status, nullptr, false);
  if (!status.is_object() || !status.contains("counters")) return;
  const Json& counters = status["counters"];
  for (const auto& [direction, key] : std::array<std::pair<const char*, const char*>, 2>{
           {{"to_nodes", "bytes_to_nodes"}, {"from_nodes", "bytes_from_nodes"}}}) {
    if (!counters.is_object() || !counters.contains(key) || !counters[key].is_number()) continue;
    families.counter("riftbus_relay_forwarded_bytes_total",
                     "Through the relay of this host, since that was started.",
                     counters[key].get<double>(), {{"direction", direction}});
  }
}

// "bus.sent_bytes" -> "riftbus_bus_sent_bytes"
std::string plain_name(std::string_view counter) {
  std::string name = "riftbus_";
  for (const char c : counter) {
    const bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += is_word ? c : '_';
  }
  return name;
}

void add_counters(const NodeView& view, Families& families) {
  for (const auto& [counter, value] : view.counters) {
    const bool is_gauge = std::find(kGauges.begin(), kGauges.end(), counter) != kGauges.end();
    const std::string name = plain_name(counter);
    if (is_gauge) {
      families.gauge(name, "Now.", static_cast<double>(value));
    } else {
      families.counter(name + "_total", "Since the node was started.", static_cast<double>(value));
    }
  }
}

}  // namespace

std::string prometheus_text(const NodeView& view, const Glance& seen) {
  Families families;
  families.gauge("riftbus_build_info", "The program that runs here.", 1,
                 {{"version", view.software}});
  families.gauge("riftbus_uptime_seconds", "Since it was started.",
                 exact_seconds(view.now.at - view.started));
  families.gauge("riftbus_jobs_slots", "Jobs that this node runs at once.",
                 static_cast<double>(seen.slots));
  families.gauge("riftbus_disk_used_ratio", "Of the disk that holds the data folder.",
                 seen.disk_percent / 100);
  add_members(view, families);
  add_leadership(view, families);
  add_links(view, families);
  add_relays(view, families);
  families.summary("riftbus_loop_lag_seconds", "Turns of the loop: whatever comes waits so long.",
                   counted(view, "loop.turns"), seconds_counted(view, "loop.turn_us"));
  families.gauge("riftbus_loop_lag_seconds_max", "The longest turn of the last seconds.",
                 seconds_counted(view, "loop.turn_us_max"));
  add_counters(view, families);
  return families.text();
}

void answer_prometheus(HttpDesk& desk, const HttpCallPtr& call) {
  call->reply(http::make_response(200, prometheus_text(desk.view(), desk.glance()),
                                  "text/plain; version=0.0.4; charset=utf-8"));
}

void answer_metrics(HttpDesk& desk, const HttpCallPtr& call) {
  const NodeView view = desk.view();
  const Glance seen = desk.glance();
  Json json = begin_document("metrics", view);
  json["is_leader"] = seen.leader == seen.node;
  json["alive_peers"] = seen.alive;
  json["known_peers"] = seen.known;
  json["jobs_running"] = seen.jobs_running;
  json["disk_percent"] = seen.disk_percent;
  json["uptime_seconds"] = exact_seconds(view.now.at - view.started);
  json["health_score"] = view.membership->health();
  json["counters"] = view.counters;
  reply_json(call, 200, json);
}

}  // namespace riftbus::node
