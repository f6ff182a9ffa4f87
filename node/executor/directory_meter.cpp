#include "node/executor/directory_meter.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>
#include <utility>

namespace riftbus::executor {

namespace {

constexpr std::uint64_t kEntryBytes = 4096;

}  // namespace

DirectoryMeter::~DirectoryMeter() { close(); }

void DirectoryMeter::close() {
  if (folder_ != nullptr) closedir(folder_);
  folder_ = nullptr;
}

void DirectoryMeter::begin(std::vector<std::string> folders) {
  close();
  waiting_ = std::move(folders);
  bytes_ = 0;
}

bool DirectoryMeter::open_next() {
  while (folder_ == nullptr && !waiting_.empty()) {
    path_ = std::move(waiting_.back());
    waiting_.pop_back();
    const int file =
        ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) continue;
    folder_ = fdopendir(file);
    if (folder_ == nullptr) ::close(file);
  }
  return folder_ != nullptr;
}

bool DirectoryMeter::advance(std::size_t entries_max) {
  for (std::size_t seen = 0; seen < entries_max; ++seen) {
    if (!open_next()) return true;
    const auto* entry = readdir(folder_);
    if (entry == nullptr) {
      close();
      continue;
    }
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") count(std::string(name));
  }
  return false;
}

void DirectoryMeter::count(const std::string& name) {
  bytes_ += kEntryBytes;
  struct stat facts {};
  if (fstatat(dirfd(folder_), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (S_ISREG(facts.st_mode)) bytes_ += static_cast<std::uint64_t>(facts.st_size);
  if (S_ISDIR(facts.st_mode) && waiting_.size() < kFoldersMax) {
    waiting_.push_back(path_ + "/" + name);
  }
}

}  // namespace riftbus::executor
