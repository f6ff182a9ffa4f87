// Pump: moves the bytes of two connected sockets into each other.
//
// A side that does not read stops the other one: at most kChunkBytes wait here per direction, the
// rest in the kernel and at the sender. A half-closed connection goes on the other way. What a side
// sent before it hung up is still delivered; what comes for it afterwards is nobody's.
//
// Contract: one thread, the loop's. It never destroys itself: the owner removes pumps that are
// done(), outside of any call of theirs.
#pragma once

#include <cstdint>
#include <vector>

#include "bus/loop.h"

namespace riftbus::bus {

class Pump {
 public:
  static constexpr std::size_t kChunkBytes = 64 * 1024;

  class Owner {
   public:
    virtual ~Owner() = default;
    // Both sockets are closed.
    virtual void on_pump_done() = 0;
  };

  Pump(Loop& loop, Owner& owner) : owner_(owner), left_(loop, *this), right_(loop, *this) {}
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

  // Takes both over: non-blocking, and not watched by anybody else.
  void start(int left, int right);
  [[nodiscard]] bool is_done() const { return is_done_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct Side : Watcher {
    Side(Loop& the_loop, Pump& the_pump) : loop(the_loop), pump(the_pump) {}
    ~Side() override { close(); }
    void on_ready(Readiness what) override { pump.on_ready(*this, what); }
    void close();
    [[nodiscard]] bool has_unsent() const { return sent < unsent.size(); }

    Loop& loop;
    Pump& pump;
    int descriptor = -1;
    bool ended = false;        // sends no more
    bool hung_up = false;      // takes no more; what it sent before may still wait in the kernel
    std::vector<char> unsent;  // to it
    std::size_t sent = 0;
  };

  void on_ready(Side& side, Readiness what);
  static bool is_over(const Side& side, const Side& other);
  void move(Side& from, Side& to);
  // False: it takes no more for now. What is for a side that hung up is gone.
  static bool flush(Side& side);
  static bool send(Side& side, const char* data, std::size_t size);
  static void watch(Side& side, const Side& other);
  void finish();

  Owner& owner_;
  bool is_done_ = false;
  std::uint64_t bytes_ = 0;
  Side left_;
  Side right_;
};

}  // namespace riftbus::bus
