#include "node/quorum/log_disk.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "node/allocator.h"
#include "node/work/snapshot.h"

namespace riftbus::node {

namespace {

constexpr std::size_t kTasksBetweenTidying = 64;
constexpr std::size_t kLongBatch = 64;  // entries

std::uint64_t since_us(std::chrono::steady_clock::time_point began) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                        std::chrono::steady_clock::now() - began)
                                        .count());
}

// For `top -H` and the like.
void name_thread(const char* name) { ::pthread_setname_np(::pthread_self(), name); }

// Moves everything from one to the other's end.
template <class T>
void hand_over(std::vector<T>& from, std::vector<T>& to) {
  if (to.empty()) {
    to.swap(from);
  } else {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  }
  from.clear();
}

}  // namespace

// ---- start -------------------------------------------------------------------------------------

Result<LogStart> LogDisk::load(disk::LogStore& store, const consensus::Memory* first) {
  auto memory = store.load();
  if (!memory) return memory.error();
  LogStart start;
  start.memory = std::move(*memory);
  const bool is_empty = start.memory.entries.empty() &&
                        start.memory.snapshot.index == consensus::Index() &&
                        start.memory.hard == consensus::HardState();
  if (is_empty && first != nullptr) {
    if (auto status = store.bootstrap(*first); !status) return status.error();
    start.memory = *first;
    return start;
  }
  if (start.memory.snapshot.index == consensus::Index()) return start;
  work::SnapshotReader reader;
  const auto status = store.read_snapshot([&](std::string_view piece) -> Status {
    if (piece.empty()) return Ok{};
    return reader.feed(piece);
  });
  if (!status) return status.error();
  auto queue = reader.take();
  if (!queue) return queue.error();
  start.queue = std::move(*queue);
  return start;
}

LogDisk::LogDisk(std::unique_ptr<disk::LogStore> store) : store_(std::move(store)) {
  log_thread_ = std::thread([this] { run_log(); });
}

LogDisk::~LogDisk() {
  commit();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  log_wakes_.notify_all();
  log_thread_.join();
}

// ---- the loop's side ---------------------------------------------------------------------------

void LogDisk::commit() {
  if (gathered_.empty() && gathered_pieces_.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    hand_over(gathered_, tasks_);
    hand_over(gathered_pieces_, pieces_);
  }
  log_wakes_.notify_one();
}

void LogDisk::collect(std::vector<DiskDone>& out) {
  wake_.clear();
  const std::lock_guard lock(mutex_);
  out.insert(out.end(), std::make_move_iterator(done_.begin()),
             std::make_move_iterator(done_.end()));
  done_.clear();
}

LogDisk::Figures LogDisk::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

void LogDisk::tell(DiskDone done) {
  {
    const std::lock_guard lock(mutex_);
    done_.push_back(std::move(done));
  }
  wake_.wake();
}

void LogDisk::fail(const Error& error) {
  tidy_more_ = false;
  {
    const std::lock_guard lock(mutex_);
    if (failed_) return;
    failed_ = true;
  }
  tell(DiskTrouble{error});
}

// ---- the log thread ----------------------------------------------------------------------------

void LogDisk::run_log() {
  name_thread("log");
  std::vector<Task> tasks;
  std::vector<replica::SnapshotPiece> pieces;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      const auto has_work = [&] { return stopping_ || !tasks_.empty() || !pieces_.empty(); };
      if (!tidy_more_) log_wakes_.wait(lock, has_work);
      tasks.clear();
      tasks.swap(tasks_);
      pieces.clear();
      pieces.swap(pieces_);
      if (tasks.empty() && pieces.empty() && stopping_) return;
    }
    if (!perform(tasks)) continue;
    for (const auto& piece : pieces) {
      if (const auto status = perform(piece); !status) {
        fail(status.error());
        break;
      }
    }
    if (tidy_more_ && tasks.size() < kTasksBetweenTidying) tidy();
  }
}

bool LogDisk::perform(std::vector<Task>& tasks) {
  for (std::size_t at = 0; at < tasks.size();) {
    if (store_->failure() != nullptr) return false;
    if (std::holds_alternative<consensus::Persist>(tasks[at])) {
      if (!persist(tasks, at)) return false;
      continue;
    }
    if (const auto status = perform_one(tasks[at++]); !status) {
      fail(status.error());
      return false;
    }
  }
  return store_->failure() == nullptr;
}

// All neighbouring writes in one transaction.
bool LogDisk::persist(std::vector<Task>& tasks, std::size_t& at) {
  std::vector<consensus::Persist> writes;
  std::size_t entries = 0;
  for (; at < tasks.size(); ++at) {
    auto* write = std::get_if<consensus::Persist>(&tasks[at]);
    if (write == nullptr) break;
    entries += write->entries.size();
    writes.push_back(std::move(*write));
  }
  if (entries >= kLongBatch) expect_long_batches();
  const auto began = std::chrono::steady_clock::now();
  if (const auto status = store_->persist(writes); !status) {
    fail(status.error());
    return false;
  }
  const std::uint64_t spent_us = since_us(began);
  {
    const std::lock_guard lock(mutex_);
    ++figures_.writes;
    figures_.persists += writes.size();
    figures_.write_us += spent_us;
    figures_.write_us_max = std::max(figures_.write_us_max, spent_us);
  }
  tell(consensus::Event(consensus::Persisted{writes.back().seq}));
  tidy_more_ = true;  // it may have become worth a checkpoint: now that nobody waits for this write
  return true;
}

Status LogDisk::perform_one(Task& task) {
  if (const auto* compact = std::get_if<consensus::Compact>(&task)) {
    store_->compact(*compact);
    tidy_more_ = true;
  } else if (const auto* read = std::get_if<consensus::ReadSnapshot>(&task)) {
    auto chunk = store_->read_chunk(*read);
    if (!chunk) return chunk.error();
    tell(consensus::Event(std::move(*chunk)));
  } else if (const auto* chunk = std::get_if<consensus::StoreChunk>(&task)) {
    return store_->store_chunk(*chunk);
  } else if (const auto* request = std::get_if<consensus::InstallSnapshot>(&task)) {
    return install(*request);
  }
  return Ok{};
}

Status LogDisk::install(const consensus::InstallSnapshot& request) {
  work::SnapshotReader reader;
  std::optional<work::WorkQueue> queue;
  const auto installed = store_->install_snapshot(request, [&](std::string_view piece) -> Status {
    if (!piece.empty()) return reader.feed(piece);
    auto read = reader.take();
    if (!read) return read.error();
    queue.emplace(std::move(*read));
    return Ok{};
  });
  if (!installed) return installed.error();
  if (!*installed || !queue) {
    tell(consensus::Event(consensus::SnapshotInstalled{request.meta.index, false}));
    return Ok{};
  }
  tidy_more_ = true;
  tell(Installed{request.meta.index, std::move(*queue)});
  return Ok{};
}

Status LogDisk::perform(const replica::SnapshotPiece& piece) {
  if (piece.is_first) {
    piece_bytes_ = 0;
    if (auto status = store_->begin_snapshot(piece.meta); !status) return status;
  }
  if (auto status = store_->add_to_snapshot(piece.bytes); !status) return status;
  piece_bytes_ += piece.bytes.size();
  tell(PieceWritten{});
  if (!piece.is_last) return Ok{};
  const auto finished = store_->finish_snapshot();
  if (!finished) return finished.error();
  if (*finished) {
    const std::lock_guard lock(mutex_);
    ++figures_.snapshots;
    figures_.snapshot_bytes = piece_bytes_;
  }
  tell(consensus::Event(consensus::SnapshotTaken{piece.meta.index, *finished, piece_bytes_}));
  tidy_more_ = true;
  return Ok{};
}

void LogDisk::tidy() {
  const auto more = store_->tidy();
  tidy_more_ = more.ok() && *more;
  if (!more) fail(more.error());
}

}  // namespace riftbus::node
