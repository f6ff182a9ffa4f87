#include "node/disk/sqlite_log_store.h"

#include <unistd.h>

#include <cerrno>

#include "config/check.h"
#include "node/disk/batch_writer.h"
#include "node/disk/log_mark.h"
#include "node/disk/snapshot_shelf.h"
#include "node/disk/store_error.h"

namespace riftbus::disk {

using consensus::Index;

struct SqliteLogStore::State {
  State(const std::string& folder, const LogOwner& log_owner)
      : path(folder + "/log.db"), mark_path(folder + "/log.mark"), owner(log_owner) {}

  std::string path, mark_path;
  LogOwner owner;
  std::unique_ptr<LogMark> mark;
  std::unique_ptr<LogDatabase> database;
  std::optional<BatchWriter> batches;
  std::optional<SnapshotShelf> shelf;
  StateRecord record;  // as it is on disk, or about to be
  std::optional<SnapshotShelf::Draft> own, received;
  std::uint64_t received_total = 0;  // bytes, as its leader says
  Index compact_to;
  bool has_dead_batches = false;
  bool is_loaded = false;
  std::optional<Error> failure;

  [[nodiscard]] Index covered() const { return record.snapshot.meta.index; }

  // Runs a step of the store's work. Its first Error, or SQLite's, is the end of the service.
  template <class Step>
  auto serve(Step step) -> decltype(step()) {
    if (failure) return *failure;
    try {
      auto result = step();
      if (!result.ok()) failure = result.error();
      return result;
    } catch (const SQLite::Exception& thrown) {
      failure = database_failure(thrown.getErrorCode(), thrown.getExtendedErrorCode(),
                                 thrown.what(), path);
      return *failure;
    }
  }

  // Within a strict transaction, as its last writes.
  void write_record() {
    record.seq = batches->take_seq();
    record.last = batches->last();
    database->write_state(encode_state(record));
  }
  // Afterwards nothing that was numbered can be forgotten unnoticed.
  [[nodiscard]] Status commit() {
    database->commit();
    if (mark->set(batches->seq())) return Ok{};
    return system_failure(kWriteFailed, "the mark cannot be written", mark_path, errno);
  }

  [[nodiscard]] Status begin_new_log();
  [[nodiscard]] Status write(const consensus::Persist& write, bool& is_record_due);
  [[nodiscard]] Status put_snapshot(SnapshotShelf::Draft draft);
};

// ---- at start --------------------------------------------------------------------------------

SqliteLogStore::SqliteLogStore(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<SqliteLogStore>> SqliteLogStore::open(const std::string& folder,
                                                             const LogOwner& owner) {
  auto state = std::make_unique<State>(folder, owner);
  const bool is_new = ::access(state->path.c_str(), F_OK) != 0;
  auto mark = LogMark::open(state->mark_path, owner, is_new);
  if (!mark.ok()) return mark.error();
  state->mark = std::move(*mark);
  // Until the first write was acknowledged there is nothing that could have been lost.
  auto database = LogDatabase::open(state->path, state->mark->seq() == Seq());
  if (!database.ok()) return database.error();
  state->database = std::move(*database);
  state->batches.emplace(*state->database, state->owner, state->path);
  state->shelf.emplace(*state->database, state->owner, state->path);
  return std::unique_ptr<SqliteLogStore>(new SqliteLogStore(std::move(state)));
}

SqliteLogStore::~SqliteLogStore() {
  if (!state_->is_loaded) return;
  // The next start is quicker and less depends on the mark; nothing is lost if it fails.
  (void)state_->serve([this]() -> Status {
    state_->database->checkpoint();
    (void)state_->mark->sync();
    return Ok{};
  });
}

Status SqliteLogStore::State::begin_new_log() {
  database->begin(Sync::strict);
  record.owner = owner;
  record.seq = Seq(1);
  database->write_state(encode_state(record));
  database->commit();
  return Ok{};
}

Result<consensus::Memory> SqliteLogStore::load() {
  RIFTBUS_CHECK(!state_->is_loaded);
  State& it = *state_;
  return it.serve([&it]() -> Result<consensus::Memory> {
    if (it.mark->seq() == Seq() && !it.database->read_state()) {
      if (auto begun = it.begin_new_log(); !begun.ok()) return begun.error();
    }
    auto found = recover(*it.database, it.owner, it.mark->seq(), it.path);
    if (!found.ok()) return found.error();
    // What is in the page cache may never have reached the disk, if an earlier fsync failed.
    // Copying it into the database and syncing that makes sure, before we vouch for it.
    it.database->checkpoint();
    it.record = found->state;
    it.batches->start(*found);
    it.shelf->start(*found);
    it.compact_to = it.covered();
    it.has_dead_batches = true;
    if (!it.mark->set(found->seq) || !it.mark->sync()) {
      return system_failure(kWriteFailed, "the mark cannot be written", it.mark_path, errno);
    }
    it.is_loaded = true;
    return consensus::Memory{it.record.hard, it.record.snapshot.meta, std::move(found->entries),
                             it.record.snapshot.total};
  });
}

Status SqliteLogStore::bootstrap(const consensus::Memory& memory) {
  RIFTBUS_CHECK(state_->is_loaded && state_->batches->last() == Index());
  RIFTBUS_CHECK(state_->record.hard == consensus::HardState());
  RIFTBUS_CHECK(memory.snapshot.index == Index());
  const consensus::Persist write{{}, memory.hard, Index(), memory.entries};
  return persist({&write, 1});
}

Status SqliteLogStore::read_snapshot(const PieceSink& sink) {
  RIFTBUS_CHECK(state_->is_loaded);
  State& it = *state_;
  std::optional<Error> refused;
  Status read = it.serve([&]() -> Status {
    const PieceReading reading = it.shelf->read(it.shelf->current(), sink);
    if (!reading.is_refused) return reading.status;
    refused = reading.status.error();
    return Ok{};
  });
  if (refused) return *refused;
  return read;
}

// ---- the log ---------------------------------------------------------------------------------

Status SqliteLogStore::persist(std::span<const consensus::Persist> writes) {
  RIFTBUS_CHECK(state_->is_loaded);
  State& it = *state_;
  return it.serve([&it, writes]() -> Status {
    it.database->begin(Sync::strict);
    bool is_record_due = false;
    for (const consensus::Persist& write : writes) {
      if (Status written = it.write(write, is_record_due); !written.ok()) return written;
    }
    it.batches->flush();
    if (is_record_due) it.write_record();
    return it.commit();
  });
}

Status SqliteLogStore::State::write(const consensus::Persist& write, bool& is_record_due) {
  if (write.hard) {
    record.hard = *write.hard;
    is_record_due = true;
  }
  if (write.cut_from != Index()) {
    RIFTBUS_CHECK(write.cut_from > covered());
    is_record_due = true;  // it says where the log ends
    if (Status cut = batches->cut(write.cut_from); !cut.ok()) return cut;
  }
  for (const consensus::EntryPtr& entry : write.entries) batches->append(entry);
  return Ok{};
}

void SqliteLogStore::compact(const consensus::Compact& request) {
  RIFTBUS_CHECK(state_->is_loaded && (state_->failure || request.up_to <= state_->covered()));
  state_->compact_to = std::max(state_->compact_to, request.up_to);
  state_->has_dead_batches = true;
}

Result<bool> SqliteLogStore::tidy() {
  RIFTBUS_CHECK(state_->is_loaded);
  State& it = *state_;
  return it.serve([&it]() -> Result<bool> {
    if (it.has_dead_batches) {
      auto more = it.batches->tidy(it.record.floor, it.record.seq, it.compact_to);
      if (!more.ok()) return more;
      it.has_dead_batches = *more;
    } else if (it.shelf->has_dead()) {
      std::vector<SnapshotId> drafts;
      for (const auto* draft : {&it.own, &it.received}) {
        if (*draft) drafts.push_back((*draft)->snapshot.id);
      }
      (void)it.shelf->tidy(drafts);
    } else if (it.database->is_checkpoint_due()) {
      it.database->checkpoint();
    }
    return it.has_dead_batches || it.shelf->has_dead() || it.database->is_checkpoint_due();
  });
}

// ---- snapshots -------------------------------------------------------------------------------

// `draft` and everything before it become durable and count, in one transaction.
Status SqliteLogStore::State::put_snapshot(SnapshotShelf::Draft draft) {
  database->begin(Sync::strict);
  record.snapshot = draft.snapshot;
  write_record();
  Status committed = commit();
  if (committed.ok()) shelf->put(std::move(draft));
  return committed;
}

Status SqliteLogStore::begin_snapshot(const consensus::SnapshotMeta& meta) {
  RIFTBUS_CHECK(state_->is_loaded);
  if (state_->failure) return *state_->failure;
  state_->shelf->discard(state_->own);
  state_->own = state_->shelf->begin(meta);
  return Ok{};
}

Status SqliteLogStore::add_to_snapshot(std::string_view piece) {
  RIFTBUS_CHECK(!piece.empty() && piece.size() <= kPieceBytesMax);
  State& it = *state_;
  return it.serve([&it, piece]() -> Status {
    if (it.own) it.shelf->add(*it.own, piece);
    return Ok{};
  });
}

Result<bool> SqliteLogStore::finish_snapshot() {
  State& it = *state_;
  return it.serve([&it]() -> Result<bool> {
    if (!it.own) return false;
    if (it.own->snapshot.meta.index <= it.covered()) {
      it.shelf->discard(it.own);
      return false;
    }
    // Made after all writes before it: or the log could end before its snapshot.
    RIFTBUS_CHECK(it.own->snapshot.meta.index <= it.batches->last());
    SnapshotShelf::Draft draft = std::move(*it.own);
    it.own.reset();
    const Status put = it.put_snapshot(std::move(draft));
    if (!put.ok()) return put.error();
    return true;
  });
}

Status SqliteLogStore::store_chunk(const consensus::StoreChunk& chunk) {
  RIFTBUS_CHECK(state_->is_loaded);
  State& it = *state_;
  return it.serve([&it, &chunk]() -> Status {
    if (chunk.offset == 0) {
      it.shelf->discard(it.received);
      it.received = it.shelf->begin(chunk.meta);
    }
    // Out of order: install_snapshot() will find the snapshot incomplete.
    const bool fits = it.received && it.received->snapshot.meta == chunk.meta &&
                      it.received->snapshot.total == chunk.offset;
    if (!fits) {
      it.shelf->discard(it.received);
    } else if (!chunk.bytes.empty()) {
      it.shelf->add(*it.received, chunk.bytes);
    }
    if (it.received) it.received_total = chunk.total;
    return Ok{};
  });
}

Result<bool> SqliteLogStore::install_snapshot(const consensus::InstallSnapshot& request,
                                              const PieceSink& restore) {
  RIFTBUS_CHECK(state_->is_loaded);
  State& it = *state_;
  return it.serve([&]() -> Result<bool> {
    const bool is_complete = it.received && it.received->snapshot.meta == request.meta &&
                             it.received->snapshot.total == it.received_total &&
                             request.meta.index > it.covered();
    const PieceReading reading =
        is_complete ? it.shelf->read(it.received->snapshot, restore) : PieceReading();
    if (!is_complete || reading.is_refused) {
      it.shelf->discard(it.received);
      return false;
    }
    if (!reading.status.ok()) return reading.status.error();
    SnapshotShelf::Draft draft = std::move(*it.received);
    it.received.reset();
    it.shelf->discard(it.own);
    it.batches->restart(request.meta.index);
    it.record.floor = it.batches->seq();  // all that was written until now
    it.has_dead_batches = true;
    it.compact_to = request.meta.index;
    const Status put = it.put_snapshot(std::move(draft));
    if (!put.ok()) return put.error();
    return true;
  });
}

Result<consensus::SnapshotBytes> SqliteLogStore::read_chunk(
    const consensus::ReadSnapshot& request) {
  RIFTBUS_CHECK(state_->is_loaded);
  State& it = *state_;
  return it.serve([&]() -> Result<consensus::SnapshotBytes> {
    auto bytes = it.shelf->read_at(request.offset, request.bytes_max);
    if (!bytes.ok()) return bytes.error();
    const StoredSnapshot& current = it.shelf->current();
    return consensus::SnapshotBytes{request.to, current.meta, request.offset, current.total,
                                    std::move(*bytes)};
  });
}

const Error* SqliteLogStore::failure() const {
  return state_->failure ? &*state_->failure : nullptr;
}

}  // namespace riftbus::disk
