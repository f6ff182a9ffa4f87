// Commands and answers as bytes.
#include "node/work/codec.h"

#include "config/random.h"
#include "test/node/work/stand.h"

namespace riftbus::work {
namespace {

Spec full_spec() {
  Spec spec = job();
  spec.payload = std::string("\0\xff", 2);
  spec.group = "team";
  spec.priority = 255;
  spec.terms = {"gpus>=1", {{"gpus", 1500}}, 1, 2, 3, 4, 5, 6, OnDisconnect::finish, true};
  spec.delay_ms = 1;
  spec.expires_ms = 2;
  spec.deadline_ms = 3;
  spec.dedupe = "key";
  spec.dedupe_window_ms = 4;
  spec.after = {WorkId(9)};
  spec.after_here = {0, 7};
  spec.gang = 3;
  spec.gang_timeout_ms = 5;
  spec.data = {"a", "b"};
  return spec;
}

std::vector<Command> all_commands() {
  const NodeId w = node("w1");
  const Hold hold{WorkId(1), Fence(2)};
  const Failure failure{hold, false, -7, 9, "tail", "check"};
  const Return ret{hold, 5, 50, "check"};
  Settings settings;
  settings.dead_max = 7;
  return {Add{5, {full_spec(), job()}},
          Claim{w, Instance(3), 4, 5, offer("cpus=1.5 tag.a data.b kind.c")},
          Attach{w, Instance(3), {hold}, true, Instance(2)},
          Complete{w, {{hold, "result"}}},
          Fail{w, {failure}},
          Bury{w, {failure}},
          Release{w, {ret}},
          Note{w, {ret}},
          Expire{3, Lapse::dead, {ret}},
          Tick{},
          Cancel{{WorkId(1)}},
          Preempt{{WorkId(1), WorkId(2)}},
          Kick{{WorkId(1)}},
          Purge{{}},
          SetGroup{"g", 1, 2},
          Configure{settings},
          Recover{9}};
}

TEST(WorkCodec, EveryCommandComesBackAsItWas) {
  const auto commands = all_commands();
  ASSERT_EQ(commands.size(), kCommandKinds);
  for (std::size_t i = 0; i < commands.size(); ++i) {
    EXPECT_EQ(commands[i].index(), i) << "numbers in the log never change";
    const auto decoded = decode_command(encode(commands[i]));
    ASSERT_TRUE(decoded.ok()) << command_name(commands[i]);
    EXPECT_TRUE(decoded.value == commands[i]) << command_name(commands[i]);
  }
}

TEST(WorkCodec, EveryTruncationIsRefused) {
  for (const auto& command : all_commands()) {
    const std::string bytes = encode(command);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode_command(std::string_view(bytes).substr(0, size)).ok())
          << command_name(command) << " cut to " << size;
    }
  }
}

TEST(WorkCodec, AnyBytesAreACommandOrAReasonAndTheQueueSurvivesThem) {
  Random random(3);
  const auto commands = all_commands();
  WorkQueue queue;
  std::uint64_t index = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = encode(commands[random.below(commands.size())]);
    for (auto flips = random.below(4); flips > 0; --flips) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    const auto decoded = decode_command(bytes);
    if (decoded.ok()) queue.apply({++index, 3, i}, decoded.value);
  }
  EXPECT_GT(index, 1000U);
}

TEST(WorkCodec, RefusesWhatIsAboveItsBounds) {
  Spec large = job();
  large.payload = std::string(kPayloadBytesMax + 1, 'x');
  EXPECT_EQ(decode_command(encode(Command(Add{0, {large}}))).reject, wire::Reject::too_long);
  const Command many = Cancel{std::vector<WorkId>(kBatchMax + 1)};
  EXPECT_EQ(decode_command(encode(many)).reject, wire::Reject::too_long);
  EXPECT_EQ(decode_command("\x92\x63\x90").reject, wire::Reject::unknown_kind);
  EXPECT_EQ(decode_command("\x91\x09").reject, wire::Reject::missing_header);
  // An Expire with a reason of a later version.
  EXPECT_EQ(decode_command("\x92\x08\x93\x01\x63\x90").reject, wire::Reject::bad_value);
}

TEST(WorkCodec, ElementsOfALaterVersionAreSkippedAndAbsentOnesKeepTheirDefault) {
  // A Kick with one element more, and a SetGroup with only its name.
  const auto longer = decode_command(std::string_view("\x92\x0c\x92\x91\x05\xc3", 6));
  ASSERT_TRUE(longer.ok());
  EXPECT_TRUE(longer.value == Command(Kick{{WorkId(5)}}));
  const auto shorter = decode_command(std::string_view("\x92\x0e\x91\xa1g", 5));
  ASSERT_TRUE(shorter.ok());
  EXPECT_TRUE(shorter.value == Command(SetGroup{"g", 0, 1}));
}

}  // namespace
}  // namespace riftbus::work
