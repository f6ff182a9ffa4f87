#include "node/api/api.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/random.h"
#include "node/api/api_json.h"
#include "node/membership/timing.h"
#include "test/node/vocabulary.h"

namespace riftbus::node {
namespace {

wire::Record record_of(const NodeId& node, std::uint64_t incarnation) {
  wire::Record record;
  record.id = node;
  record.instance = Instance(100 + incarnation);
  record.incarnation = Incarnation(incarnation);
  record.addresses = {{wire::AddressKind::loopback, "127.0.0.1", 7770, 7771}};
  record.roles = {Role::node};
  record.interval_ms = 1000;
  return record;
}

Roster roster_of(const std::vector<std::string>& names) {
  Roster roster;
  roster.cluster = "kitchen";
  roster.version = RosterVersion(7);
  std::uint8_t key = 1;
  for (const auto& name : names) {
    RosterEntry entry;
    entry.id = id(name);
    entry.key.bytes.fill(key++);
    entry.roles = {Role::node, Role::voter};
    roster.entries[entry.id] = entry;
    roster.voters.push_back(entry.id);
  }
  return roster;
}

// A real Membership of n1 that others talk to, and the questions an operator asks it.
class Node {
 public:
  explicit Node(const std::vector<std::string>& names) : roster_(roster_of(names)), random_(1) {
    membership::Settings settings;
    settings.self = id("n1");
    settings.instance = Instance(42);
    settings.record = record_of(id("n1"), 0);
    settings.wall_ms = 1000;
    settings.timing = membership::lan_timing();
    settings.roster = roster_.version;
    for (const auto& name : names) settings.allowed.insert(id(name));
    core_ = std::make_unique<membership::Membership>(settings, random_);
    step(membership::Tick{});
  }

  void meet(const std::string& name, std::uint64_t incarnation = 1) {
    wire::Envelope envelope;
    envelope.origin = id(name);
    envelope.instance = Instance(100 + incarnation);
    envelope.seq = Seq(next_seq_++);
    envelope.correlation = Correlation(1);
    envelope.body = wire::Join{record_of(id(name), incarnation), NodeId()};
    step(membership::Received{wire::Channel::call, membership::ReplyTo(1), envelope});
  }

  void pass(Millis span) { now_ += span; }

  Reaction react(const std::string& query, std::map<std::string, std::string> arguments = {},
                 std::set<Role> roles = {Role::admin}) {
    return Api::answer({query, std::move(arguments)}, roles, view());
  }

  Json ask(const std::string& query, std::map<std::string, std::string> arguments = {}) {
    const Reaction reaction = react(query, std::move(arguments));
    const auto* answer = std::get_if<wire::Answer>(&reaction);
    if (answer == nullptr) {
      ADD_FAILURE() << query << " was not answered";
      return Json();
    }
    return Json::parse(answer->json);
  }

  std::uint16_t refusal(const std::string& query, std::map<std::string, std::string> arguments = {},
                        std::set<Role> roles = {Role::admin}) {
    const Reaction reaction = react(query, std::move(arguments), std::move(roles));
    const auto* refused = std::get_if<wire::Refusal>(&reaction);
    if (refused == nullptr) return 0;
    EXPECT_FALSE(refused->what.empty());
    EXPECT_FALSE(refused->next.empty());
    return refused->code;
  }

  NodeView view() {
    NodeView view;
    view.self = id("n1");
    view.instance = Instance(42);
    view.cluster = "kitchen";
    view.software = "0.1.0";
    view.timing_profile = "lan";
    view.membership = core_.get();
    view.journal = &journal_;
    view.roster = has_roster_ ? &roster_ : nullptr;
    view.links = links_;
    view.counters = {{"bus.sent", 5}};
    view.started = start_;
    view.now = {now_, 1'700'000'000'000};
    return view;
  }

  Journal& journal() { return journal_; }
  std::vector<LinkView>& links() { return links_; }
  Roster& roster() { return roster_; }
  TimePoint now() const { return now_; }
  void drop_roster() { has_roster_ = false; }

 private:
  void step(const membership::Event& event) {
    membership::Actions out;
    core_->step(event, now_, out);
    for (const auto& action : out) {
      if (const auto* store = std::get_if<membership::StoreIncarnation>(&action)) {
        step(membership::IncarnationStored{store->incarnation});
      }
      if (const auto* announce = std::get_if<membership::Announce>(&action)) {
        journal_.announce(*announce, {now_, 1'700'000'000'000});
      }
    }
  }

  Roster roster_;
  Random random_;
  const TimePoint start_{Seconds(1000)};
  TimePoint now_ = start_;
  std::unique_ptr<membership::Membership> core_;
  Journal journal_{Instance(42)};
  std::vector<LinkView> links_;
  std::uint64_t next_seq_ = 1;
  bool has_roster_ = true;
};

TEST(Api, EveryQueryIsAnsweredOrSaysWhatItNeeds) {
  Node node({"n1", "n2"});
  for (const auto name : Api::query_names()) {
    const Reaction reaction = node.react(std::string(name));
    const auto* refused = std::get_if<wire::Refusal>(&reaction);
    if (refused != nullptr) {
      EXPECT_EQ(refused->code, 1503) << name;
    }
  }
  EXPECT_EQ(node.refusal("node.destroy"), 1502);
}

TEST(Api, EveryDocumentSaysItsSchemaItsNameAndWhoAnswers) {
  Node node({"n1"});
  for (const char* name : {"status", "node.list", "link.list", "event.list"}) {
    const Json document = node.ask(name);
    EXPECT_EQ(document["schema"], 1) << name;
    EXPECT_EQ(document["document"], name);
    EXPECT_EQ(document["node"], "n1");
    EXPECT_EQ(document["at"], "2023-11-14T22:13:20.000Z");
  }
}

TEST(Api, AKeyWithoutAReadingRoleIsRefused) {
  Node node({"n1"});
  EXPECT_EQ(node.refusal("status", {}, {}), 1505);
  EXPECT_EQ(node.refusal("status", {}, {Role::relay}), 1505);
  EXPECT_EQ(node.refusal("status", {}, {Role::tap}), 0);
  EXPECT_EQ(node.refusal("status", {}, {Role::node}), 0);
}

TEST(Api, StatusNamesMembersThatWereNeverSeen) {
  Node node({"n1", "n2", "n3"});
  node.meet("n2");
  const Json status = node.ask("status");
  EXPECT_EQ(status["members"]["alive"], 2);
  EXPECT_EQ(status["members"]["never_seen"], 1);
  EXPECT_EQ(status["voters"]["alive"], 2);
  EXPECT_EQ(status["voters"]["total"], 3);
  bool named = false;
  for (const auto& note : status["notes"]) {
    named = named || (note["code"] == 1523 && note["subject"] == "n3");
  }
  EXPECT_TRUE(named) << status["notes"];
}

TEST(Api, StatusWarnsWhenMostVotersAreNotAlive) {
  Node node({"n1", "n2", "n3"});
  const Json status = node.ask("status");
  ASSERT_FALSE(status["problems"].empty());
  EXPECT_EQ(status["problems"][0]["code"], 1524);
  EXPECT_NE(status["state"], "ok");
}

TEST(Api, ANodeWithoutRosterStillAnswers) {
  Node node({"n1"});
  node.drop_roster();
  EXPECT_TRUE(node.ask("status")["roster_version"].is_null());
  EXPECT_TRUE(node.ask("node.show", {{"id", "n1"}})["roster"].is_null());
}

TEST(Api, NodeListShowsEachMemberOnceInOrder) {
  Node node({"n1", "n2", "n3"});
  node.meet("n3");
  node.meet("n2");
  const Json list = node.ask("node.list");
  ASSERT_EQ(list["nodes"].size(), 3U);
  EXPECT_EQ(list["nodes"][0]["id"], "n1");
  EXPECT_EQ(list["nodes"][0]["self"], true);
  EXPECT_EQ(list["nodes"][2]["id"], "n3");
  EXPECT_EQ(list["nodes"][2]["addresses"][0]["call_port"], 7770);
  EXPECT_EQ(list["nodes"][2]["roles"], Json({"node", "voter"}));
  EXPECT_EQ(list["after"], "");
}

TEST(Api, LongListsComeInPagesThatFitAMessage) {
  std::vector<std::string> names{"n1"};
  for (int i = 1000; i < 2200; ++i) names.push_back("member-" + std::to_string(i));
  Node node(names);
  for (const auto& name : names) {
    if (name != "n1") node.meet(name);
  }
  std::set<std::string> seen;
  std::string after;
  std::size_t pages = 0;
  do {
    const Json page = node.ask("node.list", {{"after", after}});
    EXPECT_LT(page.dump().size(), 512U * 1024);
    for (const auto& member : page["nodes"]) seen.insert(member["id"].get<std::string>());
    after = page["after"].get<std::string>();
    ASSERT_LT(++pages, 20U);
  } while (!after.empty());
  EXPECT_EQ(seen.size(), names.size());
  EXPECT_GT(pages, 1U);
}

TEST(Api, AgesGrowWithTheClockThatIsPassedIn) {
  Node node({"n1", "n2"});
  node.meet("n2");
  node.pass(Millis(7100));
  const Json show = node.ask("node.show", {{"id", "n2"}});
  EXPECT_EQ(show["member"]["since"]["age_ms"], 7100);
  EXPECT_EQ(show["member"]["since"]["at"], "2023-11-14T22:13:12.900Z");
}

TEST(Api, WhyAnswersAboutMembersThatOnlyTheRosterKnows) {
  Node node({"n1", "n2"});
  const Json why = node.ask("why.node", {{"id", "n2"}});
  EXPECT_EQ(why["known"], false);
  EXPECT_TRUE(why["standing"].is_null());
  EXPECT_EQ(why["roster"]["entry"]["id"], "n2");
  EXPECT_EQ(node.refusal("why.node", {{"id", "n9"}}), 1504);
  EXPECT_EQ(node.refusal("why.node", {{"id", "no such/name"}}), 1503);
  EXPECT_EQ(node.refusal("why.node"), 1503);
}

TEST(Api, WhyTellsInWhichVersionAKeyWasRevoked) {
  Node node({"n1"});
  node.roster().revoked[id("n5")] = RosterVersion(6);
  const Json why = node.ask("why.node", {{"id", "n5"}});
  EXPECT_TRUE(why["roster"]["entry"].is_null());
  EXPECT_EQ(why["roster"]["revoked_in_version"], 6);
}

TEST(Api, OnlyTheMemberItselfKnowsItsWatchers) {
  Node node({"n1", "n2"});
  node.meet("n2");
  EXPECT_TRUE(node.ask("why.node", {{"id", "n1"}})["watched_by"].is_array());
  EXPECT_TRUE(node.ask("why.node", {{"id", "n2"}})["watched_by"].is_null());
}

TEST(Api, LinksShowConnectionsAndBreakers) {
  Node node({"n1", "n2"});
  node.meet("n2");
  bus::LinkReport down;
  down.peer = id("n2");
  down.channel = wire::Channel::call;
  down.address = wire::Address{wire::AddressKind::loopback, "127.0.0.1", 7780, 7781};
  down.since = node.now();
  down.failures = 3;
  down.trouble = "refused";
  down.next_attempt = node.now() + Millis(500);
  bus::LinkReport up = down;
  up.channel = wire::Channel::pub;
  up.up = true;
  up.rtt = Nanos(1'234'567);
  bus::PathReport path;
  path.address = *down.address;
  path.breaker = bus::Breaker::open;
  path.last_failure = node.now();
  path.last_error = "refused";
  down.paths = {path};
  path.breaker = bus::Breaker::closed;
  up.paths = {path};
  node.links() = group_links({down, up});

  const Json list = node.ask("link.list");
  ASSERT_EQ(list["links"].size(), 1U);
  const Json& link = list["links"][0];
  EXPECT_EQ(link["peer"], "n2");
  EXPECT_EQ(link["calls"]["up"], false);
  EXPECT_EQ(link["calls"]["trouble"], "refused");
  EXPECT_EQ(link["calls"]["next_attempt_ms"], 500);
  EXPECT_EQ(link["beats"]["up"], true);
  EXPECT_EQ(link["beats"]["rtt_ms"], 1.234);
  ASSERT_EQ(link["paths"].size(), 2U);
  EXPECT_EQ(link["paths"][0]["for"], "calls");
  EXPECT_EQ(link["paths"][0]["breaker"], "open");
  EXPECT_EQ(link["paths"][0]["last_error"], "refused");
  EXPECT_EQ(link["paths"][0]["in_use"], false);
  EXPECT_EQ(link["paths"][1]["for"], "beats");
  EXPECT_EQ(link["paths"][1]["breaker"], "closed");
  EXPECT_EQ(link["paths"][1]["in_use"], true);
}

TEST(Api, APingIsOrderedAndAnsweredLater) {
  Node node({"n1", "n2"});
  node.meet("n2");
  const Reaction reaction = node.react("link.ping", {{"id", "n2"}, {"timeout_ms", "750"}});
  const auto* order = std::get_if<PingOrder>(&reaction);
  ASSERT_NE(order, nullptr);
  EXPECT_EQ(order->peer, id("n2"));
  EXPECT_EQ(order->timeout, Millis(750));
  PingOutcome outcome;
  outcome.rtt = Nanos(2'500'000);
  outcome.pong = wire::Pong{Incarnation(9), 2, 5000};
  const Json pong = Json::parse(Api::answer_ping(*order, outcome, node.view()).json);
  EXPECT_EQ(pong["answered"], true);
  EXPECT_EQ(pong["rtt_ms"], 2.5);
  EXPECT_EQ(pong["health"], 2);
  const Json silence = Json::parse(Api::answer_ping(*order, {}, node.view()).json);
  EXPECT_EQ(silence["answered"], false);
  EXPECT_TRUE(silence["rtt_ms"].is_null());
}

TEST(Api, APingWithoutSenseIsRefused) {
  Node node({"n1", "n2"});
  node.meet("n2");
  EXPECT_EQ(node.refusal("link.ping", {{"id", "n1"}}), 1503);
  EXPECT_EQ(node.refusal("link.ping", {{"id", "n9"}}), 1504);
  for (const char* timeout : {"0", "10001", "-1", "1s", "", "99999999999999999999"}) {
    EXPECT_EQ(node.refusal("link.ping", {{"id", "n2"}, {"timeout_ms", timeout}}), 1503) << timeout;
  }
}

TEST(Api, EventsAreReadByCursor) {
  Node node({"n1", "n2"});
  node.meet("n2");
  const Json first = node.ask("event.list");
  ASSERT_FALSE(first["events"].empty());
  EXPECT_EQ(first["events"].back()["subject"], "n2");
  EXPECT_EQ(first["events"].back()["kind"], "joined");
  node.journal().note("roster", NodeId(), "version 8", {node.now(), 1});
  const Json next = node.ask("event.list", {{"since", first["cursor"].get<std::string>()}});
  ASSERT_EQ(next["events"].size(), 1U);
  EXPECT_EQ(next["events"][0]["text"], "version 8");
  EXPECT_EQ(node.refusal("event.list", {{"limit", "0"}}), 1503);
  EXPECT_EQ(node.refusal("event.list", {{"limit", "many"}}), 1503);
}

// Its tags are those of its last life: whether it would take work, nobody knows.
TEST(Api, WhatIsGoneIsNotDrained) {
  membership::Member member;
  member.record = record_of(id("n2"), 1);
  EXPECT_FALSE(takes_no_work(member));
  member.record.tags[kWorkTag] = kDraining;
  for (const auto& [standing, is_drained] :
       {std::pair(wire::Standing::alive, true), std::pair(wire::Standing::suspect, true),
        std::pair(wire::Standing::dead, false), std::pair(wire::Standing::left, false)}) {
    member.standing = standing;
    EXPECT_EQ(takes_no_work(member), is_drained) << wire::to_string(standing);
  }
}

TEST(Api, TextThatIsNotUtf8BecomesValidJson) {
  Node node({"n1"});
  node.journal().note("refused", NodeId(), "bad \xff\xfe bytes", {node.now(), 1});
  EXPECT_EQ(node.ask("event.list")["events"].back()["kind"], "refused");
}

}  // namespace
}  // namespace riftbus::node
