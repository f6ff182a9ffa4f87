// to_string of messages: a few words in a fixed order, the same in logs, golden traces and taps.
// Only fields of bounded length and a safe alphabet are quoted; peers' free text is not.
#include <string>
#include <string_view>

#include "bus/wire/message.h"

namespace riftbus::wire {

namespace {

constexpr std::size_t kClaimsShown = 6;
constexpr std::size_t kQuotedBytesMax = 64;

// "key=value" pairs separated by spaces.
class Words {
 public:
  Words& add(std::string_view key, std::uint64_t number) {
    return add(key, std::string_view(std::to_string(number)));
  }
  template <class Tag>
  Words& add(std::string_view key, Strong<Tag> number) {
    return add(key, number.value());
  }
  Words& add(std::string_view key, const NodeId& id) {
    return add(key, id.empty() ? std::string_view("-") : std::string_view(id.value()));
  }
  Words& add(std::string_view key, std::string_view value) {
    if (!text_.empty()) text_ += ' ';
    text_ += key;
    text_ += '=';
    text_ += value;
    return *this;
  }
  // Text that a peer chose: shortened, and anything but printable ASCII becomes '?'.
  Words& quote(std::string_view key, std::string_view value) {
    std::string safe(value.substr(0, kQuotedBytesMax));
    for (char& c : safe) {
      if (c <= ' ' || c > '~') c = '?';
    }
    return add(key, std::string_view(safe));
  }
  Words& flag(std::string_view name, bool set) {
    if (!set) return *this;
    if (!text_.empty()) text_ += ' ';
    text_ += name;
    return *this;
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string describe(const Claim& claim) {
  Words words;
  words.add("standing", std::string_view(to_string(claim.standing)));
  words.add("subject", claim.subject).add("inc", claim.incarnation);
  if (!claim.accuser.empty()) words.add("by", claim.accuser);
  if (claim.evidence != Evidence::none) {
    words.add("evidence", std::string_view(to_string(claim.evidence)));
  }
  return words.flag("record", claim.record.has_value()).take();
}

std::string describe(const std::vector<Claim>& claims) {
  std::string text;
  for (std::size_t i = 0; i < claims.size() && i < kClaimsShown; ++i) {
    if (i > 0) text += "; ";
    text += describe(claims[i]);
  }
  if (claims.size() > kClaimsShown) {
    text += "; and " + std::to_string(claims.size() - kClaimsShown) + " more";
  }
  return text;
}

std::string describe(const Beat& m) {
  Words words;
  words.add("inc", m.incarnation).add("up_ms", m.uptime_ms).add("health", m.health);
  return words.add("every_ms", m.interval_ms)
      .add("digest", m.digest)
      .add("roster", m.roster)
      .take();
}
std::string describe(const Gossip& m) { return m.claims.empty() ? "claims=0" : describe(m.claims); }
std::string describe(const Hello& m) {
  Words words;
  words.add("version_min", m.version_min).add("version_max", m.version_max);
  return words.quote("software", m.software).take();
}
std::string describe(const HelloAnswer& m) {
  Words words;
  words.add("version", m.version).quote("cluster", m.cluster).quote("software", m.software);
  return words.add("roster", m.roster).take();
}
std::string describe(const Join& m) {
  Words words;
  words.add("id", m.record.id).add("inc", m.record.incarnation);
  if (!m.after.empty()) words.add("after", m.after);
  return words.take();
}
std::string describe(const JoinAnswer& m) {
  Words words;
  words.add("seen", m.seen).add("claims", m.claims.size());
  if (!m.after.empty()) words.add("after", m.after);
  return words.take();
}
std::string describe(const Watch& m) {
  return Words().add("lease_ms", m.lease_ms).flag("recruit", m.recruit).take();
}
std::string describe(const WatchAnswer& m) { return Words().add("inc", m.incarnation).take(); }
std::string describe(const Ping&) { return ""; }
std::string describe(const Pong& m) {
  return Words().add("inc", m.incarnation).add("health", m.health).add("up_ms", m.uptime_ms).take();
}
std::string describe(const AskHeard& m) {
  return Words().add("subject", m.subject).add("inc", m.incarnation).take();
}
std::string describe(const Heard& m) {
  Words words;
  words.add("subject", m.subject).add("inc", m.incarnation);
  if (!m.watching) return words.flag("not-watching", true).take();
  words.add("age_ms", m.age_ms).add("beat", m.beat_seq).add("every_ms", m.interval_ms);
  return words.flag("refused", m.refused).take();
}
std::string describe(const Resync& m) { return Words().add("from", m.from).add("to", m.to).take(); }
std::string describe(const Digest&) { return ""; }
std::string describe(const DigestAnswer& m) {
  return Words().add("differing", m.differing.size()).add("entries", m.entries.size()).take();
}
std::string describe(const Fetch& m) { return Words().add("ids", m.ids.size()).take(); }
std::string describe(const RosterGet& m) { return Words().add("have", m.have).take(); }
std::string describe(const RosterDocument& m) {
  return Words().add("version", m.version).add("bytes", m.bytes.size()).take();
}
std::string describe(const RosterPut& m) { return Words().add("bytes", m.bytes.size()).take(); }
std::string describe(const Query& m) {
  return Words().quote("name", m.name).add("arguments", m.arguments.size()).take();
}
std::string describe(const Answer& m) { return Words().add("bytes", m.json.size()).take(); }
std::string describe(const Refusal& m) {
  return Words().add("code", std::string_view(Error{m.code, {}, {}, {}}.code_text())).take();
}
std::string describe(const TapStart& m) {
  Words words;
  words.add("lease_ms", m.lease_ms).flag("payloads", m.payloads);
  return words.quote("filter", m.filter).take();
}
std::string describe(const TapData& m) {
  Words words;
  words.add("frames", m.frames.size()).add("matched", m.matched);
  return words.add("dropped", m.dropped).take();
}
std::string describe(const Consensus& m) { return Words().add("bytes", m.bytes.size()).take(); }
std::string describe(const WorkRequest& m) {
  Words words;
  words.add("ask", static_cast<std::uint64_t>(m.ask)).add("bytes", m.body.size());
  if (m.wait_ms > 0) words.add("wait_ms", m.wait_ms);
  if (!m.client.empty()) words.add("for", m.client);
  return words.take();
}
std::string describe(const WorkReply& m) {
  Words words;
  words.add("outcome", static_cast<std::uint64_t>(m.outcome)).add("bytes", m.body.size());
  if (!m.leader.empty()) words.add("leader", m.leader).add("term", m.term);
  return words.flag("stale", m.stale).take();
}
std::string describe(const Carry& m) {
  Words words;
  words.add("step", std::string_view(to_string(m.step))).add("offset", m.offset);
  return words.add("granted", m.granted).add("bytes", m.bytes.size()).take();
}

}  // namespace

std::string to_string(const Body& body) {
  return std::visit([](const auto& message) { return describe(message); }, body);
}

std::string to_string(const Envelope& envelope) {
  std::string text = to_string(kind_of(envelope.body));
  Words words;
  words.add("from", envelope.origin).add("seq", envelope.seq);
  if (envelope.correlation.value() != 0) words.add("corr", envelope.correlation);
  text += ' ' + words.take();
  const std::string body = to_string(envelope.body);
  return body.empty() ? text : text + ' ' + body;
}

}  // namespace riftbus::wire
