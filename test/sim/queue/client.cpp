#include "test/sim/queue/client.h"

#include <algorithm>

#include "node/replica/protocol.h"
#include "node/work/codec.h"
#include "test/sim/queue/world.h"

namespace riftbus::consensus {

namespace {

constexpr double kOverlaps = 0.1;  // may run twice when membership buries a worker

}  // namespace

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

void Client::call(Request request, Nanos wait, Reply done, Nanos within,
                  std::function<void()> failed) {
  const std::uint64_t number = ++calls_made_;
  calls_[number] = {std::move(request), wait, std::move(done), 0};
  try_call(number);
  if (within == Nanos::max()) return;
  after(within, [this, number, failed = std::move(failed)] {
    if (calls_.erase(number) > 0) failed();
  });
}

replica::Request Client::make_request(const Call& call, replica::Ticket ticket) {
  const bool wire = world_.scene().wire;
  if (const auto* command = std::get_if<work::Command>(&call.request)) {
    if (!wire) return replica::Submit{ticket, *command, "", call.wait};
    auto decoded = work::decode_command(work::encode(*command));
    if (!decoded.ok()) world_.blame("a command does not survive the codec");
    return replica::Submit{ticket, std::move(decoded.value), "", call.wait};
  }
  const auto* renewal = std::get_if<work::Renewal>(&call.request);
  if (renewal == nullptr) return replica::Read{ticket};
  if (!wire) return replica::Renew{ticket, *renewal};
  auto decoded = replica::decode_renewal(replica::encode_renewal(*renewal));
  if (!decoded) world_.blame("a renewal does not survive the codec");
  return replica::Renew{ticket, decoded.value_or(work::Renewal{})};
}

void Client::try_call(std::uint64_t number) {
  const auto found = calls_.find(number);
  if (found == calls_.end()) return;
  Call& open = found->second;
  const std::uint64_t tries = ++open.tries;
  const ServerId to = leader_ == ServerId() ? any_voter() : leader_;
  const Reply reply = [this, to, number, life = life_](const AnswerBody& body) {
    world_.links().send(to.value(), port_, [this, number, life, body] {
      if (life == life_) post([this, number, body] { on_answer(number, body); });
    });
  };
  // A link may deliver twice; each arrival is a request of its own.
  world_.links().send(port_, to.value(), [this, to, open, reply] {
    const replica::Ticket ticket = world_.next_ticket();
    world_.find(to)->ask(make_request(open, ticket), ticket, reply);
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
    spec.terms.reserve = {{"cpus", 1000}};
    spec.terms.overlap_ok = random_.chance(kOverlaps);
    if (random_.chance(world_.scene().work.finishes)) {
      spec.terms.on_disconnect = work::OnDisconnect::finish;
    }
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

}  // namespace riftbus::consensus
