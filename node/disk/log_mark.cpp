#include "node/disk/log_mark.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "bus/durable_file.h"
#include "node/disk/store_error.h"

namespace riftbus::disk {

namespace {

constexpr unsigned kSlots = 2;
constexpr std::size_t kSlotDistance = 512;            // one sector each
constexpr std::uint64_t kMagic = 0x316b72616d746672;  // "rftmark1"

// As it lies on disk, little-endian like every machine this runs on.
struct Slot {
  std::uint64_t magic = kMagic;
  std::uint64_t cluster = 0;
  std::uint64_t self = 0;
  std::uint64_t seq = 0;
  std::uint64_t seal = 0;
};
static_assert(sizeof(Slot) == 40 && sizeof(Slot) <= kSlotDistance);

std::uint64_t seal_of(const Slot& slot) { return XXH3_64bits(&slot, offsetof(Slot, seal)); }

Slot make_slot(const LogOwner& owner, Seq seq) {
  Slot slot;
  slot.cluster = owner.cluster.value();
  slot.self = owner.self.value();
  slot.seq = seq.value();
  slot.seal = seal_of(slot);
  return slot;
}

std::string initial_content(const LogOwner& owner) {
  std::string content(kSlots * kSlotDistance, '\0');
  const Slot slot = make_slot(owner, Seq());
  for (unsigned i = 0; i < kSlots; ++i) {
    std::memcpy(content.data() + i * kSlotDistance, &slot, sizeof slot);
  }
  return content;
}

}  // namespace

Result<std::unique_ptr<LogMark>> LogMark::open(const std::string& path, const LogOwner& owner,
                                               bool may_create) {
  int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 && errno == ENOENT) {
    if (!may_create) return lost_log(kStoreIncomplete, "the mark of the log is missing", path);
    const auto created = create_file(path, initial_content(owner), FilePrivacy::secret);
    if (!created.ok()) return created.error();
    fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  }
  if (fd < 0) return system_failure(kStoreNotOpened, "the mark cannot be opened", path, errno);
  std::unique_ptr<LogMark> mark(new LogMark(fd, owner));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return log_in_use(path);
  }
  if (const auto loaded = mark->load(path); !loaded.ok()) return loaded.error();
  return mark;
}

LogMark::~LogMark() { ::close(fd_); }

Status LogMark::load(const std::string& path) {
  bool is_valid = false;
  for (unsigned i = 0; i < kSlots; ++i) {
    Slot slot;
    const auto count = ::pread(fd_, &slot, sizeof slot, static_cast<off_t>(i * kSlotDistance));
    if (count < 0) return system_failure(kWriteFailed, "the mark cannot be read", path, errno);
    if (count != sizeof slot || slot.magic != kMagic || slot.seal != seal_of(slot)) continue;
    if (slot.cluster != owner_.cluster.value() || slot.self != owner_.self.value()) {
      return foreign_log(path);
    }
    if (is_valid && Seq(slot.seq) < seq_) continue;
    is_valid = true;
    seq_ = Seq(slot.seq);
    next_slot_ = (i + 1) % kSlots;
  }
  if (is_valid) return Ok{};
  return lost_log(kStoreIncomplete, "the mark of the log is damaged", path);
}

bool LogMark::set(Seq seq) {
  const Slot slot = make_slot(owner_, seq);
  const auto place = static_cast<off_t>(next_slot_ * kSlotDistance);
  const auto count = ::pwrite(fd_, &slot, sizeof slot, place);
  if (count != sizeof slot) {
    if (count >= 0) errno = EIO;
    return false;
  }
  next_slot_ = (next_slot_ + 1) % kSlots;
  seq_ = seq;
  return true;
}

bool LogMark::sync() { return ::fsync(fd_) == 0; }

}  // namespace riftbus::disk
