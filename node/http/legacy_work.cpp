#include "node/http/legacy_work.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "node/api/api_leader.h"

namespace riftbus::node {

namespace {

constexpr std::size_t kItemsMax = 100;  // in one add_batch

// By this the queue knows an add that comes again. A body with an idempotency_key means the same
// each time that it comes.
std::uint64_t nonce_of(const Json& body) {
  std::uint64_t nonce = 0;
  if (body.contains("idempotency_key")) {
    const std::string text = dump(body);
    std::array<unsigned char, crypto_generichash_BYTES> digest{};
    crypto_generichash(digest.data(), digest.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr,
                       0);
    std::memcpy(&nonce, digest.data(), sizeof nonce);
  } else {
    randombytes_buf(&nonce, sizeof nonce);
  }
  return nonce | 1U;  // 0 means none
}

http::Trouble trouble_of(work::Outcome outcome, const std::string& why) {
  if (outcome == work::Outcome::again) {
    return {429, "BACKPRESSURE", "the queue is full", {{"next", "ask again later"}}};
  }
  const std::string what = std::string("refused: ") + work::to_string(outcome);
  return {400, "REFUSED", why.empty() ? what : what + ": " + why, {}};
}

void add_specs(HttpDesk& desk, const HttpCallPtr& call, std::vector<work::Spec> specs,
               std::function<void(const work::Added&)> then) {
  const work::Add add{nonce_of(call->body), std::move(specs)};
  desk.command(call, add, [call, then = std::move(then)](const work::Reply& reply) {
    const auto* added = std::get_if<work::Added>(&reply);
    if (added == nullptr || added->outcome == work::Outcome::unknown) {
      return reply_trouble(call, {502, "BAD_ANSWER", "the leader's answer cannot be read", {}});
    }
    const bool is_done =
        added->outcome == work::Outcome::ok || added->outcome == work::Outcome::repeated;
    if (!is_done) return reply_trouble(call, trouble_of(added->outcome, added->why));
    then(*added);
  });
}

Json text_json(work::WorkId id) { return std::to_string(id.value()); }

// A grant that was made over HTTP, and to whom.
struct Holding {
  NodeId worker;
  work::Hold hold;
};

// Why nothing is done about it, in the answer's `error`.
void say_failed(const HttpCallPtr& call, work::WorkId id, const char* word,
                const std::string& why) {
  reply_json(call, 200,
             {{"status", word}, {"success", false}, {"work_id", text_json(id)}, {"error", why}});
}

// Finds the grant that the caller means: the item's present one, if it was made over HTTP, and if
// it is the named node's and has the named fence, where they are named.
void find_holding(HttpDesk& desk, const HttpCallPtr& call, const char* otherwise,
                  std::function<void(const Holding&)> then) {
  const auto id = work_id_of(*call);
  if (!id) return desk.fail(call, Error{1503, "work_id is missing or no number", "", ""});
  const wire::Query query{"work.show", {{"id", std::to_string(id->value())}}};
  desk.ask(call, query, [call, id = *id, otherwise, then = std::move(then)](const Json& shown) {
    const Json work = shown.value("work", Json::object());
    const std::string worker = work.value("node", "");
    const std::string node = argument_of(*call, "node_id");
    std::string fence = argument_of(*call, "fence");
    if (fence.empty()) fence = argument_of(*call, "token");
    if (work.value("state", "") != "leased") {
      return say_failed(call, id, otherwise, "nobody holds it: " + legacy_state(work));
    }
    if (!is_http_worker(worker)) {
      return say_failed(call, id, otherwise, "held by the executor of " + worker);
    }
    if (!node.empty() && node != node_of_worker(worker)) {
      return say_failed(call, id, otherwise, "held by " + node_of_worker(worker));
    }
    const auto token = work.value("token", std::uint64_t{0});
    if (!fence.empty() && fence != std::to_string(token)) {
      return say_failed(call, id, otherwise, "that fence is stale");
    }
    then({*NodeId::parse(worker), {id, work::Fence(token)}});
  });
}

// The queue's verdict on one item: `done` or `otherwise`. `then`: answers in place of `done`.
void end_holding(HttpDesk& desk, const HttpCallPtr& call, const work::Command& command,
                 const char* done, const char* otherwise,
                 const std::function<void()>& then = nullptr) {
  desk.command(call, command, [call, done, otherwise, then](const work::Reply& reply) {
    const auto* verdicts = std::get_if<work::Verdicts>(&reply);
    const bool is_judged = verdicts != nullptr && verdicts->works.size() == 1;
    if (!is_judged) {
      const auto outcome = verdicts ? verdicts->outcome : work::Outcome::unknown;
      return reply_trouble(call, trouble_of(outcome, ""));
    }
    const auto& judged = verdicts->works.front();
    const bool is_done =
        judged.outcome == work::Outcome::ok || judged.outcome == work::Outcome::repeated;
    if (!is_done) return say_failed(call, judged.id, otherwise, work::to_string(judged.outcome));
    if (then) return then();
    reply_json(call, 200, {{"status", done}, {"success", true}, {"work_id", text_json(judged.id)}});
  });
}

}  // namespace

void add_payloads(const NodeView& view, Json& works) {
  if (!view.leadership || view.leadership->voter == nullptr) return;
  const auto& ledger = view.leadership->voter->replica().queue().ledger();
  for (auto& work : works) {
    const auto* item = ledger.find(work::WorkId(work.value("id", std::uint64_t{0})));
    if (item != nullptr) work["payload"] = {{"text", item->payload}};
  }
}

void submit_spec(HttpDesk& desk, const HttpCallPtr& call, const work::Spec& spec,
                 std::function<void(work::WorkId)> then) {
  add_specs(desk, call, {spec},
            [then = std::move(then)](const work::Added& added) { then(added.ids.at(0)); });
}

void add_work(HttpDesk& desk, const HttpCallPtr& call) {
  const auto spec = read_legacy_item(call->body, desk.settings());
  if (!spec) return desk.fail(call, spec.error());
  submit_spec(desk, call, *spec, [call, spec = *spec](work::WorkId id) {
    reply_json(call, 200,
               {{"status", "added"},
                {"success", true},
                {"work_id", text_json(id)},
                {"job_id", text_json(id)},
                {"work_type", spec.kind},
                {"priority", spec.priority}});
  });
}

// All or nothing: the former system's half-added batches could not be repeated.
void add_work_batch(HttpDesk& desk, const HttpCallPtr& call) {
  const Json items = call->body.value("items", Json());
  if (!items.is_array() || items.empty() || items.size() > kItemsMax) {
    return desk.fail(call, Error{1503, "items is not a list of 1 to 100 items", "", ""});
  }
  std::vector<work::Spec> specs;
  for (const auto& item : items) {
    auto spec = item.is_object() ? read_legacy_item(item, desk.settings())
                                 : Error{1503, "an item is not an object", "", ""};
    if (!spec) {
      Error error = spec.error();
      error.what = "item " + std::to_string(specs.size()) + ": " + error.what;
      return desk.fail(call, error);
    }
    specs.push_back(std::move(*spec));
  }
  add_specs(desk, call, std::move(specs), [call](const work::Added& added) {
    Json ids = Json::array(), results = Json::array();
    for (const auto id : added.ids) {
      ids.push_back(text_json(id));
      results.push_back({{"success", true}, {"work_id", text_json(id)}, {"job_id", text_json(id)}});
    }
    reply_json(call, 200,
               {{"status", "added"},
                {"success", true},
                {"count", added.ids.size()},
                {"work_ids", std::move(ids)},
                {"results", std::move(results)},
                {"errors", Json::array()}});
  });
}

void start_work(HttpDesk& desk, const HttpCallPtr& call) {
  find_holding(desk, call, "failed", [call](const Holding& holding) {
    reply_json(call, 200,
               {{"status", "started"}, {"success", true}, {"work_id", text_json(holding.hold.id)}});
  });
}

void complete_work(HttpDesk& desk, const HttpCallPtr& call) {
  find_holding(desk, call, "failed", [&desk, call](const Holding& holding) {
    const Json result = call->body.value("result", Json::object());
    std::string text = result.empty() ? "" : dump(result);
    if (text.size() > work::kResultBytesMax) {
      return reply_trouble(call, {413, "RESULT_TOO_LARGE", "a result has at most 16 KiB", {}});
    }
    end_holding(desk, call, work::Complete{holding.worker, {{holding.hold, std::move(text)}}},
                "completed", "failed");
  });
}

void fail_work(HttpDesk& desk, const HttpCallPtr& call) {
  find_holding(desk, call, "not_found", [&desk, call](const Holding& holding) {
    work::Failure failure;
    failure.hold = holding.hold;
    failure.exit_code = 1;
    failure.tail = argument_of(*call, "error").substr(0, work::kTailBytesMax);
    end_holding(desk, call, work::Fail{holding.worker, {std::move(failure)}}, "failed",
                "not_found");
  });
}

// Whoever runs an item learns with its next renewal that it is cancelled. Who claimed it over HTTP
// renews nothing, so the queue takes it back in its name, and a later `complete` fails.
void cancel_work(HttpDesk& desk, const HttpCallPtr& call) {
  const auto id = work_id_of(*call);
  if (!id) return desk.fail(call, Error{1503, "work_id is missing or no number", "", ""});
  const wire::Query query{"work.show", {{"id", std::to_string(id->value())}}};
  desk.ask(call, query, [&desk, call, id = *id](const Json& shown) {
    const Json work = shown.value("work", Json::object());
    const std::string worker = work.value("node", "");
    const bool renews = work.value("state", "") != "leased" || !is_http_worker(worker);
    const work::Cancel cancel{{id}};
    if (renews) return end_holding(desk, call, cancel, "cancelled", "failed");
    const work::Hold hold{id, work::Fence(work.value("token", std::uint64_t{0}))};
    const work::Release release{*NodeId::parse(worker), {{hold, 0, 0, "", false}}};
    end_holding(desk, call, cancel, "cancelled", "failed", [&desk, call, release] {
      end_holding(desk, call, release, "cancelled", "failed");
    });
  });
}

void retry_work(HttpDesk& desk, const HttpCallPtr& call) {
  const auto id = work_id_of(*call);
  if (!id) return desk.fail(call, Error{1503, "work_id is missing or no number", "", ""});
  end_holding(desk, call, work::Kick{{*id}}, "pending", "failed");
}

}  // namespace riftbus::node
