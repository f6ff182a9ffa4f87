#include "test/sim/queue/client.h"

#include <algorithm>

#include "test/sim/queue/world.h"

namespace riftbus::consensus {

// ---- asking ----------------------------------------------------------------------------------

Client::Client(World& world, Port port, std::uint64_t seed)
    : world_(world), random_(sim::split_seed(seed, 21, port)), port_(port) {}

TimePoint Client::local_now() const { return clock_.local(world_.schedule().now()); }

void Client::post(std::function<void()> what) {
  if (paused_) {
    inbox_.push_back(std::move(what));
  } else {
    what();
  }
}

void Client::after(Nanos span, std::function<void()> what) {
  world_.schedule().after(span, [this, what = std::move(what), life = life_] {
    if (life == life_) post(what);
  });
}

void Client::at_local(TimePoint local, std::function<void()> what) {
  const TimePoint now = world_.schedule().now();
  after(std::max(clock_.to_virtual(local), now) - now, std::move(what));
}

void Client::resume() {
  paused_ = false;
  std::deque<std::function<void()>> waiting;
  std::swap(waiting, inbox_);
  for (const auto& what : waiting) what();
}

void Client::end_life() {
  ++life_;
  calls_.clear();
  inbox_.clear();
  paused_ = false;
}

ServerId Client::any_voter() {
  return world_.voters()[random_.below(world_.voters().size())]->id();
}

void Client::call(Request request, Nanos wait, Reply done, std::function<bool()> on_try) {
  const std::uint64_t number = ++calls_made_;
  calls_[number] = {std::move(request), wait, std::move(done), std::move(on_try), 0};
  try_call(number);
}

void Client::try_call(std::uint64_t number) {
  const auto found = calls_.find(number);
  if (found == calls_.end()) return;
  Call& open = found->second;
  if (open.on_try && !open.on_try()) {
    calls_.erase(found);
    return;
  }
  const std::uint64_t tries = ++open.tries;
  const ServerId to = leader_ == ServerId() ? any_voter() : leader_;
  const Reply reply = [this, to, number, life = life_](const AnswerBody& body) {
    world_.links().send(to.value(), port_, [this, number, life, body] {
      if (life == life_) post([this, number, body] { on_answer(number, body); });
    });
  };
  // A link may deliver twice; each arrival is a request of its own.
  world_.links().send(port_, to.value(), [this, to, body = open.request, wait = open.wait, reply] {
    const replica::Ticket ticket = world_.next_ticket();
    replica::Request request = replica::Read{ticket};
    if (const auto* command = std::get_if<work::Command>(&body)) {
      request = replica::Submit{ticket, *command, "", wait};
    } else if (const auto* renewal = std::get_if<work::Renewal>(&body)) {
      request = replica::Renew{ticket, *renewal};
    }
    world_.find(to)->ask(request, ticket, reply);
  });
  after(world_.scene().work.answer_timeout + open.wait, [this, number, tries] {
    const auto still = calls_.find(number);
    if (still == calls_.end() || still->second.tries != tries) return;
    leader_ = ServerId();
    try_call(number);
  });
}

void Client::on_answer(std::uint64_t number, const AnswerBody& body) {
  const auto found = calls_.find(number);
  if (found == calls_.end()) return;
  if (const auto* moved = std::get_if<replica::Moved>(&body)) {
    leader_ = moved->leader;
  } else if (!std::holds_alternative<replica::Busy>(body)) {
    const Reply done = std::move(found->second.done);
    calls_.erase(found);
    return done(body);
  }
  const std::uint64_t tries = found->second.tries;
  after(Millis(random_.between(5, 100)), [this, number, tries] {
    const auto still = calls_.find(number);
    if (still != calls_.end() && still->second.tries == tries) try_call(number);
  });
}

// ---- adders ----------------------------------------------------------------------------------

void Adder::start() { next(); }

void Adder::next() {
  if (!adding_) return;
  const WorkStyle& style = world_.scene().work;
  if (random_.chance(style.reads)) {
    call(replica::Read{}, Nanos(0), [](const AnswerBody&) {});
  } else if (random_.chance(style.cancels) && !added_.empty()) {
    call(work::Command(work::Cancel{{added_[random_.below(added_.size())]}}), Nanos(0),
         [](const AnswerBody&) {});
  } else {
    add();
  }
  const auto mean = style.add_every.count();
  after(Nanos(random_.between(mean / 2, mean * 3 / 2)), [this] { next(); });
}

void Adder::add() {
  work::Add add{random_.next() | 1U, {}};
  const std::int64_t count = random_.between(1, 3);
  for (std::int64_t i = 0; i < count; ++i) {
    work::Spec& spec = add.items.emplace_back();
    spec.kind = "k" + std::to_string(random_.below(2));
    spec.payload = std::to_string(random_.next());
    spec.priority = static_cast<std::uint8_t>(random_.below(256));
    spec.terms.lease_ms = world_.scene().work.lease_ms;
    spec.terms.attempts_max = work::kAttemptsMax;
    spec.terms.losses_max = 255;
    spec.terms.backoff_base_ms = 50;
    spec.terms.backoff_cap_ms = 1000;
    if (random_.chance(0.1)) spec.delay_ms = random_.below(3000);
    if (random_.chance(0.1) && i > 0) spec.after_here = {0};
    if (random_.chance(0.1)) spec.dedupe = "d" + std::to_string(random_.below(10));
    spec.dedupe_window_ms = 2000;
  }
  call(work::Command(std::move(add)), Nanos(0), [this](const AnswerBody& body) {
    const auto* reply = std::get_if<work::Reply>(&body);
    const auto* added = reply == nullptr ? nullptr : std::get_if<work::Added>(reply);
    if (added == nullptr) return world_.blame("an Add was answered with something else");
    world_.witness().acknowledged_add(*added);
    added_.insert(added_.end(), added->ids.begin(), added->ids.end());
  });
}

// ---- workers ---------------------------------------------------------------------------------

Worker::Worker(World& world, Port port, std::uint64_t seed)
    : Client(world, port, seed), id_(*NodeId::parse("w" + std::to_string(port))) {}

void Worker::start() {
  up_ = true;
  instance_ = Instance(random_.next() | 1U);
  requests_ = 0;
  claiming_ = false;
  call(work::Command(work::Attach{id_, instance_, {}, false}), Nanos(0),
       [this](const AnswerBody&) { claim(); });
}

void Worker::crash() {
  if (!up_) return;
  up_ = false;
  runs_.clear();
  end_life();
}

void Worker::restart() {
  if (!up_) start();
}

void Worker::heal() {
  if (is_paused()) resume();
  restart();
}

bool Worker::believes_in(work::WorkId id) const {
  const auto found = runs_.find(id);
  return found != runs_.end() && !found->second.ended && !found->second.clock.is_over(local_now());
}

void Worker::claim() {
  const std::size_t slots = world_.scene().work.slots;
  if (!up_ || claiming_ || runs_.size() >= slots) return;
  claiming_ = true;
  work::Claim claim{
      id_, instance_, ++requests_, static_cast<std::uint32_t>(slots - runs_.size()), {}};
  claim.offer.amounts = {{"cpus", 64'000}};
  const Nanos wait = random_.chance(0.7) ? Seconds(2) : Nanos(0);
  call(work::Command(claim), wait, [this, first_try = local_now()](const AnswerBody& body) {
    claiming_ = false;
    const auto* reply = std::get_if<work::Reply>(&body);
    const auto* claimed = reply == nullptr ? nullptr : std::get_if<work::Claimed>(reply);
    if (claimed == nullptr) return world_.blame("a Claim was answered with something else");
    on_claimed(*claimed, first_try);
  });
}

void Worker::on_claimed(const work::Claimed& claimed, TimePoint first_try) {
  for (const work::Grant& grant : claimed.grants) {
    if (grant.held) begin(grant, claimed.fence, first_try);
  }
  after(Millis(random_.between(20, 200)), [this] { claim(); });
}

void Worker::begin(const work::Grant& grant, work::Fence fence, TimePoint first_try) {
  const WorkStyle& style = world_.scene().work;
  const auto [place, is_new] = runs_.try_emplace(
      grant.id,
      Run{fence, work::LeaseClock(Millis(grant.terms.lease_ms), style.kill_grace, first_try), false,
          false});
  if (!is_new) return;  // an earlier grant of it is still being reported
  if (obedient_ && place->second.clock.is_over(local_now())) {
    runs_.erase(place);
    return;
  }
  for (const auto& other : world_.workers()) {
    if (other.get() != this && other->believes_in(grant.id)) {
      world_.blame("two workers run #" + std::to_string(grant.id.value()) + " at the same time");
    }
  }
  const Nanos longest = random_.chance(style.lasts) ? style.lasting_run_max : style.run_max;
  const Nanos span(random_.between(style.run_min.count(), longest.count()));
  after(span, [this, id = grant.id, fence] { end(id, fence); });
  watch(grant.id, fence);
}

Worker::Run* Worker::find(work::WorkId id, work::Fence fence) {
  const auto found = runs_.find(id);
  return found == runs_.end() || found->second.fence != fence ? nullptr : &found->second;
}

void Worker::watch(work::WorkId id, work::Fence fence) {
  Run* run = find(id, fence);
  if (run == nullptr || run->ended) return;
  const TimePoint now = local_now();
  if (run->clock.is_over(now) && obedient_) {
    runs_.erase(id);
    return claim();
  }
  if (!run->renewing && now >= run->clock.renew_at()) renew(id);
  const TimePoint next =
      run->renewing ? run->clock.stop_at() : std::min(run->clock.stop_at(), run->clock.renew_at());
  at_local(std::max(next, now + Millis(1)), [this, id, fence] { watch(id, fence); });
}

void Worker::renew(work::WorkId id) {
  Run& run = runs_.at(id);
  const work::Fence fence = run.fence;
  run.renewing = true;
  const std::uint64_t request = ++renewals_;
  call(
      work::Renewal{id_, {{{id, fence}, 10, ""}}}, Nanos(0),
      [this, id, fence, request](const AnswerBody& body) { on_renewed(id, fence, request, body); },
      [this, id, fence, request] {
        Run* one = find(id, fence);
        if (one == nullptr || one->ended) return false;
        one->clock.sent(request, local_now());
        return true;
      });
}

void Worker::on_renewed(work::WorkId id, work::Fence fence, std::uint64_t request,
                        const AnswerBody& body) {
  Run* run = find(id, fence);
  if (run == nullptr || run->ended) return;
  run->renewing = false;
  const auto* answers = std::get_if<replica::RenewedAnswers>(&body);
  if (answers == nullptr || answers->size() != 1) {
    return world_.blame("a Renewal was answered with something else");
  }
  if (answers->front().judged.outcome != work::Outcome::ok) {
    run->clock.refused(local_now());
    return watch(id, fence);
  }
  run->clock.acknowledged(request);
  if (answers->front().order == work::Order::cancel) return end(id, fence);
  watch(id, fence);
}

void Worker::end(work::WorkId id, work::Fence fence) {
  Run* run = find(id, fence);
  if (run == nullptr || run->ended) return;
  if (run->clock.is_over(local_now()) && obedient_) return watch(id, fence);
  run->ended = true;
  const work::Hold hold{id, fence};
  const WorkStyle& style = world_.scene().work;
  if (random_.chance(style.fails)) {
    return report(id, fence, work::Fail{id_, {{hold, true, 1, 0, "tail", ""}}}, false);
  }
  if (random_.chance(style.fails)) {
    return report(id, fence, work::Release{id_, {{hold, 100, 50, "point"}}}, false);
  }
  report(id, fence, work::Complete{id_, {{hold, "result"}}}, true);
}

void Worker::report(work::WorkId id, work::Fence fence, work::Command command, bool completes) {
  call(std::move(command), Nanos(0), [this, id, fence, completes](const AnswerBody& body) {
    if (find(id, fence) != nullptr) runs_.erase(id);
    const auto* reply = std::get_if<work::Reply>(&body);
    const auto* verdicts = reply == nullptr ? nullptr : std::get_if<work::Verdicts>(reply);
    if (verdicts == nullptr) return world_.blame("a report was answered with something else");
    for (const auto& judged : verdicts->works) {
      const bool accepted =
          judged.outcome == work::Outcome::ok || judged.outcome == work::Outcome::repeated;
      if (completes && accepted) world_.witness().acknowledged_end(id);
    }
    claim();
  });
}

}  // namespace riftbus::consensus
