// Passage: one connection through the relay, from a member's greeting to its end.
//
// Once the member has named its node, bytes go both ways as they come and unread by us.
//
// Contract: one thread. It never destroys itself: the owner removes passages that are done(),
// outside of any call of theirs.
#pragma once

#include <cstdint>
#include <string>

#include "bus/pump.h"
#include "relay/front/socks.h"

namespace riftbus::relay {

class Passage : private bus::Watcher, private bus::Pump::Owner {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // It opened or is done. Called from within the passage, and maybe more than once.
    virtual void on_change(Passage& passage) = 0;
  };

  // Takes the accepted connection over. The nodes' sockets are <socket_dir>/<node>.<number>.
  Passage(bus::Loop& loop, Owner& owner, int accepted, std::string socket_dir);
  ~Passage() override;
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;

  // It leads, or led, to a node.
  [[nodiscard]] bool is_open() const { return is_open_; }
  [[nodiscard]] bool is_done() const { return is_done_; }
  // Why it leads nowhere; `succeeded` while it is not known, or does.
  [[nodiscard]] SocksReply reply() const { return reply_; }
  [[nodiscard]] const SocksTarget& target() const { return request_.target(); }
  [[nodiscard]] std::uint64_t bytes() const { return pump_.bytes(); }

 private:
  void on_ready(bus::Readiness what) override;
  void on_pump_done() override;
  void connect();
  void say(const std::string& words);
  void finish();

  Owner& owner_;
  bus::Loop& loop_;
  const std::string socket_dir_;
  int member_;  // -1: the pump has it, or it is closed
  SocksRequest request_;
  SocksReply reply_ = SocksReply::succeeded;
  bool is_open_ = false;
  bool is_done_ = false;
  bus::Pump pump_;
};

}  // namespace riftbus::relay
