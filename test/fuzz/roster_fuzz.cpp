// Any bytes as a roster: a signed document from a peer, and the text below the signature, which a
// fuzzer could never sign.
//
// Beyond not crashing: what reads is canonical (the writer gives back text that reads the same, and
// a second round changes no byte), what reads can be signed and verified, and nothing that the
// fuzzer makes passes for signed.
#include <cstdint>
#include <string_view>

#include "config/roster.h"
#include "config/roster_text.h"

namespace {

// From a fixed seed: a finding must replay. The authority of no real cluster.
const riftbus::AuthoritySecret& fixed_authority() {
  static const riftbus::AuthoritySecret secret(std::array<std::uint8_t, 64>{
      0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92,
      0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b,
      0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60, 0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a,
      0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3,
      0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a});
  return secret;
}

void check_readable(const riftbus::Roster& roster) {
  const std::string body = riftbus::format_roster_body(roster);
  const auto again = riftbus::parse_roster_body(body);
  RIFTBUS_CHECK(again.ok() && *again == roster);
  RIFTBUS_CHECK(riftbus::format_roster_body(*again) == body);
  if (!riftbus::validate_roster(roster).ok()) {
    // The one rule that the body alone does not show: with its signature it must fit.
    RIFTBUS_CHECK(body.size() > riftbus::kRosterBytesMax - 256);
    return;
  }
  const auto signed_roster = riftbus::sign_roster(roster, fixed_authority());
  const auto verified =
      riftbus::verify_roster(signed_roster.bytes, fixed_authority().public_key(), roster.cluster);
  RIFTBUS_CHECK(verified.ok() && verified->roster == roster);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto body = riftbus::parse_roster_body(bytes);
  if (body.ok()) check_readable(*body);
  const auto document = riftbus::parse_roster_unverified(bytes);
  if (document.ok()) check_readable(*document);
  const auto forged = riftbus::verify_roster(bytes, fixed_authority().public_key(), "kitchen");
  RIFTBUS_CHECK(!forged.ok());
  return 0;
}
