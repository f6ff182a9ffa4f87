#include "node/work/batch.h"

#include <algorithm>
#include <utility>

#include "node/work/fields.h"

namespace riftbus::work {

namespace {

LogMs point_of(const Ledger& ledger, std::uint64_t span_ms) {
  return span_ms == 0 ? 0 : ledger.now_ms + static_cast<LogMs>(span_ms);
}

std::string key_of(const Terms& terms) {
  std::string key;
  Writer(key).write(terms);
  return key;
}

}  // namespace

bool Batch::refuse(Outcome outcome, std::size_t item, std::string why) {
  added_.outcome = outcome;
  added_.bad_item = static_cast<std::uint32_t>(item);
  added_.why = std::move(why);
  return false;
}

bool Batch::judge_room() {
  const Settings& limits = ledger_.settings;
  const std::size_t total = ledger_.items.size() + add_.items.size();
  std::uint64_t bytes = ledger_.payload_bytes;
  std::size_t keys = ledger_.dedupe.size();
  for (const auto& spec : add_.items) {
    bytes += spec.payload.size();
    if (!spec.dedupe.empty()) ++keys;
  }
  added_.slow_down = total > limits.soft_max;
  if (total > limits.hard_max) {
    return refuse(Outcome::again, 0, std::to_string(ledger_.items.size()) + " items wait");
  }
  if (bytes > limits.payload_bytes_max) return refuse(Outcome::again, 0, "payloads fill the queue");
  if (keys > limits.dedupe_max) return refuse(Outcome::again, 0, "dedupe keys fill the queue");
  return true;
}

bool Batch::judge_values(std::size_t item) {
  const Spec& spec = add_.items[item];
  if (spec.payload.size() > kPayloadBytesMax) {
    return refuse(Outcome::oversize, item, "payload above 64 KiB: pass it by name");
  }
  if (spec.kind.empty() || spec.kind.size() > kNameBytesMax) {
    return refuse(Outcome::bad_value, item, "kind is empty or too long");
  }
  if (spec.group.size() > kNameBytesMax || spec.dedupe.size() > kKeyBytesMax) {
    return refuse(Outcome::bad_value, item, "group or dedupe key is too long");
  }
  if (spec.data.size() > kDataMax || spec.after.size() > kAfterMax ||
      spec.after_here.size() > kAfterMax) {
    return refuse(Outcome::bad_value, item, "too many names of data or dependencies");
  }
  const Terms& terms = spec.terms;
  if (terms.attempts_max == 0 || terms.attempts_max > kAttemptsMax || terms.losses_max == 0) {
    return refuse(Outcome::bad_value, item, "attempts_max is 1 to 100, losses_max at least 1");
  }
  if (terms.lease_ms < 1000 || terms.backoff_base_ms > terms.backoff_cap_ms) {
    return refuse(Outcome::bad_value, item, "lease below 1 s, or backoff base above its cap");
  }
  for (const auto& amount : terms.reserve) {
    if (amount.milli >= 0 && amount.milli <= kAmountMax) continue;
    return refuse(Outcome::bad_needs, item, "a reservation is negative or too large");
  }
  return judge_spans(item);
}

bool Batch::judge_spans(std::size_t item) {
  const Spec& spec = add_.items[item];
  for (const std::uint64_t span :
       {spec.delay_ms, spec.expires_ms, spec.deadline_ms, spec.dedupe_window_ms}) {
    if (span > kSpanMsMax) return refuse(Outcome::bad_value, item, "a time is above one year");
  }
  if (spec.gang == 0) return true;
  if (!spec.dedupe.empty()) {
    return refuse(Outcome::bad_value, item, "a gang's item cannot have a dedupe key");
  }
  if (spec.gang_timeout_ms == 0) return refuse(Outcome::bad_value, item, "gang timeout is 0");
  gangs_[spec.gang].push_back(item);
  return true;
}

void Batch::number_items() {
  std::map<std::string_view, WorkId> here;
  WorkId next = ledger_.next_id;
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const std::string& key = add_.items[i].dedupe;
    if (!key.empty()) {
      const auto earlier = here.find(key);
      const auto known = ledger_.dedupe.find(key);
      if (earlier != here.end() || known != ledger_.dedupe.end()) {
        plans_[i].known = true;
        plans_[i].id = earlier != here.end() ? earlier->second : known->second.id;
        continue;
      }
      here[key] = next;
    }
    plans_[i].id = next;
    next = next.next();
  }
  end_ = next;
}

bool Batch::judge_gangs() {
  for (const auto& [number, members] : gangs_) {
    if (members.size() < 2) return refuse(Outcome::bad_value, members[0], "a gang of one");
  }
  return true;
}

bool Batch::judge_dependencies(std::size_t item) {
  const Spec& spec = add_.items[item];
  Plan& plan = plans_[item];
  if (plan.known) return true;
  std::vector<WorkId> wanted = spec.after;
  for (const std::uint16_t position : spec.after_here) {
    if (position >= plans_.size()) {
      return refuse(Outcome::bad_dependency, item, "no such position in the batch");
    }
    wanted.push_back(plans_[position].id);
  }
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  for (const WorkId id : wanted) {
    const bool from_here = id >= ledger_.next_id;
    if (from_here && id >= end_) {
      return refuse(Outcome::bad_dependency, item, "#" + std::to_string(id.value()) + " unknown");
    }
    if (from_here || std::as_const(ledger_).find(id) != nullptr) {
      plan.after.push_back(id);
      continue;
    }
    const Finished* record = ledger_.history.find(id);
    if (record == nullptr || record->state != State::done) {
      return refuse(Outcome::bad_dependency, item,
                    "#" + std::to_string(id.value()) + " can never be done");
    }
  }
  return true;
}

std::size_t Batch::node_of(std::size_t item) const {
  const std::uint16_t gang = add_.items[item].gang;
  return gang == 0 ? item : gangs_.at(gang)[0];
}

// Only items of one batch can wait for each other: older ones cannot know of them. Kahn's
// algorithm; what it cannot reach waits for itself.
bool Batch::judge_order() {
  const bool is_free = std::all_of(plans_.begin(), plans_.end(), [&](const Plan& plan) {
    return plan.after.empty() || plan.after.back() < ledger_.next_id;
  });
  if (is_free) return true;  // nobody waits for anybody here
  std::map<WorkId, std::size_t> item_of;
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    if (!plans_[i].known) item_of[plans_[i].id] = i;
  }
  std::vector<std::set<std::size_t>> next(plans_.size());
  std::vector<std::size_t> waits(plans_.size(), 0);
  for (const auto& [id, item] : item_of) {
    for (const WorkId other : plans_[item].after) {
      const auto before = item_of.find(other);
      if (before == item_of.end()) continue;
      if (next[node_of(before->second)].insert(node_of(item)).second) ++waits[node_of(item)];
    }
  }
  std::vector<std::size_t> free;
  std::size_t nodes = 0;
  for (const auto& [id, item] : item_of) {
    if (node_of(item) != item) continue;
    ++nodes;
    if (waits[item] == 0) free.push_back(item);
  }
  std::size_t reached = 0;
  for (; !free.empty(); ++reached) {
    const std::size_t node = free.back();
    free.pop_back();
    for (const std::size_t other : next[node]) {
      if (--waits[other] == 0) free.push_back(other);
    }
  }
  if (reached == nodes) return true;
  const auto stuck = std::find_if(waits.begin(), waits.end(), [](auto n) { return n > 0; });
  return refuse(Outcome::cycle, static_cast<std::size_t>(stuck - waits.begin()),
                "items of the batch wait for each other");
}

bool Batch::intern(std::size_t item) {
  const Spec& spec = add_.items[item];
  Plan& plan = plans_[item];
  if (plan.known) return true;
  plan.kind = static_cast<std::uint16_t>(ledger_.kinds.intern(spec.kind));
  if (plan.kind == 0) return refuse(Outcome::too_many, item, "too many kinds");
  plan.group = static_cast<std::uint16_t>(ledger_.groups.intern(spec.group));
  if (plan.group == 0) return refuse(Outcome::too_many, item, "too many groups");
  const auto last = ledger_.terms_of.find(ledger_.last_terms);
  if (last != ledger_.terms_of.end() && last->second.terms == spec.terms) {
    plan.terms = last->first;
    return true;
  }
  const std::string key = key_of(spec.terms);
  plan.terms = static_cast<std::uint16_t>(ledger_.terms_names.intern(key));
  if (plan.terms == 0) return refuse(Outcome::too_many, item, "too many different terms");
  if (ledger_.terms_of.count(plan.terms) > 0 || new_terms_.count(plan.terms) > 0) return true;
  auto needs = Needs::parse(spec.terms.needs);
  if (!needs.ok()) {
    return refuse(Outcome::bad_needs, item, needs.error().what + ", " + needs.error().where);
  }
  new_terms_.emplace(plan.terms, std::move(needs).value());
  return true;
}

void Batch::forget_names() {
  for (const auto& plan : plans_) {
    ledger_.kinds.forget_unused(plan.kind);
    ledger_.groups.forget_unused(plan.group);
    ledger_.terms_names.forget_unused(plan.terms);
  }
}

Item Batch::make_item(std::size_t index) {
  Spec& spec = add_.items[index];
  const Plan& plan = plans_[index];
  Item item;
  item.id = plan.id;
  item.priority = spec.priority;
  item.kind = plan.kind;
  item.group = plan.group;
  item.terms = plan.terms;
  item.added_ms = ledger_.now_ms;
  item.since_ms = ledger_.now_ms + static_cast<LogMs>(spec.delay_ms);
  item.due_ms = point_of(ledger_, spec.delay_ms);
  item.expires_ms = point_of(ledger_, spec.expires_ms);
  item.deadline_ms = point_of(ledger_, spec.deadline_ms);
  item.payload = std::move(spec.payload);
  if (!plan.after.empty()) item.grow().after = plan.after;
  if (!spec.data.empty()) item.grow().data = spec.data;
  if (!spec.dedupe.empty()) {
    item.grow().dedupe = spec.dedupe;
    item.grow().dedupe_window_ms = spec.dedupe_window_ms;
  }
  if (spec.gang != 0) item.grow().gang = plans_[gangs_.at(spec.gang)[0]].id;
  return item;
}

void Batch::enter_gangs() {
  for (const auto& [number, members] : gangs_) {
    Gang& gang = ledger_.gangs[plans_[members[0]].id];
    gang.size = static_cast<std::uint16_t>(members.size());
    gang.timeout_ms = add_.items[members[0]].gang_timeout_ms;
    for (const std::size_t member : members) gang.members.insert(plans_[member].id);
  }
}

void Batch::enter_items() {
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const Plan& plan = plans_[i];
    added_.ids.push_back(plan.id);
    added_.known.push_back(plan.known ? 1 : 0);
    if (plan.known) continue;
    ledger_.next_id = plan.id.next();
    if (ledger_.kinds.references(plan.kind) == 0) ledger_.kinds.refer(plan.kind);
    ledger_.group_of[plan.group];
    if (const auto at = new_terms_.find(plan.terms); at != new_terms_.end()) {
      ledger_.adopt_terms(plan.terms, add_.items[i].terms, std::move(at->second));
      new_terms_.erase(at);
    }
    const std::string& key = add_.items[i].dedupe;
    if (!key.empty()) ledger_.set_dedupe(key, {plan.id, 0});
    ledger_.last_terms = plan.terms;
    ledger_.enter(make_item(i));
  }
}

Added Batch::run() {
  bool good = judge_room();
  for (std::size_t i = 0; good && i < plans_.size(); ++i) good = judge_values(i);
  if (good) number_items();
  good = good && judge_gangs();
  for (std::size_t i = 0; good && i < plans_.size(); ++i) good = judge_dependencies(i);
  good = good && judge_order();
  if (!good) return std::move(added_);
  for (std::size_t i = 0; good && i < plans_.size(); ++i) good = intern(i);
  if (!good) {
    forget_names();
    return std::move(added_);
  }
  enter_gangs();
  enter_items();
  return std::move(added_);
}

}  // namespace riftbus::work
