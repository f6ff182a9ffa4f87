// roster show|verify|push.
#include <ostream>

#include "bus/durable_file.h"
#include "node/ctl/commands.h"
#include "node/ctl/output.h"
#include "node/ctl/roster_change.h"

namespace riftbus::ctl {

namespace {

Result<std::string> read_roster_file(const std::string& path) {
  return read_small_file(path, kRosterBytesMax, FilePrivacy::shared);
}

// The file named on the line, or the operator's own.
std::string chosen_path(const Context& context, const bus::OperatorHome& home) {
  const auto& arguments = context.invocation.arguments;
  return arguments.empty() ? home.roster_path() : arguments.front();
}

Result<SignedRoster> verify_file(const std::string& path, const bus::OperatorHome& home) {
  if (!home.authority) {
    return Error{1510, "there is no authority.pub to verify against", home.directory,
                 "copy it from whoever signs the roster"};
  }
  auto bytes = read_roster_file(path);
  if (!bytes.ok()) return bytes.error();
  auto roster = verify_roster(*bytes, home.authority->key, home.authority->cluster);
  if (roster.ok()) return roster;
  Error error = roster.error();
  error.where = path + (error.where.empty() ? "" : ", " + error.where);
  return error;
}

}  // namespace

int run_roster_show(Context& context) {
  if (!context.invocation.arguments.empty()) {
    const std::string& path = context.invocation.arguments.front();
    auto bytes = read_roster_file(path);
    if (!bytes.ok()) return report(context, bytes.error());
    auto roster = parse_roster_unverified(*bytes);
    if (!roster.ok()) return report(context, roster.error());
    say(context, "the signature was not checked: riftbus roster verify " + path);
    return print_roster(context, *roster);
  }
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  auto body = (*session)->call(wire::RosterGet{});
  if (!body.ok()) return report(context, body.error());
  const auto* document = std::get_if<wire::RosterDocument>(&*body);
  const auto& authority = (*session)->home().authority;
  if (document == nullptr || document->bytes.empty() || !authority) {
    return report(context, Error{1517, "this node gave no roster", (*session)->entry().value(),
                                 "a node started with --insecure has none"});
  }
  auto roster = verify_roster(document->bytes, authority->key, authority->cluster);
  if (!roster.ok()) return report(context, roster.error());
  return print_roster(context, roster->roster);
}

int run_roster_verify(Context& context) {
  auto home = bus::load_home(home_options(context.globals()), context.environment, false);
  if (!home.ok()) return report(context, home.error());
  const std::string path = chosen_path(context, *home);
  auto roster = verify_file(path, *home);
  if (!roster.ok()) return report(context, roster.error());
  context.out << path << ": version " << roster->roster.version.value() << " of cluster "
              << roster->roster.cluster << ", " << roster->roster.entries.size()
              << " keys, signed by " << home->authority->key.hex() << "\n";
  return kExitOk;
}

int run_roster_push(Context& context) {
  auto home = bus::load_home(home_options(context.globals()), context.environment, false);
  if (!home.ok()) return report(context, home.error());
  auto roster = verify_file(chosen_path(context, *home), *home);
  if (!roster.ok()) return report(context, roster.error());
  if (context.globals().dry_run) {
    context.out << "would push version " << roster->roster.version.value() << "\n";
    return kExitOk;
  }
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  if (auto pushed = push_roster(context, **session, *roster); !pushed.ok()) {
    return report(context, pushed.error());
  }
  auto adopted = await_adoption(context, **session, roster->roster.version);
  return adopted.ok() ? kExitOk : report(context, adopted.error());
}

}  // namespace riftbus::ctl
