// How the executor is built into a node.
#include <filesystem>

#include "bus/clock.h"
#include "bus/log.h"
#include "node/node_state.h"

namespace riftbus::node {

// A node without kinds of jobs runs none; but what it left when it had some is still looked after.
void Node::State::open_executor() {
  const auto& settings = prepared.settings;
  std::error_code ignored;
  const bool has_past = std::filesystem::exists(settings.paths.data_dir + "/jobs", ignored);
  const bool runs_work = !settings.jobs.empty() && settings.executor.slots > 0;
  if (!runs_work && !has_past) return;
  executor = std::make_unique<ExecutorShell>(settings, instance, *bus, *work, journal);
  if (const auto status = executor->open(now); !status) {
    bus::write_error(status.error());
    journal.note("job", settings.node_id, "runs no work: " + status.error().to_string(),
                 {now, bus::wall_now_ms()});
    executor.reset();
    return;
  }
  bus::log_info("runs work", {{"kinds", std::to_string(settings.jobs.size())},
                              {"slots", std::to_string(settings.executor.slots)}});
}

// True: it was a question about this node's jobs.
bool Node::State::on_executor_query(const bus::Received& received, const std::set<Role>& roles) {
  const auto& query = std::get<wire::Query>(received.envelope.body);
  if (!ExecutorShell::takes(query.name)) return false;
  if (executor) {
    executor->on_query(received, roles, now);
    return true;
  }
  bus->reply(received.reply_to, received.envelope.correlation,
             wire::Refusal{executor::kBadJobFiles, "this node runs no work",
                           "describe kinds of jobs in its cluster file; see its log"});
  return true;
}

}  // namespace riftbus::node
