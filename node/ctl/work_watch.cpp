#include "node/ctl/work_watch.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <thread>

#include "bus/clock.h"
#include "node/ctl/work_input.h"

namespace riftbus::ctl {

namespace {

constexpr Millis kPollFirst{100};
constexpr Millis kPollMax{1000};
constexpr std::size_t kBarWidth = 24;
constexpr std::uint64_t kEndedForPace = 5;  // fewer tell too little about the others
constexpr Millis kPaceAfter{3000};
constexpr const char* kLineStart = "\r\x1b[K";

// Bars are drawn on the terminal of messages, so that data can go into a file.
class Display {
 public:
  explicit Display(Context& context)
      : context_(context),
        is_terminal_(&context.err == &std::cerr && ::isatty(STDERR_FILENO) == 1),
        begun_(bus::boot_now()) {}
  void show(const WorkProgress& progress) {
    if (is_terminal_) {
      const auto elapsed = std::chrono::duration_cast<Millis>(bus::boot_now() - begun_);
      const std::string line =
          progress_bar(progress, kBarWidth) + time_left_text(progress, elapsed);
      context_.err << kLineStart << line.substr(0, columns() - 1) << std::flush;
      is_drawn_ = true;
    } else if (!(progress == last_)) {
      say(context_, progress_text(progress));
    }
    last_ = progress;
  }
  ~Display() {
    if (is_drawn_) context_.err << "\n" << std::flush;
  }
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;

 private:
  // Of the terminal: a line that it breaks could not be drawn over.
  [[nodiscard]] static std::size_t columns() {
    winsize size{};
    const bool said = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return said ? size.ws_col : 80;
  }

  Context& context_;
  bool is_terminal_;
  TimePoint begun_;
  WorkProgress last_;
  bool is_drawn_ = false;
};

void add_bad(const Json& document, std::vector<std::uint64_t>& bad) {
  for (const Json& id : get(document, {"bad"})) {
    if (id.is_number_unsigned()) bad.push_back(id.get<std::uint64_t>());
  }
}

int conclude(Context& context, const WorkProgress& progress,
             const std::vector<std::uint64_t>& bad) {
  if (progress.dead + progress.cancelled == 0) return kExitOk;
  return report(context, Error{1563,
                               std::to_string(progress.dead + progress.cancelled) + " of " +
                                   std::to_string(progress.total) + " did not end well",
                               "work " + text_of(ranges_of(bad)),
                               "see riftbus work show ID and riftbus work logs ID"});
}

}  // namespace

void add_tally(const Json& document, WorkProgress& progress) {
  const Json& states = get(document, {"states"});
  const auto count = [&states](const char* state) {
    return static_cast<std::uint64_t>(
        std::max<std::int64_t>(integer(states, {state}).value_or(0), 0));
  };
  progress.done += count("done");
  progress.running += count("leased");
  progress.waiting += count("ready") + count("delayed");
  progress.dead += count("dead");
  progress.cancelled += count("cancelled");
  progress.forgotten += count("unknown");
  progress.stale |= flag(document, {"stale"});
}

std::string time_left_text(const WorkProgress& progress, Millis elapsed) {
  const std::uint64_t ended = progress.done + progress.dead + progress.cancelled;
  const std::uint64_t open = progress.running + progress.waiting;
  if (ended < kEndedForPace || open == 0 || elapsed < kPaceAfter || progress.stale) return "";
  const double ms =
      static_cast<double>(elapsed.count()) / static_cast<double>(ended) * static_cast<double>(open);
  const auto seconds = static_cast<std::int64_t>(std::min(ms, 1e12)) / 1000 + 1;
  const std::string span =
      seconds < 120 ? std::to_string(seconds) + "s" : std::to_string((seconds + 30) / 60) + "m";
  return ", about " + span + " left";
}

std::string progress_text(const WorkProgress& progress) {
  std::string text =
      std::to_string(progress.done) + " of " + std::to_string(progress.total) + " done";
  const auto add = [&text](std::uint64_t count, const char* word) {
    if (count > 0) text += ", " + std::to_string(count) + " " + word;
  };
  add(progress.running, "running");
  add(progress.waiting, "waiting");
  add(progress.dead, "dead");
  add(progress.cancelled, "cancelled");
  if (!progress.stale) add(progress.forgotten, "no longer known");
  if (progress.stale) text += "; nobody leads at the moment, waiting";
  return text;
}

std::string progress_bar(const WorkProgress& progress, std::size_t width) {
  const std::uint64_t total = std::max<std::uint64_t>(progress.total, 1);
  const std::uint64_t ended =
      std::min(total, progress.done + progress.dead + progress.cancelled + progress.forgotten);
  const auto filled = static_cast<std::size_t>(ended * width / total);
  std::string percent = std::to_string(ended * 100 / total) + "%";
  percent.insert(0, 4 - std::min<std::size_t>(percent.size(), 4), ' ');
  return "[" + std::string(filled, '#') + std::string(width - filled, '.') + "] " + percent + " " +
         progress_text(progress);
}

int wait_for_works(Context& context, WorkSender& sender, const std::vector<std::uint64_t>& ids) {
  const auto parts = argument_texts(ranges_of(ids));
  Display display(context);
  Millis pause = kPollFirst;
  while (true) {
    WorkProgress progress;
    progress.total = ids.size();
    std::vector<std::uint64_t> bad;
    for (const std::string& part : parts) {
      auto document = sender.ask("work.tally", {{"ids", part}});
      if (!document.ok()) return report(context, document.error());
      add_tally(*document, progress);
      add_bad(*document, bad);
    }
    display.show(progress);
    if (progress.has_ended()) return conclude(context, progress, bad);
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kPollMax);
  }
}

}  // namespace riftbus::ctl
