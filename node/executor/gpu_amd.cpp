// AMD's GPUs, as the kernel's compute driver shows them: no program of the vendor's is needed.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include "node/executor/gpu_desk.h"
#include "node/executor/job_files.h"
#include "node/executor/machine.h"

namespace riftbus::executor {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTopologyBytesMax = 16 * 1024;
constexpr std::size_t kNodesMax = 128;  // processors count, too
constexpr std::uint64_t kVideoMemoryOpen = 1;
constexpr std::uint64_t kVideoMemoryHidden = 2;

// "name value" lines of a topology file; 0: it does not say.
std::uint64_t property(const std::string& text, const std::string& wanted) {
  std::istringstream lines(text);
  std::string name;
  std::string value;
  while (lines >> name >> value) {
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (name == wanted && failure == std::errc{}) return number;
  }
  return 0;
}

std::vector<std::uint64_t> numbered_entries(const std::string& folder) {
  std::vector<std::uint64_t> numbers;
  std::error_code failure;
  // A range-for would throw at an entry that cannot be read.
  for (fs::directory_iterator at(folder, failure); !failure && at != fs::directory_iterator();
       at.increment(failure)) {
    const std::string name = at->path().filename().string();
    std::uint64_t number = 0;
    const auto [end, wrong] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (wrong == std::errc{} && end == name.data() + name.size()) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  if (numbers.size() > kNodesMax) numbers.resize(kNodesMax);
  return numbers;
}

std::int64_t video_memory_mb(const std::string& node) {
  std::uint64_t bytes = 0;
  for (const auto bank : numbered_entries(node + "/mem_banks")) {
    const auto text =
        read_part(node + "/mem_banks/" + std::to_string(bank) + "/properties", kTopologyBytesMax);
    const auto heap = property(text, "heap_type");
    if (heap == kVideoMemoryOpen || heap == kVideoMemoryHidden) {
      bytes += property(text, "size_in_bytes");
    }
  }
  return static_cast<std::int64_t>(bytes / kMegabyte);
}

std::string hexadecimal(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

}  // namespace

std::vector<Gpu> measure_amd_gpus(const std::string& root) {
  std::vector<Gpu> gpus;
  const std::string nodes = root + "/sys/class/kfd/kfd/topology/nodes";
  for (const auto number : numbered_entries(nodes)) {
    const std::string node = nodes + "/" + std::to_string(number);
    const auto text = read_part(node + "/properties", kTopologyBytesMax);
    if (property(text, "simd_count") == 0) continue;  // a processor
    // A container sees every GPU of the machine here, and may open only those it was given. The
    // runtime numbers what can be opened.
    const auto device =
        root + "/dev/dri/renderD" + std::to_string(property(text, "drm_render_minor"));
    if (access(device.c_str(), R_OK | W_OK) != 0) continue;
    Gpu gpu;
    const auto target = property(text, "gfx_target_version");
    gpu.name = "AMD gfx" + std::to_string(target / 10'000) + "." +
               std::to_string(target / 100 % 100) + "." + std::to_string(target % 100);
    gpu.memory_mb = video_memory_mb(node);
    gpu.driver = "kfd";
    const auto unique = property(text, "unique_id");
    gpu.id = std::string(kAmd) +
             (unique != 0 ? "GPU-" + hexadecimal(unique) : std::to_string(gpus.size()));
    if (gpu.memory_mb > 0) gpus.push_back(std::move(gpu));
  }
  return gpus;
}

}  // namespace riftbus::executor
