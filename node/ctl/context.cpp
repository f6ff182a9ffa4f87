#include "node/ctl/context.h"

#include <algorithm>
#include <array>
#include <iostream>

namespace riftbus::ctl {

namespace {

struct StatusRow {
  std::uint16_t first;
  std::uint16_t last;
  int status;
};

// Ascending; what is in no row is bad data.
constexpr auto kStatuses = std::to_array<StatusRow>({
    {1001, 1001, kExitUsage},        // not a node id
    {1002, 1017, kExitConfig},       // configuration
    {1018, 1018, kExitUsage},        // command line
    {1019, 1099, kExitConfig},       //
    {1100, 1119, kExitConfig},       // keys and rosters at rest
    {1120, 1129, kExitData},         // changes that a roster refuses
    {1130, 1199, kExitConfig},       //
    {1300, 1359, kExitUnavailable},  // bus
    {1360, 1362, kExitUnavailable},  // nobody there, silent, not a node
    {1363, 1363, kExitRefused},      // our key is refused
    {1364, 1365, kExitTemporary},    // went away, too slow
    {1366, 1399, kExitUnavailable},  //
    {1501, 1501, kExitUsage},        // command line
    {1502, 1502, kExitUnavailable},  // the node knows no such question
    {1503, 1503, kExitUsage},        // a wrong argument
    {1505, 1505, kExitRefused},      // role missing
    {1506, 1506, kExitUnavailable},  // no node answered
    {1508, 1508, kExitConfig},       // no key
    {1509, 1509, kExitFalse},        // condition not reached
    {1510, 1510, kExitConfig},       // no authority
    {1512, 1512, kExitUnavailable},  // program missing
    {1513, 1513, kExitFalse},        // no such code
    {1514, 1514, kExitTemporary},    // not adopted everywhere yet
    {1515, 1515, kExitRefused},      // not confirmed
    {1517, 1517, kExitConfig},       // no roster
});

}  // namespace

int exit_status_of(const Error& error) {
  const auto row = std::find_if(kStatuses.begin(), kStatuses.end(), [&](const StatusRow& each) {
    return error.code >= each.first && error.code <= each.last;
  });
  return row == kStatuses.end() ? kExitData : row->status;
}

int report(Context& context, const Error& error) {
  context.err << "riftbus: " << error.to_string() << "\n";
  return exit_status_of(error);
}

void say(Context& context, const std::string& text) { context.err << "riftbus: " << text << "\n"; }

Status confirm(Context& context, const std::string& question) {
  if (context.globals().yes) return Ok{};
  const Error refused{1515, "not confirmed: " + question, "", "answer y, or add --yes"};
  if (!context.is_terminal) return refused;
  context.err << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(context.in, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return Ok{};
  return refused;
}

}  // namespace riftbus::ctl
