// Link: one SSH session of one class of traffic, with everything that runs in it.
//
// It carries out what the pure Session decides (session/session.h) and tells it what happened.
// Reverse forwards are asked for while the session is set up; local ones listen for the whole life
// of the program, and while the session is not up they close what they accept at once, which a
// client understands. Every connection in the session ends with it.
//
// Contract: one thread. The owner calls finish_turn() after each round of the loop: there streams
// that are done are removed, those that waited go on, and deadlines are kept.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/resolver.h"
#include "bus/ssh/streams.h"
#include "config/tunnel_config.h"
#include "tunnel/session/session.h"
#include "tunnel/ssh.h"

namespace riftbus::tunnel {

struct LinkCounters {
  std::uint64_t connections = 0;  // ever opened
  std::uint64_t refused = 0;      // too many, not up, or not asked for
  std::uint64_t unreached = 0;    // the target did not take them
  std::uint64_t exhausted = 0;    // times that no descriptor or memory was left for another one
  std::uint64_t bytes_to_server = 0;
  std::uint64_t bytes_from_server = 0;
};

class Link : private bus::Watcher, private SshOwner {
 public:
  static constexpr Seconds kAcceptPause{1};  // without a free descriptor

  // `user` for servers that name none. `is_trial`: beside a session that stands, to see whether the
  // direct way leads to the server again. All references outlive the link.
  Link(const TunnelConfig& config, TrafficClass traffic, const std::string& user,
       const ssh::Key& key, bus::Loop& loop, bus::Resolver& resolver, Random& random,
       bool is_trial = false);
  ~Link() override;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Opens the local listeners: 1817.
  [[nodiscard]] Status listen();
  void start(TimePoint now) { tell(event::Start{}, now); }
  void restart(TimePoint now) { tell(event::Restart{}, now); }
  void stop(TimePoint now) { tell(event::Stop{}, now); }
  void finish_turn(TimePoint now);
  // A trial whose key was accepted takes the place of what it stood beside.
  void succeed() { is_trial_ = false; }
  // Why a trial of the direct way failed.
  void note_direct(const std::optional<Error>& error) {
    direct_error_ = error;
    has_changed_ = true;
  }
  [[nodiscard]] TimePoint next_deadline() const {
    return std::min(session_.next_deadline(), accept_due_);
  }

  [[nodiscard]] const Session& session() const { return session_; }
  [[nodiscard]] TrafficClass traffic() const { return traffic_; }
  [[nodiscard]] const TunnelServer& server() const { return config_.servers[session_.server()]; }
  [[nodiscard]] bool is_carried() const { return session_.is_carried(); }
  // Why the last attempt without the bus failed; empty: it did not.
  [[nodiscard]] const std::optional<Error>& direct_error() const { return direct_error_; }
  [[nodiscard]] const std::vector<Forward>& reverse() const { return reverse_; }
  [[nodiscard]] const std::vector<Forward>& local() const { return local_; }
  [[nodiscard]] std::size_t connection_count() const { return streams_.size(); }
  [[nodiscard]] LinkCounters counters() const;
  [[nodiscard]] const std::optional<Error>& last_error() const { return last_error_; }
  [[nodiscard]] std::string cipher() const { return ssh_ ? ssh_->cipher() : ""; }
  // Whether anything that status shows has changed; asking resets it.
  [[nodiscard]] bool take_change();

 private:
  struct Listener;
  struct Waiting {  // for the name of its target
    std::uint64_t stream = 0;
    ForwardEnd target;
    TimePoint until{};
  };

  void on_ready(bus::Readiness what) override;
  bool admit_connection(std::uint16_t server_port) override;
  void on_connection(std::uint16_t server_port, std::unique_ptr<ssh::Channel> channel) override;

  void tell(const SessionEvent& event, TimePoint now);
  void carry_out(const SessionAction& action, TimePoint now);
  void report(const action::Report& report);
  void dial(TimePoint now);
  void set_up_further(TimePoint now);
  void authenticate(TimePoint now);
  void open_forward(TimePoint now);
  void hang_up(bool politely);
  void watch_server();
  void hear(TimePoint now);
  void dial_target(std::uint64_t stream, const ForwardEnd& target, TimePoint now);
  void try_again(const Waiting& waiting, TimePoint now);
  void accept_from(Listener& listener);
  void pause_accepting(Listener& listener);
  void resume_accepting();
  void sweep_streams();
  [[nodiscard]] const Forward* find_reverse(std::uint16_t server_port) const;

  const TunnelConfig& config_;
  TrafficClass traffic_;
  std::string user_;
  const ssh::Key& key_;
  bus::Loop& loop_;
  bus::Resolver& resolver_;
  std::vector<Forward> reverse_;
  std::vector<Forward> local_;
  Session session_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  int dialling_ = -1;          // the server's socket, until SSH takes it over
  bool is_resolving_ = false;  // the server's name
  std::unique_ptr<SshClient> ssh_;
  ssh::Streams streams_;
  std::vector<Waiting> waiting_;
  std::uint64_t heard_bytes_ = 0;
  TimePoint accept_due_ = TimePoint::max();  // for listeners that wait for a descriptor
  bool exhaustion_told_ = false;             // since there was one
  LinkCounters counters_;
  std::optional<Error> last_error_;
  bool is_trial_;
  bool dialled_carried_ = false;  // the last time
  std::optional<Error> direct_error_;
  bool has_changed_ = true;
};

}  // namespace riftbus::tunnel
