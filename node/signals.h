// Signals, as something the loop can poll: the classic self-pipe.
//
// SIGTERM and SIGINT ask for a clean end, a second one for an immediate end; SIGHUP reopens the
// log. SIGPIPE is ignored. One object per process.
#pragma once

namespace riftbus::node {

class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Readable after a signal.
  [[nodiscard]] int fd() const { return read_fd_; }
  // The next signal's number, 0 if there is none.
  [[nodiscard]] int take() const;

 private:
  int read_fd_ = -1;
  int write_fd_ = -1;
};

}  // namespace riftbus::node
