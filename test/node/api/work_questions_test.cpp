#include "node/api/work_questions.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace riftbus::node {
namespace {

// What work.show says about the payload of new work.
nlohmann::json shown_payload(const std::string& payload) {
  work::WorkQueue queue;
  work::Add add;
  add.items.emplace_back();
  add.items[0].kind = "sum";
  add.items[0].payload = payload;
  const auto added = std::get<work::Added>(queue.apply({1, 1, 1000}, add));
  EXPECT_EQ(added.ids.size(), 1U);
  const auto id = added.ids.at(0);
  wire::Query query;
  query.name = "work.show";
  query.arguments["id"] = std::to_string(id.value());
  const auto answer = answer_work(query, &queue, {}, NodeView{}, false);
  EXPECT_TRUE(answer.ok());
  return answer.ok() ? nlohmann::json::parse(*answer).at("work").at("payload") : nlohmann::json();
}

TEST(WorkShow, APayloadIsTextWhereItIsUtf8AndElseHexadecimal) {
  EXPECT_EQ(shown_payload("grüß\n"),
            nlohmann::json({{"bytes", 7}, {"is_cut", false}, {"text", "grüß\n"}}));
  EXPECT_EQ(shown_payload(std::string("\xff\0", 2)),
            nlohmann::json({{"bytes", 2}, {"is_cut", false}, {"hex", "ff00"}}));
  EXPECT_EQ(shown_payload(""), nlohmann::json({{"bytes", 0}, {"is_cut", false}, {"text", ""}}));
}

TEST(WorkShow, OfALongPayloadTheBeginningIsShownUpToAWholeCharacter) {
  const std::string euro = "\xe2\x82\xac";
  std::string payload = "x";
  while (payload.size() < 20'000) payload += euro;
  const auto shown = shown_payload(payload);
  EXPECT_EQ(shown.at("bytes"), payload.size());
  EXPECT_EQ(shown.at("is_cut"), true);
  const auto text = shown.at("text").get<std::string>();
  EXPECT_EQ(text, payload.substr(0, text.size()));
  EXPECT_GT(text.size(), 16U * 1024U - 3U);
  EXPECT_LE(text.size(), 16U * 1024U);
}

TEST(WorkShow, OfEndedWorkWhatHistoryDoesNotKeepIsNull) {
  work::WorkQueue queue;
  work::Add add;
  add.items.emplace_back();
  add.items[0].kind = "sum";
  add.items[0].group = "film";
  const auto added = std::get<work::Added>(queue.apply({1, 1, 1000}, add));
  ASSERT_EQ(added.ids.size(), 1U);
  wire::Query query;
  query.name = "work.show";
  query.arguments["id"] = std::to_string(added.ids[0].value());
  const auto show = [&] {
    const auto answer = answer_work(query, &queue, {}, NodeView{}, false);
    return answer.ok() ? nlohmann::json::parse(*answer).at("work") : nlohmann::json();
  };
  const auto waiting = show();
  EXPECT_EQ(waiting.at("priority"), 50);
  EXPECT_EQ(waiting.at("group"), "film");
  EXPECT_TRUE(waiting.at("cause").is_null());
  (void)queue.apply({2, 1, 2000}, work::Cancel{added.ids});
  const auto ended = show();
  EXPECT_EQ(ended.at("state"), "cancelled");
  EXPECT_EQ(ended.at("cause"), "asked");
  for (const char* key : {"priority", "group", "percent", "payload_bytes", "payload"}) {
    EXPECT_TRUE(ended.at(key).is_null()) << key;
  }
}

}  // namespace
}  // namespace riftbus::node
