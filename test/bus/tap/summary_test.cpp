#include "bus/tap/summary.h"

#include <gtest/gtest.h>

#include "test/bus/tap/frames.h"

namespace riftbus::tap {
namespace {

Summary summary(std::string_view spec) { return Summary(parse_summary(spec).value()); }

TEST(Summary, RateTellsMessagesAndBytesPerInterval) {
  auto rate = summary("rate,2s");
  std::string out;
  for (int i = 0; i < 10; ++i) rate.add(at(call_in("n1", "n2", "ping", 1, 50, ""), i * 100), out);
  rate.add(at(published("n1", "beat", 60, ""), 1900), out);
  EXPECT_EQ(out, "");
  rate.add(at(published("n1", "beat", 60, ""), 2000), out);
  EXPECT_EQ(out, "12:00:00.000  in 5.0/s 250 B/s  out 0.5/s 30 B/s\n");
  EXPECT_EQ(rate.finish(), "12:00:02.000  in 0.0/s 0 B/s  out 0.5/s 30 B/s\n");
  EXPECT_EQ(summary("rate").finish(), "");
}

TEST(Summary, RateSurvivesClocksThatJump) {
  auto rate = summary("rate,1s");
  std::string out;
  for (const std::int64_t wall_ms : {std::int64_t{0}, INT64_MAX, INT64_MIN, std::int64_t{5}}) {
    Seen seen = published("n1", "beat", 1, "");
    seen.frame.wall_ms = wall_ms;
    rate.add(seen, out);
  }
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1);
}

TEST(Summary, TopCountsTheValuesOfAField) {
  auto top = summary("top,kind");
  std::string out;
  for (int i = 0; i < 3; ++i) top.add(published("n1", "beat", 50, ""), out);
  top.add(call_out("n1", "n2", "ping", 1, 40, ""), out);
  EXPECT_EQ(out, "");
  EXPECT_EQ(top.finish(),
            "  MESSAGES        BYTES  SHARE  kind\n"
            "         3          150  75.0%  beat\n"
            "         1           40  25.0%  ping\n");
}

TEST(Summary, TopHasABound) {
  TopSummary top(Field::seq);
  Seen seen = published("n1", "beat", 1, "");
  for (std::uint64_t i = 0; i < TopSummary::kValuesMax + 5; ++i) {
    seen.frame.seq = i;
    top.add(seen);
  }
  const auto text = top.finish();
  EXPECT_NE(text.find("         5            5   0.0%  (others)"), std::string::npos) << text;
  EXPECT_NE(text.find("and 9971 more"), std::string::npos) << text;
}

TEST(Summary, LatencyPairsRequestsWithTheirAnswers) {
  auto latency = summary("latency");
  std::string out;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    const auto sent = static_cast<std::int64_t>(i * 1000);
    latency.add(at(call_out("n1", "n2", "ping", i, 1, ""), sent), out);
    // The same number from another peer is another conversation.
    latency.add(at(call_in("n1", "n3", "watch", i, 1, ""), sent), out);
    latency.add(at(call_in("n1", "n2", "pong", i, 1, ""), sent + static_cast<int>(i)), out);
  }
  latency.add(at(call_out("n1", "n3", "watch.answer", 1, 1, ""), 1003), out);
  latency.add(call_out("n1", "n2", "gossip", 0, 1, ""), out);  // one-way
  EXPECT_EQ(latency.finish(),
            "  ANSWERED      P50      P99      MAX  request\n"
            "       100     50ms     99ms    100ms  ping asked\n"
            "         1      3ms      3ms      3ms  watch served\n"
            "        99 without an answer, or sent without wanting one\n");
}

TEST(Summary, LatencyForgetsTheOldestUnanswered) {
  LatencySummary latency;
  for (std::uint64_t i = 1; i <= LatencySummary::kPendingMax + 10; ++i) {
    latency.add(call_out("n1", "n2", "ping", i, 1, ""));
  }
  latency.add(call_in("n1", "n2", "pong", 1, 1, ""));  // forgotten: looks like a request now
  latency.add(call_in("n1", "n2", "pong", 5000, 1, ""));
  const auto text = latency.finish();
  EXPECT_NE(text.find("         1      0ms      0ms      0ms  ping asked"), std::string::npos)
      << text;
}

TEST(Summary, ReadsItsOwnOptions) {
  EXPECT_EQ(parse_summary("rate").value(), SummarySpec(RateSpec{Millis(1000)}));
  EXPECT_EQ(parse_summary("rate,250ms").value(), SummarySpec(RateSpec{Millis(250)}));
  EXPECT_EQ(parse_summary("rate,2m").value(), SummarySpec(RateSpec{Millis(120'000)}));
  EXPECT_EQ(parse_summary("top,topic").value(), SummarySpec(TopSpec{Field::kind}));
  EXPECT_EQ(parse_summary("latency").value(), SummarySpec(LatencySpec{}));
  for (const auto* bad : {"", "rates", "rate,", "rate,0s", "rate,1x", "rate,9999999999999s", "top,",
                          "top,time", "top,colour", "latency,1s"}) {
    EXPECT_EQ(parse_summary(bad).error().code, 1557) << bad;
  }
}

}  // namespace
}  // namespace riftbus::tap
