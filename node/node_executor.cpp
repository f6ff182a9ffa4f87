// How the executor is built into a node.
#include <filesystem>

#include "bus/clock.h"
#include "bus/log.h"
#include "node/node_state.h"

namespace riftbus::node {

namespace {

std::string orders_path(const NodeSettings& settings) {
  return settings.paths.data_dir + "/standing_orders";
}

}  // namespace

// What an operator ordered in a former life. Unreadable: the configuration holds, and we say so.
void Node::State::load_orders() {
  auto loaded = node::load_orders(orders_path(prepared.settings));
  if (loaded) {
    orders = std::move(*loaded);
    return;
  }
  bus::write_error(loaded.error());
  journal.note("start", prepared.settings.node_id, loaded.error().to_string(),
               {now, bus::wall_now_ms()});
}

void Node::State::save_orders() {
  const auto path = orders_path(prepared.settings);
  const bool taken = disk.post({[path, wanted = orders] { return store_orders(path, wanted); },
                                [this](const Status& outcome) {
                                  if (outcome) return;
                                  bus::write_error(outcome.error());
                                  journal.note("disk", prepared.settings.node_id,
                                               "an order will not outlive a restart: " +
                                                   outcome.error().to_string(),
                                               {now, bus::wall_now_ms()});
                                }});
  if (!taken) bus::log_warn("an order will not outlive a restart: the disk is stuck");
}

// A node without kinds of jobs runs none; but what it left when it had some is still looked after.
void Node::State::open_executor() {
  const auto& settings = prepared.settings;
  std::error_code ignored;
  const bool has_past = std::filesystem::exists(settings.paths.data_dir + "/jobs", ignored);
  const bool runs_work = !settings.jobs.empty() && settings.executor.slots > 0;
  if (!runs_work && !has_past) return;
  executor = std::make_unique<ExecutorShell>(settings, instance, *bus, *work, journal);
  executor->on_drained([this](bool draining, bool evicting) {
    orders.draining = draining;
    orders.evicting = evicting;
    self_check_due = now;  // everybody is told
    save_orders();
  });
  if (const auto status = executor->open({orders.draining, orders.evicting}, now); !status) {
    bus::write_error(status.error());
    journal.note("job", settings.node_id, "runs no work: " + status.error().to_string(),
                 {now, bus::wall_now_ms()});
    executor.reset();
    return;
  }
  bus::log_info("runs work", {{"kinds", std::to_string(settings.jobs.size())},
                              {"slots", std::to_string(settings.executor.slots)}});
}

// Whoever asks for somebody else says so, and only a voter is believed (node/quorum/work_desk.h).
const std::set<Role>& Node::State::rights_in(const bus::Received& received,
                                             const std::set<Role>& roles) const {
  const auto& query = std::get<wire::Query>(received.envelope.body);
  const auto asker = query.arguments.find("for");
  if (asker == query.arguments.end() || !roles.contains(Role::voter)) return roles;
  const auto id = NodeId::parse(asker->second);
  return id ? roles_of(*id) : roles;
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
