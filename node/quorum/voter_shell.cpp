#include "node/quorum/voter_shell.h"

#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "bus/clock.h"
#include "bus/durable_file.h"
#include "bus/log.h"
#include "config/overload.h"
#include "node/consensus/codec.h"
#include "node/disk/sqlite_log_store.h"
#include "node/mesh/member_shell.h"

namespace riftbus::node {

namespace {

// Addresses change seldom; a message to each voter leaves hundreds of times a second.
constexpr Millis kAddressesFresh{500};
constexpr Seconds kRivalFresh{30};
constexpr std::uint16_t kSuperseded = 1714;
constexpr std::uint16_t kRemoved = 1715;
constexpr std::uint16_t kRival = 1716;
constexpr std::uint16_t kLogGone = 1720;
constexpr Millis kGatherMax{2};
constexpr std::size_t kTurnEntriesMax = 256;
constexpr std::size_t kTurnBytesMax = 256 * 1024;

// Beside the folder of the log: it says that there was one, so that a log that vanished is not
// taken for one that never was. A voter that begins anew without what it has acknowledged can help
// elect a leader that lacks it, too.
std::string birth_mark(const std::string& folder) { return folder + ".born"; }

Status check_birth(const std::string& folder) {
  const std::string mark = birth_mark(folder);
  const bool is_there = ::access((folder + "/log.db").c_str(), F_OK) == 0;
  if (is_there || !VoterShell::had_log(folder)) return Ok{};
  return Error{kLogGone, "the log of this voter is gone", folder,
               "put it back; or remove this voter, delete " + mark + ", start, and add it anew"};
}

Status mark_birth(const std::string& folder) {
  const std::string mark = birth_mark(folder);
  if (VoterShell::had_log(folder)) return Ok{};
  return create_file(mark, "a log was begun here\n", FilePrivacy::shared);
}

consensus::Configuration first_configuration(const std::vector<NodeId>& voters) {
  std::vector<consensus::Server> servers;
  for (const NodeId& voter : voters) {
    servers.push_back({replica::server_id_of(voter), consensus::Standing::voter, 0});
  }
  return {consensus::Generation(1), std::move(servers)};
}

bool is_alarming(consensus::Happening happening) {
  using consensus::Happening;
  return happening == Happening::steps_down || happening == Happening::disk_failed ||
         happening == Happening::diverged || happening == Happening::follower_lost_data ||
         happening == Happening::superseded || happening == Happening::removed ||
         happening == Happening::rival;
}

}  // namespace

consensus::ClusterKey cluster_key_of(const std::string& cluster, const std::string& authority) {
  const std::string text = cluster + '\n' + authority;
  return consensus::ClusterKey(XXH3_64bits(text.data(), text.size()));
}

bool VoterShell::had_log(const std::string& folder) {
  return ::access(birth_mark(folder).c_str(), F_OK) == 0;
}

// ---- start -------------------------------------------------------------------------------------

Result<OpenedLog> VoterShell::open_log(const VoterSetup& setup) {
  if (auto status = check_birth(setup.folder); !status) return status.error();
  if (auto status = make_private_directory(setup.folder); !status) return status.error();
  const consensus::ServerId self = replica::server_id_of(setup.self);
  auto store = disk::SqliteLogStore::open(setup.folder, {setup.cluster, self});
  if (!store) return store.error();
  std::optional<consensus::Memory> first;
  if (std::find(setup.first_voters.begin(), setup.first_voters.end(), setup.self) !=
      setup.first_voters.end()) {
    first = consensus::bootstrap(first_configuration(setup.first_voters));
  }
  auto start = LogDisk::load(**store, first ? &*first : nullptr);
  if (!start) return start.error();
  if (auto status = mark_birth(setup.folder); !status) return status.error();
  return OpenedLog{std::move(*store), std::move(*start)};
}

VoterShell::VoterShell(VoterSetup setup, OpenedLog log, bus::Bus& bus, MemberShell& members,
                       ServerNames& names, LeaderWatch& leader, Journal& journal)
    : setup_(std::move(setup)),
      id_(replica::server_id_of(setup_.self)),
      random_(setup_.seed),
      bus_(bus),
      members_(members),
      names_(names),
      leader_(leader),
      journal_(journal) {
  replica::ReplicaSettings settings;
  settings.log.self = id_;
  settings.log.cluster = setup_.cluster;
  settings.log.policy = setup_.policy;
  settings.log.timing = setup_.timing;
  settings.log.memory = std::move(log.start.memory);
  bound_turns(settings);
  replica_ = std::make_unique<replica::QueueReplica>(std::move(settings),
                                                     std::move(log.start.queue), random_);
  disk_ = std::make_unique<LogDisk>(std::move(log.store));
}

void bound_turns(replica::ReplicaSettings& settings) {
  settings.limits.applies_per_turn = 1;
  settings.limits.gather_max = kGatherMax;
  settings.log.limits.apply_entries = kTurnEntriesMax;
  settings.log.limits.apply_bytes = kTurnBytesMax;
}

// ---- what happens ------------------------------------------------------------------------------

void VoterShell::on_consensus(const bus::Received& received, TimePoint now) {
  ++counters_.received;
  auto message = consensus::decode(std::get<wire::Consensus>(received.envelope.body).bytes);
  if (!message) {
    ++counters_.malformed;
    return;
  }
  // Whoever speaks was proved by its key; for whom it speaks is its own claim.
  if (message->from != replica::server_id_of(received.envelope.origin) || message->to != id_) {
    ++counters_.impostors;
    return;
  }
  names_.add(received.envelope.origin);
  replica_->take(consensus::Event(consensus::Received{std::move(*message)}), now);
}

void VoterShell::on_disk(TimePoint now) {
  disk_done_.clear();
  disk_->collect(disk_done_);
  for (DiskDone& done : disk_done_) {
    std::visit(Overload{
                   [&](const consensus::Event& event) { replica_->take(event, now); },
                   [&](Installed& installed) {
                     replica_->install(installed.index, std::move(installed.queue), now);
                   },
                   [&](const PieceWritten&) { replica_->piece_written(); },
                   [&](const DiskTrouble& trouble) { fail(trouble.error, now); },
               },
               done);
  }
}

void VoterShell::fail(const Error& error, TimePoint now) {
  ++counters_.disk_failures;
  if (!has_disk_failed_) trouble_ = error;
  has_disk_failed_ = true;
  bus::write_error(error);
  journal_.note("disk", setup_.self, "takes no part in the log any more: " + error.to_string(),
                {now, bus::wall_now_ms()});
  replica_->take(consensus::Event(consensus::DiskFailed{}), now);
}

void VoterShell::set_alive(const std::set<NodeId>& alive, TimePoint now) {
  if (alive == alive_) return;
  alive_ = alive;
  consensus::Hint hint;
  for (const NodeId& node : alive) hint.alive.insert(replica::server_id_of(node));
  replica_->take(consensus::Event(std::move(hint)), now);
}

void VoterShell::set_policy(consensus::Policy policy, TimePoint now) {
  setup_.policy = policy;
  replica_->take(consensus::Event(consensus::PolicyChosen{policy}), now);
  journal_.note("policy", setup_.self, consensus::to_string(policy), {now, bus::wall_now_ms()});
}

consensus::Refusal VoterShell::transfer(const NodeId& to, TimePoint now) {
  return replica_->transfer(to.empty() ? consensus::ServerId() : replica::server_id_of(to), now);
}
consensus::Refusal VoterShell::change(const consensus::Change& change, TimePoint now) {
  return replica_->change(change, now).refusal;
}
consensus::Refusal VoterShell::recover(TimePoint now) { return replica_->recover(now); }

// ---- one turn ----------------------------------------------------------------------------------

void VoterShell::flush(TimePoint now, bool is_on_time) {
  if (is_on_time && now >= replica_->log().next_deadline())
    replica_->take(consensus::Event(consensus::Tick{}), now);
  actions_.clear();
  replica_->flush(now, actions_);
  for (auto& action : actions_) execute(action, now);
  disk_->commit();
  tell_leader(now);
  judge_standing(now);
}

TimePoint VoterShell::next_deadline(TimePoint now) const { return replica_->next_deadline(now); }

void VoterShell::tell_leader(TimePoint now) {
  const auto status = replica_->log().glance();
  leader_.set(names_.find(status.leader), reign_of(status.generation, status.term), now);
}

void VoterShell::judge_standing(TimePoint now) {
  const auto glance = replica_->log().glance();
  const bool is_well = glance.successor == consensus::Generation() && !glance.removed &&
                       glance.rival_heard == TimePoint();
  if (has_disk_failed_ || (is_well && !trouble_)) return;
  auto found = find_trouble(glance, now);
  const bool is_news = found && (!trouble_ || trouble_->code != found->code);
  if (is_news) bus::write_error(*found);
  if (is_news || !found) trouble_ = std::move(found);
}

std::optional<Error> VoterShell::find_trouble(const consensus::Glance& glance,
                                              TimePoint now) const {
  const std::string again = "stop it, delete " + setup_.folder + " and " +
                            birth_mark(setup_.folder) + ", start it, riftbus voter add " +
                            setup_.self.value();
  const auto number = [](consensus::Generation generation) {
    return std::to_string(generation.value());
  };
  if (glance.successor != consensus::Generation()) {
    return Error{
        kSuperseded, "the log of this voter was replaced by `leader recover`",
        "generation " + number(glance.successor) + ", this one has " + number(glance.generation),
        again};
  }
  if (glance.removed) {
    return Error{kRemoved, "this server was removed from the log", setup_.self.value(),
                 "if it is to vote: riftbus voter add " + setup_.self.value()};
  }
  const bool is_rivalled =
      glance.rival_heard != TimePoint() && now - glance.rival_heard < kRivalFresh;
  if (!is_rivalled) return std::nullopt;
  return Error{kRival, "another voter has recovered the cluster, too, beside this one",
               "generation " + number(glance.generation),
               "choose one; if it is the other: " + again};
}

void VoterShell::execute(replica::Action& action, TimePoint now) {
  std::visit(Overload{
                 [&](consensus::Send& send_it) { send(send_it.message, now); },
                 [&](consensus::Announce& announced) { announce(announced, now); },
                 [&](replica::Answer& answer) {
                   if (on_answer_) on_answer_(std::move(answer));
                 },
                 [&](auto& for_disk) { disk_->post(std::move(for_disk)); },
             },
             action);
}

void VoterShell::send(const consensus::Message& message, TimePoint now) {
  Peer& peer = peers_[message.to];
  if (peer.name.empty()) peer.name = names_.find(message.to);
  if (peer.name.empty()) {
    ++counters_.lost;  // nobody has told its name yet
    return;
  }
  if (now >= peer.known_until) {
    members_.make_known(peer.name);
    peer.known_until = now + kAddressesFresh;
  }
  const auto outcome =
      bus_.send(peer.name, Correlation(), wire::Consensus{consensus::encode(message)});
  const bool is_gone = outcome != bus::SendOutcome::sent && outcome != bus::SendOutcome::queued;
  ++(is_gone ? counters_.lost : counters_.sent);
}

void VoterShell::announce(const consensus::Announce& announced, TimePoint now) {
  const auto level = is_alarming(announced.happening) ? bus::LogLevel::warn : bus::LogLevel::info;
  const std::string subject =
      announced.subject == consensus::ServerId() ? "nobody" : names_.text(announced.subject);
  bus::write_log(level, std::string("leadership: ") + consensus::to_string(announced.happening),
                 {{"node", subject},
                  {"term", std::to_string(announced.term.value())},
                  {"reason", consensus::to_string(announced.reason)}});
  std::string detail = std::string(consensus::to_string(announced.happening)) + " in term " +
                       std::to_string(announced.term.value());
  if (announced.reason != consensus::Reason::none) {
    detail += std::string(", because of ") + consensus::to_string(announced.reason);
  }
  const NodeId name = announced.subject == id_ ? setup_.self : names_.find(announced.subject);
  journal_.note("leader", name, detail, {now, bus::wall_now_ms()});
}

}  // namespace riftbus::node
