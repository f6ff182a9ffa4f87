// The part of the command table about leadership and voters.
#include <array>

#include "node/ctl/command.h"
#include "node/ctl/command_parts.h"
#include "node/ctl/commands.h"

namespace riftbus::ctl {

namespace {

constexpr auto kPolicyOptions = std::to_array<Option>({
    {"set", 0, "POLICY", false, "raft|bully|hybrid|configured", Completes::nothing,
     "let this node campaign by another policy, over restarts, until it is \"configured\" again"},
});
constexpr auto kFlagOptions = std::to_array<Option>({
    {"membership", 0, "MODE", false, "swim|hybrid|http|configured", Completes::nothing,
     "members over HTTP: never, while the bus fails, or always"},
    {"policy", 0, "POLICY", false, "raft|bully|hybrid|configured", Completes::nothing,
     "who campaigns first; voters only"},
});
constexpr auto kFlagExamples = std::to_array<std::string_view>(
    {"riftbus flag set --membership hybrid", "riftbus flag set --policy bully n2"});
constexpr auto kTransferExamples = std::to_array<std::string_view>({"riftbus leader transfer n2"});
constexpr auto kVoterAddExamples = std::to_array<std::string_view>({"riftbus voter add n4"});

constexpr auto kLeaderCommands = std::to_array<Command>({
    {"leader show",
     "Show who leads, and how far the log is, as one node sees it",
     "Exits with 1 while nobody leads.",
     {},
     {},
     {},
     run_leader_show,
     kAsks,
     false,
     false},
    {"leader transfer",
     "Let another voter lead",
     "Without ID, the voter that is furthest. The leader brings it up to date first; nothing is "
     "lost, and requests wait for a moment.",
     kMaybeNodeId,
     {},
     kTransferExamples,
     run_leader_transfer,
     kAsks,
     false,
     false,
     Effect::changes},
    {"leader policy",
     "Show or set by which policy a node campaigns",
     "A policy decides only who campaigns when: it may differ from node to node and change at any "
     "moment, and nothing that was promised depends on it.",
     {},
     kPolicyOptions,
     {},
     run_leader_policy,
     kAsks,
     false,
     false,
     Effect::set_changes},
    {"leader recover",
     "Begin a new generation with this node alone, after a disaster",
     "The last resort when a majority of the voters is lost for good. What only they knew is lost. "
     "Name the node with --node, and give this to one node only. The other old voters retire as "
     "soon as they hear of it, even a majority of them, and must be emptied before they are added "
     "again.",
     {},
     {},
     {},
     run_leader_recover,
     kAsks,
     false,
     false,
     Effect::changes},
    {"flag list",
     "Show every node's policy of leadership and mode of membership",
     "",
     {},
     {},
     {},
     run_flag_list,
     kAsks,
     false,
     false},
    {"flag set", "Set the policy of leadership or the mode of membership, on every node or on one",
     "Each node takes it by itself and keeps it over restarts, until it is \"configured\" again; "
     "those that refuse are named. Exits with 1 if there is one.",
     kMaybeNodeId, kFlagOptions, kFlagExamples, run_flag_set, kAsks, false, false, Effect::changes},
    {"voter list",
     "List the voters, and how far each one is",
     "",
     {},
     {},
     {},
     run_voter_list,
     kAsks,
     false,
     false},
    {"voter add",
     "Let a node take part in the log",
     "It is sent the log first and votes once it has caught up; see `riftbus voter list`.",
     kNodeId,
     {},
     kVoterAddExamples,
     run_voter_add,
     kAsks,
     false,
     false,
     Effect::changes},
    {"voter remove",
     "Take a voter out of the log",
     "A voter that is dead still counts until it is removed.",
     kNodeId,
     {},
     {},
     run_voter_remove,
     kAsks,
     false,
     false,
     Effect::changes},
    {"why leader",
     "Explain who leads or why nobody does",
     "Who has voted, who is missing, and since when.",
     {},
     {},
     {},
     run_why_leader,
     kAsks,
     false,
     false},
});

}  // namespace

std::span<const Command> leader_commands() { return kLeaderCommands; }

}  // namespace riftbus::ctl
