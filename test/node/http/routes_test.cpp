#include "node/http/routes.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "bus/http/describe.h"

namespace riftbus::node {
namespace {

std::string read_source(const std::string& path) {
  std::ifstream file(std::string(RIFTBUS_SOURCE_DIR "/") + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(HttpRoutes, EveryRouteHasExactlyOneWhoAnswers) {
  ASSERT_EQ(http_routes().size(), http_handlers().size());
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (std::size_t i = 0; i < http_routes().size(); ++i) {
    const auto& route = http_routes()[i];
    const auto& serving = http_handlers()[i];
    EXPECT_TRUE(seen.emplace(route.method, route.pattern).second) << route.pattern;
    EXPECT_EQ(serving.way == Way::here, serving.own != Own::none) << route.pattern;
    EXPECT_EQ(serving.way != Way::here, serving.handler != nullptr) << route.pattern;
    EXPECT_FALSE(route.summary.empty()) << route.pattern;
  }
}

TEST(HttpRoutes, WhatIsNotReadingTakesTheToken) {
  for (const auto& route : http_routes()) {
    if (route.method != "GET" && route.access != http::Access::member) {
      EXPECT_EQ(route.access, http::Access::token) << route.pattern;
    }
    if (route.pattern.find("claim") != std::string_view::npos) {
      EXPECT_EQ(route.access, http::Access::token) << route.pattern;
    }
  }
}

TEST(HttpRoutes, PathParametersAreThoseOfThePattern) {
  for (const auto& route : http_routes()) {
    const bool has_name = route.pattern.find("{id}") != std::string_view::npos;
    bool is_described = false;
    for (const auto& parameter : route.parameters) is_described |= parameter.in == "path";
    EXPECT_EQ(has_name, is_described) << route.pattern;
  }
}

TEST(HttpRoutes, TheReadmeHasTheTable) {
  const auto readme = read_source("node/http/README.md");
  const std::string begin = "<!-- routes -->\n";
  const auto first = readme.find(begin);
  const auto last = readme.find("<!-- end of routes -->");
  ASSERT_NE(first, std::string::npos);
  ASSERT_NE(last, std::string::npos);
  const auto start = first + begin.size();
  EXPECT_EQ(readme.substr(start, last - start), http::reference_table(http_routes()));
}

}  // namespace
}  // namespace riftbus::node
