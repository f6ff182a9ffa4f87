#include "node/disk/peer_cache.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "test/node/temp_folder.h"
#include "test/node/vocabulary.h"

namespace riftbus::node {
namespace {

wire::Address address(const std::string& host) {
  return {wire::AddressKind::public_ip, host, 7770, 7771};
}

class PeerCacheTest : public ::testing::Test {
 protected:
  std::unique_ptr<PeerCache> open(PeerCache::Limits limits = {}) {
    return std::move(PeerCache::open(path_, limits, note_)).value();
  }

  TempFolder folder_;
  std::string path_ = folder_.file("peers.db");
  std::string note_;
};

TEST_F(PeerCacheTest, RemembersAddressesOverARestart) {
  ASSERT_TRUE(open()->save({{id("a"), {address("192.0.2.1")}, true, false}}, 1000).ok());
  const auto peers = open()->load(1000).value();
  ASSERT_EQ(peers.size(), 1U);
  EXPECT_EQ(peers[0].id, id("a"));
  EXPECT_EQ(peers[0].addresses, std::vector{address("192.0.2.1")});
  EXPECT_EQ(peers[0].successes, 1U);
}

TEST_F(PeerCacheTest, ReputationIsAMovingAverageWithAlphaAFifth) {
  const auto cache = open();
  ASSERT_TRUE(cache->save({{id("a"), {address("192.0.2.1")}, true, false}}, 1000).ok());
  EXPECT_DOUBLE_EQ(cache->load(1000).value()[0].reputation, 0.6);
  ASSERT_TRUE(cache->save({{id("a"), {}, false, false}}, 1001).ok());
  EXPECT_DOUBLE_EQ(cache->load(1001).value()[0].reputation, updated_reputation(0.6, false));
  EXPECT_EQ(cache->load(1001).value()[0].failures, 1U);
}

TEST_F(PeerCacheTest, AFailureKeepsTheLastKnownAddresses) {
  const auto cache = open();
  ASSERT_TRUE(cache->save({{id("a"), {address("192.0.2.1")}, true, false}}, 1000).ok());
  ASSERT_TRUE(cache->save({{id("a"), {}, false, false}}, 1001).ok());
  EXPECT_EQ(cache->load(1001).value()[0].addresses.size(), 1U);
}

TEST_F(PeerCacheTest, AsksSeedsFirstAndThenTheBestReputation) {
  const auto cache = open();
  ASSERT_TRUE(cache
                  ->save({{id("bad"), {address("192.0.2.1")}, false, false},
                          {id("good"), {address("192.0.2.2")}, true, false},
                          {id("seed"), {address("192.0.2.3")}, false, true}},
                         1000)
                  .ok());
  const auto peers = cache->load(1000).value();
  ASSERT_EQ(peers.size(), 3U);
  EXPECT_EQ(peers[0].id, id("seed"));
  EXPECT_EQ(peers[1].id, id("good"));
  EXPECT_EQ(peers[2].id, id("bad"));
}

TEST_F(PeerCacheTest, DropsWhatIsOlderThanItsTimeToLive) {
  const auto cache = open({200, 100});
  ASSERT_TRUE(cache->save({{id("old"), {address("192.0.2.1")}, true, false}}, 1000).ok());
  ASSERT_TRUE(cache->save({{id("new"), {address("192.0.2.2")}, true, false}}, 1101).ok());
  const auto peers = cache->load(1101).value();
  ASSERT_EQ(peers.size(), 1U);
  EXPECT_EQ(peers[0].id, id("new"));
}

TEST_F(PeerCacheTest, KeepsTheBestWhenItIsFull) {
  const auto cache = open({3, 1000});
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(
        cache->save({{id("n" + std::to_string(i)), {address("192.0.2.1")}, i >= 3, false}}, 1000)
            .ok());
  }
  const auto peers = cache->load(1000).value();
  ASSERT_EQ(peers.size(), 3U);
  for (const auto& peer : peers) EXPECT_EQ(peer.successes, 1U) << peer.id.value();
}

TEST_F(PeerCacheTest, ARevokedPeerIsForgotten) {
  const auto cache = open();
  ASSERT_TRUE(cache->save({{id("a"), {address("192.0.2.1")}, true, false}}, 1000).ok());
  ASSERT_TRUE(cache->forget(id("a")).ok());
  EXPECT_TRUE(cache->load(1000).value().empty());
}

TEST_F(PeerCacheTest, TouchesNoDiskBeforeItsFirstSave) {
  const auto cache = open();
  EXPECT_TRUE(cache->load(1000).value().empty());
  EXPECT_TRUE(cache->forget(id("a")).ok());
  EXPECT_FALSE(std::filesystem::exists(path_));
  ASSERT_TRUE(cache->save({{id("a"), {address("192.0.2.1")}, true, false}}, 1000).ok());
  EXPECT_TRUE(std::filesystem::exists(path_));
  EXPECT_EQ(cache->load(1000).value().size(), 1U);
}

TEST_F(PeerCacheTest, AFolderThatIsGoneIsAnErrorOfTheSaveAndTheNextOneTriesAgain) {
  path_ = folder_.file("later") + "/peers.db";
  const auto cache = open();
  const auto refused = cache->save({{id("a"), {address("192.0.2.1")}, true, false}}, 1000);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, 1410);
  std::filesystem::create_directory(folder_.file("later"));
  EXPECT_TRUE(cache->save({{id("a"), {address("192.0.2.1")}, true, false}}, 1000).ok());
}

TEST_F(PeerCacheTest, ADamagedFileIsMovedAsideAndSaidAloud) {
  std::ofstream(path_) << std::string(8192, 'x');
  const auto cache = open();
  EXPECT_NE(note_.find(path_ + ".corrupt"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(path_ + ".corrupt"));
  EXPECT_TRUE(cache->save({{id("a"), {address("192.0.2.1")}, true, false}}, 1000).ok());
}

}  // namespace
}  // namespace riftbus::node
