#include "node/carry/stream.h"

#include <gtest/gtest.h>

#include "bus/wire/limits.h"
#include "config/random.h"

namespace riftbus::carry {
namespace {

using wire::Carry;
using wire::CarryStep;

// One end, with a local side that takes as much as it is told to.
struct End {
  End(Side side, std::uint64_t granted, TimePoint now) : stream(side, granted, now) {}

  void tell(const Event& event, TimePoint now) {
    Actions actions;
    stream.step(event, now, actions);
    for (auto& each : actions) {
      if (auto* said = std::get_if<action::Say>(&each)) says.push_back(said->carry);
      if (std::holds_alternative<action::EndWrites>(each)) has_ended = true;
      if (auto* refused = std::get_if<action::Refuse>(&each)) refusal = refused->error;
      if (auto* over = std::get_if<action::Over>(&each)) {
        ++times_over;
        error = over->error;
      }
    }
  }
  void take(std::size_t bytes, TimePoint now) {
    while (bytes > 0 && !stream.unwritten().empty()) {
      const auto part = stream.unwritten().substr(0, bytes);
      got += part;
      bytes -= part.size();
      tell(event::Written{part.size()}, now);
    }
  }
  // As much of `text` as there is room for; the rest stays.
  void read(std::string& text, TimePoint now) {
    while (!text.empty() && stream.room() > 0) {
      const std::string part = text.substr(0, stream.room());
      text.erase(0, part.size());
      tell(event::Read{part}, now);
    }
  }

  Stream stream;
  std::deque<Carry> says;
  std::string got;
  bool has_ended = false;
  int times_over = 0;
  std::optional<Error> error;
  std::optional<Error> refusal;
};

class StreamTest : public testing::Test {
 protected:
  // What each has said arrives at the other one.
  void exchange() {
    while (!caller_.says.empty() || !host_.says.empty()) {
      pass(caller_, host_);
      pass(host_, caller_);
    }
  }
  void pass(End& from, End& to) {
    while (!from.says.empty()) {
      const Carry carry = from.says.front();
      from.says.pop_front();
      if (carry.step != CarryStep::open) to.tell(event::Heard{carry}, now_);
    }
  }
  void open() {
    caller_.tell(event::Start{}, now_);
    ASSERT_EQ(caller_.says.front(), (Carry{CarryStep::open, 0, Stream::kWindow, ""}));
    host_.tell(event::Taken{}, now_);
    exchange();
    ASSERT_TRUE(caller_.stream.is_open() && host_.stream.is_open());
  }
  void hear(End& end, const Carry& carry) { end.tell(event::Heard{carry}, now_); }

  TimePoint now_{Seconds(100)};
  End caller_{Side::caller, 0, now_};
  End host_{Side::host, Stream::kWindow, now_};
};

TEST_F(StreamTest, CarriesBothWaysInOrder) {
  open();
  std::string there = "SSH-2.0-a";
  std::string back = "SSH-2.0-b";
  caller_.read(there, now_);
  host_.read(back, now_);
  exchange();
  host_.take(4, now_);
  host_.take(100, now_);
  caller_.take(100, now_);
  EXPECT_EQ(host_.got, "SSH-2.0-a");
  EXPECT_EQ(caller_.got, "SSH-2.0-b");
}

TEST_F(StreamTest, NothingIsReadBeforeTheOtherEndHasTakenIt) {
  caller_.tell(event::Start{}, now_);
  EXPECT_EQ(caller_.stream.room(), 0u);
  EXPECT_EQ(host_.stream.room(), 0u);
  hear(host_, {CarryStep::data, 0, Stream::kWindow, "early"});
  EXPECT_EQ(host_.refusal->code, 1829);
  EXPECT_TRUE(host_.stream.is_over());
}

TEST_F(StreamTest, AReaderThatStallsStopsItsSenderAfterOneWindow) {
  open();
  const std::string sent(3 * Stream::kWindow, 'x');
  std::string text = sent;
  caller_.read(text, now_);
  exchange();
  EXPECT_EQ(caller_.stream.room(), 0u);
  const std::size_t carried = sent.size() - text.size();
  EXPECT_LE(carried, Stream::kWindow);
  EXPECT_GT(carried, Stream::kWindow * 9 / 10);
  EXPECT_TRUE(host_.says.empty());
  while (!text.empty() || !host_.stream.unwritten().empty()) {
    host_.take(10'000, now_);
    exchange();
    caller_.read(text, now_);
    exchange();
  }
  EXPECT_EQ(host_.got, sent);
}

TEST_F(StreamTest, SmallWordsAreBoundedToo) {
  open();
  std::size_t words = 0;
  for (; caller_.stream.room() > 0; ++words) caller_.tell(event::Read{"x"}, now_);
  EXPECT_EQ(words, Stream::kWindow / wire::carry_cost(1));
  exchange();
  host_.take(words, now_);
  EXPECT_LE(host_.says.size(), 2u) << "room is granted by halves of a window";
  exchange();
  EXPECT_GT(caller_.stream.room(), 0u);
}

TEST_F(StreamTest, EachDirectionEndsOnItsOwn) {
  open();
  std::string last = "bye";
  caller_.read(last, now_);
  caller_.tell(event::Read{""}, now_);
  exchange();
  EXPECT_FALSE(host_.has_ended) << "it has not been written yet";
  host_.take(3, now_);
  EXPECT_TRUE(host_.has_ended);
  std::string more(Stream::kWindow, 'y');  // the other one goes on, and gets room for it
  host_.read(more, now_);
  exchange();
  caller_.take(Stream::kWindow, now_);
  exchange();
  EXPECT_FALSE(caller_.stream.is_over());
  host_.read(more, now_);
  host_.tell(event::Read{""}, now_);
  exchange();
  EXPECT_TRUE(host_.stream.is_over());
  caller_.take(Stream::kWindow, now_);
  EXPECT_TRUE(caller_.stream.is_over());
  EXPECT_EQ(caller_.got.size(), Stream::kWindow);
  EXPECT_FALSE(caller_.error || host_.error);
}

TEST_F(StreamTest, WhatIsRepeatedIsDroppedAndCounted) {
  open();
  std::string text = "once";
  caller_.read(text, now_);
  const Carry carry = caller_.says.front();
  exchange();
  hear(host_, carry);
  hear(host_, {CarryStep::open, 0, Stream::kWindow, ""});
  host_.take(100, now_);
  EXPECT_EQ(host_.got, "once");
  EXPECT_EQ(host_.stream.dropped(), 2u);
  EXPECT_FALSE(host_.stream.is_over());
}

TEST_F(StreamTest, ALossEndsItAtBothEnds) {
  open();
  for (const char* word : {"lost", "kept"}) caller_.tell(event::Read{word}, now_);
  caller_.says.pop_front();
  exchange();
  EXPECT_EQ(host_.error->code, 1829);
  EXPECT_EQ(host_.got, "");
  EXPECT_TRUE(host_.stream.unwritten().empty());
  EXPECT_TRUE(caller_.stream.is_over());
}

TEST_F(StreamTest, WhoBreaksTheRulesIsLeft) {
  const std::string many(wire::kCarryBytesMax, 'x');
  const std::vector<std::vector<Carry>> wrongs{
      {{CarryStep::data, 1, Stream::kWindow, "gap"}},
      {{CarryStep::end, 0, Stream::kWindow, "bytes in an end"}},
      {{CarryStep::end, 0, Stream::kWindow, ""}, {CarryStep::end, 0, Stream::kWindow, ""}},
      {{CarryStep::end, 0, Stream::kWindow, ""}, {CarryStep::data, 0, Stream::kWindow, "x"}},
      std::vector<Carry>()};
  for (auto wrong : wrongs) {
    End host(Side::host, Stream::kWindow, now_);
    host.tell(event::Taken{}, now_);
    host.says.clear();
    if (wrong.empty()) {
      for (std::uint64_t at = 0; at <= Stream::kWindow; at += wire::carry_cost(many.size())) {
        wrong.push_back({CarryStep::data, at, Stream::kWindow, many});  // beyond the window
      }
    }
    for (const auto& carry : wrong) {
      EXPECT_FALSE(host.stream.is_over());
      hear(host, carry);
    }
    EXPECT_TRUE(host.stream.is_over());
    ASSERT_FALSE(host.says.empty());
    EXPECT_EQ(host.says.back().step, CarryStep::close);
    EXPECT_EQ(host.times_over, 1);
  }
}

TEST_F(StreamTest, NobodyIsGrantedMoreThanAWindow) {
  open();
  hear(caller_, {CarryStep::data, 0, ~std::uint64_t{0}, ""});
  std::string text(2 * Stream::kWindow, 'x');
  caller_.read(text, now_);
  EXPECT_GT(text.size(), Stream::kWindow);
  hear(caller_, {CarryStep::data, 0, 1, ""});  // nor is anything taken back
  EXPECT_EQ(caller_.stream.room(), 0u);
  EXPECT_FALSE(caller_.stream.is_over());
  End greedy(Side::host, ~std::uint64_t{0}, now_);
  greedy.tell(event::Taken{}, now_);
  std::string more(2 * Stream::kWindow, 'x');
  greedy.read(more, now_);
  EXPECT_GT(more.size(), Stream::kWindow);
}

TEST_F(StreamTest, APortThatDoesNotAnswerIsARefusalWithACode) {
  caller_.tell(event::Start{}, now_);
  host_.tell(event::Failed{"the relay's SSH port does not answer: Connection refused"}, now_);
  EXPECT_TRUE(host_.says.empty());
  ASSERT_TRUE(host_.refusal);
  EXPECT_EQ(host_.refusal->code, 1829);
  caller_.tell(event::Refused{host_.refusal->code, host_.refusal->what, ""}, now_);
  EXPECT_EQ(caller_.error->code, 1829);
  EXPECT_EQ(caller_.times_over, 1);
}

TEST_F(StreamTest, ABrokenEndClosesTheOther) {
  open();
  caller_.tell(event::Failed{"Broken pipe"}, now_);
  EXPECT_EQ(caller_.error->what, "Broken pipe");
  exchange();
  EXPECT_TRUE(host_.stream.is_over());
  EXPECT_TRUE(host_.says.empty()) << "a close is not answered";
}

TEST_F(StreamTest, WhatTheBusDoesNotTakeEndsItWithoutAnotherWord) {
  open();
  caller_.tell(event::Unsent{"slow_peer"}, now_);
  EXPECT_TRUE(caller_.stream.is_over());
  EXPECT_TRUE(caller_.says.empty());
  EXPECT_EQ(caller_.error->code, 1829);
}

TEST_F(StreamTest, AnOpenThatIsNotAnsweredEndsAndSoDoesSilence) {
  caller_.tell(event::Start{}, now_);
  EXPECT_EQ(caller_.stream.next_deadline(), now_ + Stream::kOpenMax);
  caller_.tell(event::Tick{}, now_ + Stream::kOpenMax - Millis(1));
  EXPECT_FALSE(caller_.stream.is_over());
  caller_.tell(event::Tick{}, now_ + Stream::kOpenMax);
  EXPECT_TRUE(caller_.stream.is_over());
  EXPECT_EQ(caller_.stream.next_deadline(), TimePoint::max());

  host_.tell(event::Taken{}, now_);
  now_ += Seconds(10);
  hear(host_, {CarryStep::data, 0, Stream::kWindow, "x"});
  host_.tell(event::Tick{}, now_ + Stream::kSilenceMax - Millis(1));
  EXPECT_FALSE(host_.stream.is_over());
  EXPECT_EQ(host_.stream.next_deadline(), now_ + Stream::kSilenceMax);
  host_.tell(event::Tick{}, now_ + Stream::kSilenceMax);
  EXPECT_TRUE(host_.stream.is_over());
  EXPECT_EQ(host_.says.back().step, CarryStep::close);
}

TEST_F(StreamTest, ASessionThatRestsForMinutesStands) {
  open();
  caller_.tell(event::Read{""}, now_);  // after its end, too
  exchange();
  const std::size_t room = host_.stream.room();
  const TimePoint end = now_ + Seconds(600);
  std::size_t words = 0;
  while (now_ < end) {
    now_ = std::min(caller_.stream.next_deadline(), host_.stream.next_deadline());
    caller_.tell(event::Tick{}, now_);
    host_.tell(event::Tick{}, now_);
    words += caller_.says.size() + host_.says.size();
    ASSERT_FALSE(host_.stream.is_over() || caller_.stream.is_over());
    exchange();
  }
  EXPECT_LE(words, 2 * (Seconds(600) / Stream::kSayEvery + 1)) << "one each time";
  EXPECT_EQ(host_.stream.room(), room) << "it costs nothing";
  std::string text = "back";
  host_.read(text, now_);
  EXPECT_EQ(host_.stream.next_deadline(), now_ + Stream::kSayEvery);
  exchange();
  caller_.take(100, now_);
  EXPECT_EQ(caller_.got, "back");
}

TEST_F(StreamTest, WhateverTheOrderWhatComesOutIsWhatWentIn) {
  Random random(7);
  open();
  std::string there(5 * Stream::kWindow, '\0');
  for (char& c : there) c = static_cast<char>(random.below(256));
  const std::string sent = there;
  for (int i = 0; i < 1'000'000 && host_.got.size() < sent.size(); ++i) {
    switch (random.below(4)) {
      case 0: {
        const auto room = std::min<std::uint64_t>(caller_.stream.room(), there.size());
        if (room == 0) break;
        const auto size = 1 + random.below(room);
        caller_.tell(event::Read{there.substr(0, size)}, now_);
        there.erase(0, size);
        break;
      }
      case 1:
        pass(caller_, host_);
        break;
      case 2:
        pass(host_, caller_);
        break;
      default:
        host_.take(1 + random.below(40'000), now_);
    }
  }
  EXPECT_EQ(host_.got, sent);
}

}  // namespace
}  // namespace riftbus::carry
