// Ssh: all of libssh that the tunnel uses, behind types of our own. Nothing else includes libssh.
//
// What the wrapper guarantees, because libssh 0.10 does not:
//  - Nothing blocks. Whoever drives a session calls pump() when its descriptor is ready and asks
//    wants_write() what to wait for next.
//  - Each session polls alone (an ssh_event of its own): with a shared one, the end of any session
//    is reported as an error of another.
//  - A channel's data is taken by the owner as far as it can; the rest stays in libssh and counts
//    against the window, so a reader that stalls stops the sender. take_rest() takes all of it at
//    once: libssh enlarges the window at every read as if its buffer were empty.
//  - After a channel is closed nothing of it is called any more.
//  - One request at a time is on its way to the server: forwards first, then signs of life.
//
// Not possible with this library: a server's listener on a Unix socket, and server-chosen ports
// while another request is unanswered.
//
// Contract: one thread. The owner of a session destroys its channels before it, and neither from
// within a call of SshOwner or SshReader.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "config/forward.h"
#include "config/result.h"

struct ssh_session_struct;
struct ssh_channel_struct;
struct ssh_key_struct;

namespace riftbus::tunnel {

// An ed25519 key pair of this node's own.
class SshKey {
 public:
  // 1804. The file is read, or made (0600, with its folder) if it is missing.
  [[nodiscard]] static Result<SshKey> load_or_create(const std::string& path);
  ~SshKey();
  SshKey(SshKey&& other) noexcept;
  SshKey& operator=(SshKey&&) = delete;

  // "ssh-ed25519 AAAA...": the line for authorized_keys, without a comment.
  [[nodiscard]] std::string public_line() const;

 private:
  friend class SshSession;
  explicit SshKey(ssh_key_struct* key) : key_(key) {}
  ssh_key_struct* key_;
};

// Who gets what comes through a channel.
class SshReader {
 public:
  virtual ~SshReader() = default;
  // All that libssh has buffered, oldest first; answers how much was taken.
  virtual std::size_t on_data(std::span<const char> data) = 0;
  virtual void on_end() = 0;    // the other side sends no more
  virtual void on_close() = 0;  // and takes no more
};

enum class SshStep : std::uint8_t { again, done, failed };

class SshSession;

class SshChannel {
 public:
  ~SshChannel();
  SshChannel(const SshChannel&) = delete;
  SshChannel& operator=(const SshChannel&) = delete;

  void set_reader(SshReader* reader);
  // Of a channel of ours: until the server has accepted it.
  [[nodiscard]] SshStep open_step();
  // How much the other side takes now.
  [[nodiscard]] std::size_t window() const;
  // How much was sent; nothing: the channel is closed.
  [[nodiscard]] std::optional<std::size_t> write(std::span<const char> data);
  void send_end();
  // Exactly `data`, which on_data() left; fewer only if the channel ended.
  [[nodiscard]] std::size_t take_rest(std::span<char> data);

 private:
  friend class SshSession;
  struct Callbacks;
  SshChannel(SshSession& session, ssh_channel_struct* channel);
  SshSession& session_;
  ssh_channel_struct* channel_;
  std::unique_ptr<Callbacks> callbacks_;
  SshReader* reader_ = nullptr;
  ForwardEnd target_;  // of a channel of ours
};

// Whom a session asks about connections that the server passes on.
class SshOwner {
 public:
  virtual ~SshOwner() = default;
  // Does a forward of ours listen on this port of the server, and is there room?
  virtual bool admit_connection(std::uint16_t server_port) = 0;
  virtual void on_connection(std::uint16_t server_port, std::unique_ptr<SshChannel> channel) = 0;
};

struct SshOptions {
  std::string user;
  std::string cipher;  // auto, chacha20, aes-gcm
  std::uint64_t rekey_bytes = 0;
};

class SshSession {
 public:
  // Takes the connected socket over.
  SshSession(const SshOptions& options, int descriptor, SshOwner& owner);
  ~SshSession();
  SshSession(const SshSession&) = delete;
  SshSession& operator=(const SshSession&) = delete;

  [[nodiscard]] SshStep exchange_keys();
  // After exchange_keys(): "SHA256:..." of the key that the server has proven to own.
  [[nodiscard]] std::string host_pin();
  [[nodiscard]] SshStep authenticate(const SshKey& key);
  // Once authenticated; `port` becomes the server's.
  [[nodiscard]] SshStep open_forward(const ForwardEnd& listen, std::uint16_t& port);
  [[nodiscard]] std::unique_ptr<SshChannel> open_channel(const ForwardEnd& target);
  // Asks for any answer; does nothing while the last one has not come.
  void probe();

  // Moves what is ready, after authentication. False: the session is over, problem() says why.
  bool pump();
  [[nodiscard]] bool wants_write() const;
  // More is waiting to be sent than the socket takes: produce no more.
  [[nodiscard]] bool is_congested() const;
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] std::string problem() const;
  [[nodiscard]] std::string cipher() const;
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] std::uint64_t bytes_in() const;
  // Takes leave of the server, if that needs no waiting.
  void say_goodbye();

 private:
  friend class SshChannel;
  struct State;
  std::unique_ptr<State> state_;
  int descriptor_;
};

}  // namespace riftbus::tunnel
