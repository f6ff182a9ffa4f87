#include "node/disk/log_database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>

#include "node/disk/store_error.h"

namespace riftbus::disk {

namespace {

constexpr unsigned kPieceBits = 32;
constexpr const char* kTables =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS state(id INTEGER PRIMARY KEY, record BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS batch(seq INTEGER PRIMARY KEY, record BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS piece(place INTEGER PRIMARY KEY, record BLOB NOT NULL);"
    "COMMIT";

std::int64_t place_of(SnapshotId id, std::uint64_t number) {
  return static_cast<std::int64_t>(id.value() << kPieceBits | number);
}

std::string_view blob_of(const SQLite::Column& column) {
  const auto size = static_cast<std::size_t>(column.getBytes());
  return size == 0 ? std::string_view()
                   : std::string_view(static_cast<const char*>(column.getBlob()), size);
}

void bind_blob(SQLite::Statement& statement, int place, const std::string& bytes) {
  // Not copied: it is executed while `bytes` is there.
  statement.bindNoCopy(place, bytes.data(), static_cast<int>(bytes.size()));
}

// Runs it to its end and makes it ready for the next time.
void execute(SQLite::Statement& statement) {
  statement.exec();
  statement.reset();
  statement.clearBindings();
}

int count_wal_pages(void* count, sqlite3*, const char*, int pages) {
  *static_cast<int*>(count) = pages;
  return SQLITE_OK;
}

// SQLite would make it as the umask says.
Status create_private(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return system_failure(kStoreNotOpened, "the log cannot be made", path, errno);
  ::close(fd);
  return Ok{};
}

}  // namespace

Result<std::unique_ptr<LogDatabase>> LogDatabase::open(const std::string& path, bool may_create) {
  if (::access(path.c_str(), F_OK) != 0) {
    if (!may_create) return lost_log(kStoreIncomplete, "the log is missing, its mark is not", path);
    if (const auto created = create_private(path); !created.ok()) return created.error();
  }
  try {
    return std::unique_ptr<LogDatabase>(new LogDatabase(path, may_create));
  } catch (const SQLite::Exception& failure) {
    return database_failure(failure.getErrorCode(), failure.getExtendedErrorCode(), failure.what(),
                            path);
  }
}

LogDatabase::LogDatabase(const std::string& path, bool may_create)
    : database_(path, SQLite::OPEN_READWRITE | SQLite::OPEN_NOFOLLOW) {
  sqlite3* handle = database_.getHandle();
  sqlite3_extended_result_codes(handle, 1);
  // After a failure nothing may be touched, so closing never writes: checkpoint() does.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  for (const char* setting :
       {"PRAGMA page_size=16384", "PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL",
        "PRAGMA wal_autocheckpoint=0", "PRAGMA synchronous=FULL", "PRAGMA fullfsync=ON",
        "PRAGMA cell_size_check=ON", "PRAGMA trusted_schema=OFF", "PRAGMA temp_store=MEMORY",
        "PRAGMA cache_size=-4096", "PRAGMA secure_delete=OFF"}) {
    SQLite::Statement(database_, setting).executeStep();
  }
  sqlite3_wal_hook(handle, count_wal_pages, &wal_pages_);
  if (may_create) database_.exec(kTables);
  prepare();
}

void LogDatabase::prepare() {
  begin_.emplace(database_, "BEGIN IMMEDIATE");
  commit_.emplace(database_, "COMMIT");
  read_state_.emplace(database_, "SELECT record FROM state WHERE id = 1");
  write_state_.emplace(database_, "INSERT OR REPLACE INTO state(id, record) VALUES(1, ?)");
  all_batches_.emplace(database_, "SELECT seq, record FROM batch ORDER BY seq");
  all_batches_backwards_.emplace(database_, "SELECT seq, record FROM batch ORDER BY seq DESC");
  insert_batch_.emplace(database_, "INSERT INTO batch(seq, record) VALUES(?, ?)");
  delete_batch_.emplace(database_, "DELETE FROM batch WHERE seq = ?");
  insert_piece_.emplace(database_, "INSERT INTO piece(place, record) VALUES(?, ?)");
  read_piece_.emplace(database_, "SELECT record FROM piece WHERE place = ?");
  find_piece_.emplace(database_,
                      "SELECT place, length(record) FROM piece WHERE place >= ? "
                      "ORDER BY place LIMIT 1");
  delete_piece_.emplace(database_, "DELETE FROM piece WHERE place = ?");
}

std::string LogDatabase::check() {
  SQLite::Statement rows(database_, "PRAGMA quick_check(1)");
  return rows.executeStep() ? rows.getColumn(0).getString() : "no answer";
}

void LogDatabase::set_sync(Sync sync) {
  if (sync == sync_) return;
  database_.exec(sync == Sync::strict ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  sync_ = sync;
}

void LogDatabase::begin(Sync sync) {
  set_sync(sync);
  execute(*begin_);
}

void LogDatabase::commit() {
  execute(*commit_);
  if (wal_pages_ >= kWalPagesMax) checkpoint();
}

void LogDatabase::checkpoint() {
  set_sync(Sync::strict);
  const int code = sqlite3_wal_checkpoint_v2(database_.getHandle(), nullptr, SQLITE_CHECKPOINT_FULL,
                                             nullptr, nullptr);
  if (code != SQLITE_OK) throw SQLite::Exception(database_.getHandle(), code);
  wal_pages_ = 0;
  wal_pages_due_ = kWalPagesDue + static_cast<int>(random_.below(kWalPagesDue));
}

// ---- rows ------------------------------------------------------------------------------------

std::optional<std::string> LogDatabase::read_state() {
  std::optional<std::string> record;
  if (read_state_->executeStep()) record = std::string(blob_of(read_state_->getColumn(0)));
  read_state_->reset();
  return record;
}

void LogDatabase::write_state(const std::string& record) {
  bind_blob(*write_state_, 1, record);
  execute(*write_state_);
}

void LogDatabase::visit(SQLite::Statement& rows, const BatchVisitor& visitor) {
  while (rows.executeStep()) {
    const auto seq = static_cast<std::uint64_t>(rows.getColumn(0).getInt64());
    const SQLite::Column record = rows.getColumn(1);
    if (!visitor(Seq(seq), blob_of(record))) break;
  }
  rows.reset();
}

void LogDatabase::visit_batches(const BatchVisitor& visitor) { visit(*all_batches_, visitor); }

void LogDatabase::visit_batches_backwards(const BatchVisitor& visitor) {
  visit(*all_batches_backwards_, visitor);
}

void LogDatabase::insert_batch(Seq seq, const std::string& record) {
  insert_batch_->bind(1, static_cast<std::int64_t>(seq.value()));
  bind_blob(*insert_batch_, 2, record);
  execute(*insert_batch_);
}

void LogDatabase::delete_batch(Seq seq) {
  delete_batch_->bind(1, static_cast<std::int64_t>(seq.value()));
  execute(*delete_batch_);
}

void LogDatabase::insert_piece(SnapshotId id, std::uint64_t number, const std::string& record) {
  insert_piece_->bind(1, place_of(id, number));
  bind_blob(*insert_piece_, 2, record);
  execute(*insert_piece_);
}

std::optional<std::string> LogDatabase::read_piece(SnapshotId id, std::uint64_t number) {
  read_piece_->bind(1, place_of(id, number));
  std::optional<std::string> record;
  if (read_piece_->executeStep()) record = std::string(blob_of(read_piece_->getColumn(0)));
  read_piece_->reset();
  return record;
}

std::optional<LogDatabase::PiecePlace> LogDatabase::find_piece(SnapshotId id,
                                                               std::uint64_t number) {
  find_piece_->bind(1, place_of(id, number));
  std::optional<PiecePlace> found;
  if (find_piece_->executeStep()) {
    const auto place = static_cast<std::uint64_t>(find_piece_->getColumn(0).getInt64());
    found =
        PiecePlace{SnapshotId(place >> kPieceBits), place & ((std::uint64_t{1} << kPieceBits) - 1),
                   static_cast<std::size_t>(find_piece_->getColumn(1).getInt64())};
  }
  find_piece_->reset();
  return found;
}

SnapshotId LogDatabase::highest_snapshot() {
  SQLite::Statement row(database_, "SELECT max(place) FROM piece");
  if (!row.executeStep() || row.getColumn(0).isNull()) return SnapshotId();
  return SnapshotId(static_cast<std::uint64_t>(row.getColumn(0).getInt64()) >> kPieceBits);
}

void LogDatabase::delete_piece(SnapshotId id, std::uint64_t number) {
  delete_piece_->bind(1, place_of(id, number));
  execute(*delete_piece_);
}

}  // namespace riftbus::disk
