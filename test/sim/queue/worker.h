// Worker: a node that works: the daemon's own jobs::Executor, and the programs that it runs.
//
// Claiming, renewing, reporting, adopting what a former life left, and stopping in time are the
// product's code; only what it calls the world is a model (programs.h). The truth about who runs
// what when is kept here: a program that begins while another run of the same work goes on anywhere
// is a violation, except for work that may finish without a lease or overlap.
#pragma once

#include <memory>

#include "node/jobs/executor.h"
#include "test/sim/queue/client.h"
#include "test/sim/queue/programs.h"

namespace riftbus::consensus {

class Worker : public Client {
 public:
  Worker(World& world, Port port, std::uint64_t seed);
  void set_clock(const sim::HostClock& clock);
  void start();
  // kill -9 of the daemon: its programs run on. Or the whole machine: they do not.
  void crash(bool machine);
  // Stops the daemon (SIGSTOP), or everything on the machine.
  void pause(bool machine);
  void resume();
  void drain(bool on, bool evict);
  void heal();
  [[nodiscard]] bool is_up() const { return core_ != nullptr; }
  [[nodiscard]] bool is_running() const;
  [[nodiscard]] const jobs::Executor* core() const { return core_.get(); }
  [[nodiscard]] const Programs& programs() const { return programs_; }
  [[nodiscard]] const NodeId& id() const { return id_; }

 private:
  void step(const jobs::Event& event);
  void act(const jobs::Action& action);
  void ask(const jobs::Ask& ask);
  void renew(const jobs::Renew& renew);
  void on_answered(const jobs::Ask& ask, const AnswerBody& body);
  void acknowledge(const jobs::Ask& ask, const work::Reply& reply);
  void began(const jobs::Start& start);
  void say(const char* what, const jobs::Hold& hold, const std::string& why) const;
  void schedule_deadline();

  NodeId id_;
  Programs programs_;
  std::unique_ptr<jobs::Executor> core_;
  TimePoint deadline_at_ = TimePoint::max();
};

}  // namespace riftbus::consensus
