// Executor: which work a node asks for, what it does with it, and when it must let go.
//
// It claims as long as there is room, starts what it is granted, renews all it holds in one
// message (several when new checkpoints make it long), and reports how each job ended until the
// queue has answered. It is certain of nothing: a question without an answer is asked again, with
// the same number or fence, because the first may have been heard. The queue recognises
// repetitions.
//
// Guarantees:
//   - a job runs only while its lease is known to run: it is told to stop early enough to be dead
//     before anybody else could be granted its work (work::LeaseClock), or at once when the leader
//     says that it is no longer ours. Kinds with on_disconnect finish run on, and what they achieve
//     without a lease is offered for the record only;
//   - the end of a job is reported with the fence of its grant and nothing else;
//   - checkpoints outlive the leader: renewals carry one until a Note has brought it into the log,
//     at most once in kNoteEvery. A copy of a Note that arrives late may set it back to an earlier
//     one until the next: that costs time and nothing else;
//   - the node's own trouble is not the work's failure: what could not be started here for want of
//     disk, processes or GPUs is given back uncounted, and until something starts again the node
//     claims single items, kTroublePause apart;
//   - what a former life of this node left is held again or stopped, never forgotten: nothing is
//     claimed before the queue has heard which grants are still held (Attach).
// Limits: at most `slots` jobs at once. What it renews and reports is bounded by that.
//
// A node that learns that a newer instance of itself has attached (two daemons with one name) stops
// everything and asks no more.
//
// Pure: reads no clock, does no I/O. Not thread-safe. `now` never decreases; actions are appended
// in the order in which they must be done.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/cluster.h"
#include "node/jobs/events.h"
#include "node/work/lease_clock.h"

namespace riftbus::jobs {

enum class Phase : std::uint8_t { held, starting, running, stopping, reporting };
[[nodiscard]] const char* to_string(Phase phase);

struct Settings {
  NodeId self;
  Instance instance;
  std::size_t slots = 64;
  std::map<std::string, JobKind> kinds;
};

// For status.
struct JobView {
  Hold hold;
  std::string kind;
  Phase phase = Phase::held;
  std::uint16_t attempt = 1;
  std::uint8_t percent = 0;
  TimePoint since;    // of this phase
  TimePoint stop_at;  // by which it stops unless renewed
  bool leased = true;
};

class Executor {
 public:
  static constexpr Seconds kRenewEvery{5};   // what is cancelled is told by the answer
  static constexpr Seconds kAskAgainMax{5};  // between repetitions of an unanswered question
  static constexpr Millis kAskAgainMin{500};
  static constexpr Seconds kIdleMax{5};  // between claims that found nothing
  static constexpr Millis kIdleMin{500};
  static constexpr Millis kWaitedFor{100};        // an empty answer this late waited for work
  static constexpr std::size_t kReportsMax = 16;  // in one message, if their bytes fit
  static constexpr Seconds kClaimWaitMax{5};
  static constexpr Seconds kNoteEvery{60};
  static constexpr Seconds kTroublePause{30};
  static constexpr std::size_t kClaimsMax = 32;  // in one claim

  explicit Executor(Settings settings);

  void step(const Event& event, TimePoint now, Actions& out);
  [[nodiscard]] TimePoint next_deadline() const;

  [[nodiscard]] std::vector<JobView> view() const;
  [[nodiscard]] bool is_draining() const { return draining_; }
  [[nodiscard]] bool is_evicting() const { return evicting_; }
  [[nodiscard]] bool is_attached() const { return attached_; }
  [[nodiscard]] bool is_superseded() const { return superseded_; }
  // What the next claim would offer.
  [[nodiscard]] work::Offer offer() const;
  // How long a claim may wait at the leader: its leases count from when it was sent.
  [[nodiscard]] Nanos claim_wait_max() const;

 private:
  struct Job {
    Job(const Hold& held, work::Grant granted, Nanos grace, TimePoint claimed)
        : hold(held),
          grant(std::move(granted)),
          kill_grace(grace),
          clock(Millis{grant.terms.lease_ms}, grace, claimed) {}

    Hold hold;
    work::Grant grant;
    Nanos kill_grace{};
    work::LeaseClock clock;
    std::vector<work::Amount> reserve;
    Phase phase = Phase::held;
    TimePoint since;
    Cause stopping = Cause::itself;  // why we stop it
    bool lost = false;               // the leader said: no longer yours
    TimePoint told_stop_at;          // what the runner was told last
    std::uint8_t percent = 0;
    std::string checkpoint;
    bool is_logged = true;     // the log has this checkpoint, or there is none
    Ticket note_ticket = 0;    // of the Note that carries it
    Exit exit;                 // once reporting
    Ticket report_ticket = 0;  // 0: not asked
    TimePoint report_at;       // when to ask (again)
    int report_tries = 0;
  };
  // How an end is said to the queue.
  enum class Report : std::uint8_t { complete, fail, bury, release, nothing };

  // Once asked, kept until answered: the same claim, the same number.
  struct Question {
    Ticket ticket = 0;  // 0: not under way
    TimePoint at;       // when to ask (again)
    TimePoint first_try;
    int tries = 0;
    bool kept = false;  // asked before and never answered: ask the same
  };

  void on(const Found& found, TimePoint now, Actions& out);
  void on(const Answered& answered, TimePoint now, Actions& out);
  void on(const Unanswered& unanswered, TimePoint now);
  void on(const Started& started, TimePoint now);
  void on(const Progressed& progressed);
  void on(const Ended& ended, TimePoint now);
  void on(const Drain& drain, TimePoint now, Actions& out);

  // executor_answers.cpp
  void on_attached(const work::Verdicts& verdicts, TimePoint now, Actions& out);
  void on_claimed(const work::Claimed& claimed, TimePoint now, Actions& out);
  void on_noted(Ticket ticket, const work::Verdicts& verdicts, TimePoint now);
  void on_reported(Ticket ticket, const work::Verdicts& verdicts, TimePoint now, Actions& out);
  void on_renewed(Ticket ticket, const std::vector<work::RenewedAnswer>& answers, TimePoint now,
                  Actions& out);
  void take_grant(const work::Grant& grant, work::Fence fence, TimePoint now, Actions& out);
  void obey(Job& job, work::Order order, TimePoint now, Actions& out);
  void lose(Job& job, TimePoint now, Actions& out);
  void supersede(TimePoint now, Actions& out);

  // executor.cpp
  void advance(TimePoint now, Actions& out);
  void attach(TimePoint now, Actions& out);
  void claim(TimePoint now, Actions& out);
  void renew(TimePoint now, Actions& out);
  void send_renewal(work::Renewal renewal, Actions& out);
  void note(TimePoint now, Actions& out);
  void send_note(work::Note note, Actions& out);
  void report(TimePoint now, Actions& out);
  void ask_report(Report how, const std::vector<Job*>& jobs, TimePoint now, Actions& out);
  void watch_leases(TimePoint now, Actions& out);
  void start(Job& job, TimePoint now, Actions& out);
  void stop(Job& job, Cause cause, TimePoint now, Actions& out);
  void begin_report(Job& job, Exit exit, TimePoint now);
  void enter(Job& job, Phase phase, TimePoint now) const;
  [[nodiscard]] bool wants_work() const;
  [[nodiscard]] bool is_leased(const Job& job) const;
  [[nodiscard]] TimePoint stop_at(const Job& job) const;
  [[nodiscard]] static bool may_finish(const Job& job);
  [[nodiscard]] static bool wants_note(const Job& job);
  [[nodiscard]] static Report how_to_report(const Job& job);
  // Of this report, in a message.
  [[nodiscard]] static std::size_t bytes_of(Report how, const Job& job);
  [[nodiscard]] Nanos renew_every() const;
  Job* find(const Hold& hold);
  void drop(const Hold& hold, Actions& out);

  Settings settings_;
  work::Offer measured_;
  bool is_measured_ = false;
  bool is_found_ = false;
  bool attached_ = false;
  bool was_attached_ = false;  // in this life: whoever holds the name then is newer
  Instance predecessor_;       // whom the queue knows by this node's name
  bool superseded_ = false;
  bool draining_ = false;
  bool evicting_ = false;
  std::map<Hold, Job> jobs_;
  Ticket next_ticket_ = 1;
  std::uint64_t next_request_ = 1;

  Question attach_;
  std::vector<Hold> attach_holds_;  // as last asked: the verdicts come in this order
  Question claim_;
  work::Claim claim_command_;  // while claim_ is under way or kept
  TimePoint renew_at_;
  Nanos idle_{};  // before the next claim, if this one finds nothing
  int renew_failures_ = 0;
  Ticket renew_failed_ = 0;                 // what was sent up to here has failed once, together
  std::size_t report_count_ = kReportsMax;  // fewer after the log refused a message's length
  std::map<Ticket, std::vector<Hold>> renewals_;  // not answered yet, bounded by kRenewalsOpenMax
  static constexpr std::size_t kRenewalsOpenMax = 128;
  TimePoint note_at_;  // not before
  int note_failures_ = 0;
  bool is_troubled_ = false;  // the last job that was to start here did not, for the node's fault
  TimePoint paused_until_;
};

}  // namespace riftbus::jobs
