#include "test/sim/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "test/sim/scenario.h"

namespace riftbus::sim {

namespace {

struct Line {
  std::string name;
  double ours = 0;
  std::optional<double> peer;  // memberlist's LAN profile, from its own formulas
  std::string unit;
  std::optional<double> goal;  // at most this
};

struct Deaths {
  std::vector<double> seconds;  // one per victim and observer
  [[nodiscard]] double percentile(double part) {
    if (seconds.empty()) return std::nan("");
    std::sort(seconds.begin(), seconds.end());
    const auto last = static_cast<double>(seconds.size() - 1);
    return seconds[static_cast<std::size_t>(std::ceil(part * last))];
  }
};

class Measurement {
 public:
  Measurement(std::size_t nodes, std::vector<Line>& lines)
      : nodes_(nodes), lines_(lines), cluster_(world(nodes)) {
    cluster_.set_listener([this](const MemberHost& host, const membership::Announce& said) {
      if (said.happening != membership::Happening::died || said.subject != victim_) return;
      if (told_[host.index()]) return;
      told_[host.index()] = true;
      deaths_.seconds.push_back(static_cast<double>(to_ms(cluster_.now() - died_at_)) / 1000);
    });
  }

  // False: the cluster did not come together, or a checker complained.
  bool run() {
    cluster_.start_all(Millis(20) * nodes_);
    cluster_.run(Millis(20) * nodes_ + Seconds(1));
    const auto joined = cluster_.run_until_agreement(Seconds(180));
    add("all joined after the last start", joined ? seconds(*joined) : std::nan(""), {}, "s", 60);
    cluster_.run(Seconds(40));
    measure_traffic();
    measure_deaths("kill -9", true, 3.3, {});
    const bool large = nodes_ > 100;
    measure_deaths("silent death", false, large ? 30 : 15, large ? 18.0 : 12.4);
    measure_flood();
    for (const std::string& violation : cluster_.violations()) {
      std::fprintf(stderr, "FAILED at %zu nodes: %s\n", nodes_, violation.c_str());
    }
    return cluster_.violations().empty();
  }

 private:
  static ClusterOptions world(std::size_t nodes) {
    ClusterOptions options;
    options.nodes = nodes;
    options.link.delay_min = Millis(5);
    options.link.delay_max = Millis(60);
    options.link.loss = 0.001;
    options.jobs_max = 4'000'000'000;
    return options;
  }

  static double seconds(Nanos span) { return static_cast<double>(to_ms(span)) / 1000; }

  void add(const std::string& name, double ours, std::optional<double> peer,
           const std::string& unit, std::optional<double> goal) {
    lines_.push_back({"N=" + std::to_string(nodes_) + " " + name, ours, peer, unit, goal});
  }

  void measure_traffic() {
    // Long enough for every lease to be renewed.
    constexpr Nanos span = Seconds(600);
    cluster_.fabric().reset_traffic();
    cluster_.run(span);
    double out = 0, in = 0, most = 0, beats = 0;
    for (HostIndex i = 0; i < nodes_; ++i) {
      const Traffic& traffic = cluster_.fabric().traffic(i);
      out += static_cast<double>(traffic.bytes_out);
      in += static_cast<double>(traffic.bytes_in);
      beats += static_cast<double>(traffic.pub_bytes_out);
      most = std::max(most, static_cast<double>(std::max(traffic.bytes_out, traffic.bytes_in)));
    }
    const double per_node = static_cast<double>(nodes_) * seconds(span);
    add("bytes/s out per node", out / per_node, {}, "B/s", 1000);
    add("bytes/s in per node", in / per_node, {}, "B/s", 1000);
    add("bytes/s out on subscriptions, without their acks", beats / per_node, {}, "B/s", {});
    add("bytes/s of the busiest node", most / seconds(span), {}, "B/s", {});
  }

  void measure_flood() {
    cluster_.network().set_equal(Millis(20));
    cluster_.network().set_loss(0);
    cluster_.run(Seconds(5));
    const HostIndex origin = cluster_.running()[nodes_ / 2];
    const NodeId id = cluster_.host(origin).id();
    const Incarnation before = cluster_.host(origin).core().incarnation();
    cluster_.trace_flood(id, wire::Standing::alive);
    cluster_.change_record(origin, "flood");
    const auto live = cluster_.running();
    const auto took = cluster_.run_until(
        [&] {
          return std::all_of(live.begin(), live.end(), [&](HostIndex index) {
            const auto* member = cluster_.host(index).core().find(id);
            return member != nullptr && member->incarnation > before;
          });
        },
        Seconds(30), Millis(10));
    int most = 0;
    for (const int hop : cluster_.hops()) most = std::max(most, hop);
    add("hops until one event is everywhere (equal links)", most, {}, "hops", 7);
    add("time until one event is everywhere (20 ms a hop)", took ? seconds(*took) : std::nan(""),
        {}, "s", 5);
    cluster_.trace_flood(NodeId{}, wire::Standing::alive);
  }

  void measure_deaths(const std::string& name, bool says_fin, double goal,
                      std::optional<double> peer) {
    deaths_.seconds.clear();
    const std::size_t victims = nodes_ > 500 ? 5 : nodes_ > 100 ? 8 : 12;
    std::size_t missed = 0;
    for (std::size_t i = 0; i < victims; ++i) {
      const auto live = cluster_.running();
      const HostIndex victim = live[cluster_.random().below(live.size())];
      victim_ = cluster_.host(victim).id();
      died_at_ = cluster_.now();
      told_.assign(nodes_, false);
      if (says_fin) {
        cluster_.crash(victim);
      } else {
        cluster_.vanish(victim);
      }
      cluster_.run(Seconds(15));
      missed +=
          live.size() - 1 - static_cast<std::size_t>(std::count(told_.begin(), told_.end(), true));
    }
    add(name + " known, p50", deaths_.percentile(0.50), {}, "s", {});
    add(name + " known, p99", deaths_.percentile(0.99), peer, "s", goal);
    add(name + ", observers never told", static_cast<double>(missed), {}, "", 0);
  }

  std::size_t nodes_;
  std::vector<Line>& lines_;
  Cluster cluster_;
  NodeId victim_;
  TimePoint died_at_;
  std::vector<bool> told_;
  Deaths deaths_;
};

bool is_met(const Line& line) { return !line.goal || line.ours <= *line.goal; }

void print(const std::vector<Line>& lines) {
  std::printf("%-54s %10s %10s %10s\n", "figure (wan profile, simulated)", "ours", "memberlist",
              "goal");
  for (const Line& line : lines) {
    std::printf("%-54s %10.2f", line.name.c_str(), line.ours);
    line.peer ? std::printf(" %10.2f", *line.peer) : std::printf(" %10s", "");
    line.goal ? std::printf(" %10.2f", *line.goal) : std::printf(" %10s", "");
    std::printf(" %-5s%s\n", line.unit.c_str(), is_met(line) ? "" : " NOT MET");
  }
}

void write(const std::vector<Line>& lines, const std::string& file) {
  nlohmann::json list = nlohmann::json::array();
  for (const Line& line : lines) {
    nlohmann::json one = {{"name", line.name}, {"ours", line.ours}, {"unit", line.unit}};
    one["peer"] = line.peer ? nlohmann::json(*line.peer) : nlohmann::json();
    one["ratio"] = line.peer ? nlohmann::json(line.ours / *line.peer) : nlohmann::json();
    one["goal"] = line.goal ? nlohmann::json(*line.goal) : nlohmann::json();
    one["met"] = is_met(line);
    list.push_back(one);
  }
  std::ofstream(file) << list.dump(1) << "\n";
}

// The cost per node must not grow with the number of nodes.
void add_flatness(std::vector<Line>& lines) {
  std::vector<double> costs;
  for (const Line& line : lines) {
    if (line.name.ends_with("bytes/s out per node")) costs.push_back(line.ours);
  }
  if (costs.size() < 2) return;
  const auto [least, most] = std::minmax_element(costs.begin(), costs.end());
  lines.push_back({"bytes/s, the largest N against the smallest", *most / *least, {}, "x", 1.5});
}

}  // namespace

int run_report(const std::vector<std::size_t>& sizes, const std::string& json) {
  std::vector<Line> lines;
  bool good = true;
  for (const std::size_t nodes : sizes) {
    std::fprintf(stderr, "measuring %zu nodes\n", nodes);
    good = Measurement(nodes, lines).run() && good;
  }
  add_flatness(lines);
  print(lines);
  if (!json.empty()) write(lines, json);
  for (const Line& line : lines) good = is_met(line) && good;
  return good ? 0 : 1;
}

}  // namespace riftbus::sim
