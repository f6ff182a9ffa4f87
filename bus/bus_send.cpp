#include <zmq.h>

#include <cerrno>

#include "bus/bus_state.h"
#include "bus/clock.h"
#include "bus/wire/codec.h"
#include "bus/wire/topic.h"
#include "config/check.h"

namespace riftbus::bus {

namespace {

int send_frame(zmq::socket_t& socket, std::string_view bytes, int flags) {
  return ::zmq_send(socket.handle(), bytes.data(), bytes.size(), flags | ZMQ_DONTWAIT);
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
  const std::string& bytes = *encoded;
  if (send_frame(callee.link.socket(), bytes, 0) < 0) {
    ++counters.sent_slow_peer;
    return SendOutcome::slow_peer;
  }
  traffic.count(wire::Direction::out, kind, bytes.size());
  if (observer != nullptr) observe_out(wire::Channel::call, callee.link.peer(), bytes);
  return SendOutcome::sent;
}

SendOutcome Bus::reply(ReplyTo to, Correlation correlation, wire::Body body) {
  return state_->answer(to, correlation, std::move(body));
}

SendOutcome Bus::State::answer(ReplyTo to, Correlation correlation, wire::Body body) {
  const auto id = Sessions::routing_id(to);
  if (!id) {
    ++counters.replies_gone;
    return SendOutcome::gone;
  }
  const wire::Kind kind = wire::kind_of(body);
  const auto encoded = encode_call(correlation, std::move(body));
  if (!encoded) return SendOutcome::oversize;
  const std::string& bytes = *encoded;
  if (send_frame(router, {id->bytes, sizeof id->bytes}, ZMQ_SNDMORE) < 0) {
    if (::zmq_errno() == EAGAIN) {
      ++counters.sent_slow_peer;
      return SendOutcome::slow_peer;
    }
    ++counters.replies_gone;
    return SendOutcome::gone;
  }
  if (send_frame(router, bytes, 0) < 0) {
    ++counters.replies_gone;
    return SendOutcome::gone;
  }
  traffic.count(wire::Direction::out, kind, bytes.size());
  if (observer != nullptr) {
    const Session* session = sessions.find(to);
    observe_out(wire::Channel::call, session == nullptr ? NodeId{} : session->peer, bytes);
  }
  return SendOutcome::sent;
}

// ---- a connection's beginning, and what waited for it ------------------------------------------

void Bus::State::greet(Callee& callee, TimePoint now) {
  wire::Hello hello;
  hello.software = settings.software;
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
