#include "node/mesh/http_path.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bus/wire/codec.h"
#include "bus/wire/limits.h"

namespace riftbus::node {
namespace {

using Json = nlohmann::json;

// Two members whose posts go straight into the other one's hands, unless somebody is in the way.
struct End {
  End(const std::string& name, std::uint64_t life)
      : id(NodeId::parse(name).value()), instance(life), keys(KeyPair::generate()) {}

  NodeId id;
  Instance instance;
  KeyPair keys;
  std::unique_ptr<HttpPath> path;
  std::vector<http::Errand> posted;
  std::vector<bus::Received> heard;
  std::vector<bool> links;
  std::vector<bus::DialOutcome> dials;
  bool is_listed = true;  // on the other's roster
  bool calls_up = false;  // of the other's bus to this one
  bool has_place = true;  // known to the other
  Seq said;

  void open(End& other) {
    PathGround ground;
    ground.places = [&other](const NodeId&) {
      return other.has_place ? std::vector<HttpPlace>{{"192.0.2.1", 8770}}
                             : std::vector<HttpPlace>{};
    };
    ground.keys = [&other](const NodeId& asked) {
      return other.is_listed && asked == other.id ? std::vector<CurveKey>{other.keys.public_key}
                                                  : std::vector<CurveKey>{};
    };
    ground.interval = [](const NodeId&) { return Seconds(1); };
    ground.calls_up = [&other](const NodeId&) { return other.calls_up; };
    ground.post = [this](http::Errand errand) {
      posted.push_back(std::move(errand));
      return true;
    };
    ground.deliver = [this](bus::Received& received) { heard.push_back(received); };
    ground.link = [this](const NodeId&, bool up) { links.push_back(up); };
    ground.dialled = [this](const bus::Dialled& dialled) { dials.push_back(dialled.outcome); };
    ground.used = [](const NodeId&, bool) {};
    path = std::make_unique<HttpPath>(keys, id, instance, std::move(ground));
  }
};

struct Pair : testing::Test {
  End a{"a", 11};
  End b{"b", 22};
  TimePoint now{Seconds(1000)};

  void SetUp() override {
    a.open(b);
    b.open(a);
    set_mode(MembershipMode::hybrid);
  }
  void set_mode(MembershipMode mode) {
    a.path->set_mode(mode, now);
    b.path->set_mode(mode, now);
  }
  static std::string sealed_in(const http::Errand& errand) {
    const auto text = Json::parse(errand.body)["sealed"].get<std::string>();
    return bus::from_base64(text, text.size()).value();
  }
  http::Fetched carry(End& to, const http::Errand& errand) {
    http::Fetched fetched{errand.number, http::Fate::answered, 200, "", ""};
    const auto outcome = to.path->on_post(sealed_in(errand), now);
    if (const auto* answer = std::get_if<std::string>(&outcome)) {
      fetched.body = Json{{"sealed", bus::to_base64(*answer)}}.dump();
    } else {
      const auto* refusal = std::get_if<bus::SealRefusal>(&outcome);
      const bool is_new = refusal != nullptr && *refusal == bus::SealRefusal::no_session;
      fetched.status = is_new ? 409 : 403;
      fetched.body = Json{{"code", is_new ? "NO_SESSION" : "NOT_A_MEMBER"}}.dump();
    }
    return fetched;
  }
  // Until neither has anything to say at this moment.
  void settle(bool may_post = true) {
    for (int round = 0; round < 10; ++round) {
      a.path->tick(now);
      b.path->tick(now);
      if (a.posted.empty() && b.posted.empty()) return;
      deliver(a, b, may_post);
      deliver(b, a, may_post);
    }
    FAIL() << "they never stop posting";
  }
  void deliver(End& from, End& to, bool may_post) {
    for (const auto& errand : std::exchange(from.posted, {})) {
      from.path->on_fetched(
          may_post ? carry(to, errand)
                   : http::Fetched{errand.number, http::Fate::refused, 0, "", "Connection refused"},
          now);
    }
  }
  void pass(Nanos span, bool may_post = true) {
    for (const TimePoint end = now + span; now < end; now += Millis(50)) settle(may_post);
  }
  void beat(End& end) {
    wire::Beat body;
    body.interval_ms = 1000;
    end.said = end.said.next();
    end.path->published(end.said, body);
  }
  static std::size_t beats(const End& end) {
    return static_cast<std::size_t>(std::count_if(
        end.heard.begin(), end.heard.end(),
        [](const bus::Received& received) { return received.channel == wire::Channel::pub; }));
  }
};

TEST_F(Pair, BeatsThatTheBusDoesNotBringComeOverHttpOnceEach) {
  a.path->subscribe(b.id, now);
  for (int i = 0; i < 5; ++i) {
    beat(b);
    pass(Seconds(1));
  }
  EXPECT_GE(beats(a), 3u);
  EXPECT_LE(beats(a), 5u);
  Seq last;
  for (const auto& received : a.heard) {
    EXPECT_EQ(received.envelope.origin, b.id);
    EXPECT_GT(received.envelope.seq, last);
    last = received.envelope.seq;
  }
  EXPECT_EQ(a.links, std::vector<bool>{true});
  EXPECT_TRUE(a.path->ways()[b.id].in_use);
}

TEST_F(Pair, NothingIsPostedWhileTheBusWorks) {
  a.path->subscribe(b.id, now);
  for (int i = 0; i < 20; ++i) {
    beat(b);
    EXPECT_TRUE(
        a.path->on_bus_publication({b.id, b.instance, b.said, Correlation(), wire::Beat{}}, now));
    pass(Millis(900));
  }
  EXPECT_EQ(a.path->counters().posts, 0u);
}

TEST_F(Pair, HttpModeIsWarmWhileTheBusWorksAndCountsNothingTwice) {
  set_mode(MembershipMode::http);
  a.path->subscribe(b.id, now);
  std::size_t by_bus = 0;
  for (int i = 0; i < 10; ++i) {
    beat(b);
    by_bus +=
        a.path->on_bus_publication({b.id, b.instance, b.said, Correlation(), wire::Beat{}}, now);
    pass(Millis(900));
  }
  EXPECT_GE(a.path->counters().posts, 8u);
  EXPECT_EQ(by_bus + beats(a), 10u);
  EXPECT_FALSE(a.path->ways()[b.id].in_use);
}

TEST_F(Pair, TheBusIsBackWithItsFirstBeat) {
  a.path->subscribe(b.id, now);
  beat(b);
  pass(Seconds(3));
  ASSERT_TRUE(a.path->ways()[b.id].in_use);
  beat(b);
  EXPECT_TRUE(
      a.path->on_bus_publication({b.id, b.instance, b.said, Correlation(), wire::Beat{}}, now));
  EXPECT_FALSE(a.path->ways()[b.id].in_use);
}

TEST_F(Pair, ACallThatTheBusCannotDeliverIsAnsweredOverHttp) {
  a.path->sent(b.id, Correlation(5), wire::Ping{}, bus::SendOutcome::queued, now);
  pass(Seconds(1));
  ASSERT_EQ(b.heard.size(), 1u);
  ASSERT_NE(b.heard[0].reply_to.value(), 0u);
  EXPECT_TRUE(
      b.path->reply(b.heard[0].reply_to, b.heard[0].envelope.correlation, wire::Pong{}, now));
  pass(Seconds(1));
  ASSERT_EQ(a.heard.size(), 1u);
  EXPECT_EQ(a.heard[0].envelope.correlation, Correlation(5));
  EXPECT_EQ(a.heard[0].reply_to.value(), 0u);
}

TEST_F(Pair, ACallThatTheBusDeliversAfterAllIsNotPosted) {
  a.path->sent(b.id, Correlation(5), wire::Ping{}, bus::SendOutcome::queued, now);
  b.calls_up = true;
  pass(Seconds(2));
  EXPECT_EQ(a.path->counters().posts, 0u);
}

TEST_F(Pair, OneWhoCannotBePostedToIsHeardByItsOwnPosts) {
  a.has_place = false;  // b cannot reach a's HTTP port
  a.path->subscribe(b.id, now);
  b.path->subscribe(a.id, now);
  for (int i = 0; i < 5; ++i) {
    beat(a);
    beat(b);
    pass(Seconds(1));
  }
  EXPECT_GE(beats(b), 3u);
  EXPECT_EQ(b.path->counters().posts, 0u);
  EXPECT_EQ(b.links, std::vector<bool>{true});
}

TEST_F(Pair, GossipThatIsTooLargeForAPostHoldsUpNoBeat) {
  a.has_place = false;
  b.path->subscribe(a.id, now);
  a.path->subscribe(b.id, now);
  beat(a);
  pass(Seconds(3));
  const auto before = beats(b);
  ASSERT_GE(before, 1u);
  wire::Gossip large;
  large.claims.resize(5);
  for (auto& claim : large.claims) {
    auto& record = claim.record.emplace();
    claim.subject = record.id = NodeId::parse("c").value();
    for (int i = 0; i < 40; ++i) {
      record.tags["tag" + std::to_string(i)] = std::string(wire::kTagValueBytesMax, 'x');
    }
  }
  a.said = a.said.next();
  a.path->published(a.said, large);
  for (int i = 0; i < 4; ++i) {
    beat(a);
    pass(Seconds(1));
  }
  EXPECT_GE(beats(b), before + 3);
  EXPECT_EQ(b.path->counters().posts, 0u);
}

TEST_F(Pair, ADialIsAskedAgainOverHttpBeforeAnybodyIsTold) {
  a.path->subscribe(b.id, now);
  EXPECT_FALSE(a.path->on_bus_dialled({b.id, bus::DialOutcome::refused}, now));
  EXPECT_TRUE(a.dials.empty());
  pass(Millis(100));
  EXPECT_EQ(a.dials, std::vector{bus::DialOutcome::accepted});
}

TEST_F(Pair, AnEndedProcessIsRefusedOnBothWays) {
  a.path->subscribe(b.id, now);
  beat(b);
  pass(Seconds(3));
  ASSERT_EQ(a.links, std::vector<bool>{true});
  pass(Seconds(1), false);
  EXPECT_EQ(a.links, (std::vector<bool>{true, false}));
  const bool is_told = a.path->on_bus_dialled({b.id, bus::DialOutcome::silent}, now);
  pass(Millis(500), false);
  EXPECT_FALSE(is_told);
  EXPECT_EQ(a.dials, std::vector{bus::DialOutcome::refused});
}

TEST_F(Pair, AnHttpPortThatNeverAnsweredProvesNothing) {
  a.path->subscribe(b.id, now);
  EXPECT_FALSE(a.path->on_bus_dialled({b.id, bus::DialOutcome::silent}, now));
  pass(Millis(500), false);
  EXPECT_EQ(a.dials, std::vector{bus::DialOutcome::silent});
}

TEST_F(Pair, AReplayAForgeryAndARevokedMemberAreRefusedAndCounted) {
  a.path->subscribe(b.id, now);
  now += Seconds(2);
  a.path->tick(now);
  ASSERT_EQ(a.posted.size(), 1u);
  a.path->on_fetched(carry(b, a.posted[0]), now);  // hello
  a.posted.clear();
  a.path->tick(now);
  ASSERT_EQ(a.posted.size(), 1u);
  const std::string post = sealed_in(a.posted[0]);
  EXPECT_TRUE(std::holds_alternative<std::string>(b.path->on_post(post, now)));
  EXPECT_EQ(std::get<bus::SealRefusal>(b.path->on_post(post, now)), bus::SealRefusal::replayed);
  std::string bent = post;
  bent.back() = static_cast<char>(bent.back() ^ 1);
  EXPECT_EQ(std::get<bus::SealRefusal>(b.path->on_post(bent, now)), bus::SealRefusal::forged);
  EXPECT_EQ(std::get<bus::SealRefusal>(b.path->on_post("nonsense", now)),
            bus::SealRefusal::malformed);
  a.is_listed = false;
  EXPECT_EQ(std::get<bus::SealRefusal>(b.path->on_post(post, now)), bus::SealRefusal::stranger);
  EXPECT_EQ(b.path->counters().refused, (std::array<std::uint64_t, 5>{1, 1, 1, 1, 0}));
}

TEST_F(Pair, AnotherLifeOfThePeerIsGreetedAnew) {
  a.path->subscribe(b.id, now);
  beat(b);
  pass(Seconds(3));
  ASSERT_EQ(beats(a), 1u);
  b.instance = Instance(23);
  b.said = Seq();
  b.open(a);
  b.path->set_mode(MembershipMode::hybrid, now);
  beat(b);
  pass(Seconds(2));
  EXPECT_EQ(beats(a), 2u);
  EXPECT_EQ(a.heard.back().envelope.instance, Instance(23));
}

TEST_F(Pair, InSwimNothingIsPostedAndNothingTaken) {
  b.path->set_mode(MembershipMode::swim, now);
  a.path->subscribe(b.id, now);
  b.path->subscribe(a.id, now);
  pass(Seconds(3));
  EXPECT_EQ(b.path->counters().posts, 0u);
  EXPECT_GE(a.path->counters().failed, 1u);
  EXPECT_TRUE(a.heard.empty());
  EXPECT_TRUE(a.links.empty());
}

TEST_F(Pair, WhatMayNotTravelSoIsDropped) {
  a.path->sent(b.id, Correlation(5), wire::Query{"status", {}}, bus::SendOutcome::queued, now);
  pass(Seconds(1));
  EXPECT_EQ(a.path->counters().posts, 0u);
}

TEST(HttpPlaces, AreWhatTheTagSays) {
  using wire::AddressKind;
  const std::vector<wire::Address> addresses{{AddressKind::lan, "192.0.2.1", 1, 2},
                                             {AddressKind::relay, "192.0.2.9", 1, 2},
                                             {AddressKind::lan, "192.0.2.1", 3, 4}};
  EXPECT_EQ(http_places("8770", addresses), (std::vector<HttpPlace>{{"192.0.2.1", 8770}}));
  EXPECT_EQ(http_places("h.example:80", addresses), (std::vector<HttpPlace>{{"h.example", 80}}));
  EXPECT_EQ(http_places("[2001:db8::1]:80", {}), (std::vector<HttpPlace>{{"2001:db8::1", 80}}));
  for (const char* tag : {"", "0", "65536", "port", ":80", "h:", "h:x"}) {
    EXPECT_TRUE(http_places(tag, addresses).empty()) << tag;
  }
}

}  // namespace
}  // namespace riftbus::node
