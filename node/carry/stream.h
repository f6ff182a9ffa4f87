// Stream: one end of a byte stream that the bus carries.
//
// A node that nobody can dial keeps an SSH session with its relay. Where a firewall lets it reach
// the bus of the relay's host, and not the SSH port beside it, the session's bytes travel in Carry
// messages: from a Unix socket of the node's daemon, over the connection for calls that it makes
// itself, to that port. Each daemon has a Stream for its end; SSH above notices nothing.
//
//   caller  open ------------------------> host  dials the port
//           <------------------------ data       without bytes: it is taken
//           data, end <------------> data, end   bytes, and room for more of them
//           close <----------------> close       of both directions, at any time
//
// What comes out is the beginning of what went in. Nothing is sent twice: offsets show a loss, a
// loss ends the stream, and a tunnel whose session ends makes a new one anyway. Each direction ends
// on its own. What waits to be written here never costs more than kWindow (bus/wire/message.h has
// the price), because room for more is granted only as the local side takes bytes away; so a local
// side that does not read stops the one at the other end, and nobody else. What is repeated is
// dropped and counted; what breaks the rules ends the stream. An open that is not answered within
// kOpenMax ends, and so does a stream of which nothing was heard for kSilenceMax. The sessions that
// it carries may rest for minutes, so an end that has said nothing for kSayEvery says `data`
// without bytes, which costs nothing.
//
// Pure: reads no clock and moves no byte; requests are appended to `out`, to be carried out in
// order. After action::Over nothing follows, whatever is told. Not thread-safe. Errors: 1829, and
// the code of a refusal.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bus/wire/message.h"
#include "config/result.h"
#include "config/types.h"

namespace riftbus::carry {

enum class Side : std::uint8_t { caller, host };

// What happened.
namespace event {
struct Start {};  // caller: ask for the stream
struct Taken {};  // host: the port has taken the connection
struct Heard {
  wire::Carry carry;
};
struct Refused {  // caller
  std::uint16_t code = 0;
  std::string what;
  std::string next;
};
struct Read {  // from the local side: at most room(); empty: it sends no more
  std::string bytes;
};
struct Written {  // of unwritten(): the local side took so many
  std::size_t bytes = 0;
};
struct Failed {  // the local side broke, or could not be reached
  std::string why;
};
struct Unsent {  // what was to be said could not be
  std::string why;
};
struct Tick {};  // it is next_deadline() or later
}  // namespace event
using Event = std::variant<event::Start, event::Taken, event::Heard, event::Refused, event::Read,
                           event::Written, event::Failed, event::Unsent, event::Tick>;

// What to do, in order.
namespace action {
struct Say {
  wire::Carry carry;
};
struct Refuse {  // host: instead of an answer
  Error error;
};
struct EndWrites {};  // the local side has had everything
struct Over {         // drop the local side
  std::optional<Error> error;
};
}  // namespace action
using Action = std::variant<action::Say, action::Refuse, action::EndWrites, action::Over>;
using Actions = std::vector<Action>;

class Stream {
 public:
  static constexpr std::uint64_t kWindow = std::uint64_t{256} * 1024;
  static constexpr Seconds kOpenMax{5};
  static constexpr Seconds kSilenceMax{15};
  static constexpr Seconds kSayEvery = kSilenceMax / 3;

  // `granted`: by the `open` that a host has heard; a caller knows of nothing yet.
  Stream(Side side, std::uint64_t granted, TimePoint now);

  void step(const Event& event, TimePoint now, Actions& out);
  [[nodiscard]] TimePoint next_deadline() const;

  // How much may be read from the local side now; 0: leave it alone.
  [[nodiscard]] std::size_t room() const;
  // For the local side next; empty: nothing waits.
  [[nodiscard]] std::string_view unwritten() const;
  // Whether both ends have found each other.
  [[nodiscard]] bool is_open() const { return state_ == State::open; }
  [[nodiscard]] bool is_over() const { return state_ == State::over; }
  // Messages that were repeated.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  enum class State : std::uint8_t { opening, open, over };

  void on(const event::Start&, TimePoint now, Actions& out);
  void on(const event::Taken&, TimePoint now, Actions& out);
  void on(const event::Heard& event, TimePoint now, Actions& out);
  void on(const event::Refused& event, TimePoint now, Actions& out);
  void on(const event::Read& event, TimePoint now, Actions& out);
  void on(const event::Written& event, TimePoint now, Actions& out);
  void on(const event::Failed& event, TimePoint now, Actions& out);
  void on(const event::Unsent& event, TimePoint now, Actions& out);
  void on(const event::Tick&, TimePoint now, Actions& out);

  // Why the message breaks the rules; null: it does not.
  [[nodiscard]] const char* fault_of(const wire::Carry& carry) const;
  void say(wire::CarryStep step, std::string bytes, TimePoint now, Actions& out);
  // Tells the other end, too.
  void fail(const std::string& why, TimePoint now, Actions& out);
  void finish(std::optional<Error> error, Actions& out);
  void settle(Actions& out);

  const Side side_;
  State state_ = State::opening;
  TimePoint heard_at_;
  TimePoint said_at_;
  std::uint64_t said_ = 0;             // what our stream has cost
  std::uint64_t may_say_ = 0;          // granted to us
  std::uint64_t heard_ = 0;            // what the other stream has cost
  std::uint64_t taken_ = 0;            // of that, what the local side took
  std::uint64_t may_hear_ = 0;         // granted by us
  std::deque<std::string> unwritten_;  // messages
  std::size_t written_ = 0;            // bytes of the first one
  bool said_end_ = false;
  bool heard_end_ = false;
  bool ended_writes_ = false;
  std::uint64_t dropped_ = 0;
};

}  // namespace riftbus::carry
