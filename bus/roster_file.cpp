#include "bus/roster_file.h"

#include "bus/durable_file.h"

namespace riftbus {

namespace {

// "roster:7" of the reader becomes "/var/lib/riftbus/roster:7".
Error name_roster_file(Error error, const std::string& path) {
  constexpr std::string_view kReaderName = "roster";
  if (error.where.starts_with(kReaderName)) error.where.erase(0, kReaderName.size());
  error.where = path + error.where;
  return error;
}

Result<SignedRoster> load_one(const std::string& path, const AuthorityKey& authority,
                              std::string_view cluster) {
  const auto bytes = read_small_file(path, kRosterBytesMax, FilePrivacy::shared);
  if (!bytes.ok()) return bytes.error();
  auto roster = verify_roster(*bytes, authority, cluster);
  if (!roster.ok()) return name_roster_file(roster.error(), path);
  return roster;
}

}  // namespace

Result<LoadedRoster> load_roster_file(const std::string& path, const AuthorityKey& authority,
                                      std::string_view cluster) {
  auto current = load_one(path, authority, cluster);
  if (current.ok()) return LoadedRoster{std::move(current).value(), std::nullopt};
  auto previous = load_one(path + kPreviousRosterSuffix, authority, cluster);
  if (!previous.ok()) return current.error();
  const std::uint64_t version = previous->roster.version.value();
  Error reason{1116,
               "the roster file is unusable (" + current.error().what + "), version " +
                   std::to_string(version) + " from before is used",
               current.error().where, "the node fetches the newest roster from its peers"};
  return LoadedRoster{std::move(previous).value(), std::move(reason)};
}

Status save_roster_file(const std::string& path, const SignedRoster& roster) {
  const auto old = read_small_file(path, kRosterBytesMax, FilePrivacy::shared);
  if (old.ok() && *old != roster.bytes && parse_roster_unverified(*old).ok()) {
    auto kept = replace_file(path + kPreviousRosterSuffix, *old, FilePrivacy::shared);
    if (!kept.ok()) return kept;
  }
  return replace_file(path, roster.bytes, FilePrivacy::shared);
}

}  // namespace riftbus
