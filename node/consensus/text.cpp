// Messages, events and actions as one line each.
#include "node/consensus/consensus.h"

#include "config/overload.h"

namespace riftbus::consensus {

namespace {

template <class Tag>
std::string text(Strong<Tag> value) {
  return std::to_string(value.value());
}
std::string place(Index index, Term term) { return text(index) + "/" + text(term); }

// "7..9", "7", or nothing.
std::string range(const Entries& entries) {
  if (entries.empty()) return "";
  std::string first = place(entries.front()->index, entries.front()->term);
  if (entries.size() == 1) return first;
  return first + ".." + place(entries.back()->index, entries.back()->term);
}
std::string meta_text(const SnapshotMeta& meta) {
  return place(meta.index, meta.term) + " " + meta.configuration.to_string();
}
std::string piece(std::uint64_t offset, std::size_t size, std::uint64_t total) {
  return std::to_string(offset) + "+" + std::to_string(size) + " of " + std::to_string(total);
}

std::string body_text(const MessageBody& body) {
  const Overload cases{
      [](const VoteRequest& m) {
        return std::string(m.pre_vote ? "PreVoteRequest t" : "VoteRequest t") + text(m.campaign) +
               " log " + place(m.last_index, m.last_term) + (m.transfer ? " transfer" : "");
      },
      [](const VoteAnswer& m) {
        return std::string(m.pre_vote ? "PreVoteAnswer t" : "VoteAnswer t") + text(m.campaign) +
               (m.granted ? " yes" : " no");
      },
      [](const Append& m) {
        return "Append after " + place(m.prev_index, m.prev_term) + " [" + range(m.entries) +
               "] commit " + text(m.commit) + " round " + std::to_string(m.round);
      },
      [](const AppendAnswer& m) {
        if (!m.refused) {
          return "AppendAnswer match " + text(m.match) + " round " + std::to_string(m.round);
        }
        return "AppendAnswer refused " + text(m.refused_index) + " hint " +
               place(m.hint_index, m.hint_term);
      },
      [](const SnapshotChunk& m) {
        return "SnapshotChunk " + meta_text(m.meta) + " " +
               piece(m.offset, m.bytes.size(), m.total);
      },
      [](const SnapshotAnswer& m) {
        return "SnapshotAnswer " + place(m.index, m.term) + " has " + std::to_string(m.offset);
      },
      [](const TimeoutNow&) { return std::string("TimeoutNow"); }};
  return std::visit(cases, body);
}

}  // namespace

const char* to_string(Policy policy) {
  switch (policy) {
    case Policy::raft:
      return "raft";
    case Policy::bully:
      return "bully";
    case Policy::hybrid:
      return "hybrid";
  }
  return "?";
}

std::optional<Policy> parse_policy(std::string_view text) {
  for (const auto policy : {Policy::raft, Policy::bully, Policy::hybrid}) {
    if (text == to_string(policy)) return policy;
  }
  return std::nullopt;
}

const char* to_string(Role role) {
  switch (role) {
    case Role::follower:
      return "follower";
    case Role::pre_candidate:
      return "pre_candidate";
    case Role::candidate:
      return "candidate";
    case Role::leader:
      return "leader";
    case Role::retired:
      return "retired";
  }
  return "?";
}

const char* to_string(Happening happening) {
  switch (happening) {
    case Happening::follows:
      return "follows";
    case Happening::campaigns:
      return "campaigns";
    case Happening::leads:
      return "leads";
    case Happening::settled:
      return "settled";
    case Happening::steps_down:
      return "steps_down";
    case Happening::reconfigured:
      return "reconfigured";
    case Happening::transfers:
      return "transfers";
    case Happening::transfer_failed:
      return "transfer_failed";
    case Happening::superseded:
      return "superseded";
    case Happening::follower_lost_data:
      return "follower_lost_data";
    case Happening::removed:
      return "removed";
    case Happening::rival:
      return "rival";
    case Happening::diverged:
      return "diverged";
    case Happening::disk_failed:
      return "disk_failed";
  }
  return "?";
}

const char* to_string(Reason reason) {
  switch (reason) {
    case Reason::none:
      return "none";
    case Reason::newer_term:
      return "newer_term";
    case Reason::quorum_silent:
      return "quorum_silent";
    case Reason::no_progress:
      return "no_progress";
    case Reason::removed:
      return "removed";
    case Reason::superseded:
      return "superseded";
    case Reason::disk:
      return "disk";
  }
  return "?";
}

std::string to_string(const Message& message) {
  return text(message.from) + "->" + text(message.to) + " t" + text(message.term) + " " +
         body_text(message.body);
}

std::string to_string(const Event& event) {
  const Overload cases{
      [](const Received& e) { return "Received " + to_string(e.message); },
      [](const Persisted& e) { return "Persisted " + text(e.seq); },
      [](const Applied& e) { return "Applied " + text(e.index); },
      [](const SnapshotTaken& e) {
        return "SnapshotTaken " + text(e.index) + (e.ok ? "" : " failed");
      },
      [](const SnapshotBytes& e) {
        return "SnapshotBytes for " + text(e.to) + " " + piece(e.offset, e.bytes.size(), e.total);
      },
      [](const SnapshotInstalled& e) {
        return "SnapshotInstalled " + text(e.index) + (e.ok ? "" : " failed");
      },
      [](const DiskFailed&) { return std::string("DiskFailed"); },
      [](const Hint& e) { return "Hint " + std::to_string(e.alive.size()) + " alive"; },
      [](const PolicyChosen& e) { return std::string("PolicyChosen ") + to_string(e.policy); },
      [](const Tick&) { return std::string("Tick"); }};
  return std::visit(cases, event);
}

std::string to_string(const Action& action) {
  const Overload cases{
      [](const Persist& a) {
        std::string line = "Persist " + text(a.seq);
        if (a.hard) line += " t" + text(a.hard->term) + " vote " + text(a.hard->vote);
        if (a.cut_from != Index()) line += " cut " + text(a.cut_from);
        return line + " [" + range(a.entries) + "]";
      },
      [](const Send& a) { return "Send " + to_string(a.message); },
      [](const Apply& a) { return "Apply [" + range(a.entries) + "]"; },
      [](const TakeSnapshot& a) { return "TakeSnapshot " + meta_text(a.meta); },
      [](const Compact& a) { return "Compact " + text(a.up_to); },
      [](const ReadSnapshot& a) {
        return "ReadSnapshot for " + text(a.to) + " from " + std::to_string(a.offset);
      },
      [](const StoreChunk& a) {
        return "StoreChunk " + place(a.meta.index, a.meta.term) + " " +
               piece(a.offset, a.bytes.size(), a.total);
      },
      [](const InstallSnapshot& a) { return "InstallSnapshot " + meta_text(a.meta); },
      [](const ReadReady& a) { return "ReadReady " + text(a.ticket) + " at " + text(a.index); },
      [](const ReadLost& a) { return "ReadLost " + text(a.ticket); },
      [](const Announce& a) {
        std::string line = std::string("Announce ") + to_string(a.happening) + " t" + text(a.term) +
                           " " + text(a.subject);
        if (a.reason != Reason::none) line += std::string(" ") + to_string(a.reason);
        return line;
      }};
  return std::visit(cases, action);
}

}  // namespace riftbus::consensus
