#include "bus/secure_buffers.h"

#include <dlfcn.h>
#include <sodium/utils.h>
#include <sys/mman.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <mutex>
#include <optional>

#include "config/check.h"

namespace riftbus::bus {

namespace {

// Slots of one size; a set bit is a free slot.
class Slots {
 public:
  Slots(std::size_t bytes, std::size_t count) : bytes_(bytes), count_(count) {}

  void open(std::byte* base) {
    base_ = base;
    free_.store(count_ == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count_) - 1,
                std::memory_order_release);
  }

  void* take() {
    auto free = free_.load(std::memory_order_relaxed);
    while (free != 0) {
      const auto slot = static_cast<unsigned>(std::countr_zero(free));
      const auto rest = free & ~(std::uint64_t{1} << slot);
      // Acquire: the wiping of the one who had it before comes before our writing.
      if (free_.compare_exchange_weak(free, rest, std::memory_order_acquire)) {
        return base_ + slot * bytes_;
      }
    }
    return nullptr;
  }

  bool give_back(void* buffer) {
    auto* at = static_cast<std::byte*>(buffer);
    if (base_ == nullptr || at < base_ || at >= base_ + bytes_ * count_) return false;
    const auto offset = static_cast<std::size_t>(at - base_);
    RIFTBUS_CHECK(offset % bytes_ == 0);
    sodium_memzero(buffer, bytes_);
    const auto bit = std::uint64_t{1} << (offset / bytes_);
    const auto before = free_.fetch_or(bit, std::memory_order_release);
    RIFTBUS_CHECK((before & bit) == 0);  // freed twice
    return true;
  }

  [[nodiscard]] std::size_t size() const { return bytes_ * count_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t in_use() const {
    if (base_ == nullptr) return 0;
    return count_ - static_cast<std::size_t>(std::popcount(free_.load(std::memory_order_relaxed)));
  }

 private:
  std::size_t bytes_;
  std::size_t count_;
  std::byte* base_ = nullptr;  // written once, before any bit of free_
  std::atomic<std::uint64_t> free_{0};
};

struct Pool {
  Slots small{kSmallBufferBytes, kSmallBuffers};
  Slots large{kLargeBufferBytes, kLargeBuffers};
  std::atomic<bool> is_open{false};
  std::atomic<std::uint64_t> pooled{0};
  std::atomic<std::uint64_t> handed_on{0};
};

// Never destroyed: libzmq's threads may outlive main's static objects.
Pool& pool() {
  static Pool& the_one = *new Pool;
  return the_one;
}

template <class Function>
Function* function_of_libsodium(const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  RIFTBUS_CHECK(found != nullptr);
  return reinterpret_cast<Function*>(found);
}

void* allocate(std::size_t bytes) {
  Pool& slots = pool();
  if (slots.is_open.load(std::memory_order_acquire)) {
    void* buffer = nullptr;
    if (bytes <= slots.small.bytes()) buffer = slots.small.take();
    if (buffer == nullptr && bytes <= slots.large.bytes()) buffer = slots.large.take();
    if (buffer != nullptr) {
      slots.pooled.fetch_add(1, std::memory_order_relaxed);
      return buffer;
    }
  }
  slots.handed_on.fetch_add(1, std::memory_order_relaxed);
  static auto* const kTheirs = function_of_libsodium<void*(std::size_t)>("sodium_malloc");
  return kTheirs(bytes);
}

void release(void* buffer) {
  if (buffer == nullptr) return;
  Pool& slots = pool();
  if (slots.is_open.load(std::memory_order_acquire)) {
    if (slots.small.give_back(buffer) || slots.large.give_back(buffer)) return;
  }
  static auto* const kTheirs = function_of_libsodium<void(void*)>("sodium_free");
  kTheirs(buffer);
}

void open_pool() {
  Pool& slots = pool();
  const std::size_t bytes = slots.small.size() + slots.large.size();
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  // As libsodium does: a small RLIMIT_MEMLOCK must not keep anybody from encrypting.
  static_cast<void>(mlock(memory, bytes));
  static_cast<void>(madvise(memory, bytes, MADV_DONTDUMP));
  auto* base = static_cast<std::byte*>(memory);
  slots.small.open(base);
  slots.large.open(base + slots.small.size());
  slots.is_open.store(true, std::memory_order_release);
}

}  // namespace

void pool_secure_buffers() {
  static std::once_flag once;
  std::call_once(once, open_pool);
}

SecureBufferCounts count_secure_buffers() {
  const Pool& slots = pool();
  return {slots.pooled.load(std::memory_order_relaxed),
          slots.handed_on.load(std::memory_order_relaxed),
          slots.small.in_use() + slots.large.in_use()};
}

}  // namespace riftbus::bus

// ---- in place of libsodium's -------------------------------------------------------------------

extern "C" {

void* sodium_malloc(const size_t size) { return riftbus::bus::allocate(size); }

void* sodium_allocarray(size_t count, size_t size) {
  if (count > 0 && size >= SIZE_MAX / count) {
    errno = ENOMEM;
    return nullptr;
  }
  return riftbus::bus::allocate(count * size);
}

void sodium_free(void* ptr) { riftbus::bus::release(ptr); }

}  // extern "C"
