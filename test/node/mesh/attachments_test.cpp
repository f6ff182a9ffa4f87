#include "node/mesh/attachments.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "test/node/temp_folder.h"

namespace riftbus::node {
namespace {

using Addresses = std::vector<wire::Address>;

wire::Address relay_at(const std::string& host) {
  return {wire::AddressKind::relay, host, 7723, 7723};
}

std::string link(const std::string& state, const std::string& server, const std::string& numbers) {
  return R"({"class": "control", "state": ")" + state + R"(", "server": ")" + server +
         R"(", "forwards": [)" + numbers + "]}";
}
const std::string kBoth =
    R"({"side": "reverse", "server_port": 7770}, {"side": "reverse", "server_port": 7771})";

std::string status(const std::string& links, int pid = ::getpid(), const char* state = "running") {
  return R"({"schema": 1, "state": ")" + std::string(state) + R"(", "pid": )" +
         std::to_string(pid) + R"(, "links": [)" + links + "]}";
}
Addresses found(const std::string& text) {
  return relayed_addresses({read_tunnel("tunnel.json", text)}, {}, 7723);
}

RelayPlace place(const std::string& name, const std::vector<std::string>& hosts) {
  RelayPlace relay;
  relay.id = *NodeId::parse(name);
  relay.hosts = hosts;
  relay.front_port = 7733;
  return relay;
}

TEST(Attachments, ASessionThatIsUpAndHasBothNumbersIsAWayHere) {
  EXPECT_EQ(found(status(link("up", "192.0.2.24:7722", kBoth))), Addresses{relay_at("192.0.2.24")});
  EXPECT_EQ(found(status(link("up", "[2001:db8::1]:7722", kBoth))),
            Addresses{relay_at("2001:db8::1")});
  EXPECT_EQ(found(status(link("up", "192.0.2.24:22", kBoth) + "," +
                         link("up", "relay.example.net:22", kBoth)))
                .size(),
            2u);
}

TEST(Attachments, AnythingLessIsNone) {
  EXPECT_TRUE(found(status(link("backoff", "192.0.2.24:7722", kBoth))).empty());
  EXPECT_TRUE(found(status(link("up", "192.0.2.24:7722", R"({"server_port": 7770})"))).empty());
  EXPECT_TRUE(found(status(link("up", "", kBoth))).empty());
  EXPECT_TRUE(found(status(link("up", "192.0.2.24:22", kBoth), ::getpid(), "stopped")).empty());
  // Killed, so it could not say that it stopped. No process has this number on Linux.
  EXPECT_TRUE(found(status(link("up", "192.0.2.24:22", kBoth), 0x7FFFFFFF)).empty());
  for (const char* text :
       {"", "{", "[]", "{}", "null", R"({"state": 1, "pid": "x", "links": 7})",
        R"({"state": "running", "pid": 1, "links": [7, {}, {"forwards": [1]}]})"}) {
    EXPECT_TRUE(found(text).empty()) << text;
  }
}

TEST(Attachments, EveryTunnelOfTheFolderIsRead) {
  const TempFolder folder;
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder.file(name)) << text;
  };
  write("tunnel.json", status(link("up", "192.0.2.24:7722", kBoth)));
  write("tunnel-2.json", status(link("up", "198.51.100.7:7722", kBoth)));
  write("tunnel-same.json", status(link("up", "192.0.2.24:7722", kBoth)));
  write("other.json", status(link("up", "203.0.113.9:7722", kBoth)));
  const auto tunnels = read_tunnels(folder.file(""));
  ASSERT_EQ(tunnels.size(), 3u);
  EXPECT_EQ(tunnels[0].file, "tunnel-2.json");
  EXPECT_EQ(relayed_addresses(tunnels, {}, 7723),
            (Addresses{relay_at("198.51.100.7"), relay_at("192.0.2.24")}));
  EXPECT_TRUE(read_tunnels(folder.file("nowhere")).empty());
}

TEST(Attachments, OfARelayThatIsKnownTheOtherHostsLeadHereToo) {
  const auto tunnel = read_tunnel("tunnel.json", status(link("up", "100.64.0.1:7722", kBoth)));
  EXPECT_EQ(tunnel.ways, std::vector<std::string>{"100.64.0.1"});
  const auto relay = place("r1", {"192.0.2.24", "100.64.0.1", "198.51.100.9"});
  const wire::AddressKind kind = wire::AddressKind::relay;
  EXPECT_EQ(relayed_addresses({tunnel}, {relay}, 7723),
            (Addresses{{kind, "100.64.0.1", 7733, 7733}, {kind, "192.0.2.24", 7733, 7733}}));
}

TEST(Attachments, ARelayOfThisHostIsReadWhileItRuns) {
  const TempFolder folder;
  const std::string path = folder.file("relay.json");
  EXPECT_EQ(read_relay(path), "{}");
  std::ofstream(path) << status("");
  EXPECT_NE(read_relay(path), "{}");
  std::ofstream(path) << status("", ::getpid(), "stopped");
  EXPECT_EQ(read_relay(path), "{}");
  std::ofstream(path) << "garbage";
  EXPECT_EQ(read_relay(path), "{}");
}

}  // namespace
}  // namespace riftbus::node
