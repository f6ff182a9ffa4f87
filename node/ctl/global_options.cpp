// The options and exit statuses that all commands share.
#include <array>

#include "node/ctl/command.h"
#include "node/ctl/command_parts.h"

namespace riftbus::ctl {

namespace {

constexpr auto kGlobals = std::to_array<Option>({
    {"node", 0, "ID|HOST:PORT", false, "", Completes::node_id,
     "the node to ask; without it the one on this machine, then any that answers"},
    {"key", 0, "DIR", false, "", Completes::directory,
     "directory with your key, the roster and authority.pub"},
    {"cluster", 0, "NAME", false, "", kNothing, "which of the clusters in ~/.config/riftbus"},
    {"config", 0, "FILE", false, "", Completes::file, "cluster file, for the nodes' addresses"},
    {"insecure", 0, "", false, "", kNothing,
     "no keys; loopback only, for nodes started the same way"},
    {"output", 'o', "FORMAT", false, "table|wide|json|jsonl|name", kNothing, "how data is printed"},
    {"watch", 'w', "SEC", true, "", kNothing,
     "show again every SEC seconds (2), until interrupted"},
    {"timeout", 0, "SEC", false, "", kNothing, "how long to wait for answers (5)"},
    {"color", 0, "WHEN", false, "auto|always|never", kNothing,
     "colours; auto means on a terminal unless NO_COLOR is set"},
    {"yes", 'y', "", false, "", kNothing, "do not ask before changing something"},
    {"dry-run", 0, "", false, "", kNothing, "say what would be changed and change nothing"},
    {"help", 'h', "", false, "", kNothing, "show help"},
    {"version", 'V', "", false, "", kNothing, "show the version"},
});

constexpr auto kExits = std::to_array<ExitRow>({
    {0, "all is well"},
    {1, "the condition asked about is false: degraded, not answered, not reached in time"},
    {64, "the command line is wrong"},
    {65, "a file, an answer or an order is not what it should be"},
    {69, "no node could be reached"},
    {70, "a fault in this program"},
    {75, "it did not work now; try again"},
    {77, "the node refused: a role or a confirmation is missing"},
    {78, "a key, the roster or the configuration is missing or wrong"},
});

}  // namespace

std::span<const Option> global_options() { return kGlobals; }
std::span<const ExitRow> exit_table() { return kExits; }

}  // namespace riftbus::ctl
