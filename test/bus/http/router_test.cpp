#include "bus/http/router.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

#include "bus/http/describe.h"

namespace riftbus::http {
namespace {

constexpr std::array kId{Parameter{"id", "path", "string", true, "which"}};
constexpr std::array kBody{Parameter{"work_id", "body", "string", true, "which"}};
constexpr std::array kRoutes{
    Route{"GET", "/work/{id}", Access::open, "one", kId},
    Route{"GET", "/work/list", Access::open, "all", {}},
    Route{"POST", "/work/list", Access::token, "none", kBody},
    Route{"GET", "/", Access::open, "root", {}},
};
const Router kRouter{kRoutes};

std::size_t index_of(const Matched& matched) { return std::get<Match>(matched).index; }

TEST(Router, TakesTheWordBeforeTheName) {
  EXPECT_EQ(index_of(kRouter.match("GET", "/work/list")), 1U);
  const auto named = kRouter.match("GET", "/work/17");
  EXPECT_EQ(index_of(named), 0U);
  EXPECT_EQ(std::get<Match>(named).captured.at("id"), "17");
  EXPECT_EQ(index_of(kRouter.match("GET", "/")), 3U);
}

TEST(Router, HeadAsksLikeGet) { EXPECT_EQ(index_of(kRouter.match("HEAD", "/work/list")), 1U); }

TEST(Router, TellsAWrongMethodFromAWrongPath) {
  const auto wrong = kRouter.match("DELETE", "/work/list");
  EXPECT_EQ(std::get<WrongMethod>(wrong).allowed, "GET, HEAD, POST");
  EXPECT_TRUE(std::holds_alternative<NoSuchPath>(kRouter.match("GET", "/work")));
  EXPECT_TRUE(std::holds_alternative<NoSuchPath>(kRouter.match("GET", "/work/list/17")));
  EXPECT_TRUE(std::holds_alternative<WrongMethod>(kRouter.match("OPTIONS", "/")));
}

TEST(Describe, TheOpenApiDocumentHasEveryRouteWithWhatItTakes) {
  const auto document = nlohmann::json::parse(openapi_document(kRoutes, "1.2.3"));
  EXPECT_EQ(document["info"]["version"], "1.2.3");
  for (const auto& route : kRoutes) {
    const auto& path = document["paths"][std::string(route.pattern)];
    const auto& operation = path[route.method == "GET" ? "get" : "post"];
    EXPECT_EQ(operation["summary"], std::string(route.summary));
    EXPECT_EQ(operation.contains("security"), route.access == Access::token);
  }
  const auto& named = document["paths"]["/work/{id}"]["get"];
  EXPECT_EQ(named["parameters"][0]["name"], "id");
  EXPECT_EQ(named["parameters"][0]["in"], "path");
  const auto& body = document["paths"]["/work/list"]["post"]["requestBody"];
  EXPECT_EQ(body["content"]["application/json"]["schema"]["required"],
            nlohmann::json::array({"work_id"}));
}

TEST(Describe, TheReferenceHasOneRowPerRoute) {
  const auto table = reference_table(kRoutes);
  EXPECT_NE(table.find("| `POST /work/list` | yes | `work_id`! | none |"), std::string::npos)
      << table;
}

}  // namespace
}  // namespace riftbus::http
