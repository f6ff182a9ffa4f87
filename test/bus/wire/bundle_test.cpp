#include "bus/wire/bundle.h"

#include <gtest/gtest.h>

#include "bus/wire/limits.h"

namespace riftbus::wire {
namespace {

using Parts = std::vector<std::string_view>;

TEST(Bundle, OneEnvelopeGoesAsItIs) {
  Bundle bundle;
  EXPECT_TRUE(bundle.empty());
  bundle.add("alone");
  EXPECT_EQ(bundle.frame(), "alone");
  Parts parts;
  ASSERT_TRUE(split_frame(bundle.frame(), parts));
  EXPECT_EQ(parts, Parts{"alone"});
}

TEST(Bundle, SeveralComeBackInTheirOrder) {
  const std::string large(70'000, 'x');
  Bundle bundle;
  bundle.add("first");
  bundle.add(large);
  bundle.add("\xC1");
  EXPECT_EQ(bundle.count(), 3U);
  EXPECT_TRUE(bundle.is_full());
  Parts parts;
  ASSERT_TRUE(split_frame(bundle.frame(), parts));
  EXPECT_EQ(parts, (Parts{"first", large, "\xC1"}));
}

TEST(Bundle, ClearedItStartsAnew) {
  Bundle bundle;
  bundle.add("one");
  bundle.add("two");
  bundle.clear();
  EXPECT_TRUE(bundle.empty());
  bundle.add("three");
  EXPECT_EQ(bundle.frame(), "three");
}

TEST(Bundle, IsFullByItsNumberToo) {
  Bundle bundle;
  for (std::size_t i = 0; i < kBundleEnvelopesMax; ++i) {
    ASSERT_FALSE(bundle.is_full());
    bundle.add("x");
  }
  EXPECT_TRUE(bundle.is_full());
  Parts parts;
  EXPECT_TRUE(split_frame(bundle.frame(), parts));
  bundle.add("x");
  EXPECT_FALSE(split_frame(bundle.frame(), parts)) << "one above the bound";
  EXPECT_TRUE(parts.empty());
}

TEST(Bundle, HasNoRoomForWhatMakesItLongerThanAFrameMayBe) {
  const std::string longest(kMessageBytesMax, 'x');
  Bundle bundle;
  EXPECT_TRUE(bundle.has_room_for(longest)) << "alone it goes as it is";
  bundle.add("first");
  EXPECT_TRUE(bundle.has_room_for("second"));
  EXPECT_FALSE(bundle.has_room_for(longest));
  const std::string filling(kBundleBytes - bundle.frame().size() - 9, 'x');
  ASSERT_TRUE(bundle.has_room_for(filling));
  EXPECT_FALSE(bundle.has_room_for(filling + "xx"));
  while (bundle.has_room_for("some more")) bundle.add("some more");
  EXPECT_LE(bundle.frame().size(), kBundleBytes);
}

TEST(Bundle, TheFormIsTheDocumentedOne) {
  Bundle bundle;
  bundle.add("ab");
  bundle.add("c");
  EXPECT_EQ(bundle.frame(), std::string("\xC1\0\0\0\2ab\0\0\0\1c", 12));
}

TEST(Bundle, EveryCutAndEveryFalseLengthIsRefusedOrHarmless) {
  Bundle bundle;
  bundle.add("some envelope");
  bundle.add("another");
  const std::string whole(bundle.frame());
  Parts parts;
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const bool ends_with_the_first = size == 1 + 4 + 13;
    EXPECT_EQ(split_frame(std::string_view(whole).substr(0, size), parts), ends_with_the_first)
        << size;
  }
  for (const auto& bad :
       {std::string("\xC1\0\0\0\0", 5), std::string("\xC1\xFF\xFF\xFF\xFFxxxx")}) {
    EXPECT_FALSE(split_frame(bad, parts));
    EXPECT_TRUE(parts.empty());
  }
}

}  // namespace
}  // namespace riftbus::wire
