// Streams: the connections in one session, and what they have carried in all.
//
// Contract: one thread; the session of a stream outlives it. sweep() is where streams end: called
// outside of any call into libssh, after each round of the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "bus/ssh/stream.h"

namespace riftbus::ssh {

class Streams {
 public:
  // `wake` is called when a stream has moved by itself, between the rounds of its session.
  explicit Streams(bus::Loop& loop, std::function<void()> wake = {});

  Stream& add(Session& session, std::unique_ptr<Channel> channel);
  // The number of the one that add() made last; numbers are never used again.
  [[nodiscard]] std::uint64_t last_number() const { return last_; }
  [[nodiscard]] Stream* find(std::uint64_t number);
  [[nodiscard]] std::size_t size() const { return streams_.size(); }
  [[nodiscard]] std::uint64_t opened() const { return last_; }
  // To the session and from it, of all that ever were.
  [[nodiscard]] std::uint64_t bytes_out() const;
  [[nodiscard]] std::uint64_t bytes_in() const;
  // Read from the session and not yet taken by the sockets.
  [[nodiscard]] std::size_t bytes_held() const;

  // Those that waited for the session go on.
  void resume();
  // Removes what is done, and tells of each that carried nothing why.
  void sweep(const std::function<void(const std::string& problem)>& tell);
  // Ends the one that holds most.
  void drop_slowest();
  void drop_all();

 private:
  bus::Loop& loop_;
  std::function<void()> wake_;
  std::map<std::uint64_t, std::unique_ptr<Stream>> streams_;
  std::uint64_t last_ = 0;
  std::uint64_t bytes_out_ = 0;  // of those that are gone
  std::uint64_t bytes_in_ = 0;
};

}  // namespace riftbus::ssh
