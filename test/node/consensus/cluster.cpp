#include "test/node/consensus/cluster.h"

#include <algorithm>

namespace riftbus::consensus {

std::string Machine::dump() const {
  std::string bytes;
  for (const std::string& command : commands) bytes += command + "\n";
  return bytes;
}

Machine Machine::load(Index at, LogTime stamp, const std::string& bytes) {
  Machine machine{at, stamp, {}};
  std::size_t begin = 0;
  for (std::size_t end = bytes.find('\n'); end != std::string::npos;
       end = bytes.find('\n', begin)) {
    machine.commands.push_back(bytes.substr(begin, end - begin));
    begin = end + 1;
  }
  return machine;
}

Cluster::Cluster(std::uint64_t seed) : random_(seed) {}

// ---- servers ---------------------------------------------------------------------------------

void Cluster::start_voters(int count, Policy policy, std::vector<std::uint32_t> priorities) {
  std::vector<Server> servers;
  for (int i = 1; i <= count; ++i) {
    const auto place = static_cast<std::size_t>(i - 1);
    servers.push_back({server(static_cast<std::uint64_t>(i)), Standing::voter,
                       place < priorities.size() ? priorities[place] : 0});
  }
  const Memory memory = bootstrap(Configuration(Generation(1), servers));
  for (const Server& one : servers) {
    nodes_[one.id] = std::make_unique<Node>(random_.next());
    node(one.id).disk.memory = memory;
    node(one.id).policy = policy;
    boot(one.id);
  }
}

void Cluster::start_newcomer(ServerId id) {
  nodes_[id] = std::make_unique<Node>(random_.next());
  boot(id);
}

void Cluster::boot(ServerId id) {
  Node& it = node(id);
  Settings settings;
  settings.self = id;
  settings.cluster = ClusterKey(7);
  settings.policy = it.policy;
  settings.limits = limits;
  settings.timing = timing;
  settings.memory = it.disk.memory;
  it.core = std::make_unique<Consensus>(settings, it.random);
  it.machine =
      Machine::load(it.disk.memory.snapshot.index, it.disk.memory.snapshot.stamp, it.disk.snapshot);
  step(id, Tick{});
}

void Cluster::crash(ServerId id, std::size_t kept) {
  Node& it = node(id);
  for (; kept > 0 && !it.disk.writing.empty(); --kept) {
    reach_disk(it, it.disk.writing.front());
    it.disk.writing.pop_front();
  }
  it.disk.writing.clear();
  it.disk.incoming.clear();
  ++it.disk.epoch;
  it.core.reset();
  it.inbox.clear();
  it.paused = it.machine_hangs = it.disk.hangs = false;
}

void Cluster::restart(ServerId id) { boot(id); }

void Cluster::resume(ServerId id) {
  Node& it = node(id);
  it.paused = false;
  std::deque<Message> waiting;
  std::swap(waiting, it.inbox);
  for (Message& message : waiting) step(id, Received{std::move(message)});
}

void Cluster::hint(std::set<ServerId> alive) {
  for (const ServerId id : ids()) {
    if (node(id).is_up()) step(id, Hint{alive});
  }
}

std::vector<ServerId> Cluster::ids() const {
  std::vector<ServerId> result;
  for (const auto& [id, it] : nodes_) result.push_back(id);
  return result;
}

void Cluster::isolate(ServerId id) {
  for (const ServerId other : ids()) {
    if (other == id) continue;
    cut(id, other);
    cut(other, id);
  }
}

// ---- one turn of a server --------------------------------------------------------------------

void Cluster::step(ServerId id, const Event& event) {
  Node& it = node(id);
  if (!it.is_up()) return;
  it.core->take(event, now_);
  flush(id);
}

void Cluster::request(ServerId id, const std::function<void(Consensus&)>& what) {
  what(core(id));
  flush(id);
}

void Cluster::flush(ServerId id) {
  Actions out;
  core(id).flush(now_, out);
  observe(id);
  for (Action& action : out) perform(id, action);
}

void Cluster::observe(ServerId id) {
  const Status status = core(id).status();
  if (status.role != Role::leader) return;
  const auto [place, is_new] = leaders_.try_emplace(status.term, id);
  EXPECT_EQ(place->second, id) << "two leaders in term " << status.term.value();
}

void Cluster::perform(ServerId id, Action& action) {
  Node& it = node(id);
  if (auto* send = std::get_if<Send>(&action)) {
    deliver(std::move(send->message));
  } else if (const auto* one = std::get_if<Apply>(&action)) {
    apply(id, *one);
  } else if (const auto* read = std::get_if<ReadSnapshot>(&action)) {
    read_snapshot(id, *read);
  } else if (const auto* chunk = std::get_if<StoreChunk>(&action)) {
    if (chunk->offset == 0) it.disk.incoming.clear();
    EXPECT_EQ(it.disk.incoming.size(), chunk->offset);
    it.disk.incoming += chunk->bytes;
  } else if (const auto* ready = std::get_if<ReadReady>(&action)) {
    it.ready[ready->ticket] = ready->index;
  } else if (const auto* lost = std::get_if<ReadLost>(&action)) {
    it.lost.insert(lost->ticket);
  } else if (const auto* news = std::get_if<Announce>(&action)) {
    it.news.push_back(*news);
  } else {
    write(id, std::move(action));
  }
}

// ---- links -----------------------------------------------------------------------------------

void Cluster::deliver(Message message) {
  if (cuts_.contains({message.from, message.to}) || !nodes_.contains(message.to)) return;
  if (random_.chance(loss) || (drop && drop(message))) return;
  const std::string bytes = encode(message);
  EXPECT_LE(bytes.size(), kConsensusMessageBytesMax);
  const int copies = random_.chance(repeats) ? 2 : 1;
  TimePoint& last = last_delivery_[{message.from, message.to}];
  for (int copy = 0; copy < copies; ++copy) {
    last = std::max(last, now_ + Nanos(random_.between(delay_min.count(), delay_max.count())));
    at(last, [this, bytes] {
      auto decoded = decode(bytes);
      ASSERT_TRUE(decoded.has_value());
      if (cuts_.contains({decoded->from, decoded->to})) return;
      Node& it = node(decoded->to);
      if (!it.is_up()) return;
      if (it.paused) {
        it.inbox.push_back(std::move(*decoded));
      } else {
        const ServerId to = decoded->to;
        step(to, Received{std::move(*decoded)});
      }
    });
  }
}

// ---- disks -----------------------------------------------------------------------------------

void Cluster::write(ServerId id, Action action) {
  Disk& disk = node(id).disk;
  std::string state;
  if (const auto* take = std::get_if<TakeSnapshot>(&action)) {
    EXPECT_EQ(take->meta.index, node(id).machine.at);
    state = node(id).machine.dump();
  }
  disk.writing.push_back({std::move(action), std::move(state)});
  at(now_ + disk.delay, [this, id, epoch = disk.epoch] { finish_write(id, epoch); });
}

void Cluster::finish_write(ServerId id, std::uint64_t epoch) {
  Node& it = node(id);
  if (it.disk.epoch != epoch) return;
  if (it.disk.hangs || it.paused) {
    at(now_ + Millis(10), [this, id, epoch] { finish_write(id, epoch); });
    return;
  }
  if (it.disk.writing.empty()) return;
  const Write write = std::move(it.disk.writing.front());
  it.disk.writing.pop_front();
  reach_disk(it, write);
  complete(id, write.action);
}

void Cluster::reach_disk(Node& it, const Write& write) {
  const Action& action = write.action;
  Memory& memory = it.disk.memory;
  if (const auto* persist = std::get_if<Persist>(&action)) {
    if (persist->hard) memory.hard = *persist->hard;
    if (persist->cut_from != Index()) {
      std::erase_if(memory.entries,
                    [&](const EntryPtr& e) { return e->index >= persist->cut_from; });
    }
    for (const EntryPtr& entry : persist->entries) {
      const Index last =
          memory.entries.empty() ? memory.snapshot.index : memory.entries.back()->index;
      EXPECT_EQ(entry->index, last.next()) << "a hole in the log on disk";
      memory.entries.push_back(entry);
    }
  } else if (const auto* compact = std::get_if<Compact>(&action)) {
    std::erase_if(memory.entries, [&](const EntryPtr& e) { return e->index <= compact->up_to; });
  } else if (const auto* install = std::get_if<InstallSnapshot>(&action)) {
    memory.snapshot = install->meta;
    memory.entries.clear();
    it.disk.snapshot = it.disk.incoming;
  } else if (const auto* take = std::get_if<TakeSnapshot>(&action)) {
    memory.snapshot = take->meta;
    it.disk.snapshot = write.snapshot;
  }
}

void Cluster::complete(ServerId id, const Action& action) {
  Node& it = node(id);
  if (const auto* persist = std::get_if<Persist>(&action)) {
    step(id, Persisted{persist->seq});
  } else if (const auto* install = std::get_if<InstallSnapshot>(&action)) {
    it.machine = Machine::load(install->meta.index, install->meta.stamp, it.disk.snapshot);
    step(id, SnapshotInstalled{install->meta.index, true});
  } else if (const auto* take = std::get_if<TakeSnapshot>(&action)) {
    step(id, SnapshotTaken{take->meta.index, true, it.disk.snapshot.size()});
  }
}

void Cluster::apply(ServerId id, const Apply& action) {
  Node& it = node(id);
  for (const EntryPtr& entry : action.entries) {
    EXPECT_EQ(entry->index, it.machine.at.next());
    EXPECT_GE(entry->stamp, it.machine.stamp);
    const std::pair<Term, std::string> content{entry->term, entry->payload};
    const auto [place, is_new] = decided_.try_emplace(entry->index, content);
    EXPECT_EQ(place->second, content) << "server " << id.value() << " at " << entry->index.value();
    const auto promised = acknowledged_.find(entry->index);
    if (promised != acknowledged_.end()) {
      EXPECT_EQ(promised->second, content);
    }
    it.machine.at = entry->index;
    it.machine.stamp = entry->stamp;
    if (entry->kind == EntryKind::command) it.machine.commands.emplace_back(entry->payload);
  }
  if (it.machine_hangs) return;
  at(now_, [this, id, epoch = it.disk.epoch, index = action.entries.back()->index] {
    if (node(id).disk.epoch == epoch) step(id, Applied{index});
  });
}

void Cluster::read_snapshot(ServerId id, const ReadSnapshot& action) {
  const Disk& disk = node(id).disk;
  SnapshotBytes bytes{action.to, disk.memory.snapshot, action.offset, disk.snapshot.size(), ""};
  if (action.offset <= disk.snapshot.size()) {
    bytes.bytes = disk.snapshot.substr(action.offset, action.bytes_max);
  }
  at(now_ + disk.delay, [this, id, bytes, epoch = disk.epoch] {
    if (node(id).disk.epoch == epoch) step(id, bytes);
  });
}

// ---- time ------------------------------------------------------------------------------------

TimePoint Cluster::next_time() {
  TimePoint next = queue_.empty() ? TimePoint::max() : queue_.begin()->first.first;
  for (auto& [id, it] : nodes_) {
    if (it->is_up() && !it->paused) next = std::min(next, it->core->next_deadline());
  }
  return next;
}

void Cluster::tick() {
  while (!queue_.empty() && queue_.begin()->first.first <= now_) {
    const auto what = std::move(queue_.begin()->second);
    queue_.erase(queue_.begin());
    what();
  }
  for (auto& [id, it] : nodes_) {
    if (it->is_up() && !it->paused && it->core->next_deadline() <= now_) step(id, Tick{});
  }
}

void Cluster::run(Nanos span) {
  const TimePoint end = now_ + span;
  std::uint64_t steps = 0;
  while (!testing::Test::HasFatalFailure()) {
    const TimePoint next = std::max(now_, next_time());
    if (next > end) break;
    steps = next == now_ ? steps + 1 : 0;
    ASSERT_LT(steps, 100000U) << "time stands still";
    now_ = next;
    tick();
  }
  now_ = end;
}

Nanos Cluster::run_until(const std::function<bool()>& what, Nanos limit) {
  const TimePoint begin = now_;
  while (!what()) {
    if (now_ - begin > limit) {
      ADD_FAILURE() << "not within " << format_span(limit);
      return now_ - begin;
    }
    run(Millis(5));
  }
  return now_ - begin;
}

// ---- clients ---------------------------------------------------------------------------------

ServerId Cluster::leader() {
  ServerId best;
  Term term;
  for (auto& [id, it] : nodes_) {
    if (!it->is_up() || it->paused) continue;
    const Status status = it->core->status();
    if (status.role == Role::leader && status.settled && status.term > term) {
      best = id;
      term = status.term;
    }
  }
  return best;
}

ServerId Cluster::await_leader(Nanos limit) {
  run_until([&] { return leader() != ServerId(); }, limit);
  return leader();
}

Proposal Cluster::propose(ServerId to, const std::string& command) {
  Proposal proposal;
  request(to, [&](Consensus& core) { proposal = core.propose(command, now_); });
  return proposal;
}

void Cluster::acknowledge(const Proposal& proposal, const std::string& command) {
  acknowledged_[proposal.first] = {proposal.term, command};
}

bool Cluster::has_applied(ServerId id, const std::string& command) {
  const auto& commands = node(id).machine.commands;
  return std::find(commands.begin(), commands.end(), command) != commands.end();
}

void Cluster::commit(const std::string& command) {
  const ServerId to = await_leader();
  ASSERT_NE(to, ServerId()) << "nobody leads";
  const Proposal proposal = propose(to, command);
  ASSERT_TRUE(proposal.ok()) << to_string(proposal.refusal);
  run_until([&] { return has_applied(to, command); });
  acknowledge(proposal, command);
}

void Cluster::change(const Change& change) {
  const ServerId to = await_leader();
  Proposal proposal;
  run_until([&] {
    request(to, [&](Consensus& core) { proposal = core.change(change, now_); });
    return proposal.ok();
  });
  run_until([&] { return !node(to).is_up() || core(to).status().commit >= proposal.first; });
}

bool Cluster::agree() {
  const ServerId best = leader();
  if (best == ServerId()) return false;
  const Index last = core(best).status().last;
  return std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& entry) {
    const bool is_member = core(best).configuration().find(entry.first) != nullptr;
    return !is_member || !entry.second->is_up() || entry.second->machine.at == last;
  });
}

}  // namespace riftbus::consensus
