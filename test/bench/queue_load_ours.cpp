// Our own queue, over the bus: one DEALER connection with a key of its own, CURVE and all.
#include <sodium.h>

#include <algorithm>
#include <map>
#include <zmq.hpp>

#include "bus/call.h"
#include "bus/key_files.h"
#include "node/work/codec.h"
#include "test/bench/queue_load.h"

namespace riftbus::bench {

namespace {

constexpr Seconds kConnect{10};
constexpr std::uint32_t kClaimWaitMs = 500;
// Nobody takes what the adders of a run add: more than the usual 200,000 items may wait.
constexpr std::uint32_t kItemsMax = 10'000'000;
constexpr std::uint64_t kPayloadsMax = 4ull << 30u;
// Correlations: below this the client's number, from there on claims and completions.
constexpr std::uint64_t kClaiming = 1ull << 32u;
constexpr std::uint64_t kEnding = 1ull << 33u;

zmq::context_t& shared_context() {
  static zmq::context_t context;
  return context;
}

std::uint64_t draw() {
  std::uint64_t drawn = 0;
  randombytes_buf(&drawn, sizeof drawn);
  return drawn >> 1u;
}

class OurDriver : public LoadDriver {
 public:
  OurDriver(const LoadOptions& options, NodeIdentity identity)
      : identity_(std::move(identity)),
        client_(shared_context(), &identity_.keys, identity_.id),
        leader_(*NodeId::parse(options.node)) {
    const auto key = CurveKey::from_z85(options.server_key);
    if (!key) give_up("the leader's key cannot be read");
    const auto greeting = client_.connect(leader_, *key, "127.0.0.1", options.port, kConnect);
    if (!greeting) give_up(greeting.error().to_string());
  }

  void raise_bounds() {
    work::Settings settings;
    settings.soft_max = settings.hard_max = kItemsMax;
    settings.payload_bytes_max = kPayloadsMax;
    ask(work::Configure{settings});
  }

  void add(std::uint32_t client, std::string_view payload) override {
    work::Spec spec;
    spec.kind = "bench";
    spec.payload = payload;
    send(client + 1, work::Add{++nonce_, {std::move(spec)}});
  }

  void consume(std::size_t batch) override {
    batch_ = static_cast<std::uint32_t>(batch);
    claim();
  }

  void turn(Millis patience, LoadTurn& out) override {
    for (bool first = true;; first = false) {
      auto came = client_.receive(first ? patience : Millis(0));
      if (!came) give_up(came.error().to_string());
      if (!*came) return;
      take((*came)->envelope, out);
    }
  }

  void clean() override {
    for (std::size_t at = 0; at < ids_.size(); at += work::kBatchMax) {
      const auto last = std::min(ids_.size(), at + work::kBatchMax);
      const auto begin = ids_.begin() + static_cast<std::ptrdiff_t>(at);
      const auto end = ids_.begin() + static_cast<std::ptrdiff_t>(last);
      ask(work::Cancel{{begin, end}});
    }
  }

 private:
  void ask(const work::Command& command) {
    const wire::WorkRequest request{wire::WorkAsk::command, work::encode(command), 0, NodeId()};
    const auto answer = client_.call(leader_, request, kConnect);
    if (!answer) give_up(answer.error().to_string());
  }

  void send(std::uint64_t number, const work::Command& command, std::uint32_t wait_ms = 0) {
    wire::WorkRequest request{wire::WorkAsk::command, work::encode(command), wait_ms, NodeId()};
    const auto sent = client_.send(leader_, Correlation(number), std::move(request));
    if (!sent) give_up(sent.error().to_string());
  }

  void claim() {
    send(kClaiming, work::Claim{identity_.id, instance_, ++request_, batch_, {}}, kClaimWaitMs);
  }

  void take(const wire::Envelope& envelope, LoadTurn& out) {
    const std::uint64_t number = envelope.correlation.value();
    const auto* answer = std::get_if<wire::WorkReply>(&envelope.body);
    if (answer == nullptr || answer->outcome != wire::WorkOutcome::done) {
      if (number >= kClaiming) give_up("the leader does not take claims any more");
      out.failed.push_back(static_cast<std::uint32_t>(number - 1));
      return;
    }
    const auto reply = work::decode_reply(answer->body);
    if (!reply.ok()) give_up("an answer cannot be read");
    if (const auto* added = std::get_if<work::Added>(&reply.value)) {
      take_added(static_cast<std::uint32_t>(number - 1), *added, out);
    } else if (const auto* claimed = std::get_if<work::Claimed>(&reply.value)) {
      take_claimed(*claimed);
    } else {
      take_verdicts(number, std::get<work::Verdicts>(reply.value), out);
    }
  }

  void take_added(std::uint32_t client, const work::Added& added, LoadTurn& out) {
    if (added.outcome != work::Outcome::ok) {
      out.failed.push_back(client);
      return;
    }
    out.added.push_back(client);
    if (batch_ == 0) ids_.insert(ids_.end(), added.ids.begin(), added.ids.end());
  }

  void take_claimed(const work::Claimed& claimed) {
    if (claimed.outcome != work::Outcome::ok) give_up("a claim was refused");
    if (!claimed.grants.empty()) {
      work::Complete complete{identity_.id, {}};
      std::vector<std::uint64_t>& stamps = ending_[++endings_];
      for (const work::Grant& grant : claimed.grants) {
        stamps.push_back(stamp_of(grant.payload));
        complete.works.push_back({{grant.id, claimed.fence}, {}});
      }
      send(kEnding + endings_, complete);
    }
    claim();
  }

  void take_verdicts(std::uint64_t number, const work::Verdicts& verdicts, LoadTurn& out) {
    const auto stamps = ending_.extract(number - kEnding);
    if (stamps.empty()) give_up("an answer to nothing");
    if (verdicts.works.size() != stamps.mapped().size()) give_up("a completion was refused");
    for (const work::Judged& one : verdicts.works) {
      if (one.outcome != work::Outcome::ok) give_up("a completion was not accepted");
    }
    out.finished_ns.insert(out.finished_ns.end(), stamps.mapped().begin(), stamps.mapped().end());
  }

  NodeIdentity identity_;
  bus::Client client_;
  NodeId leader_;
  std::uint64_t nonce_ = draw();
  // One life over all runs, with numbers that go on growing: nobody has to attach anew.
  const Instance instance_{1};
  std::uint64_t request_ = now_ns();
  std::uint32_t batch_ = 0;
  std::uint64_t endings_ = 0;
  std::map<std::uint64_t, std::vector<std::uint64_t>> ending_;  // stamps by completion
  std::vector<work::WorkId> ids_;
};

}  // namespace

std::unique_ptr<LoadDriver> make_ours(const LoadOptions& options, std::size_t number) {
  auto identity = load_node_key(options.key_prefix + std::to_string(number));
  if (!identity) give_up(identity.error().to_string());
  auto driver = std::make_unique<OurDriver>(options, std::move(*identity));
  if (number == 1) driver->raise_bounds();
  return driver;
}

}  // namespace riftbus::bench
