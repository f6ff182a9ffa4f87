#include "test/sim/pool.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

namespace riftbus::sim {

namespace {

struct Worker {
  pid_t pid = -1;
  int from = -1;                   // read end
  std::vector<std::size_t> tasks;  // still to do, in order
  std::string text;
};

std::string to_line(std::size_t task, const Outcome& outcome) {
  nlohmann::json line = {{"task", task},
                         {"violation", outcome.violations.empty() ? "" : outcome.violations[0]},
                         {"hash", outcome.hash},
                         {"jobs", outcome.jobs},
                         {"simulated_ms", to_ms(outcome.simulated)},
                         {"figures", outcome.figures}};
  return line.dump() + "\n";
}

RunResult from_line(const std::string& text) {
  const auto line = nlohmann::json::parse(text);
  RunResult result;
  result.task = line["task"];
  result.violation = line["violation"];
  result.hash = line["hash"];
  result.jobs = line["jobs"];
  result.simulated_s = line["simulated_ms"].get<double>() / 1000;
  result.figures = line["figures"].get<std::vector<std::pair<std::string, double>>>();
  return result;
}

[[noreturn]] void work(const std::vector<Task>& tasks, const Worker& worker, int to,
                       unsigned wall_s_max) {
  for (const std::size_t index : worker.tasks) {
    ::alarm(wall_s_max);
    const std::string line = to_line(index, tasks[index].scenario->run(tasks[index].args));
    std::fflush(stdout);  // a trace
    std::size_t written = 0;
    while (written < line.size()) {
      const ssize_t n = ::write(to, line.data() + written, line.size() - written);
      if (n <= 0) ::_exit(3);
      written += static_cast<std::size_t>(n);
    }
  }
  ::_exit(0);
}

void launch(const std::vector<Task>& tasks, Worker& worker, unsigned wall_s_max) {
  int ends[2];
  if (::pipe(ends) != 0) return;
  worker.pid = ::fork();
  if (worker.pid == 0) {
    ::close(ends[0]);
    work(tasks, worker, ends[1], wall_s_max);
  }
  ::close(ends[1]);
  worker.from = ends[0];
  worker.text.clear();
}

// The worker ended. If something was left to do, its first task was the end of it.
bool bury(Worker& worker, const std::function<bool(const RunResult&)>& on_result) {
  int status = 0;
  ::waitpid(worker.pid, &status, 0);
  ::close(worker.from);
  worker.from = -1;
  if (worker.tasks.empty()) return true;
  RunResult result;
  result.task = worker.tasks.front();
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  result.violation = signal == SIGALRM ? "the run took too long in real time"
                                       : std::string("the process ended: ") +
                                             (signal != 0 ? ::strsignal(signal) : "by itself");
  worker.tasks.erase(worker.tasks.begin());
  return on_result(result);
}

bool take_lines(Worker& worker, const std::function<bool(const RunResult&)>& on_result) {
  std::size_t end = 0;
  while ((end = worker.text.find('\n')) != std::string::npos) {
    const RunResult result = from_line(worker.text.substr(0, end));
    worker.text.erase(0, end + 1);
    std::erase(worker.tasks, result.task);
    if (!on_result(result)) return false;
  }
  return true;
}

void end_all(std::vector<Worker>& workers) {
  for (Worker& worker : workers) {
    if (worker.from < 0) continue;
    ::kill(worker.pid, SIGKILL);
    ::waitpid(worker.pid, nullptr, 0);
    ::close(worker.from);
    worker.from = -1;
  }
}

}  // namespace

void run_pool(const std::vector<Task>& tasks, unsigned processes, unsigned wall_s_max,
              const std::function<bool(const RunResult&)>& on_result) {
  std::vector<Worker> workers(std::max(1U, processes));
  for (std::size_t i = 0; i < tasks.size(); ++i) workers[i % workers.size()].tasks.push_back(i);
  for (Worker& worker : workers) {
    if (!worker.tasks.empty()) launch(tasks, worker, wall_s_max);
  }
  for (;;) {
    std::vector<pollfd> polled;
    std::vector<Worker*> owners;
    for (Worker& worker : workers) {
      if (worker.from < 0) continue;
      polled.push_back({worker.from, POLLIN, 0});
      owners.push_back(&worker);
    }
    if (polled.empty()) return;
    if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) return;
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].revents == 0) continue;
      char buffer[8192];
      const ssize_t n = ::read(polled[i].fd, buffer, sizeof buffer);
      if (n > 0) {
        owners[i]->text.append(buffer, static_cast<std::size_t>(n));
        if (!take_lines(*owners[i], on_result)) return end_all(workers);
        continue;
      }
      if (!bury(*owners[i], on_result)) return end_all(workers);
      if (!owners[i]->tasks.empty()) launch(tasks, *owners[i], wall_s_max);
    }
  }
}

}  // namespace riftbus::sim
