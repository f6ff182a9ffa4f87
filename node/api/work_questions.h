// Work questions: what operators ask about the queue, as JSON documents.
//
//   work.list [state kind group node after limit]   unfinished work and dead letters, by id
//   work.history [kind group node state limit]      finished work, the latest first
//   work.show id                                    one item: attempts, result
//   work.stats                                      counts, per kind, per node, per group
//   work.tally ids                                  how far these are ("17-20,23"), for who waits
//   why.work id                                     why it is not running
//   work.kinds                                      the kinds of the node asked, with their terms
//
// All but the last are the leader's to answer; a node that reaches none answers from its own copy,
// "stale":true, if it keeps one. Reading takes any role. node/api/README.md describes each
// document.
//
// Pure; the view and the queue are lent for one call. A bad argument is an Error 1503, work that is
// not known 1728.
#pragma once

#include <string>
#include <string_view>

#include "config/cluster.h"
#include "node/api/api.h"
#include "node/api/leader_questions.h"
#include "node/work/queue.h"

namespace riftbus::node {

inline constexpr std::size_t kWorkListMax = 2000;         // items in one answer
inline constexpr std::size_t kWorkTallyMax = 100 * 1000;  // items in one work.tally

[[nodiscard]] Answers who_answers_work(std::string_view name);
// `queue`: null where this node keeps none. `log_ms`: what the log's clock shows, as far as known.
[[nodiscard]] Result<std::string> answer_work(const wire::Query& query,
                                              const work::WorkQueue* queue,
                                              const std::map<std::string, JobKind>& jobs,
                                              const NodeView& view, bool stale,
                                              work::LogMs log_ms = 0);

}  // namespace riftbus::node
