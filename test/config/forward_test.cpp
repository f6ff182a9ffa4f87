#include "config/forward.h"

#include <gtest/gtest.h>

#include <string>

#include "test/config/identities.h"

namespace riftbus {
namespace {

constexpr auto kReverse = ForwardSide::reverse;
constexpr auto kLocal = ForwardSide::local;

struct Good {
  const char* text;
  ForwardSide side;
  const char* read_back;
};

class GoodForward : public testing::TestWithParam<Good> {};

TEST_P(GoodForward, IsReadAndWrittenBack) {
  const auto& [text, side, read_back] = GetParam();
  const auto forward = parse_forward(text, side);
  ASSERT_TRUE(forward) << forward.error().to_string();
  EXPECT_EQ(forward->to_string(), read_back);
  EXPECT_EQ(*parse_forward(forward->to_string(), side), *forward);
}

INSTANTIATE_TEST_SUITE_P(
    Examples, GoodForward,
    testing::Values(
        Good{"21017:127.0.0.1:7770", kReverse, "127.0.0.1:21017:127.0.0.1:7770"},
        Good{"0.0.0.0:21017:10.0.0.5:80", kReverse, "0.0.0.0:21017:10.0.0.5:80"},
        Good{"*:21017:10.0.0.5:80", kReverse, "*:21017:10.0.0.5:80"},
        Good{"0:127.0.0.1:7770", kReverse, "127.0.0.1:0:127.0.0.1:7770"},
        Good{"21018:127.0.0.1:7771@bulk", kReverse, "127.0.0.1:21018:127.0.0.1:7771@bulk"},
        Good{"21018:127.0.0.1:7771@control", kReverse, "127.0.0.1:21018:127.0.0.1:7771"},
        Good{"21019:/run/app.sock", kReverse, "127.0.0.1:21019:/run/app.sock"},
        Good{"localhost:1:node-3.example.net:2", kReverse, "localhost:1:node-3.example.net:2"},
        Good{"7100:127.0.0.1:7770", kLocal, "127.0.0.1:7100:127.0.0.1:7770"},
        Good{"/run/a.sock:10.0.0.9:22", kLocal, "/run/a.sock:10.0.0.9:22"},
        Good{"/run/a.sock:/run/b.sock", kLocal, "/run/a.sock:/run/b.sock"},
        Good{"[::1]:7100:[::1]:7770", kLocal, "[::1]:7100:[::1]:7770"},
        Good{"[::]:7100:[2001:db8::7]:7770@bulk", kLocal, "[::]:7100:[2001:db8::7]:7770@bulk"}));

struct Bad {
  const char* text;
  ForwardSide side;
  int column;
  const char* expected;
};

class BadForward : public testing::TestWithParam<Bad> {};

TEST_P(BadForward, IsRefusedWithItsColumn) {
  const auto& [text, side, column, expected] = GetParam();
  const auto forward = parse_forward(text, side);
  ASSERT_FALSE(forward) << forward->to_string();
  EXPECT_EQ(forward.error().code, 1800);
  const std::string& what = forward.error().what;
  EXPECT_TRUE(what.ends_with(" at column " + std::to_string(column))) << what;
  EXPECT_NE(what.find(expected), std::string::npos) << what;
  EXPECT_NE(forward.error().next.find("as ssh does"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, BadForward,
    testing::Values(Bad{"", kReverse, 1, "expected a listener"},
                    Bad{"21017", kReverse, 6, "expected a listener"},
                    Bad{"21017:127.0.0.1", kReverse, 16, "expected a listener"},
                    Bad{"21017:127.0.0.1:", kReverse, 17, "expected a port"},
                    Bad{"21017:127.0.0.1:0", kReverse, 17, "expected a port"},
                    Bad{"21017:127.0.0.1:65536", kReverse, 17, "expected a port"},
                    Bad{"0:127.0.0.1:7770", kLocal, 1, "expected a port"},
                    Bad{"x:127.0.0.1:7770", kReverse, 1, "expected a port"},
                    Bad{"21017::7770", kReverse, 7, "expected a host"},
                    Bad{"21017:0.0.0.0:7770", kReverse, 7, "expected a host"},
                    Bad{"21017:-x:7770", kReverse, 7, "expected a host"},
                    Bad{":21017:127.0.0.1:7770", kReverse, 1, "expected an address"},
                    Bad{"1:2:3:4:5", kReverse, 8, "expected the end"},
                    Bad{"h:1:2:/p", kReverse, 6, "expected the end"},
                    Bad{"/a:b:/c", kLocal, 5, "expected the end"},
                    Bad{"/run/a.sock:127.0.0.1:7770", kReverse, 1, "libssh"},
                    Bad{"[::1:1:2:3", kLocal, 1, "expected ]"},
                    Bad{"[::1]1:h:3", kLocal, 6, "expected :"},
                    Bad{"[h]:1:h:3", kLocal, 1, "expected an address"},
                    Bad{"1:h:[3]", kLocal, 5, "expected a port"},
                    Bad{"1:[/a:b]", kLocal, 9, "expected a listener"},
                    Bad{"[/a:b]:h:3", kLocal, 1, "expected a port"},
                    Bad{"1:[fe80::1%a:b]:3", kLocal, 3, "expected a host"},
                    Bad{"1:h:3@fast", kLocal, 7, "expected control or bulk"},
                    Bad{"1:h@x:3@bulk", kLocal, 4, "one class only"},
                    Bad{"1:h:3 ", kLocal, 6, "no blank"}));

TEST(Forward, RefusesWhatDoesNotFitASocketAddress) {
  const std::string long_path = "/" + std::string(kSocketPathBytesMax, 'a');
  EXPECT_FALSE(parse_forward("1:" + long_path, kReverse));
  EXPECT_TRUE(parse_forward("1:" + long_path.substr(1).replace(0, 1, "/"), kReverse));
  EXPECT_FALSE(parse_forward(std::string(kForwardBytesMax + 1, '1'), kReverse));
}

TEST(TunnelServer, IsReadAndWrittenBack) {
  const auto server = parse_tunnel_server("mesh@[2001:db8::7]:7722#" + kPin + "#" + kPin);
  ASSERT_TRUE(server) << server.error().to_string();
  EXPECT_EQ(server->user, "mesh");
  EXPECT_EQ(server->host, "2001:db8::7");
  EXPECT_EQ(server->port, 7722);
  EXPECT_EQ(server->pins.size(), 2U);
  EXPECT_EQ(*parse_tunnel_server(server->to_string()), *server);
}

TEST(TunnelServer, OfTheGreatestLengthIsWrittenBackWithItsPort) {
  const std::string label(63, 'h');
  std::string text = std::string(64, 'u') + "@";
  for (int i = 0; i < 3; ++i) text += label + ".";
  text += label.substr(2);
  for (std::size_t i = 0; i < kServerPinsMax; ++i) text += "#" + kPin;
  const auto server = parse_tunnel_server(text);
  ASSERT_TRUE(server) << server.error().to_string();
  const auto again = parse_tunnel_server(server->to_string());
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_EQ(*again, *server);
}

TEST(TunnelServer, HasSshsPortAndNoUserUnlessWritten) {
  const auto server = parse_tunnel_server("relay.example.net#" + kPin);
  ASSERT_TRUE(server);
  EXPECT_EQ(server->address(), "relay.example.net:22");
  EXPECT_TRUE(server->user.empty());
}

TEST(TunnelServer, WithoutAPinIsRefusedAndToldWhereToFindIt) {
  const auto server = parse_tunnel_server("relay.example.net:22");
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, 1802);
  EXPECT_NE(server.error().next.find("ssh-keygen -lf"), std::string::npos);
}

TEST(TunnelServer, RefusesWhatIsNotOne) {
  for (const std::string text :
       {"", "#", "@", "a@b@c:1", "h:0", "0.0.0.0", "http://h:1", "h:1:2"}) {
    const auto server = parse_tunnel_server(text + "#" + kPin);
    ASSERT_FALSE(server) << text;
    EXPECT_EQ(server.error().code, 1801) << text;
  }
  EXPECT_EQ(parse_tunnel_server("h#MD5:00").error().code, 1801);
  EXPECT_EQ(parse_tunnel_server("h#" + kPin + "A").error().code, 1801);
  EXPECT_EQ(parse_tunnel_server("h#" + kPin + "#").error().code, 1801);
}

}  // namespace
}  // namespace riftbus
