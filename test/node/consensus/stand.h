// Stand: one consensus server under test; its peers and its disk are played by the test.
//
// Server 1 is ours. Everything it says is kept in `sent`, everything it asks of the disk in
// `writes`; the disk answers at once unless `disk_waits`. Time passes only in pass().
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/consensus/codec.h"
#include "node/consensus/consensus.h"

namespace riftbus::consensus {

class Stand : public testing::Test {
 protected:
  static constexpr std::uint64_t kSelf = 1;

  // A log: the bootstrap entry of term 1, then one command for each given term.
  static Memory remembered(int voters, const std::vector<std::uint64_t>& terms, std::uint64_t term,
                           std::uint64_t vote = 0) {
    std::vector<Server> servers;
    for (int i = 1; i <= voters; ++i) {
      servers.push_back({ServerId(static_cast<std::uint64_t>(i)), Standing::voter, 0});
    }
    Memory memory = bootstrap(Configuration(Generation(1), servers));
    for (const std::uint64_t entry_term : terms) {
      memory.entries.push_back(entry(memory.entries.size() + 1, entry_term));
    }
    memory.hard.term = Term(term);
    memory.hard.vote = ServerId(vote);
    return memory;
  }
  static EntryPtr entry(std::uint64_t index, std::uint64_t term, const std::string& text = "x") {
    return keep(Entry{Index(index), Term(term), EntryKind::command, LogTime(), text});
  }

  void start(Memory memory) {
    Settings settings;
    settings.self = ServerId(kSelf);
    settings.cluster = ClusterKey(7);
    settings.timing = timing;
    settings.limits = limits;
    settings.memory = std::move(memory);
    core = std::make_unique<Consensus>(settings, random);
    sent.clear();
    writes.clear();
    done = 0;
    applied = told_applied = Index();
    step(Tick{});
  }

  void step(const Event& event) {
    Actions out;
    core->step(event, now, out);
    perform(out);
  }
  void flush() {
    Actions out;
    core->flush(now, out);
    perform(out);
  }
  void perform(Actions& out) {
    for (Action& action : out) {
      if (auto* send = std::get_if<Send>(&action)) sent.push_back(std::move(send->message));
      if (auto* write = std::get_if<Persist>(&action)) writes.push_back(std::move(*write));
      if (auto* apply = std::get_if<Apply>(&action)) applied = apply->entries.back()->index;
      if (auto* news = std::get_if<Announce>(&action)) announced.push_back(*news);
      if (auto* ready = std::get_if<ReadReady>(&action)) reads_ready.push_back(ready->ticket);
      if (auto* lost = std::get_if<ReadLost>(&action)) reads_lost.push_back(lost->ticket);
      if (std::get_if<InstallSnapshot>(&action) != nullptr) ++installs;
      if (std::get_if<TakeSnapshot>(&action) != nullptr) ++snapshots_asked;
    }
    if (applied > told_applied && !machine_waits) {
      told_applied = applied;
      step(Applied{applied});
    }
    if (!disk_waits && done < writes.size()) finish_writes(writes.size());
  }
  // The first `count` writes, in all.
  void finish_writes(std::size_t count) {
    while (done < count) step(Persisted{writes[done++].seq});
  }

  void receive(std::uint64_t from, std::uint64_t term, MessageBody body,
               std::uint64_t generation = 1) {
    step(Received{Message{ClusterKey(7), Generation(generation), ServerId(from), ServerId(kSelf),
                          Term(term), std::move(body)}});
  }
  // As the leader of `term`.
  void append(std::uint64_t from, std::uint64_t term, std::uint64_t prev, std::uint64_t prev_term,
              Entries entries, std::uint64_t commit = 0, std::uint64_t last = 0) {
    receive(
        from, term,
        Append{Index(prev), Term(prev_term), Index(commit), Index(last), 0, std::move(entries)});
  }
  void acknowledge(std::uint64_t from, std::uint64_t match, std::uint64_t round = 0) {
    receive(from, core->status().term.value(),
            AppendAnswer{Index(match), round, false, Index(), Index(), Term()});
  }

  void pass(Nanos span) {
    const TimePoint end = now + span;
    while (core->next_deadline() <= end) {
      now = std::max(now, core->next_deadline());
      step(Tick{});
    }
    now = end;
  }
  // With the votes of 2 and 3.
  void win_election() {
    pass(timing.election * 2);
    ASSERT_EQ(core->status().role, Role::pre_candidate);
    grant(true);
    ASSERT_EQ(core->status().role, Role::candidate);
    grant(false);
    ASSERT_EQ(core->status().role, Role::leader);
  }
  void grant(bool pre_vote) {
    const Term term = core->status().term;
    const Term campaign = pre_vote ? term.next() : term;
    receive(2, term.value(), VoteAnswer{pre_vote, true, campaign});
  }

  template <class Body>
  [[nodiscard]] std::vector<Body> said(std::uint64_t to) const {
    std::vector<Body> result;
    for (const Message& message : sent) {
      const auto* body = std::get_if<Body>(&message.body);
      if (body != nullptr && message.to == ServerId(to)) result.push_back(*body);
    }
    return result;
  }
  template <class Body>
  [[nodiscard]] std::optional<Body> last_said(std::uint64_t to) const {
    const auto all = said<Body>(to);
    return all.empty() ? std::nullopt : std::optional<Body>(all.back());
  }
  [[nodiscard]] std::uint64_t acknowledged(std::uint64_t to) const {
    const auto answer = last_said<AppendAnswer>(to);
    return answer && !answer->refused ? answer->match.value() : 0;
  }
  [[nodiscard]] bool was_announced(Happening happening) const {
    for (const Announce& news : announced) {
      if (news.happening == happening) return true;
    }
    return false;
  }
  [[nodiscard]] std::uint64_t commit() const { return core->status().commit.value(); }

  Random random{1};
  Timing timing;
  Limits limits;
  TimePoint now{Seconds(1000)};
  std::unique_ptr<Consensus> core;
  bool disk_waits = false;
  std::size_t done = 0;
  std::vector<Message> sent;
  std::vector<Persist> writes;
  std::vector<Announce> announced;
  std::vector<ReadTicket> reads_ready, reads_lost;
  Index applied, told_applied;
  bool machine_waits = false;
  int installs = 0;
  int snapshots_asked = 0;
};

}  // namespace riftbus::consensus
