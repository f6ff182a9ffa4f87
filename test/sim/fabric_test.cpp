// What the modelled network does to frames: the rules that every scenario leans on.
#include "test/sim/fabric.h"

#include <gtest/gtest.h>

#include <string>

namespace riftbus::sim {
namespace {

struct Number : Payload {
  explicit Number(int n) : value(n) {}
  int value;
};

Frame frame(int number, TimePoint sent) {
  return Frame{std::make_shared<Number>(number), 50, sent};
}

// A process that writes down what happens to it: "up", "down", "refused", or a frame's number.
class Diary : public Endpoint {
 public:
  void on_up(ConnectionId) override { text += "up "; }
  void on_down(ConnectionId, Down down) override {
    text += down == Down::refused ? "refused " : down == Down::closed ? "fin " : "timeout ";
  }
  void on_frame(ConnectionId, Side, const Frame& frame) override {
    text += std::to_string(static_cast<const Number&>(*frame.payload).value) + " ";
  }
  std::string text;
};

class FabricTest : public ::testing::Test {
 protected:
  FabricTest() {
    publisher_host = network.add_host();
    subscriber_host = network.add_host();
    fabric.start(publisher_host, &publisher);
    fabric.start(subscriber_host, &subscriber);
  }
  static LinkOptions options() {
    LinkOptions made;
    made.delay_min = made.delay_max = Millis(10);
    made.jitter = Nanos(1);
    made.buffer_frames = 8;
    return made;
  }
  void run(Nanos span) { schedule.run_until(schedule.now() + span); }
  void publish(int from, int to) {
    for (int n = from; n <= to; ++n) fabric.publish(publisher_host, frame(n, schedule.now()));
  }
  ConnectionId subscribe() {
    const ConnectionId id = fabric.connect(subscriber_host, publisher_host, Port::pub);
    run(Millis(200));
    return id;
  }

  Schedule schedule;
  Network network{options(), 1};
  Fabric fabric{schedule, network, 2};
  Diary publisher, subscriber;
  HostIndex publisher_host = 0, subscriber_host = 0;
};

TEST_F(FabricTest, LosesWhatIsPublishedBeforeTheSubscriptionArrives) {
  fabric.connect(subscriber_host, publisher_host, Port::pub);
  publish(1, 1);
  run(Millis(65));  // connected, but the subscription is still under way
  EXPECT_EQ(subscriber.text, "up ");
  publish(2, 2);
  run(Millis(200));
  publish(3, 3);
  run(Millis(50));
  EXPECT_EQ(subscriber.text, "up 3 ");
}

TEST_F(FabricTest, KeepsTheOrderOfFramesUnderLoss) {
  network.set_loss(0.4);
  subscribe();
  run(Seconds(30));
  for (int n = 1; n <= 6; ++n) {
    publish(n, n);
    run(Millis(30));
  }
  run(Seconds(60));
  EXPECT_NE(subscriber.text.find("1 2 3 4 5 6 "), std::string::npos) << subscriber.text;
}

TEST_F(FabricTest, BuffersABoundedNumberOfFramesForAStoppedReceiverAndDropsTheRest) {
  subscribe();
  fabric.pause(subscriber_host);
  publish(1, 20);
  run(Seconds(5));
  EXPECT_EQ(subscriber.text, "up ");
  fabric.resume(subscriber_host);
  EXPECT_EQ(subscriber.text, "up 1 2 3 4 5 6 7 8 ");
  EXPECT_EQ(fabric.traffic(publisher_host).dropped, 12U);
}

TEST_F(FabricTest, ShutsTheConnectionOfAProcessThatStandsStillTooLong) {
  subscribe();
  fabric.pause(subscriber_host);
  publish(1, 3);
  run(Seconds(25));
  publish(4, 4);  // nobody is connected any more
  fabric.resume(subscriber_host);
  EXPECT_EQ(subscriber.text, "up 1 2 3 timeout ");
  run(Seconds(10));
  EXPECT_EQ(subscriber.text, "up 1 2 3 timeout up ");
}

TEST_F(FabricTest, DeliversAStalledStreamInOneBurstAfterTheCutIsMended) {
  subscribe();
  network.cut(publisher_host, subscriber_host);
  fabric.on_topology_changed();
  publish(1, 3);
  run(Seconds(8));
  EXPECT_EQ(subscriber.text, "up ");
  network.mend(publisher_host, subscriber_host);
  fabric.on_topology_changed();
  run(Seconds(9));
  EXPECT_EQ(subscriber.text, "up 1 2 3 ");
}

TEST_F(FabricTest, CarriesAFewFramesWhileOnlyTheWayBackIsCut) {
  subscribe();
  network.cut(subscriber_host, publisher_host);
  fabric.on_topology_changed();
  publish(1, 3);
  run(Seconds(1));
  EXPECT_EQ(subscriber.text, "up 1 2 3 ");
}

TEST_F(FabricTest, SaysFinBehindTheLastFrameWhenAProcessIsKilledAndThenRefuses) {
  subscribe();
  publish(1, 2);
  fabric.crash(publisher_host);
  run(Millis(600));
  EXPECT_EQ(subscriber.text.substr(0, 12), "up 1 2 fin r");
}

TEST_F(FabricTest, SaysNothingWhenAHostVanishesUntilTheHeartbeatGivesUp) {
  subscribe();
  fabric.vanish(publisher_host);
  run(Seconds(14));
  EXPECT_EQ(subscriber.text, "up ");
  run(Seconds(7));
  EXPECT_EQ(subscriber.text, "up timeout ");
}

TEST_F(FabricTest, DropsAnAnswerToAConnectionThatIsGone) {
  const ConnectionId id = fabric.connect(subscriber_host, publisher_host, Port::call);
  fabric.send(id, Side::initiator, frame(7, schedule.now()));
  run(Millis(200));
  EXPECT_EQ(publisher.text, "7 ");
  fabric.crash(subscriber_host);
  run(Millis(100));
  fabric.send(id, Side::acceptor, frame(8, schedule.now()));
  run(Seconds(1));
  EXPECT_EQ(subscriber.text, "up ");
}

TEST_F(FabricTest, LosesWhatWaitsForACallConnectionThatIsRefused) {
  fabric.crash(publisher_host);
  const ConnectionId id = fabric.connect(subscriber_host, publisher_host, Port::call);
  fabric.send(id, Side::initiator, frame(7, schedule.now()));
  run(Seconds(1));
  EXPECT_EQ(subscriber.text, "refused ");
  EXPECT_EQ(fabric.connections(), 0U);
}

TEST_F(FabricTest, TellsADialWhetherAnybodyListens) {
  std::string seen;
  const auto dial = [&](const char* when) {
    fabric.dial(subscriber_host, publisher_host, [&seen, when](DialEnd end) {
      const char* shown = "?";
      if (end == DialEnd::accepted) shown = "+";
      if (end == DialEnd::refused) shown = "-";
      if (end == DialEnd::relay_lost) shown = "r";
      seen += std::string(when) + shown;
    });
    run(Seconds(4));
  };
  dial("running");
  fabric.pause(publisher_host);
  dial("stopped");
  fabric.crash(publisher_host);
  dial("killed");
  fabric.start(publisher_host, &publisher);
  fabric.vanish(publisher_host);
  dial("vanished");
  EXPECT_EQ(seen, "running+stopped+killed-vanished?");
}

TEST_F(FabricTest, ReconnectsASubscriptionToTheNextLifeOfAPublisher) {
  subscribe();
  fabric.crash(publisher_host);
  run(Seconds(3));
  Diary next;
  fabric.start(publisher_host, &next);
  run(Seconds(10));
  publish(1, 1);
  run(Seconds(1));
  EXPECT_EQ(subscriber.text.substr(subscriber.text.size() - 5), "up 1 ");
}

}  // namespace
}  // namespace riftbus::sim
