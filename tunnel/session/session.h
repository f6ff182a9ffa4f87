// Session: when to dial, what to ask the server for, and when to believe that a link is dead.
//
// One SSH session of one class of traffic, from dialling to hanging up, again and again:
//
//   dialling -> proving -> authenticating -> forwarding -> up
//       ^          |            |                |          |
//       +------ waiting <-------+----------------+----------+    any failure, silence, too slow
//
// `proving`: keys are exchanged; the server's host key must be one of the pinned ones before
// anything of ours is sent. `forwarding`: reverse forwards are asked for one at a time, because
// libssh reads the answer about an allocated port from whatever came last. A refused forward ends
// the session: a tunnel that carries half of what it should looks healthy and is not. sshd gives
// no reason for a refusal; a port held by a dead session is free again once sshd has noticed.
//
// A pause before each new attempt is drawn between backoff_min and three times the last one, at
// most backoff_max (decorrelated jitter: M. Brooker, "Exponential Backoff And Jitter", 2015), so
// that a thousand tunnels do not come back in step. A session that was up for `stable` starts
// again at the floor, and so does one that fell silent: noticing that was pause enough. Where the
// system says that nobody listens, no pause is longer than kComebackPauseMax: such an attempt costs
// the server nothing, and a relay that is back is back in service within two seconds. After
// `switch_after` failures in a row the next server is tried, at once after a failure that time does
// not mend (wrong host key, refused key); those also wait longest. A server that is carried is the
// same one by another way, for when the direct ways do not lead there: nothing leads on to it
// before there has been no stable session for kCarrierPatience, for a relay that is started again
// is back by then, and never a wrong or a refused key. A firewall that lets a session begin and
// then cuts it leads to it, too, if it cuts before `stable`.
//
// A link is alive while bytes come, whatever they are. After `keepalive` of silence the server is
// asked for an answer, once per interval; after `keepalive` * `missed_max` the link is dead. TCP
// alone would take a quarter of an hour to say so.
//
// Pure: reads no clock and sends nothing; requests are appended to `out`, to be carried out in
// order. `now` never decreases (CHECKed). An event that no longer fits (an answer that comes after
// the session was given up) is ignored: the owner may be late. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "config/random.h"
#include "config/result.h"
#include "config/types.h"

namespace riftbus::tunnel {

struct SessionSetup {
  struct Server {
    std::string address;            // for messages
    std::vector<std::string> pins;  // of its host key
    bool is_carried = false;        // by the bus, for want of a direct way
  };
  std::vector<Server> servers;        // one at least that is not carried (CHECKed)
  std::vector<std::string> forwards;  // the reverse ones, for messages; asked for in this order
  Nanos keepalive = Seconds{1};
  std::int64_t missed_max = 3;
  Nanos setup_timeout = Seconds{5};
  Nanos backoff_min = Millis{250};
  Nanos backoff_max = Seconds{5};
  Nanos stable = Seconds{10};
  std::int64_t switch_after = 2;
};

enum class SessionState : std::uint8_t {
  idle,
  dialling,
  proving,
  authenticating,
  forwarding,
  up,
  waiting,
  stopped
};
[[nodiscard]] std::string_view to_string(SessionState state);

// What happened. Texts come from the system or the server and are made printable by the reader.
namespace event {
struct Start {};
struct Tick {};     // it is next_deadline() or later
struct Dialled {};  // the connection stands
struct DialFailed {
  std::string why;
};
struct HostKeyShown {  // keys are exchanged, and the server has proven to own this one
  std::string pin;
};
struct Authenticated {};
struct KeyRefused {
  std::string why;
};
struct ForwardOpened {
  std::size_t forward = 0;
  std::uint16_t port = 0;  // where the server listens
};
struct ForwardRefused {
  std::size_t forward = 0;
  std::string why;
};
struct Heard {};  // bytes came from the server
struct Lost {     // the connection or the protocol in it ended
  std::string why;
};
struct Restart {};  // an operator wants a new session now
struct Stop {};
}  // namespace event
using SessionEvent =
    std::variant<event::Start, event::Tick, event::Dialled, event::DialFailed, event::HostKeyShown,
                 event::Authenticated, event::KeyRefused, event::ForwardOpened,
                 event::ForwardRefused, event::Heard, event::Lost, event::Restart, event::Stop>;

// What to do, in order.
namespace action {
struct Dial {
  std::size_t server = 0;
};
struct ExchangeKeys {};
struct Authenticate {};
struct OpenForward {
  std::size_t forward = 0;
};
struct Serve {};   // every forward stands: connections may come and go
struct Probe {};   // ask the server for any answer
struct HangUp {};  // drop the connection and everything in it, without waiting
struct Report {    // for log and status: the session failed, and a new one is due after `pause`
  Error error;
  Nanos pause{};
};
}  // namespace action
using SessionAction =
    std::variant<action::Dial, action::ExchangeKeys, action::Authenticate, action::OpenForward,
                 action::Serve, action::Probe, action::HangUp, action::Report>;
using SessionActions = std::vector<SessionAction>;
// "dial 0", "report F-1814 pause=250ms": the trace of scenario tests.
[[nodiscard]] std::string to_string(const SessionAction& action);

class Session {
 public:
  static constexpr Nanos kComebackPauseMax = Millis{1500};
  static constexpr Nanos kCarrierPatience = Seconds{5};

  // `random` outlives the session.
  Session(SessionSetup setup, Random& random);

  void step(const SessionEvent& event, TimePoint now, SessionActions& out);
  // TimePoint::max() while nothing is due (idle, stopped).
  [[nodiscard]] TimePoint next_deadline() const;

  [[nodiscard]] SessionState state() const { return state_; }
  [[nodiscard]] std::size_t server() const { return server_; }
  [[nodiscard]] bool is_carried() const { return setup_.servers[server_].is_carried; }
  // When the present state began.
  [[nodiscard]] TimePoint since() const { return since_; }
  // Where the server listens, by forward; 0: not now.
  [[nodiscard]] const std::vector<std::uint16_t>& ports() const { return ports_; }
  // Counts since the start: sessions dialled, sessions that came up.
  [[nodiscard]] std::uint64_t dials() const { return dials_; }
  [[nodiscard]] std::uint64_t rises() const { return rises_; }

 private:
  // What ends a failure: time, a server that listens again, or people.
  enum class Remedy : std::uint8_t { time, comeback, people };

  void on(const event::Start&, TimePoint now, SessionActions& out);
  void on(const event::Tick&, TimePoint now, SessionActions& out);
  void on(const event::Dialled&, TimePoint now, SessionActions& out);
  void on(const event::DialFailed&, TimePoint now, SessionActions& out);
  void on(const event::HostKeyShown&, TimePoint now, SessionActions& out);
  void on(const event::Authenticated&, TimePoint now, SessionActions& out);
  void on(const event::KeyRefused&, TimePoint now, SessionActions& out);
  void on(const event::ForwardOpened&, TimePoint now, SessionActions& out);
  void on(const event::ForwardRefused&, TimePoint now, SessionActions& out);
  void on(const event::Heard&, TimePoint now, SessionActions& out);
  void on(const event::Lost&, TimePoint now, SessionActions& out);
  void on(const event::Restart&, TimePoint now, SessionActions& out);
  void on(const event::Stop&, TimePoint now, SessionActions& out);

  void enter(SessionState state, TimePoint now);
  void dial(TimePoint now, SessionActions& out);
  void open_next_forward(TimePoint now, SessionActions& out);
  void fail(Error error, Remedy remedy, TimePoint now, SessionActions& out);
  void choose_server(Remedy remedy, TimePoint now);
  [[nodiscard]] Nanos draw_pause(Remedy remedy);
  [[nodiscard]] bool is_setting_up() const;
  [[nodiscard]] bool is_connected() const;
  [[nodiscard]] Nanos silence_max() const { return setup_.keepalive * setup_.missed_max; }
  [[nodiscard]] const std::string& where() const { return setup_.servers[server_].address; }

  SessionSetup setup_;
  std::size_t direct_count_;  // of the servers
  Random& random_;
  SessionState state_ = SessionState::idle;
  TimePoint now_{};
  TimePoint since_{};
  TimePoint down_since_{};  // the start, or the end of the last stable session
  std::size_t server_ = 0;
  std::size_t forward_ = 0;  // forwarding: the one that is being asked for
  std::vector<std::uint16_t> ports_;
  TimePoint setup_end_{};
  TimePoint heard_{};
  TimePoint probe_due_{};
  TimePoint dial_due_{};
  Nanos pause_{};              // the last one; zero: start at the floor
  std::int64_t failures_ = 0;  // in a row with this server
  std::uint64_t dials_ = 0;
  std::uint64_t rises_ = 0;
};

}  // namespace riftbus::tunnel
