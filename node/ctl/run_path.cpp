// why path, link trace: how one member reaches another, asked of both.
#include <algorithm>

#include "node/ctl/commands.h"
#include "node/ctl/output.h"
#include "node/ctl/session.h"

namespace riftbus::ctl {

namespace {

constexpr Shape kPath{"views", "node", render_path};
constexpr Shape kTrace{"hops", "to", render_trace};
constexpr std::uint64_t kCountMax = 100;
constexpr Millis kPingPatience{3000};

int show_path(Context& context) {
  auto subject = NodeId::parse(context.invocation.arguments.front());
  if (!subject.ok()) return report(context, subject.error());
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  const NodeId entry = (*session)->entry();
  auto there = (*session)->ask("why.path", {{"id", subject->value()}});
  if (!there.ok()) return report(context, there.error());
  Json path{{"schema", 1},
            {"document", "path"},
            {"subject", subject->value()},
            {"asked", entry.value()},
            {"views", Json::array({*there})},
            {"silent", Json::array()}};
  if (*subject != entry) {
    auto list = (*session)->ask_list("node.list", "nodes");
    if (!list.ok()) return report(context, list.error());
    const auto said = (*session)->ask_many({*subject}, *list, "why.path", {{"id", entry.value()}});
    const auto& back = said.front().answer;
    if (back.ok()) {
      path["views"].push_back(*back);
    } else {
      path["silent"].push_back(
          {{"node", subject->value()}, {"code", back.error().code}, {"what", back.error().what}});
    }
  }
  print_document(context, path, kPath);
  return kExitOk;
}

// Several measurements of one thing.
class Samples {
 public:
  void add(const Result<Json>& answer) {
    ++asked_;
    if (!answer.ok()) {
      error_ = answer.error().what;
    } else if (const auto ms = real(*answer, {"rtt_ms"})) {
      ms_.push_back(*ms);
    } else {
      error_ = text(*answer, {"error"});
    }
  }
  [[nodiscard]] std::optional<double> median() const {
    if (ms_.empty()) return std::nullopt;
    auto sorted = ms_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
  // Adds what was found to the description of what was measured.
  [[nodiscard]] Json put_into(Json hop) const {
    hop["asked"] = asked_;
    hop["answered"] = ms_.size();
    hop["rtt_ms"] = median() ? Json(*median()) : Json();
    hop["fastest_ms"] = ms_.empty() ? Json() : Json(*std::min_element(ms_.begin(), ms_.end()));
    hop["slowest_ms"] = ms_.empty() ? Json() : Json(*std::max_element(ms_.begin(), ms_.end()));
    hop["error"] = error_;
    return hop;
  }

 private:
  std::uint64_t asked_ = 0;
  std::vector<double> ms_;
  std::string error_;
};

// From the node that the session is with to a relay.
Samples measure_hop(Session& session, const std::string& relay, std::uint64_t count) {
  Samples samples;
  for (std::uint64_t i = 0; i < count; ++i)
    samples.add(session.ask("link.hop", {{"relay", relay}}));
  return samples;
}

Json hop_json(const std::string& from, const std::string& to, const std::string& by) {
  return {{"from", from}, {"to", to}, {"measured_by", by}, {"how", "TCP handshake"}};
}

// The path in use from the node that the session is with, after it was used once.
struct Whole {
  Json address;
  std::string relay;  // empty: it is direct
  Samples samples;
};
Result<Whole> measure_whole(Session& session, const NodeId& to, std::uint64_t count) {
  Whole whole;
  for (std::uint64_t i = 0; i < count; ++i) {
    whole.samples.add(session.ask(
        "link.ping", {{"id", to.value()}, {"timeout_ms", std::to_string(kPingPatience.count())}}));
  }
  auto path = session.ask("why.path", {{"id", to.value()}});
  if (!path.ok()) return path.error();
  for (const auto& each : get(*path, {"paths"})) {
    if (!flag(each, {"in_use"}) || text(each, {"for"}) != "calls") continue;
    whole.address = each;
    whole.relay = text(each, {"relay"});
  }
  return whole;
}

void add_hops(Session& session, const NodeId& from, const NodeId& to, const std::string& relay,
              std::uint64_t count, Json& trace) {
  const std::string host = text(trace, {"path", "host"});
  const auto near = measure_hop(session, host, count);
  trace["hops"].push_back(near.put_into(hop_json(from.value(), relay, from.value())));
  Json far = hop_json(relay, to.value(), to.value());
  if (auto status = session.move_to(to); !status.ok()) {
    far["error"] = to.value() + " cannot be asked: " + status.error().what;
    trace["hops"].push_back(std::move(far));
    return;
  }
  const auto samples = measure_hop(session, host, count);
  trace["hops"].push_back(samples.put_into(std::move(far)));
  const auto whole = real(trace, {"whole", "rtt_ms"});
  if (whole && near.median() && samples.median()) {
    trace["rest_ms"] = std::max(0.0, *whole - *near.median() - *samples.median());
  }
}

int trace_link(Context& context) {
  auto count = parse_count(context.invocation.find("count").value_or("5"), "--count", 1, kCountMax);
  if (!count.ok()) return report(context, count.error());
  auto from = NodeId::parse(context.invocation.arguments[0]);
  auto to = NodeId::parse(context.invocation.arguments[1]);
  if (!from.ok()) return report(context, from.error());
  if (!to.ok()) return report(context, to.error());
  auto session = Session::open(context, context.globals().timeout + kPingPatience);
  if (!session.ok()) return report(context, session.error());
  if (auto status = (*session)->move_to(*from); !status.ok())
    return report(context, status.error());
  auto whole = measure_whole(**session, *to, *count);
  if (!whole.ok()) return report(context, whole.error());
  Json trace{{"schema", 1},
             {"document", "link.trace"},
             {"from", from->value()},
             {"to", to->value()},
             {"path", whole->address},
             {"relay", whole->relay.empty() ? Json() : Json(whole->relay)},
             {"whole", whole->samples.put_into(Json{{"how", "question and answer"}})},
             {"hops", Json::array()},
             {"rest_ms", nullptr}};
  if (!whole->relay.empty()) add_hops(**session, *from, *to, whole->relay, *count, trace);
  print_document(context, trace, kTrace);
  return whole->samples.median() ? kExitOk : kExitFalse;
}

}  // namespace

int run_why_path(Context& context) { return run_watched(context, show_path); }
int run_link_trace(Context& context) { return run_watched(context, trace_link); }

}  // namespace riftbus::ctl
