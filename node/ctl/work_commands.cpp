// The part of the command table about work.
#include <array>

#include "node/ctl/command.h"
#include "node/ctl/command_parts.h"
#include "node/ctl/commands.h"

namespace riftbus::ctl {

namespace {

constexpr auto kItem = std::to_array<Argument>(
    {{"KIND", false, false, kNothing}, {"ARGUMENT", false, true, kNothing}});
constexpr auto kWorkId = std::to_array<Argument>({{"ID", true, false, kNothing}});
constexpr auto kWorkIds = std::to_array<Argument>({{"ID", true, true, kNothing}});

constexpr auto kAddOptions = std::to_array<Option>({
    {"param", 'p', "KEY=VALUE", false, "", kNothing, "a parameter of the job; again for more"},
    {"payload", 0, "TEXT", false, "", kNothing, "the job's input, instead of parameters"},
    {"payload-file", 0, "FILE", false, "", Completes::file, "the job's input, from a file"},
    {"from", 0, "FILE", false, "", Completes::file,
     "items as JSON, one on each line; - is standard input"},
    {"each", 0, "FILE", false, "", Completes::file,
     "one item for each line, the line as its last argument; - is standard input"},
    {"group", 'g', "NAME", false, "", kNothing, "whose work it is: for limits and fair shares"},
    {"priority", 0, "N", false, "", kNothing, "0 to 255, the most urgent; else the kind's"},
    {"needs", 0, "TEXT", false, "", kNothing, "what it needs of a node, instead of the kind's"},
    {"delay", 0, "SPAN", false, "", kNothing, "not before so long"},
    {"expires", 0, "SPAN", false, "", kNothing, "cancelled if not begun after so long"},
    {"deadline", 0, "SPAN", false, "", kNothing, "cancelled and stopped if not done after so long"},
    {"dedupe", 0, "KEY", false, "", kNothing, "nothing is added while work of this key is there"},
    {"after", 0, "IDS", false, "", kNothing, "not before these are done: 17-20,23"},
    {"request-id", 0, "TEXT", false, "", kNothing,
     "names this request: repeated with the same input, it adds nothing twice"},
    {"wait", 0, "", false, "", kNothing, "until all of it has ended; 1 if some did not end well"},
});
constexpr auto kListOptions = std::to_array<Option>({
    {"state", 's', "STATE", false, "delayed|ready|running|leased|dead|done|cancelled", kNothing,
     "only work in this state"},
    {"kind", 'k', "NAME", false, "", kNothing, "only work of this kind"},
    {"group", 'g', "NAME", false, "", kNothing, "only work of this group"},
    {"on", 0, "ID", false, "", Completes::node_id, "only work that this node has or had last"},
    {"lines", 'n', "N", false, "", kNothing, "at most so many (200)"},
});
constexpr auto kGroupName = std::to_array<Argument>({{"NAME", true, false, kNothing}});
constexpr auto kGroupOptions = std::to_array<Option>({
    {"limit", 0, "N", false, "", kNothing,
     "so many of its items run at the same time at most; 0: no limit"},
    {"weight", 0, "W", false, "", kNothing,
     "of its share, when groups compete: one of weight 2 gets twice what one of weight 1 gets"},
});
constexpr auto kDrainOptions = std::to_array<Option>({
    {"evict", 0, "", false, "", kNothing,
     "also give back what runs, after a checkpoint where the job can write one"},
});

constexpr auto kWorkAddExamples =
    std::to_array<std::string_view>({"riftbus work add encode --param codec=av1 -- in.mov out.mkv",
                                     "riftbus work add --from items.jsonl --wait",
                                     "riftbus work add encode --each files.txt --group studio"});
constexpr auto kListExamples = std::to_array<std::string_view>(
    {"riftbus work list --state dead", "riftbus work list --kind encode -o name"});
constexpr auto kCancelExamples =
    std::to_array<std::string_view>({"riftbus work cancel 17", "riftbus work cancel 17-20,23"});
constexpr auto kGroupExamples =
    std::to_array<std::string_view>({"riftbus work group film", "riftbus work group film --limit 4",
                                     "riftbus work group film --limit 0 --weight 2"});

constexpr auto kWorkCommands = std::to_array<Command>({
    {"work add", "Add work to the queue",
     "One item by KIND, parameters and arguments; one for each line of a file with --each; or any "
     "items as JSON lines with --from: {\"kind\":\"encode\",\"params\":{},\"args\":[],"
     "\"priority\":80}, and also payload, group, delay_s, expires_s, deadline_s, dedupe, after, "
     "needs and data.\n\n"
     "A wrong line is named by its number and left out; every other line is added. What is "
     "answered is on a majority of disks. When no answer comes within --timeout (60), repeat the "
     "command with the --request-id that it names: what was added is not added again.",
     kItem, kAddOptions, kWorkAddExamples, run_work_add, kAsks, false, false, Effect::changes},
    {"work list",
     "List work that has not ended, and what waits for an operator",
     "",
     {},
     kListOptions,
     kListExamples,
     run_work_list,
     kAsks,
     false,
     false},
    {"work show",
     "Show one item: its attempts, where they ran, how they ended",
     "",
     kWorkId,
     {},
     {},
     run_work_show,
     kAsks,
     false,
     false},
    {"work logs",
     "Show what the attempts at one item left behind",
     "What the last attempt wrote, as its node keeps it; the end of standard error of each failed "
     "attempt, and the result, as the queue keeps them. Output that its node keeps no longer is "
     "counted on standard error.",
     kWorkId,
     {},
     {},
     run_work_logs,
     kAsks,
     false,
     false},
    {"work cancel",
     "Cancel work; what runs is stopped",
     "Work that runs is cancelled as soon as its node has stopped it. The node hears of it within "
     "5 s and gives the program TERM, and KILL after its kind's kill_grace_s.",
     kWorkIds,
     {},
     kCancelExamples,
     run_work_cancel,
     kAsks,
     false,
     false,
     Effect::changes},
    {"work retry",
     "Give dead letters fresh attempts",
     "",
     kWorkIds,
     {},
     {},
     run_work_retry,
     kAsks,
     false,
     false,
     Effect::changes},
    {"work history",
     "List work that has ended, the latest first",
     "",
     {},
     kListOptions,
     {},
     run_work_history,
     kAsks,
     false,
     false},
    {"work stats",
     "Show the queue in numbers: by state, kind, node and group",
     "",
     {},
     {},
     {},
     run_work_stats,
     kAsks,
     false,
     false},
    {"work group", "Show or set how much of a group's work may run",
     "Without options it is shown. What is not given stays as it is. A smaller limit stops "
     "nothing that runs; a group need not have work yet. Setting takes the admin role.",
     kGroupName, kGroupOptions, kGroupExamples, run_work_group, kAsks, false, false,
     Effect::set_changes},
    {"why work",
     "Explain why an item is not running",
     "Counts, for each clause of its needs, the nodes that do not meet it.",
     kWorkId,
     {},
     {},
     run_why_work,
     kAsks,
     false,
     false},
    {"node drain",
     "Let a node take no more work",
     "What runs there ends in peace; `riftbus node resume` takes it back.",
     kNodeId,
     kDrainOptions,
     {},
     run_node_drain,
     kAsks,
     false,
     false,
     Effect::changes},
    {"node resume",
     "Let a drained node take work again",
     "",
     kNodeId,
     {},
     {},
     run_node_resume,
     kAsks,
     false,
     false,
     Effect::changes},
});

}  // namespace

std::span<const Command> work_commands() { return kWorkCommands; }

}  // namespace riftbus::ctl
