#include "bus/tap/run.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <zmq.hpp>

#include "bus/clock.h"
#include "bus/tap/output.h"
#include "bus/tap/session.h"
#include "config/exit_status.h"

namespace riftbus::tap {

namespace {

constexpr Millis kPollEvery{100};  // how late a signal may be noticed

// Connects to all that is to be tapped. A node that does not answer is left out, as long as there
// is another; failures() says why.
class Starter {
 public:
  Starter(const Options& options, const bus::OperatorHome& home, Session& session)
      : options_(options),
        home_(home),
        session_(session),
        // With --on or --all and no --node, the node on this machine only leads to the others.
        only_leads_(options.nodes.empty() && (options.all || !options.on.empty())) {}

  Status start() {
    if (auto status = start_named(); !status.ok()) return status;
    if (!entry_.empty() && (options_.all || !options_.on.empty())) {
      if (auto status = start_listed(); !status.ok()) return status;
    }
    if (session_.tapped() > 0) return Ok{};
    return failures_.empty() ? Error{1558, "there is nothing to tap", "", "see riftbus node list"}
                             : failures_.back();
  }
  [[nodiscard]] const std::vector<Error>& failures() const { return failures_; }

 private:
  Status start_named() {
    if (options_.nodes.empty()) {
      auto targets = bus::default_targets(home_.known_nodes(), bus::host_name());
      if (!targets.ok()) return targets.error();
      start_one(*targets, only_leads_);
    }
    for (const auto& text : options_.nodes) {
      auto targets = bus::named_targets(text, home_.known_nodes());
      if (!targets.ok()) return targets.error();
      start_one(*targets, false);
    }
    return Ok{};
  }

  Status start_listed() {
    auto members = session_.list_members(entry_);
    if (!members.ok()) return members.error();
    std::set<NodeId> wanted(options_.on.begin(), options_.on.end());
    for (const auto& member : *members) {
      if (wanted.erase(member.id) == 0 && !options_.all) continue;
      if (member.id == entry_) {
        start_at(entry_);
      } else if (!started_.contains(member.id)) {
        start_one(member.targets, false);
      }
    }
    for (const auto& id : wanted) {
      failures_.push_back(
          {1558, "no such member, or it is dead", id.value(), "see riftbus node list"});
    }
    if (!started_.contains(entry_)) session_.disconnect(entry_);
    return Ok{};
  }

  void start_one(const std::vector<bus::Target>& targets, bool only_leads) {
    auto node = session_.connect(targets);
    if (!node.ok()) return failures_.push_back(node.error());
    if (entry_.empty()) entry_ = *node;
    if (!only_leads) start_at(*node);
  }

  void start_at(const NodeId& node) {
    if (!started_.insert(node).second) return;
    if (auto status = session_.start(node); !status.ok()) failures_.push_back(status.error());
  }

  const Options& options_;
  const bus::OperatorHome& home_;
  Session& session_;
  bool only_leads_;
  NodeId entry_;  // the first that answered: it is asked about the others
  std::set<NodeId> started_;
  std::vector<Error> failures_;
};

Status take_all(std::vector<Entry>& entries, Output& output) {
  for (const auto& entry : entries) {
    if (auto status = output.take(entry); !status.ok()) return status;
  }
  entries.clear();
  return output.flush();
}

// Says on `err` what nodes dropped, once a second at most: a slow tap loses much at a time.
class LossTeller {
 public:
  explicit LossTeller(std::ostream& err) : err_(err) {}

  void note(const std::vector<Entry>& entries) {
    for (const auto& entry : entries) {
      if (const auto* loss = std::get_if<Loss>(&entry)) waiting_[loss->node] += loss->by_node;
    }
  }
  void tell(TimePoint now) {
    if (waiting_.empty() || now < due_) return;
    due_ = now + kTellEvery;
    finish();
  }
  void finish() {
    for (const auto& [node, count] : waiting_) {
      if (count == 0) continue;
      err_ << "riftbus-tap: " << node.value() << " dropped " << count
           << " messages: this tap read too slowly\n";
    }
    waiting_.clear();
  }

 private:
  static constexpr Seconds kTellEvery{1};
  std::ostream& err_;
  std::map<NodeId, std::uint64_t> waiting_;
  TimePoint due_{};
};

// Until there is enough. The result is the reason if something went wrong.
Status follow(Session& session, Output& output, const StopSignals& stop, std::ostream& err) {
  std::vector<Entry> entries;
  LossTeller losses(err);
  Status lost = Ok{};
  while (!stop.pending() && !output.done() && session.tapped() > 0) {
    auto polled = session.poll(kPollEvery, entries);
    losses.note(entries);
    losses.tell(bus::boot_now());
    if (auto status = take_all(entries, output); !status.ok()) return status;
    for (const auto& note : session.take_notes()) err << "riftbus-tap: " << note << std::endl;
    if (polled.ok()) continue;
    lost = polled;
    if (session.tapped() > 0) err << "riftbus-tap: " << polled.error().to_string() << '\n';
  }
  const bool ended_early = session.tapped() == 0;
  session.stop(entries);
  losses.note(entries);
  losses.finish();
  // What was still on its way counts, but after the end nothing is shown.
  if (!output.done()) {
    if (auto status = take_all(entries, output); !status.ok()) return status;
  }
  return ended_early ? lost : Status(Ok{});
}

}  // namespace

StopSignals::StopSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGINT);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before_);
}

StopSignals::~StopSignals() {
  // Taken here, or it would end the process now that all is done.
  sigset_t waiting;
  sigpending(&waiting);
  for (const int number : {SIGINT, SIGTERM}) {
    if (sigismember(&waiting, number) == 1) std::signal(number, SIG_IGN);
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool StopSignals::pending() const {
  sigset_t waiting;
  sigpending(&waiting);
  return sigismember(&waiting, SIGINT) == 1 || sigismember(&waiting, SIGTERM) == 1;
}

int report(const Error& error, std::ostream& err) {
  err << "riftbus-tap: " << error.to_string() << '\n';
  return exit_status_of(error);
}

int run_recorded(const Options& options, std::ostream& out, std::ostream& err) {
  auto files = record_files(options.read);
  if (!files.ok()) return report(files.error(), err);
  auto output = Output::open(options, true, out);
  if (!output.ok()) return report(output.error(), err);
  ReadStats sum;
  std::uint64_t matched = 0;
  for (const auto& file : *files) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return report({1555, "the record cannot be read", file, "check its permissions"}, err);
    RecordReader reader(in);
    for (auto entry = reader.next(); entry && !output->done(); entry = reader.next()) {
      const auto* seen = std::get_if<Seen>(&*entry);
      if (seen == nullptr || !options.filter.matches(seen->node, seen->frame)) continue;
      ++matched;
      if (auto status = output->take(*entry); !status.ok()) return report(status.error(), err);
    }
    sum.lost.by_node += reader.stats().lost.by_node;
    sum.lost.by_tap += reader.stats().lost.by_tap;
    sum.bad_lines += reader.stats().bad_lines;
    if (reader.stats().torn) err << "riftbus-tap: " << file << " ends within a line\n";
  }
  output->finish();
  err << totals_line(output->shown(), matched, sum.lost.by_node, sum.lost.by_tap) << '\n';
  if (sum.bad_lines == 0) return kExitOk;
  err << "riftbus-tap: " << sum.bad_lines << " damaged lines were skipped\n";
  return kExitData;
}

int run_live(const Options& options, const Environment& environment, const StopSignals& stop,
             std::ostream& out, std::ostream& err) {
  auto home = bus::load_caller_home(options.home, environment);
  if (!home.ok()) return report(home.error(), err);
  zmq::context_t context;
  Session session(context, *home,
                  {options.filter_text, options.payloads, options.timeout, options.retry});
  Starter starter(options, *home, session);
  const Status started = starter.start();
  for (const Error& failure : starter.failures()) {
    if (started.ok() || failure != started.error()) {
      err << "riftbus-tap: " << failure.to_string() << '\n';
    }
  }
  if (!started.ok()) return report(started.error(), err);
  auto output = Output::open(options, session.tapped() > 1, out);
  if (!output.ok()) return report(output.error(), err);
  const Status ended = follow(session, *output, stop, err);
  output->finish();
  const auto totals = session.totals();
  err << totals_line(output->shown(), totals.matched, totals.dropped_by_node, totals.dropped_by_tap)
      << '\n';
  return ended.ok() ? kExitOk : report(ended.error(), err);
}

}  // namespace riftbus::tap
