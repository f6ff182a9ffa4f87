#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>

#include "node/executor/gpu_desk.h"
#include "node/executor/processes_linux.h"
#include "node/executor/warden.h"

namespace riftbus::executor {

namespace {

constexpr rlim_t kOpenFilesMax = 65'536;
constexpr int kCannotExecute = 127;

std::string variable(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value == nullptr ? fallback : value;
}

// Each name once: of two, programs take the first.
std::map<std::string, std::string> environment_of(const JobSpec& spec, const std::string& folder,
                                                  const std::string& work_dir) {
  auto all = spec.kind.environment;
  all.emplace("PATH",
              variable("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
  all.emplace("HOME", variable("HOME", "/"));
  all.emplace("LANG", variable("LANG", "C.UTF-8"));
  // Which devices are its own is no matter of taste, unless it has none: then a kind may know of
  // some that this node does not measure.
  for (const auto& [name, value] : variables_of(spec.gpus)) {
    if (spec.gpus.empty()) {
      all.emplace(name, value);
    } else {
      all[name] = value;
    }
  }
  all["RIFTBUS_NODE"] = spec.node;
  all["RIFTBUS_KIND"] = spec.kind.name;
  all["RIFTBUS_WORK_ID"] = std::to_string(spec.hold.id.value());
  all["RIFTBUS_FENCE"] = std::to_string(spec.hold.fence.value());
  all["RIFTBUS_ATTEMPT"] = std::to_string(spec.attempt);
  all["RIFTBUS_JOB_DIR"] = folder;
  all["RIFTBUS_WORK_DIR"] = work_dir;
  all["RIFTBUS_PAYLOAD"] = folder + "/payload";
  all["RIFTBUS_PROGRESS"] = folder + "/io/progress";
  all["RIFTBUS_CHECKPOINT"] = folder + "/io/checkpoint";
  all["RIFTBUS_RESULT"] = folder + "/io/result";
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (auto& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// What the daemon has for itself, a program must not have: its rank, its protection from the
// out-of-memory killer, its many descriptors, its ignored and blocked signals.
void shed_rank(const JobSpec& spec) {
  setpriority(PRIO_PROCESS, 0, static_cast<int>(spec.kind.nice));
  const int oom = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (oom >= 0) {
    [[maybe_unused]] const auto put = write(oom, "0", 1);
    close(oom);
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = std::min(limit.rlim_max, kOpenFilesMax);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  limit = {0, 0};
  setrlimit(RLIMIT_CORE, &limit);
  limit = {spec.disk_bytes_max, spec.disk_bytes_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  umask(022);
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

void Warden::fork_program() {
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  std::array<int, 2> trouble{};
  if (pipe2(out.data(), O_CLOEXEC) != 0 || pipe2(err.data(), O_CLOEXEC) != 0 ||
      pipe2(trouble.data(), O_CLOEXEC) != 0) {
    fail_start(std::string("no pipes: ") + std::strerror(errno), Cause::node_trouble);
    return;
  }
  const pid_t warden = getpid();
  program_ = fork();
  if (program_ == 0) become_program(warden, out[1], err[1], trouble[1]);
  for (const int end : {out[1], err[1], trouble[1]}) close(end);
  if (program_ < 0) {
    const std::string why = std::strerror(errno);
    for (const int end : {out[0], err[0], trouble[0]}) close(end);
    fail_start("no process: " + why, Cause::node_trouble);
    return;
  }
  trouble_ = trouble[0];
  fcntl(trouble_, F_SETFL, O_NONBLOCK);
  scribe_.begin(out[0], err[0]);  // a thread: only now, as a fork takes no threads along
}

// The other end closes by itself when the program begins; before that it may say what is wrong. To
// begin may take long, if its file is on a disk that does not answer; bounds are kept meanwhile.
void Warden::read_trouble() {
  std::array<char, 512> buffer{};
  for (;;) {
    const auto got = read(trouble_, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;
    if (got == 0) break;
    trouble_text_.append(buffer.data(), static_cast<std::size_t>(got));
  }
  close(trouble_);
  trouble_ = -1;
  if (!trouble_text_.empty()) {
    waitpid(program_, nullptr, 0);
    fail_start(trouble_text_, Cause::itself);
    return;
  }
  state_.pid = program_;
  state_.pid_started = start_time_of(program_);
  scribe_.put(state_);
}

void Warden::become_program(pid_t warden, int out, int err, int trouble) {
  const auto fail = [&](const std::string& what) {
    const std::string text = what + ": " + std::strerror(errno);
    [[maybe_unused]] const auto put = write(trouble, text.data(), text.size());
    _exit(kCannotExecute);
  };
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != warden) _exit(kCannotExecute);  // it died before we asked
  setsid();
  shed_rank(spec_);
  const std::string own = folder_ + "/work";
  const std::string& work_dir = spec_.kind.working_dir.empty() ? own : spec_.kind.working_dir;
  const int payload = open((folder_ + "/payload").c_str(), O_RDONLY | O_CLOEXEC);
  if (payload < 0) fail("cannot open the payload");
  if (chdir(work_dir.c_str()) != 0) fail("cannot enter working_dir " + work_dir);
  dup2(payload, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  auto words = spec_.kind.command;
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment_of(spec_, folder_, work_dir)) {
    variables.push_back(name + "=" + value);
  }
  auto argv = pointers(words);
  auto envp = pointers(variables);
  execvpe(argv[0], argv.data(), envp.data());
  fail("cannot execute " + words.front());
  _exit(kCannotExecute);
}

}  // namespace riftbus::executor
