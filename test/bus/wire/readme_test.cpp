// The grammar in README.md is a promise to strangers: its numbers and bytes are the program's.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "bus/wire/topic.h"
#include "test/bus/wire/samples.h"

namespace riftbus::wire {
namespace {

std::string read_readme() {
  std::ifstream file(RIFTBUS_SOURCE_DIR "/bus/wire/README.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Readme, RepeatsEveryLimit) {
  const std::string readme = read_readme();
  const std::pair<const char*, std::size_t> limits[] = {
      {"kMessageBytesMax", kMessageBytesMax},
      {"kDepthMax", kDepthMax},
      {"kValuesMax", kValuesMax},
      {"kClaimsMax", kClaimsMax},
      {"kIdsMax", kIdsMax},
      {"kDigestEntriesMax", kDigestEntriesMax},
      {"kTapFramesMax", kTapFramesMax},
      {"kAddressesMax", kAddressesMax},
      {"kRolesMax", kRolesMax},
      {"kTagsMax", kTagsMax},
      {"kArgumentsMax", kArgumentsMax},
      {"kNodeIdBytesMax", kNodeIdBytesMax},
      {"kHostBytesMax", kHostBytesMax},
      {"kNameBytesMax", kNameBytesMax},
      {"kSoftwareBytesMax", kSoftwareBytesMax},
      {"kGpuNameBytesMax", kGpuNameBytesMax},
      {"kTagValueBytesMax", kTagValueBytesMax},
      {"kArgumentValueBytesMax", kArgumentValueBytesMax},
      {"kRefusalTextBytesMax", kRefusalTextBytesMax},
      {"kFilterBytesMax", kFilterBytesMax},
      {"kSummaryBytesMax", kSummaryBytesMax},
      {"kJsonBytesMax", kJsonBytesMax},
      {"kPayloadBytesMax", kPayloadBytesMax},
      {"kTopicBytesMax", kTopicBytesMax},
      {"kConsensusBytesMax", kConsensusBytesMax},
      {"kWorkBytesMax", kWorkBytesMax},
      {"kCarryBytesMax", kCarryBytesMax}};
  for (const auto& [name, value] : limits) {
    const std::string cells = "| " + std::to_string(value) + " | " + name + " |";
    EXPECT_NE(readme.find(cells), std::string::npos) << cells;
  }
}

TEST(Readme, HasARowForEveryKind) {
  const std::string readme = read_readme();
  Random random(1);
  for (std::size_t index = 0; index < kBodies; ++index) {
    const auto kind = static_cast<int>(kind_of(random_body(index, random)));
    EXPECT_NE(readme.find("\n| " + std::to_string(kind) + " | "), std::string::npos) << kind;
  }
}

TEST(Readme, ShowsTheRealBytes) {
  const std::string readme = read_readme();
  std::string spaceless;
  for (std::size_t at = readme.find("6265617400"); at < readme.find("A Hello, and"); ++at) {
    // The hexadecimal column is 27 wide; the words beside it are not bytes.
    const std::size_t column = at - readme.rfind('\n', at) - 1;
    if (column < 27 && std::isxdigit(static_cast<unsigned char>(readme[at])) != 0) {
      spaceless += readme[at];
    }
  }
  auto messages = plain_messages();
  messages[0].correlation = Correlation(0);
  EXPECT_EQ(spaceless, to_hex(make_pub_frame(kTopicBeat, encode(messages[0]))));
  for (const std::size_t shown : {2U, 3U}) {
    EXPECT_NE(readme.find(to_hex(encode(messages[shown]))), std::string::npos);
  }
}

}  // namespace
}  // namespace riftbus::wire
