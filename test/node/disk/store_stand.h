// What the tests of a log store share: short words for entries and writes, a model of what must be
// on disk, and a stream of random requests that is applied to both.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/random.h"
#include "node/disk/sqlite_log_store.h"
#include "test/node/temp_folder.h"

namespace riftbus::disk {

using consensus::Entries;
using consensus::EntryPtr;
using consensus::HardState;
using consensus::Index;
using consensus::Memory;
using consensus::Persist;
using consensus::ServerId;
using consensus::SnapshotMeta;
using consensus::Term;
using consensus::WriteSeq;
using node::TempFolder;

inline const LogOwner kOwner{consensus::ClusterKey(77), ServerId(3)};

[[nodiscard]] EntryPtr make_entry(std::uint64_t index, std::uint64_t term,
                                  const std::string& payload);
// Entries first..last of one term, payloads "p<index>.<term>".
[[nodiscard]] Entries make_entries(std::uint64_t first, std::uint64_t last, std::uint64_t term);
[[nodiscard]] SnapshotMeta make_meta(std::uint64_t index, std::uint64_t term);
[[nodiscard]] HardState make_hard(std::uint64_t term, std::uint64_t vote);

// What was acknowledged, as plain values.
struct Model {
  Memory memory;
  std::string snapshot;
  void persist(const Persist& write);
  // The snapshot covers what is not behind it.
  void put_snapshot(const SnapshotMeta& meta, std::string bytes);
  void install_snapshot(const SnapshotMeta& meta, std::string bytes);
  [[nodiscard]] Index last() const;
};

// "" if equal; else the first difference.
[[nodiscard]] std::string difference(const Memory& expected, const Memory& found);

[[nodiscard]] std::unique_ptr<SqliteLogStore> open_store(const std::string& folder);
// Opened and loaded; the test fails if that is not possible.
struct Opened {
  std::unique_ptr<SqliteLogStore> store;
  Memory memory;
};
[[nodiscard]] Opened reopen(const std::string& folder);
[[nodiscard]] std::string read_file(const std::string& path);
[[nodiscard]] std::string read_all(SqliteLogStore& store);
// Everything of the model is in the folder.
void expect_model(const std::string& folder, const Model& model);

[[nodiscard]] Status write(SqliteLogStore& store, const Persist& request);
// A snapshot of our own, in pieces of `piece` bytes.
[[nodiscard]] Result<bool> take_snapshot(SqliteLogStore& store, const SnapshotMeta& meta,
                                         const std::string& bytes, std::size_t piece);
// A leader's, received in chunks of `piece` bytes.
[[nodiscard]] Result<bool> receive_snapshot(SqliteLogStore& store, const SnapshotMeta& meta,
                                            const std::string& bytes, std::size_t piece);

// Requests as a core might make them, drawn at random.
class RandomRequests {
 public:
  explicit RandomRequests(std::uint64_t seed) : random_(seed) {}
  // One request to the store; the model has it exactly if it was acknowledged. False: it was not,
  // and `attempt` is the model as it would have been.
  bool step(SqliteLogStore& store, Model& model, Model& attempt);

 private:
  [[nodiscard]] Persist next_write(const Model& model);
  [[nodiscard]] std::string bytes(std::size_t max);
  bool snapshot_step(SqliteLogStore& store, Model& model, Model& attempt);

  Random random_;
};

}  // namespace riftbus::disk
