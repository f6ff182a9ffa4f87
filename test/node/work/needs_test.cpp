#include "config/needs.h"

#include "config/random.h"
#include "test/node/work/stand.h"

namespace riftbus::work {
namespace {

struct Case {
  const char* needs;
  const char* offer;
  bool fits;
};

TEST(Needs, MatchAnOffer) {
  const Case cases[] = {
      {"", "", true},
      {"   ", "", true},
      {"gpus>=1", "gpus=1", true},
      {"gpus>=1", "gpus=0", false},
      {"gpus>=1", "cpus=4", false},
      {"gpus", "gpus=1", true},
      {"gpus", "gpus=0", false},
      {"!gpus", "", true},
      {"cuda>=12.1", "cuda=12.1", true},
      {"cuda>=12.1", "cuda=12.09", false},
      {"cuda>=12.1", "cuda=12.2", true},
      {"a==1.5", "a=1.5", true},
      {"a!=1.5", "a=1.5", false},
      {"a!=1.5", "", false},
      {"a<2", "a=1.999", true},
      {"a<=2", "a=2", true},
      {"a>2", "a=2", false},
      {"tag.spot", "tag.spot", true},
      {"!tag.spot", "tag.spot", false},
      {"!!tag.spot", "tag.spot", true},
      {"data.imagenet-2012", "data.imagenet-2012", true},
      {"tag.a || tag.b", "tag.b", true},
      {"tag.a || tag.b && tag.c", "tag.a", false},
      {"tag.a || (tag.b && tag.c)", "tag.a", true},
      {"!(tag.a || tag.b)", "tag.c", true},
      {"gpus>=1 && vram_gb>=40 && cuda>=12.1 && !tag.spot", "gpus=8 vram_gb=80 cuda=12.4", true},
      {"gpus>=1&&vram_gb>=40&&!tag.spot", "gpus=8 vram_gb=24", false},
  };
  for (const auto& c : cases) {
    const auto needs = Needs::parse(c.needs);
    ASSERT_TRUE(needs.ok()) << c.needs << ": " << needs.error().to_string();
    EXPECT_EQ(needs->match(offer(c.offer)), c.fits) << c.needs << " on " << c.offer;
  }
}

TEST(Needs, RefuseWhatDoesNotParseWithTheColumn) {
  const std::pair<const char*, const char*> cases[] = {
      {"gpus>=", "column 7"},        {"&& gpus", "column 1"},        {"gpus>=1 &&", "column 11"},
      {"gpus >= x", "column 9"},     {"(gpus", "column 6"},          {"gpus)", "column 5"},
      {"gpus>=1.2345", "column 12"}, {"a>=1234567890", "column 13"}, {"tag.", "column 5"},
      {"a b", "column 3"},           {"a>=1.", "column 6"},          {"1>=a", "column 1"},
      {"a=1", "column 2"},           {"a & b", "column 3"},          {"\x01", "column 1"},
  };
  for (const auto& [text, where] : cases) {
    const auto needs = Needs::parse(text);
    ASSERT_FALSE(needs.ok()) << text;
    EXPECT_EQ(needs.error().code, kBadNeeds);
    EXPECT_EQ(needs.error().where, where) << text;
  }
}

TEST(Needs, AreBoundedInDepthAndLength) {
  EXPECT_TRUE(Needs::parse(std::string(15, '(') + "a" + std::string(15, ')')).ok());
  EXPECT_FALSE(Needs::parse(std::string(100, '(') + "a" + std::string(100, ')')).ok());
  EXPECT_FALSE(Needs::parse(std::string(100, '!') + "a").ok());
  EXPECT_FALSE(Needs::parse(std::string(kNeedsBytesMax + 1, 'a')).ok());
}

TEST(Needs, AnyTextGivesNeedsOrAnError) {
  Random random(7);
  const std::string letters = "ab1.9 ()!&|<>=tagdata";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (auto n = random.below(30); n > 0; --n) text += letters[random.below(letters.size())];
    const auto needs = Needs::parse(text);
    if (needs.ok()) (void)needs->match(offer("a=1 tag.a"));
  }
}

TEST(Needs, SayWhatTheyCount) {
  const auto needs =
      Needs::parse("gpus>=2 && cuda>=12 && cpus>=4 && gpus>=1 && (slots>=3 || tag.x)");
  ASSERT_TRUE(needs.ok());
  const std::vector<Amount> expected = {{"cpus", 4000}, {"gpus", 2000}};
  EXPECT_EQ(needs->counted(), expected) << "properties and alternatives are not reserved";
}

}  // namespace
}  // namespace riftbus::work
