#include <zmq.h>

#include "bus/bus_state.h"
#include "bus/clock.h"
#include "bus/log.h"
#include "bus/uninterrupted.h"
#include "bus/wire/codec.h"
#include "bus/wire/topic.h"

namespace riftbus::bus {

namespace {

std::string_view view_of(const zmq::message_t& message) {
  return {static_cast<const char*>(message.data()), message.size()};
}

bool receive(zmq::socket_t& socket, zmq::message_t& into) {
  return uninterrupted(
             [&] { return ::zmq_msg_recv(into.handle(), socket.handle(), ZMQ_DONTWAIT); }) >= 0;
}

// False: the message had one frame too many and is gone.
bool skip_rest(zmq::socket_t& socket, zmq::message_t& last) {
  bool whole = true;
  while (last.more() && receive(socket, last)) whole = false;
  return whole;
}

}  // namespace

std::size_t Bus::State::drain_router(std::size_t quota, TimePoint now, std::vector<Event>& out) {
  std::size_t read = 0;
  while (read < quota) {
    if (!receive(router, routing_frame)) break;
    const bool has_payload = routing_frame.more() && receive(router, frame);
    if (has_payload && skip_rest(router, frame)) {
      read += take_calls(now, out);
    } else {
      ++read;
      ++counters.bad_frames;
      intake.report(Intake::Misdeed::bad_frame, "unknown", "not one frame", now);
    }
  }
  return read;
}

std::size_t Bus::State::take_calls(TimePoint now, std::vector<Event>& out) {
  const auto number = Sessions::parse(view_of(routing_frame));
  if (!number) {
    ++counters.foreign_routing;
    intake.report(Intake::Misdeed::bad_frame, "unknown", "routing id chosen by the peer", now);
    return 1;
  }
  Session& session = sessions.use(*number, now);
  const Connection* connection = nullptr;
  if (!sockets.insecure()) {
    connection = book.note(frame);
    if (connection == nullptr) {
      ++counters.unauthenticated;
      intake.report(Intake::Misdeed::unauthenticated, "unknown", "", now);
      return 1;
    }
    if (!check_access(*connection, session.access_version)) return 1;
    if (session.peer != connection->user) session.peer = connection->user;
  }
  if (!wire::split_frame(view_of(frame), envelopes)) {
    ++counters.bad_frames;
    intake.report(Intake::Misdeed::bad_frame, session.peer.value(), "malformed bundle", now);
    return 1;
  }
  for (const std::string_view bytes : envelopes) {
    take_call(Sessions::reply_to(*number), session, connection, bytes, now, out);
  }
  return envelopes.size();
}

void Bus::State::take_call(ReplyTo reply_to, Session& session, const Connection* connection,
                           std::string_view bytes, TimePoint now, std::vector<Event>& out) {
  const NodeId* proven = connection == nullptr ? nullptr : &connection->user;
  const Admission admission = intake.admit_call(proven, bytes, now, outcome);
  wire::Envelope& envelope = outcome.envelope;
  if (admission == Admission::tell_flooded) {
    // Judged before it was decoded, so which request it was is not known.
    return refuse(reply_to, Correlation{}, 1353, "too many messages from this origin",
                  "send more slowly; the limits are in the protocol's description");
  }
  if (admission == Admission::tell_rejected) return refuse_rejected(reply_to);
  if (admission != Admission::accepted) return;
  if (connection == nullptr) session.peer = envelope.origin;
  const wire::Kind kind = wire::kind_of(envelope.body);
  if (kind != wire::Kind::hello && !session.greeted) {
    ++counters.before_hello;
    return intake.report(Intake::Misdeed::no_hello, envelope.origin.value(), "", now);
  }
  traffic.count(wire::Direction::in, kind, bytes.size());
  if (observer != nullptr) {
    observer->on_frame(wire::Direction::in, wire::Channel::call, session.peer, envelope, bytes);
  }
  if (kind == wire::Kind::hello) {
    session.greeted = true;
    session.takes_bundles = std::get<wire::Hello>(envelope.body).bundles;
    return answer_hello(reply_to, envelope);
  }
  out.emplace_back(Received{wire::Channel::call, reply_to, std::move(envelope), bytes.size()});
}

// A request that cannot be read gets to know why; a one-way message asked for no answer.
void Bus::State::refuse_rejected(ReplyTo to) {
  const Correlation correlation = outcome.envelope.correlation;
  if (correlation.value() == 0) return;
  switch (outcome.reject) {
    case wire::Reject::unknown_kind:
      return refuse(to, correlation, 1301, "this node does not know this kind of message",
                    "update this node, or ask one of a newer version");
    case wire::Reject::bad_version:
      return refuse(to, correlation, 1302, "this node does not speak this version",
                    "speak the version that the answer to hello names, or update this node");
    default:
      return refuse(to, correlation, 1303,
                    std::string("the message is malformed: ") + wire::to_string(outcome.reject),
                    "see the protocol's description for types and limits");
  }
}

// A message may have waited in a queue while the roster changed.
bool Bus::State::check_access(const Connection& connection, std::uint64_t& checked) {
  if (checked == access_version) return access_version != 0;
  if (access != nullptr && access->decide(connection.key, wall_now_ms() / 1000).allowed()) {
    checked = access_version;
    return true;
  }
  const NodeId user = connection.user;
  if (book.cut(connection.link)) {
    ++counters.cuts;
    pending.push_back(Cut{user, 1});
  }
  return false;
}

// ---- hello -----------------------------------------------------------------------------------

void Bus::State::answer_hello(ReplyTo to, const wire::Envelope& envelope) {
  const auto& hello = std::get<wire::Hello>(envelope.body);
  const std::uint8_t version = std::min(hello.version_max, wire::kVersion);
  if (version < std::max(hello.version_min, wire::kVersionMin)) {
    ++counters.version_mismatch;
    return refuse(to, envelope.correlation, 1356, "no common protocol version",
                  "this node speaks " + std::to_string(wire::kVersionMin) + " to " +
                      std::to_string(wire::kVersion) + ": update the older program");
  }
  wire::HelloAnswer hello_answer;
  hello_answer.version = version;
  hello_answer.cluster = settings.cluster;
  hello_answer.software = settings.software;
  if (roster != nullptr) hello_answer.roster = roster->version;
  hello_answer.bundles = true;
  answer(to, envelope.correlation, std::move(hello_answer));
}

void Bus::State::hear_hello_answer(const NodeId& peer, const wire::Envelope& envelope) {
  if (const auto* refusal = std::get_if<wire::Refusal>(&envelope.body)) {
    ++counters.version_mismatch;
    log_warn(
        "bus: hello refused",
        {{"peer", peer.value()}, {"code", std::to_string(refusal->code)}, {"what", refusal->what}});
  }
  const auto* hello_answer = std::get_if<wire::HelloAnswer>(&envelope.body);
  const auto callee = callees.find(peer);
  if (hello_answer != nullptr && callee != callees.end()) {
    callee->second.takes_bundles = hello_answer->bundles;
  }
}

void Bus::State::refuse(ReplyTo to, Correlation correlation, std::uint16_t code, std::string what,
                        std::string next) {
  answer(to, correlation, wire::Refusal{code, std::move(what), std::move(next)});
}

// ---- our own connections -----------------------------------------------------------------------

std::size_t Bus::State::drain_link(Link& link, zmq::socket_t& socket, std::size_t quota,
                                   TimePoint now, std::vector<Event>& out) {
  std::size_t read = 0;
  while (read < quota) {
    if (!receive(socket, frame)) break;
    if (!skip_rest(socket, frame)) {
      ++read;
      ++counters.bad_frames;
      intake.report(Intake::Misdeed::bad_frame, link.peer().value(), "not one frame", now);
    } else if (link.channel() == wire::Channel::pub) {
      ++read;
      take_publication(link, now, out);
    } else {
      read += take_answers(link, now, out);
    }
  }
  return read;
}

std::size_t Bus::State::take_answers(Link& link, TimePoint now, std::vector<Event>& out) {
  if (!wire::split_frame(view_of(frame), envelopes)) {
    ++counters.bad_frames;
    intake.report(Intake::Misdeed::bad_frame, link.peer().value(), "malformed bundle", now);
    return 1;
  }
  for (const std::string_view bytes : envelopes) take_answer(link, bytes, now, out);
  return envelopes.size();
}

void Bus::State::take_answer(Link& link, std::string_view bytes, TimePoint now,
                             std::vector<Event>& out) {
  const Admission admission = intake.admit_call(&link.peer(), bytes, now, outcome);
  if (admission != Admission::accepted) return;
  wire::Envelope& envelope = outcome.envelope;
  traffic.count(wire::Direction::in, wire::kind_of(envelope.body), bytes.size());
  if (observer != nullptr) {
    observer->on_frame(wire::Direction::in, wire::Channel::call, link.peer(), envelope, bytes);
  }
  if (envelope.correlation.value() >= kOwnCorrelations) {
    return hear_hello_answer(link.peer(), envelope);
  }
  out.emplace_back(Received{wire::Channel::call, ReplyTo{}, std::move(envelope), bytes.size()});
}

void Bus::State::take_publication(Link& link, TimePoint now, std::vector<Event>& out) {
  const Admission admission = intake.admit_publication(link.peer(), view_of(frame), now, outcome);
  if (admission != Admission::accepted) return;
  wire::Envelope& envelope = outcome.envelope;
  traffic.count(wire::Direction::in, wire::kind_of(envelope.body), frame.size());
  if (observer != nullptr) {
    const std::string_view bytes = wire::split_pub_frame(view_of(frame))->envelope;
    observer->on_frame(wire::Direction::in, wire::Channel::pub, link.peer(), envelope, bytes);
  }
  out.emplace_back(Received{wire::Channel::pub, ReplyTo{}, std::move(envelope), frame.size()});
}

// Subscriptions: read only to learn who is connected, and from subscribers nothing else is heard.
std::size_t Bus::State::drain_publisher(std::size_t quota) {
  std::size_t read = 0;
  for (; read < quota; ++read) {
    if (!receive(publisher, frame)) break;
    if (!sockets.insecure()) {
      const Connection* connection = book.note(frame);
      std::uint64_t checked = 0;
      if (connection != nullptr) (void)check_access(*connection, checked);
    }
    (void)skip_rest(publisher, frame);
  }
  return read;
}

}  // namespace riftbus::bus
