#include "node/work/query.h"

namespace riftbus::work {

namespace {

std::string count_of(std::size_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

const char* sentence_of(Cause cause) {
  switch (cause) {
    case Cause::none:
      break;
    case Cause::asked:
      return "an operator cancelled it";
    case Cause::expired:
      return "it was not running when it expired";
    case Cause::deadline:
      return "it was not done before its deadline";
    case Cause::dependency:
      return "what it waited for will never be done";
    case Cause::gang:
      return "a member of its gang will never be done";
  }
  return "";
}

void describe_waiting(const Why& why, std::vector<std::string>& lines) {
  if (why.wait_ms > 0) lines.push_back("waits for its time: " + format_span(Millis(why.wait_ms)));
  for (const auto& [id, state] : why.after) {
    lines.push_back("waits for #" + std::to_string(id.value()) + ", which is " + to_string(state));
  }
  for (const auto& [id, state] : why.gang) {
    lines.push_back("its gang waits for #" + std::to_string(id.value()) + ", which is " +
                    to_string(state));
  }
}

void describe_workers(const Why& why, std::vector<std::string>& lines) {
  if (why.workers == 0) lines.emplace_back("no worker was heard of lately");
  for (const auto& clause : why.clauses) {
    if (clause.failed == 0) continue;
    lines.push_back(clause.text + ": not met by " + std::to_string(clause.failed) + " of " +
                    count_of(why.workers, "worker"));
  }
  if (why.other_kinds > 0) {
    lines.push_back(count_of(why.other_kinds, "worker") + " run other kinds only");
  }
  if (why.excluded > 0) lines.push_back("failed before on " + count_of(why.excluded, "worker"));
  if (why.drained > 0) {
    lines.push_back(count_of(why.drained, "worker") + " could run it, if not drained");
  }
  if (why.busy > 0) lines.push_back(count_of(why.busy, "worker") + " could run it, if not busy");
  if (why.free > 0) lines.push_back(count_of(why.free, "worker") + " could take it now");
}

}  // namespace

std::vector<std::string> describe(const Why& why) {
  std::vector<std::string> lines;
  if (!why.known) return {"no such work, or it ended too long ago"};
  lines.push_back(std::string("is ") + to_string(why.state));
  const bool waiting = why.state == State::delayed || why.state == State::ready;
  if (why.state == State::leased) {
    lines.push_back("runs on " + why.node + " for " + format_span(Millis(why.ran_ms)));
  }
  if (why.cause != Cause::none) {
    lines.emplace_back(sentence_of(why.cause));
    return lines;  // it waits for nothing any more
  }
  if (!waiting) return lines;
  describe_waiting(why, lines);
  if (why.group_limit != 0 && why.group_leased >= why.group_limit) {
    lines.push_back("its group runs " + std::to_string(why.group_leased) + " of at most " +
                    std::to_string(why.group_limit));
  }
  if (why.ahead > 0) lines.push_back(count_of(why.ahead, "item") + " before it in line");
  describe_workers(why, lines);
  return lines;
}

}  // namespace riftbus::work
