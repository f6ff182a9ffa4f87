// Keys at the door: those that were refused here, and our own where others refuse it.
#include <algorithm>
#include <utility>

#include "bus/clock.h"
#include "bus/link.h"
#include "bus/log.h"
#include "node/node_state.h"

namespace riftbus::node {

namespace {

constexpr Seconds kKeyCheck{5};
constexpr Seconds kStrangerAgain{60};
constexpr std::size_t kStrangersMax = 64;  // beyond: counted together

}  // namespace

// What the gatekeeper refused: told at once, and of the same key again after kStrangerAgain, with
// all that has come since. Whoever does not give up must not fill log and journal.
void Node::State::log_strangers() {
  std::erase_if(strangers, [&](const auto& each) {
    return each.second.refused.count == 0 && now >= each.second.due;
  });
  auto refusals = gate->take_refusals();
  for (const auto& refused : refusals.kinds) {
    const auto known = strangers.find({refused.key_z85, refused.refusal});
    if (known != strangers.end()) {
      known->second.refused.count += refused.count;
    } else if (strangers.size() < kStrangersMax) {
      strangers[{refused.key_z85, refused.refusal}] = {refused, now};
    } else {
      refusals.others += refused.count;
    }
  }
  for (auto& [key, stranger] : strangers) {
    if (stranger.refused.count == 0 || now < stranger.due) continue;
    tell_stranger(stranger.refused);
    stranger.refused.count = 0;
    stranger.due = now + kStrangerAgain;
  }
  if (refusals.others > 0) {
    bus::log_warn("further keys refused", {{"times", std::to_string(refusals.others)}});
  }
}

void Node::State::tell_stranger(const bus::RefusedHandshake& refused) {
  const std::string what = std::string(bus::to_string(refused.refusal)) + " refused";
  const Error error{bus::code_of(refused.refusal), what, refused.address, ""};
  const auto times = std::to_string(refused.count) + (refused.count == 1 ? " time" : " times");
  bus::log_warn(what, {{"code", error.code_text()},
                       {"address", refused.address},
                       {"key", refused.key_z85},
                       {"owner", refused.owner.value()},
                       {"times", std::to_string(refused.count)}});
  journal.note("refused", refused.owner, what + " from " + refused.address + ", " + times,
               {now, bus::wall_now_ms()});
}

// Nobody tells a node whose key was revoked; and so it stands in its own log and journal.
void Node::State::check_own_key() {
  key_check_due = now + kKeyCheck;
  const auto links = bus->links();
  const auto count = std::count_if(links.begin(), links.end(), [](const auto& link) {
    return !link.up && link.trouble == bus::kKeyRefused;
  });
  const bool is_refused = count > 0 && 2 * static_cast<std::size_t>(count) >= links.size();
  if (!std::exchange(own_key_refused, is_refused) && is_refused) {
    const Error error{1527, "most peers refuse this node's key", prepared.settings.node_id.value(),
                      "if it is not meant to be shut out: riftbus key approve"};
    bus::write_error(error);
    journal.note("refused", prepared.settings.node_id, error.to_string(),
                 {now, bus::wall_now_ms()});
  }
}

}  // namespace riftbus::node
