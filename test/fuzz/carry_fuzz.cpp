// Any words at any time: one end of a carried stream stays within its window, says only what fits,
// ends once, and then is silent.
//
// The input is a list of events, each a number and what it needs. Offsets and grants are told near
// the ones that fit, so that an input gets beyond the first rule.
// room: riftbus_carry
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bus/wire/limits.h"
#include "config/check.h"
#include "node/carry/stream.h"

namespace riftbus::carry {
namespace {

class Run {
 public:
  explicit Run(std::string_view input)
      : input_(input), stream_{byte() % 2 == 0 ? Side::caller : Side::host, number(), now_} {}

  void play() {
    while (!input_.empty()) {
      now_ += Millis(byte() * 100);
      step(event());
    }
  }

 private:
  std::uint8_t byte() {
    if (input_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(input_.front());
    input_.remove_prefix(1);
    return first;
  }
  std::uint64_t number() { return std::uint64_t{byte()} << (byte() % 64U); }
  std::string bytes() {
    const std::size_t size = byte() % 4 == 0 ? wire::kCarryBytesMax : byte();
    return std::string(size, 'x');
  }

  Event event() {
    switch (byte() % 10) {
      case 0:
        return event::Start{};
      case 1:
        return event::Taken{};
      case 2:
        return event::Refused{1829, "no", ""};
      case 3:
        return event::Read{bytes().substr(0, stream_.room())};
      case 4:
        return event::Written{std::min<std::size_t>(number(), stream_.unwritten().size())};
      case 5:
        return byte() % 16 == 0 ? Event(event::Failed{"broken"}) : Event(event::Tick{});
      case 6:
        return byte() % 16 == 0 ? Event(event::Unsent{"gone"}) : Event(event::Tick{});
      default:
        return heard();
    }
  }

  Event heard() {
    wire::Carry carry;
    carry.step = static_cast<wire::CarryStep>(1 + byte() % 4);
    if (byte() % 4 != 0) carry.step = wire::CarryStep::data;
    carry.offset = byte() % 8 == 0 ? number() : heard_;
    carry.granted = byte() % 4 == 0 ? number() : said_ + Stream::kWindow;
    carry.bytes = bytes();
    last_ = carry;
    return event::Heard{std::move(carry)};
  }

  void step(const Event& event) {
    const bool was_over = stream_.is_over();
    Actions actions;
    stream_.step(event, now_, actions);
    RIFTBUS_CHECK(!was_over || actions.empty());
    const bool is_data = last_.step == wire::CarryStep::data && last_.offset == heard_;
    if (std::holds_alternative<event::Heard>(event) && is_data) {
      heard_ += wire::carry_cost(last_.bytes.size());
    }
    for (const Action& action : actions) {
      RIFTBUS_CHECK(overs_ == 0);
      if (std::holds_alternative<action::Over>(action)) ++overs_;
      if (const auto* said = std::get_if<action::Say>(&action)) look_at(said->carry);
    }
    RIFTBUS_CHECK((overs_ == 1) == stream_.is_over());
    RIFTBUS_CHECK(stream_.room() <= wire::kCarryBytesMax);
    RIFTBUS_CHECK(!stream_.is_over() || (stream_.room() == 0 && stream_.unwritten().empty()));
  }

  void look_at(const wire::Carry& carry) {
    RIFTBUS_CHECK(carry.offset == said_);
    RIFTBUS_CHECK(carry.granted >= granted_);
    granted_ = carry.granted;
    said_ += wire::carry_cost(carry.bytes.size());
  }

  std::string_view input_;
  TimePoint now_{Seconds(100)};
  Stream stream_;
  wire::Carry last_;
  std::uint64_t heard_ = 0;
  std::uint64_t said_ = 0;
  std::uint64_t granted_ = 0;
  int overs_ = 0;
};

}  // namespace
}  // namespace riftbus::carry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  riftbus::carry::Run(input.substr(0, 4096)).play();
  return 0;
}
