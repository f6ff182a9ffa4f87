#include "node/api/api_relays.h"

#include <gtest/gtest.h>

#include "bus/wire/relayed.h"
#include "config/random.h"
#include "node/membership/timing.h"
#include "test/node/vocabulary.h"

namespace riftbus::node {
namespace {

wire::Address through(const std::string& host) {
  return {wire::AddressKind::relay, host, 7723, 7723};
}

RelayPlace relay(const std::string& name, const std::string& host) {
  RelayPlace place;
  place.id = id(name);
  place.domain = name;
  place.hosts = {host};
  place.pins = {"SHA256:" + std::string(43, 'A')};
  return place;
}

// What n1 knows: two relays of the cluster file, and members that say how they are reached.
class World {
 public:
  World() : random_(1) {
    membership::Settings settings;
    settings.self = id("n1");
    settings.instance = Instance(42);
    settings.record.id = id("n1");
    settings.timing = membership::lan_timing();
    for (const char* name : {"n1", "r1", "vast-1", "vast-2"}) settings.allowed.insert(id(name));
    core_ = std::make_unique<membership::Membership>(settings, random_);
    step(membership::Tick{});
  }

  void meet(const std::string& name, std::vector<wire::Address> addresses,
            std::map<std::string, std::string> tags = {}) {
    wire::Record record;
    record.id = id(name);
    record.instance = Instance(7);
    record.incarnation = Incarnation(1);
    record.addresses = std::move(addresses);
    record.roles = {Role::node};
    record.tags = std::move(tags);
    wire::Envelope envelope;
    envelope.origin = record.id;
    envelope.instance = record.instance;
    envelope.seq = Seq(next_seq_++);
    envelope.correlation = Correlation(1);
    envelope.body = wire::Join{record, NodeId()};
    step(membership::Received{wire::Channel::call, membership::ReplyTo(1), envelope});
  }

  bus::PathReport path(const wire::Address& address) const {
    bus::PathReport report;
    report.address = address;
    return report;
  }
  // A connection for calls: up by the first path, or down.
  void link(const std::string& peer, bool up, std::vector<bus::PathReport> paths) {
    bus::LinkReport report;
    report.peer = id(peer);
    report.channel = wire::Channel::call;
    report.up = up;
    report.since = now_ - Seconds(5);
    report.address = paths.front().address;
    report.next_attempt = now_ + Millis(800);
    report.trouble = up ? "" : "no answer";
    report.paths = std::move(paths);
    links_ = group_links({report});
  }

  Json ask(const std::string& query, std::map<std::string, std::string> arguments = {}) {
    const Reaction reaction = react(query, std::move(arguments));
    const auto* answer = std::get_if<wire::Answer>(&reaction);
    if (answer != nullptr) return Json::parse(answer->json);
    ADD_FAILURE() << query << " was not answered";
    return {};
  }
  std::uint16_t refusal(const std::string& query, std::map<std::string, std::string> arguments) {
    const Reaction reaction = react(query, std::move(arguments));
    const auto* refused = std::get_if<wire::Refusal>(&reaction);
    return refused == nullptr ? std::uint16_t{0} : refused->code;
  }
  Reaction react(const std::string& query, std::map<std::string, std::string> arguments) {
    return Api::answer({query, std::move(arguments)}, {Role::admin}, view());
  }

  std::vector<RelayPlace> relays{relay("r1", "192.0.2.1"), relay("r2", "192.0.2.2")};
  std::string status = "{}";
  bool is_relay = false;
  NodeId self = id("n1");
  const TimePoint now_{Seconds(1000)};

 private:
  void step(const membership::Event& event) {
    membership::Actions out;
    core_->step(event, now_, out);
    for (const auto& action : out) {
      if (const auto* store = std::get_if<membership::StoreIncarnation>(&action)) {
        step(membership::IncarnationStored{store->incarnation});
      }
    }
  }
  NodeView view() {
    NodeView view;
    view.self = self;
    view.cluster = "kitchen";
    view.membership = core_.get();
    view.journal = &journal_;
    view.links = links_;
    view.started = now_;
    view.now = {now_, 1'700'000'000'000};
    RelayView of_relays;
    of_relays.relays = &relays;
    of_relays.is_relay = is_relay;
    of_relays.status = &status;
    view.relays = std::make_shared<const RelayView>(of_relays);
    return view;
  }

  Random random_;
  std::unique_ptr<membership::Membership> core_;
  Journal journal_{Instance(42)};
  std::vector<LinkView> links_;
  std::uint64_t next_seq_ = 1;
};

TEST(RelayList, NamesWhoIsAttachedAndWhoseHomeItIs) {
  World world;
  world.meet("vast-1", {kLan, through("192.0.2.2"), through("192.0.2.1")});
  world.meet("vast-2", {through("192.0.2.1")});
  const Json relays = world.ask("relay.list")["relays"];
  ASSERT_EQ(relays.size(), 2u);
  EXPECT_EQ(relays[0]["id"], "r1");
  EXPECT_EQ(relays[0]["attached"], Json({"vast-1", "vast-2"}));
  EXPECT_EQ(relays[0]["homes"], Json({"vast-2"}));
  EXPECT_EQ(relays[1]["attached"], Json({"vast-1"}));
  EXPECT_EQ(relays[1]["homes"], Json({"vast-1"}));
  EXPECT_EQ(relays[1]["pinned"], true);
  EXPECT_TRUE(relays[1]["member"].is_null()) << "no node on its host";
}

TEST(RelayList, ARelayThatOnlyMembersNameIsThereToo) {
  World world;
  world.meet("vast-1", {through("203.0.113.9")});
  const Json relays = world.ask("relay.list")["relays"];
  ASSERT_EQ(relays.size(), 3u);
  EXPECT_EQ(relays[0]["id"], "203.0.113.9:7723");
  EXPECT_EQ(relays[0]["listed"], false);
  EXPECT_EQ(relays[0]["attached"], Json({"vast-1"}));
}

TEST(RelayList, TellsWhatThisNodeUsesItForAndWhatFailed) {
  World world;
  auto good = world.path(through("192.0.2.1"));
  good.successes = 3;
  good.last_success = world.now_ - Seconds(5);
  good.rtt = Millis(12);
  auto bad = world.path(through("192.0.2.2"));
  bad.last_failure = world.now_ - Seconds(2);
  bad.last_error = "its relay leads nowhere";
  world.link("vast-1", true, {good, bad});
  const Json relays = world.ask("relay.list")["relays"];
  ASSERT_EQ(relays[0]["used"].size(), 1u);
  EXPECT_EQ(relays[0]["used"][0]["peer"], "vast-1");
  EXPECT_EQ(relays[0]["rtt_ms"], 12.0);
  EXPECT_TRUE(relays[1]["used"].empty());
  EXPECT_EQ(relays[1]["last_error"], "its relay leads nowhere");
  EXPECT_EQ(relays[1]["last_failure"]["age_ms"], 2000);
}

TEST(RelayList, ADrainedRelaySaysSoInItsNodesTags) {
  World world;
  world.meet("r1", {}, {{kRelayTag, kDraining}});
  const Json relays = world.ask("relay.list")["relays"];
  EXPECT_EQ(relays[0]["draining"], true);
  EXPECT_EQ(relays[0]["member"], "alive");
  EXPECT_EQ(relays[1]["draining"], false);
}

TEST(RelayShow, IsAskedByIdOrByHost) {
  World world;
  EXPECT_EQ(world.ask("relay.show", {{"id", "r2"}})["relay"]["id"], "r2");
  EXPECT_EQ(world.ask("relay.show", {{"id", "192.0.2.2"}})["relay"]["id"], "r2");
  EXPECT_EQ(world.refusal("relay.show", {{"id", "r9"}}), 1825);
  EXPECT_EQ(world.refusal("relay.show", {}), 1503);
}

TEST(RelayShow, TheSessionsAreTheRelaysOwnWord) {
  World world;
  world.status = R"({"sessions": [{"node": "vast-1", "connections": 5}]})";
  EXPECT_TRUE(world.ask("relay.show", {{"id", "r1"}})["sessions"].is_null()) << "not this host's";
  world.self = id("r1");
  world.is_relay = true;
  EXPECT_EQ(world.ask("relay.show", {{"id", "r1"}})["sessions"][0]["node"], "vast-1");
  world.status = "garbage";
  EXPECT_TRUE(world.ask("relay.show", {{"id", "r1"}})["sessions"].is_null());
}

TEST(LinkHop, ANodeConnectsToRelaysAndToNothingElse) {
  World world;
  const Reaction reaction = world.react("link.hop", {{"relay", "r2"}});
  const auto* order = std::get_if<HopOrder>(&reaction);
  ASSERT_NE(order, nullptr);
  EXPECT_EQ(order->relay, "r2");
  EXPECT_EQ(order->front, through("192.0.2.2"));
  EXPECT_EQ(world.refusal("link.hop", {{"relay", "203.0.113.9"}}), 1825);
  EXPECT_EQ(world.refusal("link.hop", {}), 1503);
}

TEST(TunnelList, ANodeThatEverybodyCanDialHasNone) {
  World world;
  const Json list = world.ask("tunnel.list");
  EXPECT_EQ(list["nat_blocked"], false);
  EXPECT_TRUE(list["tunnels"].empty());
}

TEST(WhyPath, ANodeNeedsNoWayToItself) {
  World world;
  const Json json = world.ask("why.path", {{"id", "n1"}});
  EXPECT_TRUE(json["paths"].empty());
  EXPECT_EQ(json["reasons"].size(), 1U);
}

TEST(WhyPath, APublicAddressAtWhichNobodyCanDialItIsNotTried) {
  const wire::Address mapped{wire::AddressKind::public_ip, "203.0.113.9", 41770, 41771};
  World world;
  world.meet("vast-1", {mapped, through("192.0.2.1")}, {{wire::kDialledTag, wire::kDialledNo}});
  Json json = world.ask("why.path", {{"id", "vast-1"}});
  EXPECT_EQ(json["can_be_dialled"], false);
  EXPECT_EQ(json["paths"][0]["verdict"], "not tried: nobody can dial it there, says vast-1");
  world.meet("vast-2", {mapped, through("192.0.2.1")}, {{wire::kDialledTag, wire::kDialledYes}});
  json = world.ask("why.path", {{"id", "vast-2"}});
  EXPECT_EQ(json["can_be_dialled"], true);
}

TEST(WhyPath, NamesTheOneInUseAndWhyNotTheOthers) {
  World world;
  world.meet("vast-1", {kLan, through("192.0.2.1")});
  auto used = world.path(through("192.0.2.1"));
  used.successes = 1;
  auto failed = world.path(kLan);
  failed.failures = 4;
  failed.failures_in_row = 4;
  failed.last_failure = world.now_ - Seconds(3);
  failed.last_error = "no answer";
  failed.breaker = bus::Breaker::open;
  failed.trial_due = world.now_ + Seconds(14);
  auto other = world.path(through("192.0.2.2"));
  world.link("vast-1", true, {used, other, failed});
  const Json why = world.ask("why.path", {{"id", "vast-1"}});
  EXPECT_EQ(why["reasons"][0]["text"],
            "calls: by relay r1 (192.0.2.1:7723) since 5.0s, which answered first of those that "
            "were tried");
  EXPECT_EQ(why["reasons"][1]["text"],
            "beats: no connection: this node is not one of its watchers");
  ASSERT_EQ(why["paths"].size(), 3u);
  EXPECT_EQ(why["paths"][0]["relay"], "r1");
  EXPECT_EQ(why["paths"][0]["verdict"], "in use since 5.0s");
  EXPECT_EQ(why["paths"][1]["verdict"], "not tried: another one was quicker");
  EXPECT_EQ(why["paths"][2]["kind"], "lan");
  EXPECT_EQ(why["paths"][2]["verdict"],
            "failed 4 times in a row, last 3.0s ago: no answer; left alone for 14.0s more");
  EXPECT_EQ(why["paths"][2]["trial_in_ms"], 14000);
}

TEST(WhyPath, SaysWhenNoneWorks) {
  World world;
  world.meet("vast-1", {kLan});
  world.link("vast-1", false, {world.path(kLan)});
  const Json why = world.ask("why.path", {{"id", "vast-1"}});
  EXPECT_EQ(why["reasons"][0]["text"],
            "calls: none of its addresses works since 5.0s: no answer; tried again in 800ms");
}

TEST(WhyPath, AddressesThatWereNeverNeededAreShown) {
  World world;
  world.meet("vast-1", {kLan, through("192.0.2.1")});
  const Json why = world.ask("why.path", {{"id", "vast-1"}});
  ASSERT_EQ(why["paths"].size(), 2u);
  EXPECT_TRUE(why["paths"][1]["for"].is_null());
  EXPECT_EQ(why["paths"][1]["relay"], "r1");
  EXPECT_EQ(world.refusal("why.path", {{"id", "n9"}}), 1504);
}

}  // namespace
}  // namespace riftbus::node
