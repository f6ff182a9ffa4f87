#include "node/ctl/roster_change.h"

#include <ostream>
#include <set>
#include <thread>

#include "bus/clock.h"
#include "config/roster_edit.h"

namespace riftbus::ctl {

namespace {

constexpr Millis kAdoptionPollEvery{200};

std::string version_text(RosterVersion version) { return std::to_string(version.value()); }

// The cluster's newest roster, or why it could not be had.
struct Reached {
  std::unique_ptr<Session> session;
  std::optional<Error> error;
};

Reached reach(Context& context, const RosterChange& change, const bus::OperatorHome& home) {
  if (!change.push || !home.roster) return {};
  auto session = Session::open(context);
  if (session.ok()) return {std::move(*session), std::nullopt};
  return {nullptr, session.error()};
}

Result<Roster> current_roster(const bus::OperatorHome& home, const std::string& cluster) {
  if (home.roster) return home.roster->roster;
  return make_empty_roster(cluster);
}

Result<Authority> load_signer(const bus::OperatorHome& home) {
  auto authority = load_authority(home.directory);
  if (authority.ok()) return authority;
  return Error{1510, "the authority's key is needed to sign: " + authority.error().what,
               authority.error().where,
               "do this on the machine with authority.key, or name its directory with --key"};
}

void print_dry_run(Context& context, const RosterChange& change, const Roster& next) {
  context.out << "would sign version " << version_text(next.version) << ": " << change.done << "\n";
}

int finish_push(Context& context, const RosterChange& change, Session& session,
                const SignedRoster& roster) {
  if (auto pushed = push_roster(context, session, roster); !pushed.ok()) {
    return report(context, pushed.error());
  }
  if (!change.await_all) return kExitOk;
  auto adopted = await_adoption(context, session, roster.roster.version);
  return adopted.ok() ? kExitOk : report(context, adopted.error());
}

// Ids of the members that are worth asking.
std::vector<NodeId> living(const Json& node_list, const NodeId& entry) {
  std::vector<NodeId> ids;
  for (const auto& node : get(node_list, {"nodes"})) {
    const std::string standing = text(node, {"standing"});
    if (standing != "alive" && standing != "suspect") continue;
    auto id = NodeId::parse(text(node, {"id"}));
    if (id.ok() && *id != entry) ids.push_back(*id);
  }
  return ids;
}

// Removes from `waiting` those that have `version`.
void strike_out(const std::vector<Said>& said, RosterVersion version, std::set<NodeId>& waiting) {
  for (const auto& each : said) {
    if (!each.answer.ok()) continue;
    const auto has = integer(*each.answer, {"roster_version"});
    if (has && *has >= static_cast<std::int64_t>(version.value())) waiting.erase(each.node);
  }
}

}  // namespace

Status push_roster(Context& context, Session& session, const SignedRoster& roster) {
  auto answer = session.call(wire::RosterPut{roster.bytes});
  if (!answer.ok()) return answer.error();
  say(context,
      "version " + version_text(roster.roster.version) + " given to " + session.entry().value());
  return Ok{};
}

Status await_adoption(Context& context, Session& session, RosterVersion version) {
  const TimePoint start = bus::boot_now();
  auto list = session.ask_list("node.list", "nodes");
  if (!list.ok()) return list.error();
  auto asked = living(*list, session.entry());
  if (asked.size() > Session::kAskedMax) asked.resize(Session::kAskedMax);
  std::set<NodeId> waiting(asked.begin(), asked.end());
  while (!waiting.empty() && bus::boot_now() - start < context.globals().timeout) {
    strike_out(session.ask_many({waiting.begin(), waiting.end()}, *list, "status", {}), version,
               waiting);
    if (!waiting.empty()) std::this_thread::sleep_for(kAdoptionPollEvery);
  }
  const std::size_t have = asked.size() - waiting.size() + 1;
  say(context, std::to_string(have) + " of " + std::to_string(asked.size() + 1) +
                   " nodes have version " + version_text(version) + " after " +
                   format_span(bus::boot_now() - start));
  if (waiting.empty()) return Ok{};
  std::string names;
  for (const auto& id : waiting) names += (names.empty() ? "" : " ") + id.value();
  return Error{1514, "not known to have it yet", names,
               "they take it when they hear of it; see riftbus status --node ID"};
}

int apply_change(Context& context, const RosterChange& change) {
  auto home = bus::load_home(home_options(context.globals()), context.environment, false);
  if (!home.ok()) return report(context, home.error());
  auto authority = load_signer(*home);
  if (!authority.ok()) return report(context, authority.error());
  Reached reached = reach(context, change, *home);
  const bus::OperatorHome& newest = reached.session ? reached.session->home() : *home;
  auto current = current_roster(newest, authority->cluster);
  if (!current.ok()) return report(context, current.error());
  auto next = change.edit(*current);
  if (!next.ok()) return report(context, next.error());
  if (context.globals().dry_run) {
    print_dry_run(context, change, *next);
    return kExitOk;
  }
  const SignedRoster roster = sign_roster(*next, authority->secret);
  if (auto saved = save_roster_file(home->roster_path(), roster); !saved.ok()) {
    return report(context, saved.error());
  }
  context.out << change.done << " (roster version " << version_text(next->version) << ")\n";
  if (reached.session) return finish_push(context, change, *reached.session, roster);
  if (!reached.error) return kExitOk;
  report(context, *reached.error);
  say(context, "signed and kept in " + home->roster_path() +
                   ", but no node has it yet: riftbus roster push");
  return kExitTemporary;
}

}  // namespace riftbus::ctl
