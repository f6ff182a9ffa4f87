#include "bus/wire/parcel.h"

#include <gtest/gtest.h>

namespace riftbus::wire {
namespace {

Parcel sample() {
  Parcel parcel;
  parcel.listens = true;
  parcel.heard = Instance(77);
  parcel.after = Seq(1234);
  parcel.frames = {{Way::pub, "beat"}, {Way::call, std::string(300, '\0')}, {Way::answer, ""}};
  return parcel;
}

TEST(Parcel, ReadsBackAsItWasWritten) {
  EXPECT_EQ(decode_parcel(encode(sample())), sample());
  EXPECT_EQ(decode_parcel(encode(Parcel{})), Parcel{});
}

TEST(Parcel, IsReadWholeOrNotAtAll) {
  const std::string bytes = encode(sample());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(decode_parcel(bytes.substr(0, size)), std::nullopt) << size;
  }
  EXPECT_EQ(decode_parcel(bytes + "x"), std::nullopt);
}

TEST(Parcel, HasBoundedFramesOfKnownWays) {
  Parcel parcel;
  parcel.frames.resize(kParcelFramesMax);
  EXPECT_TRUE(decode_parcel(encode(parcel)).has_value());
  parcel.frames.emplace_back();
  EXPECT_EQ(decode_parcel(encode(parcel)), std::nullopt);
  parcel.frames = {{static_cast<Way>(4), "later"}};
  EXPECT_EQ(decode_parcel(encode(parcel)), std::nullopt);
}

TEST(Post, NamesItsSenderAndItsKind) {
  Post post;
  post.kind = PostKind::sealed;
  post.from = NodeId::parse("n1").value();
  post.session = std::string(32, 'k');
  post.number = 9;
  post.box = "box";
  const auto read = decode_post(encode(post));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->from, post.from);
  EXPECT_EQ(read->number, 9u);
  post.kind = static_cast<PostKind>(3);
  EXPECT_FALSE(decode_post(encode(post)).has_value());
  post.kind = PostKind::hello;
  post.session += "k";
  EXPECT_FALSE(decode_post(encode(post)).has_value());
}

TEST(Vow, NamesBothSidesAndTheirKeys) {
  Vow vow{3,
          NodeId::parse("n1").value(),
          NodeId::parse("n2").value(),
          std::string(32, 'a'),
          std::string(32, 'b'),
          5};
  const auto read = decode_vow(encode(vow));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->to, vow.to);
  EXPECT_EQ(read->host, vow.host);
  vow.caller.pop_back();
  EXPECT_FALSE(decode_vow(encode(vow)).has_value());
}

}  // namespace
}  // namespace riftbus::wire
