#include "bus/wire/codec.h"

#include <array>

#include "bus/wire/reader.h"
#include "bus/wire/tape.h"
#include "bus/wire/writer.h"

namespace riftbus::wire {

namespace {

constexpr std::uint32_t kEnvelopeElements = 7;

template <class Message>
void read_body(Reader& reader, Body& body) {
  reader.read(body.emplace<Message>());
}

// Each kind's type, on the way in; kind_of() is the way out and a test compares the two.
struct KindReader {
  Kind kind;
  void (*read)(Reader& reader, Body& body);
};
constexpr auto kReaders =
    std::to_array<KindReader>({{Kind::beat, read_body<Beat>},
                               {Kind::gossip, read_body<Gossip>},
                               {Kind::hello, read_body<Hello>},
                               {Kind::hello_answer, read_body<HelloAnswer>},
                               {Kind::join, read_body<Join>},
                               {Kind::join_answer, read_body<JoinAnswer>},
                               {Kind::watch, read_body<Watch>},
                               {Kind::watch_answer, read_body<WatchAnswer>},
                               {Kind::ping, read_body<Ping>},
                               {Kind::pong, read_body<Pong>},
                               {Kind::ask_heard, read_body<AskHeard>},
                               {Kind::heard, read_body<Heard>},
                               {Kind::resync, read_body<Resync>},
                               {Kind::digest, read_body<Digest>},
                               {Kind::digest_answer, read_body<DigestAnswer>},
                               {Kind::fetch, read_body<Fetch>},
                               {Kind::roster_get, read_body<RosterGet>},
                               {Kind::roster_document, read_body<RosterDocument>},
                               {Kind::roster_put, read_body<RosterPut>},
                               {Kind::query, read_body<Query>},
                               {Kind::answer, read_body<Answer>},
                               {Kind::refusal, read_body<Refusal>},
                               {Kind::tap_start, read_body<TapStart>},
                               {Kind::tap_data, read_body<TapData>},
                               {Kind::consensus, read_body<Consensus>},
                               {Kind::work_request, read_body<WorkRequest>},
                               {Kind::work_reply, read_body<WorkReply>},
                               {Kind::carry, read_body<Carry>}});

static_assert(kReaders.size() == std::variant_size_v<Body>, "each kind has its reader");

// By number: every message that comes is looked up.
constexpr auto kReaderOf = [] {
  std::array<void (*)(Reader&, Body&), 256> readers{};
  for (const KindReader& each : kReaders) readers[static_cast<std::uint8_t>(each.kind)] = each.read;
  return readers;
}();

void read_body_of(Kind kind, Reader& reader, Body& body) {
  const auto read = kReaderOf[static_cast<std::uint8_t>(kind)];
  if (read == nullptr) return reader.refuse(Reject::unknown_kind);
  read(reader, body);
}

struct Header {
  std::uint8_t version = 0;
  std::uint8_t kind = 0;
};

Header read_header(Reader& reader, Envelope& envelope) {
  Header header;
  reader.read(header.version);
  reader.read(header.kind);
  reader.read(envelope.origin);
  reader.read(envelope.instance);
  reader.read(envelope.seq);
  reader.read(envelope.correlation);
  return header;
}

// What a message carries for others to read.
std::size_t cargo_bytes(const Body& body) {
  if (const auto* consensus = std::get_if<Consensus>(&body)) return consensus->bytes.size();
  if (const auto* request = std::get_if<WorkRequest>(&body)) return request->body.size();
  if (const auto* reply = std::get_if<WorkReply>(&body)) return reply->body.size();
  if (const auto* carry = std::get_if<Carry>(&body)) return carry->bytes.size();
  return 0;
}

}  // namespace

const char* to_string(Reject reject) {
  switch (reject) {
    case Reject::accepted:
      return "accepted";
    case Reject::oversize:
      return "oversize";
    case Reject::truncated:
      return "truncated";
    case Reject::trailing_garbage:
      return "trailing_garbage";
    case Reject::not_msgpack:
      return "not_msgpack";
    case Reject::too_deep:
      return "too_deep";
    case Reject::too_many_values:
      return "too_many_values";
    case Reject::bad_type:
      return "bad_type";
    case Reject::bad_value:
      return "bad_value";
    case Reject::bad_text:
      return "bad_text";
    case Reject::bad_id:
      return "bad_id";
    case Reject::too_long:
      return "too_long";
    case Reject::missing_header:
      return "missing_header";
    case Reject::bad_version:
      return "bad_version";
    case Reject::unknown_kind:
      return "unknown_kind";
  }
  return "?";
}

DecodeOutcome decode(std::string_view bytes) {
  DecodeOutcome outcome;
  Tape tape;
  outcome.reject = tape.load(bytes);
  if (!outcome.ok()) return outcome;

  Reader reader(tape);
  const auto elements = reader.open(Token::Type::array, kMessageBytesMax);
  if (reader.reject() == Reject::accepted && elements < kEnvelopeElements) {
    reader.refuse(Reject::missing_header);
  }
  const Header header = read_header(reader, outcome.envelope);
  outcome.header_known = reader.reject() == Reject::accepted;
  if (outcome.header_known && (header.version < kVersionMin || header.version > kVersion)) {
    reader.refuse(Reject::bad_version);
  }
  if (reader.reject() == Reject::accepted) {
    read_body_of(static_cast<Kind>(header.kind), reader, outcome.envelope.body);
  }
  outcome.reject = reader.reject();
  return outcome;
}

std::string encode(const Envelope& envelope) {
  constexpr std::size_t kUsualBytes = 96;  // a Beat without a second allocation
  std::string out;
  out.reserve(kUsualBytes + cargo_bytes(envelope.body));
  Writer writer(out);
  writer.array(kEnvelopeElements);
  writer.write(kVersion);
  writer.write(kind_of(envelope.body));
  writer.write(envelope.origin);
  writer.write(envelope.instance);
  writer.write(envelope.seq);
  writer.write(envelope.correlation);
  std::visit([&](const auto& message) { writer.write(message); }, envelope.body);
  return out;
}

std::size_t encoded_size(const Claim& claim) {
  std::string out;
  Writer(out).write(claim);
  return out.size();
}

}  // namespace riftbus::wire
