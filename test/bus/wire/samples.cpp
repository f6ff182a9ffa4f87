#include "test/bus/wire/samples.h"

namespace riftbus::wire {

namespace {

// Numbers of all sizes: each width of msgpack's integers is met.
std::uint64_t number(Random& random) { return random.next() >> random.below(64); }
std::uint32_t number32(Random& random) { return static_cast<std::uint32_t>(number(random)); }
std::uint8_t number8(Random& random) { return static_cast<std::uint8_t>(number(random)); }

std::string text(Random& random, std::size_t bytes_max) {
  static constexpr std::string_view kPieces[] = {"a", "Z", "0", " ", "\n", "\"", "é", "–", "🚌"};
  std::string out;
  for (auto left = random.below(12); left > 0; --left) {
    const auto piece = kPieces[random.below(std::size(kPieces))];
    if (out.size() + piece.size() > bytes_max) break;
    out += piece;
  }
  return out;
}

std::string bytes(Random& random, std::size_t size_max) {
  std::string out(random.below(size_max + 1), '\0');
  for (char& c : out) c = static_cast<char>(random.below(256));
  return out;
}

NodeId maybe_id(Random& random) { return random.chance(0.5) ? random_id(random) : NodeId(); }

template <class Enum>
Enum choice(Random& random, Enum last, std::uint64_t first = 1) {
  const auto count = static_cast<std::uint64_t>(last) - first + 1;
  return static_cast<Enum>(first + random.below(count));
}

std::map<std::string, std::string> text_map(Random& random) {
  std::map<std::string, std::string> out;
  for (auto left = random.below(5); left > 0; --left) {
    out[text(random, kNameBytesMax)] = text(random, kTagValueBytesMax);
  }
  return out;
}

Record record(Random& random) {
  Record out;
  out.id = random_id(random);
  out.instance = Instance(number(random));
  out.incarnation = Incarnation(number(random));
  for (auto left = random.below(4); left > 0; --left) {
    out.addresses.push_back({choice(random, AddressKind::relay), text(random, kHostBytesMax),
                             static_cast<std::uint16_t>(number(random)),
                             static_cast<std::uint16_t>(number(random))});
  }
  for (auto left = random.below(4); left > 0; --left) {
    out.roles.push_back(choice(random, Role::admin));
  }
  out.failure_domain = text(random, kNameBytesMax);
  out.interval_ms = number32(random);
  out.resources = {number32(random),
                   number(random),
                   number(random),
                   number32(random),
                   text(random, kGpuNameBytesMax),
                   number(random)};
  out.tags = text_map(random);
  out.software = text(random, kSoftwareBytesMax);
  return out;
}

Claim claim(Random& random) {
  Claim out;
  out.subject = random_id(random);
  out.incarnation = Incarnation(number(random));
  out.standing = choice(random, Standing::unreachable);
  out.accuser = maybe_id(random);
  out.evidence = choice(random, Evidence::goodbye, 0);
  if (random.chance(0.5)) out.record = record(random);
  return out;
}

std::vector<Claim> claims(Random& random) {
  std::vector<Claim> out;
  for (auto left = random.below(4); left > 0; --left) out.push_back(claim(random));
  return out;
}

TapFrame tap_frame(Random& random) {
  return {static_cast<std::int64_t>(random.next()) >> random.below(64),
          choice(random, Direction::out),
          choice(random, Channel::call),
          maybe_id(random),
          maybe_id(random),
          text(random, kNameBytesMax),
          number(random),
          number(random),
          number32(random),
          text(random, kSummaryBytesMax),
          bytes(random, 40)};
}

void fill(Beat& m, Random& r) {
  m = {Incarnation(number(r)),  number(r), number8(r), number32(r), number32(r),
       RosterVersion(number(r))};
}
void fill(Gossip& m, Random& r) { m.claims = claims(r); }
void fill(Hello& m, Random& r) {
  m = {number8(r), number8(r), text(r, kSoftwareBytesMax), r.chance(0.5)};
}
void fill(HelloAnswer& m, Random& r) {
  m = {number8(r), text(r, kNameBytesMax), text(r, kSoftwareBytesMax), RosterVersion(number(r)),
       r.chance(0.5)};
}
void fill(Join& m, Random& r) { m = {record(r), maybe_id(r)}; }
void fill(JoinAnswer& m, Random& r) { m = {Incarnation(number(r)), claims(r), maybe_id(r)}; }
void fill(Watch& m, Random& r) { m = {number32(r), r.chance(0.5)}; }
void fill(WatchAnswer& m, Random& r) { m.incarnation = Incarnation(number(r)); }
void fill(Ping&, Random&) {}
void fill(Pong& m, Random& r) { m = {Incarnation(number(r)), number8(r), number(r)}; }
void fill(AskHeard& m, Random& r) { m = {random_id(r), Incarnation(number(r))}; }
void fill(Heard& m, Random& r) {
  m = {random_id(r), Incarnation(number(r)), r.chance(0.5), r.chance(0.5), number32(r), number(r),
       number32(r)};
}
void fill(Resync& m, Random& r) { m = {Seq(number(r)), Seq(number(r))}; }
void fill(Digest& m, Random& r) {
  for (auto& bucket : m.buckets) bucket = number32(r);
}
void fill(DigestAnswer& m, Random& r) {
  for (auto left = r.below(5); left > 0; --left) m.differing.push_back(number8(r));
  for (auto left = r.below(5); left > 0; --left) {
    m.entries.push_back({random_id(r), Incarnation(number(r)), choice(r, Standing::unreachable)});
  }
}
void fill(Fetch& m, Random& r) {
  for (auto left = r.below(5); left > 0; --left) m.ids.push_back(random_id(r));
}
void fill(RosterGet& m, Random& r) { m = {RosterVersion(number(r)), number(r)}; }
void fill(RosterDocument& m, Random& r) { m = {RosterVersion(number(r)), bytes(r, 300)}; }
void fill(RosterPut& m, Random& r) { m.bytes = bytes(r, 300); }
void fill(Query& m, Random& r) { m = {text(r, kNameBytesMax), text_map(r)}; }
void fill(Answer& m, Random& r) { m.json = text(r, kJsonBytesMax); }
void fill(Refusal& m, Random& r) {
  m = {static_cast<std::uint16_t>(number(r)), text(r, kRefusalTextBytesMax),
       text(r, kRefusalTextBytesMax)};
}
void fill(TapStart& m, Random& r) { m = {number32(r), r.chance(0.5), text(r, kFilterBytesMax)}; }
void fill(TapData& m, Random& r) {
  for (auto left = r.below(4); left > 0; --left) m.frames.push_back(tap_frame(r));
  m.matched = number(r);
  m.dropped = number(r);
}

void fill(Consensus& m, Random& r) { m.bytes = bytes(r, 300); }
void fill(WorkRequest& m, Random& r) {
  m = {choice(r, WorkAsk::leader), bytes(r, 300), number32(r), maybe_id(r)};
}
void fill(WorkReply& m, Random& r) {
  m = {choice(r, WorkOutcome::busy), bytes(r, 300), maybe_id(r), number(r), r.chance(0.5)};
}

void fill(Carry& m, Random& r) {
  m = {choice(r, CarryStep::close), number(r), number(r), bytes(r, 300)};
}

template <std::size_t Index = 0>
void emplace(std::size_t index, Random& random, Body& body) {
  if constexpr (Index < kBodies) {
    if (index == Index) return fill(body.emplace<Index>(), random);
    emplace<Index + 1>(index, random, body);
  }
}

Envelope plain(Body body) {
  return {id("n1"), Instance(0x0102030405060708), Seq(300), Correlation(7), std::move(body)};
}

Record plain_record() {
  Record out;
  out.id = id("n2");
  out.instance = Instance(9);
  out.incarnation = Incarnation(3);
  out.addresses = {{AddressKind::public_ip, "192.0.2.7", 7770, 7771}};
  out.roles = {Role::node, Role::voter};
  out.failure_domain = "rack-1";
  out.resources = {8, 64000, 250000, 1, "5090", 32000};
  out.tags = {{"zone", "a"}};
  out.software = "0.1.0";
  return out;
}

}  // namespace

NodeId id(std::string_view text) { return NodeId::parse(text).value(); }

NodeId random_id(Random& random) {
  static constexpr std::string_view kLetters = "abcXYZ019_.-";
  std::string out = "n";
  for (auto left = random.below(20); left > 0; --left) {
    out += kLetters[random.below(kLetters.size())];
  }
  return id(out);
}

Body random_body(std::size_t index, Random& random) {
  Body body;
  emplace(index, random, body);
  return body;
}

Envelope random_envelope(std::size_t index, Random& random) {
  return {random_id(random), Instance(number(random)), Seq(number(random)),
          Correlation(number(random)), random_body(index, random)};
}

std::vector<Envelope> plain_messages() {
  const Claim suspicion{id("n3"), Incarnation(2),    Standing::suspect,
                        id("n1"), Evidence::silence, std::nullopt};
  const Claim life{id("n2"), Incarnation(3), Standing::alive,
                   NodeId(), Evidence::none, plain_record()};
  Digest digest;
  for (std::size_t i = 0; i < kDigestBuckets; ++i)
    digest.buckets[i] = static_cast<std::uint32_t>(i);
  const TapFrame frame{1700000000000,
                       Direction::out,
                       Channel::call,
                       id("n2"),
                       id("n1"),
                       "ping",
                       1,
                       2,
                       40,
                       "inc=3",
                       ""};
  return {plain(Beat{Incarnation(3), 65000, 1, 1000, 0xDEADBEEF, RosterVersion(5)}),
          plain(Gossip{{suspicion, life}}),
          plain(Hello{1, 1, "py"}),
          plain(HelloAnswer{1, "demo", "0.1.0", RosterVersion(5)}),
          plain(Join{plain_record(), NodeId()}),
          plain(JoinAnswer{Incarnation(2), {suspicion}, id("n3")}),
          plain(Watch{15000}),
          plain(WatchAnswer{Incarnation(3)}),
          plain(Ping{}),
          plain(Pong{Incarnation(3), 0, 65000}),
          plain(AskHeard{id("n3"), Incarnation(2)}),
          plain(Heard{id("n3"), Incarnation(2), true, false, 1200, 99, 1000}),
          plain(Resync{Seq(5), Seq(8)}),
          plain(digest),
          plain(DigestAnswer{{1, 63}, {{id("n3"), Incarnation(2), Standing::dead}}}),
          plain(Fetch{{id("n2"), id("n3")}}),
          plain(RosterGet{RosterVersion(5), 0xfeed}),
          plain(RosterDocument{RosterVersion(6), "signed"}),
          plain(RosterPut{"signed"}),
          plain(Query{"why.node", {{"id", "n3"}}}),
          plain(Answer{"{\"schema\":1}"}),
          plain(Refusal{1301, "unknown kind", "update"}),
          plain(TapStart{10000, false, "kind=beat"}),
          plain(TapData{{frame}, 12, 1}),
          plain(Consensus{"opaque"}),
          plain(WorkRequest{WorkAsk::command, "claim", 5000, id("n2")}),
          plain(WorkReply{WorkOutcome::moved, "", id("n3"), 7, false}),
          plain(Carry{CarryStep::data, 1029, 262144, "SSH-2.0"})};
}

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto value = static_cast<unsigned char>(c);
    out += kDigits[value >> 4U];
    out += kDigits[value & 15U];
  }
  return out;
}

std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return out;
}

}  // namespace riftbus::wire
