// Chaos: which faults a run has is drawn from its seed, so that rare pairs meet alone too.
#include <algorithm>

#include "test/sim/queue/stories.h"

namespace riftbus::consensus {

namespace {

enum class Fault {
  crash,
  crash_all,
  pause,
  stand_still,
  cut_one_way,
  isolate,
  reconnect,
  slow_disk,
  hung_disk,
  failing_disk,
  policy,
  transfer,
  members,
  hint,
  worker_crash,
  machine_crash,
  worker_pause,
  machine_pause,
  worker_drain,
  worker_buried,
  worker_cut,
  count
};

class Storm {
 public:
  explicit Storm(World& world) : world_(world), random_(world.random()) {
    for (int fault = 0; fault < static_cast<int>(Fault::count); ++fault) {
      if (random_.chance(0.5)) mask_.push_back(static_cast<Fault>(fault));
    }
    pace_ = Millis(random_.between(60, 900));
  }

  void rage(Nanos span) {
    const TimePoint end = world_.schedule().now() + span;
    while (world_.ok() && world_.schedule().now() < end) {
      if (!mask_.empty()) strike(mask_[random_.below(mask_.size())]);
      if (random_.chance(0.4)) mend_something();
      world_.run(Nanos(random_.between(pace_.count() / 4, pace_.count() * 2)));
    }
  }

 private:
  Voter& any() { return *world_.voters()[random_.below(world_.voters().size())]; }
  // The leader is the most rewarding victim.
  Voter& victim() {
    Voter* leader = random_.chance(0.4) ? world_.leader() : nullptr;
    return leader == nullptr ? any() : *leader;
  }
  Nanos briefly() { return Millis(random_.between(50, 6000)); }
  void later(const std::function<void()>& what) { world_.schedule().after(briefly(), what); }

  void strike(Fault fault) {
    Voter& it = victim();
    switch (fault) {
      case Fault::crash:
        it.crash();
        return later([&it] { it.start(); });
      case Fault::crash_all:
        if (!random_.chance(0.2)) return;
        for (const auto& voter : world_.voters()) {
          voter->crash();
          later([&one = *voter] { one.start(); });
        }
        return;
      case Fault::pause:
        if (!it.is_up()) return;
        it.pause();
        return later([&it, pause = it.pauses()] {
          if (it.pauses() == pause) it.resume();
        });
      case Fault::stand_still: {
        if (!it.is_up()) return;
        it.pause();
        const TimePoint from = world_.schedule().now();
        return later([&it, from, this, pause = it.pauses()] {
          if (!it.is_paused() || it.pauses() != pause) return;
          it.stand_still(from, world_.schedule().now());
          it.resume();
        });
      }
      case Fault::slow_disk:
        return it.disk().set_pace({Millis(1), Millis(random_.between(2, 800))});
      case Fault::hung_disk:
        it.disk().set_hanging(true);
        return later([&it] { it.disk().set_hanging(false); });
      case Fault::failing_disk:
        it.disk().set_refusing(true);
        return later([&it] {
          it.disk().set_refusing(false);
          it.crash();
          it.start();
        });
      default:
        return strike_links(fault, it);
    }
  }

  void strike_links(Fault fault, Voter& it) {
    const Port port = it.id().value();
    switch (fault) {
      case Fault::cut_one_way: {
        const Port other = any().id().value();
        const bool out = random_.chance(0.5);
        world_.links().cut(out ? port : other, out ? other : port);
        return;
      }
      case Fault::isolate:
        return world_.isolate(port);
      case Fault::reconnect:
        for (const auto& other : world_.voters()) {
          world_.links().reconnect(port, other->id().value());
        }
        return;
      default:
        return strike_minds(fault, it);
    }
  }

  void strike_minds(Fault fault, Voter& it) {
    switch (fault) {
      case Fault::policy:
        return it.set_policy(static_cast<Policy>(1 + random_.below(3)));
      case Fault::transfer:
        return it.operate([&](replica::QueueReplica& replica, TimePoint now) {
          static_cast<void>(replica.transfer(ServerId(), now));
        });
      case Fault::members:
        return change_members();
      case Fault::hint: {
        std::set<ServerId> alive;
        for (const auto& voter : world_.voters()) {
          if (random_.chance(0.7)) alive.insert(voter->id());
        }
        return it.take(Hint{alive});
      }
      default:
        return strike_workers(fault);
    }
  }

  void change_members() {
    Voter* leader = world_.leader();
    if (leader == nullptr) return;
    const auto kind = static_cast<Change::Kind>(random_.below(5));
    const Change change{kind, any().id(), static_cast<std::uint32_t>(random_.below(5))};
    leader->operate([&](replica::QueueReplica& replica, TimePoint now) {
      static_cast<void>(replica.change(change, now));
    });
  }

  void strike_workers(Fault fault) {
    if (world_.workers().empty()) return;
    Worker& worker = *world_.workers()[random_.below(world_.workers().size())];
    switch (fault) {
      case Fault::worker_crash:
      case Fault::machine_crash:
        worker.crash(fault == Fault::machine_crash);
        return later([&worker] { worker.start(); });
      case Fault::worker_pause:
      case Fault::machine_pause:
        if (!worker.is_up()) return;
        worker.pause(fault == Fault::machine_pause);
        return later([&worker] { worker.resume(); });
      case Fault::worker_buried:  // membership says so, rightly or not
        return victim().operate([&](replica::QueueReplica& replica, TimePoint now) {
          replica.take(replica::Evidence{worker.id(), work::Lapse::dead}, now);
        });
      case Fault::worker_drain:
        worker.drain(true, random_.chance(0.5));
        return later([&worker] { worker.drain(false, false); });
      default: {
        const Port port = any().id().value();
        if (random_.chance(0.5)) world_.links().cut(port, worker.port());
        if (random_.chance(0.5)) world_.links().cut(worker.port(), port);
      }
    }
  }

  void mend_something() {
    if (random_.chance(0.5)) world_.links().mend_all();
    Voter& it = any();
    if (random_.chance(0.5)) it.disk().set_pace(world_.scene().disks);
    if (it.is_up() && it.is_paused() && random_.chance(0.3)) it.resume();
  }

  World& world_;
  Random& random_;
  std::vector<Fault> mask_;
  Nanos pace_{};
};

}  // namespace

Scene draw_scene(std::uint64_t seed) {
  Random random(sim::split_seed(seed, 10, 0));
  Scene scene;
  constexpr std::size_t kVoters[] = {3, 3, 3, 5, 5, 4, 2, 1};
  scene.voters = kVoters[random.below(std::size(kVoters))];
  scene.spares = random.below(3);
  scene.workers = 1 + random.below(4);
  scene.clients = 1 + random.below(2);
  if (random.chance(0.5)) scene.replica.snapshot_piece_bytes = 300;
  scene.wire = random.chance(0.25);
  scene.drift_ppm_max = 8000;
  if (random.chance(0.5)) scene.turn_max = Millis(random.between(1, 5));
  scene.timing.stall = Seconds(random.between(2, 5));
  scene.timing.takeover = Seconds(random.between(3, 30));
  if (random.chance(0.7)) {
    scene.limits.snapshot_entries = static_cast<std::uint64_t>(random.between(5, 100));
    scene.limits.trailing_entries = random.below(50);
    scene.limits.chunk_bytes = static_cast<std::size_t>(random.between(64, 2000));
    scene.limits.chunk_window = 1 + random.below(5);
  }
  if (random.chance(0.3)) scene.limits.apply_entries = 1 + random.below(10);
  if (random.chance(0.3)) scene.limits.window_messages = 1 + random.below(4);
  if (random.chance(0.3)) scene.replica.batch_commands = 1 + random.below(3);
  scene.replica.applies_per_turn = 1 + random.below(4);
  if (random.chance(0.3)) {
    scene.links.delay_min = Millis(5);
    scene.links.delay_max = Millis(random.between(10, 60));
  }
  if (random.chance(0.6)) scene.links.loss = random.unit() * 0.04;
  if (random.chance(0.6)) scene.links.repeats = random.unit() * 0.04;
  scene.links.stalls = random.unit();
  scene.work.lease_ms = static_cast<std::uint32_t>(random.between(1500, 6000));
  if (random.chance(0.5)) scene.replica.gather_max = Millis(2);
  // Snapshots come when there are so many entries, or ever more rarely as they grow.
  scene.limits.log_entries =
      scene.limits.snapshot_entries * static_cast<std::uint64_t>(random.between(1, 20));
  return scene;
}

sim::Outcome run_log_chaos(const sim::Args& args) {
  World world(args, draw_scene(args.seed));
  Storm storm(world);
  for (const auto& voter : world.voters()) {
    voter->set_policy(static_cast<Policy>(1 + world.random().below(3)));
  }
  world.start();
  const double minutes = args.minutes.value_or(0.5);
  storm.rage(Millis(static_cast<std::int64_t>(minutes * 60'000)));
  world.expect_rest(Seconds(300));
  return world.finish();
}

}  // namespace riftbus::consensus
