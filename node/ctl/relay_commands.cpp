// The part of the command table about relays, tunnels and the paths between members.
#include <array>

#include "node/ctl/command.h"
#include "node/ctl/command_parts.h"
#include "node/ctl/commands.h"

namespace riftbus::ctl {

namespace {

constexpr auto kMaybeNode = std::to_array<Argument>({{"NODE", false, false, Completes::node_id}});
constexpr auto kRelayId = std::to_array<Argument>({{"RELAY", true, false, Completes::node_id}});
constexpr auto kTwoNodes = std::to_array<Argument>(
    {{"A", true, false, Completes::node_id}, {"B", true, false, Completes::node_id}});

constexpr auto kRestartOptions = std::to_array<Option>({
    {"relay", 'r', "RELAY", false, "", Completes::node_id, "only the tunnel to this relay"},
});
constexpr auto kTraceOptions = std::to_array<Option>({
    {"count", 'c', "N", false, "", Completes::nothing, "how often to measure each hop (5)"},
});
constexpr auto kPathExamples = std::to_array<std::string_view>(
    {"riftbus why path vast-1", "riftbus why path vast-1 --node hetzner-1"});
constexpr auto kRelayExamples = std::to_array<std::string_view>({"riftbus relay show relay-1"});
constexpr auto kDrainExamples = std::to_array<std::string_view>({"riftbus relay drain relay-1"});
constexpr auto kTunnelExamples =
    std::to_array<std::string_view>({"riftbus tunnel list", "riftbus tunnel list vast-1"});
constexpr auto kRestartExamples =
    std::to_array<std::string_view>({"riftbus tunnel restart vast-1 --relay relay-1"});
constexpr auto kTraceExamples =
    std::to_array<std::string_view>({"riftbus link trace vast-1 nebius-1"});

constexpr auto kRelayCommands = std::to_array<Command>({
    {"why path",
     "Explain by which path a member is reached, and why by that one",
     "Every address of the member that is known, which one is in use, which were tried and why "
     "they "
     "failed, and when a failed one is tried again. The node that is asked says how it reaches the "
     "member, and the member, as far as it can be asked, how it reaches that node.",
     kNodeId,
     {},
     kPathExamples,
     run_why_path,
     kAsks,
     false,
     false},
    {"link trace", "Measure the hops of the path from one member to another",
     "A asks B and waits for the answer, which is the whole way and back. Where a relay lies "
     "between, both ends also measure the TCP handshake with it, so that each hop has a number "
     "that was measured; what is left of the whole are SSH, CURVE and the programs.",
     kTwoNodes, kTraceOptions, kTraceExamples, run_link_trace, kAsks, false, false},
    {"relay list",
     "List the relays, and which members each one leads to",
     "As the node that is asked sees it: relays of its cluster file, and those that members name. "
     "Exits with 1 if there is none.",
     {},
     {},
     {},
     run_relay_list,
     kAsks,
     false,
     false},
    {"relay show",
     "Show one relay: who is attached, and who reaches whom through it",
     "The sessions are the relay's own word, if a node runs on its host and can be asked.",
     kRelayId,
     {},
     kRelayExamples,
     run_relay_show,
     kAsks,
     false,
     false},
    {"relay drain",
     "Empty a relay, so that it can be stopped",
     "Its node tells everybody. Members that are attached to it attach to others first and leave "
     "it "
     "then; who has no other stays, and `riftbus relay show` names it. Holds over restarts, until "
     "`riftbus relay resume`. Needs a node on the relay's host.",
     kRelayId,
     {},
     kDrainExamples,
     run_relay_drain,
     kAsks,
     false,
     false,
     Effect::changes},
    {"relay resume",
     "Let a drained relay take members again",
     "",
     kRelayId,
     {},
     {},
     run_relay_resume,
     kAsks,
     false,
     false,
     Effect::changes},
    {"tunnel list",
     "List the tunnels of a node that nobody can dial",
     "Without NODE, those of every member that relays lead to. Each node is asked itself, through "
     "its relays.",
     kMaybeNode,
     {},
     kTunnelExamples,
     run_tunnel_list,
     kAsks,
     false,
     false},
    {"tunnel restart", "Let a node make new sessions with its relays at once",
     "Connections through a session end with it, and are made again. Without NODE, the node that "
     "is "
     "asked.",
     kMaybeNode, kRestartOptions, kRestartExamples, run_tunnel_restart, kAsks, false, false,
     Effect::changes},
});

}  // namespace

std::span<const Command> relay_commands() { return kRelayCommands; }

}  // namespace riftbus::ctl
