#include "bus/secure_buffers.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "bus/keys.h"

namespace riftbus::bus {
namespace {

class SecureBuffers : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_GE(sodium_init(), 0);
    pool_secure_buffers();
    before_ = count_secure_buffers();
  }
  SecureBufferCounts before_;
};

TEST_F(SecureBuffers, ComeFromThePoolAndGoBackWiped) {
  auto* first = static_cast<unsigned char*>(sodium_malloc(100));
  ASSERT_NE(first, nullptr);
  std::memset(first, 0x5a, 100);
  EXPECT_EQ(count_secure_buffers().in_use, before_.in_use + 1);
  sodium_free(first);
  EXPECT_EQ(count_secure_buffers().in_use, before_.in_use);
  EXPECT_EQ(count_secure_buffers().pooled, before_.pooled + 1);
  EXPECT_TRUE(std::all_of(first, first + 100, [](unsigned char byte) { return byte == 0; }));
}

TEST_F(SecureBuffers, TooLargeOnesAreLibsodiumsOwn) {
  const std::size_t bytes = kLargeBufferBytes + 1;
  auto* buffer = static_cast<unsigned char*>(sodium_allocarray(bytes, 1));
  ASSERT_NE(buffer, nullptr);
  std::memset(buffer, 1, bytes);
  EXPECT_EQ(count_secure_buffers().handed_on, before_.handed_on + 1);
  EXPECT_EQ(sodium_mprotect_readonly(buffer), 0) << "only libsodium's own have guard pages";
  sodium_free(buffer);
}

TEST_F(SecureBuffers, WhenAllSlotsAreTakenLibsodiumHelpsOut) {
  std::vector<void*> taken;
  for (std::size_t i = 0; i < kSmallBuffers + kLargeBuffers + 3; ++i) {
    taken.push_back(sodium_malloc(kSmallBufferBytes));
    ASSERT_NE(taken.back(), nullptr);
    std::memset(taken.back(), static_cast<int>(i), kSmallBufferBytes);
  }
  EXPECT_GE(count_secure_buffers().handed_on, before_.handed_on + 3);
  for (std::size_t i = 0; i < taken.size(); ++i) {
    const auto* bytes = static_cast<const unsigned char*>(taken[i]);
    EXPECT_EQ(bytes[0], i) << "nobody shares a buffer";
    EXPECT_EQ(bytes[kSmallBufferBytes - 1], i);
    sodium_free(taken[i]);
  }
  EXPECT_EQ(count_secure_buffers().in_use, before_.in_use);
}

TEST_F(SecureBuffers, AnImpossibleSizeIsRefused) {
  volatile std::size_t huge = SIZE_MAX / 2;
  EXPECT_EQ(sodium_allocarray(huge, 3), nullptr);
  sodium_free(nullptr);
}

TEST_F(SecureBuffers, ManyThreadsNeverShareOne) {
  std::vector<std::thread> threads;
  std::atomic<int> spoilt{0};
  for (int t = 1; t <= 4; ++t) {
    threads.emplace_back([t, &spoilt] {
      for (int round = 0; round < 20'000; ++round) {
        const std::size_t size = round % 3 == 0 ? 2000 : 64;
        auto* buffer = static_cast<unsigned char*>(sodium_malloc(size));
        std::memset(buffer, t, size);
        if (buffer[0] != t || buffer[size / 2] != t || buffer[size - 1] != t) ++spoilt;
        sodium_free(buffer);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(spoilt.load(), 0);
  EXPECT_EQ(count_secure_buffers().in_use, before_.in_use);
}

// If this fails, the program's symbols no longer go before libsodium's, and joins are slow again.
TEST_F(SecureBuffers, LibzmqTakesThemForEveryCurveMessage) {
  zmq::context_t context;
  const auto keys = KeyPair::generate();
  zmq::socket_t server(context, zmq::socket_type::rep);
  zmq::socket_t client(context, zmq::socket_type::req);
  server.set(zmq::sockopt::linger, 0);
  client.set(zmq::sockopt::linger, 0);
  server.set(zmq::sockopt::rcvtimeo, 20'000);
  make_server(server, keys);
  make_client(client, keys, keys.public_key);
  server.bind("tcp://127.0.0.1:*");
  client.connect(server.get(zmq::sockopt::last_endpoint));
  client.send(zmq::buffer(std::string("hello")), zmq::send_flags::none);
  zmq::message_t heard;
  ASSERT_TRUE(server.recv(heard).has_value());
  EXPECT_EQ(heard.to_string(), "hello");
  EXPECT_GT(count_secure_buffers().pooled, before_.pooled + 4);
}

}  // namespace
}  // namespace riftbus::bus
