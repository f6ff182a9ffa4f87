#include "node/disk/standing_orders.h"

#include <gtest/gtest.h>

#include <fstream>
#include <vector>

#include "test/node/temp_folder.h"

namespace riftbus::node {
namespace {

TEST(StandingOrders, AreReadBackAsTheyWereGiven) {
  const TempFolder folder;
  const std::string path = folder.file("orders");
  std::vector<StandingOrders> given(6);
  given[1].draining = true;
  given[2].draining = given[2].evicting = true;
  given[2].policy = "bully";
  given[3].policy = "raft";
  given[3].membership = "hybrid";
  given[4].membership = "http";
  given[5].relay_draining = true;
  for (const StandingOrders& orders : given) {
    ASSERT_TRUE(store_orders(path, orders).ok());
    const auto loaded = load_orders(path);
    ASSERT_TRUE(loaded.ok());
    EXPECT_EQ(*loaded, orders);
  }
}

TEST(StandingOrders, WithoutAFileThereAreNone) {
  const TempFolder folder;
  const auto loaded = load_orders(folder.file("orders"));
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(*loaded, StandingOrders{});
}

TEST(StandingOrders, WhatCannotBeReachedOrUnderstoodIsNoAbsenceOfOrders) {
  const TempFolder folder;
  std::ofstream(folder.file("file")) << "draining\nwhatever\n";
  EXPECT_FALSE(load_orders(folder.file("file")).ok());
  EXPECT_FALSE(load_orders(folder.file("file") + "/orders").ok()) << "not a folder";
}

}  // namespace
}  // namespace riftbus::node
