#include "test/sim/queue/voter.h"

#include <algorithm>

#include "node/consensus/codec.h"
#include "node/work/codec.h"
#include "node/work/snapshot.h"
#include "test/sim/queue/world.h"

namespace riftbus::consensus {

namespace {

std::unique_ptr<work::WorkQueue> load_queue(World& world, const LogImage& image) {
  if (image.snapshot.index == Index()) return std::make_unique<work::WorkQueue>();
  auto queue = work::read_snapshot(image.state);
  if (!queue.ok()) {
    world.blame("a snapshot on disk cannot be read: " + queue.error().to_string());
    return std::make_unique<work::WorkQueue>();
  }
  return std::make_unique<work::WorkQueue>(std::move(queue).value());
}

}  // namespace

Voter::Voter(World& world, ServerId id, std::uint64_t seed)
    : world_(world),
      id_(id),
      random_(sim::split_seed(seed, 1, id.value())),
      core_random_(sim::split_seed(seed, 2, id.value())),
      disk_(world.schedule(), sim::split_seed(seed, 3, id.value())) {
  disk_.done = [this](const Action& action) { on_durable(action); };
  disk_.failed = [this] { take(DiskFailed{}); };
}

// ---- life ------------------------------------------------------------------------------------

void Voter::start() {
  if (is_up()) return;
  replica::ReplicaSettings settings;
  settings.log.self = id_;
  settings.log.cluster = ClusterKey(7);
  settings.log.policy = policy_;
  settings.log.timing = world_.scene().timing;
  settings.log.limits = world_.scene().limits;
  settings.log.memory = disk_.image().load();
  settings.limits = world_.scene().replica;
  told_ = disk_.image();
  auto queue = load_queue(world_, told_);
  replica_ =
      std::make_unique<replica::QueueReplica>(std::move(settings), std::move(*queue), core_random_);
  seen_applied = told_.snapshot.index;
  compared_at = Index();
  schedule_turn(Nanos(0));
}

void Voter::crash(std::size_t kept_max) {
  if (!is_up()) return;
  disk_.crash(kept_max);
  ++life_;
  replica_.reset();
  asked_.clear();
  inbox_.clear();
  paused_ = false;
  turn_at_ = deadline_at_ = TimePoint::max();
}

void Voter::resume() {
  paused_ = false;
  std::deque<std::function<void()>> waiting;
  std::swap(waiting, inbox_);
  for (const auto& what : waiting) what();
  if (is_up()) schedule_turn(Nanos(0));
}

void Voter::set_policy(Policy policy) {
  policy_ = policy;
  if (is_up()) take(PolicyChosen{policy});
}

// ---- what comes in ---------------------------------------------------------------------------

TimePoint Voter::local_now() const { return clock_.local(world_.schedule().now()); }

void Voter::post(std::function<void()> what) {
  if (!is_up()) return;
  if (paused_) {
    inbox_.push_back(std::move(what));
    return;
  }
  what();
  if (is_up()) schedule_turn(turn_max_);
}

void Voter::receive(const Message& message) {
  post([this, message] { replica_->take(Received{message}, local_now()); });
}

void Voter::take(Event event) {
  post([this, event = std::move(event)] { replica_->take(event, local_now()); });
}

void Voter::ask(replica::Request request, replica::Ticket ticket, Reply reply) {
  post([this, request = std::move(request), ticket, reply = std::move(reply)] {
    asked_[ticket] = {reply, world_.witness().decided(), world_.schedule().now()};
    replica_->take(request, local_now());
  });
}

void Voter::operate(const std::function<void(replica::QueueReplica&, TimePoint)>& what) {
  if (!is_up() || paused_) return;
  post([this, &what] { what(*replica_, local_now()); });
}

void Voter::on_durable(const Action& action) {
  if (const auto* persist = std::get_if<Persist>(&action)) {
    take(Persisted{persist->seq});
  } else if (const auto* taken = std::get_if<consensus::TakeSnapshot>(&action)) {
    take(SnapshotTaken{taken->meta.index, true, disk_.image().state.size()});
  } else if (const auto* install = std::get_if<InstallSnapshot>(&action)) {
    post([this, index = install->meta.index] {
      auto queue = load_queue(world_, disk_.image());
      replica_->install(index, std::move(*queue), local_now());
      seen_applied = std::max(seen_applied, index);
    });
  }
}

// ---- turns -----------------------------------------------------------------------------------

void Voter::schedule_turn(Nanos within) {
  sim::Schedule& schedule = world_.schedule();
  const Nanos span = within == Nanos(0) ? within : Nanos(random_.between(0, within.count()));
  const TimePoint when = schedule.now() + span;
  if (turn_at_ <= when) return;
  turn_at_ = when;
  schedule.at(when, [this, when, life = life_] {
    if (life != life_ || turn_at_ != when) return;
    turn_at_ = TimePoint::max();
    if (!paused_) turn();
  });
}

void Voter::schedule_deadline() {
  const TimePoint local = replica_->next_deadline(local_now());
  if (local == TimePoint::max()) return;
  sim::Schedule& schedule = world_.schedule();
  const TimePoint when = std::max(clock_.to_virtual(local), schedule.now());
  if (deadline_at_ <= when) return;
  deadline_at_ = when;
  schedule.at(when, [this, when, life = life_] {
    if (life != life_ || deadline_at_ != when) return;
    deadline_at_ = TimePoint::max();
    if (!paused_) turn();
  });
}

void Voter::turn() {
  replica::Actions actions;
  replica_->take(Tick{}, local_now());
  replica_->flush(local_now(), actions);
  for (const auto& action : actions) {
    if (const auto* persist = std::get_if<Persist>(&action)) {
      told_.write(*persist, "");
      world_.witness().wrote(*this, *persist);
    } else if (const auto* install = std::get_if<InstallSnapshot>(&action)) {
      told_.write(*install, "");
    } else if (const auto* compact = std::get_if<Compact>(&action)) {
      told_.snapshot.index = std::max(told_.snapshot.index, compact->up_to);
      told_.write(*compact, "");
    }
  }
  mark(actions);
  world_.witness().stood(*this);
  const std::uint64_t life = life_;
  for (auto& action : actions) {
    perform(action);
    if (life != life_) return;
  }
  schedule_deadline();
}

void Voter::mark(const replica::Actions& actions) {
  sim::Trace& trace = world_.trace();
  trace.mix(id_.value());
  trace.mix(static_cast<std::uint64_t>(world_.schedule().now().time_since_epoch().count()));
  trace.mix(actions.size());
  if (!trace.wants_text()) return;
  for (const auto& action : actions) {
    std::visit(
        [&](const auto& one) {
          using One = std::decay_t<decltype(one)>;
          if constexpr (std::is_constructible_v<Action, One>) {
            trace.line(world_.schedule().now(), "v" + std::to_string(id_.value()),
                       to_string(Action(one)));
          }
        },
        action);
  }
}

void Voter::perform(replica::Action& action) {
  if (auto* send = std::get_if<Send>(&action)) {
    world_.witness().said(*this, send->message);
    world_.deliver(std::move(send->message));
  } else if (auto* piece = std::get_if<replica::SnapshotPiece>(&action)) {
    keep_piece(*piece);
  } else if (const auto* read = std::get_if<ReadSnapshot>(&action)) {
    read_snapshot(*read);
  } else if (const auto* said = std::get_if<replica::Answer>(&action)) {
    answer(*said);
  } else if (const auto* news = std::get_if<Announce>(&action)) {
    world_.witness().announced(*this, *news);
    if (world_.on_news) world_.on_news(*this, *news);
  } else if (auto* persist = std::get_if<Persist>(&action)) {
    disk_.submit(std::move(*persist), "");
  } else if (auto* compact = std::get_if<Compact>(&action)) {
    disk_.submit(*compact, "");
  } else if (auto* chunk = std::get_if<StoreChunk>(&action)) {
    disk_.submit(std::move(*chunk), "");
  } else if (auto* install = std::get_if<InstallSnapshot>(&action)) {
    is_draft_valid_ = false;
    disk_.submit(std::move(*install), "");
  }
}

void Voter::keep_piece(replica::SnapshotPiece& piece) {
  if (piece.is_first) {
    draft_.clear();
    is_draft_valid_ = piece.meta.index > told_.snapshot.index;
  }
  draft_ += piece.bytes;
  world_.schedule().after(Millis(1), [this, life = life_] {
    if (life == life_) post([this] { replica_->piece_written(); });
  });
  if (!piece.is_last) return;
  if (is_draft_valid_) {
    disk_.submit(consensus::TakeSnapshot{std::move(piece.meta)}, std::move(draft_));
  } else {
    take(SnapshotTaken{piece.meta.index, false});
  }
}

void Voter::read_snapshot(const ReadSnapshot& action) {
  const LogImage& image = disk_.image();
  // Behind the end, because a newer one is shorter, there is nothing; but that is an answer.
  const std::uint64_t from = std::min<std::uint64_t>(action.offset, image.state.size());
  SnapshotBytes bytes{action.to, image.snapshot, action.offset, image.state.size(),
                      image.state.substr(from, action.bytes_max)};
  // One after the other, as from one thread.
  const TimePoint now = world_.schedule().now();
  read_at_ = std::max(read_at_, now + Millis(random_.between(0, 3)));
  world_.schedule().after(read_at_ - now, [this, bytes = std::move(bytes), life = life_] {
    if (life == life_) take(bytes);
  });
}

void Voter::answer(const replica::Answer& answer) {
  const auto found = asked_.extract(answer.ticket);
  if (found.empty()) return world_.blame("a ticket was answered twice, or never given");
  world_.witness().answered(*this, answer, found.mapped().decided, found.mapped().at);
  found.mapped().reply(answer.body);
}

}  // namespace riftbus::consensus
