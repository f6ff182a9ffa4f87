#include "node/consensus/codec.h"

#include <algorithm>

#include "bus/wire/reader.h"
#include "bus/wire/tape.h"
#include "bus/wire/writer.h"
#include "node/consensus/fields.h"

namespace riftbus::consensus {

namespace {

bool is_valid(const Entry& entry);

}  // namespace

// ---- wrappers of fields.h: found by their argument, so not in the unnamed namespace -------------

static void fields(wire::Writer& writer, const Kind<const EntryKind>& field) {
  writer.write(static_cast<std::uint8_t>(field.value));
}
static void fields(wire::Reader& reader, Kind<EntryKind>& field) {
  std::uint8_t number = 0;
  reader.read(number);
  field.value = static_cast<EntryKind>(number);
}
static void fields(wire::Writer& writer, const EntryList<const Entries>& field) {
  writer.array(field.values.size());
  for (const EntryPtr& entry : field.values) writer.write(*entry);
}
static void fields(wire::Reader& reader, EntryList<Entries>& field) {
  auto left = reader.open(wire::Token::Type::array, kAppendEntriesMax);
  std::vector<Entry> entries;
  entries.reserve(left);
  for (; left > 0 && reader.reject() == wire::Reject::accepted; --left) {
    reader.read(entries.emplace_back());
    if (!is_valid(entries.back())) return reader.refuse(wire::Reject::bad_value);
  }
  field.values = keep(entries);
}

namespace {

using wire::Reader;
using wire::Reject;
using wire::Tape;
using wire::Token;
using wire::Writer;

// Numbers of the bodies: the places in MessageBody, from 1. Never reordered.
constexpr std::uint32_t kMessageElements = 8;  // and, since then, the mark

// ---- plain forms -----------------------------------------------------------------------------

PlainConfiguration plain(const Configuration& configuration) {
  PlainConfiguration result{configuration.generation(), {}, configuration.mark()};
  for (const Server& server : configuration.servers()) {
    result.servers.push_back(
        {server.id, static_cast<std::uint8_t>(server.standing), server.priority});
  }
  return result;
}

// A snapshot of a server that never took part has no servers at all.
std::optional<Configuration> checked(const PlainConfiguration& from, bool may_be_empty) {
  std::vector<Server> servers;
  std::size_t voters = 0;
  for (const PlainServer& server : from.servers) {
    if (server.id == ServerId() || server.standing < 1 || server.standing > 2) return std::nullopt;
    const bool is_known = std::any_of(servers.begin(), servers.end(),
                                      [&](const Server& other) { return other.id == server.id; });
    if (is_known) return std::nullopt;
    servers.push_back({server.id, static_cast<Standing>(server.standing), server.priority});
    if (servers.back().standing == Standing::voter) ++voters;
  }
  if (voters > kVotersMax) return std::nullopt;
  if (voters == 0 && !(may_be_empty && servers.empty())) return std::nullopt;
  return Configuration(from.generation, std::move(servers), from.mark);
}

PlainMeta plain(const SnapshotMeta& meta) {
  return {meta.index, meta.term, meta.stamp, plain(meta.configuration)};
}

std::optional<SnapshotMeta> checked(const PlainMeta& from) {
  auto configuration = checked(from.configuration, from.index == Index());
  if (!configuration) return std::nullopt;
  return SnapshotMeta{from.index, from.term, from.stamp, std::move(*configuration)};
}

bool is_valid(const Entry& entry) {
  if (entry.kind < EntryKind::noop || entry.kind > EntryKind::configuration) return false;
  if (entry.index == Index()) return false;
  return entry.kind != EntryKind::configuration || decode_configuration(entry.payload).has_value();
}

// ---- whole documents -------------------------------------------------------------------------

template <class Plain>
std::string write_document(const Plain& value) {
  std::string bytes;
  Writer writer(bytes);
  writer.write(value);
  return bytes;
}

template <class Plain>
std::optional<Plain> read_document(std::string_view bytes) {
  Tape tape;
  if (tape.load(bytes) != Reject::accepted) return std::nullopt;
  Reader reader(tape);
  Plain value;
  reader.read(value);
  if (reader.reject() != Reject::accepted) return std::nullopt;
  return value;
}

// ---- bodies ----------------------------------------------------------------------------------

template <class Body>
void write_body(Writer& writer, const Body& body) {
  writer.write(body);
}
void write_body(Writer& writer, const SnapshotChunk& chunk) {
  writer.write(PlainChunk{plain(chunk.meta), chunk.offset, chunk.total, chunk.bytes});
}

template <class Body>
void read_body(Reader& reader, MessageBody& body) {
  reader.read(body.emplace<Body>());
}
void read_chunk(Reader& reader, MessageBody& body) {
  PlainChunk from;
  reader.read(from);
  auto meta = checked(from.meta);
  if (!meta || meta->index == Index()) return reader.refuse(Reject::bad_value);
  const bool fits = from.total <= kSnapshotBytesMax && from.offset <= from.total &&
                    from.bytes.size() <= from.total - from.offset;
  if (!fits) return reader.refuse(Reject::bad_value);
  body = SnapshotChunk{std::move(*meta), from.offset, from.total, std::move(from.bytes)};
}

void read_body_of(std::uint8_t kind, Reader& reader, MessageBody& body) {
  switch (kind) {
    case 1:
      return read_body<VoteRequest>(reader, body);
    case 2:
      return read_body<VoteAnswer>(reader, body);
    case 3:
      return read_body<Append>(reader, body);
    case 4:
      return read_body<AppendAnswer>(reader, body);
    case 5:
      return read_chunk(reader, body);
    case 6:
      return read_body<SnapshotAnswer>(reader, body);
    case 7:
      return read_body<TimeoutNow>(reader, body);
    default:
      return reader.refuse(Reject::unknown_kind);
  }
}

// Room for all of it at once: hundreds of entries are written, a few bytes at a time, and a string
// that grows meanwhile is copied and touches new memory a dozen times.
std::size_t room_for(const MessageBody& body) {
  constexpr std::size_t kUsualBytes = 128;
  std::size_t bytes = kUsualBytes;
  if (const auto* append = std::get_if<Append>(&body)) {
    for (const EntryPtr& entry : append->entries) {
      bytes += entry->payload.size() + kEntryOverheadBytes;
    }
  }
  if (const auto* chunk = std::get_if<SnapshotChunk>(&body)) bytes += chunk->bytes.size();
  return bytes;
}

}  // namespace

std::string encode(const Message& message) {
  std::string bytes;
  bytes.reserve(room_for(message.body));
  Writer writer(bytes);
  writer.array(kMessageElements + 1);
  writer.write(kCodecVersion);
  writer.write(message.cluster);
  writer.write(message.generation);
  writer.write(message.from);
  writer.write(message.to);
  writer.write(message.term);
  writer.write(static_cast<std::uint8_t>(message.body.index() + 1));
  std::visit([&](const auto& body) { write_body(writer, body); }, message.body);
  writer.write(message.mark);
  return bytes;
}

std::optional<Message> decode(std::string_view bytes) {
  if (bytes.size() > kConsensusMessageBytesMax) return std::nullopt;
  Tape tape;
  if (tape.load(bytes) != Reject::accepted) return std::nullopt;
  Reader reader(tape);
  std::uint32_t left = reader.open(Token::Type::array, kConsensusMessageBytesMax);
  if (left < kMessageElements) return std::nullopt;
  std::uint8_t version = 0;
  std::uint8_t kind = 0;
  Message message;
  reader.read(version);
  if (version != kCodecVersion) return std::nullopt;
  reader.read(message.cluster);
  reader.read(message.generation);
  reader.read(message.from);
  reader.read(message.to);
  reader.read(message.term);
  reader.read(kind);
  read_body_of(kind, reader, message.body);
  left -= kMessageElements;
  if (left > 0) {
    reader.read(message.mark);
    --left;
  }
  for (; left > 0 && reader.reject() == Reject::accepted; --left) {
    reader.skip();
  }
  if (reader.reject() != Reject::accepted) return std::nullopt;
  return message;
}

std::string encode_configuration(const Configuration& configuration) {
  return write_document(plain(configuration));
}
std::optional<Configuration> decode_configuration(std::string_view bytes) {
  const auto value = read_document<PlainConfiguration>(bytes);
  return value ? checked(*value, false) : std::nullopt;
}

std::string encode_entry(const Entry& entry) { return write_document(entry); }
std::optional<Entry> decode_entry(std::string_view bytes) {
  auto value = read_document<Entry>(bytes);
  return value && is_valid(*value) ? value : std::nullopt;
}

std::string encode_snapshot_meta(const SnapshotMeta& meta) { return write_document(plain(meta)); }
std::optional<SnapshotMeta> decode_snapshot_meta(std::string_view bytes) {
  const auto value = read_document<PlainMeta>(bytes);
  return value ? checked(*value) : std::nullopt;
}

}  // namespace riftbus::consensus
