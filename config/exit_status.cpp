#include "config/exit_status.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace riftbus {

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
    {1300, 1303, kExitData},         // a message that was not understood
    {1304, 1304, kExitRefused},      // role missing
    {1305, 1305, kExitTemporary},    // too busy
    {1306, 1359, kExitUnavailable},  // bus
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
    {1550, 1550, kExitUsage},        // filter
    {1551, 1551, kExitRefused},      // payloads not granted
    {1552, 1552, kExitTemporary},    // enough taps already
    {1553, 1553, kExitUsage},        // output format
    {1556, 1557, kExitUsage},        // ring, summary
    {1558, 1558, kExitUnavailable},  // nothing to tap
    {1559, 1559, kExitUsage},        // command line of the tap
    {1563, 1563, kExitFalse},        // not all work ended well
    {1700, 1718, kExitUnavailable},  // a voter's disk
    {1719, 1719, kExitTemporary},    // nobody leads yet
    {1723, 1723, kExitTemporary},    // no leader in time
    {1725, 1725, kExitTemporary},    // too many requests
    {1726, 1726, kExitData},         // leadership: not as things are
    {1729, 1729, kExitRefused},      // an order to a node that is no voter
    {1731, 1731, kExitTemporary},    // leadership: not now
    {1800, 1809, kExitConfig},       // forwards, servers, key and files of the tunnel
    {1810, 1810, kExitUnavailable},  // server not reached
    {1811, 1813, kExitRefused},      // host key, our key or a forward refused
    {1814, 1816, kExitTemporary},    // silent, ended, too slow
    {1817, 1817, kExitConfig},       // local listener
    {1818, 1829, kExitUnavailable},  //
    {1830, 1832, kExitConfig},       // relay: listener, folder, list of keys
    {1833, 1846, kExitUnavailable},  //
    {1847, 1847, kExitConfig},       // relay: a half's settings
    {1848, 1849, kExitUnavailable},  //
});

}  // namespace

int exit_status_of(const Error& error) {
  const auto row = std::find_if(kStatuses.begin(), kStatuses.end(), [&](const StatusRow& each) {
    return error.code >= each.first && error.code <= each.last;
  });
  return row == kStatuses.end() ? kExitData : row->status;
}

}  // namespace riftbus
