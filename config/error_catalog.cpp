#include "config/error_catalog.h"

#include <algorithm>
#include <array>

namespace riftbus {

namespace {

// Keep ascending; a row goes into the range of the part that raises it.
constexpr auto kCatalog = std::to_array<CatalogEntry>({
    // 1000: identities and configuration
    {1001, "not a node id",
     "an id is empty, too long, or holds a character outside A-Z a-z 0-9 . _ -",
     "use 1 to 64 of those characters and begin with a letter or a digit"},
    {1002, "file cannot be read",
     "it does not exist, is not a regular file, is too large, or this "
     "user may not read it",
     "check the path, its permissions and its size (1 MiB at most)"},
    {1003, "not valid YAML",
     "a quote, bracket or indentation is wrong near the named line, or the "
     "bytes are not UTF-8 text",
     "mend that line; indent with spaces, never with tabs"},
    {1004, "file is too deep or too large",
     "nesting, aliases or the number of values exceed what a "
     "configuration needs",
     "flatten the file; such files are refused because they can exhaust memory"},
    {1005, "unknown key", "a key is misspelt, in the wrong section, or from another version",
     "take the suggested spelling, or see config/README.md for every key"},
    {1006, "duplicate key", "the same key stands twice in one mapping, so one value would be lost",
     "remove one of the two lines"},
    {1007, "wrong type of value",
     "a list, mapping, number or word stands where another is expected",
     "write the value in the form the hint shows"},
    {1008, "value out of range",
     "a number is below or above what is safe, or a word is not one of "
     "the choices",
     "choose a value within the range the message names"},
    {1009, "not an address",
     "a host is empty, holds impossible characters, or its port is not 1 to "
     "65535",
     "write host, host:port or [ipv6]:port"},
    {1010, "address used twice",
     "two nodes, or two listeners of one node, claim the same host and "
     "port",
     "give each its own port or host"},
    {1011, "reference to an unknown node",
     "voters, relays or a node's relays name an id that is not "
     "under nodes",
     "take the suggested id, or describe that node"},
    {1012, "node cannot be a voter",
     "a voter is not ready, sits behind NAT, is ephemeral, or has no "
     "address others can reach",
     "choose a stable, directly reachable node instead"},
    {1013, "voter count",
     "an even number of voters survives no more failures than one voter less, "
     "and fewer than three survive none",
     "use 3, 5 or 7 voters in different failure domains"},
    {1014, "seed matches no node", "a seed's host is none of the addresses in the cluster file",
     "correct the seed, or add the node; the seed is still tried"},
    {1015, "required value is missing",
     "neither flag, environment, node file nor cluster file gives "
     "it",
     "set it in the place the message names"},
    {1016, "insecure outside loopback",
     "--insecure turns encryption off, and an address that is not "
     "loopback would be open to the network",
     "drop --insecure, or use only loopback addresses"},
    {1017, "malformed line in node file",
     "a line is neither KEY=VALUE, a comment nor blank, or a "
     "quote is not closed",
     "write KEY=VALUE, one to a line, as systemd's EnvironmentFile wants it"},
    {1018, "command line not understood", "a flag is unknown, misspelt or lacks its value",
     "see --help; flags are not abbreviated"},
    {1019, "names disagree",
     "two names for one setting are given with different values in one place",
     "keep one of them; the message says which one is used"},
    {1020, "setting has no effect",
     "a name of the former orchestrator is accepted but does nothing "
     "here",
     "remove it when convenient; the message says what replaces it"},
    {1021, "kind of file not recognised",
     "the content is neither a cluster.yaml, a "
     "distributed_hosts.yaml nor a node.conf",
     "name the kind with --format, or mend the file"},
    {1022, "legacy value not usable",
     "a value in a legacy file is not what its key promises, an error "
     "text in an address field for example",
     "correct it in the file; the rest of the file is used"},
    {1023, "too many problems", "the report stops at its limit",
     "mend those shown and check again"},
    {1024, "this node is not in the cluster file",
     "the node id is misspelt or the file is older than "
     "the node",
     "correct the id or add the node; until then it runs with what flags and environment say"},
    {1025, "voters differ between sources",
     "a voter list in the environment or node file differs from "
     "the cluster file",
     "remove the local list: voters bootstrap once and change through the log"},
});

}  // namespace

std::span<const CatalogEntry> error_catalog() { return kCatalog; }

const CatalogEntry* find_error(std::uint16_t code) {
  const auto found = std::lower_bound(
      kCatalog.begin(), kCatalog.end(), code,
      [](const CatalogEntry& entry, std::uint16_t wanted) { return entry.code < wanted; });
  return found != kCatalog.end() && found->code == code ? &*found : nullptr;
}

}  // namespace riftbus
