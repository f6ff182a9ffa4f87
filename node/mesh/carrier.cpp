#include "node/mesh/carrier.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "bus/clock.h"
#include "bus/ends.h"
#include "bus/log.h"
#include "bus/loop.h"
#include "bus/wire/limits.h"
#include "node/mesh/roster_shell.h"

namespace riftbus::node {

namespace event = carry::event;
namespace action = carry::action;

namespace {

constexpr std::uint64_t kFirstCarry = kOwnerCorrelation + (std::uint64_t{1} << 58U);
constexpr std::uint64_t kNumbers = std::uint64_t{1} << 32U;
constexpr int kAcceptsPerTurn = 16;

}  // namespace

// ---- one stream and its local side ------------------------------------------------------------

class Carrier::Carried : public bus::Watcher {
 public:
  Carried(Carrier& carrier, Key key, NodeId peer, int descriptor, carry::Stream stream)
      : carrier_(carrier),
        key_(std::move(key)),
        peer_(std::move(peer)),
        descriptor_(descriptor),
        stream_(std::move(stream)) {}
  ~Carried() override { hang_up(); }
  Carried(const Carried&) = delete;
  Carried& operator=(const Carried&) = delete;

  [[nodiscard]] const NodeId& peer() const { return peer_; }
  [[nodiscard]] bool is_ours() const { return key_.first.value() == 0; }
  [[nodiscard]] bool has_opened() const { return has_opened_; }
  [[nodiscard]] const carry::Stream& stream() const { return stream_; }

  // The host's way to the port, until it is decided.
  void await_connection() {
    is_connecting_ = true;
    watch();
  }
  void tell(const carry::Event& event) {
    step(event);
    write();
    watch();
  }

 private:
  void on_ready(bus::Readiness what) override;
  void step(const carry::Event& event);
  void carry_out(action::Say& said);
  void carry_out(action::Refuse& refused) { carrier_.refuse(key_, refused.error); }
  void carry_out(action::EndWrites&) { ::shutdown(descriptor_, SHUT_WR); }
  void carry_out(action::Over& over);
  void on_broken();
  void read(bool is_last);
  void write();
  void watch();
  void hang_up();

  Carrier& carrier_;
  const Key key_;
  const NodeId peer_;
  int descriptor_;
  carry::Stream stream_;
  bool is_connecting_ = false;
  bool has_read_all_ = false;
  bool is_deaf_ = false;  // until there is room
  bool has_opened_ = false;
};

void Carrier::Carried::step(const carry::Event& event) {
  carry::Actions actions;
  stream_.step(event, bus::boot_now(), actions);
  has_opened_ = has_opened_ || stream_.is_open();
  for (auto& each : actions) {
    std::visit([this](auto& one) { carry_out(one); }, each);
  }
}

void Carrier::Carried::carry_out(action::Say& said) {
  const auto outcome = carrier_.say(key_, peer_, std::move(said.carry));
  if (outcome == bus::SendOutcome::sent || outcome == bus::SendOutcome::queued) return;
  step(event::Unsent{bus::to_string(outcome)});
}

void Carrier::Carried::carry_out(action::Over& over) {
  hang_up();
  carrier_.on_over(*this, over.error);
}

void Carrier::Carried::hang_up() {
  if (descriptor_ < 0) return;
  carrier_.loop_.forget(descriptor_);
  ::close(std::exchange(descriptor_, -1));
}

void Carrier::Carried::watch() {
  if (descriptor_ < 0 || (is_deaf_ && stream_.room() == 0)) return;
  is_deaf_ = false;
  carrier_.loop_.watch(descriptor_, *this, stream_.room() > 0,
                       is_connecting_ || !stream_.unwritten().empty());
}

void Carrier::Carried::on_ready(bus::Readiness what) {
  if (is_connecting_) {
    is_connecting_ = false;
    const auto problem = bus::connect_problem(descriptor_);
    if (problem.empty()) return tell(event::Taken{});
    return tell(event::Failed{"the relay's SSH port does not answer: " + problem});
  }
  if (what.readable || what.broken) read(what.broken);
  if (what.broken) on_broken();
  write();
  watch();
}

// Both directions of the local side have ended, and the kernel would say so for ever. What it said
// before may still wait for room.
void Carrier::Carried::on_broken() {
  if (descriptor_ < 0) return;
  const auto problem = bus::connect_problem(descriptor_);
  is_deaf_ = problem.empty() && stream_.is_open() && !has_read_all_ && stream_.room() == 0;
  if (is_deaf_) return carrier_.loop_.forget(descriptor_);
  step(event::Failed{problem.empty() ? "the local side hung up" : problem});
}

void Carrier::Carried::read(bool is_last) {
  std::array<char, wire::kCarryBytesMax> chunk;
  while (stream_.room() > 0) {
    const auto size = ::recv(descriptor_, chunk.data(), stream_.room(), 0);
    if (size < 0 && bus::must_wait()) return;
    if (size < 0) return step(event::Failed{std::strerror(errno)});
    has_read_all_ = size == 0;
    step(event::Read{{chunk.data(), static_cast<std::size_t>(size)}});
    if (!is_last) return;
  }
}

void Carrier::Carried::write() {
  while (!stream_.unwritten().empty()) {
    const auto bytes = stream_.unwritten();
    const auto size = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0 && bus::must_wait()) return;
    if (size < 0) return step(event::Failed{std::strerror(errno)});
    step(event::Written{static_cast<std::size_t>(size)});
  }
}

// ---- where riftbus-tunnel comes ---------------------------------------------------------------

class Carrier::Listener : public bus::Watcher {
 public:
  Listener(Carrier& carrier, NodeId relay, std::string path, int descriptor)
      : carrier_(carrier),
        relay_(std::move(relay)),
        path_(std::move(path)),
        descriptor_(descriptor) {
    carrier_.loop_.watch(descriptor_, *this, true, false);
  }
  ~Listener() override {
    carrier_.loop_.forget(descriptor_);
    ::close(descriptor_);
    ::unlink(path_.c_str());
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] const NodeId& relay() const { return relay_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  void on_ready(bus::Readiness) override { carrier_.accept(*this); }

  Carrier& carrier_;
  const NodeId relay_;
  const std::string path_;
  const int descriptor_;
};

// ---- all of them ------------------------------------------------------------------------------

Carrier::Carrier(Setup setup, bus::Bus& bus, std::function<void(const NodeId&)> make_known)
    : setup_(std::move(setup)), bus_(bus), make_known_(std::move(make_known)) {}

Carrier::~Carrier() = default;

Status Carrier::listen() {
  Status outcome = Ok{};
  for (const auto& [relay, path] : setup_.sockets) {
    const auto descriptor = bus::listen_end({"", 0, path});
    if (!descriptor) {
      outcome = descriptor.error();
      continue;
    }
    listeners_.push_back(std::make_unique<Listener>(*this, relay, path, *descriptor));
  }
  return outcome;
}

void Carrier::run() {
  const auto now = bus::boot_now();
  loop_.run_once(now, now);
  sweep();
}

// Without a descriptor for whoever waits the kernel would say "ready" for ever.
void Carrier::pause_accepting() {
  for (const auto& each : listeners_) loop_.watch(each->descriptor(), *each, false, false);
  accept_due_ = bus::boot_now() + kAcceptPause;
}

void Carrier::tick(TimePoint now) {
  if (now >= accept_due_) {
    for (const auto& each : listeners_) loop_.watch(each->descriptor(), *each, true, false);
    accept_due_ = TimePoint::max();
  }
  for (const auto& [key, carried] : streams_) {
    if (now >= carried->stream().next_deadline()) carried->tell(event::Tick{});
  }
  sweep();
}

TimePoint Carrier::next_deadline() const {
  auto due = accept_due_;
  for (const auto& [key, carried] : streams_) {
    due = std::min(due, carried->stream().next_deadline());
  }
  return due;
}

// One that nobody can be told "too many" is closed: the tunnel's session fails, and tries again.
void Carrier::accept(Listener& listener) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    const int descriptor = bus::accept_end(listener.descriptor());
    if (descriptor < 0) {
      if (bus::is_exhausted(errno)) pause_accepting();
      return;
    }
    if (!has_room(listener.relay())) {
      ::close(descriptor);
      ++counters_.refused;
      continue;
    }
    make_known_(listener.relay());
    const Key key{bus::ReplyTo(), Correlation(kFirstCarry + next_++ % kNumbers)};
    auto& carried = streams_[key];
    carried = std::make_unique<Carried>(*this, key, listener.relay(), descriptor,
                                        carry::Stream(carry::Side::caller, 0, bus::boot_now()));
    carried->tell(event::Start{});
  }
}

void Carrier::on_carry(bus::Received& received, bool is_member) {
  wire::Envelope& envelope = received.envelope;
  auto& carry = std::get<wire::Carry>(envelope.body);
  const Key key{received.reply_to, envelope.correlation};
  const auto found = streams_.find(key);
  if (found != streams_.end() && found->second->peer() == envelope.origin) {
    if (is_member || found->second->is_ours()) {
      found->second->tell(event::Heard{std::move(carry)});
    } else {
      found->second->tell(event::Failed{"it is no member any more"});
    }
    return sweep();
  }
  const bool is_request = received.reply_to.value() != 0 && envelope.correlation.value() != 0;
  if (is_request && found == streams_.end() && carry.step == wire::CarryStep::open) {
    return admit(received, is_member);
  }
  ++counters_.stray;
  // Of a former life: whoever has words for it learns so at once.
  if (found != streams_.end() || carry.bytes.empty() || envelope.correlation.value() == 0) return;
  static_cast<void>(say(key, envelope.origin, {wire::CarryStep::close, 0, 0, ""}));
}

void Carrier::admit(const bus::Received& received, bool is_member) {
  const wire::Envelope& envelope = received.envelope;
  const Key key{received.reply_to, envelope.correlation};
  if (!is_member) {
    return refuse(key, {1304, "only members may say this", "", "ask for the node role"});
  }
  if (!setup_.is_relay) {
    return refuse(key, {1826, "no relay runs on this host", "", "see riftbus relay list"});
  }
  if (!setup_.port) {
    return refuse(key, {1827, "this relay's node carries no tunnels", "",
                        "set relay.carry to true in its section, or open its SSH port"});
  }
  if (!has_room(envelope.origin)) {
    return refuse(key, {1828, "too many carried streams", "", "try again later"});
  }
  const auto dialling = bus::dial_end(*setup_.port, resolver_, bus::boot_now(), 0);
  if (dialling.descriptor < 0) {
    return refuse(key, {1829, "the relay's SSH port does not answer: " + dialling.problem, "",
                        "see that riftbus-relay runs on that host"});
  }
  const auto granted = std::get<wire::Carry>(envelope.body).granted;
  auto& carried = streams_[key];
  carried = std::make_unique<Carried>(*this, key, envelope.origin, dialling.descriptor,
                                      carry::Stream(carry::Side::host, granted, bus::boot_now()));
  carried->await_connection();
}

bool Carrier::on_refusal(const bus::Received& received) {
  const auto* refusal = std::get_if<wire::Refusal>(&received.envelope.body);
  const std::uint64_t number = received.envelope.correlation.value();
  if (refusal == nullptr || received.reply_to.value() != 0) return false;
  if (number < kFirstCarry || number >= kFirstCarry + kNumbers) return false;
  const auto found = streams_.find({bus::ReplyTo(), received.envelope.correlation});
  if (found != streams_.end() && found->second->peer() == received.envelope.origin) {
    found->second->tell(event::Refused{refusal->code, refusal->what, refusal->next});
    sweep();
  }
  return true;
}

void Carrier::refuse(const Key& key, const Error& error) {
  ++counters_.refused;
  bus_.reply(key.first, key.second, wire::Refusal{error.code, error.what, error.next});
}

bus::SendOutcome Carrier::say(const Key& key, const NodeId& peer, wire::Carry carry) {
  return key.first.value() == 0 ? bus_.send(peer, key.second, std::move(carry))
                                : bus_.reply(key.first, key.second, std::move(carry));
}

// At home each trouble with a relay is told once, until a stream has stood or it is another one.
void Carrier::on_over(const Carried& carried, const std::optional<Error>& error) {
  is_any_over_ = true;
  counters_.stray += carried.stream().dropped();
  if (error) ++counters_.broken;
  if (!carried.is_ours()) return;
  auto& told = told_[carried.peer()];
  if (carried.has_opened()) told = 0;
  if (!error || carried.has_opened() || told == error->code) return;
  told = error->code;
  bus::write_error({error->code, "the bus does not carry a tunnel to this relay: " + error->what,
                    carried.peer().value(), error->next});
}

void Carrier::drop(const NodeId& peer) {
  for (const auto& [key, carried] : streams_) {
    if (carried->peer() == peer) carried->tell(event::Failed{"its key is no longer listed"});
  }
  sweep();
}

bool Carrier::has_room(const NodeId& peer) const {
  const auto its = std::count_if(streams_.begin(), streams_.end(),
                                 [&](const auto& one) { return one.second->peer() == peer; });
  return streams_.size() < kStreamsMax && static_cast<std::size_t>(its) < kStreamsPerPeerMax;
}

void Carrier::sweep() {
  if (!std::exchange(is_any_over_, false)) return;
  std::erase_if(streams_, [](const auto& one) { return one.second->stream().is_over(); });
}

std::vector<NodeId> Carrier::carried() const {
  std::vector<NodeId> nodes;
  for (const auto& [key, carried] : streams_) {
    if (carried->is_ours() || !carried->stream().is_open()) continue;
    if (std::find(nodes.begin(), nodes.end(), carried->peer()) == nodes.end()) {
      nodes.push_back(carried->peer());
    }
  }
  return nodes;
}

}  // namespace riftbus::node
