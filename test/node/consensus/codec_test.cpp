// Bytes to messages and back, and nothing else from any bytes.
#include "node/consensus/codec.h"

#include <gtest/gtest.h>

#include "config/random.h"

namespace riftbus::consensus {

namespace {

Configuration three_servers() {
  return {Generation(2),
          {{ServerId(0xFFFFFFFFFFFFFFFFU), Standing::voter, 7},
           {ServerId(3), Standing::learner, 0},
           {ServerId(5), Standing::voter, 1}}};
}

std::vector<Message> samples() {
  const SnapshotMeta meta{Index(70), Term(4), LogTime(123456), three_servers()};
  const auto entry = [](std::uint64_t index, EntryKind kind, std::string payload) {
    return keep(Entry{Index(index), Term(4), kind, LogTime(1000 + index), payload});
  };
  Append append{Index(6), Term(3), Index(5), Index(9), 12, {}};
  append.entries = {entry(7, EntryKind::noop, ""),
                    entry(8, EntryKind::command, std::string(1, '\0')),
                    entry(9, EntryKind::configuration, encode_configuration(three_servers()))};
  std::vector<MessageBody> bodies{VoteRequest{true, true, Term(5), Index(9), Term(4)},
                                  VoteAnswer{false, true, Term(5), Index(3), Term(2)},
                                  append,
                                  AppendAnswer{Index(9), 12, true, Index(8), Index(7), Term(3)},
                                  SnapshotChunk{meta, 100, 200, std::string(100, 'z')},
                                  SnapshotAnswer{Index(70), Term(4), 200},
                                  TimeoutNow{}};
  std::vector<Message> result;
  for (MessageBody& body : bodies) {
    result.push_back(Message{ClusterKey(0xABCDEF0123456789U), Generation(2), ServerId(1),
                             ServerId(5), Term(4), std::move(body), RecoveryMark(77)});
  }
  return result;
}

TEST(ConsensusCodec, EveryMessageComesBackAsItWas) {
  for (const Message& message : samples()) {
    const std::string bytes = encode(message);
    const auto back = decode(bytes);
    ASSERT_TRUE(back.has_value()) << to_string(message);
    EXPECT_EQ(to_string(*back), to_string(message));
    EXPECT_EQ(encode(*back), bytes);
    EXPECT_EQ(back->cluster, message.cluster);
    EXPECT_EQ(back->mark, message.mark);
  }
}

TEST(ConsensusCodec, RefusesEveryCutAndSurvivesEveryFlip) {
  for (const Message& message : samples()) {
    const std::string bytes = encode(message);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode(std::string_view(bytes).substr(0, size)).has_value());
    }
    EXPECT_FALSE(decode(bytes + "\xc0").has_value());
    for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
      std::string flipped = bytes;
      flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
      const auto back = decode(flipped);
      if (back) {
        EXPECT_EQ(to_string(*decode(encode(*back))), to_string(*back));
      }
    }
  }
}

TEST(ConsensusCodec, SurvivesRandomBytes) {
  Random random(5);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random.below(80), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.next());
    if (decode(bytes) || decode_configuration(bytes)) ++accepted;
  }
  EXPECT_EQ(accepted, 0);
}

TEST(ConsensusCodec, TheLargestMessagesStayWithinTheBound) {
  Message message = samples()[2];
  auto& append = std::get<Append>(message.body);
  append.entries.clear();
  const auto largest = [](std::size_t bytes) {
    return keep(Entry{Index(~0ULL), Term(~0ULL), EntryKind::command, LogTime(~0ULL),
                      std::string(bytes, 'x')});
  };
  for (std::size_t left = kAppendBytesMax; left > kEntryOverheadBytes + 100;
       left -= kEntryOverheadBytes + 100) {
    append.entries.push_back(largest(100));
  }
  EXPECT_LE(encode(message).size(), kConsensusMessageBytesMax);
  append.entries = {largest(kEntryBytesMax)};
  EXPECT_LE(encode(message).size(), kConsensusMessageBytesMax);
  EXPECT_TRUE(decode(encode(message)).has_value());
  append.entries = {largest(kEntryBytesMax + 1)};
  EXPECT_FALSE(decode(encode(message)).has_value());
  std::vector<Server> servers;
  for (std::uint64_t i = 0; i < kServersMax; ++i) {
    servers.push_back({ServerId(~0ULL - i), i == 0 ? Standing::voter : Standing::learner, ~0U});
  }
  const SnapshotMeta meta{Index(~0ULL), Term(~0ULL), LogTime(~0ULL),
                          Configuration(Generation(~0ULL), servers)};
  message.body = SnapshotChunk{meta, 0, kSnapshotBytesMax, std::string(kChunkBytesMax, 'x')};
  EXPECT_LE(encode(message).size(), kConsensusMessageBytesMax);
  EXPECT_TRUE(decode(encode(message)).has_value());
}

TEST(ConsensusCodec, RefusesConfigurationsThatCannotBe) {
  const auto refused = [](const Configuration& configuration) {
    return !decode_configuration(encode_configuration(configuration)).has_value();
  };
  EXPECT_TRUE(refused(Configuration(Generation(1), {{ServerId(1), Standing::learner, 0}})));
  EXPECT_TRUE(refused(Configuration(Generation(1), {{ServerId(), Standing::voter, 0}})));
  EXPECT_TRUE(refused(Configuration()));
  std::vector<Server> many;
  for (std::uint64_t i = 1; i <= kVotersMax + 1; ++i)
    many.push_back({ServerId(i), Standing::voter, 0});
  EXPECT_TRUE(refused(Configuration(Generation(1), many)));
  EXPECT_FALSE(refused(three_servers()));
}

TEST(ConsensusCodec, EntriesAndSnapshotsComeBackFromDisk) {
  const Entry entry{Index(3), Term(2), EntryKind::command, LogTime(9), std::string_view("a\0b", 3)};
  const std::string encoded = encode_entry(entry);
  EXPECT_EQ(decode_entry(encoded), entry);
  const SnapshotMeta meta{Index(70), Term(4), LogTime(1), three_servers()};
  EXPECT_EQ(decode_snapshot_meta(encode_snapshot_meta(meta)), meta);
  EXPECT_EQ(decode_snapshot_meta(encode_snapshot_meta(SnapshotMeta())), SnapshotMeta());
  EXPECT_FALSE(decode_entry("\x93\x01\x02\x03").has_value());
}

}  // namespace

}  // namespace riftbus::consensus
