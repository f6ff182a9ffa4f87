#include "bus/tap/summary.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "bus/tap/filter.h"

namespace riftbus::tap {

namespace {

[[gnu::format(printf, 1, 2)]] std::string print(const char* format, ...) {
  char line[256];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  return line;
}

double per_second(std::uint64_t count, Millis interval) {
  return static_cast<double>(count) * 1000.0 / static_cast<double>(interval.count());
}

std::string time_text(std::int64_t wall_ms) {
  Seen at;
  at.frame.wall_ms = wall_ms;
  return text_of(Field::time, at);
}

// The smallest sample that at least `share` of all samples do not exceed (nearest rank).
std::int64_t percentile(std::vector<std::int64_t> samples, double share) {
  const double wanted = std::ceil(share * static_cast<double>(samples.size()));
  const auto rank = static_cast<std::size_t>(wanted) - 1;
  std::nth_element(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(rank),
                   samples.end());
  return samples[rank];
}

std::optional<Millis> parse_interval(std::string_view text) {
  std::uint64_t factor = 1000;
  if (text.ends_with("ms")) {
    factor = 1;
    text.remove_suffix(2);
  } else if (text.ends_with("s")) {
    text.remove_suffix(1);
  } else if (text.ends_with("m")) {
    factor = 60'000;
    text.remove_suffix(1);
  }
  constexpr std::uint64_t kIntervalMsMax = 3'600'000;
  const auto number = parse_quantity(text);
  if (!number || *number == 0 || *number > kIntervalMsMax / factor) return std::nullopt;
  return Millis(static_cast<std::int64_t>(*number * factor));
}

}  // namespace

Result<SummarySpec> parse_summary(std::string_view text) {
  const auto comma = text.find(',');
  const auto name = text.substr(0, comma);
  const bool has_argument = comma != std::string_view::npos;
  const auto argument = has_argument ? text.substr(comma + 1) : std::string_view();
  if (name == "latency" && !has_argument) return SummarySpec(LatencySpec{});
  if (name == "rate" && !has_argument) return SummarySpec(RateSpec{});
  if (name == "rate") {
    if (const auto interval = parse_interval(argument)) return SummarySpec(RateSpec{*interval});
  }
  if (name == "top" && !has_argument) return SummarySpec(TopSpec{});
  if (name == "top") {
    const auto field = find_field(argument);
    if (field && *field != Field::time && *field != Field::payload) {
      return SummarySpec(TopSpec{*field});
    }
  }
  return Error{1557, "not a summary: \"" + std::string(text.substr(0, 40)) + "\"", "-z",
               "use rate, rate,500ms (to 1 h), top,kind (or another field), or latency"};
}

// ---- rate ------------------------------------------------------------------------------------

std::string RateSummary::line() const {
  return print("%s  in %.1f/s %.0f B/s  out %.1f/s %.0f B/s\n", time_text(*begin_ms_).c_str(),
               per_second(in_.messages, interval_), per_second(in_.bytes, interval_),
               per_second(out_.messages, interval_), per_second(out_.bytes, interval_));
}

void RateSummary::add(const Seen& seen, std::string& out) {
  const std::int64_t now_ms = seen.frame.wall_ms;
  const std::int64_t interval_ms = interval_.count();
  if (!begin_ms_) begin_ms_ = now_ms;
  // Several nodes' clocks differ: a message from before the interval counts in it. Unsigned, since
  // a record may hold any number.
  const auto elapsed = now_ms < *begin_ms_ ? std::uint64_t{0}
                                           : static_cast<std::uint64_t>(now_ms) -
                                                 static_cast<std::uint64_t>(*begin_ms_);
  if (elapsed >= static_cast<std::uint64_t>(interval_ms)) {
    out += line();
    in_ = out_ = Flow();
    begin_ms_ =
        now_ms - static_cast<std::int64_t>(elapsed % static_cast<std::uint64_t>(interval_ms));
  }
  Flow& flow = seen.frame.direction == wire::Direction::in ? in_ : out_;
  ++flow.messages;
  flow.bytes += seen.frame.bytes;
}

std::string RateSummary::finish() { return begin_ms_ ? line() : std::string(); }

// ---- top -------------------------------------------------------------------------------------

void TopSummary::add(const Seen& seen) {
  auto value = text_of(field_, seen);
  if (value.empty()) value = "-";
  const bool room = counts_.size() < kValuesMax || counts_.contains(value);
  Count& count = counts_[room ? value : "(others)"];
  for (Count* sum : {&count, &total_}) {
    ++sum->messages;
    sum->bytes += seen.frame.bytes;
  }
}

std::string TopSummary::finish() const {
  std::vector<std::pair<std::string, Count>> rows(counts_.begin(), counts_.end());
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return a.second.messages > b.second.messages;
  });
  std::string out = print("%10s %12s %6s  %s\n", "MESSAGES", "BYTES", "SHARE",
                          std::string(to_string(field_)).c_str());
  for (std::size_t i = 0; i < rows.size() && i < kShown; ++i) {
    const auto& [value, count] = rows[i];
    const double share =
        100.0 * static_cast<double>(count.messages) / static_cast<double>(total_.messages);
    out += print("%10llu %12llu %5.1f%%  ", static_cast<unsigned long long>(count.messages),
                 static_cast<unsigned long long>(count.bytes), share);
    for (const char c : value) out += c < ' ' && c >= 0 ? '?' : c;
    out += '\n';
  }
  if (rows.size() > kShown) out += print("and %zu more\n", rows.size() - kShown);
  return out;
}

// ---- latency ---------------------------------------------------------------------------------

void LatencySummary::add(const Seen& seen) {
  const auto& frame = seen.frame;
  if (frame.channel != wire::Channel::call || frame.correlation == 0) return;
  const bool in = frame.direction == wire::Direction::in;
  const Key opposite{seen.node, frame.peer, in ? wire::Direction::out : wire::Direction::in,
                     frame.correlation};
  if (const auto request = pending_.find(opposite); request != pending_.end()) {
    std::int64_t ms = 0;  // an overflow or a clock that went back counts as 0
    if (__builtin_sub_overflow(frame.wall_ms, request->second.wall_ms, &ms) || ms < 0) ms = 0;
    keep(request->second.kind + (in ? " asked" : " served"), ms);
    pending_.erase(request);
    return;
  }
  const Key own{seen.node, frame.peer, frame.direction, frame.correlation};
  pending_[own] = {frame.kind, frame.wall_ms, next_order_};
  order_.emplace_back(own, next_order_++);
  if (order_.size() > kPendingMax) forget_oldest();
}

void LatencySummary::forget_oldest() {
  const auto& [key, order] = order_.front();
  const auto found = pending_.find(key);
  if (found != pending_.end() && found->second.order == order) {
    pending_.erase(found);
    ++given_up_;
  }
  order_.pop_front();
}

void LatencySummary::keep(const std::string& name, std::int64_t ms) {
  constexpr std::size_t kKindsMax = 256;
  if (samples_.size() >= kKindsMax && !samples_.contains(name)) return;
  Samples& samples = samples_[name];
  ++samples.answered;
  samples.ms_max = std::max(samples.ms_max, ms);
  if (samples.ms.size() < kSamplesMax) {
    samples.ms.push_back(ms);
  } else if (const auto slot = random_.below(samples.answered); slot < kSamplesMax) {
    samples.ms[static_cast<std::size_t>(slot)] = ms;
  }
}

std::string LatencySummary::finish() const {
  std::string out = print("%10s %8s %8s %8s  %s\n", "ANSWERED", "P50", "P99", "MAX", "request");
  for (const auto& [name, samples] : samples_) {
    out +=
        print("%10llu %6lldms %6lldms %6lldms  ", static_cast<unsigned long long>(samples.answered),
              static_cast<long long>(percentile(samples.ms, 0.5)),
              static_cast<long long>(percentile(samples.ms, 0.99)),
              static_cast<long long>(samples.ms_max));
    for (const char c : name) out += c < ' ' && c >= 0 ? '?' : c;
    out += '\n';
  }
  const std::uint64_t open = pending_.size() + given_up_;
  if (open > 0) {
    out += print("%10llu without an answer, or sent without wanting one\n",
                 static_cast<unsigned long long>(open));
  }
  return out;
}

// ---- any of them -----------------------------------------------------------------------------

Summary::Summary(const SummarySpec& spec) : state_(LatencySummary{}) {
  if (const auto* rate = std::get_if<RateSpec>(&spec)) state_ = RateSummary(rate->interval);
  if (const auto* top = std::get_if<TopSpec>(&spec)) state_ = TopSummary(top->field);
}

void Summary::add(const Seen& seen, std::string& out) {
  if (auto* rate = std::get_if<RateSummary>(&state_)) rate->add(seen, out);
  if (auto* top = std::get_if<TopSummary>(&state_)) top->add(seen);
  if (auto* latency = std::get_if<LatencySummary>(&state_)) latency->add(seen);
}

std::string Summary::finish() {
  return std::visit([](auto& state) { return state.finish(); }, state_);
}

}  // namespace riftbus::tap
