// The records of a log on disk, and the seals that tell whether they are what was written.
//
// Three kinds, each a row of its own:
//
//   batch   entries that were written together, in order, without gaps
//   state   the one record that says what counts: hard state, newest snapshot, where the log ends
//   piece   a part of a snapshot
//
// Format, all numbers little-endian: [seal u64][kind u8][version u8][body]. The seal is XXH3 over
// what follows it, seeded with the kind and, except for state, with the log's owner: a row of
// another file, or of another kind, is never taken for one of ours. Bodies:
//
//   batch   [seq u64][first u64][count u32] count x ([length u32][entry as encode_entry() makes
//   it]) state   [cluster u64][self u64][seq u64][term u64][vote u64][generation u64]
//           [floor u64][last u64][snapshot id u64][pieces u64][total u64][length u32][meta]
//           and, unless both are 0: [recovery mark u64][successor generation u64]
//   piece   [snapshot id u64][number u64][offset u64][bytes]
//
// Decoding is total: any bytes give a record or a word on what is wrong with them. A seal finds
// damage, not malice.
//
// Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "node/consensus/configuration.h"
#include "node/disk/log_store.h"

namespace riftbus::disk {

// Numbers the transactions that consensus was told of, and within them the rows.
using Seq = Strong<struct StoreSeqTag>;
// Numbers the snapshots of one store; 0: none.
using SnapshotId = Strong<struct StoreSnapshotTag>;

inline constexpr std::size_t kBatchEntriesMax = 4096;
inline constexpr std::size_t kBatchBytesMax = 1024 * 1024;  // unless a single entry is longer

struct Batch {
  Seq seq;
  consensus::Entries entries;  // at least one
  [[nodiscard]] consensus::Index first() const { return entries.front()->index; }
  [[nodiscard]] consensus::Index last() const { return entries.back()->index; }
};

// Where a batch lies, without its entries.
struct BatchSpan {
  Seq seq;
  consensus::Index first;
  std::uint64_t count = 0;
  [[nodiscard]] consensus::Index last() const { return first + count - 1; }
};

struct StoredSnapshot {
  SnapshotId id;
  std::uint64_t pieces = 0;
  std::uint64_t total = 0;  // bytes
  consensus::SnapshotMeta meta;
};

struct StateRecord {
  LogOwner owner;
  Seq seq;
  consensus::HardState hard;
  Seq floor;              // batches up to it were replaced by a snapshot and do not count
  consensus::Index last;  // of the log when this was written; 0 if it was empty
  StoredSnapshot snapshot;
};

struct Piece {
  SnapshotId id;
  std::uint64_t number = 0;
  std::uint64_t offset = 0;
  std::string_view bytes;  // into what was decoded
};

enum class RecordFault : std::uint8_t { damaged, later_version };
[[nodiscard]] const char* to_string(RecordFault fault);

template <class Record>
using Decoded = std::variant<Record, RecordFault>;

// The record with its seal, the first 8 bytes, set anew by the kind that it names. Encoders end
// with this; a fuzzer begins with it.
[[nodiscard]] std::string seal_record(const LogOwner& owner, std::string record);

[[nodiscard]] std::string encode_batch(const LogOwner& owner, const Batch& batch);
// Seal, kind and bounds; the entries' order; and each entry.
[[nodiscard]] Decoded<Batch> decode_batch(const LogOwner& owner, std::string_view bytes);
// The seal alone: its entries are those that were written.
[[nodiscard]] Decoded<BatchSpan> decode_batch_span(const LogOwner& owner, std::string_view bytes);

[[nodiscard]] std::string encode_state(const StateRecord& state);
// Whoever its owner is.
[[nodiscard]] Decoded<StateRecord> decode_state(std::string_view bytes);

[[nodiscard]] std::string encode_piece(const LogOwner& owner, const Piece& piece);
[[nodiscard]] Decoded<Piece> decode_piece(const LogOwner& owner, std::string_view bytes);

}  // namespace riftbus::disk
