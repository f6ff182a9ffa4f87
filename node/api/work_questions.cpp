#include "node/api/work_questions.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "bus/wire/reader.h"
#include "node/api/api_json.h"
#include "node/jobs/kinds.h"
#include "node/work/query.h"

namespace riftbus::node {

namespace {

using work::State;
using work::WorkId;

constexpr std::uint16_t kBadArgument = 1503;
constexpr std::uint16_t kNoQueue = 1723;
constexpr std::uint16_t kNoSuchWork = 1728;
constexpr std::size_t kListDefault = 200;
constexpr std::size_t kBadShownMax = 100;
constexpr std::size_t kPayloadShownMax = 16 * 1024;

constexpr auto kNames = std::to_array<std::string_view>(
    {"work.list", "work.history", "work.show", "work.stats", "work.tally", "why.work"});

Error bad_argument(const std::string& what) {
  return {kBadArgument, what, "", "see node/api/README.md"};
}

std::string argument(const wire::Query& query, const std::string& name) {
  const auto found = query.arguments.find(name);
  return found == query.arguments.end() ? "" : found->second;
}

std::optional<std::uint64_t> read_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<std::uint64_t> number_argument(const wire::Query& query, const std::string& name,
                                      std::uint64_t otherwise) {
  const std::string text = argument(query, name);
  if (text.empty()) return otherwise;
  const auto number = read_number(text);
  if (!number) return bad_argument(name + " is not a number");
  return *number;
}

Result<work::WorkFilter> read_filter(const wire::Query& query) {
  work::WorkFilter filter;
  filter.kind = argument(query, "kind");
  filter.group = argument(query, "group");
  filter.node = argument(query, "node");
  const std::string wanted = argument(query, "state");
  if (wanted.empty()) return filter;
  for (unsigned i = 0; i <= static_cast<unsigned>(work::kLastState); ++i) {
    const auto state = static_cast<State>(i);
    if (wanted == work::to_string(state)) filter.state = state;
  }
  if (!filter.state) return bad_argument("no such state of work");
  return filter;
}

// History keeps little (work/history.h): the rest is null there, which is not to be read as 0.
Json work_json(const work::WorkView& one) {
  const bool is_over = one.state == State::done || one.state == State::cancelled;
  const auto unless_over = [is_over](Json value) { return is_over ? Json() : std::move(value); };
  return {{"id", one.id.value()},
          {"state", work::to_string(one.state)},
          {"kind", one.kind},
          {"group", unless_over(one.group)},
          {"node", one.node},
          {"token", one.fence.value()},
          {"priority", unless_over(one.priority)},
          {"failures", one.failures},
          {"losses", one.losses},
          {"percent", unless_over(one.percent)},
          {"cancelling", one.cancelling},
          {"cause", one.cause == work::Cause::none ? Json() : Json(work::to_string(one.cause))},
          {"preempting", one.preempting},
          {"age_ms", one.age_ms},
          {"ran_ms", one.ran_ms},
          {"payload_bytes", unless_over(one.payload_bytes)}};
}

Json works_json(const std::vector<work::WorkView>& works) {
  Json list = Json::array();
  for (const auto& one : works) list.push_back(work_json(one));
  return list;
}

Json tally_json(const work::Tally& tally) {
  return {{"added", tally.added},   {"granted", tally.granted},     {"completed", tally.completed},
          {"failed", tally.failed}, {"lost", tally.lost},           {"released", tally.released},
          {"died", tally.died},     {"cancelled", tally.cancelled}, {"waited_ms", tally.waited_ms},
          {"ran_ms", tally.ran_ms}};
}

// How many there are in all, where that is counted anyway: by kind, group and node it is not.
Json total_of(const work::WorkFilter& filter, const work::WorkQueue& queue, bool is_history) {
  const bool is_by_state = filter.kind.empty() && filter.group.empty() && filter.node.empty();
  if (!is_by_state || (is_history && filter.state)) return nullptr;
  const auto& ledger = queue.ledger();
  if (is_history) return ledger.history.size();
  if (filter.state) return ledger.count(*filter.state);
  return ledger.count(State::delayed) + ledger.count(State::ready) + ledger.count(State::leased) +
         ledger.count(State::dead);
}

Result<Json> list_document(const wire::Query& query, const work::WorkQueue& queue,
                           work::LogMs log_ms, Json document) {
  const auto filter = read_filter(query);
  if (!filter.ok()) return filter.error();
  const auto limit = number_argument(query, "limit", kListDefault);
  const auto after = number_argument(query, "after", 0);
  if (!limit.ok()) return limit.error();
  if (!after.ok()) return after.error();
  const auto most = static_cast<std::size_t>(std::clamp<std::uint64_t>(*limit, 1, kWorkListMax));
  const bool is_history = query.name == "work.history";
  // One more than is shown: so it is known whether that is all.
  auto works = is_history ? work::list_history(queue, *filter, most + 1, log_ms)
                          : work::list_work(queue, *filter, WorkId(*after), most + 1, log_ms);
  const bool is_cut = works.size() > most;
  if (is_cut) works.pop_back();
  document["works"] = works_json(works);
  document["after"] = is_cut && !is_history ? std::to_string(works.back().id.value()) : "";
  document["truncated"] = is_cut;
  document["total"] = total_of(*filter, queue, is_history);
  return document;
}

// Its beginning, as text or in hexadecimal digits.
Json payload_json(const std::string& payload) {
  std::string shown = payload.substr(0, kPayloadShownMax);
  Json json{{"bytes", payload.size()}, {"is_cut", payload.size() > kPayloadShownMax}};
  // A cut may have gone through a character.
  const std::size_t most = shown.size() < payload.size() ? 3 : 0;
  for (std::size_t less = 0; less <= most; ++less) {
    const auto text = std::string_view(shown).substr(0, shown.size() - less);
    if (!wire::is_utf8(text)) continue;
    json["text"] = text;
    return json;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char each : shown) {
    const auto byte = static_cast<unsigned char>(each);
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  json["hex"] = hex;
  return json;
}

Result<Json> show_document(WorkId id, const work::WorkQueue& queue, work::LogMs log_ms,
                           Json document) {
  const auto found = work::find_work(queue, id, log_ms);
  if (!found) {
    return Error{kNoSuchWork, "no such work", std::to_string(id.value()),
                 "it was never added, or ended longer ago than the history reaches"};
  }
  Json one = work_json(*found);
  const bool is_over = found->state == State::done || found->state == State::cancelled;
  one["payload"] = is_over ? Json() : payload_json(found->payload);
  one["checkpoint_bytes"] = found->checkpoint_bytes;
  one["result"] = found->result;
  one["attempts"] = Json::array();
  for (const auto& attempt : found->attempts) {
    one["attempts"].push_back({{"node", attempt.node},
                               {"ending", work::to_string(attempt.ending)},
                               {"ran_ms", attempt.ended_ms - attempt.begun_ms},
                               {"exit_code", attempt.exit_code},
                               {"signal", attempt.signal},
                               {"tail", attempt.tail}});
  }
  document["work"] = std::move(one);
  return document;
}

// Work stays with a node that is gone until its lease ends: that is why it does not get on.
void add_absence(const work::Why& why, const NodeView& view, Json& reasons) {
  const auto id = NodeId::parse(why.node);
  const auto* member = id ? view.membership->find(*id) : nullptr;
  if (member == nullptr || member->standing == wire::Standing::alive) return;
  reasons.push_back(why.node + " is " + wire::to_string(member->standing) + " since " +
                    format_span(view.now.at - member->since) +
                    "; once nothing was heard of this work for " +
                    format_span(Millis(why.lease_ms)) + ", its lease, it is taken away from there");
}

Json why_document(WorkId id, const work::WorkQueue& queue, const NodeView& view, work::LogMs log_ms,
                  Json document) {
  work::NodeNames drained;
  for (const auto* member : view.membership->members()) {
    if (takes_no_work(*member)) drained.insert(member->record.id.value());
  }
  const work::Why why = work::explain_work(queue, id, drained, log_ms);
  document["work"] = id.value();
  document["known"] = why.known;
  document["state"] = why.known ? Json(work::to_string(why.state)) : Json();
  document["reasons"] = work::describe(why);
  if (!why.node.empty()) add_absence(why, view, document["reasons"]);
  document["ahead"] = why.ahead;
  document["workers"] = {
      {"heard", why.workers},   {"excluded", why.excluded}, {"other_kinds", why.other_kinds},
      {"drained", why.drained}, {"busy", why.busy},         {"free", why.free}};
  document["clauses"] = Json::array();
  for (const auto& clause : why.clauses) {
    document["clauses"].push_back({{"clause", clause.text}, {"failed", clause.failed}});
  }
  document["group"] = {{"leased", why.group_leased}, {"limit", why.group_limit}};
  return document;
}

Json stats_document(const work::WorkQueue& queue, Json document) {
  const work::Ledger& ledger = queue.ledger();
  for (const State state : {State::delayed, State::ready, State::leased, State::dead}) {
    document["items"][work::to_string(state)] = ledger.count(state);
  }
  document["items"]["finished"] = ledger.history.size();
  document["payload_bytes"] = ledger.payload_bytes;
  document["soft_max"] = ledger.settings.soft_max;
  document["hard_max"] = ledger.settings.hard_max;
  document["log_ms"] = ledger.now_ms;
  document["kinds"] = Json::array();
  for (const auto& [number, tally] : ledger.kind_tally) {
    Json one = {{"kind", ledger.kinds.text(number)}};
    one.update(tally_json(tally));
    document["kinds"].push_back(std::move(one));
  }
  document["nodes"] = Json::array();
  for (const auto& [number, tally] : ledger.node_tally) {
    Json one = {{"id", ledger.nodes.text(number)}};
    one.update(tally_json(tally));
    document["nodes"].push_back(std::move(one));
  }
  document["groups"] = Json::array();
  for (const auto& [number, group] : ledger.group_of) {
    document["groups"].push_back({{"group", ledger.groups.text(number)},
                                  {"leased", group.leased},
                                  {"limit", group.limit},
                                  {"weight", group.weight}});
  }
  return document;
}

// "17-20,23": first and last of each.
Result<std::vector<std::pair<std::uint64_t, std::uint64_t>>> read_ranges(std::string_view text) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  std::uint64_t count = 0;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const auto dash = std::min(part.find('-'), part.size());
    const auto first = read_number(part.substr(0, dash));
    const auto last = dash == part.size() ? first : read_number(part.substr(dash + 1));
    if (!first || !last || *last < *first) return bad_argument("ids are not like 17-20,23");
    if (*last - *first >= kWorkTallyMax) return bad_argument("too many ids at once");
    count += *last - *first + 1;
    if (count > kWorkTallyMax) return bad_argument("too many ids at once");
    ranges.emplace_back(*first, *last);
  }
  return ranges;
}

Result<Json> tally_document(const wire::Query& query, const work::WorkQueue& queue, Json document) {
  const auto ranges = read_ranges(argument(query, "ids"));
  if (!ranges.ok()) return ranges.error();
  const work::Ledger& ledger = queue.ledger();
  std::array<std::uint64_t, static_cast<std::size_t>(work::kLastState) + 1> counts{};
  std::uint64_t unknown = 0;
  Json bad = Json::array();
  for (const auto& [first, last] : *ranges) {
    for (std::uint64_t id = first; id <= last; ++id) {
      const work::Item* item = ledger.find(WorkId(id));
      const work::Finished* ended = item ? nullptr : ledger.history.find(WorkId(id));
      if (item == nullptr && ended == nullptr) {
        ++unknown;
        continue;
      }
      const State state = item ? item->state : ended->state;
      ++counts[static_cast<std::size_t>(state)];
      const bool is_bad = state == State::dead || state == State::cancelled;
      if (is_bad && bad.size() < kBadShownMax) bad.push_back(id);
    }
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    document["states"][work::to_string(static_cast<State>(i))] = counts[i];
  }
  document["states"]["unknown"] = unknown;
  document["bad"] = std::move(bad);
  return document;
}

Json kinds_document(const std::map<std::string, JobKind>& jobs, Json document) {
  document["kinds"] = Json::array();
  for (const auto& [name, job] : jobs) {
    const work::Spec spec = jobs::spec_of(job, "");
    Json reserve = Json::array();
    for (const auto& amount : spec.terms.reserve) {
      reserve.push_back({{"name", amount.name}, {"milli", amount.milli}});
    }
    document["kinds"].push_back(
        {{"kind", name},
         {"priority", spec.priority},
         {"needs", spec.terms.needs},
         {"reserve", std::move(reserve)},
         {"lease_ms", spec.terms.lease_ms},
         {"timeout_ms", spec.terms.timeout_ms},
         {"backoff_base_ms", spec.terms.backoff_base_ms},
         {"backoff_cap_ms", spec.terms.backoff_cap_ms},
         {"attempts_max", spec.terms.attempts_max},
         {"losses_max", spec.terms.losses_max},
         {"finish_on_disconnect", spec.terms.on_disconnect == work::OnDisconnect::finish},
         {"overlap_ok", spec.terms.overlap_ok}});
  }
  return document;
}

}  // namespace

Answers who_answers_work(std::string_view name) {
  if (name == "work.kinds") return Answers::here;
  const bool is_ours = std::find(kNames.begin(), kNames.end(), name) != kNames.end();
  return is_ours ? Answers::leader : Answers::nobody;
}

Result<std::string> answer_work(const wire::Query& query, const work::WorkQueue* queue,
                                const std::map<std::string, JobKind>& jobs, const NodeView& view,
                                bool stale, work::LogMs log_ms) {
  Json document = begin_document(query.name, view);
  if (query.name == "work.kinds") return dump(kinds_document(jobs, std::move(document)));
  if (queue == nullptr) {
    return Error{kNoQueue, "no leader was reached, and this node keeps no copy of the queue", "",
                 "ask again; see riftbus why leader"};
  }
  document["stale"] = stale;
  if (query.name == "work.stats") return dump(stats_document(*queue, std::move(document)));
  Result<Json> written = Json();
  if (query.name == "work.tally") {
    written = tally_document(query, *queue, std::move(document));
  } else if (query.name == "work.list" || query.name == "work.history") {
    written = list_document(query, *queue, log_ms, std::move(document));
  } else {
    const auto id = read_number(argument(query, "id"));
    if (!id) return bad_argument("id is not a number");
    written =
        query.name == "why.work"
            ? Result<Json>(why_document(WorkId(*id), *queue, view, log_ms, std::move(document)))
            : show_document(WorkId(*id), *queue, log_ms, std::move(document));
  }
  if (!written.ok()) return written.error();
  return dump(*written);
}

}  // namespace riftbus::node
