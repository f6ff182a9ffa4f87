#include "tunnel/status.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "bus/ssh/status_file.h"

namespace riftbus::tunnel {
namespace {

using Json = nlohmann::json;

Json up_status() {
  return {{"schema", 1},
          {"node", "n1"},
          {"pid", 7},
          {"state", "running"},
          {"links", Json::array({{{"class", "control"},
                                  {"state", "up"},
                                  {"since_s", 9},
                                  {"server", "192.0.2.24:22"},
                                  {"connections", 3},
                                  {"forwards", Json::array({{{"side", "reverse"},
                                                             {"forward", "0:127.0.0.1:7770"},
                                                             {"server_port", 43210}}})},
                                  {"error", nullptr}}})}};
}

TEST(Status, SaysWhatIsUpAndWhereTheServerListens) {
  const auto shown = format_status(up_status());
  EXPECT_TRUE(shown.all_are_up);
  EXPECT_EQ(shown.text,
            "tunnel of n1: running, pid 7\n"
            "control  up for 9 s  192.0.2.24:22  3 connections\n"
            "  reverse 0:127.0.0.1:7770  server port 43210\n");
}

TEST(Status, ShowsTheLastErrorAndWhatToDo) {
  auto status = up_status();
  status["links"][0]["state"] = "waiting";
  status["links"][0]["error"] = {{"code", "F-1810"}, {"what", "not reached"}, {"next", "check"}};
  const auto shown = format_status(status);
  EXPECT_FALSE(shown.all_are_up);
  EXPECT_NE(shown.text.find("! F-1810: not reached; check\n"), std::string::npos) << shown.text;
}

TEST(Status, SaysThatTheBusCarriesASessionAndWhy) {
  auto status = up_status();
  status["links"][0]["carried"] = true;
  status["links"][0]["direct_error"] = {
      {"code", "F-1816"}, {"what", "no tunnel after 5s"}, {"next", "check"}};
  const auto shown = format_status(status);
  EXPECT_TRUE(shown.all_are_up);
  EXPECT_NE(shown.text.find("192.0.2.24:22 over CURVE  3 connections\n"
                            "direct: F-1816: no tunnel after 5s; check\n"),
            std::string::npos)
      << shown.text;
}

TEST(Status, AStoppedTunnelIsNotUpWhateverItsLinksSay) {
  auto status = up_status();
  status["state"] = "stopped";
  EXPECT_FALSE(format_status(status).all_are_up);
}

TEST(Status, AnyJsonIsSurvived) {
  for (const auto* text : {R"({"links": 1})", R"({"links": [1, {}, {"forwards": [1, {}]}]})",
                           R"({"links": [{"error": 5, "state": null}]})", "{}", "[]", "7"}) {
    const auto json = Json::parse(text);
    if (json.is_object()) {
      EXPECT_FALSE(format_status(json).all_are_up) << text;
    }
  }
}

TEST(Status, IsReadBackAsWrittenAndNothingElseIs) {
  const std::string path = testing::TempDir() + "status." + std::to_string(getpid());
  ASSERT_TRUE(ssh::write_status(path, up_status()));
  EXPECT_EQ(*read_status(path), up_status());
  for (const auto* text : {"", "{", "[]", "{}", "\xff"}) {
    std::ofstream(path) << text;
    ASSERT_FALSE(read_status(path)) << text;
    EXPECT_EQ(read_status(path).error().code, 1821);
  }
  unlink(path.c_str());
  EXPECT_EQ(read_status(path).error().code, 1821);
  EXPECT_EQ(ssh::write_status("/proc/nothing/here", up_status()).error().code, 1805);
}

}  // namespace
}  // namespace riftbus::tunnel
