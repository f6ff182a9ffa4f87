// Claims by GET: a worker of the former orchestrator asks for work.
#include <algorithm>
#include <charconv>

#include "node/http/legacy_work.h"

namespace riftbus::node {

namespace {

// All who claim over HTTP are one life: they have no memory of their own that could be lost.
constexpr Instance kHttpInstance{1};
constexpr std::uint32_t kBatchMax = 10;
constexpr std::uint32_t kBatchDefault = 5;
constexpr int kGiveBackTries = 10;  // each takes as long as a command may

std::vector<std::string> kinds_in(const std::string& text) {
  std::vector<std::string> kinds;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    if (comma > 0) kinds.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return kinds;
}

// What the member says it has; its own executor, if it runs one, counts for itself.
work::Offer offer_of(const wire::Record& record, std::vector<std::string> kinds) {
  const auto& has = record.resources;
  const auto milli = [](auto value) { return static_cast<std::int64_t>(value) * 1000; };
  work::Offer offer;
  offer.amounts = {
      {"cpus", milli(has.cpus)},           {"disk_mb", milli(has.disk_free_mb)},
      {"gpus", milli(has.gpus)},           {"memory_gb", milli(has.memory_mb / 1024)},
      {"memory_mb", milli(has.memory_mb)}, {"vram_gb", milli(has.gpu_memory_mb / 1024)}};
  for (const auto& [key, value] : record.tags) {
    offer.tags.push_back(key);
    offer.tags.push_back(key + ":" + value);
  }
  offer.kinds = std::move(kinds);
  return offer;
}

Json granted_item(const work::Grant& grant, work::Fence fence, const std::string& node,
                  std::int64_t wall_ms) {
  const double now_s = static_cast<double>(wall_ms) / 1000;
  const std::string id = std::to_string(grant.id.value());
  return {{"work_id", id},
          {"job_id", id},
          {"work_type", grant.kind},
          {"status", "claimed"},
          {"config", config_in(grant.payload)},
          {"claimed_by", node},
          {"claimed_at", now_s},
          {"attempts", grant.attempt},
          {"max_attempts", grant.terms.attempts_max},
          {"timeout_seconds", grant.terms.timeout_ms / 1000},
          {"lease_seconds", grant.terms.lease_ms / 1000},
          {"fence", fence.value()}};
}

using OnItems = std::function<void(const HttpCallPtr&, Json items)>;

void claim(HttpDesk& desk, const HttpCallPtr& call, std::uint32_t most, const OnItems& then) {
  const std::string node = argument_of(*call, "node_id");
  const auto worker = http_worker(node);
  const NodeView view = desk.view();
  const auto id = NodeId::parse(node);
  const auto* member = id ? view.membership->find(*id) : nullptr;
  if (!worker || member == nullptr) {
    return reply_trouble(call, {403, "REJECTED", "no member of that name", {{"node_id", node}}});
  }
  work::Claim command;
  command.worker = *worker;
  command.instance = kHttpInstance;
  command.request = desk.next_request();
  command.max = most;
  command.offer = offer_of(member->record, kinds_in(argument_of(*call, "capabilities")));
  desk.order(command, [=, &desk, wall_ms = view.now.wall_ms](const Result<work::Reply>& reply) {
    if (!reply) {
      desk.fail(call, reply.error());
      if (reply.error().code != WorkClient::kOutOfTime) return;  // asking again tells no more
      return give_back(desk, command, kGiveBackTries);
    }
    const auto* claimed = std::get_if<work::Claimed>(&*reply);
    if (claimed == nullptr || claimed->outcome != work::Outcome::ok) {
      const auto outcome = claimed ? claimed->outcome : work::Outcome::unknown;
      return reply_trouble(call, {409, "REFUSED", work::to_string(outcome), {}});
    }
    Json items = Json::array();
    for (const auto& grant : claimed->grants) {
      items.push_back(granted_item(grant, claimed->fence, node, wall_ms));
    }
    then(call, std::move(items));
  });
}

}  // namespace

void give_back(HttpDesk& desk, const work::Claim& claim, int tries) {
  if (tries <= 0) return;  // the leases run out
  desk.order(claim, [&desk, claim, tries](const Result<work::Reply>& reply) {
    if (!reply) return give_back(desk, claim, tries - 1);
    const auto* claimed = std::get_if<work::Claimed>(&*reply);
    if (claimed == nullptr || claimed->grants.empty()) return;
    work::Release release{claim.worker, {}};
    for (const auto& grant : claimed->grants) {
      release.works.push_back({{grant.id, claimed->fence}, 0, grant.percent, grant.checkpoint});
    }
    desk.order(release, [](const Result<work::Reply>&) {});
  });
}

void claim_work(HttpDesk& desk, const HttpCallPtr& call) {
  claim(desk, call, 1, [](const HttpCallPtr& asked, Json items) {
    if (items.empty()) return reply_json(asked, 200, {{"status", "no_work_available"}});
    reply_json(asked, 200, {{"status", "claimed"}, {"work", items.front()}});
  });
}

void claim_work_batch(HttpDesk& desk, const HttpCallPtr& call) {
  const std::string text = argument_of(*call, "max_items");
  std::uint32_t most = kBatchDefault;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), most);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!text.empty() && !is_number) {
    return desk.fail(call, Error{1503, "max_items is not a number from 1 to 10", "", ""});
  }
  most = std::clamp<std::uint32_t>(most, 1, kBatchMax);
  claim(desk, call, most, [](const HttpCallPtr& asked, Json items) {
    const auto count = items.size();
    reply_json(asked, 200,
               {{"status", count > 0 ? "claimed" : "no_work_available"},
                {"count", count},
                {"items", std::move(items)}});
  });
}

}  // namespace riftbus::node
