// What strangers say to a relay's front: any bytes in any pieces end in one of four answers, the
// pieces do not matter, and what is asked for is a node and a number that could be asked for again.
// room: riftbus_relay_front
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/check.h"
#include "relay/front/socks.h"

namespace riftbus::relay {
namespace {

using Step = SocksRequest::Step;

const std::string kGreeting("\x05\x01\x00", 3);

// As Passage does it.
Step take(SocksRequest& socks, std::string_view bytes) {
  Step step = socks.take(bytes);
  if (step != Step::greet) return step;
  RIFTBUS_CHECK(socks.answer() == std::string("\x05\x00", 2));
  step = socks.take({});
  RIFTBUS_CHECK(step != Step::greet);
  return step;
}

void check_refusal(const std::string& answer) {
  const bool is_nothing = answer.empty();
  const bool is_no_method = answer == "\x05\xFF";
  const bool is_reply = answer.size() == 10 && answer[0] == 5 && answer[1] > 0 && answer[1] <= 8;
  RIFTBUS_CHECK(is_nothing || is_no_method || is_reply);
}

void check_target(const SocksTarget& target) {
  RIFTBUS_CHECK(target.number != 0 && NodeId::parse(target.node.value()));
  const std::string name = target.node.value() + std::string(kNodeSuffix);
  std::string again = kGreeting + std::string("\x05\x01\x00\x03", 4);
  again += static_cast<char>(name.size());
  again += name;
  again += static_cast<char>(target.number >> 8U);
  again += static_cast<char>(target.number & 0xFFU);
  SocksRequest socks;
  RIFTBUS_CHECK(take(socks, again) == Step::ask);
  RIFTBUS_CHECK(socks.target().node == target.node && socks.target().number == target.number);
}

void check_end(SocksRequest& socks, Step step) {
  if (step == Step::more) return;
  if (step == Step::ask) check_target(socks.target());
  if (step == Step::hang_up) check_refusal(socks.answer());
  RIFTBUS_CHECK(socks.take("x") == Step::hang_up && socks.answer().empty());
}

// The step that ended it and how many bytes that took; pieces of 1 to `piece_max` bytes.
struct Outcome {
  Step step = Step::more;
  std::size_t used = 0;
  std::optional<SocksTarget> target;
};
Outcome play(std::string_view bytes, std::size_t piece_max) {
  SocksRequest socks;
  Outcome outcome;
  while (outcome.used < bytes.size() && outcome.step == Step::more) {
    const std::size_t wanted = 1 + static_cast<unsigned char>(bytes[outcome.used]) % piece_max;
    const auto piece = bytes.substr(outcome.used, wanted);
    outcome.step = take(socks, piece);
    outcome.used += piece.size();
  }
  if (outcome.step == Step::ask) outcome.target = socks.target();
  check_end(socks, outcome.step);
  return outcome;
}

}  // namespace
}  // namespace riftbus::relay

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace riftbus::relay;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Outcome slow = play(bytes, 1);
  (void)play(bytes, 300);
  // What was complete byte by byte is the same all at once, if it fits.
  const auto used = bytes.substr(0, slow.used);
  if (used.size() > SocksRequest::kRequestBytesMax) return 0;
  SocksRequest socks;
  const auto step = take(socks, used);
  RIFTBUS_CHECK(step == slow.step);
  if (!slow.target) return 0;
  RIFTBUS_CHECK(socks.target().node == slow.target->node);
  RIFTBUS_CHECK(socks.target().number == slow.target->number);
  return 0;
}
