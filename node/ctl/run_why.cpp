// why node ID: asks everybody who may know, and lays the answers side by side.
#include <algorithm>

#include "node/ctl/commands.h"
#include "node/ctl/output.h"
#include "node/ctl/session.h"

namespace riftbus::ctl {

namespace {

constexpr Shape kWhyNode{"views", "node", render_why};
// Beside the witnesses, as many further members as make a small cluster complete.
constexpr std::size_t kAskedEnough = 8;

class Witnesses {
 public:
  Witnesses(NodeId entry, const Json& node_list) : entry_(std::move(entry)), list_(node_list) {}

  void add(const std::string& word) {
    auto id = NodeId::parse(word);
    if (!id.ok() || *id == entry_ || ids_.size() == Session::kAskedMax) return;
    if (std::find(ids_.begin(), ids_.end(), *id) == ids_.end()) ids_.push_back(*id);
  }
  void add_from(const Json& view) {
    for (const auto& step : get(view, {"history"})) add(text(step, {"accuser"}));
    for (const auto& accuser : texts(view, {"watch", "accusers"})) add(accuser);
    for (const auto& watcher : texts(view, {"watched_by"})) add(watcher);
  }
  void fill_up() {
    for (const auto& node : get(list_, {"nodes"})) {
      if (ids_.size() >= kAskedEnough) return;
      if (text(node, {"standing"}) == "alive") add(text(node, {"id"}));
    }
  }
  [[nodiscard]] const std::vector<NodeId>& ids() const { return ids_; }

 private:
  NodeId entry_;
  const Json& list_;
  std::vector<NodeId> ids_;
};

void add_answers(const std::vector<Said>& said, Json& views, Json& silent) {
  for (const auto& each : said) {
    if (each.answer.ok()) {
      views.push_back(*each.answer);
      continue;
    }
    const Error& error = each.answer.error();
    silent.push_back({{"node", each.node.value()}, {"code", error.code}, {"what", error.what}});
  }
}

std::vector<NodeId> without(const std::vector<NodeId>& ids, const std::vector<Said>& asked) {
  std::vector<NodeId> rest;
  for (const auto& id : ids) {
    const bool done =
        std::any_of(asked.begin(), asked.end(), [&](const Said& said) { return said.node == id; });
    if (!done) rest.push_back(id);
  }
  return rest;
}

int show_why(Context& context) {
  const std::string& subject = context.invocation.arguments.front();
  const Arguments arguments{{"id", subject}};
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  auto first = (*session)->ask("why.node", arguments);
  if (!first.ok()) return report(context, first.error());
  auto list = (*session)->ask_list("node.list", "nodes");
  if (!list.ok()) return report(context, list.error());

  // First the subject, who alone knows its watchers, and the accusers; then the watchers.
  Json views = Json::array({*first});
  Json silent = Json::array();
  Witnesses witnesses((*session)->entry(), *list);
  witnesses.add(subject);
  witnesses.add_from(*first);
  auto said = (*session)->ask_many(witnesses.ids(), *list, "why.node", arguments);
  add_answers(said, views, silent);
  for (const auto& view : Json(views)) witnesses.add_from(view);
  witnesses.fill_up();
  const auto rest = without(witnesses.ids(), said);
  add_answers((*session)->ask_many(rest, *list, "why.node", arguments), views, silent);

  Json why{{"schema", 1},
           {"document", "why"},
           {"subject", subject},
           {"asked", (*session)->entry().value()}};
  why["views"] = std::move(views);
  why["silent"] = std::move(silent);
  print_document(context, why, kWhyNode);
  return kExitOk;
}

}  // namespace

int run_why_node(Context& context) { return run_watched(context, show_why); }

}  // namespace riftbus::ctl
