#include "test/sim/queue/worker.h"

#include <algorithm>

#include "test/sim/queue/world.h"

namespace riftbus::consensus {

namespace {

constexpr Seconds kAnswerWithin{5};  // as the daemon: then a question counts as unanswered

jobs::Settings settings_of(const NodeId& id, Instance instance, const WorkStyle& style) {
  jobs::Settings settings{id, instance, style.slots, {}};
  for (const char* name : {"k0", "k1"}) {
    JobKind kind;
    kind.name = name;
    kind.command = {"true"};
    kind.lease_s = std::max<std::int64_t>(1, style.lease_ms / 1000);
    kind.kill_grace_s = 1;
    settings.kinds[name] = kind;
  }
  return settings;
}

}  // namespace

Worker::Worker(World& world, Port port, std::uint64_t seed)
    : Client(world, port, seed),
      id_(*NodeId::parse("w" + std::to_string(port))),
      programs_(world.schedule(), world.scene().work, sim::split_seed(seed, 22, port)) {
  programs_.tell = [this](const jobs::Event& event) {
    const auto* ended = std::get_if<jobs::Ended>(&event);
    if (ended != nullptr)
      say("ended", ended->hold, std::string(": ") + to_string(ended->exit.cause));
    if (is_up()) post([this, event] { step(event); });
  };
  programs_.on_begin = [this](const jobs::Start& start) { began(start); };
}

// ---- life ------------------------------------------------------------------------------------

void Worker::set_clock(const sim::HostClock& clock) {
  Client::set_clock(clock);
  programs_.set_clock(clock);
}

void Worker::start() {
  if (is_up()) return;
  const Instance instance((random_.next() & 0xffffffffU) | 1U);
  core_ = std::make_unique<jobs::Executor>(settings_of(id_, instance, world_.scene().work));
  jobs::Measured measured;
  measured.offer.amounts = {{"cpus", 64'000}};
  step(measured);
  step(jobs::Found{programs_.recover()});
}

void Worker::crash(bool machine) {
  if (machine) programs_.fall();
  if (!is_up()) return;
  core_.reset();
  deadline_at_ = TimePoint::max();
  const bool was_frozen = is_paused();
  end_life();
  if (was_frozen && !machine) programs_.thaw();
}

void Worker::pause(bool machine) {
  Client::pause();
  if (machine) programs_.freeze();
}

void Worker::resume() {
  // What the kernel does first is anybody's guess.
  if (random_.chance(0.5)) programs_.thaw();
  Client::resume();
  programs_.thaw();
}

void Worker::drain(bool on, bool evict) {
  if (is_up()) post([this, on, evict] { step(jobs::Drain{on, evict}); });
}

void Worker::heal() {
  if (is_paused()) resume();
  start();
  drain(false, false);
}

bool Worker::is_running() const {
  return !programs_.is_idle() || (is_up() && !core_->view().empty());
}

// ---- the core --------------------------------------------------------------------------------

void Worker::step(const jobs::Event& event) {
  if (!is_up()) return;
  jobs::Actions actions;
  core_->step(event, local_now(), actions);
  for (const auto& action : actions) act(action);
  schedule_deadline();
}

void Worker::schedule_deadline() {
  const TimePoint due = core_->next_deadline();
  if (due >= deadline_at_ || due == TimePoint::max()) return;
  deadline_at_ = due;
  at_local(due, [this, due] {
    if (deadline_at_ != due) return;
    deadline_at_ = TimePoint::max();
    step(jobs::Tick{});
  });
}

void Worker::act(const jobs::Action& action) {
  if (const auto* asked = std::get_if<jobs::Ask>(&action)) {
    ask(*asked);
  } else if (const auto* renewal = std::get_if<jobs::Renew>(&action)) {
    renew(*renewal);
  } else if (const auto* start = std::get_if<jobs::Start>(&action)) {
    programs_.start(*start);
  } else if (const auto* extended = std::get_if<jobs::Extend>(&action)) {
    programs_.extend(extended->hold, extended->stop_at);
  } else if (const auto* stopped = std::get_if<jobs::Stop>(&action)) {
    programs_.stop(stopped->hold, stopped->cause);
  } else if (const auto* gone = std::get_if<jobs::Discard>(&action)) {
    programs_.discard(gone->hold);
  }
}

void Worker::ask(const jobs::Ask& ask) {
  const bool is_claim = std::holds_alternative<work::Claim>(ask.command);
  const Nanos wait = is_claim ? core_->claim_wait_max() : Nanos(0);
  call(
      ask.command, wait, [this, ask](const AnswerBody& body) { on_answered(ask, body); },
      kAnswerWithin + wait, [this, ticket = ask.ticket] { step(jobs::Unanswered{ticket}); });
}

void Worker::on_answered(const jobs::Ask& ask, const AnswerBody& body) {
  const auto* reply = std::get_if<work::Reply>(&body);
  const bool is_claim = std::holds_alternative<work::Claim>(ask.command);
  if (reply == nullptr || std::holds_alternative<work::Claimed>(*reply) != is_claim ||
      std::holds_alternative<work::Added>(*reply)) {
    return world_.blame("a worker's question was answered with something else");
  }
  acknowledge(ask, *reply);
  step(jobs::Answered{ask.ticket, *reply});
}

void Worker::acknowledge(const jobs::Ask& ask, const work::Reply& reply) {
  if (!std::holds_alternative<work::Complete>(ask.command)) return;
  for (const auto& judged : std::get<work::Verdicts>(reply).works) {
    const bool accepted =
        judged.outcome == work::Outcome::ok || judged.outcome == work::Outcome::repeated;
    if (accepted) world_.witness().acknowledged_end(judged.id);
  }
}

void Worker::renew(const jobs::Renew& renew) {
  call(
      renew.renewal, Nanos(0),
      [this, ticket = renew.ticket, count = renew.renewal.works.size()](const AnswerBody& body) {
        const auto* answers = std::get_if<replica::RenewedAnswers>(&body);
        if (answers == nullptr || answers->size() != count) {
          return world_.blame("a Renewal was answered with something else");
        }
        step(jobs::Answered{ticket, *answers});
      },
      kAnswerWithin, [this, ticket = renew.ticket] { step(jobs::Unanswered{ticket}); });
}

// ---- what must hold --------------------------------------------------------------------------

void Worker::say(const char* what, const jobs::Hold& hold, const std::string& why) const {
  const std::string text = std::string(what) + " #" + std::to_string(hold.id.value()) + why;
  if (world_.on_program) world_.on_program(*this, text);
}

void Worker::began(const jobs::Start& start) {
  say("begins", start.hold, "");
  world_.witness().began(start.hold);
  const work::Terms& terms = start.grant.terms;
  if (terms.on_disconnect == work::OnDisconnect::finish || terms.overlap_ok) return;
  for (const auto& other : world_.workers()) {
    if (other.get() != this && other->programs().runs(start.hold.id)) {
      world_.blame("two workers run #" + std::to_string(start.hold.id.value()) +
                   " at the same time");
    }
  }
}

}  // namespace riftbus::consensus
