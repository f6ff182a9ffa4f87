// Progress: what a leader knows of one follower, and how much it dares to send.
//
//   probe     where do the logs agree? One message at a time.
//   stream    they agree up to next - 1, as far as nothing was lost: a window of messages, unasked
//   snapshot  it needs entries that are gone: pieces of the newest snapshot, a window of them
//
// A lost message shows when the next one, or a heartbeat, is refused; back to probing from the
// place that the refusal names. `match` only grows: what was acknowledged was durable. A follower
// that refuses what it acknowledged has lost data, and is not sent anything that it could then
// count a second time.
//
// Pure value; not thread-safe.
#pragma once

#include <deque>

#include "node/consensus/consensus.h"
#include "node/consensus/types.h"

namespace riftbus::consensus {

class Progress {
 public:
  enum class Mode : std::uint8_t { probe, stream, snapshot };
  struct Transfer {
    SnapshotMeta meta;
    std::uint64_t acknowledged = 0;  // bytes
    std::uint64_t asked = 0;         // of our own disk
    std::uint64_t total = 0;         // 0: not known before the first piece
    TimePoint moved{};
  };
  static constexpr int kDeniesMax = 3;  // refusals of what was acknowledged, without any answer

  Progress(Index next, TimePoint now) : next_(next), contact_(now), beat_due_(now) {}

  // ---- what is sent
  [[nodiscard]] bool has_room(const Limits& limits) const;
  void on_sent(Index last, std::size_t bytes);
  void begin_snapshot(const SnapshotMeta& meta, TimePoint now);
  void end_snapshot();
  // At each heartbeat: a probe may have been lost.
  void allow_probe() { probing_ = false; }

  // ---- what comes back
  void on_contact(std::uint64_t round, TimePoint now);
  // True if match grew.
  bool on_match(Index match);
  // `agreement`: where the leader's log may agree with the follower's.
  void on_refusal(Index refused, Index agreement);

  [[nodiscard]] Mode mode() const { return mode_; }
  [[nodiscard]] Index match() const { return match_; }
  [[nodiscard]] Index next() const { return next_; }
  [[nodiscard]] TimePoint contact() const { return contact_; }
  [[nodiscard]] bool heard() const { return heard_; }
  [[nodiscard]] std::uint64_t round() const { return round_; }
  [[nodiscard]] bool lost_data() const { return denies_ >= kDeniesMax; }
  [[nodiscard]] TimePoint beat_due() const { return beat_due_; }
  void set_beat_due(TimePoint due) { beat_due_ = due; }
  Transfer& transfer() { return transfer_; }

 private:
  struct Flight {
    Index last;
    std::size_t bytes = 0;
  };
  void probe_from(Index next);

  Mode mode_ = Mode::probe;
  Index match_;
  Index next_;
  bool probing_ = false;  // one is under way
  std::deque<Flight> flights_;
  std::uint64_t flight_bytes_ = 0;
  TimePoint contact_;
  bool heard_ = false;
  std::uint64_t round_ = 0;
  int denies_ = 0;
  TimePoint beat_due_;
  Transfer transfer_;
};

}  // namespace riftbus::consensus
