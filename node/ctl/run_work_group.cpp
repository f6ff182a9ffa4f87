// work group: how much of a group's work may run, shown or set.
#include "node/ctl/commands.h"
#include "node/ctl/output.h"
#include "node/ctl/work_sender.h"

namespace riftbus::ctl {

namespace {

constexpr Shape kGroup{nullptr, "group", render_work_group};
constexpr std::uint64_t kGroupValueMax = 1'000'000;

// What was given of --limit and --weight.
struct GroupWish {
  std::optional<std::uint64_t> limit;
  std::optional<std::uint64_t> weight;
};

Result<GroupWish> read_wish(const Invocation& invocation) {
  GroupWish wish;
  if (const auto limit = invocation.find("limit")) {
    auto count = parse_count(*limit, "--limit", 0, kGroupValueMax);
    if (!count.ok()) return count.error();
    wish.limit = *count;
  }
  if (const auto weight = invocation.find("weight")) {
    auto count = parse_count(*weight, "--weight", 1, kGroupValueMax);
    if (!count.ok()) return count.error();
    wish.weight = *count;
  }
  const std::string& name = invocation.arguments.front();
  if (!name.empty() && name.size() <= work::kNameBytesMax) return wish;
  return Error{
      1501, "the name of a group has 1 to " + std::to_string(work::kNameBytesMax) + " bytes",
      printable(name.substr(0, work::kNameBytesMax)), "name it as `riftbus work add --group` does"};
}

// A group that the queue does not list has no work and nothing was set for it.
Json group_in(const Json& stats, const std::string& name) {
  Json document{{"schema", 1},
                {"document", "work.group"},
                {"node", text(stats, {"node"})},
                {"stale", flag(stats, {"stale"})},
                {"group", name},
                {"leased", 0},
                {"limit", 0},
                {"weight", 1}};
  for (const Json& one : get(stats, {"groups"})) {
    const Json& its_name = get(one, {"group"});
    if (!its_name.is_string() || its_name.get<std::string>() != name) continue;
    for (const char* key : {"leased", "limit", "weight"}) document[key] = get(one, {key});
  }
  return document;
}

// A command sets both values, so the one that was not given is sent as it is.
Status set_group(WorkSender& sender, const GroupWish& wish, const std::string& name,
                 Json& document) {
  if (flag(document, {"stale"}) && !(wish.limit && wish.weight)) {
    return Error{1723, "no leader was reached to say what is set now", "",
                 "try again, or give both --limit and --weight; see riftbus why leader"};
  }
  if (wish.limit) document["limit"] = *wish.limit;
  if (wish.weight) document["weight"] = *wish.weight;
  const auto value = [&document](const char* key) {
    return static_cast<std::uint32_t>(integer(document, {key}).value_or(0));
  };
  auto reply = sender.send(work::SetGroup{name, value("limit"), value("weight")});
  if (!reply.ok()) return in_doubt(reply.error());
  document["stale"] = false;
  const auto* verdicts = std::get_if<work::Verdicts>(&*reply);
  if (verdicts != nullptr && verdicts->outcome == work::Outcome::ok) return Ok{};
  const auto outcome = verdicts ? verdicts->outcome : work::Outcome::bad_value;
  return Error{kQueueRefused, std::string("the queue refused: ") + work::to_string(outcome), name,
               outcome == work::Outcome::too_many
                   ? "too many groups have work or a limit; set some back to --limit 0 --weight 1"
                   : ""};
}

int show_or_set(Context& context) {
  auto wish = read_wish(context.invocation);
  if (!wish.ok()) return report(context, wish.error());
  const std::string& name = context.invocation.arguments.front();
  WorkSender sender(context, context.globals().timeout);
  auto stats = sender.ask("work.stats", {});
  if (!stats.ok()) return report(context, stats.error());
  Json document = group_in(*stats, name);
  if (wish->limit || wish->weight) {
    const Status done = set_group(sender, *wish, name, document);
    if (!done.ok()) return report(context, done.error());
  }
  print_document(context, document, kGroup);
  return kExitOk;
}

}  // namespace

int run_work_group(Context& context) {
  const bool only_shows = context.invocation.options.empty();
  return only_shows ? run_watched(context, show_or_set) : show_or_set(context);
}

}  // namespace riftbus::ctl
