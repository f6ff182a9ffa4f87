#include "node/ctl/work_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/ctl/render.h"
#include "node/ctl/work_watch.h"

namespace riftbus::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Kinds some_kinds() {
  return read_kinds(Json::parse(R"({"schema":1,"kinds":[
    {"kind":"encode","priority":70,"needs":"cpus>=2","reserve":[{"name":"cpus","milli":2000}],
     "lease_ms":60000,"timeout_ms":1000,"backoff_base_ms":1,"backoff_cap_ms":2,
     "attempts_max":5,"losses_max":6,"finish_on_disconnect":true,"overlap_ok":true},
    {"kind":"plain"}]})"));
}

TEST(WorkInput, AnItemHasTheTermsOfItsKind) {
  const auto item = read_item_line(R"({"kind":"encode"})", some_kinds());
  ASSERT_TRUE(item.ok()) << item.error().to_string();
  EXPECT_EQ(item->kind, "encode");
  EXPECT_EQ(item->priority, 70);
  EXPECT_EQ(item->payload, "");
  EXPECT_EQ(item->terms.needs, "cpus>=2");
  EXPECT_EQ(item->terms.lease_ms, 60000U);
  EXPECT_EQ(item->terms.attempts_max, 5);
  EXPECT_EQ(item->terms.on_disconnect, work::OnDisconnect::finish);
  EXPECT_TRUE(item->terms.overlap_ok);
  ASSERT_EQ(item->terms.reserve.size(), 1U);
  EXPECT_EQ(item->terms.reserve.front().milli, 2000);
}

TEST(WorkInput, EveryKeyOfAnItemIsRead) {
  const auto item = read_item_line(
      R"({"kind":"plain","params":{"a":"1"},"args":["x","y"],"group":"g","priority":9,)"
      R"("delay_s":2,"expires_s":3,"deadline_s":4,"dedupe":"k","after":[5,6],)"
      R"("needs":"gpus>=1","data":["d"]})",
      some_kinds());
  ASSERT_TRUE(item.ok()) << item.error().to_string();
  EXPECT_EQ(item->payload, R"({"params":{"a":"1"},"args":["x","y"]})");
  EXPECT_EQ(item->group, "g");
  EXPECT_EQ(item->priority, 9);
  EXPECT_EQ(item->delay_ms, 2000U);
  EXPECT_EQ(item->expires_ms, 3000U);
  EXPECT_EQ(item->deadline_ms, 4000U);
  EXPECT_EQ(item->dedupe, "k");
  EXPECT_THAT(item->after, ElementsAre(work::WorkId(5), work::WorkId(6)));
  EXPECT_EQ(item->terms.needs, "gpus>=1");
  EXPECT_THAT(item->data, ElementsAre("d"));
}

TEST(WorkInput, WhatIsWrongWithALineIsSaid) {
  const std::vector<std::pair<std::string, std::string>> lines = {
      {"", "not JSON"},
      {"nonsense", "not JSON"},
      {"[1]", "JSON object"},
      {R"({"kind":7})", "\"kind\" must be a text"},
      {R"({"kind":"plain","prio":7})", "unknown key"},
      {R"({"kind":"plain","priority":256})", "up to 255"},
      {R"({"kind":"plain","priority":-1})", "up to 255"},
      {R"({"kind":"plain","delay_s":"5"})", "\"delay_s\" must be a whole number"},
      {R"({"kind":"plain","after":["x"]})", "list of ids"},
      {R"({"kind":"plain","args":[1]})", "list of texts"},
      {R"({"kind":"plain","args":"x"})", "must be a list"},
      {R"({"kind":"plain","params":[]})", "must be an object"},
      {R"({"kind":"plain","payload":"x","args":[]})", "either"},
      {R"({"kind":"plain","payload":")" + std::string(70000, 'x') + "\"}", "longer than"},
      {std::string(500000, ' '), "too long"},
      {std::string(100, '['), "too deep"},
  };
  for (const auto& [line, why] : lines) {
    const auto item = read_item_line(line, some_kinds());
    ASSERT_FALSE(item.ok()) << line.substr(0, 100);
    EXPECT_EQ(item.error().code, 1560) << line.substr(0, 100);
    EXPECT_THAT(item.error().what, HasSubstr(why));
  }
}

TEST(WorkInput, AnUnknownKindNamesTheNearestOne) {
  const auto item = read_item_line(R"({"kind":"encoed"})", some_kinds());
  ASSERT_FALSE(item.ok());
  EXPECT_EQ(item.error().code, 1561);
  EXPECT_THAT(item.error().next, HasSubstr("encode"));
}

TEST(WorkInput, NeedsThatDoNotParseAreRefusedBeforeTheyTravel) {
  const auto item = read_item_line(R"({"kind":"plain","needs":"gpus>="})", some_kinds());
  ASSERT_FALSE(item.ok());
  EXPECT_EQ(item.error().code, 1740);
}

TEST(WorkInput, IdsAreNumbersAndRanges) {
  const auto ids = read_ids({"17-20,23", "5"});
  ASSERT_TRUE(ids.ok());
  EXPECT_THAT(*ids, ElementsAre(Pair(17, 20), Pair(23, 23), Pair(5, 5)));
  EXPECT_EQ(text_of(ranges_of({5, 17, 18, 20, 19, 23})), "5,17-20,23");
  EXPECT_EQ(list_ids(*ids).size(), 6U);
  for (const char* wrong : {"", "x", "0", "5-", "-5", "7-6", "1,,2", "1-200001", "1 2"}) {
    EXPECT_FALSE(read_ids({wrong}).ok()) << wrong;
  }
}

TEST(WorkInput, ManyIdsGoIntoSeveralArguments) {
  std::vector<std::uint64_t> odd;
  for (std::uint64_t id = 1; id < 4000; id += 2) odd.push_back(id);
  const auto parts = argument_texts(ranges_of(odd));
  EXPECT_GT(parts.size(), 1U);
  std::size_t count = 0;
  for (const auto& part : parts) {
    EXPECT_LE(part.size(), 4096U);
    count += list_ids(*read_ids({part})).size();
  }
  EXPECT_EQ(count, odd.size());
}

TEST(WorkProgress, IsCountedFromTallies) {
  WorkProgress progress;
  progress.total = 200;
  const Json tally =
      Json::parse(R"({"schema":1,"states":{"done":25,"leased":20,"ready":50,"delayed":5}})");
  add_tally(tally, progress);
  add_tally(tally, progress);
  EXPECT_FALSE(progress.has_ended());
  EXPECT_EQ(progress_text(progress), "50 of 200 done, 40 running, 110 waiting");
  EXPECT_EQ(time_left_text(progress, Millis(100'000)), ", about 5m left");
  EXPECT_EQ(time_left_text(progress, Millis(1'000)), "") << "too early to say";
  EXPECT_EQ(progress_bar(progress, 8), "[##......]  25% 50 of 200 done, 40 running, 110 waiting");
  WorkProgress ended;
  ended.total = 3;
  add_tally(Json::parse(R"({"states":{"done":1,"dead":1,"cancelled":1}})"), ended);
  EXPECT_TRUE(ended.has_ended());
  EXPECT_EQ(progress_bar(ended, 4), "[####] 100% 1 of 3 done, 1 dead, 1 cancelled");
}

TEST(WorkProgress, WithoutALeaderNothingIsCertainToHaveEnded) {
  WorkProgress progress;
  progress.total = 3;
  add_tally(Json::parse(R"({"stale":true,"states":{"done":1,"unknown":2}})"), progress);
  EXPECT_FALSE(progress.has_ended());
  EXPECT_EQ(progress_text(progress), "1 of 3 done; nobody leads at the moment, waiting");
}

TEST(RenderWork, ListsAndShowsWhatANodeSaid) {
  const Json list = Json::parse(
      R"({"schema":1,"works":[{"id":17,"state":"leased","kind":"encode","group":"","node":"n2",)"
      R"("failures":1,"losses":0,"percent":40,"age_ms":1500,"ran_ms":20}]})");
  EXPECT_EQ(render_work_list(list, {}),
            "ID  STATE        KIND    GROUP  NODE  AGE   RAN   TROUBLE\n"
            "17  running 40%  encode  -      n2    1.5s  20ms  1 failed\n");
  for (const auto& [work, words] : std::initializer_list<std::pair<const char*, const char*>>{
           {R"("state":"cancelled","cause":"asked")", " cancelled  "},
           {R"("state":"cancelled","cause":"expired")", " cancelled (expired)  "},
           {R"("state":"leased","cause":"deadline","cancelling":true)", ", stopping (deadline)  "},
           {R"("state":"dead","cause":"gang","cancelling":false)", ", to be cancelled (gang)  "},
           {R"("state":"ready","cause":null)", " ready  "}}) {
    const auto shown = Json::parse(R"({"works":[{"id":7,)" + std::string(work) + "}]}");
    EXPECT_NE(render_work_list(shown, {}).find(words), std::string::npos) << work;
  }
  EXPECT_EQ(render_work_list(Json::parse(R"({"stale":true,"node":"n1","works":[]})"), {}),
            "as n1 knew it: no leader was reached\nnothing\n");
}

TEST(RenderWork, APayloadIsShownFromItsBeginning) {
  const auto shown = [](const std::string& payload) {
    const auto out = render_work_show(
        Json::parse(R"({"work":{"id":17,"state":"ready","kind":"sum","payload":)" + payload + "}}"),
        {});
    const auto at = out.find("payload");
    return at == std::string::npos ? "" : out.substr(at);
  };
  EXPECT_EQ(shown(R"({"bytes":4,"is_cut":false,"text":"a\tb\n"})"),
            "payload   4 bytes:\n    a?b\n");
  EXPECT_EQ(shown(R"({"bytes":9,"is_cut":false,"text":"one\n\u001b[2J\n"})"),
            "payload   9 bytes:\n    one\n    ?[2J\n");
  EXPECT_EQ(shown(R"({"bytes":2,"is_cut":false,"hex":"ff00"})"),
            "payload   2 bytes, in hexadecimal:\n    ff00\n");
  EXPECT_EQ(shown(R"({"bytes":0,"is_cut":false,"text":""})"), "payload   0 bytes\n");
  EXPECT_EQ(shown(R"({"bytes":70000,"is_cut":true,"text":")" + std::string(16000, 'x') + "\"}"),
            "payload   70000 bytes, of which the first:\n    " + std::string(1000, 'x') + "\n");
  EXPECT_EQ(shown("null"), "") << "it has ended";
}

TEST(RenderWork, LogsKeepTheirLinesButCannotMoveTheCursor) {
  const Json logs =
      Json::parse(R"({"work":{"node":"n2","output":{"stdout":"one\ntwo\u001b[2J\n","stderr":""},)"
                  R"("attempts":[{"node":"n1","ending":"failed","tail":"boom"}],"result":"42"}})");
  EXPECT_EQ(render_work_logs(logs, {}),
            "-- standard output on n2\none\ntwo?[2J\n-- attempt 1 on n1, failed\nboom\n"
            "-- result\n42\n");
}

TEST(RenderWork, OddDocumentsAreShownAsUnknown) {
  for (const char* odd : {"{}", "[]", "null", R"({"works":7,"work":[],"items":"x","states":1})"}) {
    const Json json = Json::parse(odd);
    for (const auto render :
         {render_work_list, render_work_show, render_work_logs, render_work_why, render_work_stats,
          render_work_added, render_work_verdicts, render_jobs}) {
      EXPECT_NO_THROW((void)render(json, {}));
    }
  }
}

}  // namespace
}  // namespace riftbus::ctl
