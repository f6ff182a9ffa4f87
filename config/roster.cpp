#include "config/roster.h"

#include <sodium.h>

#include "config/roster_text.h"

namespace riftbus {

const RosterEntry* Roster::find(const NodeId& id) const {
  const auto found = entries.find(id);
  return found == entries.end() ? nullptr : &found->second;
}

const RosterEntry* Roster::find(const CurveKey& key) const {
  for (const auto& [id, entry] : entries) {
    if (entry.key == key || entry.previous_key == key) return &entry;
  }
  return nullptr;
}

Result<SignedRoster> verify_roster(std::string_view bytes, const AuthorityKey& authority,
                                   std::string_view cluster) {
  const auto document = split_roster_document(bytes);
  if (!document.ok()) return document.error();
  const std::string_view body = document->body;
  if (crypto_sign_verify_detached(document->signature.data(),
                                  reinterpret_cast<const unsigned char*>(body.data()), body.size(),
                                  authority.bytes.data()) != 0) {
    return Error{1102, "the roster's signature is not this cluster's authority's", "roster",
                 "compare authority.pub on this node with the one on the machine that signs"};
  }
  auto roster = parse_roster_body(body);
  if (!roster.ok()) return roster.error();
  if (roster->cluster != cluster) {
    return Error{1103,
                 "the roster is for cluster \"" + roster->cluster + "\", this node belongs to \"" +
                     std::string(cluster) + "\"",
                 "roster:2", "give the node the roster of its own cluster"};
  }
  return SignedRoster{std::string(bytes), std::move(*roster)};
}

Result<SignedRoster> verify_newer_roster(std::string_view bytes, const AuthorityKey& authority,
                                         std::string_view cluster, RosterVersion held) {
  auto offered = verify_roster(bytes, authority, cluster);
  if (!offered.ok() || offered->roster.version > held) return offered;
  return Error{1105,
               "the roster offered has version " + std::to_string(offered->roster.version.value()) +
                   ", not above the " + std::to_string(held.value()) + " held",
               "roster:3", "sign changes on top of the newest roster (`riftbus roster show`)"};
}

std::uint64_t roster_digest(std::string_view bytes) {
  std::array<unsigned char, crypto_generichash_BYTES> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size(), nullptr, 0);
  std::uint64_t digest = 0;
  for (std::size_t i = 0; i < sizeof digest; ++i) digest = (digest << 8U) | hash[i];
  return digest;
}

Result<Roster> parse_roster_unverified(std::string_view bytes) {
  const auto document = split_roster_document(bytes);
  if (!document.ok()) return document.error();
  return parse_roster_body(document->body);
}

Status validate_roster(const Roster& roster) {
  // The reader holds the rules; what it cannot read back unchanged is not a roster.
  const std::string body = format_roster_body(roster);
  const auto document = split_roster_document(body + format_signature_line({}));
  if (!document.ok()) return document.error();
  const auto read = parse_roster_body(body);
  if (!read.ok()) return read.error();
  if (*read == roster) return Ok{};
  return Error{1101, "the roster holds a value that its text form cannot carry", "roster",
               "use ids and notes without control characters"};
}

SignedRoster sign_roster(const Roster& roster, const AuthoritySecret& secret) {
  RIFTBUS_CHECK(validate_roster(roster).ok());
  std::string body = format_roster_body(roster);
  RosterSignature signature{};
  crypto_sign_detached(signature.data(), nullptr,
                       reinterpret_cast<const unsigned char*>(body.data()), body.size(),
                       secret.bytes().data());
  return SignedRoster{body + format_signature_line(signature), roster};
}

}  // namespace riftbus
