// Clients: who asks the voters, as a node of the cluster would; and the workers among them.
//
// A client asks whom it believes to lead. No answer in time, or "moved": it asks again, of whoever
// was named or of anybody, with the very same request, until there is an answer. The first answer
// counts. Replies travel over links too, so they are lost as often as requests.
//
// A worker claims, runs what it was granted for a while, renews, reports, and stops by its own
// clock (LeaseClock, the product's) when it cannot renew. The truth about who runs what when is
// kept here: two workers that run one item while both believe in their lease are a violation.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "node/work/lease_clock.h"
#include "test/sim/queue/voter.h"

namespace riftbus::consensus {

struct WorkStyle {
  std::uint32_t lease_ms = 4000;
  Nanos kill_grace = Millis(100);
  Nanos run_min = Millis(50);
  Nanos run_max = Millis(800);
  double lasts = 0.1;  // longer than a lease, if it comes to that
  Nanos lasting_run_max = Seconds(8);
  Nanos add_every = Millis(500);
  Nanos answer_timeout = Millis(700);
  std::size_t slots = 2;
  double fails = 0.05;
  double cancels = 0.02;
  double reads = 0.2;
};

class Client {
 public:
  using Request = std::variant<work::Command, work::Renewal, replica::Read>;

  Client(World& world, Port port, std::uint64_t seed);
  virtual ~Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] Port port() const { return port_; }
  void set_clock(const sim::HostClock& clock) { clock_ = clock; }
  void pause() { paused_ = true; }
  void resume();
  [[nodiscard]] bool is_paused() const { return paused_; }

 protected:
  // `on_try`: before each try; false: give the call up.
  void call(Request request, Nanos wait, Reply done, std::function<bool()> on_try = {});
  // Timers and answers wait while the process is stopped.
  void post(std::function<void()> what);
  void after(Nanos span, std::function<void()> what);
  void at_local(TimePoint local, std::function<void()> what);
  void forget_calls() { calls_.clear(); }
  [[nodiscard]] bool has_calls() const { return !calls_.empty(); }
  [[nodiscard]] TimePoint local_now() const;
  void end_life();

  World& world_;
  Random random_;

 private:
  struct Call {
    Request request;
    Nanos wait{};
    Reply done;
    std::function<bool()> on_try;
    std::uint64_t tries = 0;
  };
  void try_call(std::uint64_t number);
  void on_answer(std::uint64_t number, const AnswerBody& body);
  [[nodiscard]] ServerId any_voter();

  Port port_;
  sim::HostClock clock_;
  std::map<std::uint64_t, Call> calls_;
  std::uint64_t calls_made_ = 0;
  ServerId leader_;
  std::deque<std::function<void()>> inbox_;
  std::uint64_t life_ = 0;
  bool paused_ = false;
};

// Adds work, sometimes cancels it, sometimes reads.
class Adder : public Client {
 public:
  using Client::Client;
  void start();
  void stop_adding() { adding_ = false; }
  [[nodiscard]] bool is_idle() const { return !has_calls(); }

 private:
  void next();
  void add();

  std::vector<work::WorkId> added_;
  bool adding_ = true;
};

class Worker : public Client {
 public:
  Worker(World& world, Port port, std::uint64_t seed);
  void start();
  // kill -9 of the node, its jobs with it; then a new instance.
  void crash();
  void restart();
  void heal();
  [[nodiscard]] bool is_up() const { return up_; }
  [[nodiscard]] bool is_running() const { return !runs_.empty(); }
  // It runs this item and, by its own clock, has a right to.
  [[nodiscard]] bool believes_in(work::WorkId id) const;
  void set_obedient(bool obedient) { obedient_ = obedient; }

 private:
  struct Run {
    work::Fence fence;
    work::LeaseClock clock;
    bool renewing = false;
    bool ended = false;  // nothing runs; only the report is open
  };
  void claim();
  void on_claimed(const work::Claimed& claimed, TimePoint first_try);
  void begin(const work::Grant& grant, work::Fence fence, TimePoint first_try);
  void watch(work::WorkId id, work::Fence fence);
  void renew(work::WorkId id);
  void on_renewed(work::WorkId id, work::Fence fence, std::uint64_t request,
                  const AnswerBody& body);
  void end(work::WorkId id, work::Fence fence);
  void report(work::WorkId id, work::Fence fence, work::Command command, bool completes);
  [[nodiscard]] Run* find(work::WorkId id, work::Fence fence);

  NodeId id_;
  Instance instance_;
  std::uint64_t requests_ = 0;
  std::uint64_t renewals_ = 0;
  std::map<work::WorkId, Run> runs_;
  bool claiming_ = false;
  bool up_ = false;
  bool obedient_ = true;
};

}  // namespace riftbus::consensus
