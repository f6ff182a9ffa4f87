#include "bus/seal.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "test/bus/vocabulary.h"

namespace riftbus::bus {
namespace {

using test::id_of;

const NodeId kHost = id_of("host");
const NodeId kCaller = id_of("caller");

struct Sealed : testing::Test {
  KeyPair host_keys = KeyPair::generate();
  KeyPair caller_keys = KeyPair::generate();
  std::optional<SealHost> host{std::in_place, host_keys, kHost};
  SealCaller caller{caller_keys, kCaller, kHost};
  std::vector<CurveKey> listed{caller_keys.public_key};

  SealHost::Opened open(const std::string& post) {
    const auto decoded = wire::decode_post(post);
    return decoded ? host->open(*decoded, listed) : SealHost::Opened(SealRefusal::malformed);
  }
  // What a hello is answered with; empty: it was refused.
  std::string welcome(const std::string& hello) {
    const auto opened = open(hello);
    const auto* answer = std::get_if<SealHost::Welcome>(&opened);
    return answer == nullptr ? "" : answer->answer;
  }
  void meet() { ASSERT_TRUE(caller.on_welcome(welcome(caller.hello(host_keys.public_key)))); }
  std::string plain_of(const SealHost::Opened& opened) {
    const auto* letter = std::get_if<SealHost::Letter>(&opened);
    return letter == nullptr ? "(refused)" : letter->plain;
  }
  SealRefusal refusal_of(const SealHost::Opened& opened) {
    EXPECT_TRUE(std::holds_alternative<SealRefusal>(opened));
    const auto* refusal = std::get_if<SealRefusal>(&opened);
    return refusal == nullptr ? SealRefusal::malformed : *refusal;
  }
};

TEST_F(Sealed, WhatOneSaysTheOtherReadsAndAnswers) {
  meet();
  for (const std::string text : {"first", "", "third"}) {
    const auto post = caller.seal(text);
    EXPECT_TRUE(text.empty() || post.find(text) == std::string::npos);
    const auto opened = open(post);
    ASSERT_EQ(plain_of(opened), text);
    const auto number = std::get<SealHost::Letter>(opened).number;
    EXPECT_EQ(caller.open(host->answer(kCaller, number, "to " + text)), "to " + text);
  }
}

TEST_F(Sealed, NobodyReadsTheSamePostTwice) {
  meet();
  const auto first = caller.seal("one");
  ASSERT_EQ(plain_of(open(first)), "one");
  EXPECT_EQ(refusal_of(open(first)), SealRefusal::replayed);
  ASSERT_EQ(plain_of(open(caller.seal("two"))), "two");
  EXPECT_EQ(refusal_of(open(first)), SealRefusal::replayed);
}

TEST_F(Sealed, AnOldSessionOpensNoSecondTime) {
  meet();
  const auto old = caller.seal("old");  // with its vow
  ASSERT_EQ(plain_of(open(old)), "old");
  meet();
  ASSERT_EQ(plain_of(open(caller.seal("new"))), "new");
  EXPECT_EQ(refusal_of(open(old)), SealRefusal::replayed);
}

TEST_F(Sealed, RecordedHellosEndNoSession) {
  const auto hello = caller.hello(host_keys.public_key);
  ASSERT_TRUE(caller.on_welcome(welcome(hello)));
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(welcome(hello).empty());
  EXPECT_EQ(plain_of(open(caller.seal("still here"))), "still here");
}

TEST_F(Sealed, AnotherLifeOfTheHostKnowsNoSession) {
  meet();
  const auto post = caller.seal("to the first life");
  host.emplace(host_keys, kHost);
  EXPECT_EQ(refusal_of(open(post)), SealRefusal::no_session);
  ASSERT_EQ(caller.open(post), std::nullopt);
  meet();
  EXPECT_EQ(plain_of(open(caller.seal("to the second"))), "to the second");
}

TEST_F(Sealed, AStrangerAndARevokedMemberAreRefusedWhateverTheyHave) {
  meet();
  ASSERT_EQ(plain_of(open(caller.seal("listed"))), "listed");
  listed.clear();
  EXPECT_EQ(refusal_of(open(caller.seal("revoked"))), SealRefusal::stranger);
  EXPECT_TRUE(welcome(caller.hello(host_keys.public_key)).empty());
}

TEST_F(Sealed, WhoIsListedAgainIsNotMimickedWithItsOldPosts) {
  const auto hello = caller.hello(host_keys.public_key);
  ASSERT_TRUE(caller.on_welcome(welcome(hello)));
  const auto old = caller.seal("old");  // with its vow
  ASSERT_EQ(plain_of(open(old)), "old");
  const auto was_listed = std::exchange(listed, {});
  EXPECT_EQ(refusal_of(open(caller.seal("while away"))), SealRefusal::stranger);
  listed = was_listed;
  EXPECT_FALSE(welcome(hello).empty());
  EXPECT_EQ(refusal_of(open(old)), SealRefusal::replayed);
}

TEST_F(Sealed, ASessionEndsWithTheKeyThatBeganIt) {
  meet();
  ASSERT_EQ(plain_of(open(caller.seal("old key"))), "old key");
  const KeyPair next = KeyPair::generate();
  listed = {next.public_key};
  EXPECT_NE(plain_of(open(caller.seal("old key still"))), "old key still");
  SealCaller rotated(next, kCaller, kHost);
  ASSERT_TRUE(rotated.on_welcome(welcome(rotated.hello(host_keys.public_key))));
  EXPECT_EQ(plain_of(open(rotated.seal("new key"))), "new key");
}

TEST_F(Sealed, OneMemberCannotPoseAsAnother) {
  const KeyPair other_keys = KeyPair::generate();
  SealCaller liar(other_keys, kCaller, kHost);  // a member's key, but not this member's
  EXPECT_TRUE(welcome(liar.hello(host_keys.public_key)).empty());
  meet();
  auto post = wire::decode_post(caller.seal("mine")).value();
  post.from = id_of("other");
  const std::vector<CurveKey> others{other_keys.public_key};
  EXPECT_EQ(refusal_of(host->open(post, others)), SealRefusal::forged);
}

TEST_F(Sealed, WhatTheHostSaidIsNoPostWhenItIsSentBack) {
  const auto answer = wire::decode_answer(welcome(caller.hello(host_keys.public_key))).value();
  wire::Post mirror;
  mirror.kind = wire::PostKind::hello;
  mirror.from = kCaller;
  mirror.session = std::string(32, 'x');
  mirror.box = answer.box;
  EXPECT_EQ(refusal_of(host->open(mirror, listed)), SealRefusal::forged);
}

TEST_F(Sealed, AWelcomeOfAnotherHostOrToAnotherHelloIsNone) {
  const KeyPair wrong = KeyPair::generate();
  EXPECT_TRUE(welcome(caller.hello(wrong.public_key)).empty());  // sealed for somebody else
  const auto old = welcome(caller.hello(host_keys.public_key));
  static_cast<void>(caller.hello(host_keys.public_key));
  EXPECT_FALSE(caller.on_welcome(old));
  EXPECT_FALSE(caller.ready());
}

TEST_F(Sealed, AnAnswerFitsItsPostOnly) {
  meet();
  ASSERT_EQ(plain_of(open(caller.seal("one"))), "one");
  const auto late = host->answer(kCaller, 1, "to one");
  ASSERT_EQ(plain_of(open(caller.seal("two"))), "two");
  EXPECT_EQ(caller.open(late), std::nullopt);
  EXPECT_EQ(caller.open(host->answer(kCaller, 2, "to two")), "to two");
}

TEST_F(Sealed, NoByteMayBeChangedOnTheWay) {
  meet();
  const auto post = caller.seal("whole");
  for (std::size_t at = 0; at < post.size(); ++at) {
    std::string bent = post;
    bent[at] = static_cast<char>(bent[at] ^ 0x20);
    EXPECT_EQ(plain_of(open(bent)), "(refused)") << at;
  }
  EXPECT_EQ(plain_of(open(post)), "whole");
}

TEST(Base64, ReadsWhatItWroteAndNothingElse) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 37);
    EXPECT_EQ(from_base64(to_base64(bytes), 40), bytes);
  }
  EXPECT_EQ(from_base64(to_base64(std::string(41, 'x')), 40), std::nullopt);
  for (const char* text : {"a", "ab", "abc", "ab=c", "ab c", "####", "YWJj\n"}) {
    EXPECT_EQ(from_base64(text, 40), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace riftbus::bus
