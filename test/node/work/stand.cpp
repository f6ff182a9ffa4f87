#include "test/node/work/stand.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <sstream>

namespace riftbus::work {

NodeId node(const std::string& name) { return NodeId::parse(name).value(); }

Spec job(const std::string& kind) {
  Spec spec;
  spec.kind = kind;
  return spec;
}

Spec needing(const std::string& needs) {
  Spec spec = job();
  spec.terms.needs = needs;
  return spec;
}

Offer offer(const std::string& text) {
  Offer result;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    if (word.rfind("tag.", 0) == 0) {
      result.tags.push_back(word.substr(4));
    } else if (word.rfind("data.", 0) == 0) {
      result.data.push_back(word.substr(5));
    } else if (word.rfind("kind.", 0) == 0) {
      result.kinds.push_back(word.substr(5));
    } else {
      const double value = std::strtod(word.c_str() + equals + 1, nullptr);
      result.amounts.push_back({word.substr(0, equals), std::llround(value * 1000)});
    }
  }
  result.normalize();
  return result;
}

Reply Stand::apply(const Command& command) {
  const auto decoded = decode_command(encode(command));
  EXPECT_TRUE(decoded.ok()) << wire::to_string(decoded.reject);
  EXPECT_TRUE(decoded.value == command);
  const Reply reply = queue.apply({++index, term, now_ms}, decoded.value);
  const auto answered = decode_reply(encode(reply));
  EXPECT_TRUE(answered.ok() && answered.value == reply);
  return reply;
}

void Stand::tick(LogMs span_ms) {
  const LogMs end = now_ms + span_ms;
  apply(Tick{});
  while (queue.next_due_ms() <= end) {
    now_ms = std::max(now_ms, queue.next_due_ms());
    apply(Tick{});
  }
  now_ms = end;
}

std::vector<WorkId> Stand::add(const std::vector<Spec>& specs) {
  const auto added = ask<Added>(Add{0, specs});
  EXPECT_EQ(added.outcome, Outcome::ok) << added.why;
  return added.ids;
}

WorkId Stand::add(const Spec& spec) { return add(std::vector<Spec>{spec}).at(0); }

Outcome Stand::refusal(const std::vector<Spec>& specs) { return ask<Added>(Add{0, specs}).outcome; }

Claimed Stand::claim_raw(const std::string& worker, std::uint64_t request, std::uint32_t max,
                         const std::string& text, std::uint64_t instance) {
  return ask<Claimed>(Claim{node(worker), Instance(instance), request, max, offer(text)});
}

std::vector<Held> Stand::claim(const std::string& worker, std::uint32_t max,
                               const std::string& text) {
  const Claimed claimed = claim_raw(worker, ++requests_[worker], max, text);
  EXPECT_EQ(claimed.outcome, Outcome::ok) << to_string(claimed.outcome);
  std::vector<Held> held;
  for (const auto& grant : claimed.grants) {
    held.push_back({{grant.id, claimed.fence}, worker, grant});
  }
  return held;
}

Held Stand::take(const std::string& worker, const std::string& text) {
  const auto held = claim(worker, 1, text);
  if (held.size() != 1) throw std::runtime_error("nothing was granted to " + worker);
  return held[0];
}

Judged Stand::complete(const Held& held, const std::string& result) {
  return ask<Verdicts>(Complete{node(held.worker), {{held.hold, result}}}).works.at(0);
}
Judged Stand::fail(const Held& held, bool retryable, const std::string& tail) {
  return ask<Verdicts>(Fail{node(held.worker), {{held.hold, retryable, 1, 0, tail, ""}}})
      .works.at(0);
}
Judged Stand::bury(const Held& held) {
  return ask<Verdicts>(Bury{node(held.worker), {{held.hold, false, 1, 0, "", ""}}}).works.at(0);
}
Judged Stand::release(const Held& held, std::uint64_t delay_ms, const std::string& checkpoint) {
  return ask<Verdicts>(Release{node(held.worker), {{held.hold, delay_ms, 0, checkpoint}}})
      .works.at(0);
}
Judged Stand::expire(const Held& held, Lapse lapse) {
  return ask<Verdicts>(Expire{term, lapse, {{held.hold, 0, 0, ""}}}).works.at(0);
}
Judged Stand::cancel(WorkId id) { return ask<Verdicts>(Cancel{{id}}).works.at(0); }
Judged Stand::preempt(WorkId id) { return ask<Verdicts>(Preempt{{id}}).works.at(0); }
Judged Stand::kick(WorkId id) { return ask<Verdicts>(Kick{{id}}).works.at(0); }
Judged Stand::purge(WorkId id) { return ask<Verdicts>(Purge{{id}}).works.at(0); }

void Stand::configure(const Settings& settings) {
  EXPECT_EQ(ask<Verdicts>(Configure{settings}).outcome, Outcome::ok);
}

State Stand::state(WorkId id) const {
  const auto view = find_work(queue, id);
  EXPECT_TRUE(view.has_value()) << "#" << id.value() << " is unknown";
  return view ? view->state : State::done;
}

}  // namespace riftbus::work
