#include "node/disk/log_record.h"

#include <xxhash.h>

#include <cstring>

#include "config/check.h"
#include "node/consensus/codec.h"

namespace riftbus::disk {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kSealBytes = 8;
constexpr std::size_t kHeaderBytes = kSealBytes + 2;

enum class Kind : std::uint8_t { batch = 1, state = 2, piece = 3 };

template <class Number>
void put(std::string& out, Number number) {
  for (std::size_t i = 0; i < sizeof number; ++i) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i)));
  }
}

template <class Number>
Number number_at(std::string_view bytes, std::size_t offset) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    number |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[offset + i])) << (8 * i);
  }
  return static_cast<Number>(number);
}

// Takes from the front; once something is missing, everything is.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class Number>
  Number take() {
    const std::string_view bytes = take_bytes(sizeof(Number));
    return bytes.size() == sizeof(Number) ? number_at<Number>(bytes, 0) : Number{};
  }
  std::string_view take_bytes(std::size_t count) {
    if (count > rest_.size()) ok_ = false;
    if (!ok_) return {};
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool is_done() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// A state record says itself whose it is.
std::uint64_t seal_of(const LogOwner& owner, std::string_view content) {
  const bool is_state = content[0] == static_cast<char>(Kind::state);
  std::string salt(1, content[0]);
  put(salt, is_state ? 0 : owner.cluster.value());
  put(salt, is_state ? 0 : owner.self.value());
  return XXH3_64bits_withSeed(content.data(), content.size(),
                              XXH3_64bits(salt.data(), salt.size()));
}

std::string begin_record(Kind kind, std::size_t body_bytes) {
  std::string out;
  out.reserve(kHeaderBytes + body_bytes);
  put(out, std::uint64_t{0});
  put(out, static_cast<std::uint8_t>(kind));
  put(out, kVersion);
  return out;
}

// The body, if the seal is whole and the kind is the wanted one.
Decoded<std::string_view> open_record(Kind kind, const LogOwner& owner, std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return RecordFault::damaged;
  const auto seal = number_at<std::uint64_t>(bytes, 0);
  if (seal != seal_of(owner, bytes.substr(kSealBytes))) return RecordFault::damaged;
  if (number_at<std::uint8_t>(bytes, kSealBytes) != static_cast<std::uint8_t>(kind)) {
    return RecordFault::damaged;
  }
  const auto version = number_at<std::uint8_t>(bytes, kSealBytes + 1);
  if (version != kVersion) {
    return version > kVersion ? RecordFault::later_version : RecordFault::damaged;
  }
  return bytes.substr(kHeaderBytes);
}

BatchSpan take_span(Reader& reader) {
  BatchSpan span;
  span.seq = Seq(reader.take<std::uint64_t>());
  span.first = consensus::Index(reader.take<std::uint64_t>());
  span.count = reader.take<std::uint32_t>();
  return span;
}

bool is_sound(const BatchSpan& span) {
  // An index is far below its type's end, or first + count could wrap around.
  return span.count > 0 && span.count <= kBatchEntriesMax && span.first.value() > 0 &&
         span.first.value() < (std::uint64_t{1} << 62U);
}

}  // namespace

const char* to_string(RecordFault fault) {
  switch (fault) {
    case RecordFault::damaged:
      return "its checksum or form is wrong";
    case RecordFault::later_version:
      return "it was written by a later version";
  }
  return "unknown";
}

std::string seal_record(const LogOwner& owner, std::string record) {
  RIFTBUS_CHECK(record.size() >= kHeaderBytes);
  std::string seal;
  put(seal, seal_of(owner, std::string_view(record).substr(kSealBytes)));
  return record.replace(0, kSealBytes, seal);
}

// ---- batches ---------------------------------------------------------------------------------

std::string encode_batch(const LogOwner& owner, const Batch& batch) {
  RIFTBUS_CHECK(!batch.entries.empty() && batch.entries.size() <= kBatchEntriesMax);
  std::size_t bytes = 0;
  for (const consensus::EntryPtr& entry : batch.entries) bytes += entry->payload.size() + 64;
  std::string out = begin_record(Kind::batch, bytes);
  put(out, batch.seq.value());
  put(out, batch.first().value());
  put(out, static_cast<std::uint32_t>(batch.entries.size()));
  for (const consensus::EntryPtr& entry : batch.entries) {
    const std::string encoded = consensus::encode_entry(*entry);
    put(out, static_cast<std::uint32_t>(encoded.size()));
    out += encoded;
  }
  return seal_record(owner, std::move(out));
}

Decoded<Batch> decode_batch(const LogOwner& owner, std::string_view bytes) {
  const auto body = open_record(Kind::batch, owner, bytes);
  if (const auto* fault = std::get_if<RecordFault>(&body)) return *fault;
  Reader reader(std::get<std::string_view>(body));
  const BatchSpan span = take_span(reader);
  if (!reader.ok() || !is_sound(span)) return RecordFault::damaged;
  std::vector<consensus::Entry> entries;
  entries.reserve(span.count);
  for (std::uint64_t i = 0; i < span.count; ++i) {
    const std::string_view encoded = reader.take_bytes(reader.take<std::uint32_t>());
    if (!reader.ok()) return RecordFault::damaged;
    const auto entry = consensus::decode_entry(encoded);
    if (!entry || entry->index != span.first + i) return RecordFault::damaged;
    entries.push_back(*entry);
  }
  if (!reader.is_done()) return RecordFault::damaged;
  return Batch{span.seq, consensus::keep(entries)};
}

Decoded<BatchSpan> decode_batch_span(const LogOwner& owner, std::string_view bytes) {
  const auto body = open_record(Kind::batch, owner, bytes);
  if (const auto* fault = std::get_if<RecordFault>(&body)) return *fault;
  Reader reader(std::get<std::string_view>(body));
  const BatchSpan span = take_span(reader);
  if (!reader.ok() || !is_sound(span)) return RecordFault::damaged;
  return span;
}

// ---- state -----------------------------------------------------------------------------------

namespace {

bool has_recovery(const consensus::HardState& hard) {
  return hard.mark != consensus::RecoveryMark() || hard.successor != consensus::Generation();
}

}  // namespace

std::string encode_state(const StateRecord& state) {
  const std::string meta = consensus::encode_snapshot_meta(state.snapshot.meta);
  std::string out = begin_record(Kind::state, 13 * sizeof(std::uint64_t) + 4 + meta.size());
  for (const std::uint64_t number :
       {state.owner.cluster.value(), state.owner.self.value(), state.seq.value(),
        state.hard.term.value(), state.hard.vote.value(), state.hard.generation.value(),
        state.floor.value(), state.last.value(), state.snapshot.id.value(), state.snapshot.pieces,
        state.snapshot.total}) {
    put(out, number);
  }
  put(out, static_cast<std::uint32_t>(meta.size()));
  out += meta;
  if (has_recovery(state.hard)) {
    put(out, state.hard.mark.value());
    put(out, state.hard.successor.value());
  }
  return seal_record(state.owner, std::move(out));
}

Decoded<StateRecord> decode_state(std::string_view bytes) {
  const auto body = open_record(Kind::state, LogOwner(), bytes);
  if (const auto* fault = std::get_if<RecordFault>(&body)) return *fault;
  Reader reader(std::get<std::string_view>(body));
  const auto next = [&reader] { return reader.take<std::uint64_t>(); };
  StateRecord state;
  state.owner.cluster = consensus::ClusterKey(next());
  state.owner.self = consensus::ServerId(next());
  state.seq = Seq(next());
  state.hard.term = consensus::Term(next());
  state.hard.vote = consensus::ServerId(next());
  state.hard.generation = consensus::Generation(next());
  state.floor = Seq(next());
  state.last = consensus::Index(next());
  state.snapshot.id = SnapshotId(next());
  state.snapshot.pieces = next();
  state.snapshot.total = next();
  const std::string_view meta = reader.take_bytes(reader.take<std::uint32_t>());
  if (!reader.is_done()) {
    state.hard.mark = consensus::RecoveryMark(next());
    state.hard.successor = consensus::Generation(next());
    if (!reader.is_done() || !has_recovery(state.hard)) return RecordFault::damaged;
  }
  if (state.snapshot.id == SnapshotId()) return state;
  auto decoded = consensus::decode_snapshot_meta(meta);
  if (!decoded) return RecordFault::damaged;
  state.snapshot.meta = std::move(*decoded);
  return state;
}

// ---- pieces ----------------------------------------------------------------------------------

std::string encode_piece(const LogOwner& owner, const Piece& piece) {
  std::string out = begin_record(Kind::piece, 3 * sizeof(std::uint64_t) + piece.bytes.size());
  put(out, piece.id.value());
  put(out, piece.number);
  put(out, piece.offset);
  out += piece.bytes;
  return seal_record(owner, std::move(out));
}

Decoded<Piece> decode_piece(const LogOwner& owner, std::string_view bytes) {
  const auto body = open_record(Kind::piece, owner, bytes);
  if (const auto* fault = std::get_if<RecordFault>(&body)) return *fault;
  Reader reader(std::get<std::string_view>(body));
  Piece piece;
  piece.id = SnapshotId(reader.take<std::uint64_t>());
  piece.number = reader.take<std::uint64_t>();
  piece.offset = reader.take<std::uint64_t>();
  if (!reader.ok()) return RecordFault::damaged;
  piece.bytes = reader.rest();
  return piece;
}

}  // namespace riftbus::disk
