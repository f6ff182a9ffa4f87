// Clients: who asks the voters, as a node of the cluster would.
//
// A client asks whom it believes to lead. No answer in time, or "moved": it asks again, of whoever
// was named or of anybody, with the very same request, until there is an answer or time is up. The
// first answer counts. Replies travel over links too, so they are lost as often as requests.
//
// An Adder adds work, cancels some of it and reads. A Worker is a client as well (worker.h).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "test/sim/queue/voter.h"

namespace riftbus::consensus {

struct WorkStyle {
  std::uint32_t lease_ms = 4000;
  Nanos run_min = Millis(50);
  Nanos run_max = Millis(800);
  double lasts = 0.1;  // longer than a lease, if it comes to that
  Nanos lasting_run_max = Seconds(8);
  Nanos add_every = Millis(500);
  Nanos answer_timeout = Millis(700);
  std::size_t slots = 2;
  double fails = 0.05;
  double finishes = 0.05;  // on_disconnect finish
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
  // `within`: then it is given up and `failed` called; what became of it is not known.
  void call(Request request, Nanos wait, Reply done, Nanos within = Nanos::max(),
            std::function<void()> failed = {});
  // Timers and answers wait while the process is stopped.
  void post(std::function<void()> what);
  void after(Nanos span, std::function<void()> what);
  void at_local(TimePoint local, std::function<void()> what);
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
    std::uint64_t tries = 0;
  };
  void try_call(std::uint64_t number);
  [[nodiscard]] replica::Request make_request(const Call& call, replica::Ticket ticket);
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

}  // namespace riftbus::consensus
