// The codec's promises: what is written is read back, and nothing that is read does harm.
#include "bus/wire/codec.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "test/bus/wire/samples.h"

namespace riftbus::wire {
namespace {

TEST(Codec, ReadsBackEveryMessageThatItWrites) {
  Random random(20240501);
  for (int round = 0; round < 300; ++round) {
    for (std::size_t index = 0; index < kBodies; ++index) {
      const Envelope sent = random_envelope(index, random);
      const DecodeOutcome outcome = decode(encode(sent));
      ASSERT_TRUE(outcome.ok()) << to_string(outcome.reject) << ": " << to_string(sent);
      ASSERT_EQ(outcome.envelope, sent) << to_string(sent);
    }
  }
}

TEST(Codec, GivesEachMessageItsOwnKindAndName) {
  Random random(1);
  std::set<Kind> kinds;
  std::set<std::string> names;
  for (std::size_t index = 0; index < kBodies; ++index) {
    const Kind kind = kind_of(random_body(index, random));
    kinds.insert(kind);
    names.insert(to_string(kind));
  }
  EXPECT_EQ(kinds.size(), kBodies);
  EXPECT_EQ(names.size(), kBodies);
}

TEST(Codec, KeepsABeatWithin60Bytes) {
  Envelope beat;
  beat.origin = id("hetzner-4821");
  beat.instance = Instance(0xFFFFFFFFFFFFFFFF);
  beat.seq = Seq(50'000'000);
  beat.body = Beat{Incarnation(60000), 2'000'000'000, 7, 1000, 0xFFFFFFFF, RosterVersion(40000)};
  EXPECT_LE(encode(beat).size(), 60U);
}

constexpr const char* kGoldenPath = RIFTBUS_SOURCE_DIR "/test/bus/wire/golden.txt";
constexpr const char* kCorpusPath = RIFTBUS_SOURCE_DIR "/test/fuzz/corpus/codec/";

// RIFTBUS_REWRITE=1 in the environment writes the golden files anew instead of comparing.
bool rewriting() { return std::getenv("RIFTBUS_REWRITE") != nullptr; }

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// One line per message: its name and its bytes in hexadecimal. A difference means that programs
// already in the field would no longer understand this one.
TEST(Codec, WritesTheSameBytesAsEver) {
  std::string now;
  for (const Envelope& message : plain_messages()) {
    const std::string bytes = encode(message);
    now += to_string(kind_of(message.body)) + (" " + to_hex(bytes)) + "\n";
    EXPECT_EQ(decode(bytes).envelope, message);
  }
  if (rewriting()) std::ofstream(kGoldenPath) << now;
  EXPECT_EQ(read_file(kGoldenPath), now);
}

// The codec fuzzer begins with one frame of each kind.
TEST(Codec, TheFuzzCorpusHoldsEveryMessage) {
  for (const Envelope& message : plain_messages()) {
    const std::string path = kCorpusPath + std::string(to_string(kind_of(message.body)));
    if (rewriting()) std::ofstream(path, std::ios::binary) << encode(message);
    EXPECT_EQ(to_hex(read_file(path)), to_hex(encode(message))) << path;
  }
}

TEST(Codec, RejectsEveryTruncationOfEveryMessage) {
  Random random(7);
  for (std::size_t index = 0; index < kBodies; ++index) {
    for (int round = 0; round < 5; ++round) {
      const std::string whole = encode(random_envelope(index, random));
      for (std::size_t size = 0; size < whole.size(); ++size) {
        ASSERT_EQ(decode(std::string_view(whole).substr(0, size)).reject, Reject::truncated);
      }
    }
  }
}

TEST(Codec, SurvivesEveryBitFlip) {
  Random random(8);
  std::set<Reject> reasons;
  for (const Envelope& message : plain_messages()) {
    const std::string whole = encode(message);
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      std::string bent = whole;
      bent[bit / 8] = static_cast<char>(bent[bit / 8] ^ (1 << (bit % 8)));
      const DecodeOutcome outcome = decode(bent);
      reasons.insert(outcome.reject);
      if (outcome.ok()) {
        ASSERT_EQ(decode(encode(outcome.envelope)).envelope, outcome.envelope);
      }
    }
  }
  for (const Reject expected :
       {Reject::truncated, Reject::trailing_garbage, Reject::bad_type, Reject::bad_value,
        Reject::bad_id, Reject::bad_version, Reject::unknown_kind, Reject::not_msgpack}) {
    EXPECT_TRUE(reasons.contains(expected)) << to_string(expected);
  }
}

TEST(Codec, SurvivesRandomBytes) {
  Random random(9);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random.below(80), '\0');
    for (char& c : bytes) c = static_cast<char>(random.below(256));
    if (!bytes.empty() && random.chance(0.5)) bytes[0] = '\x97';
    ASSERT_FALSE(decode(bytes).ok());
  }
}

TEST(Codec, NamesEveryReason) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < kRejects; ++i) names.insert(to_string(static_cast<Reject>(i)));
  EXPECT_EQ(names.size(), kRejects);
  EXPECT_FALSE(names.contains("?"));
}

TEST(Codec, TellsTheEncodedSizeOfAClaim) {
  for (const Envelope& message : plain_messages()) {
    if (const auto* gossip = std::get_if<Gossip>(&message.body)) {
      Envelope empty = message;
      empty.body = Gossip{};
      std::size_t total = encode(empty).size();
      for (const Claim& claim : gossip->claims) total += encoded_size(claim);
      EXPECT_EQ(encode(message).size(), total);
    }
  }
}

}  // namespace
}  // namespace riftbus::wire
