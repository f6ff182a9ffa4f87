// How a node learns whether others can dial it, and how it dials those who ask the same.
#include <algorithm>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/wire/relayed.h"
#include "node/node_state.h"

namespace riftbus::node {

namespace {

std::vector<wire::Address> own_ones(const wire::Record& record) {
  auto addresses = record.addresses;
  std::erase_if(addresses, [](const auto& one) { return one.kind == wire::AddressKind::relay; });
  return addresses;
}

// "n1: 198.51.100.7:7770 works", "n2: no answer at 198.51.100.7:7770".
std::string words(const Testimony& testimony) {
  std::string text = testimony.witness.value() + ":";
  if (testimony.tries.empty()) return text + " " + testimony.silence;
  for (const auto& one : testimony.tries) {
    const auto place = one.address.host + ":" + std::to_string(one.address.call_port);
    text += one.worked ? " " + place + " works;" : " " + place + " " + one.trouble + ";";
  }
  text.pop_back();
  return text;
}

std::string words(const Reach& reach) {
  std::string text;
  for (const auto& testimony : reach.evidence()) {
    text += (text.empty() ? " (" : "; ") + words(testimony);
  }
  return text.empty() ? text : text + ")";
}

}  // namespace

// How many relays shall lead here. One that was set up as a node that nobody can dial keeps one
// tunnel even when its mapped ports are proven: mappings end without a word, and then there is
// another way already. One that found out by itself that it needs relays keeps them until it finds
// the opposite: when others die, there may be nobody to ask, and those that are left need the way.
std::size_t Node::State::relays_wanted() const {
  const auto verdict = reach ? reach->verdict() : Reachability::unknown;
  if (prepared.settings.nat_blocked) {
    return verdict == Reachability::direct ? 1 : TunnelPlan::kWanted;
  }
  const bool was_blocked = reach && reach->last_found() == Reachability::blocked;
  return was_blocked ? TunnelPlan::kWanted : 0;
}

void Node::State::open_reach() {
  dial_backs = std::make_unique<DialBacks>(*bus);
  if (!attacher) return;
  const auto& domain = self_record.failure_domain;
  reach = std::make_unique<Reach>(domain.empty() ? self_record.id.value() : domain, chance);
}

// Once a second.
void Node::State::tend_reach() {
  if (!reach) return;
  ReachLook look;
  look.addresses = own_ones(self_record);
  for (const auto* member : members->core().members()) {
    const auto& record = member->record;
    if (record.id == self_record.id || member->standing != wire::Standing::alive) continue;
    const auto& domain = record.failure_domain;
    look.witnesses.push_back({record.id, domain.empty() ? record.id.value() : domain,
                              share_network(record.addresses, look.addresses)});
  }
  step_reach(look);
}

// A question that cannot be asked is answered at once, within this call: at most kWitnessesMax
// deep.
void Node::State::step_reach(const ReachEvent& event) {
  ReachActions out;
  reach->step(event, now, out);
  if (out.has_changed) tell_reach();
  for (const auto& witness : out.ask) {
    peers->ask(witness, {DialBacks::kQuery, {}}, now + Reach::kAnswerMax,
               [this, witness](const Result<std::string>& answer) {
                 if (!answer) return step_reach(ReachSilent{witness, answer.error().what});
                 step_reach(ReachSaid{witness, read_dial_back(*answer, own_ones(self_record))});
               });
  }
}

void Node::State::tell_reach() {
  self_check_due = now;  // the word goes to everybody with the record
  const auto verdict = reach->verdict();
  const std::string text = verdict == Reachability::direct    ? "others can dial this node"
                           : verdict == Reachability::blocked ? "nobody can dial this node"
                                                              : "not known any more whether others "
                                                                "can dial this node: " +
                                                                    reach->doubt();
  const std::string by = verdict == Reachability::unknown ? "" : words(*reach);
  journal.note("dialled", prepared.settings.node_id, text + by, {now, bus::wall_now_ms()});
  bus::log_info(text, {{"witnesses", by}});
}

// True: it was a member that wants to be dialled.
bool Node::State::on_dial_back(const bus::Received& received, const std::set<Role>& roles) {
  if (std::get<wire::Query>(received.envelope.body).name != DialBacks::kQuery) return false;
  const bool is_member =
      roles.contains(Role::node) || roles.contains(Role::voter) || roles.contains(Role::relay);
  dial_backs->on_query(received, is_member, view());
  return true;
}

}  // namespace riftbus::node
