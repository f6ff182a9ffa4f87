#include "relay/front/socks.h"

#include <gtest/gtest.h>

namespace riftbus::relay {
namespace {

using Step = SocksRequest::Step;

const std::string kGreeting("\x05\x01\x00", 3);

std::string request(const std::string& name, int number, char command = 1, char type = 3) {
  std::string bytes{5, command, 0, type, static_cast<char>(name.size())};
  bytes += name;
  bytes += static_cast<char>(number >> 8);
  bytes += static_cast<char>(number & 0xFF);
  return bytes;
}

// The code of the reply; -1: hung up without one.
int refusal_of(const std::string& bytes) {
  SocksRequest socks;
  EXPECT_EQ(socks.take(kGreeting), Step::greet);
  EXPECT_EQ(socks.take(bytes), Step::hang_up) << "not refused";
  return socks.answer().size() == 10 ? socks.answer()[1] : -1;
}

TEST(Socks, ANodeIsAskedForByNameAndNumber) {
  SocksRequest socks;
  EXPECT_EQ(socks.take(kGreeting), Step::greet);
  EXPECT_EQ(socks.answer(), std::string("\x05\x00", 2));
  EXPECT_EQ(socks.take({}), Step::more);
  EXPECT_EQ(socks.take(request("gpu-7.a_b.riftbus", 7770)), Step::ask);
  EXPECT_EQ(socks.target().node.value(), "gpu-7.a_b");
  EXPECT_EQ(socks.target().number, 7770);
  EXPECT_EQ(encode_reply(SocksReply::succeeded), std::string("\x05\x00\x00\x01\0\0\0\0\0\0", 10));
}

TEST(Socks, BytesComeInAnyPieces) {
  const std::string all = kGreeting + request("n1.riftbus", 7771);
  SocksRequest socks;
  std::string steps;
  for (const char byte : all) {
    const Step step = socks.take({&byte, 1});
    steps += step == Step::more ? '.' : step == Step::greet ? 'g' : step == Step::ask ? 'a' : '!';
  }
  EXPECT_EQ(steps, "..g................a");
  EXPECT_EQ(socks.target().number, 7771);
}

TEST(Socks, AGreetingAndARequestMayComeTogether) {
  SocksRequest socks;
  EXPECT_EQ(socks.take(kGreeting + request("n1.riftbus", 1)), Step::greet);
  EXPECT_EQ(socks.take({}), Step::ask);
}

TEST(Socks, NothingButAConnectionToANodeIsServed) {
  EXPECT_EQ(refusal_of(request("n1.riftbus", 80, 2)), 7) << "BIND";
  EXPECT_EQ(refusal_of(request("n1", 80, 3)), 7) << "UDP";
  EXPECT_EQ(refusal_of(std::string("\x05\x01\x00\x01\x7f\0\0\x01\x1f\x90", 10)), 8) << "IPv4";
  EXPECT_EQ(refusal_of(std::string("\x05\x01\x00\x04", 4) + std::string(18, '\0')), 8) << "IPv6";
  EXPECT_EQ(refusal_of(request("../../etc/x.riftbus", 80)), 4) << "no node has such a name";
  EXPECT_EQ(refusal_of(request(".riftbus", 80)), 4);
  EXPECT_EQ(refusal_of(request(std::string(120, 'a') + ".riftbus", 80)), 4);
  EXPECT_EQ(refusal_of(request("n1.riftbus", 0)), 4);
  EXPECT_EQ(refusal_of(request("n1.riftbus", 80) + "too early"), 1);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\n"), -1);
}

TEST(Socks, WhoWantsToAuthenticateIsToldThatNobodyDoes) {
  SocksRequest socks;
  EXPECT_EQ(socks.take(std::string("\x05\x01\x02", 3)), Step::hang_up);
  EXPECT_EQ(socks.answer(), "\x05\xFF");
  EXPECT_EQ(SocksRequest().take("\x04\x01"), Step::hang_up) << "SOCKS4";
}

TEST(Socks, AnEndlessRequestIsCutOff) {
  SocksRequest socks;
  EXPECT_EQ(socks.take(std::string("\x05\xff", 2)), Step::more);
  EXPECT_EQ(socks.take(std::string(SocksRequest::kRequestBytesMax, '\x01')), Step::hang_up);
  EXPECT_EQ(socks.take("more"), Step::hang_up);
}

}  // namespace
}  // namespace riftbus::relay
