// A workbench for the executor's core: one core, a clock in milliseconds, and what it asked for.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "node/jobs/executor.h"
#include "node/jobs/kinds.h"

namespace riftbus::jobs {

inline TimePoint at_ms(std::int64_t ms) { return TimePoint{Millis{ms}}; }
inline NodeId node_id(const char* text) { return *NodeId::parse(text); }

inline JobKind kind_of(const std::string& name) {
  JobKind kind;
  kind.name = name;
  kind.command = {"true"};
  return kind;
}

class Bench {
 public:
  static constexpr std::int64_t kLeaseMs = 100'000;
  static constexpr std::int64_t kGraceMs = 10'000;

  explicit Bench(std::size_t slots = 4) : core(settings(slots)) {}

  static Settings settings(std::size_t slots) {
    Settings settings;
    settings.self = node_id("w1");
    settings.instance = Instance{7};
    settings.slots = slots;
    settings.kinds["hash"] = kind_of("hash");
    settings.kinds["long"] = kind_of("long");
    settings.kinds["long"].on_disconnect = "finish";
    return settings;
  }

  void step(const Event& event) {
    fresh.clear();
    core.step(event, at_ms(now_ms), fresh);
    all.insert(all.end(), fresh.begin(), fresh.end());
  }
  void pass(std::int64_t ms) {
    now_ms += ms;
    step(Tick{});
  }
  // Lets time pass only where the core asked to be woken; everything it wants meanwhile is kept.
  void pass_by_deadlines(std::int64_t until_ms) {
    Actions seen;
    for (int turns = 0; turns < 10'000; ++turns) {
      const auto due = core.next_deadline();
      if (due > at_ms(until_ms)) break;
      now_ms = std::max(now_ms, (due.time_since_epoch().count() + 999'999) / 1'000'000);
      step(Tick{});
      seen.insert(seen.end(), fresh.begin(), fresh.end());
    }
    now_ms = until_ms;
    fresh = std::move(seen);
  }

  // Found nothing, attached, measured: ready to claim.
  void settle(std::int64_t cpus = 4) {
    step(Found{});
    answer(asked<work::Attach>(), work::Verdicts{});
    work::Offer offer;
    offer.amounts = {{"cpus", cpus * 1000}, {"gpus", 2000}};
    step(Measured{offer});
  }

  template <class Command>
  [[nodiscard]] const Ask* find_ask() const {
    for (const auto& action : fresh) {
      const auto* ask = std::get_if<Ask>(&action);
      if (ask != nullptr && std::holds_alternative<Command>(ask->command)) return ask;
    }
    return nullptr;
  }
  template <class Command>
  [[nodiscard]] Ask asked() const {
    const Ask* ask = find_ask<Command>();
    EXPECT_NE(ask, nullptr) << "it did not ask";
    return ask == nullptr ? Ask{} : *ask;
  }
  template <class Thing>
  [[nodiscard]] std::vector<Thing> got() const {
    std::vector<Thing> things;
    for (const auto& action : fresh) {
      if (const auto* thing = std::get_if<Thing>(&action)) things.push_back(*thing);
    }
    return things;
  }

  void answer(const Ask& ask, work::Reply reply) { step(Answered{ask.ticket, std::move(reply)}); }
  void verdict(const Ask& ask, work::WorkId id, work::Outcome outcome) {
    answer(ask, work::Verdicts{work::Outcome::ok, {{id, outcome, work::State::done}}});
  }
  void renewed(const Renew& renew, work::Outcome outcome, work::Order order = work::Order::go_on) {
    std::vector<work::RenewedAnswer> answers;
    for (const auto& each : renew.renewal.works) {
      answers.push_back({{each.hold.id, outcome, work::State::leased}, order});
    }
    step(Answered{renew.ticket, std::move(answers)});
  }

  static work::Grant grant(std::uint64_t id, const std::string& kind = "hash") {
    work::Grant grant;
    grant.id = work::WorkId(id);
    grant.kind = kind;
    auto from = kind_of(kind);
    if (kind == "long") from.on_disconnect = "finish";
    grant.terms = terms_of(from);
    grant.terms.lease_ms = kLeaseMs;
    return grant;
  }
  static Hold hold(std::uint64_t id) { return {work::WorkId(id), work::Fence(id + 1000)}; }

  // Claims and is granted one item; it is started and runs.
  void run(std::uint64_t id, const std::string& kind = "hash") {
    if (find_ask<work::Claim>() == nullptr) pass(5000);
    answer(asked<work::Claim>(),
           work::Claimed{work::Outcome::ok, hold(id).fence, {grant(id, kind)}});
    Actions kept = fresh;  // the claim that follows belongs to the caller, too
    EXPECT_EQ(got<Start>().size(), 1U);
    step(Started{hold(id)});
    fresh.insert(fresh.begin(), kept.begin(), kept.end());
  }

  Executor core;
  std::int64_t now_ms = 1'000'000;
  Actions fresh;  // of the last step
  Actions all;
};

}  // namespace riftbus::jobs
