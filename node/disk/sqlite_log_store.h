// SqliteLogStore: the LogStore of a daemon, one SQLite database and a mark beside it.
//
//   log.db   WAL mode, synchronous=FULL, one row per batch of entries (log_record.h), one row of
//            state (hard state, which snapshot counts, where the log was emptied), snapshots in
//            rows of up to a mebibyte.
//   log.mark the number of the last acknowledged transaction (log_mark.h).
//
// Why the mark: SQLite takes damage in its write-ahead log for its torn end, and silently forgets
// what comes after. Each transaction has a number, in the database and, once it is durable, in the
// mark; a database that knows less than its mark has lost something. The mark is written without
// fsync, after the transaction's: it may be too low after a power cut, never too high.
//
// Both files are private (0600) and locked: a second daemon gets Error 1701. They are made in
// `folder`, which exists and is private (make_private_directory).
//
// Thread and order: log_store.h. The destructor copies the write-ahead log into the database unless
// the store has failed.
#pragma once

#include <memory>

#include "node/disk/log_store.h"

namespace riftbus::disk {

class SqliteLogStore final : public LogStore {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SqliteLogStore>> open(const std::string& folder,
                                                                    const LogOwner& owner);
  ~SqliteLogStore() override;

  [[nodiscard]] Result<consensus::Memory> load() override;
  [[nodiscard]] Status bootstrap(const consensus::Memory& memory) override;
  [[nodiscard]] Status read_snapshot(const PieceSink& sink) override;
  [[nodiscard]] Status persist(std::span<const consensus::Persist> writes) override;
  void compact(const consensus::Compact& request) override;
  [[nodiscard]] Result<bool> tidy() override;
  [[nodiscard]] Status begin_snapshot(const consensus::SnapshotMeta& meta) override;
  [[nodiscard]] Status add_to_snapshot(std::string_view piece) override;
  [[nodiscard]] Result<bool> finish_snapshot() override;
  [[nodiscard]] Status store_chunk(const consensus::StoreChunk& chunk) override;
  [[nodiscard]] Result<bool> install_snapshot(const consensus::InstallSnapshot& request,
                                              const PieceSink& restore) override;
  [[nodiscard]] Result<consensus::SnapshotBytes> read_chunk(
      const consensus::ReadSnapshot& request) override;
  [[nodiscard]] const Error* failure() const override;

 private:
  struct State;
  explicit SqliteLogStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace riftbus::disk
