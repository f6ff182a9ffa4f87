#include "node/quorum/work_desk.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "bus/clock.h"
#include "config/overload.h"
#include "node/replica/protocol.h"
#include "node/work/codec.h"

namespace riftbus::node {

namespace {

constexpr Seconds kPassOnMax{10};  // beside what a claim is willing to wait
constexpr std::uint16_t kNotAllowed = 1304;
constexpr std::uint16_t kMalformed = 1722;
constexpr std::uint16_t kAskLeader = 1729;

bool is_member(const std::set<Role>& roles) {
  return roles.contains(Role::node) || roles.contains(Role::voter);
}

template <class Named>
const char* refuse_worker(const Named& command, const NodeId& client, const std::set<Role>& roles) {
  if (roles.contains(Role::admin)) return nullptr;
  if (!is_member(roles)) return "working takes a member's key";
  return command.worker == client ? nullptr : "a member works for itself only";
}

Error malformed(const char* what) { return {kMalformed, what, "", "see bus/wire/README.md"}; }
Error not_allowed(const char* why, const NodeId& client) {
  return {kNotAllowed, why, client.value(), "ask for that role"};
}
Error too_much(const NodeId& self) {
  return {WorkClient::kTooManyCalls, "too much is being passed on to the leader", self.value(),
          "ask again in a while, or ask the leader itself"};
}

// Before it is passed on; questions are read where they are kept. Who may what is the leader's to
// judge: its roster may be newer.
std::optional<Error> refuse_unreadable(const wire::WorkRequest& request) {
  if (request.ask == wire::WorkAsk::command && !work::decode_command(request.body).ok()) {
    return malformed("the command cannot be read");
  }
  if (request.ask == wire::WorkAsk::renewal && !replica::decode_renewal(request.body)) {
    return malformed("the renewal cannot be read");
  }
  return std::nullopt;
}

}  // namespace

const char* refuse_command(const work::Command& command, const NodeId& client,
                           const std::set<Role>& roles) {
  const bool is_admin = roles.contains(Role::admin);
  return std::visit(
      Overload{
          [&](const work::Add& add) -> const char* {
            if (!is_admin && !is_member(roles)) return "adding work takes a member or an admin";
            return add.nonce == 0 ? "an add without a nonce cannot be repeated" : nullptr;
          },
          [](const work::Expire&) -> const char* { return "only a leader ends leases"; },
          [](const work::Tick&) -> const char* { return "only a leader tells the time"; },
          [](const work::Recover&) -> const char* { return "only a leader begins a generation"; },
          [&](const auto& one) -> const char* {
            if constexpr (requires { one.worker; }) return refuse_worker(one, client, roles);
            return is_admin ? nullptr : "this takes the admin role";
          },
      },
      command);
}

WorkDesk::WorkDesk(const NodeId& self, bus::Bus& bus, WorkClient& client, LeaderWatch& leader,
                   RolesOf roles_of, Questions questions)
    : self_(self),
      bus_(bus),
      client_(client),
      leader_(leader),
      roles_of_(std::move(roles_of)),
      questions_(std::move(questions)) {}

void WorkDesk::set_voter(VoterShell* voter) {
  voter_ = voter;
  if (voter_ == nullptr) return;
  voter_->on_answer([this](replica::Answer&& one) { on_answer(std::move(one)); });
}

wire::WorkReply WorkDesk::moved(TimePoint now) const {
  const NodeId leader = leader_.is_confirmed(now) ? leader_.leader() : NodeId();
  return {wire::WorkOutcome::moved, {}, leader, leader_.reign(), false};
}

// By this node's own log.
wire::WorkReply WorkDesk::served(wire::WorkOutcome outcome, std::string body) const {
  const auto log = voter_->replica().log().glance();
  return {outcome, std::move(body), self_, reign_of(log.generation, log.term), false};
}

std::set<Role> WorkDesk::rights_of(const NodeId& client, const NodeId& origin) const {
  const std::set<Role>& roles = roles_of_(client);
  if (client == origin || roles.empty() || is_voter(origin)) return roles;
  return {Role::tap};  // it may read
}

// ---- requests ----------------------------------------------------------------------------------

void WorkDesk::on_request(bus::Received&& received, TimePoint now) {
  auto& request = std::get<wire::WorkRequest>(received.envelope.body);
  const NodeId& origin = received.envelope.origin;
  const Remote remote{received.reply_to, received.envelope.correlation, false};
  if (received.reply_to == bus::ReplyTo() || remote.correlation == Correlation()) return;
  const std::set<Role>& roles = roles_of_(origin);
  if (request.ask == wire::WorkAsk::leader) {
    wire::WorkReply reply = moved(now);
    reply.outcome = wire::WorkOutcome::done;
    reply.body = note_;
    reply.stale = !leader_.is_told();  // hearsay: see leader_watch.h
    return answer({remote, {}, {}}, reply);
  }
  leader_.need(now);
  if (!request.client.empty() && !is_member(roles)) {
    return answer({remote, {}, {}}, Error{kNotAllowed, "only members pass requests on", "", ""});
  }
  const NodeId client = request.client.empty() ? origin : request.client;
  if (voter_ != nullptr && leader_.is_self()) {
    if (client == origin) return serve({remote, {}, {}}, std::move(request), client, roles, now);
    const auto rights = rights_of(client, origin);
    return serve({remote, {}, {}}, std::move(request), client, rights, now);
  }
  // Members know the way themselves; and our word would not do for more than a question.
  const bool passes_on = request.ask == wire::WorkAsk::question || is_voter(self_);
  if (is_member(roles) || !passes_on) return answer({remote, {}, {}}, moved(now));
  pass_on(remote, std::move(request), client, now);
}

void WorkDesk::on_question(const bus::Received& received, const wire::Query& query, bool changes,
                           TimePoint now) {
  const Remote remote{received.reply_to, received.envelope.correlation, true};
  const NodeId& client = received.envelope.origin;
  wire::WorkRequest request;
  request.ask = wire::WorkAsk::question;
  request.body = replica::encode_question(query);
  if (voter_ != nullptr && leader_.is_self()) {
    return serve({remote, {}, {}}, std::move(request), client, roles_of_(client), now);
  }
  if (changes && !is_voter(self_)) {
    return answer({remote, {}, {}}, Error{kAskLeader, "only voters pass orders on to the leader",
                                          self_.value(), "ask the leader or another voter"});
  }
  pass_on(remote, std::move(request), client, now);
}

void WorkDesk::on_here(WorkClient::Number number, const wire::WorkRequest& request, TimePoint now) {
  const NodeId client = request.client.empty() ? self_ : request.client;
  Asker asker{number, {}, {}};
  if (voter_ == nullptr) return answer(asker, moved(now));
  serve(std::move(asker), request, client, roles_of_(client), now);
}

void WorkDesk::pass_on(Remote remote, wire::WorkRequest request, const NodeId& client,
                       TimePoint now) {
  if (const auto why = refuse_unreadable(request)) return answer({remote, {}, {}}, *why);
  const std::size_t bytes = request.body.size();
  if (bytes > kPassedBytesMax - passed_bytes_) return answer({remote, {}, {}}, too_much(self_));
  request.client = client;
  request.wait_ms = std::min(request.wait_ms, static_cast<std::uint32_t>(to_ms(kWaitMax)));
  const bool is_question = request.ask == wire::WorkAsk::question;
  const TimePoint deadline =
      now + (is_question ? Nanos(kQuestionMax) : Nanos(kPassOnMax) + Millis(request.wait_ms));
  Asker asker{remote, {}, {}};
  if (is_question) {
    asker.roles = roles_of_(client);
    auto query = replica::decode_question(request.body);
    if (!query) return answer(asker, malformed("the question cannot be read"));
    asker.question = std::move(*query);
  }
  passed_bytes_ += bytes;
  client_.call(std::move(request), deadline, [this, asker, bytes](const auto& reply) {
    passed_bytes_ -= bytes;
    const bool is_unreachable = !reply && reply.error().code == WorkClient::kOutOfTime;
    if (is_unreachable && !asker.question.name.empty()) return answer_question(asker, true);
    answer(asker, reply);
  });
}

// ---- where this node leads ---------------------------------------------------------------------

replica::Ticket WorkDesk::remember(Asker asker) {
  const replica::Ticket ticket(next_ticket_++);
  askers_.emplace(ticket, std::move(asker));
  return ticket;
}

void WorkDesk::serve(Asker asker, wire::WorkRequest request, const NodeId& client,
                     const std::set<Role>& roles, TimePoint now) {
  if (askers_.size() >= kAskersMax) {
    return answer(asker, served(wire::WorkOutcome::busy, {}));
  }
  if (request.ask == wire::WorkAsk::command) {
    return serve_command(std::move(asker), std::move(request), client, roles, now);
  }
  if (request.ask == wire::WorkAsk::renewal) {
    auto renewal = replica::decode_renewal(request.body);
    if (!renewal) return answer(asker, malformed("the renewal cannot be read"));
    if (const char* why = refuse_worker(*renewal, client, roles)) {
      return answer(asker, not_allowed(why, client));
    }
    const auto ticket = remember(std::move(asker));
    return voter_->take(replica::Renew{ticket, std::move(*renewal)}, now);
  }
  auto query = replica::decode_question(request.body);
  if (!query) return answer(asker, malformed("the question cannot be read"));
  asker.question = std::move(*query);
  asker.roles = roles;
  const auto ticket = remember(std::move(asker));
  voter_->take(replica::Read{ticket}, now);
}

void WorkDesk::serve_command(Asker asker, wire::WorkRequest request, const NodeId& client,
                             const std::set<Role>& roles, TimePoint now) {
  auto decoded = work::decode_command(request.body);
  if (!decoded.ok()) return answer(asker, malformed("the command cannot be read"));
  if (const char* why = refuse_command(decoded.value, client, roles)) {
    return answer(asker, not_allowed(why, client));
  }
  const auto ticket = remember(std::move(asker));
  voter_->take(replica::Submit{ticket, std::move(decoded.value), std::move(request.body),
                               Millis(request.wait_ms)},
               now);
}

// ---- answers -----------------------------------------------------------------------------------

void WorkDesk::on_answer(replica::Answer&& answered) {
  auto found = askers_.extract(answered.ticket);
  if (found.empty()) return;
  const Asker& asker = found.mapped();
  wire::WorkReply reply = served(wire::WorkOutcome::done, {});
  std::visit(
      Overload{
          [&](const work::Reply& one) { reply.body = work::encode(one); },
          [&](const replica::RenewedAnswers& all) { reply.body = replica::encode_renewed(all); },
          [&](const replica::ReadNow&) {},
          [&](const replica::Moved& one) {
            reply.outcome = wire::WorkOutcome::moved;
            reply.leader = voter_->names().find(one.leader);
            const auto generation = voter_->replica().log().glance().generation;
            reply.term = reign_of(generation, one.term);
          },
          [&](const replica::Busy&) { reply.outcome = wire::WorkOutcome::busy; },
      },
      answered.body);
  if (std::holds_alternative<replica::ReadNow>(answered.body)) return answer_question(asker, false);
  answer(asker, std::move(reply));
}

void WorkDesk::answer_question(const Asker& asker, bool stale) {
  auto document = questions_(asker.question, asker.roles, stale);
  if (!document) return answer(asker, document.error());
  wire::WorkReply reply{wire::WorkOutcome::done, std::move(*document), leader_.leader(),
                        leader_.reign(), stale};
  answer(asker, std::move(reply));
}

void WorkDesk::answer(const Asker& asker, Result<wire::WorkReply> reply) {
  if (const auto* number = std::get_if<WorkClient::Number>(&asker.who)) {
    return client_.on_local(*number, reply, bus::boot_now());
  }
  const auto& remote = std::get<Remote>(asker.who);
  wire::Body body;
  if (!reply) {
    const Error& error = reply.error();
    body = wire::Refusal{error.code, error.what, error.next};
  } else if (!remote.as_document) {
    body = std::move(*reply);
  } else if (reply.value().outcome == wire::WorkOutcome::done) {
    body = wire::Answer{std::move(reply->body)};
  } else {
    body = wire::Refusal{WorkClient::kOutOfTime, "leadership is changing hands", "ask again"};
  }
  bus_.reply(remote.to, remote.correlation, std::move(body));
}

}  // namespace riftbus::node
