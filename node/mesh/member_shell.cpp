#include "node/mesh/member_shell.h"

#include <algorithm>
#include <utility>

#include "bus/clock.h"
#include "bus/log.h"
#include "config/overload.h"

namespace riftbus::node {

namespace {

constexpr Seconds kStoreRetry{1};

membership::DialOutcome to_core(bus::DialOutcome outcome) {
  switch (outcome) {
    case bus::DialOutcome::accepted:
      return membership::DialOutcome::accepted;
    case bus::DialOutcome::refused:
      return membership::DialOutcome::refused;
    case bus::DialOutcome::silent:
      return membership::DialOutcome::silent;
    case bus::DialOutcome::relay_lost:
      return membership::DialOutcome::relay_lost;
  }
  return membership::DialOutcome::silent;
}

bool is_alarming(membership::Happening happening) {
  return happening == membership::Happening::died || happening == membership::Happening::conflict ||
         happening == membership::Happening::accused_self ||
         happening == membership::Happening::paused;
}

}  // namespace

std::set<NodeId> allowed_members(const Roster& roster) {
  std::set<NodeId> members;
  for (const auto& [id, entry] : roster.entries) {
    if (entry.has(Role::node) || entry.has(Role::voter) || entry.has(Role::relay))
      members.insert(id);
  }
  return members;
}

MemberShell::MemberShell(membership::Settings settings, AddressBook addresses,
                         std::string incarnation_path, std::uint64_t seed, bus::Bus& bus,
                         DiskThread& disk, Journal& journal)
    : random_(seed),
      core_(std::move(settings), random_),
      addresses_(std::move(addresses)),
      incarnation_file_(std::make_shared<IncarnationFile>(std::move(incarnation_path))),
      bus_(bus),
      disk_(disk),
      journal_(journal) {}

bool MemberShell::takes(wire::Kind kind) {
  switch (kind) {
    case wire::Kind::beat:
    case wire::Kind::gossip:
    case wire::Kind::join:
    case wire::Kind::join_answer:
    case wire::Kind::watch:
    case wire::Kind::watch_answer:
    case wire::Kind::ping:
    case wire::Kind::pong:
    case wire::Kind::ask_heard:
    case wire::Kind::heard:
    case wire::Kind::resync:
    case wire::Kind::digest:
    case wire::Kind::digest_answer:
    case wire::Kind::fetch:
      return true;
    default:
      return false;
  }
}

void MemberShell::start(TimePoint now) { step(membership::Tick{}, now); }

void MemberShell::on_received(const bus::Received& received, TimePoint now) {
  step(membership::Received{received.channel, membership::ReplyTo{received.reply_to.value()},
                            received.envelope},
       now);
}

void MemberShell::on_link(const NodeId& peer, bool up, TimePoint now) {
  if (http_ == nullptr || http_->on_bus_link(peer, up, now)) on_joint_link(peer, up, now);
}

void MemberShell::on_joint_link(const NodeId& peer, bool up, TimePoint now) {
  if (up) {
    step(membership::LinkUp{peer}, now);
  } else {
    step(membership::LinkDown{peer}, now);
  }
}

void MemberShell::on_dialled(const bus::Dialled& dialled, TimePoint now) {
  // Somebody listens again: no reason to rest between attempts any longer.
  if (dialled.outcome == bus::DialOutcome::accepted) bus_.nudge(dialled.peer);
  if (http_ == nullptr || http_->on_bus_dialled(dialled, now)) on_joint_dialled(dialled, now);
}

void MemberShell::on_joint_dialled(const bus::Dialled& dialled, TimePoint now) {
  step(membership::Dialled{dialled.peer, to_core(dialled.outcome)}, now);
}

void MemberShell::on_roster(const Roster& roster, TimePoint now) {
  step(membership::RosterAdopted{roster.version, allowed_members(roster)}, now);
}

void MemberShell::on_self_changed(const wire::Record& record, TimePoint now) {
  step(membership::SelfChanged{record}, now);
}

void MemberShell::leave(TimePoint now) { step(membership::LeaveRequested{}, now); }

void MemberShell::tick(TimePoint now) {
  if (unstored_ && now >= retry_store_) store(*std::exchange(unstored_, std::nullopt));
  if (now >= core_.next_deadline()) step(membership::Tick{}, now);
}

TimePoint MemberShell::next_deadline() const {
  const auto core = core_.next_deadline();
  return unstored_ ? std::min(core, retry_store_) : core;
}

void MemberShell::refresh_addresses() {
  for (const auto& report : core_.watching()) make_known(report.peer);
}

void MemberShell::make_known(const NodeId& peer) {
  if (auto addresses = addresses_.changed(peer, core_)) {
    bus_.set_addresses(peer, std::move(*addresses));
  }
}

void MemberShell::step(const membership::Event& event, TimePoint now) {
  membership::Actions actions;
  core_.step(event, now, actions);
  for (const auto& action : actions) execute(action, now);
}

void MemberShell::execute(const membership::Action& action, TimePoint now) {
  std::visit(Overload{
                 [&](const membership::Publish& publish) {
                   const Seq seq = bus_.publish(publish.body);
                   if (http_ != nullptr) http_->published(seq, publish.body);
                 },
                 [&](const membership::Send& send) {
                   make_known(send.to);
                   const auto outcome = bus_.send(send.to, send.correlation, send.body);
                   if (http_ != nullptr)
                     http_->sent(send.to, send.correlation, send.body, outcome, now);
                 },
                 [&](const membership::Reply& reply) {
                   const bus::ReplyTo to{reply.to.value()};
                   if (http_ != nullptr && http_->reply(to, reply.correlation, reply.body, now))
                     return;
                   bus_.reply(to, reply.correlation, reply.body);
                 },
                 [&](const membership::Subscribe& subscribe) {
                   make_known(subscribe.peer);
                   bus_.subscribe(subscribe.peer);
                   if (http_ != nullptr) http_->subscribe(subscribe.peer, now);
                 },
                 [&](const membership::Unsubscribe& unsubscribe) {
                   bus_.unsubscribe(unsubscribe.peer);
                   if (http_ != nullptr) http_->unsubscribe(unsubscribe.peer);
                 },
                 [&](const membership::Dial& dial) {
                   make_known(dial.peer);
                   bus_.dial(dial.peer);
                 },
                 [&](const membership::StoreIncarnation& stored) { store(stored.incarnation); },
                 [&](const membership::Announce& announced) { announce(announced, now); },
             },
             action);
}

void MemberShell::store(Incarnation incarnation) {
  const auto on_done = [this, incarnation](const Status& outcome) {
    const auto now = bus::boot_now();
    if (outcome.ok()) {
      step(membership::IncarnationStored{incarnation}, now);
      return;
    }
    bus::write_error(outcome.error());
    journal_.note("disk", {}, outcome.error().to_string(), {now, bus::wall_now_ms()});
    unstored_ = incarnation;
    retry_store_ = now + kStoreRetry;
  };
  const bool taken = disk_.post(
      {[file = incarnation_file_, incarnation] { return file->store(incarnation); }, on_done});
  if (taken) return;
  unstored_ = incarnation;
  retry_store_ = bus::boot_now() + kStoreRetry;
}

void MemberShell::announce(const membership::Announce& announce, TimePoint now) {
  journal_.announce(announce, {now, bus::wall_now_ms()});
  const auto level = is_alarming(announce.happening) ? bus::LogLevel::warn : bus::LogLevel::info;
  const std::string text = std::string("member ") + membership::to_string(announce.happening);
  bus::write_log(level, text,
                 {{"node", announce.subject.value()},
                  {"incarnation", std::to_string(announce.incarnation.value())},
                  {"by", announce.accuser.value()},
                  {"evidence", wire::to_string(announce.evidence)}});
}

}  // namespace riftbus::node
