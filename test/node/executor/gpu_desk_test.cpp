#include "node/executor/gpu_desk.h"

#include <gtest/gtest.h>

#include <set>

#include "test/node/executor/runner_world.h"

namespace riftbus::executor {
namespace {

using Names = std::vector<std::string>;

Hold hold(std::uint64_t id) { return {work::WorkId(id), work::Fence(1)}; }

GpuDesk desk_of(Names names) {
  GpuDesk desk;
  desk.set(std::move(names));
  return desk;
}

TEST(GpuDesk, NoTwoJobsGetTheSame) {
  auto desk = desk_of({"nvidia/a", "nvidia/b", "nvidia/c"});
  EXPECT_EQ(*desk.take(hold(1), 2000), (Names{"nvidia/a", "nvidia/b"}));
  EXPECT_EQ(*desk.take(hold(2), 1000), Names{"nvidia/c"});
  EXPECT_FALSE(desk.take(hold(3), 1000));
  desk.give_back(hold(1));
  EXPECT_EQ(*desk.take(hold(3), 1000), Names{"nvidia/a"});
  EXPECT_TRUE(desk.take(hold(4), 0)->empty());
}

TEST(GpuDesk, PartsShareTheFullestThatFits) {
  auto desk = desk_of({"nvidia/a", "nvidia/b"});
  EXPECT_EQ(*desk.take(hold(1), 300), Names{"nvidia/a"});
  EXPECT_EQ(*desk.take(hold(2), 500), Names{"nvidia/a"});
  EXPECT_EQ(*desk.take(hold(3), 1000), Names{"nvidia/b"}) << "whole ones stay whole";
  EXPECT_FALSE(desk.take(hold(4), 300));
  EXPECT_EQ(*desk.take(hold(5), 200), Names{"nvidia/a"});
}

TEST(GpuDesk, AWholeAndAPartAreTwoDifferentOnes) {
  auto desk = desk_of({"nvidia/a", "nvidia/b"});
  EXPECT_EQ(*desk.take(hold(1), 1500), (Names{"nvidia/a", "nvidia/b"}));
  EXPECT_EQ(*desk.take(hold(2), 500), Names{"nvidia/b"});
  EXPECT_FALSE(desk.take(hold(3), 100));
}

TEST(GpuDesk, WhoNeedsCudaGetsNoOther) {
  auto desk = desk_of({"amd/a", "nvidia/b", "amd/c"});
  EXPECT_EQ(*desk.take(hold(1), 1000, true), Names{"nvidia/b"});
  EXPECT_FALSE(desk.take(hold(2), 1000, true));
  EXPECT_FALSE(desk.take(hold(2), 500, true));
  EXPECT_EQ(*desk.take(hold(2), 1500), (Names{"amd/a", "amd/c"}));
}

TEST(GpuDesk, CudaIsNeededWhereTheNodeWouldNotDoWithoutIt) {
  work::Offer offer;
  offer.amounts = {{"gpus", 2000}, {"vram_gb", 40000}, {"cuda", 12400}};
  offer.tags = {"amd"};
  offer.normalize();
  EXPECT_TRUE(needs_cuda("gpus>=1 && cuda>=12", offer));
  EXPECT_TRUE(needs_cuda("(gpus>=1 && cuda<13)", offer));
  EXPECT_FALSE(needs_cuda("gpus>=1 && vram_gb>=40", offer));
  EXPECT_FALSE(needs_cuda("gpus>=1 && (cuda>=12 || tag.amd)", offer));
  EXPECT_FALSE(needs_cuda("cuda>=13", offer)) << "this node does not do anyway";
  EXPECT_FALSE(needs_cuda("", offer));
}

TEST(GpuDesk, WhatAFormerLifeGaveIsNotGivenAgainEvenBeforeItIsMeasured) {
  GpuDesk desk;
  desk.adopt(hold(1), {"nvidia/b"}, 1000);
  desk.set({"nvidia/a", "nvidia/b"});
  EXPECT_EQ(*desk.take(hold(2), 1000), Names{"nvidia/a"});
  EXPECT_FALSE(desk.take(hold(3), 1000));
}

TEST(GpuVariables, NameThemForEachRuntimeAndHideTheOthers) {
  const auto nvidia = variables_of({"nvidia/GPU-1", "nvidia/GPU-2"});
  EXPECT_EQ(nvidia.at("CUDA_VISIBLE_DEVICES"), "GPU-1,GPU-2");
  EXPECT_EQ(nvidia.at("HIP_VISIBLE_DEVICES"), "-1");
  const auto amd = variables_of({"amd/GPU-7", "amd/3"});
  EXPECT_EQ(amd.at("ROCR_VISIBLE_DEVICES"), "GPU-7,3");
  EXPECT_EQ(amd.at("HIP_VISIBLE_DEVICES"), "0,1");
  EXPECT_EQ(amd.at("CUDA_VISIBLE_DEVICES"), "-1");
  for (const auto& [name, value] : variables_of({})) EXPECT_EQ(value, "-1") << name;
}

// ---- real jobs -------------------------------------------------------------------------------

JobKind gpu_kind(const Gate& gate, const std::string& needs,
                 std::map<std::string, std::string> environment = {}) {
  auto kind =
      RunnerWorld::shell("echo $CUDA_VISIBLE_DEVICES $HIP_VISIBLE_DEVICES > own; " + gate.wait());
  kind.needs = needs;
  kind.environment = std::move(environment);
  return kind;
}

std::string own_of(const RunnerWorld& world, const Hold& job) {
  EXPECT_TRUE(wait_until([&] { return !slurp(world.work(job, "own")).empty(); }));
  return slurp(world.work(job, "own"));
}

TEST(GpuJobs, SeeTheirOwnAndTheLastOneIsGivenBack) {
  RunnerWorld world;
  Gate first_gate(world.directory / "first");
  const Gate gate(world.directory / "others");
  world.runner.set_gpus({"nvidia/GPU-1", "nvidia/GPU-2"});
  const std::map<std::string, std::string> own{{"CUDA_VISIBLE_DEVICES", "GPU-1"}};
  const auto kind = gpu_kind(gate, "gpus>=1", own);
  const auto first = world.start(gpu_kind(first_gate, "gpus>=1", own));
  const auto second = world.start(kind);
  EXPECT_EQ(own_of(world, first), "GPU-1 -1\n");
  EXPECT_EQ(own_of(world, second), "GPU-2 -1\n") << "a kind chose for itself";
  const auto third = RunnerWorld::start_of(9, kind);
  const auto refused = world.runner.start(third, kind);
  ASSERT_TRUE(std::holds_alternative<jobs::Ended>(refused));
  EXPECT_EQ(std::get<jobs::Ended>(refused).exit.cause, Cause::no_gpu);
  first_gate.open();
  ASSERT_TRUE(world.wait_end(first));
  EXPECT_EQ(own_of(world, world.start(third, kind)), "GPU-1 -1\n");
}

TEST(GpuJobs, ThatNeedCudaGetNoneOfAnotherVendor) {
  RunnerWorld world;
  const Gate gate(world.directory / "go");
  work::Offer offer;
  offer.amounts = {{"gpus", 2000}, {"cuda", 12000}};
  offer.normalize();
  world.runner.set_gpus({"amd/GPU-1", "nvidia/GPU-2"}, offer);
  EXPECT_EQ(own_of(world, world.start(gpu_kind(gate, "gpus>=1 && cuda>=12"))), "GPU-2 -1\n");
}

TEST(GpuJobs, WithoutNeedOfOneNoneIsSeenUnlessTheKindNamesSome) {
  RunnerWorld world;
  const Gate gate(world.directory / "go");
  world.runner.set_gpus({"nvidia/GPU-1"});
  EXPECT_EQ(own_of(world, world.start(gpu_kind(gate, "cpus>=1"))), "-1 -1\n");
  EXPECT_EQ(own_of(world, world.start(gpu_kind(gate, "cpus>=1", {{"HIP_VISIBLE_DEVICES", "0"}}))),
            "-1 0\n");
}

TEST(GpuJobs, KeepTheirsWhenTheDaemonReturns) {
  RunnerWorld world;
  Gate first_gate(world.directory / "first");
  const Gate gate(world.directory / "others");
  world.runner.set_gpus({"nvidia/GPU-1", "nvidia/GPU-2"});
  const auto kind = gpu_kind(gate, "gpus>=1");
  const auto first = world.start(gpu_kind(first_gate, "gpus>=1"));
  EXPECT_EQ(own_of(world, first), "GPU-1 -1\n");
  Runner successor(world.options());
  ASSERT_TRUE(successor.open());
  ASSERT_EQ(successor.recover()->size(), 1U);
  successor.set_gpus({"nvidia/GPU-1", "nvidia/GPU-2"});
  const auto next = RunnerWorld::start_of(20, kind);
  world.started.push_back(next.hold);
  ASSERT_TRUE(std::holds_alternative<jobs::Started>(successor.start(next, kind)));
  EXPECT_EQ(own_of(world, next.hold), "GPU-2 -1\n");
  const auto third = RunnerWorld::start_of(21, kind);
  EXPECT_TRUE(std::holds_alternative<jobs::Ended>(successor.start(third, kind)));
  first_gate.open();
  ASSERT_TRUE(world.wait_end(successor, first));
  world.started.push_back(third.hold);
  ASSERT_TRUE(std::holds_alternative<jobs::Started>(successor.start(third, kind)));
  EXPECT_EQ(own_of(world, third.hold), "GPU-1 -1\n");
}

}  // namespace
}  // namespace riftbus::executor
