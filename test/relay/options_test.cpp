#include "relay/options.h"

#include <gtest/gtest.h>

namespace riftbus::relay {
namespace {

using Words = std::vector<std::string>;

TEST(Options, ItsOwnWordsAreTakenAndTheOthersKeptInOrder) {
  const auto options = take_options({"--config", "f", "--check-config", "--show-pin", "--status",
                                     "--relay-ssh-port", "7722", "--log-level=warn"});
  EXPECT_TRUE(options.check_config && options.show_pin && options.status);
  EXPECT_EQ(options.settings,
            (Words{"--config", "f", "--relay-ssh-port", "7722", "--log-level=warn"}));
}

TEST(Options, NothingIsAskedForWithoutAWord) {
  const auto options = take_options({"--relay-user", "nobody"});
  EXPECT_FALSE(options.check_config || options.show_pin || options.status);
  EXPECT_EQ(options.settings, (Words{"--relay-user", "nobody"}));
}

TEST(Options, HelpNamesWhatItTakesAndNoMore) {
  const auto help = describe_options("riftbus-relay", "does this");
  EXPECT_TRUE(help.starts_with("riftbus-relay: does this\n"));
  for (const auto* word : {"--check-config", "--show-pin", "--status", "--relay-ssh-port",
                           "--relay-socket-dir", "--log-level", "--data-dir"}) {
    EXPECT_NE(help.find(word), std::string::npos) << word;
  }
  for (const auto* word : {"--executor-slots", "--tunnel-servers", "--once"}) {
    EXPECT_EQ(help.find(word), std::string::npos) << word;
  }
}

}  // namespace
}  // namespace riftbus::relay
