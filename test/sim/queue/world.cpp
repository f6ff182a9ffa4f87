#include "test/sim/queue/world.h"

#include <algorithm>

#include "node/consensus/codec.h"

namespace riftbus::consensus {

namespace {

constexpr std::uint64_t kJobsMax = 6'000'000;  // then something spins
constexpr Port kWorkerPort = 100;
constexpr Port kAdderPort = 200;

sim::HostClock draw_clock(Random& random, std::int64_t drift_ppm_max) {
  return {Seconds(random.between(0, 1'000'000)), random.between(-drift_ppm_max, drift_ppm_max)};
}

}  // namespace

World::World(const sim::Args& args, const Scene& scene)
    : args_(args),
      scene_(scene),
      trace_(args.trace_lines),
      random_(sim::split_seed(args.seed, 11, 0)),
      links_(schedule_, sim::split_seed(args.seed, 12, 0)),
      witness_(*this) {
  if (args.trace_sink) trace_.set_sink(args.trace_sink);
  schedule_.set_jobs_max(kJobsMax);
  links_.set_pace(scene.links);
  std::vector<Server> servers;
  for (std::size_t i = 1; i <= scene.voters; ++i) {
    servers.push_back({ServerId(i), Standing::voter, static_cast<std::uint32_t>(i % 3)});
  }
  const Memory memory = bootstrap(Configuration(Generation(1), servers));
  witness_.begin(memory);
  for (std::size_t i = 1; i <= scene.voters + scene.spares; ++i) {
    auto& voter = voters_.emplace_back(std::make_unique<Voter>(*this, ServerId(i), args.seed));
    voter->disk().set_pace(scene.disks);
    voter->set_clock(draw_clock(random_, scene.drift_ppm_max));
    voter->set_turn_max(scene.turn_max);
    if (i > scene.voters) continue;
    voter->disk().image().hard = memory.hard;
    voter->disk().image().entries.assign(memory.entries.begin(), memory.entries.end());
  }
  for (std::size_t i = 0; i < scene.workers; ++i) {
    workers_.push_back(std::make_unique<Worker>(*this, kWorkerPort + i, args.seed));
    workers_.back()->set_clock(draw_clock(random_, scene.drift_ppm_max));
  }
  for (std::size_t i = 0; i < scene.clients; ++i) {
    adders_.push_back(std::make_unique<Adder>(*this, kAdderPort + i, args.seed));
  }
}

void World::start(bool only_voters) {
  begin_ = schedule_.now();
  for (auto& voter : voters_) voter->start();
  if (only_voters) return;
  for (auto& worker : workers_) worker->start();
  for (auto& adder : adders_) adder->start();
}

void World::run(Nanos span) {
  if (!ok()) return;
  if (!schedule_.run_until(schedule_.now() + span)) {
    if (ok()) blame("something spins: " + std::to_string(kJobsMax) + " events");
  }
}

sim::Outcome World::finish() {
  sim::Outcome outcome;
  trace_.mix(witness_.decided().value());
  outcome.violations = violations_;
  outcome.hash = trace_.hash();
  outcome.jobs = schedule_.jobs_done();
  outcome.simulated = elapsed();
  outcome.figures = figures_;
  outcome.figures.emplace_back("entries", static_cast<double>(witness_.decided().value()));
  outcome.figures.emplace_back("leaders", static_cast<double>(witness_.leaders()));
  outcome.figures.emplace_back("comparisons", static_cast<double>(witness_.comparisons()));
  outcome.figures.emplace_back("grants", static_cast<double>(witness_.checker().grants()));
  outcome.figures.emplace_back("done", static_cast<double>(witness_.checker().completions()));
  outcome.tail.assign(trace_.tail().begin(), trace_.tail().end());
  return outcome;
}

const Voter* World::find(ServerId id) const {
  const std::size_t place = static_cast<std::size_t>(id.value() - 1);
  return place < voters_.size() ? voters_[place].get() : nullptr;
}

Voter* World::find(ServerId id) { return const_cast<Voter*>(std::as_const(*this).find(id)); }

Voter* World::leader() {
  Voter* best = nullptr;
  Term term;
  for (auto& voter : voters_) {
    if (!voter->is_up() || voter->is_paused()) continue;
    const Status status = voter->status();
    if (status.role != Role::leader || !status.settled || status.term <= term) continue;
    best = voter.get();
    term = status.term;
  }
  return best;
}

void World::isolate(Port port) {
  std::vector<Port> all;
  for (const auto& voter : voters_) all.push_back(voter->id().value());
  for (const auto& worker : workers_) all.push_back(worker->port());
  for (const auto& adder : adders_) all.push_back(adder->port());
  for (const Port other : all) {
    links_.cut(port, other);
    links_.cut(other, port);
  }
}

void World::deliver(Message message) {
  const Port from = message.from.value();
  const Port to = message.to.value();
  if (scene_.wire) {
    auto decoded = consensus::decode(consensus::encode(message));
    if (!decoded) return blame("a message does not survive the codec: " + to_string(message));
    message = std::move(*decoded);
  }
  if (loses && loses(message)) return;
  links_.send(from, to, [this, message = std::move(message)] {
    if (Voter* voter = find(message.to)) voter->receive(message);
  });
}

void World::blame(const std::string& what) {
  if (violations_.empty()) trace_.line(schedule_.now(), "VIOLATION", what);
  violations_.push_back(what);
  schedule_.stop();
}

void World::heal() {
  links_.mend_all();
  LinkPace links = links_.pace();
  links.loss = links.repeats = links.stalls = 0;
  links_.set_pace(links);
  for (auto& voter : voters_) {
    voter->disk().set_hanging(false);
    voter->disk().set_refusing(false);
    voter->disk().set_pace(scene_.disks);
    if (voter->is_paused()) voter->resume();
    if (voter->is_up() && voter->status().role == Role::retired) voter->crash();
    voter->start();
  }
  for (auto& worker : workers_) worker->heal();
  for (auto& adder : adders_) adder->stop_adding();
}

std::string World::find_unrest() {
  Voter* best = leader();
  if (best == nullptr) return "nobody leads";
  const Index last = best->status().last;
  for (const auto& server : best->replica().log().configuration().servers()) {
    Voter* voter = find(server.id);
    const std::string name = "v" + std::to_string(server.id.value());
    if (!voter->is_up()) return name + " is down";
    const Index applied = voter->status().applied;
    if (applied != last) {
      return name + " has applied " + std::to_string(applied.value()) + " of " +
             std::to_string(last.value());
    }
  }
  for (const auto& adder : adders_) {
    if (!adder->is_idle()) return "a client waits for an answer";
  }
  for (const auto& worker : workers_) {
    if (worker->is_running()) return "a worker has work";
  }
  const auto& ledger = best->replica().queue().ledger();
  const std::size_t blocked = find_blocked(ledger).size();
  for (const auto state : {work::State::ready, work::State::leased, work::State::delayed}) {
    const std::size_t count =
        ledger.count(state) - (state == work::State::delayed ? blocked : std::size_t{0});
    if (count > 0) return std::to_string(count) + " items are " + work::to_string(state);
  }
  return {};
}

std::set<work::WorkId> World::find_blocked(const work::Ledger& ledger) {
  std::set<work::WorkId> blocked;
  for (const auto& [id, item] : ledger.items) {  // what it waits for has a smaller number
    const auto& after = item.more().after;
    const bool waits = std::any_of(after.begin(), after.end(), [&](work::WorkId other) {
      const work::Item* found = ledger.find(other);
      return blocked.contains(other) || (found != nullptr && found->state == work::State::dead);
    });
    if (item.state == work::State::delayed && waits) blocked.insert(id);
  }
  return blocked;
}

void World::expect_rest(Nanos limit) {
  heal();
  std::string unrest;
  const TimePoint begin = schedule_.now();
  while (ok() && !(unrest = find_unrest()).empty()) {
    if (schedule_.now() - begin >= limit) {
      return blame("healed " + format_span(limit) + " ago, and still " + unrest);
    }
    run(Millis(50));
  }
  if (!ok()) return;
  figure("rest_s", static_cast<double>(to_ms(schedule_.now() - begin)) / 1000);
  for (auto& voter : voters_) witness_.compare(*voter);
  witness_.finish();
}

}  // namespace riftbus::consensus
