#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <sstream>

#include "bus/clock.h"
#include "node/executor/gpu_desk.h"
#include "node/executor/machine.h"
#include "node/executor/text.h"

namespace riftbus::executor {

namespace {

constexpr std::size_t kAnswerBytesMax = 64 * 1024;
constexpr Millis kAfterKill{200};
constexpr std::size_t kGpusMax = 64;

Error trouble(const std::string& what) {
  return Error{kNoGpus, "GPUs are not measured: nvidia-smi " + what, "",
               "run nvidia-smi by hand; this node offers no GPU meanwhile"};
}

bool is_device_name(const std::string& text) {
  return !text.empty() && text.size() <= 96 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

// "GPU-5f1c2a7e-..., NVIDIA H100 80GB HBM3, 81559, 550.54.15"
bool parse_gpu(const std::string& whole, Gpu& gpu) {
  const auto first = whole.find(',');
  if (first == std::string::npos) return false;
  const auto device = trimmed(whole.substr(0, first));
  if (!is_device_name(device)) return false;
  gpu.id = std::string(kNvidia) + device;
  const std::string line = whole.substr(first + 1);
  const auto last = line.rfind(',');
  const auto middle = last == std::string::npos ? last : line.rfind(',', last - 1);
  if (middle == std::string::npos || middle == 0) return false;
  gpu.name = trimmed(line.substr(0, middle));
  const auto memory = trimmed(line.substr(middle + 1, last - middle - 1));
  gpu.driver = trimmed(line.substr(last + 1));
  const auto [end, failure] =
      std::from_chars(memory.data(), memory.data() + memory.size(), gpu.memory_mb);
  return failure == std::errc{} && end == memory.data() + memory.size() && gpu.memory_mb > 0;
}

// "... CUDA Version: 12.4 ..."
std::int64_t parse_cuda(const std::string& text) {
  constexpr std::string_view kWord = "CUDA Version:";
  const auto at = text.find(kWord);
  if (at == std::string::npos) return 0;
  std::int64_t whole = 0;
  std::int64_t part = 0;
  char point = 0;
  std::istringstream number(text.substr(at + kWord.size(), 32));
  if (!(number >> whole >> point >> part) || point != '.' || whole > 999 || part > 9) return 0;
  return whole * 1000 + part * 100;
}

bool has_ended(pid_t pid, int& status) {
  const pid_t got = waitpid(pid, &status, WNOHANG);
  return got == pid || (got < 0 && errno == ECHILD);
}

pid_t spawn(const std::vector<std::string>& command, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  std::vector<std::string> words = command;
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int failure = posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return failure == 0 ? pid : 0;
}

// Everything until its end or until `until`; false: it has not ended.
bool read_all(int fd, TimePoint until, std::string& text) {
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto left = until - bus::boot_now();
    pollfd polled{fd, POLLIN, 0};
    if (left <= Nanos{0} || poll(&polled, 1, static_cast<int>(to_ms(left)) + 1) <= 0) return false;
    const auto got = read(fd, buffer.data(), buffer.size());
    if (got <= 0) return true;
    if (text.size() < kAnswerBytesMax) text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

Result<std::string> GpuProbe::run(const std::vector<std::string>& command) {
  int status = 0;
  if (hanging_ != 0 && !has_ended(hanging_, status)) return trouble("still hangs");
  hanging_ = 0;
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return trouble("cannot be read");
  const pid_t pid = spawn(command, ends[1]);
  close(ends[1]);
  if (pid == 0) {
    close(ends[0]);
    return std::string();  // there is none
  }
  std::string text;
  const auto until = bus::boot_now() + patience_;
  bool in_time = read_all(ends[0], until, text);
  close(ends[0]);
  bool ended = has_ended(pid, status);
  while (in_time && !ended && bus::boot_now() < until) {
    poll(nullptr, 0, 1);
    ended = has_ended(pid, status);
  }
  if (!ended) {
    in_time = false;
    kill(-pid, SIGKILL);
    const auto patience = bus::boot_now() + kAfterKill;
    while (!(ended = has_ended(pid, status)) && bus::boot_now() < patience) poll(nullptr, 0, 1);
    if (!ended) hanging_ = pid;
  }
  if (!in_time) return trouble("hangs");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return trouble("failed: " + text.substr(0, 200));
  }
  return text;
}

std::vector<Gpu> visible_gpus(const std::vector<Gpu>& all, const std::string& text) {
  std::vector<Gpu> chosen;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    word = trimmed(word);
    std::size_t number = 0;
    const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), number);
    const bool is_number = failure == std::errc{} && end == word.data() + word.size();
    const auto found = std::find_if(all.begin(), all.end(), [&](const Gpu& gpu) {
      if (is_number) return static_cast<std::size_t>(&gpu - all.data()) == number;
      return !word.empty() &&
             gpu.id.starts_with(std::string(kNvidia) + word);  // a prefix is enough
    });
    const bool is_new =
        found != all.end() && std::find(chosen.begin(), chosen.end(), *found) == chosen.end();
    if (!is_new) break;
    chosen.push_back(*found);
  }
  return chosen;
}

Result<Gpus> GpuProbe::measure() {
  const auto list = run({"nvidia-smi", "--query-gpu=uuid,name,memory.total,driver_version",
                         "--format=csv,noheader,nounits"});
  if (!list) return list.error();
  Gpus gpus;
  std::istringstream lines(*list);
  for (std::string line; std::getline(lines, line);) {
    Gpu gpu;
    if (trimmed(line).empty()) continue;
    if (!parse_gpu(line, gpu) || gpus.all.size() >= kGpusMax) {
      return trouble("said \"" + line.substr(0, 80) + "\"");
    }
    gpus.all.push_back(std::move(gpu));
  }
  if (const char* chosen = std::getenv("CUDA_VISIBLE_DEVICES")) {
    gpus.all = visible_gpus(gpus.all, chosen);
  }
  if (gpus.all.empty()) return gpus;
  const auto banner = run({"nvidia-smi"});
  if (!banner) return banner.error();
  gpus.cuda_milli = parse_cuda(*banner);
  return gpus;
}

}  // namespace riftbus::executor
