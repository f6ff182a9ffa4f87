#include <gtest/gtest.h>

#include <vector>

#include "node/http/legacy_work.h"
#include "node/work/query.h"
#include "node/work/queue.h"

namespace riftbus::node {
namespace {

// The queue itself, behind a leader whose answers can be lost.
class LostAnswers : public testing::Test {
 protected:
  work::Reply apply(const work::Command& command) {
    return queue_.apply({++index_, 1, static_cast<work::LogMs>(index_)}, command);
  }
  [[nodiscard]] work::State state_of(work::WorkId id) const {
    return work::find_work(queue_, id)->state;
  }

  work::WorkQueue queue_;
  std::uint64_t index_ = 0;
  int lost_ = 0;  // so many answers from now on
  NodeSettings settings_;
  HttpDesk desk_{HttpGround{settings_, [] { return NodeView(); }, [] { return Glance(); }, nullptr,
                            nullptr,
                            [this](const work::Command& command, const WorkClient::OnReply& done) {
                              auto reply = apply(command);
                              if (lost_-- > 0) {
                                return done(Error{WorkClient::kOutOfTime, "no answer", "", ""});
                              }
                              done(std::move(reply));
                            },
                            nullptr, nullptr}};
};

TEST_F(LostAnswers, WhatAClaimWasGrantedGoesBack) {
  work::Spec spec;
  spec.kind = "training";
  const auto added = std::get<work::Added>(apply(work::Add{1, {spec, spec}}));
  work::Claim claim;
  claim.worker = *http_worker("n1");
  claim.instance = Instance{1};
  claim.request = 7;
  claim.max = 2;
  claim.offer.kinds = {"training"};
  ASSERT_EQ(std::get<work::Claimed>(apply(claim)).grants.size(), 2U);
  ASSERT_EQ(state_of(added.ids[0]), work::State::leased);
  lost_ = 3;
  give_back(desk_, claim, 10);
  for (const auto id : added.ids) EXPECT_NE(state_of(id), work::State::leased);
}

TEST_F(LostAnswers, NobodyAsksForEver) {
  lost_ = 1000;
  work::Claim claim;
  claim.worker = *http_worker("n1");
  claim.instance = Instance{1};
  claim.request = 7;
  give_back(desk_, claim, 10);
  EXPECT_EQ(index_, 10U);
}

}  // namespace
}  // namespace riftbus::node
