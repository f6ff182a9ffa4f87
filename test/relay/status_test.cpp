#include "relay/status.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "bus/clock.h"
#include "bus/ssh/status_file.h"
#include "test/bus/temporary_directory.h"

namespace riftbus::relay {
namespace {

using Json = nlohmann::json;

Json busy_status() {
  return {{"schema", 1},
          {"pid", 7},
          {"state", "running"},
          {"ssh", "0.0.0.0:7722"},
          {"host_key", "SHA256:x"},
          {"sessions", Json::array({{{"node", "n1"},
                                     {"class", "control"},
                                     {"address", "192.0.2.7"},
                                     {"since_s", 9},
                                     {"connections", 3},
                                     {"listeners", Json::array({"n1.7770", "n1.7771"})}}})},
          {"counters", {{"admitted", 1}}}};
}

TEST(RelayStatus, SaysWhoIsAttachedAndWhatTheyListenAs) {
  const auto shown = format_status(busy_status());
  EXPECT_TRUE(shown.is_running);
  EXPECT_EQ(shown.text,
            "relay at 0.0.0.0:7722: running, pid 7, host key SHA256:x\n"
            "n1 control  192.0.2.7  up for 9 s  3 connections\n"
            "  listens as n1.7770\n"
            "  listens as n1.7771\n");
}

TEST(RelayStatus, AStoppedRelayDoesNotRunWhateverElseIsSaid) {
  auto status = busy_status();
  status["state"] = "stopped";
  EXPECT_FALSE(format_status(status).is_running);
  EXPECT_FALSE(format_front_status({{"state", "stopped"}}).is_running);
}

TEST(RelayStatus, TheFrontSaysHowManyCame) {
  const auto shown = format_front_status(
      {{"state", "running"},
       {"pid", 8},
       {"front", "0.0.0.0:7723"},
       {"connections", 2},
       {"counters", {{"opened", 9}, {"unreachable", 3}, {"refused", 4}, {"turned_away", 5}}}});
  EXPECT_TRUE(shown.is_running);
  EXPECT_EQ(shown.text,
            "front at 0.0.0.0:7723: running, pid 8\n"
            "2 connections now, 9 in all; 3 asked for a node that was not there, 4 for nothing, "
            "5 were too many\n");
}

TEST(RelayStatus, AnyJsonIsSurvivedAndNothingOfItReachesTheTerminal) {
  for (const auto* text :
       {"{}", R"({"sessions": 1, "counters": 1})", R"({"sessions": [1, {}, {"listeners": 5}]})",
        R"({"sessions": [{"listeners": [1, null, {}]}], "counters": []})"}) {
    EXPECT_FALSE(format_status(Json::parse(text)).is_running) << text;
    EXPECT_FALSE(format_front_status(Json::parse(text)).is_running) << text;
  }
  auto status = busy_status();
  status["sessions"][0]["node"] = status["sessions"][0]["listeners"][0] = "a\x1b[2Jb\nc";
  const auto text = format_status(status).text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
}

TEST(RelayStatus, IsReadBackAsWrittenAndNothingElseIs) {
  const test::TemporaryDirectory folder;
  const std::string path = folder / "relay.json";
  ASSERT_TRUE(ssh::write_status(path, busy_status()));
  EXPECT_EQ(*read_status(path), busy_status());
  for (const auto* text : {"", "{", "[]", "{}", "\xff"}) {
    std::ofstream(path) << text;
    ASSERT_FALSE(read_status(path)) << text;
    EXPECT_EQ(read_status(path).error().code, 1846);
  }
  EXPECT_EQ(read_status(folder / "nothing").error().code, 1846);
}

TEST(RelayStatus, ARelayThatHasJustOpenedDescribesItself) {
  const test::TemporaryDirectory folder;
  NodeSettings settings;
  settings.relay.ssh_host = "127.0.0.1";
  settings.relay.ssh_port = 0;
  settings.relay.allow_file = folder / "relay_keys";
  settings.relay.socket_dir = folder / "relay";
  std::ofstream(settings.relay.allow_file)
      << "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + std::string(43, 'a') + " n1\n";
  auto key = ssh::Key::load_or_create(folder / "host_key");
  ASSERT_TRUE(key) << key.error().to_string();
  const std::string pin = key->pin();
  SshHalf half(settings, std::move(*key));
  const auto opened = half.open();
  ASSERT_TRUE(opened) << opened.error().to_string();
  const auto status =
      describe_status({"127.0.0.1:7722", pin, 4711, 1'000, true}, half, bus::boot_now());
  EXPECT_EQ(status["schema"], 1);
  EXPECT_EQ(status["keys"], 1);
  EXPECT_EQ(status["strangers"], 0);
  EXPECT_EQ(status["host_key"], pin);
  EXPECT_EQ(status["sessions"], Json::array());
  for (const auto& [name, count] : status["counters"].items()) EXPECT_EQ(count, 0) << name;
  EXPECT_TRUE(format_status(status).is_running);
}

}  // namespace
}  // namespace riftbus::relay
