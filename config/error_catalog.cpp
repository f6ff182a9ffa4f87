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
    // 1100: keys, roster and security
    {1100, "roster is too large", "the signed roster exceeds 900 KiB",
     "forget old revocations, shorten notes, revoke ids no longer used"},
    {1101, "malformed roster",
     "the bytes were cut short, edited by hand, or made by a newer release",
     "fetch the roster again from a node or from the machine that signs it"},
    {1102, "wrong roster signature",
     "the roster was changed, or signed by another cluster's authority",
     "compare authority.pub here with the one on the machine that signs; if they agree, "
     "somebody offers a forged roster"},
    {1103, "roster of another cluster", "a file or a peer of another cluster was used",
     "give the node the roster of its own cluster"},
    {1104, "listed twice", "one id or one key stands twice in a roster",
     "give every id one line and every machine its own key"},
    {1105, "roster is not newer",
     "two people signed changes of one version, or an old file was used",
     "repeat the change on top of the newest roster"},
    {1106, "not a role", "a role is misspelt", "use node, voter, relay, tap or admin"},
    {1107, "not a public key", "a key was cut short or is of another kind",
     "copy the 40 characters that `riftbus key new` printed, in quotes"},
    {1108, "not an authority key", "authority.pub was cut short or edited",
     "copy authority.pub again from the machine that signs"},
    {1110, "key file exists", "keys are never overwritten: the old one may be the only copy",
     "choose another directory, or move the old file away by hand"},
    {1111, "key file cannot be read", "it does not exist or belongs to another user",
     "run as the user who owns it, or create it with `riftbus key new`"},
    {1112, "secret is readable by others", "the file's mode lets the group or everybody in",
     "chmod 600 the file, and rotate the key if others may have read it"},
    {1113, "malformed key file", "the file was cut short or edited, or its halves do not match",
     "restore it from a backup, or make a new key and have it approved"},
    {1114, "key or roster file cannot be written", "the disk is full or the directory not writable",
     "free some space, or mend the directory's permissions"},
    {1115, "key directory is open to others", "others may list or replace the files in it",
     "chmod 700 the directory"},
    {1116, "roster file is unusable", "the disk failed, or the file was edited",
     "the previous roster is used if it is whole; the node fetches the newest from its peers"},
    {1121, "id is not in the roster", "the id is misspelt or was revoked before",
     "see `riftbus key list`"},
    {1122, "key is in use", "one key was offered for two ids",
     "make a new key on that machine with `riftbus key new`"},
    {1123, "key was revoked", "a key that was revoked can never be approved again",
     "make a new key on that machine with `riftbus key new`"},
    {1124, "id has another key", "approval was given for an id that is already listed",
     "rotate the id's key, or revoke the id first"},
    {1125, "role is missing", "a voter or relay was named that does not hold that role",
     "approve the id with the role first"},
    {1126, "approval makes no sense",
     "id, role, expiry, note or cluster name is empty or not allowed",
     "correct the value that the message names"},
    {1127, "last admin", "without an admin nobody can command the nodes",
     "approve another admin first, or repeat with --force"},
    {1128, "no rotation under way", "the id has no previous key to drop", "nothing is left to do"},
    {1130, "gatekeeper cannot start", "another part of this process has taken ZeroMQ's ZAP address",
     "this is a defect of the program: report it with the log"},
    {1131, "a stranger was let in", "the start-up test found that keys are not checked",
     "do not run this build; report it with the log and libzmq's version"},
    {1132, "a listed key was refused",
     "the start-up test found that this node's own key is refused",
     "see whether the key is revoked or expired: `riftbus key list`"},
    {1133, "security self-test got no answer", "the machine is overloaded or loopback is filtered",
     "allow TCP on 127.0.0.1 and start again"},
    {1134, "libzmq lacks CURVE", "libzmq was built without libsodium",
     "install the distribution's libzmq5"},
    {1135, "unknown key refused", "a machine that was never approved, or a scanner, knocked",
     "approve the key if it is yours: `riftbus key approve`"},
    {1136, "expired key refused", "the key's time in the roster has run out, or a clock is wrong",
     "renew it with `riftbus key approve`, and check the clocks"},
    {1137, "revoked key refused", "a machine that was shut out is still trying",
     "stop Riftbus there; if you did not expect it, the key has been stolen"},
    {1138, "handshake request refused",
     "a peer used a mechanism other than CURVE, or a request broke ZeroMQ's ZAP rules",
     "see that all nodes run with the same --insecure setting"},
    // 1300: messages and transport
    {1301, "message of an unknown kind",
     "the asker is newer than the node, or speaks another protocol",
     "update the node, or use a program of its version"},
    {1302, "protocol version not spoken", "the two programs are more than one version apart",
     "update the older one; neighbouring versions work together"},
    {1303, "malformed message",
     "bytes were damaged or made by a faulty program, or a field exceeds its limit",
     "see bus/wire/README.md for the format and the limits; other messages are not affected"},
    {1304, "no role for this message", "the key that asked has none of the roles that it takes",
     "use another key, or have its roles changed with `riftbus key approve`"},
    {1305, "too busy", "the node's queue for such requests is full", "try again in a few seconds"},
    // 1400: this node's own disk
    {1401, "incarnation file not readable", "permissions changed, or the disk fails",
     "give the daemon's user access; meanwhile the node counts from the wall clock"},
    {1402, "incarnation file damaged", "the disk returned other bytes than were written",
     "nothing is lost: the node counts from the wall clock; check the disk"},
    {1403, "incarnation not stored", "the disk is full, read-only or failing",
     "free space; the node tries each second and keeps silent about its new life until then"},
    {1410, "peer cache not usable", "the disk is full or the file is damaged",
     "free space or delete peers.db; it only speeds up finding the cluster"},
    // 1600: the daemon's start
    {1601, "no node id", "neither flag, environment nor node file names this node",
     "set --node-id, or NODE_ID in node.conf"},
    {1602, "--insecure beyond loopback",
     "without keys anybody who can connect could command the node",
     "listen on 127.0.0.1, or leave --insecure out"},
    {1603, "authority not known", "the node was given no authority key to check rosters with",
     "put the line of authority.pub under `authority:` in the cluster file"},
    {1604, "key of another node", "the key folder was copied from another machine",
     "make a key on this machine with `riftbus key new`, and have it approved"},
    {1605, "libsodium does not start", "the installation is damaged", "reinstall libsodium23"},
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
