#include "config/error_catalog.h"

#include <gtest/gtest.h>

namespace riftbus {
namespace {

TEST(ErrorCatalog, CodesAreUniqueAndAscending) {
  const auto catalog = error_catalog();
  ASSERT_FALSE(catalog.empty());
  for (std::size_t i = 1; i < catalog.size(); ++i) {
    EXPECT_LT(catalog[i - 1].code, catalog[i].code);
  }
}

TEST(ErrorCatalog, EveryRowSaysWhatWhyAndWhatNext) {
  for (const auto& entry : error_catalog()) {
    EXPECT_FALSE(entry.title.empty()) << entry.code;
    EXPECT_FALSE(entry.cause.empty()) << entry.code;
    EXPECT_FALSE(entry.next.empty()) << entry.code;
    EXPECT_TRUE(entry.code >= 1001 && entry.code < 1850) << entry.code;
  }
}

TEST(ErrorCatalog, FindsEveryRowAndNothingElse) {
  for (const auto& entry : error_catalog()) EXPECT_EQ(find_error(entry.code), &entry);
  EXPECT_EQ(find_error(0), nullptr);
  EXPECT_EQ(find_error(65535), nullptr);
}

}  // namespace
}  // namespace riftbus
