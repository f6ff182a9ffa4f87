#include "bus/ssh/status_file.h"

#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <mutex>
#include <thread>
#include <utility>

namespace riftbus::ssh {

Status write_status(const std::string& path, const nlohmann::json& status) {
  const std::string fresh = path + ".new";
  std::ofstream stream(fresh, std::ios::binary | std::ios::trunc);
  stream << status.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  stream.close();
  if (!stream || std::rename(fresh.c_str(), path.c_str()) != 0) {
    return Error{1805, std::string("the status is not written: ") + std::strerror(errno), path,
                 "make its folder writable, or choose another with the setting status_file"};
  }
  return Ok{};
}

struct StatusWriter::Shared {
  std::string path;
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<nlohmann::json> waiting;
  std::optional<Status> outcome;
  bool is_writing = false;
  bool is_over = false;
};

StatusWriter::StatusWriter(std::string path) : shared_(std::make_shared<Shared>()) {
  shared_->path = std::move(path);
}

StatusWriter::~StatusWriter() {
  const std::lock_guard lock(shared_->mutex);
  shared_->is_over = true;
  shared_->changed.notify_all();
}

void StatusWriter::write(nlohmann::json status) {
  if (!std::exchange(has_thread_, true)) std::thread(work, shared_).detach();
  const std::lock_guard lock(shared_->mutex);
  shared_->waiting = std::move(status);
  shared_->changed.notify_all();
}

std::optional<Status> StatusWriter::take_outcome() {
  const std::lock_guard lock(shared_->mutex);
  return std::exchange(shared_->outcome, std::nullopt);
}

bool StatusWriter::finish(Millis patience) {
  std::unique_lock lock(shared_->mutex);
  return shared_->changed.wait_for(lock, patience,
                                   [this] { return !shared_->waiting && !shared_->is_writing; });
}

void StatusWriter::work(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->changed.wait(lock, [&] { return shared->waiting || shared->is_over; });
    if (!shared->waiting) return;
    const auto status = *std::exchange(shared->waiting, std::nullopt);
    shared->is_writing = true;
    lock.unlock();
    auto outcome = write_status(shared->path, status);
    lock.lock();
    shared->is_writing = false;
    shared->outcome = std::move(outcome);
    shared->changed.notify_all();
  }
}

}  // namespace riftbus::ssh
