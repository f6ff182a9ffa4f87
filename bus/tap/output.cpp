#include "bus/tap/output.h"

namespace riftbus::tap {

Result<Output> Output::open(const Options& options, bool several_nodes, std::ostream& screen) {
  Output output(screen);
  output.format_ = options.format;
  output.count_ = options.count;
  if (auto* text = std::get_if<TextFormat>(&output.format_)) text->with_node = several_nodes;
  if (options.summary) output.summary_.emplace(*options.summary);
  if (!options.write.empty()) {
    auto record = RecordWriter::open(options.write, options.ring);
    if (!record.ok()) return record.error();
    output.record_.emplace(std::move(*record));
  }
  return output;
}

Status Output::take(const Entry& entry) {
  if (const auto* loss = std::get_if<Loss>(&entry)) {
    return record_ ? record_->append(json_line(*loss)) : Status(Ok{});
  }
  const auto* seen = std::get_if<Seen>(&entry);
  if (seen == nullptr || enough_) return Ok{};
  ++shown_;
  enough_ = count_ > 0 && shown_ >= count_;
  if (summary_) {
    std::string lines;
    summary_->add(*seen, lines);
    *screen_ << lines;
  } else if (!record_) {
    *screen_ << format_line(format_, *seen) << '\n';
  }
  return record_ ? record_->append(json_line(*seen)) : Status(Ok{});
}

Status Output::flush() {
  screen_->flush();
  return record_ ? record_->flush() : Status(Ok{});
}

void Output::finish() {
  if (summary_) *screen_ << summary_->finish();
  screen_->flush();
}

std::string totals_line(std::uint64_t shown, std::uint64_t matched, std::uint64_t by_node,
                        std::uint64_t by_tap) {
  return std::to_string(shown) + " shown, " + std::to_string(matched) + " matched filter, " +
         std::to_string(by_node) + " dropped by node, " + std::to_string(by_tap) + " by tap";
}

}  // namespace riftbus::tap
