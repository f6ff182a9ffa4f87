// Checker: something that must hold always, whatever a scenario does. Checkers see every step of
// every node from outside, know the truth, and report to Cluster::fail(). They keep no opinion
// about how the core works inside.
#pragma once

#include <memory>
#include <vector>

#include "node/membership/membership.h"

namespace riftbus::sim {

class Cluster;
class MemberHost;
struct Message;

struct Step {
  Cluster& cluster;
  MemberHost& host;
  const membership::Event& event;
  const Message* message;  // with Received
  const membership::Actions& actions;
};

class Checker {
 public:
  virtual ~Checker() = default;
  virtual void on_started(MemberHost&) {}
  virtual void on_step(const Step&) {}
  virtual void on_interval(Cluster&) {}  // each virtual second
};

// All of them: what every scenario runs under.
[[nodiscard]] std::vector<std::unique_ptr<Checker>> all_checkers();

}  // namespace riftbus::sim
