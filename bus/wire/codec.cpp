#include "bus/wire/codec.h"

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
void read_body_of(Kind kind, Reader& reader, Body& body) {
  switch (kind) {
    case Kind::beat:
      return read_body<Beat>(reader, body);
    case Kind::gossip:
      return read_body<Gossip>(reader, body);
    case Kind::hello:
      return read_body<Hello>(reader, body);
    case Kind::hello_answer:
      return read_body<HelloAnswer>(reader, body);
    case Kind::join:
      return read_body<Join>(reader, body);
    case Kind::join_answer:
      return read_body<JoinAnswer>(reader, body);
    case Kind::watch:
      return read_body<Watch>(reader, body);
    case Kind::watch_answer:
      return read_body<WatchAnswer>(reader, body);
    case Kind::ping:
      return read_body<Ping>(reader, body);
    case Kind::pong:
      return read_body<Pong>(reader, body);
    case Kind::ask_heard:
      return read_body<AskHeard>(reader, body);
    case Kind::heard:
      return read_body<Heard>(reader, body);
    case Kind::resync:
      return read_body<Resync>(reader, body);
    case Kind::digest:
      return read_body<Digest>(reader, body);
    case Kind::digest_answer:
      return read_body<DigestAnswer>(reader, body);
    case Kind::fetch:
      return read_body<Fetch>(reader, body);
    case Kind::roster_get:
      return read_body<RosterGet>(reader, body);
    case Kind::roster_document:
      return read_body<RosterDocument>(reader, body);
    case Kind::roster_put:
      return read_body<RosterPut>(reader, body);
    case Kind::query:
      return read_body<Query>(reader, body);
    case Kind::answer:
      return read_body<Answer>(reader, body);
    case Kind::refusal:
      return read_body<Refusal>(reader, body);
    case Kind::tap_start:
      return read_body<TapStart>(reader, body);
    case Kind::tap_data:
      return read_body<TapData>(reader, body);
    case Kind::consensus:
      return read_body<Consensus>(reader, body);
    case Kind::work_request:
      return read_body<WorkRequest>(reader, body);
    case Kind::work_reply:
      return read_body<WorkReply>(reader, body);
  }
  reader.refuse(Reject::unknown_kind);
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
