#include "test/node/disk/fault_vfs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "config/check.h"

namespace riftbus::disk {

// The real file lies behind it, in the same allocation.
struct FaultVfs::File {
  sqlite3_file base;
  FaultVfs* owner;
  const char* name;  // nullptr: a temporary file
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  static File* of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
};

namespace {

constexpr std::size_t kSectorBytes = 512;

template <class File>
const sqlite3_io_methods* make_methods(int (*write)(sqlite3_file*, const void*, int, sqlite3_int64),
                                       int (*truncate)(sqlite3_file*, sqlite3_int64),
                                       int (*sync)(sqlite3_file*, int)) {
  static sqlite3_io_methods methods{};
  methods.iVersion = 1;  // no shared memory: an exclusive lock does without
  methods.xClose = [](sqlite3_file* f) {
    return File::of(f)->real()->pMethods->xClose(File::of(f)->real());
  };
  methods.xRead = [](sqlite3_file* f, void* bytes, int count, sqlite3_int64 offset) {
    return File::of(f)->real()->pMethods->xRead(File::of(f)->real(), bytes, count, offset);
  };
  methods.xWrite = write;
  methods.xTruncate = truncate;
  methods.xSync = sync;
  methods.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
    return File::of(f)->real()->pMethods->xFileSize(File::of(f)->real(), size);
  };
  methods.xLock = [](sqlite3_file* f, int level) {
    return File::of(f)->real()->pMethods->xLock(File::of(f)->real(), level);
  };
  methods.xUnlock = [](sqlite3_file* f, int level) {
    return File::of(f)->real()->pMethods->xUnlock(File::of(f)->real(), level);
  };
  methods.xCheckReservedLock = [](sqlite3_file* f, int* out) {
    return File::of(f)->real()->pMethods->xCheckReservedLock(File::of(f)->real(), out);
  };
  methods.xFileControl = [](sqlite3_file* f, int operation, void* argument) {
    return File::of(f)->real()->pMethods->xFileControl(File::of(f)->real(), operation, argument);
  };
  methods.xSectorSize = [](sqlite3_file*) { return static_cast<int>(kSectorBytes); };
  methods.xDeviceCharacteristics = [](sqlite3_file* f) {
    return File::of(f)->real()->pMethods->xDeviceCharacteristics(File::of(f)->real());
  };
  return &methods;
}

}  // namespace

FaultVfs::FaultVfs() : real_(sqlite3_vfs_find(nullptr)), own_(*real_) {
  own_.zName = "fault";
  own_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
  // The real functions find their own data by the pointer they are given, so only open() differs.
  own_.xOpen = open;
  self() = this;
  RIFTBUS_CHECK(sqlite3_vfs_register(&own_, 1) == SQLITE_OK);
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_register(real_, 1);
  sqlite3_vfs_unregister(&own_);
  self() = nullptr;
}

FaultVfs*& FaultVfs::self() {
  static FaultVfs* instance = nullptr;
  return instance;
}

int FaultVfs::open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  FaultVfs* owner = self();
  File* it = File::of(file);
  it->owner = owner;
  it->name = name;
  it->base.pMethods = nullptr;
  const int code = owner->real_->xOpen(owner->real_, name, it->real(), flags, out);
  if (code == SQLITE_OK) it->base.pMethods = make_methods<File>(write, truncate, sync);
  return code;
}

bool FaultVfs::spend() {
  if (operations_left_ > 0 && operations_left_ != UINT64_MAX) --operations_left_;
  return operations_left_ > 0;
}

FaultVfs::Change FaultVfs::remember(sqlite3_file* real, std::int64_t offset, std::int64_t count) {
  Change change;
  change.offset = offset;
  sqlite3_int64 size = 0;
  real->pMethods->xFileSize(real, &size);
  change.size_before = size;
  change.before.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(size - offset, 0, count)));
  if (!change.before.empty()) {
    real->pMethods->xRead(real, change.before.data(), static_cast<int>(change.before.size()),
                          offset);
  }
  return change;
}

int FaultVfs::write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  File* it = File::of(file);
  ++it->owner->writes_;
  if (!it->owner->spend()) return SQLITE_IOERR_WRITE;
  Change change = remember(it->real(), offset, count);
  change.after.assign(static_cast<const char*>(bytes), static_cast<std::size_t>(count));
  if (it->name != nullptr) it->owner->unsynced_[it->name].push_back(std::move(change));
  return it->real()->pMethods->xWrite(it->real(), bytes, count, offset);
}

int FaultVfs::truncate(sqlite3_file* file, sqlite3_int64 size) {
  File* it = File::of(file);
  if (!it->owner->spend()) return SQLITE_IOERR_TRUNCATE;
  Change change = remember(it->real(), size, INT32_MAX);
  change.is_truncation = true;
  if (it->name != nullptr) it->owner->unsynced_[it->name].push_back(std::move(change));
  return it->real()->pMethods->xTruncate(it->real(), size);
}

int FaultVfs::sync(sqlite3_file* file, int flags) {
  File* it = File::of(file);
  ++it->owner->syncs_;
  if (!it->owner->spend()) return SQLITE_IOERR_FSYNC;
  if (it->owner->failing_syncs_ > 0) {
    --it->owner->failing_syncs_;
    return SQLITE_IOERR_FSYNC;
  }
  if (it->name != nullptr) it->owner->unsynced_[it->name].clear();
  return it->real()->pMethods->xSync(it->real(), flags);
}

void FaultVfs::undo(int fd, const Change& change) {
  const auto written = ::pwrite(fd, change.before.data(), change.before.size(), change.offset);
  RIFTBUS_CHECK(written == static_cast<ssize_t>(change.before.size()));
  RIFTBUS_CHECK(::ftruncate(fd, change.size_before) == 0);
}

void FaultVfs::redo(int fd, const Change& change, Random& random) {
  if (random.chance(0.4)) return;
  if (change.is_truncation) {
    RIFTBUS_CHECK(::ftruncate(fd, change.offset) == 0);
    return;
  }
  const bool is_torn = random.chance(0.3);
  for (std::size_t at = 0; at < change.after.size(); at += kSectorBytes) {
    if (is_torn && random.chance(0.5)) continue;
    const std::string sector = change.after.substr(at, kSectorBytes);
    const auto place = change.offset + static_cast<std::int64_t>(at);
    RIFTBUS_CHECK(::pwrite(fd, sector.data(), sector.size(), place) ==
                  static_cast<ssize_t>(sector.size()));
  }
}

void FaultVfs::cut_power(Random& random) {
  const bool keeps_all = random.chance(0.5);  // the kernel had just written back everything
  for (auto& [name, changes] : unsynced_) {
    const int fd = ::open(name.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) continue;  // of a test before this one
    if (!keeps_all) {
      for (auto change = changes.rbegin(); change != changes.rend(); ++change) undo(fd, *change);
      for (const Change& change : changes) redo(fd, change, random);
    }
    ::close(fd);
  }
  unsynced_.clear();
  operations_left_ = UINT64_MAX;
}

}  // namespace riftbus::disk
