#include "node/quorum/founding.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "node/mesh/member_shell.h"
#include "node/mesh/roster_shell.h"
#include "node/replica/protocol.h"

namespace riftbus::node {

namespace {

// Beside the pings of the desk, the questions of the leader watch and the calls of the work client.
constexpr std::uint64_t kFoundingCorrelation =
    kOwnerCorrelation + (std::uint64_t{1} << 60U) + (std::uint64_t{1} << 32U);
constexpr std::uint64_t kFoundingCorrelations = std::uint64_t{1} << 32U;
constexpr std::uint16_t kListsDiffer = 1710;
constexpr std::uint16_t kVotersMissing = 1712;
constexpr std::uint16_t kLogExists = 1713;
constexpr std::string_view kUsed = "used";

const char* to_string(LogStage stage) {
  switch (stage) {
    case LogStage::none:
      return "none";
    case LogStage::fresh:
      return "fresh";
    case LogStage::begun:
      return "begun";
    case LogStage::used:
      return kUsed.data();
  }
  return "";
}

std::string list_text(const std::vector<NodeId>& ids) {
  std::string text;
  for (const NodeId& id : ids) text += (text.empty() ? "" : ",") + id.value();
  return text;
}

// Of a note by a peer: printable and short, whatever it sent.
std::string list_of(const std::string& note) {
  const auto space = note.find(' ');
  return space == std::string::npos ? "" : note.substr(space + 1, 200);
}

}  // namespace

std::string founding_note(LogStage stage, std::vector<NodeId> voters) {
  std::sort(voters.begin(), voters.end());
  return std::string(to_string(stage)) + " " + list_text(voters);
}

Founding::Founding(const NodeId& self, std::vector<NodeId> voters, bus::Bus& bus,
                   MemberShell& members, TimePoint now)
    : self_(self),
      voters_(std::move(voters)),
      fresh_(founding_note(LogStage::fresh, voters_)),
      begun_(founding_note(LogStage::begun, voters_)),
      bus_(bus),
      members_(members),
      since_(now),
      due_(now) {}

bool Founding::agrees(const Heard& heard) const {
  return heard.leader.empty() && (heard.note == fresh_ || heard.note == begun_);
}

bool Founding::has_begun(const Heard& heard) const {
  return heard.note == begun_ || heard.note.starts_with(kUsed);
}

const Founding::Heard* Founding::fresh_word_of(const NodeId& voter, TimePoint now) const {
  const auto found = heard_.find(voter);
  const bool is_fresh = found != heard_.end() && now - found->second.at < kHeardFresh;
  return is_fresh ? &found->second : nullptr;
}

bool Founding::is_agreed(TimePoint now) const {
  return std::all_of(voters_.begin(), voters_.end(), [&](const NodeId& voter) {
    const Heard* heard = fresh_word_of(voter, now);
    return voter == self_ || (heard != nullptr && agrees(*heard));
  });
}

bool Founding::is_over() const {
  return has_begun_ && std::all_of(voters_.begin(), voters_.end(), [&](const NodeId& voter) {
           const auto found = heard_.find(voter);
           return voter == self_ || (found != heard_.end() && has_begun(found->second));
         });
}

bool Founding::is_answer(const bus::Received& received) {
  const auto number = received.envelope.correlation.value();
  return number >= kFoundingCorrelation && number < kFoundingCorrelation + kFoundingCorrelations;
}

void Founding::on_reply(const bus::Received& received, TimePoint now) {
  const auto* reply = std::get_if<wire::WorkReply>(&received.envelope.body);
  if (reply == nullptr) return;
  if (received.envelope.correlation.value() % 2 == 1) return hear_list(*reply, now);
  heard_[received.envelope.origin] = {reply->body, reply->leader, now};
}

// A voter.list document. No majority stands behind a stale one.
void Founding::hear_list(const wire::WorkReply& reply, TimePoint now) {
  if (reply.outcome != wire::WorkOutcome::done || reply.stale) return;
  const auto list = nlohmann::json::parse(reply.body, nullptr, false);
  if (!list.is_object() || !list.contains("voters") || !list["voters"].is_array()) return;
  listed_at_ = now;
  // Compared as JSON: a peer may have put a number where a name belongs.
  const auto has = [](const auto& each, const char* key, const std::string& text) {
    return each.is_object() && each.contains(key) && each[key] == text;
  };
  is_learner_ = std::any_of(list["voters"].begin(), list["voters"].end(), [&](const auto& each) {
    return has(each, "id", self_.value()) && has(each, "standing", "learner");
  });
}

void Founding::ask(const NodeId& whom, wire::WorkRequest request, bool is_list) {
  members_.make_known(whom);
  const std::uint64_t number = 2 * asked_++ + (is_list ? 1 : 0);
  bus_.send(whom, Correlation(kFoundingCorrelation + number % kFoundingCorrelations),
            std::move(request));
}

void Founding::tick(TimePoint now) {
  if (now < due_) return;
  due_ = now + (now - since_ < kTroubleAfter ? kAskEvery : kAskLaterEvery);
  std::set<NodeId> leaders;
  for (const NodeId& voter : voters_) {
    if (voter == self_) continue;
    ask(voter, {wire::WorkAsk::leader, {}, 0, {}}, false);
    const Heard* heard = fresh_word_of(voter, now);
    if (heard != nullptr && !heard->leader.empty()) leaders.insert(heard->leader);
  }
  if (has_begun_) return;
  for (const NodeId& leader : leaders) {
    if (leader == self_) continue;
    ask(leader, {wire::WorkAsk::question, replica::encode_question({"voter.list", {}}), 0, {}},
        true);
  }
}

bool Founding::is_waiting(const Error& error) {
  return error.code == kListsDiffer || error.code == kVotersMissing || error.code == kLogExists;
}

std::optional<Error> Founding::trouble(TimePoint now) const {
  if (has_begun_ ? is_over() : is_agreed(now)) return std::nullopt;
  if (now - since_ < kTroubleAfter) return std::nullopt;
  std::string missing;
  for (const NodeId& voter : voters_) {
    if (voter == self_) continue;
    const auto known = heard_.find(voter);
    if (has_begun_ && known != heard_.end() && has_begun(known->second)) continue;
    const Heard* heard = fresh_word_of(voter, now);
    if (!has_begun_ && heard != nullptr && agrees(*heard)) continue;
    if (heard == nullptr || has_begun_) {
      missing += (missing.empty() ? "" : ", ") + voter.value();
    } else if (!heard->leader.empty() || heard->note.starts_with(kUsed)) {
      return Error{kLogExists, "the cluster has a log already", "says " + voter.value(),
                   "if this node is to vote: riftbus voter remove " + self_.value() +
                       ", if it is listed, then riftbus voter add " + self_.value()};
    } else {
      return Error{
          kListsDiffer, "first voters with different lists",
          voter.value() + " has " + list_of(heard->note) + ", this node " + list_text(voters_),
          "give all nodes the same roster or the same `voters`, and restart them"};
    }
  }
  return Error{kVotersMissing, "first voters missing", missing,
               "start them: the first start of a cluster takes all its first voters, once"};
}

}  // namespace riftbus::node
