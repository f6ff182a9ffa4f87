// Passage: one connection through the relay, from a member's greeting to its end.
//
// Once the member has named its node, bytes go both ways as they come and unread by us. A side
// that does not read stops the other one: at most kChunkBytes wait here per direction, the rest in
// the kernel and at the sender. A half-closed connection goes on the other way.
//
// Contract: one thread. It never destroys itself: the owner removes passages that are done(),
// outside of any call of theirs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bus/ssh/loop.h"
#include "relay/front/socks.h"

namespace riftbus::relay {

class Passage {
 public:
  static constexpr std::size_t kChunkBytes = 64 * 1024;

  class Owner {
   public:
    virtual ~Owner() = default;
    // It opened or is done. Called from within the passage, and maybe more than once.
    virtual void on_change(Passage& passage) = 0;
  };

  // Takes the accepted connection over. The nodes' sockets are <socket_dir>/<node>.<number>.
  Passage(ssh::Loop& loop, Owner& owner, int accepted, std::string socket_dir);
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;

  // It leads, or led, to a node.
  [[nodiscard]] bool is_open() const { return is_open_; }
  [[nodiscard]] bool is_done() const { return is_done_; }
  // Why it leads nowhere; `succeeded` while it is not known, or does.
  [[nodiscard]] SocksReply reply() const { return reply_; }
  [[nodiscard]] const SocksTarget& target() const { return request_.target(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct Side : ssh::Watcher {
    Side(ssh::Loop& the_loop, Passage& the_owner) : loop(the_loop), owner(the_owner) {}
    ~Side() override { close(); }
    void on_ready(ssh::Readiness what) override { owner.on_ready(*this, what); }
    void close();
    [[nodiscard]] bool has_unsent() const { return sent < unsent.size(); }

    ssh::Loop& loop;
    Passage& owner;
    int descriptor = -1;
    bool ended = false;        // sends no more
    bool hung_up = false;      // takes no more; what it sent before may still wait in the kernel
    std::vector<char> unsent;  // to it
    std::size_t sent = 0;
  };

  void on_ready(Side& side, ssh::Readiness what);
  void negotiate();
  void connect();
  void say(const std::string& words);
  static bool is_over(const Side& side, const Side& other);
  void move(Side& from, Side& to);
  // False: it takes no more for now. What is for a side that hung up is nobody's, and gone.
  bool flush(Side& side);
  bool send(Side& side, const char* data, std::size_t size);
  void watch(Side& side, const Side& other);
  void finish();

  Owner& owner_;
  const std::string socket_dir_;
  SocksRequest request_;
  SocksReply reply_ = SocksReply::succeeded;
  bool is_open_ = false;
  bool is_done_ = false;
  std::uint64_t bytes_ = 0;
  Side member_;
  Side node_;
};

}  // namespace riftbus::relay
