#include "test/sim/queue/witness.h"

#include <algorithm>
#include <string_view>

#include "node/work/codec.h"
#include "node/work/query.h"
#include "node/work/snapshot.h"
#include "test/sim/queue/number.h"
#include "test/sim/queue/world.h"

namespace riftbus::consensus {

namespace {

std::uint64_t hash_of(const work::WorkQueue& queue) {
  return std::hash<std::string_view>()(work::write_snapshot(queue));
}

}  // namespace

void Witness::blame(const Voter& voter, const std::string& what) {
  world_.blame("voter " + number(voter.id().value()) + ": " + what);
}

void Witness::begin(const Memory& memory) {
  for (const EntryPtr& entry : memory.entries) history_.push_back({entry, entry->term});
}

// ---- logs ------------------------------------------------------------------------------------

void Witness::wrote(const Voter& voter, const Persist& write) {
  if (!voter.told().problem.empty()) blame(voter, voter.told().problem);
  for (const EntryPtr& entry : write.entries) {
    const Entry* before = voter.told().find(entry->index - 1);
    const Term term_before = before == nullptr ? Term() : before->term;
    const auto [place, is_new] =
        known_.try_emplace({entry->term, entry->index}, term_before, entry.get());
    if (is_new) {
      kept_.push_back(entry);
      continue;
    }
    auto& [known_before, known] = place->second;
    if (known != entry.get() && !(*known == *entry)) {
      blame(voter, "log matching: two entries at " + number(entry->index.value()));
    }
    // What a snapshot covers is not known.
    if (known_before == Term()) known_before = term_before;
    if (term_before != Term() && known_before != term_before) {
      blame(voter, "log matching: different entries before " + number(entry->index.value()));
    }
  }
}

void Witness::check_leader(const Voter& voter, Term term) {
  const auto [place, is_new] = leaders_.try_emplace(term, voter.id());
  if (place->second != voter.id()) {
    return blame(voter, "a second leader of term " + number(term.value()) + " beside " +
                            number(place->second.value()));
  }
  if (!is_new) return;
  for (const Decided& decided : history_) {
    if (decided.committed_by >= term) continue;
    if (voter.told().holds(decided.entry->index, decided.entry->term)) continue;
    return blame(voter, "leads term " + number(term.value()) + " without the committed entry " +
                            number(decided.entry->index.value()));
  }
}

void Witness::stood(Voter& voter) {
  const Status status = voter.status();
  if (status.role == Role::leader) check_leader(voter, status.term);
  if (status.applied > voter.seen_applied) follow(voter, status);
  const std::uint64_t at = voter.replica().queue().applied_index();
  if (at >= voter.compared_at.value() + kCompareEvery) compare(voter);
}

void Witness::follow(Voter& voter, const Status& status) {
  for (Index index = voter.seen_applied.next(); index <= status.applied; index = index.next()) {
    const std::size_t place = static_cast<std::size_t>(index.value() - 1);
    const Entry* entry = voter.told().find(index);
    if (entry == nullptr) {
      blame(voter, "applied " + number(index.value()) + ", which is not in its log");
      break;
    }
    if (place < history_.size()) {
      if (!(*history_[place].entry == *entry)) {
        blame(voter, "state machine safety: applied another entry at " + number(index.value()));
      }
      continue;
    }
    const std::size_t offset =
        static_cast<std::size_t>(index.value() - voter.told().entries.front()->index.value());
    decide(voter, voter.told().entries[offset], status);
  }
  voter.seen_applied = status.applied;
}

void Witness::decide(const Voter& voter, const EntryPtr& entry, const Status& status) {
  if (entry->index != decided().next()) return blame(voter, "applied with a gap");
  check_majority(voter, *entry);
  check_time(*entry);
  history_.push_back({entry, status.term});
  apply(*entry);
}

void Witness::check_majority(const Voter& voter, const Entry& entry) {
  const Configuration& configuration = voter.replica().log().configuration();
  std::size_t holders = 0;
  for (const ServerId id : configuration.voters()) {
    const Voter* other = world_.find(id);
    if (other != nullptr && other->disk().image().holds(entry.index, entry.term)) ++holders;
  }
  if (holders >= configuration.majority()) return;
  // A follower may know of a later configuration than the one that committed.
  if (voter.status().role != Role::leader) return;
  blame(voter, "committed " + number(entry.index.value()) + " on " + number(holders) + " of " +
                   number(configuration.voter_count()) + " disks");
}

void Witness::check_time(const Entry& entry) {
  if (!history_.empty() && entry.stamp < history_.back().entry->stamp) {
    world_.blame("log time went back at " + number(entry.index.value()));
  }
  const auto true_ms = static_cast<double>(to_ms(world_.elapsed()));
  if (static_cast<double>(entry.stamp.value()) > true_ms * 1.01 + 2) {
    world_.blame("log time runs faster than any clock");
  }
}

void Witness::apply(const Entry& entry) {
  if (entry.kind != EntryKind::command) return;
  const auto decoded = work::decode_command(entry.payload);
  if (!decoded.ok()) return world_.blame("an entry cannot be decoded");
  const work::Stamp stamp{entry.index.value(), entry.term.value(),
                          static_cast<work::LogMs>(entry.stamp.value())};
  const work::Reply reply = reference_.apply(stamp, decoded.value);
  const std::size_t before = checker_.violations().size();
  checker_.saw(stamp, decoded.value, reply);
  if (checker_.violations().size() > before) world_.blame(checker_.violations().back());
  if (const auto* added = std::get_if<work::Added>(&reply)) {
    added_.insert(added->ids.begin(), added->ids.end());
  } else if (const auto* claimed = std::get_if<work::Claimed>(&reply)) {
    judge_grants(*claimed);
  } else if (const auto* expire = std::get_if<work::Expire>(&decoded.value)) {
    judge_expiry(*expire, std::get<work::Verdicts>(reply));
  } else if (std::holds_alternative<work::Complete>(decoded.value)) {
    for (const auto& judged : std::get<work::Verdicts>(reply).works) {
      if (judged.outcome != work::Outcome::ok) continue;
      if (!completed_.insert(judged.id).second) world_.blame("completed twice");
    }
  }
}

void Witness::judge_grants(const work::Claimed& claimed) {
  bool is_new = false;
  for (const auto& grant : claimed.grants) {
    const work::Hold hold{grant.id, claimed.fence};
    if (!granted_.insert(hold).second) continue;  // the repeated answer to a repeated claim
    is_new = true;
    promise(hold, world_.schedule().now());
  }
  if (is_new && claimed.fence <= newest_) world_.blame("a token that does not rise");
  newest_ = std::max(newest_, claimed.fence);
}

void Witness::promise(const work::Hold& hold, TimePoint from) {
  const work::Item* item = reference_.ledger().find(hold.id);
  if (item == nullptr || item->fence != hold.fence) return;
  const Nanos lease = Millis(reference_.ledger().terms(*item).terms.lease_ms);
  TimePoint& until = promised_[hold];
  until = std::max(until, from + lease / 100 * 99);  // clocks differ by less
}

void Witness::judge_expiry(const work::Expire& command, const work::Verdicts& verdicts) {
  if (command.lapse != work::Lapse::silence) return;
  for (std::size_t i = 0; i < verdicts.works.size(); ++i) {
    if (verdicts.works[i].outcome != work::Outcome::ok) continue;
    const auto promised = promised_.find(command.works[i].hold);
    if (promised == promised_.end() || world_.schedule().now() >= promised->second) continue;
    world_.blame("#" + number(promised->first.id.value()) + " was taken away before its time");
  }
}

// ---- queues ----------------------------------------------------------------------------------

void Witness::compare(Voter& voter) {
  const work::WorkQueue& queue = voter.replica().queue();
  const std::uint64_t at = queue.applied_index();
  if (reference_.applied_index() == at && !queue_at_.contains(at)) {
    queue_at_[at] = hash_of(reference_);
  }
  const auto known = queue_at_.find(at);
  if (known == queue_at_.end()) return;
  voter.compared_at = Index(at);
  ++comparisons_;
  if (known->second != hash_of(queue)) {
    blame(voter, "another queue than the log's at " + number(at));
  }
}

// ---- words -----------------------------------------------------------------------------------

void Witness::check_acknowledgement(const Voter& voter, Term term, Index match) {
  const LogImage& disk = voter.disk().image();
  if (match > disk.last()) {
    return blame(voter, "acknowledged " + number(match.value()) + ", which is not on its disk");
  }
  const auto leader = leaders_.find(term);
  if (leader == leaders_.end()) return;
  const Voter* other = world_.find(leader->second);
  if (other == nullptr || !other->is_up() || other->status().term != term) return;
  const Entry* theirs = other->told().find(match);
  const Entry* ours = disk.find(match);
  if (theirs != nullptr && ours != nullptr && theirs->term != ours->term) {
    blame(voter, "acknowledged " + number(match.value()) + ", which is not its leader's");
  }
}

void Witness::said(const Voter& voter, const Message& message) {
  const HardState& hard = voter.disk().image().hard;
  if (message.term > hard.term) blame(voter, "spoke in a term that is not on its disk");
  if (const auto* answer = std::get_if<AppendAnswer>(&message.body)) {
    check_acknowledgement(voter, message.term, answer->match);
  } else if (const auto* vote = std::get_if<VoteAnswer>(&message.body)) {
    if (vote->pre_vote || !vote->granted) return;
    const auto [place, is_new] = votes_.try_emplace({voter.id(), vote->campaign}, message.to);
    if (place->second != message.to) {
      blame(voter, "voted twice in term " + number(vote->campaign.value()));
    }
    if (hard.term == vote->campaign && hard.vote != message.to) {
      blame(voter, "spoke of a vote that is not on its disk");
    }
  }
}

void Witness::announced(const Voter& voter, const Announce& news) {
  if (news.happening == Happening::diverged)
    blame(voter, "was sent a log that contradicts its own");
  if (news.happening == Happening::follower_lost_data) {
    blame(voter, "thinks that " + number(news.subject.value()) + " lost data");
  }
}

void Witness::answered(const Voter& voter, const replica::Answer& answer, Index decided_then,
                       TimePoint asked) {
  if (std::holds_alternative<replica::ReadNow>(answer.body)) {
    if (voter.status().applied < decided_then) blame(voter, "served a stale read");
  }
  if (const auto* renewed = std::get_if<replica::RenewedAnswers>(&answer.body)) {
    for (const auto& each : *renewed) {
      const work::Item* item = voter.replica().queue().ledger().find(each.judged.id);
      const bool holds = each.judged.outcome == work::Outcome::ok && item != nullptr;
      if (holds) promise({each.judged.id, item->fence}, asked);
    }
  }
  const auto* reply = std::get_if<work::Reply>(&answer.body);
  if (reply == nullptr) return;
  if (const auto* claimed = std::get_if<work::Claimed>(reply)) {
    for (const auto& grant : claimed->grants) {
      if (!granted_.contains({grant.id, claimed->fence})) {
        blame(voter, "told of a grant that is not decided");
      }
    }
  }
}

// ---- clients ---------------------------------------------------------------------------------

void Witness::acknowledged_add(const work::Added& added) {
  for (const work::WorkId id : added.ids) {
    if (!added_.contains(id)) world_.blame("acknowledged work that was never added");
  }
}

void Witness::acknowledged_end(work::WorkId id) {
  if (!completed_.contains(id)) world_.blame("acknowledged an end that was never applied");
}

void Witness::began(const work::Hold& hold) {
  if (!granted_.contains({hold.id, hold.fence})) world_.blame("a worker runs what is not decided");
}

void Witness::finish() {
  std::set<work::WorkId> dead, cancelled;
  for (const auto& [id, item] : reference_.ledger().items) {
    if (item.state == work::State::dead) dead.insert(id);
  }
  for (const auto& view : work::list_history(reference_, {}, 1'000'000)) {
    if (view.state == work::State::cancelled) cancelled.insert(view.id);
    if (view.state == work::State::dead) dead.insert(view.id);
  }
  dead.merge(World::find_blocked(reference_.ledger()));
  checker_.finish(dead, cancelled);
  if (!checker_.violations().empty()) world_.blame(checker_.violations().back());
}

}  // namespace riftbus::consensus
