#include "node/consensus/leader.h"

#include <algorithm>

namespace riftbus::consensus {

void Leader::begin(TimePoint now) {
  end();
  core_.role = Role::leader;
  core_.leader = core_.self();
  core_.leader_contact = now;
  ++core_.stats.elections_won;
  core_.announce(Happening::leads, core_.self());
  round_ = 0;
  was_settled_ = false;
  commits_ = applies_ = writes_ = ProgressWatch();
  for (ProgressWatch* watch : {&commits_, &applies_, &writes_}) watch->restart(now);
  follow_configuration(now);
  first_ = append(EntryKind::noop, "", now);
}

void Leader::end() {
  peers_.clear();
  clock_.stop();
  reads_.lose_all(core_.pending);
  hand_over_.reset();
  challenger_ = ServerId();
  beat_all_ = false;
}

Index Leader::append(EntryKind kind, std::string_view payload, TimePoint now) {
  const Index index = core_.log.last().next();
  const LogTime stamp = clock_.stamp(core_.log.last_stamp(), now);
  core_.append(keep({index, core_.hard.term, kind, stamp, payload}));
  return index;
}

void Leader::follow_configuration(TimePoint now) {
  const Configuration& configuration = core_.log.configuration();
  std::erase_if(peers_,
                [&](const auto& peer) { return configuration.find(peer.first) == nullptr; });
  for (const Server& server : configuration.servers()) {
    if (server.id == core_.self()) continue;
    peers_.try_emplace(server.id, core_.log.last().next(), now);
  }
}

Proposal Leader::propose(std::span<const std::string_view> commands, TimePoint now) {
  if (hand_over_) return {Refusal::transferring, {}, {}};
  std::uint64_t bytes = core_.log.bytes_between(core_.commit, core_.log.last());
  for (const std::string_view command : commands) {
    if (command.size() > kEntryBytesMax) return {Refusal::oversize, {}, {}};
    bytes += command.size() + kEntryOverheadBytes;
  }
  if (commands.empty()) return {Refusal::oversize, {}, {}};
  if (bytes > core_.limits().uncommitted_bytes) return {Refusal::overloaded, {}, {}};
  const Proposal proposal{Refusal::none, core_.log.last().next(), core_.hard.term};
  const LogTime stamp = clock_.stamp(core_.log.last_stamp(), now);
  std::vector<Entry> entries;
  entries.reserve(commands.size());
  for (const std::string_view command : commands) {
    const Index index = proposal.first + entries.size();
    entries.push_back({index, proposal.term, EntryKind::command, stamp, command});
  }
  for (EntryPtr& entry : keep(entries)) core_.append(std::move(entry));
  return proposal;
}

Refusal Leader::read(ReadTicket ticket) {
  if (reads_.count() >= core_.limits().reads) return Refusal::overloaded;
  reads_.add(ticket);
  return Refusal::none;
}

void Leader::on_append_answer(ServerId from, const AppendAnswer& answer, TimePoint now) {
  const auto found = peers_.find(from);
  if (found == peers_.end()) return;
  Progress& peer = found->second;
  peer.on_contact(std::min(answer.round, round_), now);
  if (answer.refused) {
    const bool was_lost = peer.lost_data();
    peer.on_refusal(answer.refused_index,
                    core_.log.agreement_before(answer.hint_index, answer.hint_term));
    if (!was_lost && peer.lost_data()) core_.announce(Happening::follower_lost_data, from);
    return;
  }
  // More than we ever had is not to be believed.
  if (answer.match > core_.log.last()) {
    ++core_.stats.malformed;
    return;
  }
  peer.on_match(answer.match);
  if (peer.mode() == Progress::Mode::snapshot && peer.match().next() >= core_.log.first()) {
    peer.end_snapshot();
    peer.on_match(answer.match);
  }
}

void Leader::advance_commit(TimePoint now) {
  const Index reached = core_.log.configuration().reached_by_majority([&](ServerId voter) {
    if (voter == core_.self()) return core_.durability.durable();
    const auto peer = peers_.find(voter);
    return peer == peers_.end() ? Index() : peer->second.match();
  });
  if (reached <= core_.commit) return;
  if (core_.log.term_at(reached) != core_.hard.term) return;  // figure 8
  const Index before = core_.commit;
  core_.commit = reached;
  on_committed(before, now);
}

void Leader::on_committed(Index before, TimePoint now) {
  if (!was_settled_ && is_settled()) {
    was_settled_ = true;
    clock_.start(core_.log.last_stamp(), now);
    core_.announce(Happening::settled, core_.self());
  }
  const Index changed = core_.log.configuration_index();
  if (changed > before && changed <= core_.commit) {
    core_.announce(Happening::reconfigured, core_.self());
  }
}

void Leader::advance(Index applied, TimePoint now) {
  applied_ = applied;
  commits_.observe(core_.log.last() > core_.commit, core_.commit.value(), now);
  applies_.observe(core_.commit > applied, applied.value(), now);
  writes_.observe(core_.durability.is_busy(), core_.durability.completed().value(), now);
  advance_hand_over(now);
  advance_takeover(now);
}

void Leader::settle_reads(Index applied) {
  if (reads_.count() == 0) return;
  const std::uint64_t echoed = core_.log.configuration().reached_by_majority([&](ServerId voter) {
    if (voter == core_.self()) return round_;
    const auto peer = peers_.find(voter);
    return peer == peers_.end() ? std::uint64_t{0} : peer->second.round();
  });
  reads_.settle(echoed, applied, core_.pending);
}

Reason Leader::verdict(TimePoint now) const {
  const Configuration& configuration = core_.log.configuration();
  if (!configuration.is_voter(core_.self()) && core_.log.configuration_index() <= core_.commit) {
    return Reason::removed;
  }
  const TimePoint heard = configuration.reached_by_majority([&](ServerId voter) {
    if (voter == core_.self()) return now;
    const auto peer = peers_.find(voter);
    return peer == peers_.end() ? TimePoint() : peer->second.contact();
  });
  if (now - heard >= core_.timing().election) return Reason::quorum_silent;
  for (const ProgressWatch* watch : {&commits_, &applies_, &writes_}) {
    if (watch->is_stalled(core_.timing().stall, now)) return Reason::no_progress;
  }
  return Reason::none;
}

TimePoint Leader::next_deadline() const {
  TimePoint due = TimePoint::max();
  for (const auto& [id, peer] : peers_) due = std::min(due, peer.beat_due());
  for (const ProgressWatch* watch : {&commits_, &applies_, &writes_}) {
    due = std::min(due, watch->due(core_.timing().stall));
  }
  const TimePoint heard = core_.log.configuration().reached_by_majority([&](ServerId voter) {
    const auto peer = peers_.find(voter);
    return peer == peers_.end() ? TimePoint::max() - core_.timing().election
                                : peer->second.contact();
  });
  due = std::min(due, heard + core_.timing().election);
  if (hand_over_) due = std::min(due, hand_over_->due);
  if (hand_over_ && hand_over_->asked) due = std::min(due, hand_over_->ask_due);
  // While it hands over, nobody else is judged.
  const bool is_challenged = challenger_ != ServerId() && !hand_over_;
  if (is_challenged) due = std::min(due, challenged_at_ + core_.timing().takeover);
  return due;
}

void Leader::describe(Status& status) const {
  status.settled = is_settled();
  for (const auto& [id, peer] : peers_) {
    status.peers.push_back({id, peer.match(), peer.contact(), peer.heard(), peer.lost_data()});
  }
  if (hand_over_) status.transfer_to = hand_over_->to;
}

}  // namespace riftbus::consensus
