#include "tunnel/options.h"

#include <gtest/gtest.h>

namespace riftbus::tunnel {
namespace {

using Words = std::vector<std::string>;

TEST(Options, ForwardsAreWrittenAsWithSsh) {
  EXPECT_EQ(take_options({"-R", "1:h:2"}).settings, (Words{"--tunnel-reverse", "1:h:2"}));
  EXPECT_EQ(take_options({"-L1:h:2"}).settings, (Words{"--tunnel-local", "1:h:2"}));
}

TEST(Options, ItsOwnWordsAreTakenAndTheOthersKeptInOrder) {
  const auto options = take_options(
      {"--config", "f", "--once", "--status", "--show-key", "--check-config", "--log-level=warn"});
  EXPECT_TRUE(options.once && options.status && options.show_key && options.check_config);
  EXPECT_EQ(options.settings, (Words{"--config", "f", "--log-level=warn"}));
}

TEST(Options, ARelayOfTheClusterFileIsNamedById) {
  const auto options = take_options({"--attach", "relay-1", "--config", "f"});
  EXPECT_EQ(options.attach, "relay-1");
  EXPECT_EQ(options.settings, (Words{"--config", "f"}));
  EXPECT_TRUE(take_options({"--config", "f"}).attach.empty());
}

TEST(Options, HelpNamesWhatItTakes) {
  const auto help = describe_options();
  for (const auto* word : {"-R ", "-L ", "--check-config", "--show-key", "--status", "--once",
                           "--attach", "--tunnel-servers", "--log-level", "--keys-dir"}) {
    EXPECT_NE(help.find(word), std::string::npos) << word;
  }
}

}  // namespace
}  // namespace riftbus::tunnel
