// Stream: one connection, a socket on one side and an SSH channel on the other.
//
// Bytes move as fast as the slower side takes them, and no buffer of ours grows beyond one window:
//  - from the channel: what the socket takes; the rest stays in libssh, uncounted in the window,
//    until the socket is writable. Then all of it is taken at once and written out bit by bit.
//  - from the socket: nothing is read while the channel has no window or the session has unsent
//    bytes. The session's owner calls resume() when that may have changed.
// Each direction ends by itself (a half-closed connection goes on the other way); the stream is
// done when both have, when the channel was closed, or when either side broke. What the channel
// still had is delivered first.
//
// Contract: one thread; the session outlives it. It never destroys itself: the owner removes
// streams that are done(), outside of any call into libssh.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bus/loop.h"
#include "bus/ssh/session.h"

namespace riftbus::ssh {

class Stream : public bus::Watcher, public Reader {
 public:
  static constexpr std::size_t kChunkBytes = 64 * 1024;

  // `wake` is called whenever its socket was ready: the session may have something to send.
  Stream(bus::Loop& loop, Session& session, std::unique_ptr<Channel> channel,
         std::function<void()> wake = {});
  ~Stream() override;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // The other side's connection, to be led to a socket that is connecting.
  void lead_to(int connecting);
  // A connection accepted here, whose channel the other side has not accepted yet.
  void lead_from(int connected);
  // Its target cannot be reached.
  void give_up(std::string problem = "") {
    is_done_ = true;
    problem_ = std::move(problem);
  }

  // Goes on with what waited for the session: opening, window, congestion.
  void resume();
  [[nodiscard]] bool is_waiting() const { return wants_attention_; }
  [[nodiscard]] bool is_done() const { return is_done_; }
  // Why no byte could pass: the target, or the other side. Empty otherwise.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] std::uint64_t bytes_out() const { return bytes_out_; }
  [[nodiscard]] std::uint64_t bytes_in() const { return bytes_in_; }
  // Taken from the channel or left in it, and not yet taken by the socket.
  [[nodiscard]] std::size_t bytes_held() const {
    return to_socket_.size() - to_socket_sent_ + left_in_channel_;
  }

  void on_ready(bus::Readiness what) override;
  std::size_t on_data(std::span<const char> data) override;
  void on_end() override;
  void on_close() override;

 private:
  enum class Stage : std::uint8_t { no_socket, connecting, opening, open };

  void serve(bus::Readiness what);
  void watch();
  void become_deaf();
  void read_socket();
  void write_fresh(std::span<const char> data);
  bool write_channel();
  void write_socket();
  std::size_t send(const char* data, std::size_t size);
  void finish_if_over();

  bus::Loop& loop_;
  Session& session_;
  std::unique_ptr<Channel> channel_;
  std::function<void()> wake_;
  int socket_ = -1;
  Stage stage_ = Stage::no_socket;
  std::vector<char> to_channel_;
  std::size_t to_channel_sent_ = 0;
  std::vector<char> to_socket_;
  std::size_t to_socket_sent_ = 0;
  std::size_t left_in_channel_ = 0;  // what on_data() did not take
  bool reads_ = false;               // waits for the socket to be readable
  bool writes_ = false;              // or writable
  bool wants_attention_ = false;
  bool socket_ended_ = false;
  bool end_sent_ = false;
  bool channel_ended_ = false;
  bool channel_closed_ = false;
  bool socket_broken_ = false;
  bool was_shut_down_ = false;
  bool is_done_ = false;
  std::string problem_;
  std::uint64_t bytes_out_ = 0;
  std::uint64_t bytes_in_ = 0;
};

}  // namespace riftbus::ssh
