#include "bus/zap.h"

#include <signal.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <zmq.hpp>

#include "bus/clock.h"
#include "bus/secure_buffers.h"
#include "bus/zap_request.h"

namespace riftbus::bus {

namespace {

constexpr std::size_t kFramesMax = 16;  // a CURVE request has 9 with its envelope

// A whole multipart message; frames beyond the bound are read and dropped.
std::vector<zmq::message_t> receive_frames(zmq::socket_t& socket) {
  std::vector<zmq::message_t> frames;
  for (bool more = true; more;) {
    zmq::message_t frame;
    if (!socket.recv(frame)) continue;
    more = frame.more();
    if (frames.size() <= kFramesMax) frames.push_back(std::move(frame));
  }
  return frames;
}

// The thread must not be the one that a signal of the daemon is delivered to.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

[[noreturn]] void abort_process(const char* reason) {
  std::fprintf(stderr,
               "riftbus: F-1130: the gatekeeper died (%s); aborting, because libzmq would let "
               "everybody in\n",
               reason);
  std::abort();
}

}  // namespace

std::uint64_t ZapCounters::refused_total() const {
  std::uint64_t total = 0;
  for (const auto count : refused) total += count;
  return total;
}

struct ZapHandler::State {
  State(zmq::context_t& context, std::shared_ptr<const Roster> roster)
      : access(std::make_shared<const AccessList>(std::move(roster))),
        door(context, zmq::socket_type::router),
        stop_receiver(context, zmq::socket_type::pair),
        stop_sender(context, zmq::socket_type::pair) {}

  void run();
  void serve_one();
  [[nodiscard]] std::vector<std::string> answer(const ZapRequest& request);
  void note_refusal(const ZapRequest& request, const AccessDecision& decision);
  [[nodiscard]] std::shared_ptr<const AccessList> current() const;

  // Guards the pointer and the report: held for a copy, never while anything is decided.
  mutable std::mutex mutex;
  std::shared_ptr<const AccessList> access;
  Refusals refusals;

  std::atomic<std::uint64_t> accepted{0};
  std::array<std::atomic<std::uint64_t>, 4> refused{};
  std::uint64_t last_link = 0;  // of the handler's thread

  zmq::socket_t door;
  zmq::socket_t stop_receiver;
  zmq::socket_t stop_sender;
  std::thread thread;
};

std::shared_ptr<const AccessList> ZapHandler::State::current() const {
  const std::lock_guard lock(mutex);
  return access;
}

void ZapHandler::State::run() {
  try {
    for (;;) {
      std::array<zmq::pollitem_t, 2> items{
          {{door.handle(), 0, ZMQ_POLLIN, 0}, {stop_receiver.handle(), 0, ZMQ_POLLIN, 0}}};
      zmq::poll(items.data(), items.size(), std::chrono::milliseconds(-1));
      if (items[1].revents != 0) return;
      if (items[0].revents != 0) serve_one();
    }
  } catch (const zmq::error_t& error) {
    // The context was shut down: no handshake can happen any more, so nobody needs a gatekeeper.
    if (error.num() == ETERM) return;
    abort_process(error.what());
  } catch (const std::exception& error) {
    abort_process(error.what());
  }
}

void ZapHandler::State::serve_one() {
  auto frames = receive_frames(door);
  std::vector<std::string_view> content;
  for (std::size_t i = 2; i < frames.size(); ++i) content.push_back(frames[i].to_string_view());
  const bool enveloped = frames.size() > 2 && frames[1].empty();
  const auto request = enveloped ? parse_zap_request(content) : std::nullopt;
  if (!request) {
    // Nobody to answer; libzmq itself never asks like this.
    note_refusal(ZapRequest{}, {nullptr, Refusal::invalid, NodeId()});
    return;
  }
  const auto reply = answer(*request);
  door.send(frames[0], zmq::send_flags::sndmore);
  door.send(zmq::message_t(), zmq::send_flags::sndmore);
  for (std::size_t i = 0; i < reply.size(); ++i) {
    door.send(zmq::buffer(reply[i]),
              i + 1 < reply.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }
}

std::vector<std::string> ZapHandler::State::answer(const ZapRequest& request) {
  if (!request.key) {
    note_refusal(request, {nullptr, Refusal::invalid, NodeId()});
    return format_zap_refusal(request, to_string(Refusal::invalid));
  }
  const auto list = current();
  const auto decision = list->decide(*request.key, wall_now_ms() / 1000);
  if (!decision.allowed()) {
    note_refusal(request, decision);
    return format_zap_refusal(request, to_string(decision.refusal));
  }
  accepted.fetch_add(1, std::memory_order_relaxed);
  return format_zap_welcome(
      request, decision.entry->id,
      {{kLinkProperty, std::to_string(++last_link)}, {kKeyProperty, request.key->z85()}});
}

void ZapHandler::State::note_refusal(const ZapRequest& request, const AccessDecision& decision) {
  refused[static_cast<std::size_t>(decision.refusal)].fetch_add(1, std::memory_order_relaxed);
  const std::string key = request.key ? request.key->z85() : std::string();
  const std::lock_guard lock(mutex);
  for (auto& kind : refusals.kinds) {
    if (kind.refusal == decision.refusal && kind.key_z85 == key &&
        kind.address == request.address) {
      ++kind.count;
      return;
    }
  }
  if (refusals.kinds.size() == kRefusalKindsMax) {
    ++refusals.others;
    return;
  }
  refusals.kinds.push_back({decision.refusal, key, decision.owner, request.address, 1});
}

Result<std::unique_ptr<ZapHandler>> ZapHandler::start(zmq::context_t& context,
                                                      std::shared_ptr<const Roster> roster) {
  pool_secure_buffers();
  try {
    auto state = std::make_unique<State>(context, std::move(roster));
    for (auto* socket : {&state->door, &state->stop_receiver, &state->stop_sender}) {
      socket->set(zmq::sockopt::linger, 0);
    }
    // No bound: the queue is as long as handshakes are under way, and each waits for its answer.
    state->door.set(zmq::sockopt::rcvhwm, 0);
    state->door.set(zmq::sockopt::sndhwm, 0);
    state->door.bind(kZapEndpoint);
    const std::string stop_endpoint = std::string(kZapEndpoint) + ".stop";
    state->stop_receiver.bind(stop_endpoint);
    state->stop_sender.connect(stop_endpoint);
    const AllSignalsBlocked blocked;
    state->thread = std::thread([running = state.get()] { running->run(); });
    return std::unique_ptr<ZapHandler>(new ZapHandler(std::move(state)));
  } catch (const std::exception& error) {
    return Error{1130, std::string("the gatekeeper cannot start: ") + error.what(), kZapEndpoint,
                 "one handler per ZeroMQ context"};
  }
}

ZapHandler::ZapHandler(std::unique_ptr<State> state) : state_(std::move(state)) {}

ZapHandler::~ZapHandler() {
  try {
    state_->stop_sender.send(zmq::message_t(), zmq::send_flags::dontwait);
  } catch (const zmq::error_t&) {
    // The context is shutting down, and the thread ends by that.
  }
  state_->thread.join();
}

void ZapHandler::replace(std::shared_ptr<const Roster> roster) {
  auto list = std::make_shared<const AccessList>(std::move(roster));
  const std::lock_guard lock(state_->mutex);
  state_->access.swap(list);
}

std::shared_ptr<const AccessList> ZapHandler::access() const { return state_->current(); }

ZapCounters ZapHandler::counters() const {
  ZapCounters counters;
  counters.accepted = state_->accepted.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < counters.refused.size(); ++i) {
    counters.refused[i] = state_->refused[i].load(std::memory_order_relaxed);
  }
  return counters;
}

Refusals ZapHandler::take_refusals() {
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->refusals, Refusals());
}

}  // namespace riftbus::bus
