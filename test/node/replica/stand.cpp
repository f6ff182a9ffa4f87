#include "test/node/replica/stand.h"

#include <algorithm>

#include "node/work/snapshot.h"

namespace riftbus::replica {

namespace {

constexpr Millis kStep{5};

consensus::ServerId server(std::size_t number) { return consensus::ServerId(number + 1); }

}  // namespace

work::Add add_items(std::size_t count, std::uint64_t nonce, std::uint32_t lease_ms) {
  work::Add add;
  add.nonce = nonce;
  add.items.resize(count);
  for (auto& item : add.items) {
    item.kind = "job";
    item.payload = "x";
    item.terms.lease_ms = lease_ms;
  }
  return add;
}

work::Claim claim(const NodeId& worker, std::uint64_t request, std::uint32_t max) {
  work::Claim one;
  one.worker = worker;
  one.instance = Instance(7);
  one.request = request;
  one.max = max;
  return one;
}

Stand::Stand(int voters, std::uint64_t snapshot_entries) : snapshot_entries_(snapshot_entries) {
  std::vector<consensus::Server> servers;
  hosts_.resize(static_cast<std::size_t>(voters));
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    servers.push_back({server(i), consensus::Standing::voter, 0});
  }
  const auto memory =
      consensus::bootstrap(consensus::Configuration(consensus::Generation(1), servers));
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    hosts_[i].disk = memory;
    boot(i);
  }
}

void Stand::boot(std::size_t number) {
  Host& host = hosts_[number];
  ReplicaSettings settings;
  settings.limits.snapshot_piece_bytes = 100;
  settings.log.self = server(number);
  settings.log.cluster = consensus::ClusterKey(1);
  settings.log.memory = host.disk;
  settings.log.limits.snapshot_entries = snapshot_entries_;
  work::WorkQueue queue;
  if (!host.snapshot.empty()) queue = work::read_snapshot(host.snapshot).value();
  host.random = std::make_unique<Random>(number + 1);
  host.inbox.clear();
  host.replica =
      std::make_unique<QueueReplica>(std::move(settings), std::move(queue), *host.random);
}

void Stand::restart(std::size_t number) { boot(number); }

void Stand::run(Nanos span) {
  for (const TimePoint end = now_ + span; now_ < end; now_ += kStep) turn();
}

void Stand::run_until(const std::function<bool()>& what, Nanos limit) {
  for (const TimePoint end = now_ + limit; !what(); now_ += kStep) {
    ASSERT_LT(now_, end) << "waited in vain";
    turn();
  }
}

void Stand::turn() {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    Host& host = hosts_[i];
    std::deque<consensus::Event> inbox;
    inbox.swap(host.inbox);
    for (const auto& event : inbox) host.replica->take(event, now_);
    host.replica->take(consensus::Event(consensus::Tick{}), now_);
    Actions out;
    host.replica->flush(now_, out);
    for (auto& action : out) execute(i, action);
  }
}

void Stand::keep(Host& host, const consensus::Persist& write) {
  auto& entries = host.disk.entries;
  if (write.cut_from != consensus::Index()) {
    std::erase_if(entries, [&](const auto& entry) { return entry->index >= write.cut_from; });
  }
  entries.insert(entries.end(), write.entries.begin(), write.entries.end());
  if (write.hard) host.disk.hard = *write.hard;
}

void Stand::execute(std::size_t number, Action& action) {
  Host& host = hosts_[number];
  if (const auto* write = std::get_if<consensus::Persist>(&action)) {
    ++persists;
    keep(host, *write);
    host.inbox.push_back(consensus::Persisted{write->seq});
  } else if (auto* send = std::get_if<consensus::Send>(&action)) {
    ++sends;
    const auto to = static_cast<std::size_t>(send->message.to.value() - 1);
    if (cut_.contains(number) || cut_.contains(to)) return;
    hosts_[to].inbox.push_back(consensus::Received{std::move(send->message)});
  } else if (auto* answer = std::get_if<Answer>(&action)) {
    ++answers_seen;
    EXPECT_FALSE(answers_.contains(answer->ticket)) << "answered twice";
    answers_.emplace(answer->ticket, std::move(*answer));
  } else if (const auto* snapshot = std::get_if<SnapshotPiece>(&action)) {
    host.replica->piece_written();
    if (snapshot->is_first) host.draft.clear();
    host.draft += snapshot->bytes;
    if (!snapshot->is_last) return;
    ++snapshots;
    host.snapshot = host.draft;
    host.disk.snapshot = snapshot->meta;
    std::erase_if(host.disk.entries,
                  [&](const auto& entry) { return entry->index <= snapshot->meta.index; });
    host.inbox.push_back(consensus::SnapshotTaken{snapshot->meta.index, true});
  }
}

std::size_t Stand::await_leader() {
  std::size_t found = 0;
  run_until([&] {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      if (cut_.contains(i) || !hosts_[i].replica->is_leading()) continue;
      found = i;
      return true;
    }
    return false;
  });
  return found;
}

Ticket Stand::give(std::size_t number, Request request) {
  const Ticket ticket = next_ticket();
  std::visit(
      [&](auto& one) {
        if constexpr (requires { one.ticket; }) one.ticket = ticket;
      },
      request);
  hosts_[number].replica->take(std::move(request), now_);
  return ticket;
}

Ticket Stand::ask(std::size_t number, work::Command command, Nanos wait) {
  return give(number, Submit{Ticket(), std::move(command), {}, wait});
}

const Answer* Stand::answer_to(Ticket ticket) const {
  const auto at = answers_.find(ticket);
  return at == answers_.end() ? nullptr : &at->second;
}

const Answer& Stand::await(Ticket ticket, Nanos limit) {
  run_until([&] { return answer_to(ticket) != nullptr; }, limit);
  return *answer_to(ticket);
}

work::Reply Stand::commit(const work::Command& command) {
  for (int tries = 0; tries < 50; ++tries) {
    const Answer& answer = await(ask(await_leader(), command));
    if (const auto* reply = std::get_if<work::Reply>(&answer.body)) return *reply;
  }
  ADD_FAILURE() << "never done";
  return {};
}

}  // namespace riftbus::replica
