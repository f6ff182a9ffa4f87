#include "node/executor/machine.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <fstream>

#include "bus/clock.h"
#include "test/bus/temporary_directory.h"

namespace riftbus::executor {
namespace {

namespace fs = std::filesystem;

void put(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << text;
}

class Limited : public testing::Test {
 protected:
  Limited() { put(root / "proc/meminfo", "MemTotal:       16384000 kB\nMemFree: 1 kB\n"); }
  test::TemporaryDirectory root;
};

TEST_F(Limited, WithoutACgroupTheMachineIsTheLimit) {
  const auto limits = measure_limits(root / "");
  cpu_set_t set;
  ASSERT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  EXPECT_EQ(limits.cpus_milli, CPU_COUNT(&set) * 1000);
  EXPECT_EQ(limits.memory_mb, 16000);
}

TEST_F(Limited, AffinityIsRespected) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &before)) {
      CPU_SET(cpu, &one);
      break;
    }
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(measure_limits(root / "").cpus_milli, 1000);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

TEST_F(Limited, TheTightestCgroupAboveUsCounts) {
  put(root / "proc/self/cgroup", "0::/system.slice/riftbus.service\n");
  put(root / "sys/fs/cgroup/system.slice/cpu.max", "50000 100000\n");
  put(root / "sys/fs/cgroup/system.slice/memory.max", "max\n");
  put(root / "sys/fs/cgroup/system.slice/riftbus.service/cpu.max", "max 100000\n");
  put(root / "sys/fs/cgroup/system.slice/riftbus.service/memory.max", "1073741824\n");
  const auto limits = measure_limits(root / "");
  EXPECT_EQ(limits.cpus_milli, 500);
  EXPECT_EQ(limits.memory_mb, 1024);
}

TEST_F(Limited, VersionOneIsRespectedToo) {
  put(root / "proc/self/cgroup", "4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n");
  put(root / "sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us", "75000\n");
  put(root / "sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000\n");
  // Within a container the path is the host's, and the limit stands at the mount's root.
  put(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", "2147483648\n");
  const auto limits = measure_limits(root / "");
  EXPECT_EQ(limits.cpus_milli, 750);
  EXPECT_EQ(limits.memory_mb, 2048);
}

TEST_F(Limited, VersionOnesWordForUnlimitedIsNoLimit) {
  put(root / "proc/self/cgroup", "4:memory:/\n3:cpu:/\n");
  put(root / "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  put(root / "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  put(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  const auto limits = measure_limits(root / "");
  EXPECT_GE(limits.cpus_milli, 1000);
  EXPECT_EQ(limits.memory_mb, 16000);
}

// A made-up nvidia-smi, first in PATH.
class FakeGpus : public testing::Test {
 protected:
  FakeGpus() : path_(std::getenv("PATH")) {
    setenv("PATH", (directory / "" + ":" + path_).c_str(), 1);
  }
  ~FakeGpus() override { setenv("PATH", path_.c_str(), 1); }
  void write_program(const std::string& body) {
    const auto program = directory / "nvidia-smi";
    std::ofstream(program) << "#!/bin/sh\n" << body;
    fs::permissions(program, fs::perms::owner_all);
  }
  test::TemporaryDirectory directory;
  std::string path_;
};

TEST_F(FakeGpus, NameMemoryDriverAndCudaAreRead) {
  write_program(
      "case \"$1\" in --query-gpu=uuid,name,memory.total,driver_version)"
      "echo 'GPU-5f1c2a7e-0001, NVIDIA H100 80GB HBM3, 81559, 550.54.15';"
      "echo 'GPU-5f1c2a7e-0002, NVIDIA A100, 40960, 550.54.15';;"
      "*) echo '| NVIDIA-SMI 550.54.15   Driver Version: 550.54.15   CUDA Version: 12.4     |';;"
      "esac\n");
  GpuProbe probe;
  const auto gpus = probe.measure();
  ASSERT_TRUE(gpus.ok()) << gpus.error().to_string();
  const std::vector<Gpu> wanted{
      {"NVIDIA H100 80GB HBM3", 81559, "550.54.15", "nvidia/GPU-5f1c2a7e-0001"},
      {"NVIDIA A100", 40960, "550.54.15", "nvidia/GPU-5f1c2a7e-0002"}};
  EXPECT_EQ(gpus->all, wanted);
  EXPECT_EQ(gpus->cuda_milli, 12'400);
  Machine machine;
  machine.gpus = *gpus;
  const auto offer = offer_of(machine, {}, {});
  EXPECT_EQ(*offer.find_amount("gpus"), 2000);
  EXPECT_EQ(*offer.find_amount("vram_gb"), 40'000);
  EXPECT_EQ(*offer.find_amount("cuda"), 12'400);
}

TEST_F(FakeGpus, NoNvidiaSmiMeansNoGpusAndNoTrouble) {
  setenv("PATH", (directory / "").c_str(), 1);
  GpuProbe probe;
  const auto gpus = probe.measure();
  ASSERT_TRUE(gpus.ok());
  EXPECT_TRUE(gpus->all.empty());
}

TEST_F(FakeGpus, FailureAndNonsenseAreTold) {
  write_program("echo 'NVIDIA-SMI has failed'; exit 9\n");
  GpuProbe probe;
  EXPECT_EQ(probe.measure().error().code, kNoGpus);
  write_program("echo 'what, ever'\n");
  EXPECT_EQ(probe.measure().error().code, kNoGpus);
  write_program("echo 'GPU-1, card, many, 1'\n");
  EXPECT_EQ(probe.measure().error().code, kNoGpus);
  write_program("echo 'GPU 1;$x, card, 100, 1'\n");
  EXPECT_EQ(probe.measure().error().code, kNoGpus);
}

TEST(VisibleGpus, FollowTheRuntimesRules) {
  const std::vector<Gpu> all{{"a", 1, "", "nvidia/GPU-aa1"},
                             {"b", 1, "", "nvidia/GPU-ab2"},
                             {"c", 1, "", "nvidia/GPU-c3"}};
  const auto chosen = [&](const char* text) {
    std::string names;
    for (const auto& gpu : visible_gpus(all, text)) names += gpu.name;
    return names;
  };
  EXPECT_EQ(chosen("2,0"), "ca");
  EXPECT_EQ(chosen("GPU-ab, GPU-c3"), "bc");
  EXPECT_EQ(chosen(""), "");
  EXPECT_EQ(chosen("-1"), "");
  EXPECT_EQ(chosen("1,9,0"), "b");
  EXPECT_EQ(chosen("1,1,0"), "b");
  EXPECT_EQ(chosen("NoDevFiles"), "");
}

TEST(AmdGpus, AreReadFromTheKernelAsFarAsTheyMayBeOpened) {
  test::TemporaryDirectory root;
  const auto write = [&](const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(root / path).parent_path());
    std::ofstream(root / path) << text;
  };
  const std::string nodes = "sys/class/kfd/kfd/topology/nodes/";
  write(nodes + "0/properties", "cpu_cores_count 64\nsimd_count 0\n");
  for (int i = 1; i <= 3; ++i) {
    const auto node = nodes + std::to_string(i);
    write(node + "/properties",
          "cpu_cores_count 0\nsimd_count 440\ngfx_target_version 90010\n"
          "drm_render_minor " +
              std::to_string(127 + i) + "\nunique_id " + (i == 1 ? "81985529216486895" : "0") +
              "\n");
    write(node + "/mem_banks/0/properties", "heap_type 1\nsize_in_bytes 68702699520\nflags 0\n");
    if (i != 2) write("dev/dri/renderD" + std::to_string(127 + i), "");
  }
  const auto gpus = measure_amd_gpus(root / "");
  ASSERT_EQ(gpus.size(), 2U);
  EXPECT_EQ(gpus[0], (Gpu{"AMD gfx9.0.10", 65520, "kfd", "amd/GPU-0123456789abcdef"}));
  EXPECT_EQ(gpus[1].id, "amd/1");
  EXPECT_TRUE(measure_amd_gpus(root / "nowhere").empty());
}

TEST_F(FakeGpus, OneThatHangsCostsItsPatienceAndIsKilled) {
  write_program("trap '' TERM; echo $$ > " + (directory / "pid") +
                "; while :; do sleep 1000; done\n");
  GpuProbe probe(Seconds{2});
  const auto begun = bus::boot_now();
  EXPECT_EQ(probe.measure().error().code, kNoGpus);
  EXPECT_LT(bus::boot_now() - begun, Seconds{8});
  // The next one works as if nothing had been.
  write_program("exit 0\n");
  EXPECT_TRUE(probe.measure().ok());
}

TEST(Offer, KeepsTheReserveBackAndNamesTags) {
  Machine machine;
  machine.limits = {8000, 4096};
  machine.disk_free_mb = 1000;
  ExecutorConfig reserve;
  reserve.memory_reserved_mb = 1024;
  reserve.disk_reserved_mb = 2000;
  const auto offer =
      offer_of(machine, reserve, {{"spot", "true"}, {"disk", "nvme"}, {"x", "false"}});
  EXPECT_EQ(*offer.find_amount("cpus"), 8000);
  EXPECT_EQ(*offer.find_amount("memory_gb"), 3000);
  EXPECT_EQ(*offer.find_amount("disk_mb"), 0);
  EXPECT_EQ(*offer.find_amount("gpus"), 0);
  EXPECT_EQ(offer.find_amount("cuda"), nullptr);
  EXPECT_EQ(offer.tags, (std::vector<std::string>{"disk", "disk:nvme", "spot"}));
}

}  // namespace
}  // namespace riftbus::executor
