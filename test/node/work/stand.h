// Stand: a queue with a log of its own, and the words in which tests speak of it.
//
// Every command goes through the codec, so that what the tests show holds for what stands in a log.
// Time is moved by hand. Not a mock: the queue is the real one.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "node/work/codec.h"
#include "node/work/query.h"
#include "node/work/queue.h"

namespace riftbus::work {

struct Held {
  Hold hold;
  std::string worker;
  Grant grant;
  [[nodiscard]] WorkId id() const { return hold.id; }
};

[[nodiscard]] NodeId node(const std::string& name);
[[nodiscard]] Spec job(const std::string& kind = "train");
[[nodiscard]] Spec needing(const std::string& needs);
// "cpus=4 gpus=1.5 tag.spot data.a kind.train"
[[nodiscard]] Offer offer(const std::string& text);

class Stand {
 public:
  Reply apply(const Command& command);
  template <class R>
  R ask(const Command& command) {
    return std::get<R>(apply(command));
  }

  void pass(LogMs span_ms) { now_ms += span_ms; }
  // Time passes and is noticed, as often as there is something to notice.
  void tick(LogMs span_ms = 0);

  WorkId add(const Spec& spec);
  std::vector<WorkId> add(const std::vector<Spec>& specs);
  Outcome refusal(const std::vector<Spec>& specs);

  // The next request of this worker's only instance.
  std::vector<Held> claim(const std::string& worker, std::uint32_t max = 1,
                          const std::string& text = "cpus=64");
  Claimed claim_raw(const std::string& worker, std::uint64_t request, std::uint32_t max = 1,
                    const std::string& text = "cpus=64", std::uint64_t instance = 1);
  // Exactly one: the test ends otherwise.
  Held take(const std::string& worker, const std::string& text = "cpus=64");

  Judged complete(const Held& held, const std::string& result = "");
  Judged fail(const Held& held, bool retryable = true, const std::string& tail = "");
  Judged bury(const Held& held);
  Judged release(const Held& held, std::uint64_t delay_ms = 0, const std::string& checkpoint = "");
  Judged expire(const Held& held, Lapse lapse = Lapse::silence);
  Judged cancel(WorkId id);
  Judged preempt(WorkId id);
  Judged kick(WorkId id);
  Judged purge(WorkId id);
  void configure(const Settings& settings);

  // Of unfinished or remembered work.
  [[nodiscard]] State state(WorkId id) const;
  [[nodiscard]] const Item& item(WorkId id) const { return *queue.ledger().find(id); }
  [[nodiscard]] const Ledger& ledger() const { return queue.ledger(); }

  WorkQueue queue;
  LogMs now_ms = 1'000;
  std::uint64_t index = 0;
  std::uint64_t term = 1;

 private:
  std::map<std::string, std::uint64_t> requests_;
};

}  // namespace riftbus::work
