#include "node/quorum/log_disk.h"

#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "node/allocator.h"
#include "node/work/snapshot.h"

namespace riftbus::node {

namespace {

constexpr std::size_t kTasksBetweenTidying = 64;
constexpr std::size_t kLongBatch = 64;  // entries
constexpr int kSnapshotNice = 10;       // nobody waits for a snapshot: requests come first

std::uint64_t since_us(std::chrono::steady_clock::time_point began) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                        std::chrono::steady_clock::now() - began)
                                        .count());
}

// For `top -H` and the like.
void name_thread(const char* name) { ::pthread_setname_np(::pthread_self(), name); }

// Two readers of the same bytes: a WorkQueue cannot be copied.
struct TwoReaders {
  work::SnapshotReader first, second;
  Status feed(std::string_view piece) {
    if (auto status = first.feed(piece); !status) return status;
    return second.feed(piece);
  }
};

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
  TwoReaders readers;
  const auto status = store.read_snapshot([&](std::string_view piece) -> Status {
    if (piece.empty()) return Ok{};
    return readers.feed(piece);
  });
  if (!status) return status.error();
  auto queue = readers.first.take();
  if (!queue) return queue.error();
  auto shadow = readers.second.take();
  if (!shadow) return shadow.error();
  start.queue = std::move(*queue);
  start.shadow = std::move(*shadow);
  return start;
}

LogDisk::LogDisk(std::unique_ptr<disk::LogStore> store, work::WorkQueue shadow)
    : store_(std::move(store)), shadow_(std::make_unique<work::WorkQueue>(std::move(shadow))) {
  log_thread_ = std::thread([this] { run_log(); });
  snapshot_thread_ = std::thread([this] { run_snapshots(); });
}

LogDisk::~LogDisk() {
  commit();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  log_wakes_.notify_all();
  snapshot_wakes_.notify_all();
  snapshot_thread_.join();
  log_thread_.join();
}

// ---- the loop's side ---------------------------------------------------------------------------

void LogDisk::post(replica::TakeSnapshot snapshot) {
  commit();  // what it follows is on its way to the disk first
  {
    const std::lock_guard lock(mutex_);
    orders_.emplace_back(std::move(snapshot));
  }
  snapshot_wakes_.notify_one();
}

void LogDisk::commit() {
  if (gathered_.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    if (tasks_.empty()) {
      tasks_.swap(gathered_);
    } else {
      tasks_.insert(tasks_.end(), std::make_move_iterator(gathered_.begin()),
                    std::make_move_iterator(gathered_.end()));
    }
  }
  gathered_.clear();
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
  snapshot_wakes_.notify_all();
  tell(DiskTrouble{error});
}

// ---- the log thread ----------------------------------------------------------------------------

void LogDisk::run_log() {
  name_thread("log");
  std::vector<Task> tasks;
  std::deque<Piece> pieces;
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
    if (!pieces.empty()) snapshot_wakes_.notify_all();  // there is room for more of them
    if (!perform(tasks)) continue;
    for (auto& piece : pieces) {
      if (!perform(piece)) break;
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
  TwoReaders readers;
  std::optional<work::WorkQueue> queue, shadow;
  const auto installed = store_->install_snapshot(request, [&](std::string_view piece) -> Status {
    if (!piece.empty()) return readers.feed(piece);
    auto first = readers.first.take();
    if (!first) return first.error();
    auto second = readers.second.take();
    if (!second) return second.error();
    queue.emplace(std::move(*first));
    shadow.emplace(std::move(*second));
    return Ok{};
  });
  if (!installed) return installed.error();
  if (!*installed || !queue || !shadow) {
    tell(consensus::Event(consensus::SnapshotInstalled{request.meta.index, false}));
    return Ok{};
  }
  {
    const std::lock_guard lock(mutex_);
    orders_.emplace_back(Replace{std::move(*shadow)});
  }
  snapshot_wakes_.notify_one();
  tidy_more_ = true;
  tell(Installed{request.meta.index, std::move(*queue)});
  return Ok{};
}

bool LogDisk::perform(Piece& piece) {
  Status status = Ok{};
  switch (piece.kind) {
    case Piece::Kind::begin:
      status = store_->begin_snapshot(piece.meta);
      break;
    case Piece::Kind::bytes:
      status = store_->add_to_snapshot(piece.bytes);
      break;
    case Piece::Kind::finish: {
      const auto finished = store_->finish_snapshot();
      if (!finished) {
        status = finished.error();
        break;
      }
      tell(consensus::Event(consensus::SnapshotTaken{piece.meta.index, *finished}));
      tidy_more_ = true;
    }
  }
  if (status) return true;
  fail(status.error());
  return false;
}

void LogDisk::tidy() {
  const auto more = store_->tidy();
  tidy_more_ = more.ok() && *more;
  if (!more) fail(more.error());
}

// ---- the snapshot thread -----------------------------------------------------------------------

void LogDisk::run_snapshots() {
  name_thread("snapshots");
  // Of this thread alone, as Linux has it; in vain, it is only less considerate.
  (void)::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + kSnapshotNice);
  for (;;) {
    std::optional<Order> order;
    {
      std::unique_lock lock(mutex_);
      snapshot_wakes_.wait(lock, [&] { return stopping_ || failed_ || !orders_.empty(); });
      if (stopping_ || failed_) return;
      order.emplace(std::move(orders_.front()));
      orders_.pop_front();
    }
    if (auto* replace = std::get_if<Replace>(&*order)) {
      shadow_ = std::make_unique<work::WorkQueue>(std::move(replace->queue));
    } else {
      make_snapshot(std::get<replica::TakeSnapshot>(*order));
    }
  }
}

void LogDisk::make_snapshot(const replica::TakeSnapshot& order) {
  for (const auto& entry : order.entries) replica::apply_entry(*shadow_, *entry);
  std::uint64_t bytes = 0;
  if (!hand_over({Piece::Kind::begin, order.meta, {}})) return;
  for (work::SnapshotWriter writer(*shadow_); !writer.done();) {
    std::string piece = writer.next_piece(kPieceBytes);
    if (piece.empty()) continue;
    bytes += piece.size();
    if (!hand_over({Piece::Kind::bytes, {}, std::move(piece)})) return;
  }
  if (!hand_over({Piece::Kind::finish, order.meta, {}})) return;
  const std::lock_guard lock(mutex_);
  ++figures_.snapshots;
  figures_.snapshot_bytes = bytes;
}

// False: it is no longer wanted.
bool LogDisk::hand_over(Piece piece) {
  {
    std::unique_lock lock(mutex_);
    snapshot_wakes_.wait(lock,
                         [&] { return stopping_ || failed_ || pieces_.size() < kPiecesAhead; });
    if (stopping_ || failed_) return false;
    pieces_.push_back(std::move(piece));
  }
  log_wakes_.notify_one();
  return true;
}

}  // namespace riftbus::node
