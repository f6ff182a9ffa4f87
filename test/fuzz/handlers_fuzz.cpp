// Any sequence of messages, in any order, from any member, with any answers: each message's handler
// does bounded work, says only what others can decode, and never lets a stranger in.
//
// The input is a list of records: what happens, how long after the last one, who, and for a message
// its envelope as it travels. The speaker is then set to a member, because the bus compares it with
// the connection's key before any handler sees it; and on demand the correlation to that of a
// question still open, because nobody answers by guessing 64 bits. The corpus has a conversation
// for each message.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bus/wire/codec.h"
#include "config/check.h"
#include "node/api/api.h"
#include "node/membership/membership.h"
#include "node/mesh/journal.h"

namespace riftbus::membership {
namespace {

constexpr std::size_t kMembers = 6;    // n1 is ourselves
constexpr std::size_t kRecords = 200;  // of one input: bounds its time
constexpr std::size_t kActionsMax = 64 + 2 * (kMembers + 1);
constexpr std::size_t kTicksMax = 2000;  // due in the longest pause between two records

NodeId name(std::size_t number) { return NodeId::parse("n" + std::to_string(number)).value(); }

// Reads numbers off the front; an empty input gives zeros.
struct Input {
  std::string_view bytes;
  std::uint8_t byte() {
    if (bytes.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    return first;
  }
  std::string_view take(std::size_t count) {
    const std::string_view head = bytes.substr(0, count);
    bytes.remove_prefix(head.size());
    return head;
  }
};

struct Open {
  NodeId asked;
  Correlation correlation;
};

Settings settings() {
  Settings chosen;
  chosen.self = name(1);
  chosen.instance = Instance(7);
  chosen.record.id = chosen.self;
  chosen.record.instance = chosen.instance;
  chosen.wall_ms = 5;  // small numbers: an input's own can meet them
  chosen.timing = lan_timing();
  for (std::size_t i = 1; i <= kMembers; ++i) chosen.allowed.insert(name(i));
  chosen.seeds = {name(2), name(3)};
  return chosen;
}

class Run {
 public:
  Run() { step(Tick{}); }

  void record(Input& input) {
    const std::uint8_t what = input.byte();
    pass(input.byte());
    const NodeId peer = name(2 + input.byte() % (kMembers - 1));
    switch (what % 16) {
      case 0:
        return step(Tick{});
      case 1:
        return step(LinkUp{peer});
      case 2:
        return step(LinkDown{peer});
      case 3:
        return step(Dialled{peer, static_cast<DialOutcome>(input.byte() % 4)});
      case 4:
        return step(IncarnationStored{stored_});
      case 5:
        return adopt(input.byte());
      case 6:
        return change(input.byte());
      case 7:
        return what == 7 ? step(LeaveRequested{}) : step(Tick{});
      default:
        return message(what, peer, input);
    }
  }

 private:
  void step(const Event& event) {
    Actions actions;
    core_.step(event, now_, actions);
    RIFTBUS_CHECK(actions.size() <= kActionsMax);
    for (const Action& action : actions) look_at(action);
    RIFTBUS_CHECK(core_.members().size() <= kMembers);
    for (const Member* member : core_.members()) RIFTBUS_CHECK(member->history.size() <= 64);
  }

  // Up to about a minute, with everything done that falls due in it.
  void pass(std::uint8_t code) {
    const TimePoint until = now_ + Millis(code < 128 ? code : (code - 127) * 500);
    std::size_t ticks = 0;
    while (core_.next_deadline() <= until) {
      now_ = std::max(now_, core_.next_deadline());
      step(Tick{});
      RIFTBUS_CHECK(++ticks <= kTicksMax);
    }
    now_ = until;
  }

  void look_at(const Action& action) {
    if (const auto* store = std::get_if<StoreIncarnation>(&action)) stored_ = store->incarnation;
    if (const auto* said = std::get_if<Publish>(&action)) say(said->body, {});
    if (const auto* reply = std::get_if<Reply>(&action)) say(reply->body, reply->correlation);
    if (const auto* send = std::get_if<Send>(&action)) {
      say(send->body, send->correlation);
      if (send->correlation == Correlation{}) return;
      if (open_.size() == 16) open_.erase(open_.begin());
      open_.push_back({send->to, send->correlation});
    }
  }

  // Whatever is said must be readable by those who hear it.
  void say(const wire::Body& body, Correlation correlation) {
    const wire::Envelope envelope{name(1), Instance(7), Seq(1), correlation, body};
    const std::string bytes = wire::encode(envelope);
    RIFTBUS_CHECK(bytes.size() <= wire::kMessageBytesMax);
    const auto outcome = wire::decode(bytes);
    RIFTBUS_CHECK(outcome.ok() && outcome.envelope == envelope);
  }

  void adopt(std::uint8_t members) {
    RosterAdopted adopted{RosterVersion(++roster_), {name(1)}};
    for (std::size_t i = 2; i <= kMembers; ++i) {
      if ((members >> (i - 2)) % 2 == 0) adopted.members.insert(name(i));
    }
    step(adopted);
  }

  void change(std::uint8_t tag) {
    wire::Record record;
    record.id = name(1);
    record.tags["zone"] = std::to_string(tag);
    step(SelfChanged{record});
  }

  // Bit 3 of `what` is set here; 4: as a publication, 5: it answers an open question, 6 and 7: the
  // speaker's instance.
  void message(std::uint8_t what, const NodeId& peer, Input& input) {
    const std::size_t low = input.byte();
    auto outcome = wire::decode(input.take(low + 256 * (input.byte() % 8U)));
    if (!outcome.ok()) return;
    wire::Envelope& envelope = outcome.envelope;
    envelope.origin = peer;
    envelope.instance = Instance(100U + what / 64U);
    if ((what & 32) != 0 && !open_.empty()) {
      const Open question = open_[static_cast<std::size_t>(what / 64) % open_.size()];
      envelope.origin = question.asked;
      envelope.correlation = question.correlation;
    }
    if (const auto* query = std::get_if<wire::Query>(&envelope.body)) return ask(*query);
    const auto channel = (what & 16) != 0 ? wire::Channel::pub : wire::Channel::call;
    step(Received{channel, ReplyTo(channel == wire::Channel::call ? 9 : 0), std::move(envelope)});
  }

  void ask(const wire::Query& query) {
    node::NodeView view;
    view.self = name(1);
    view.cluster = "kitchen";
    view.membership = &core_;
    view.journal = &journal_;
    view.now.at = now_;
    const auto reaction = node::Api::answer(query, {Role::admin}, view);
    if (const auto* answer = std::get_if<wire::Answer>(&reaction)) say(*answer, Correlation(1));
    if (const auto* refusal = std::get_if<wire::Refusal>(&reaction)) say(*refusal, Correlation(1));
  }

  Random random_{1};
  TimePoint now_ = TimePoint{} + Seconds(100);
  Membership core_{settings(), random_};
  node::Journal journal_{Instance(7)};
  Incarnation stored_;
  std::uint64_t roster_ = 1;
  std::vector<Open> open_;
};

}  // namespace
}  // namespace riftbus::membership

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace riftbus::membership;
  Input input{std::string_view(reinterpret_cast<const char*>(data), size)};
  Run run;
  for (std::size_t i = 0; i < kRecords && !input.bytes.empty(); ++i) run.record(input);
  return 0;
}
