// PollSet: zmq_poll() that asks only those sockets that may have something new.
//
// A socket of libzmq is asked by two system calls (ZMQ_EVENTS reads its mailbox). zmq_poll() asks
// all of them before it waits, and again after; with links to many peers, of which most rest, that
// is most of what a turn costs. But each socket has a descriptor (ZMQ_FD) that becomes readable
// when its state may have changed, and stays so until it is asked. What it does not tell is what a
// call on the socket itself has taken in: a send may find out that there is something to receive.
// So who was used since it was asked last is asked before waiting, everybody else only if its
// descriptor says so.
//
// Contract: the thread that uses the sockets. Between wait() and the next one, mark_used() for each
// socket on which anything was called, or that was not read until it had nothing. New ones are.
#pragma once

#include <poll.h>

#include <cstddef>
#include <vector>

namespace riftbus::bus {

class PollSet {
 public:
  void clear();
  // They are numbered in this order, from 0.
  void add_socket(void* zmq_socket);
  void add_descriptor(int descriptor, short events);
  [[nodiscard]] std::size_t size() const { return items_.size(); }

  // Of a descriptor: nothing.
  void mark_used(std::size_t number) { items_[number].is_used = items_[number].socket != nullptr; }
  // Until somebody is ready or the time is over; negative: for ever. How many are ready: sockets to
  // be read from, descriptors for what they were added for (or broken). -1: interrupted, see errno.
  int wait(long timeout_ms);
  [[nodiscard]] bool is_ready(std::size_t number) const { return items_[number].is_ready; }

 private:
  struct Item {
    void* socket = nullptr;
    bool is_used = true;
    bool is_ready = false;
  };
  [[nodiscard]] int ask(Item& item);

  std::vector<Item> items_;
  std::vector<pollfd> descriptors_;  // likewise
};

}  // namespace riftbus::bus
