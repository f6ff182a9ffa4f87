#include "node/quorum/founding.h"

#include <algorithm>
#include <utility>

#include "node/mesh/member_shell.h"
#include "node/mesh/roster_shell.h"

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
      note_(founding_note(LogStage::fresh, voters_)),
      bus_(bus),
      members_(members),
      since_(now),
      due_(now) {}

bool Founding::agrees(const Heard& heard) const {
  return heard.leader.empty() && heard.note == note_;
}

bool Founding::is_agreed() const {
  return std::all_of(voters_.begin(), voters_.end(), [&](const NodeId& voter) {
    const auto found = heard_.find(voter);
    return voter == self_ || (found != heard_.end() && agrees(found->second));
  });
}

bool Founding::is_answer(const bus::Received& received) {
  const auto number = received.envelope.correlation.value();
  return number >= kFoundingCorrelation && number < kFoundingCorrelation + kFoundingCorrelations;
}

void Founding::on_reply(const bus::Received& received) {
  const auto* reply = std::get_if<wire::WorkReply>(&received.envelope.body);
  if (reply != nullptr) heard_[received.envelope.origin] = {reply->body, reply->leader};
}

void Founding::tick(TimePoint now) {
  if (is_agreed() || now < due_) return;
  due_ = now + (now - since_ < kTroubleAfter ? kAskEvery : kAskLaterEvery);
  for (const NodeId& voter : voters_) {
    if (voter == self_) continue;
    members_.make_known(voter);
    const Correlation number(kFoundingCorrelation + (asked_++ % kFoundingCorrelations));
    bus_.send(voter, number, wire::WorkRequest{wire::WorkAsk::leader, {}, 0, {}});
  }
}

bool Founding::is_waiting(const Error& error) {
  return error.code == kListsDiffer || error.code == kVotersMissing || error.code == kLogExists;
}

std::optional<Error> Founding::trouble(TimePoint now) const {
  if (is_agreed() || now - since_ < kTroubleAfter) return std::nullopt;
  std::string missing;
  for (const NodeId& voter : voters_) {
    const auto found = heard_.find(voter);
    if (voter == self_ || (found != heard_.end() && agrees(found->second))) continue;
    if (found == heard_.end()) {
      missing += (missing.empty() ? "" : ", ") + voter.value();
    } else if (!found->second.leader.empty() || found->second.note.starts_with(kUsed)) {
      return Error{kLogExists, "the cluster has a log already", "says " + voter.value(),
                   "if this node is to vote: riftbus voter add " + self_.value()};
    } else {
      return Error{kListsDiffer, "first voters with different lists",
                   voter.value() + " has " + list_of(found->second.note) + ", this node " +
                       list_text(voters_),
                   "give all nodes the same roster or the same `voters`, and restart them"};
    }
  }
  return Error{kVotersMissing, "first voters missing", missing,
               "start them: the first start of a cluster takes all its first voters, once"};
}

}  // namespace riftbus::node
