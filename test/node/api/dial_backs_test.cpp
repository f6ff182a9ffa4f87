#include "node/api/dial_backs.h"

#include <gtest/gtest.h>

#include "config/random.h"
#include "node/api/api_relays.h"
#include "test/node/vocabulary.h"

namespace riftbus::node {
namespace {

const wire::Address kMapped{wire::AddressKind::public_ip, "198.51.100.101", 21770, 21771};

class DialBack : public ::testing::Test {
 protected:
  DialBack() {
    settings_.self = id("n1");
    settings_.instance = Instance(1);
    settings_.record.id = id("n1");
    core_ = std::make_unique<membership::Membership>(settings_, random_);
    view_.self = id("n1");
    view_.membership = core_.get();
    view_.now.at = TimePoint{Seconds{1000}};
  }

  Random random_{1};
  membership::Settings settings_;
  std::unique_ptr<membership::Membership> core_;
  NodeView view_;
};

TEST_F(DialBack, TheAskerReadsWhatTheWitnessWrote) {
  const bus::Proved proved{id("vast-1"),
                           {{kMapped, true, "", Millis(3)}, {kLan, false, "no answer", {}}}};
  const auto document = dial_back_document(proved, view_);
  const std::vector<DialTry> expected{{kMapped, true, "", Millis(3)},
                                      {kLan, false, "no answer", {}}};
  EXPECT_EQ(read_dial_back(document, {kMapped, kLan}), expected);
  EXPECT_EQ(read_dial_back(document, {kLan}).size(), 1U) << "of its own addresses only";
}

TEST_F(DialBack, WhatIsNoAnswerSaysNothing) {
  for (const char* text :
       {"", "null", "[]", "{}", "{\"tries\":{}}", "{\"tries\":[1,null,[]]}",
        "{\"tries\":[{\"host\":7,\"call_port\":21770,\"pub_port\":21771,\"worked\":true}]}",
        "{\"tries\":[{\"host\":\"198.51.100.101\",\"call_port\":-1,\"pub_port\":21771}]}"}) {
    EXPECT_TRUE(read_dial_back(text, {kMapped}).empty()) << text;
  }
  const std::string place = "\"host\":\"198.51.100.101\",\"call_port\":21770,\"pub_port\":21771";
  for (const char* worked : {"", ",\"worked\":1", ",\"worked\":\"yes\"", ",\"rtt_ms\":-5"}) {
    const auto read = read_dial_back("{\"tries\":[{" + place + worked + "}]}", {kMapped});
    ASSERT_EQ(read.size(), 1U);
    EXPECT_FALSE(read[0].worked) << worked;
    EXPECT_FALSE(read[0].rtt.has_value()) << worked;
  }
  const std::string lie =
      "{\"tries\":[{" + place + ",\"trouble\":\"" + std::string(9999, 'x') + "\"}]}";
  EXPECT_LE(read_dial_back(lie, {kMapped})[0].trouble.size(), 200U);
}

TEST_F(DialBack, TheDocumentsSayWhoDialledWhenAndWhatCameOfIt) {
  Reach reach("home", random_);
  const auto step = [&](const ReachEvent& event) {
    ReachActions out;
    reach.step(event, view_.now.at, out);
    return out.ask;
  };
  const ReachLook look{{kMapped}, {{id("n2"), "n2", false}, {id("n3"), "n3", false}}};
  static_cast<void>(step(look));
  view_.now.at += Reach::kFirst;
  for (const auto& witness : step(look)) {
    static_cast<void>(step(ReachSaid{witness, {{kMapped, false, "no answer", {}}}}));
  }
  view_.now.at += Seconds{7};
  const std::vector<RelayPlace> places;
  RelayView relays;
  relays.relays = &places;
  relays.reach = &reach;
  view_.relays = std::make_shared<const RelayView>(relays);
  const Json json = dialled_json(view_);
  EXPECT_EQ(json["verdict"], "blocked");
  EXPECT_EQ(json["since"]["age_ms"], 7000);
  ASSERT_EQ(json["witnesses"].size(), 2U);
  for (const auto& witness : json["witnesses"]) {
    EXPECT_EQ(witness["can_dial"], false);
    EXPECT_EQ(witness["when"]["age_ms"], 7000);
    EXPECT_EQ(witness["tries"][0]["host"], kMapped.host);
    EXPECT_EQ(witness["tries"][0]["trouble"], "no answer");
  }
  view_.relays = nullptr;
  EXPECT_TRUE(dialled_json(view_).is_null());
}

}  // namespace
}  // namespace riftbus::node
