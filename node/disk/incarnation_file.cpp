#include "node/disk/incarnation_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "node/disk/files.h"

namespace riftbus::node {

namespace {

struct Slot {
  std::uint64_t magic;
  std::uint64_t incarnation;
  std::uint64_t checksum;
};
constexpr std::uint64_t kMagic = 0x31636e4966695276ULL;
constexpr off_t kSlotStride = 512;  // one sector each: a torn sector spoils one slot only

std::uint64_t checksum_of(const Slot& slot) { return XXH3_64bits(&slot, offsetof(Slot, checksum)); }

std::optional<std::uint64_t> read_slot(int fd, int index) {
  Slot slot{};
  if (pread(fd, &slot, sizeof slot, index * kSlotStride) != sizeof slot) return std::nullopt;
  if (slot.magic != kMagic || slot.checksum != checksum_of(slot)) return std::nullopt;
  return slot.incarnation;
}

}  // namespace

Result<Incarnation> IncarnationFile::load() {
  const Descriptor file(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) {
    if (errno == ENOENT) return Incarnation{0};
    return system_error(1401, "cannot read the incarnation file", path_);
  }
  const auto first = read_slot(file.fd(), 0);
  const auto second = read_slot(file.fd(), 1);
  if (!first && !second) {
    return Error{1402, "both slots of the incarnation file are damaged", path_,
                 "the node starts a life numbered by the wall clock; check the disk"};
  }
  next_slot_ = first.value_or(0) >= second.value_or(0) ? 1 : 0;
  return Incarnation{std::max(first.value_or(0), second.value_or(0))};
}

Status IncarnationFile::store(Incarnation incarnation) {
  const Descriptor file(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.ok()) return system_error(1403, "cannot store the incarnation", path_);
  if (const int error = posix_fallocate(file.fd(), 0, 2 * kSlotStride); error != 0) {
    errno = error;
    return system_error(1403, "cannot store the incarnation", path_);
  }
  Slot slot{kMagic, incarnation.value(), 0};
  slot.checksum = checksum_of(slot);
  const auto written = pwrite(file.fd(), &slot, sizeof slot, next_slot_ * kSlotStride);
  if (written != sizeof slot || fsync(file.fd()) != 0) {
    return system_error(1403, "cannot store the incarnation", path_);
  }
  next_slot_ = 1 - next_slot_;
  return Ok{};
}

}  // namespace riftbus::node
