#include <zmq.h>

#include <cerrno>

#include "bus/bus_state.h"
#include "bus/clock.h"
#include "bus/uninterrupted.h"
#include "bus/wire/codec.h"
#include "bus/wire/topic.h"
#include "config/check.h"

namespace riftbus::bus {

namespace {

int send_frame(zmq::socket_t& socket, std::string_view bytes, int flags) {
  return uninterrupted([&] {
    return ::zmq_send(socket.handle(), bytes.data(), bytes.size(), flags | ZMQ_DONTWAIT);
  });
}

}  // namespace

std::string Bus::State::encode(Seq seq, Correlation correlation, wire::Body body) {
  return wire::encode({settings.self, settings.instance, seq, correlation, std::move(body)});
}

// The observer wants the decoded message; decoding our own bytes costs only while somebody taps.
void Bus::State::observe_out(wire::Channel channel, const NodeId& peer, std::string_view bytes) {
  const wire::DecodeOutcome own = wire::decode(bytes);
  if (own.ok()) observer->on_frame(wire::Direction::out, channel, peer, own.envelope, bytes);
}

// ---- publications ----------------------------------------------------------------------------

Seq Bus::publish(wire::Body body) {
  State& s = *state_;
  const wire::Kind kind = wire::kind_of(body);
  const auto topic = wire::topic_of(kind);
  RIFTBUS_CHECK(topic.has_value());
  RIFTBUS_CHECK(s.call_port != 0);
  s.published = s.published.next();
  const std::string envelope = s.encode(s.published, Correlation{}, std::move(body));
  const std::string bytes = wire::make_pub_frame(*topic, envelope);
  if (envelope.size() > wire::kMessageBytesMax) {
    ++s.counters.sent_oversize;
    return s.published;
  }
  // XPUB drops for each subscriber that lags, and never fails.
  (void)send_frame(s.publisher, bytes, 0);
  s.traffic.count(wire::Direction::out, kind, bytes.size());
  if (s.observer != nullptr) s.observe_out(wire::Channel::pub, NodeId{}, envelope);
  return s.published;
}

// ---- calls -----------------------------------------------------------------------------------

SendOutcome Bus::send(const NodeId& to, Correlation correlation, wire::Body body) {
  State& s = *state_;
  const TimePoint now = boot_now();
  State::Callee& callee = s.callee_of(to, now);
  if (callee.link.up()) return s.deliver(callee, correlation, std::move(body));
  if (!callee.link.reachable()) {
    ++s.counters.sent_unknown_peer;
    s.callees.erase(to);
    return SendOutcome::unknown_peer;
  }
  if (callee.queue.size() >= s.limits.call_queue_max) {
    ++s.counters.sent_queue_full;
    return SendOutcome::queue_full;
  }
  callee.link.want(now);
  callee.queue.push_back({correlation, std::move(body), now + s.limits.call_wait_max});
  return SendOutcome::queued;
}

std::optional<std::string> Bus::State::encode_call(Correlation correlation, wire::Body body) {
  called = called.next();
  std::string bytes = encode(called, correlation, std::move(body));
  if (bytes.size() <= wire::kMessageBytesMax) return bytes;
  ++counters.sent_oversize;
  return std::nullopt;
}

SendOutcome Bus::State::deliver(Callee& callee, Correlation correlation, wire::Body body) {
  const wire::Kind kind = wire::kind_of(body);
  const auto encoded = encode_call(correlation, std::move(body));
  if (!encoded) return SendOutcome::oversize;
  auto handed = SendOutcome::sent;
  if (callee.takes_bundles && wire::comes_in_crowds(kind)) {
    if (!callee.calls.has_room_for(*encoded)) send_calls(callee);
    callee.calls.add(*encoded);
    has_called = true;
    if (callee.calls.is_full()) handed = send_calls(callee);
  } else {
    handed = send_call(callee, *encoded, 1);
  }
  if (handed != SendOutcome::sent) return handed;
  traffic.count(wire::Direction::out, kind, encoded->size());
  if (observer != nullptr) observe_out(wire::Channel::call, callee.link.peer(), *encoded);
  return SendOutcome::sent;
}

SendOutcome Bus::State::send_calls(Callee& callee) {
  const auto handed = send_call(callee, callee.calls.frame(), callee.calls.count());
  callee.calls.clear();
  return handed;
}

SendOutcome Bus::State::send_call(Callee& callee, std::string_view bytes, std::size_t many) {
  if (callee.link.up() && send_frame(callee.link.socket(), bytes, 0) >= 0) {
    if (many > 1) counters.sent_bundled += many;
    return SendOutcome::sent;
  }
  counters.sent_slow_peer += many;
  return SendOutcome::slow_peer;
}

SendOutcome Bus::reply(ReplyTo to, Correlation correlation, wire::Body body) {
  return state_->answer(to, correlation, std::move(body));
}

SendOutcome Bus::State::answer(ReplyTo to, Correlation correlation, wire::Body body) {
  const wire::Kind kind = wire::kind_of(body);
  const auto encoded = encode_call(correlation, std::move(body));
  if (!encoded) return SendOutcome::oversize;
  Session* const session = sessions.find(to);
  auto handed = SendOutcome::sent;
  if (session != nullptr && session->takes_bundles && wire::comes_in_crowds(kind)) {
    if (session->answers.empty()) answered.push_back(to);
    if (!session->answers.has_room_for(*encoded)) send_answers(to, *session);
    session->answers.add(*encoded);
    if (session->answers.is_full()) handed = send_answers(to, *session);
  } else {
    handed = send_answer(to, *encoded, 1);
  }
  if (handed != SendOutcome::sent) return handed;
  traffic.count(wire::Direction::out, kind, encoded->size());
  if (observer != nullptr) {
    observe_out(wire::Channel::call, session == nullptr ? NodeId{} : session->peer, *encoded);
  }
  return SendOutcome::sent;
}

SendOutcome Bus::State::send_answers(ReplyTo to, Session& session) {
  const auto handed = send_answer(to, session.answers.frame(), session.answers.count());
  session.answers.clear();
  return handed;
}

SendOutcome Bus::State::send_answer(ReplyTo to, std::string_view bytes, std::size_t many) {
  const auto id = Sessions::routing_id(to);
  if (id && send_frame(router, {id->bytes, sizeof id->bytes}, ZMQ_SNDMORE) >= 0) {
    if (send_frame(router, bytes, 0) >= 0) {
      if (many > 1) counters.sent_bundled += many;
      return SendOutcome::sent;
    }
  } else if (id && ::zmq_errno() == EAGAIN) {
    counters.sent_slow_peer += many;
    return SendOutcome::slow_peer;
  }
  counters.replies_gone += many;
  return SendOutcome::gone;
}

// What the owner said since the last poll() leaves before anything is waited for.
void Bus::State::send_bundles() {
  if (has_called) {
    has_called = false;
    for (auto& [peer, callee] : callees) {
      if (!callee.calls.empty()) send_calls(callee);
    }
  }
  for (const ReplyTo to : answered) {
    Session* const session = sessions.find(to);
    if (session != nullptr && !session->answers.empty()) send_answers(to, *session);
  }
  answered.clear();
}

// ---- a connection's beginning, and what waited for it ------------------------------------------

void Bus::State::greet(Callee& callee, TimePoint now) {
  wire::Hello hello;
  hello.software = settings.software;
  hello.bundles = true;
  counters.sent_expired += callee.calls.count();  // meant for the connection before
  callee.calls.clear();
  callee.takes_bundles = false;  // until this connection's other end has said so
  deliver(callee, Correlation(kOwnCorrelations | ++greetings), std::move(hello));
  flush(callee, now);
}

void Bus::State::flush(Callee& callee, TimePoint now) {
  while (!callee.queue.empty()) {
    QueuedCall call = std::move(callee.queue.front());
    callee.queue.pop_front();
    if (now >= call.expires) {
      ++counters.sent_expired;
      continue;
    }
    deliver(callee, call.correlation, std::move(call.body));
  }
}

void Bus::State::expire_calls(TimePoint now) {
  for (auto item = callees.begin(); item != callees.end();) {
    Callee& callee = item->second;
    while (!callee.queue.empty() && now >= callee.queue.front().expires) {
      callee.queue.pop_front();
      ++counters.sent_expired;
    }
    const bool idle = callee.queue.empty() && now - callee.used >= limits.call_idle_max;
    item = idle ? callees.erase(item) : std::next(item);
  }
}

}  // namespace riftbus::bus
