// Summary: many tapped messages in a few lines (`-z`).
//
//   rate,1s       per interval and direction: messages and bytes a second
//   top,kind      the busiest values of a field: messages, bytes, share
//   latency       per kind of request: time from request to answer, p50, p99 and the longest
//
// Time is the tapped node's wall clock as it stands in the messages, so a record read back gives
// the same numbers as the live tap. Latency pairs a call with the next one in the opposite
// direction on the same connection with the same correlation; "asked" is what the node waited for
// others, "served" what others waited for it. Resolution: 1 ms.
//
// Bounds: kValuesMax different values of a field (the rest is counted as "(others)"), kPendingMax
// open requests (the oldest are given up and counted), kSamplesMax samples per kind, drawn evenly
// from all of them by Vitter's algorithm R with a fixed seed.
//
// Pure. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "bus/tap/field.h"
#include "config/random.h"
#include "config/result.h"

namespace riftbus::tap {

struct RateSpec {
  Millis interval{1000};
  bool operator==(const RateSpec&) const = default;
};
struct TopSpec {
  Field field = Field::kind;
  bool operator==(const TopSpec&) const = default;
};
struct LatencySpec {
  bool operator==(const LatencySpec&) const = default;
};
using SummarySpec = std::variant<RateSpec, TopSpec, LatencySpec>;

// "rate", "rate,500ms", "top,topic", "latency". Error 1557.
[[nodiscard]] Result<SummarySpec> parse_summary(std::string_view text);

class RateSummary {
 public:
  explicit RateSummary(Millis interval) : interval_(interval) {}
  // Appends a line to `out` for each interval that ended before this message.
  void add(const Seen& seen, std::string& out);
  [[nodiscard]] std::string finish();

 private:
  struct Flow {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
  };
  [[nodiscard]] std::string line() const;

  Millis interval_;
  std::optional<std::int64_t> begin_ms_;
  Flow in_;
  Flow out_;
};

class TopSummary {
 public:
  static constexpr std::size_t kValuesMax = 10'000;
  static constexpr std::size_t kShown = 30;

  explicit TopSummary(Field field) : field_(field) {}
  void add(const Seen& seen);
  [[nodiscard]] std::string finish() const;

 private:
  struct Count {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
  };
  Field field_;
  std::map<std::string, Count> counts_;
  Count total_;
};

class LatencySummary {
 public:
  static constexpr std::size_t kPendingMax = 10'000;
  static constexpr std::size_t kSamplesMax = 4096;

  void add(const Seen& seen);
  [[nodiscard]] std::string finish() const;

 private:
  // Which connection of which node, seen in which direction, and the correlation.
  using Key = std::tuple<NodeId, NodeId, wire::Direction, std::uint64_t>;
  struct Request {
    std::string kind;
    std::int64_t wall_ms = 0;
    std::uint64_t order = 0;
  };
  struct Samples {
    std::uint64_t answered = 0;
    std::int64_t ms_max = 0;
    std::vector<std::int64_t> ms;
  };
  void keep(const std::string& name, std::int64_t ms);
  void forget_oldest();

  Random random_{1};
  std::map<Key, Request> pending_;
  std::deque<std::pair<Key, std::uint64_t>> order_;  // of pending_, oldest first; some are answered
  std::uint64_t next_order_ = 0;
  std::uint64_t given_up_ = 0;
  std::map<std::string, Samples> samples_;  // "ping asked"
};

class Summary {
 public:
  explicit Summary(const SummarySpec& spec);
  // Appends what is ready to be printed, with ends of lines.
  void add(const Seen& seen, std::string& out);
  [[nodiscard]] std::string finish();

 private:
  std::variant<RateSummary, TopSummary, LatencySummary> state_;
};

}  // namespace riftbus::tap
