// Random streams of commands, with lost replies, repeats, expiries, new instances and new terms.
//
// Three replicas apply each stream: one straight, one that is restored from its own snapshot every
// now and then, and both are compared byte by byte; a checker judges what clients saw.
#include "config/random.h"
#include "node/work/snapshot.h"
#include "test/node/work/checker.h"
#include "test/node/work/stand.h"

namespace riftbus::work {
namespace {

constexpr int kWorkers = 5;

class Chaos {
 public:
  explicit Chaos(std::uint64_t seed) : random_(seed) {
    Settings settings;
    settings.history_max = 1'000'000;
    settings.dead_max = 1'000'000;
    apply(Configure{settings});
    apply(SetGroup{"g1", 3, 1});
    for (int i = 0; i < kWorkers; ++i) {
      workers_.push_back({node("w" + std::to_string(i)),
                          Instance(random_.next() | 1U),
                          0,
                          {},
                          offer(i == 0   ? "cpus=4"
                                : i == 1 ? "gpus=2 tag.spot"
                                         : "gpus=4"),
                          {}});
    }
  }

  void step() {
    now_ms_ += random_.between(0, 2000);
    if (random_.chance(0.01)) ++term_;
    if (random_.chance(0.02)) restore();
    const auto dice = random_.below(100);
    if (dice < 20) return add();
    if (dice < 50) return claim();
    if (dice < 75) return end();
    if (dice < 83) return expire();
    if (dice < 85) return attach();
    if (dice < 93) return repeat();
    if (dice < 97) return operate();
    apply(Tick{});
  }

  // Everything heals: one worker that can do all takes and completes until nothing is left.
  void drain() {
    Worker healer{node("healer"), Instance(7), 0, {}, offer("gpus=1000 cpus=1000"), {}};
    for (int round = 0; round < 5000 && unfinished() > 0; ++round) {
      now_ms_ = std::max(now_ms_ + 1000, std::min(queue_.next_due_ms(), now_ms_ + 600'000));
      apply(Tick{});
      for (const auto& [id, held] : leases())
        apply(Expire{term_, Lapse::silence, {{held, 0, 0, ""}}});
      const Claim claim{healer.id, healer.instance, ++healer.request, 64, healer.offer};
      const auto claimed = std::get<Claimed>(apply(claim));
      Complete complete{healer.id, {}};
      for (const auto& grant : claimed.grants) {
        complete.works.push_back({{grant.id, claimed.fence}, "r"});
      }
      apply(complete);
    }
  }

  void finish() {
    std::set<WorkId> dead;
    std::set<WorkId> cancelled;
    for (const auto& [id, item] : queue_.ledger().items) {
      if (item.state == State::dead || is_blocked(item)) dead.insert(id);
    }
    for (const auto& view : list_history(queue_, {}, 1'000'000)) {
      if (view.state == State::cancelled) cancelled.insert(view.id);
      if (view.state == State::dead) dead.insert(view.id);
    }
    checker_.finish(dead, cancelled);
  }

  [[nodiscard]] const Checker& checker() const { return checker_; }
  // Written while the queue went on, and compared.
  [[nodiscard]] std::uint64_t snapshots() const { return snapshots_; }
  [[nodiscard]] const WorkQueue& straight() const { return queue_; }
  [[nodiscard]] const WorkQueue& restored() const { return other_; }

 private:
  struct Worker {
    NodeId id;
    Instance instance;
    std::uint64_t request = 0;
    std::optional<Claim> open;  // without an answer: to be repeated
    Offer offer;
    std::vector<Hold> holds;  // as it believes
  };

  Reply apply(const Command& command) {
    const Stamp stamp{++index_, term_, now_ms_};
    const Reply reply = queue_.apply(stamp, command);
    write_meanwhile();
    EXPECT_TRUE(other_.apply(stamp, command) == reply);
    checker_.saw(stamp, command, reply);
    if (past_.size() < 500) {
      past_.push_back(command);
    } else {
      past_[random_.below(past_.size())] = command;
    }
    return reply;
  }

  // Always somewhere in a snapshot, with a piece now and then.
  void write_meanwhile() {
    if (!writer_) {
      began_as_ = write_snapshot(queue_);
      written_.clear();
      writer_.emplace(queue_);
    }
    if (random_.chance(0.5)) return;
    written_ += writer_->next_piece(random_.below(1000));
    if (!writer_->done()) return;
    EXPECT_TRUE(written_ == began_as_);
    ++snapshots_;
    writer_.reset();
  }

  void restore() {
    auto copy = read_snapshot(write_snapshot(other_));
    ASSERT_TRUE(copy.ok()) << copy.error().to_string();
    other_ = std::move(copy).value();
  }

  Worker& any_worker() { return workers_[random_.below(workers_.size())]; }

  void add() {
    Add add{random_.chance(0.5) ? random_.next() | 1U : 0, {}};
    const auto count = random_.between(1, 6);
    const bool ganged = random_.chance(0.1) && count > 1;
    for (std::int64_t i = 0; i < count; ++i) add.items.push_back(any_spec(i, ganged));
    apply(add);
  }

  Spec any_spec(std::int64_t position, bool ganged) {
    Spec spec = job(random_.chance(0.5) ? "a" : "b");
    spec.payload = std::to_string(random_.below(1000));
    spec.priority = static_cast<std::uint8_t>(random_.below(256));
    spec.group = random_.chance(0.5) ? "" : "g" + std::to_string(random_.below(3));
    spec.terms.attempts_max = static_cast<std::uint8_t>(random_.between(1, 4));
    if (random_.chance(0.5)) spec.terms.needs = random_.chance(0.6) ? "gpus>=1" : "!tag.spot";
    if (random_.chance(0.1)) spec.delay_ms = random_.below(20'000);
    if (random_.chance(0.1)) spec.expires_ms = random_.below(30'000);
    if (random_.chance(0.1)) spec.deadline_ms = random_.below(60'000);
    if (random_.chance(0.2) && position > 0) {
      spec.after_here = {
          static_cast<std::uint16_t>(random_.below(static_cast<std::uint64_t>(position)))};
    }
    if (random_.chance(0.1) && queue_.ledger().next_id > WorkId(1)) {
      spec.after = {WorkId(1 + random_.below(queue_.ledger().next_id.value() - 1))};
    }
    if (ganged) {
      spec.gang = 1;
      spec.gang_timeout_ms = 5000;
      spec.after_here.clear();
    } else if (random_.chance(0.2)) {
      spec.dedupe = "key" + std::to_string(random_.below(20));
      spec.dedupe_window_ms = random_.below(10'000);
    }
    return spec;
  }

  void claim() {
    Worker& worker = any_worker();
    if (!worker.open) {
      const auto max = static_cast<std::uint32_t>(random_.between(1, 4));
      worker.open = Claim{worker.id, worker.instance, ++worker.request, max, worker.offer};
    }
    const auto claimed = std::get<Claimed>(apply(*worker.open));
    if (random_.chance(0.25)) return;  // the reply is lost
    worker.open.reset();
    for (const auto& grant : claimed.grants) {
      if (grant.held) worker.holds.push_back({grant.id, claimed.fence});
    }
  }

  void end() {
    Worker& worker = any_worker();
    if (worker.holds.empty()) return;
    const auto at = random_.below(worker.holds.size());
    const Hold hold = worker.holds[at];
    // A lost reply: it will say so again, perhaps much later and perhaps something else.
    if (!random_.chance(0.25)) {
      worker.holds.erase(worker.holds.begin() + static_cast<std::ptrdiff_t>(at));
    }
    const auto dice = random_.below(10);
    // Now and then somebody says it who does not hold it, with a fence that is right.
    const NodeId speaker = random_.chance(0.05) ? any_worker().id : worker.id;
    if (dice < 5) {
      apply(Complete{speaker, {{hold, random_.chance(0.5) ? "result" : ""}}});
    } else if (dice < 8) {
      apply(Fail{speaker, {{hold, random_.chance(0.9), 1, 0, "tail", "c"}}});
    } else if (dice < 9) {
      apply(Release{speaker, {{hold, random_.below(3000), 5, "c"}}});
    } else {
      apply(Bury{speaker, {{hold, false, 1, 9, "why", ""}}});
    }
  }

  [[nodiscard]] std::map<WorkId, Hold> leases() const {
    std::map<WorkId, Hold> found;
    for (const auto& [id, item] : queue_.ledger().items) {
      if (item.state == State::leased) found[id] = {id, item.fence};
    }
    return found;
  }

  void expire() {
    const auto all = leases();
    if (all.empty()) return;
    const auto at = std::next(all.begin(), static_cast<std::ptrdiff_t>(random_.below(all.size())));
    const auto term = random_.chance(0.2) ? term_ - 1 : term_;
    apply(Expire{
        term, random_.chance(0.2) ? Lapse::dead : Lapse::silence, {{at->second, 0, 9, "last"}}});
  }

  void attach() {
    Worker& worker = any_worker();
    std::vector<Hold> kept;
    for (const auto& hold : worker.holds) {
      if (random_.chance(0.5)) kept.push_back(hold);
    }
    worker.holds = kept;
    const Instance before = std::exchange(worker.instance, Instance(random_.next() | 1U));
    worker.request = 0;
    worker.open.reset();
    apply(Attach{worker.id, worker.instance, kept, random_.chance(0.2), before});
  }

  // A copy that was under way for long.
  void repeat() {
    Command command = past_[random_.below(past_.size())];
    if (auto* add = std::get_if<Add>(&command); add != nullptr && add->nonce == 0) return;
    if (std::holds_alternative<Configure>(command)) return;
    apply(command);
  }

  void operate() {
    const WorkId id(1 + random_.below(queue_.ledger().next_id.value()));
    const auto dice = random_.below(5);
    if (dice == 0) apply(Cancel{{id}});
    if (dice == 1) apply(Preempt{{id}});
    if (dice == 2) apply(Kick{{id}});
    if (dice == 3) apply(Purge{{id}});
    if (dice == 4) apply(Note{any_worker().id, {{{id, Fence(index_)}, 0, 50, "note"}}});
  }

  // Waits, rightly, for something dead.
  [[nodiscard]] bool is_blocked(const Item& item) const {
    if (item.state != State::delayed) return false;
    const auto is_stuck = [&](WorkId id) {
      const Item* other = queue_.ledger().find(id);
      return other->state == State::dead || (other->id != item.id && is_blocked_once(*other));
    };
    const auto& after = item.more().after;
    if (std::any_of(after.begin(), after.end(), is_stuck)) return true;
    const auto gang = queue_.ledger().gangs.find(item.more().gang);
    if (gang == queue_.ledger().gangs.end()) return false;
    return std::any_of(gang->second.members.begin(), gang->second.members.end(), is_stuck);
  }
  [[nodiscard]] bool is_blocked_once(const Item& item) const {
    return item.state == State::delayed &&
           (!item.more().after.empty() || item.more().gang != WorkId());
  }

  [[nodiscard]] std::size_t unfinished() const {
    std::size_t count = 0;
    for (const auto& [id, item] : queue_.ledger().items) {
      if (item.state != State::dead && !is_blocked(item)) ++count;
    }
    return count;
  }

  Random random_;
  WorkQueue queue_;
  WorkQueue other_;
  std::optional<SnapshotWriter> writer_;
  std::string began_as_;  // what it is to write
  std::string written_;
  std::uint64_t snapshots_ = 0;
  Checker checker_;
  std::vector<Worker> workers_;
  std::vector<Command> past_;
  std::uint64_t index_ = 0;
  std::uint64_t term_ = 2;
  LogMs now_ms_ = 1;
};

// What is derived agrees with what a reader derives anew from the items alone.
void expect_true_indexes(const WorkQueue& queue) {
  const std::string bytes = write_snapshot(queue);
  const auto copy = read_snapshot(bytes);
  ASSERT_TRUE(copy.ok()) << copy.error().to_string();
  EXPECT_TRUE(write_snapshot(copy.value()) == bytes);
  const Ledger& a = queue.ledger();
  const Ledger& b = copy.value().ledger();
  EXPECT_EQ(a.counts, b.counts);
  EXPECT_EQ(a.payload_bytes, b.payload_bytes);
  EXPECT_EQ(a.ready.classes(), b.ready.classes());
  EXPECT_EQ(a.alarms, b.alarms);
  EXPECT_EQ(a.gang_alarms, b.gang_alarms);
  EXPECT_EQ(a.dedupe, b.dedupe);
  EXPECT_EQ(a.dedupe_alarms, b.dedupe_alarms);
  EXPECT_EQ(a.dependants, b.dependants);
  EXPECT_EQ(a.dead, b.dead);
  ASSERT_EQ(a.past_adds.size(), b.past_adds.size());
  for (std::size_t i = 0; i < a.past_adds.size(); ++i) {
    EXPECT_EQ(a.past_adds.at(i), b.past_adds.at(i));
  }
  for (const auto& [node, worker] : a.workers.all()) {
    EXPECT_EQ(worker.leases, b.workers.find(node)->leases);
    EXPECT_EQ(worker.reserved, b.workers.find(node)->reserved);
  }
  for (const auto& [number, group] : a.group_of) {
    EXPECT_EQ(group.leased, b.group_of.at(number).leased);
  }
}

class ChaosTest : public testing::TestWithParam<int> {};

TEST_P(ChaosTest, EndsWithEachItemGrantedToOneAtATimeAndEndedOnce) {
  for (int run = 0; run < 10; ++run) {
    const auto seed = static_cast<std::uint64_t>(GetParam() * 10 + run);
    SCOPED_TRACE("seed " + std::to_string(seed));
    Chaos chaos(seed);
    for (int i = 0; i < 1500; ++i) {
      chaos.step();
      if (i % 500 == 0) expect_true_indexes(chaos.straight());
    }
    EXPECT_TRUE(write_snapshot(chaos.straight()) == write_snapshot(chaos.restored()));
    chaos.drain();
    chaos.finish();
    expect_true_indexes(chaos.straight());
    EXPECT_TRUE(write_snapshot(chaos.straight()) == write_snapshot(chaos.restored()));
    for (const auto& violation : chaos.checker().violations()) ADD_FAILURE() << violation;
    EXPECT_GT(chaos.checker().completions(), 100U);
    EXPECT_GT(chaos.snapshots(), 10U);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ChaosTest, testing::Range(0, 4));

}  // namespace
}  // namespace riftbus::work
