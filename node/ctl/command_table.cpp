#include <algorithm>
#include <array>

#include "node/ctl/command.h"
#include "node/ctl/command_parts.h"
#include "node/ctl/commands.h"

namespace riftbus::ctl {

namespace {

using Text = std::string_view;

// ---- arguments ---------------------------------------------------------------------------------

constexpr auto kNewId = std::to_array<Argument>({{"ID", true, false, kNothing}});
constexpr auto kFiles = std::to_array<Argument>({{"FILE", true, true, Completes::file}});
constexpr auto kMaybeFile = std::to_array<Argument>({{"FILE", false, false, Completes::file}});
constexpr auto kMaybeCode =
    std::to_array<Argument>({{"CODE", false, false, Completes::error_code}});
constexpr auto kShell = std::to_array<Argument>({{"SHELL", true, false, Completes::shell}});
constexpr auto kName = std::to_array<Argument>({{"NAME", true, false, kNothing}});
constexpr auto kTopic = std::to_array<Argument>({{"COMMAND", false, true, kNothing}});
constexpr auto kRest = std::to_array<Argument>({{"ARGUMENT", false, true, kNothing}});

// ---- options -----------------------------------------------------------------------------------

constexpr auto kNodeListOptions = std::to_array<Option>({
    {"status", 0, "LIST", false, "", kNothing,
     "only these standings, parted by commas: alive,suspect,dead,left,unreachable"},
});
constexpr auto kEventOptions = std::to_array<Option>({
    {"lines", 'n', "N", false, "", kNothing, "how many past events to show (20)"},
});
constexpr auto kPingOptions = std::to_array<Option>({
    {"count", 'c', "N", false, "", kNothing, "how often to ping (3)"},
});
constexpr auto kWaitOptions = std::to_array<Option>({
    {"nodes-min", 0, "N", false, "", kNothing, "until at least N members are alive"},
    {"standing", 0, "WORD", false, "alive|suspect|dead|left|unreachable", kNothing,
     "until the member ID has this standing (alive)"},
});
constexpr auto kConfigShowOptions = std::to_array<Option>({
    {"effective", 0, "", false, "", kNothing,
     "every value a daemon here would run with, and its source"},
    {"node-conf", 0, "FILE", false, "", Completes::file,
     "node file instead of /etc/riftbus/node.conf"},
    {"node-id", 0, "ID", false, "", Completes::node_id, "as this node of the cluster file"},
});
constexpr auto kKeyNewOptions = std::to_array<Option>({
    {"authority", 0, "", false, "", kNothing,
     "the cluster's signing key instead; ID is then the cluster's name"},
    {"dir", 'd', "DIR", false, "", Completes::directory,
     "where to put it; without it the cluster's directory in ~/.config/riftbus"},
});
constexpr auto kApproveOptions = std::to_array<Option>({
    {"public-key", 'k', "KEY|FILE", false, "", Completes::file,
     "its public key (Z85), or the node.pub file"},
    {"roles", 0, "LIST", false, "", kNothing,
     "parted by commas: node,voter,relay,tap,admin (node)"},
    {"expires", 0, "SPAN", false, "", kNothing, "refuse the key after this time: 24h, 7d"},
    {"note", 0, "TEXT", false, "", kNothing, "for people"},
    {"force", 0, "", false, "", kNothing, "even if no admin is left"},
    {"no-push", 0, "", false, "", kNothing, "change the file only, tell no node"},
});
constexpr auto kRevokeOptions = std::to_array<Option>({
    {"force", 0, "", false, "", kNothing, "even if no admin is left"},
    {"no-push", 0, "", false, "", kNothing, "change the file only, tell no node"},
});
constexpr auto kRotateOptions = std::to_array<Option>({
    {"public-key", 'k', "KEY|FILE", false, "", Completes::file,
     "the new public key (Z85), or the node.pub file"},
    {"finish", 0, "", false, "", kNothing, "end the rotation: the old key is refused from now on"},
    {"no-push", 0, "", false, "", kNothing, "change the file only, tell no node"},
});
constexpr auto kInitOptions = std::to_array<Option>({
    {"nodes", 0, "LIST", false, "", kNothing, "names of the nodes (n1,n2,n3)"},
    {"voters", 0, "N", false, "", kNothing, "how many of them keep the log, first ones first (5)"},
    {"dir", 'd', "DIR", false, "", Completes::directory, "where everything goes (./NAME)"},
    {"port", 0, "PORT", false, "", kNothing, "first port; each node takes ten (7770)"},
});

// ---- examples ----------------------------------------------------------------------------------

constexpr auto kStatusExamples = std::to_array<Text>(
    {"riftbus status", "riftbus status -o json --node n2", "riftbus status --watch"});
constexpr auto kNodeListExamples =
    std::to_array<Text>({"riftbus node list --status suspect,dead", "riftbus node list -o name"});
constexpr auto kWhyExamples = std::to_array<Text>({"riftbus why node n3"});
constexpr auto kTailExamples = std::to_array<Text>({"riftbus event tail -n 50"});
constexpr auto kPingExamples = std::to_array<Text>({"riftbus link ping n3 --node n1 -c 10"});
constexpr auto kWaitExamples = std::to_array<Text>(
    {"riftbus wait --nodes-min 40 --timeout 60", "riftbus wait n3 --standing dead --timeout 10"});
constexpr auto kExplainExamples = std::to_array<Text>({"riftbus explain F-1521"});
constexpr auto kKeyNewExamples = std::to_array<Text>(
    {"riftbus key new --authority prod-a", "riftbus key new gpu-1 --dir /var/lib/riftbus/keys"});
constexpr auto kApproveExamples = std::to_array<Text>(
    {"riftbus key approve gpu-1 -k ./node.pub --expires 24h",
     "riftbus key approve lena -k 'rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7' --roles admin,tap"});
constexpr auto kInitExamples = std::to_array<Text>({"riftbus init demo --dir /tmp/demo"});
constexpr auto kTapExamples = std::to_array<Text>({"riftbus tap -c 20"});
constexpr auto kCompletionExamples =
    std::to_array<Text>({"riftbus completion bash > /etc/bash_completion.d/riftbus"});

// ---- the table ---------------------------------------------------------------------------------

constexpr auto kGeneralCommands = std::to_array<Command>({
    {"status",
     "Show the cluster in one glance, and what is wrong with it",
     "Exits with 1 if anything is wrong, so that a script can ask. A node answers from its own "
     "view; ask another one with --node to compare.",
     {},
     {},
     kStatusExamples,
     run_status,
     kAsks,
     false,
     false},
    {"node list",
     "List the members",
     "",
     {},
     kNodeListOptions,
     kNodeListExamples,
     run_node_list,
     kAsks,
     false,
     false},
    {"node show",
     "Show one member: addresses, resources, how it is heard",
     "",
     kNodeId,
     {},
     {},
     run_node_show,
     kAsks,
     false,
     false},
    {"node run",
     "Run a node here (executes riftbus-node)",
     "Everything after the name goes to riftbus-node; see riftbus-node --help.",
     kRest,
     {},
     {},
     run_node_run,
     kLocal,
     false,
     true},
    {"why node",
     "Explain on what the opinion about a member rests",
     "Names the accusers, the evidence, the paths and their ages, and the history of verdicts. One "
     "node knows only its own view, so this asks the member itself, its watchers and its accusers, "
     "as far as they can be reached, and lays their answers side by side.",
     kNodeId,
     {},
     kWhyExamples,
     run_why_node,
     kAsks,
     false,
     false},
    {"event list",
     "List what happened lately, as one node saw it",
     "",
     {},
     kEventOptions,
     {},
     run_event_list,
     kAsks,
     false,
     false},
    {"event tail",
     "Follow events as they happen",
     "Runs until interrupted.",
     {},
     kEventOptions,
     kTailExamples,
     run_event_tail,
     kAsks,
     false,
     false},
    {"link list",
     "List a node's connections: state, round trip, last beat",
     "",
     {},
     {},
     {},
     run_link_list,
     kAsks,
     false,
     false},
    {"link ping", "Let a node measure the round trip to another one",
     "The node that is asked (--node) pings the member ID over its own connection. Exits with 1 if "
     "no ping was answered.",
     kNodeId, kPingOptions, kPingExamples, run_link_ping, kAsks, false, false},
    {"wait", "Wait until the cluster is as you need it",
     "Exits with 0 as soon as every condition holds, and with 1 when --timeout (60) has passed.",
     kMaybeNodeId, kWaitOptions, kWaitExamples, run_wait, kAsks, false, false},
    {"explain",
     "Explain an error code; without one, list them all",
     "",
     kMaybeCode,
     {},
     kExplainExamples,
     run_explain,
     kLocal,
     false,
     false},
    {"config check",
     "Check configuration files and report every mistake at once",
     "",
     kFiles,
     {},
     {},
     run_config_check,
     kLocal,
     false,
     false},
    {"config show",
     "Show the configuration that a daemon here would run with",
     "",
     {},
     kConfigShowOptions,
     {},
     run_config_show,
     kLocal,
     false,
     false},
    {"key new", "Make a key pair, or the cluster's authority",
     "A node's key is made on the node: only the public half, node.pub, ever travels, to whoever "
     "approves it. An operator's key is the same thing with the operator's name.\n\n"
     "The authority signs the roster. Make it on one machine that you trust and keep a copy "
     "offline: no node needs it.",
     kNewId, kKeyNewOptions, kKeyNewExamples, run_key_new, kLocal, false, false, Effect::rehearses},
    {"key approve", "Admit a key to the cluster, or renew it",
     "Edits the roster in your directory, signs it with the authority's key and pushes it to a "
     "node; the mesh spreads it.",
     kNewId, kApproveOptions, kApproveExamples, run_key_approve, kAsks, false, false,
     Effect::rehearses},
    {"key revoke",
     "Shut a key out, everywhere, at once",
     "Live connections are cut. Reports when every node that can be reached has the new roster.",
     kNodeId,
     kRevokeOptions,
     {},
     run_key_revoke,
     kAsks,
     false,
     false,
     Effect::rehearses},
    {"key rotate",
     "Replace a node's key by a new one",
     "Both keys are accepted until --finish, so that the node can be restarted in between.",
     kNodeId,
     kRotateOptions,
     {},
     run_key_rotate,
     kAsks,
     false,
     false,
     Effect::rehearses},
    {"key list",
     "List the keys in your roster",
     "",
     {},
     {},
     {},
     run_key_list,
     kLocal,
     false,
     false},
    {"roster show",
     "Show the roster of a node, or of a file",
     "",
     kMaybeFile,
     {},
     {},
     run_roster_show,
     kAsks,
     false,
     false},
    {"roster verify",
     "Check a roster's signature against authority.pub",
     "",
     kMaybeFile,
     {},
     {},
     run_roster_verify,
     kLocal,
     false,
     false},
    {"roster push",
     "Give your roster to a node, which spreads it",
     "",
     kMaybeFile,
     {},
     {},
     run_roster_push,
     kAsks,
     false,
     false,
     Effect::rehearses},
    {"init", "Set up a cluster on this machine, to try things out",
     "Makes one directory with a cluster file, an authority, a roster, a key for each node and one "
     "for you, all on loopback ports.\n\n"
     "For real machines make each node's key on that node with `riftbus key new ID`, and approve "
     "its node.pub here with `riftbus key approve`: secrets never travel.",
     kName, kInitOptions, kInitExamples, run_init, kLocal, false, false, Effect::rehearses},
    {"tap",
     "Watch the traffic of a node (executes riftbus-tap)",
     "Everything after the name goes to riftbus-tap; see riftbus tap --help.",
     kRest,
     {},
     kTapExamples,
     run_tap,
     kAsks,
     false,
     true},
    {"version", "Show the version", "", {}, {}, {}, run_version, kLocal, false, false},
    {"completion",
     "Print a completion script for bash, zsh or fish",
     "",
     kShell,
     {},
     kCompletionExamples,
     run_completion,
     kLocal,
     false,
     false},
    {"help", "Show help about a command", "", kTopic, {}, {}, run_help, kLocal, false, false},
    {"__complete",
     "Print what may stand at the end of a line",
     "",
     kRest,
     {},
     {},
     run_complete,
     kLocal,
     true,
     true},
    {"__man",
     "Print a man page in scdoc's format; without a name, list the pages",
     "",
     kTopic,
     {},
     {},
     run_man,
     kLocal,
     true,
     false},
});

}  // namespace

std::span<const Command> command_table() {
  static const std::vector<Command> kAll = [] {
    std::vector<Command> rows(kGeneralCommands.begin(), kGeneralCommands.end());
    const auto leader = leader_commands();
    rows.insert(rows.end(), leader.begin(), leader.end());
    const auto relay = relay_commands();
    rows.insert(rows.end(), relay.begin(), relay.end());
    const auto work = work_commands();
    rows.insert(rows.end(), work.begin(), work.end());
    return rows;
  }();
  return kAll;
}

const Command* find_command(std::string_view name) {
  const auto table = command_table();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const Command& command) { return command.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::vector<std::string_view> command_nouns() {
  std::vector<std::string_view> nouns;
  for (const auto& command : command_table()) {
    const auto blank = command.name.find(' ');
    if (blank == std::string_view::npos) continue;
    const auto noun = command.name.substr(0, blank);
    if (std::find(nouns.begin(), nouns.end(), noun) == nouns.end()) nouns.push_back(noun);
  }
  return nouns;
}

bool is_noun(std::string_view word) {
  const auto nouns = command_nouns();
  return std::find(nouns.begin(), nouns.end(), word) != nouns.end();
}

}  // namespace riftbus::ctl
