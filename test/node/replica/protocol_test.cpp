#include "node/replica/protocol.h"

#include <gtest/gtest.h>

#include "test/node/replica/stand.h"

namespace riftbus::replica {
namespace {

TEST(Protocol, GivesBackWhatWasWritten) {
  const work::Renewal renewal{
      node("w1"),
      {{{work::WorkId(3), work::Fence(99)}, 40, "at 7"}, {{work::WorkId(4), {}}, 0, ""}}};
  EXPECT_EQ(decode_renewal(encode_renewal(renewal)), renewal);

  const std::vector<work::RenewedAnswer> answers{
      {{work::WorkId(3), work::Outcome::stale, work::State::ready}, work::Order::cancel}, {}};
  EXPECT_EQ(decode_renewed(encode_renewed(answers)), answers);

  const wire::Query query{"voter.list", {{"id", "n3"}}};
  EXPECT_EQ(decode_question(encode_question(query)), query);
}

TEST(Protocol, RefusesTruncationsAndNoise) {
  const std::string bytes = encode_renewal({node("w1"), {{{work::WorkId(3), {}}, 1, "c"}}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_renewal(bytes.substr(0, size)).has_value()) << size;
  }
  Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string noise(random.below(60), '\0');
    for (char& c : noise) c = static_cast<char>(random.below(256));
    static_cast<void>(decode_renewal(noise));
    static_cast<void>(decode_renewed(noise));
    static_cast<void>(decode_question(noise));
  }
}

TEST(Protocol, RefusesMoreGrantsThanOneRenewalMayName) {
  work::Renewal renewal{node("w1"), {}};
  renewal.works.resize(kRenewalMax);
  EXPECT_TRUE(decode_renewal(encode_renewal(renewal)).has_value());
  renewal.works.emplace_back();
  EXPECT_FALSE(decode_renewal(encode_renewal(renewal)).has_value());
}

TEST(Protocol, ServersOfTheLogHaveStableNumbers) {
  EXPECT_EQ(server_id_of(node("n1")), server_id_of(node("n1")));
  EXPECT_NE(server_id_of(node("n1")), server_id_of(node("n2")));
}

}  // namespace
}  // namespace riftbus::replica
