#include "node/allocator.h"

#include <cstdlib>
#include <cstring>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define RIFTBUS_TUNES_GLIBC 1
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef RIFTBUS_TUNES_GLIBC
#endif
#endif

#ifdef RIFTBUS_TUNES_GLIBC
#include <limits.h>
#include <malloc.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#endif

namespace riftbus::node {

#ifdef RIFTBUS_TUNES_GLIBC

namespace {

constexpr const char* kName = "GLIBC_TUNABLES";
constexpr const char* kValue =
    "glibc.malloc.tcache_count=1000"
    ":glibc.malloc.mmap_threshold=16384"
    ":glibc.malloc.mmap_max=4096"
    ":glibc.malloc.trim_threshold=4194304";

constexpr int kMapFrom = 4 << 20;
constexpr int kKeptAtEnd = 1 << 30;
constexpr Seconds kGiveBackUnderLoad{600};

std::atomic<bool> is_under_load = false;

}  // namespace

void tune_allocator(char** argv) {
  if (const char* given = ::getenv(kName)) {
    // Ours, after the new start; not for the jobs that this daemon will run.
    if (std::strcmp(given, kValue) == 0) ::unsetenv(kName);
    return;
  }
  if (::getauxval(AT_SECURE) != 0) return;  // glibc ignores it then
  char self[PATH_MAX];
  const auto length = ::readlink("/proc/self/exe", self, sizeof self - 1);
  if (length <= 0) return;
  self[length] = '\0';
  ::setenv(kName, kValue, 1);
  ::execv(self, argv);
  ::unsetenv(kName);
}

void expect_long_batches() {
  static std::once_flag once;
  std::call_once(once, [] {
    ::mallopt(M_MMAP_THRESHOLD, kMapFrom);
    ::mallopt(M_TRIM_THRESHOLD, kKeptAtEnd);
  });
  is_under_load.store(true, std::memory_order_relaxed);
}

void give_memory_back(TimePoint now) {
  static TimePoint last{};
  if (is_under_load.load(std::memory_order_relaxed) && now - last < kGiveBackUnderLoad) return;
  is_under_load.store(false, std::memory_order_relaxed);
  last = now;
  static_cast<void>(::malloc_trim(0));
}

#else

void tune_allocator(char** /*argv*/) {}
void expect_long_batches() {}
void give_memory_back(TimePoint /*now*/) {}

#endif

}  // namespace riftbus::node
