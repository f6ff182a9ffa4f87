// Session and Channel: what both sides of an SSH connection share, over libssh.
//
// A client (tunnel/ssh.h) and a server (relay/ssh_server.h) set a session up differently; from
// then on they are alike, and this is what is alike. Together the three are all that includes
// libssh. What they guarantee, because libssh 0.10 does not:
//  - Nothing blocks. Whoever drives a session calls pump() when its descriptor is ready, and waits
//    until it can be written to as well while the session is_congested().
//  - Each session polls alone (an ssh_event of its own): with a shared one, the end of any session
//    is reported as an error of another.
//  - A channel's data is taken by the owner as far as it can; the rest stays in libssh and counts
//    against the window, so a reader that stalls stops the sender. take_rest() takes all of it at
//    once: libssh enlarges the window at every read as if its buffer were empty.
//  - After a channel is closed nothing of it is called any more.
//  - probe() never has two questions on their way.
//
// Contract: one thread. The owner of a session destroys its channels before it, and neither from
// within a call of a Reader or of receive().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "bus/ssh/allotment.h"

struct ssh_session_struct;
struct ssh_channel_struct;
struct ssh_message_struct;

namespace riftbus::ssh {

// Who gets what comes through a channel.
class Reader {
 public:
  virtual ~Reader() = default;
  // All that libssh has buffered, oldest first; answers how much was taken.
  virtual std::size_t on_data(std::span<const char> data) = 0;
  virtual void on_end() = 0;    // the other side sends no more
  virtual void on_close() = 0;  // and takes no more
};

enum class Step : std::uint8_t { again, done, failed };
[[nodiscard]] Step step_of(int libssh_status);
// What to offer for the setting `cipher`: auto, chacha20 or aes-gcm.
[[nodiscard]] std::string cipher_list(const std::string& cipher);

class Session;

class Channel {
 public:
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  void set_reader(Reader* reader);
  // Of a channel of ours: until the other side has accepted it.
  [[nodiscard]] Step open_step();
  // How much the other side takes now.
  [[nodiscard]] std::size_t window() const;
  // How much was sent; nothing: the channel is closed.
  [[nodiscard]] std::optional<std::size_t> write(std::span<const char> data);
  void send_end();
  // Exactly `data`, which on_data() left; fewer only if the channel ended.
  [[nodiscard]] std::size_t take_rest(std::span<char> data);

 private:
  friend class Session;
  struct Callbacks;
  using Opener = std::function<Step(ssh_channel_struct*)>;
  Channel(Session& session, ssh_channel_struct* channel, Opener opener);
  Session& session_;
  ssh_channel_struct* channel_;
  Opener opener_;  // of a channel of ours
  std::unique_ptr<Callbacks> callbacks_;
  Reader* reader_ = nullptr;
};

class Session {
 public:
  virtual ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Asks for any answer; does nothing while the last one has not come.
  void probe();
  // Moves what is ready, once start_events() was called. False: the session is over, problem()
  // says why.
  bool pump();
  // Something waits to be sent: produce no more until the socket was writable.
  [[nodiscard]] bool is_congested() const;
  // How much may be written at once (allotment.h), and what is told to it. On a slow link the
  // kernel is to hold no more than that either.
  [[nodiscard]] std::size_t allotted() const { return allotment_.bytes(); }
  void note_congestion() { allotment_.on_congested(); }
  void note_written(std::size_t bytes);
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] std::string problem() const;
  [[nodiscard]] std::string cipher() const;
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] std::uint64_t bytes_in() const;
  // Takes leave of the other side, if that needs no waiting.
  void say_goodbye();

 protected:
  // Takes the connected socket over.
  explicit Session(int descriptor);
  // A request of the other side. 0: answered; 1: libssh refuses it for us. The message is gone
  // when this returns.
  virtual int receive(ssh_message_struct* message) = 0;

  [[nodiscard]] ssh_session_struct* handle() const;
  // The one that libssh works with, and closes whenever it likes.
  [[nodiscard]] int& library_descriptor();
  void start_events();
  // It is over before it began.
  void give_up();
  [[nodiscard]] std::unique_ptr<Channel> adopt(ssh_channel_struct* channel);
  // A channel of ours, nullptr if there is no memory for it.
  [[nodiscard]] std::unique_ptr<Channel> make_channel(Channel::Opener opener);

 private:
  friend class Channel;
  struct State;
  std::unique_ptr<State> state_;
  int descriptor_;
  Allotment allotment_;
  int unsent_max_ = 0;  // the socket's own; 0: not asked yet
};

}  // namespace riftbus::ssh
