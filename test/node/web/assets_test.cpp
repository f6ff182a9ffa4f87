#include "node/web/assets.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace riftbus::node {
namespace {

std::string read_dist(const std::string& name) {
  std::ifstream file(std::string(RIFTBUS_SOURCE_DIR "/node/web/dist/") + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

http::Response page(const std::string& path) {
  http::Request request;
  request.path = path;
  return answer_page(request);
}

std::map<std::string, std::string> headers_of(const http::Response& response) {
  return {response.headers.begin(), response.headers.end()};
}

TEST(WebAssets, AreTheCommittedFilesByteForByte) {
  const std::map<std::string, std::string> files{{"/", "index.html"},
                                                 {"/app.js", "app.js"},
                                                 {"/app.css", "app.css"},
                                                 {"/icon.svg", "icon.svg"}};
  ASSERT_EQ(web_assets().size(), files.size());
  for (const auto& [path, name] : files) {
    const auto response = page(path);
    EXPECT_EQ(response.status, 200U) << path;
    EXPECT_FALSE(response.body->empty()) << path;
    EXPECT_EQ(*response.body, read_dist(name)) << path;
  }
}

TEST(WebAssets, MayLoadFromTheirNodeOnlyAndRunNothingInline) {
  for (const auto& asset : web_assets()) {
    const auto headers = headers_of(page(std::string(asset.path)));
    const auto& policy = headers.at("Content-Security-Policy");
    EXPECT_NE(policy.find("default-src 'self';"), std::string::npos);
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    EXPECT_EQ(policy.find("http"), std::string::npos);
  }
  const std::string index = read_dist("index.html");
  EXPECT_EQ(index.find("<style"), std::string::npos);
  EXPECT_EQ(index.find("style="), std::string::npos);
  EXPECT_EQ(index.find("://"), std::string::npos);
  EXPECT_NE(index.find("<script type=\"module\" src=\"/app.js\"></script>"), std::string::npos);
}

TEST(WebAssets, WhoHasTheFileAlreadyIsToldThatItIsTheSame) {
  http::Request request;
  request.path = "/app.js";
  request.if_none_match = headers_of(answer_page(request)).at("ETag");
  const auto same = answer_page(request);
  EXPECT_EQ(same.status, 304U);
  EXPECT_EQ(same.body, nullptr);
  EXPECT_EQ(headers_of(same).at("ETag"), request.if_none_match);
  request.if_none_match = "\"another\"";
  EXPECT_EQ(answer_page(request).status, 200U);
}

TEST(WebAssets, DifferentFilesHaveDifferentTags) {
  std::set<std::string> tags;
  for (const auto& asset : web_assets()) {
    tags.insert(headers_of(page(std::string(asset.path))).at("ETag"));
  }
  EXPECT_EQ(tags.size(), web_assets().size());
}

TEST(WebAssets, AnyOtherPathIs404) {
  for (const char* path : {"", "/index.html", "/../app.js", "/app.js/", "/dist/app.js"}) {
    EXPECT_EQ(page(path).status, 404U) << path;
  }
}

}  // namespace
}  // namespace riftbus::node
