// riftbus-node: the daemon of one machine.
#include <sodium.h>
#ifdef RIFTBUS_JEMALLOC
#include <jemalloc/jemalloc.h>
#include <malloc.h>
#endif

#include <cstdio>
#include <string>
#include <vector>

#include "bus/log.h"
#include "config/effective.h"
#include "config/flags.h"
#include "node/node.h"

#ifdef RIFTBUS_JEMALLOC
// jemalloc reads this. One arena, because almost everything is allocated by the loop; threads keep
// only small pieces for themselves: an idle daemon must stay small.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0,lg_tcache_max:12";

// glibc's belongs to glibc's heap. Ours gives back what is free, also in a daemon so idle that
// jemalloc, which looks at its clock when something is allocated, does not do it by itself.
int malloc_trim(std::size_t) noexcept {
  static_assert(MALLCTL_ARENAS_ALL == 4096);
  return mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0) == 0 ? 1 : 0;
}
}
#endif

namespace {

constexpr int kExitConfig = 78;       // EX_CONFIG
constexpr int kExitUnavailable = 69;  // EX_UNAVAILABLE

int fail(const riftbus::Error& error, int status) {
  std::fprintf(stderr, "riftbus-node: %s\n", error.to_string().c_str());
  return status;
}

// Prints what the configuration has to say; false: do not run.
bool report(const riftbus::Diagnostics& diagnostics) {
  for (const auto& line : diagnostics.sorted()) {
    std::fprintf(stderr, "riftbus-node: %s\n", line.to_string().c_str());
  }
  return !diagnostics.has_errors();
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto loaded = riftbus::load_node_config(arguments, riftbus::copy_environment());
  if (loaded.wants_help) {
    std::fputs(riftbus::describe_flags().c_str(), stdout);
    return 0;
  }
  if (loaded.wants_version) {
    std::puts("riftbus-node " RIFTBUS_VERSION);
    return 0;
  }
  if (!report(loaded.diagnostics)) return kExitConfig;
  if (sodium_init() < 0)
    return fail({1605, "libsodium does not start", "", "check the installation"}, kExitUnavailable);

  const auto& log = loaded.effective.node.log;
  if (auto status = riftbus::bus::set_up_log({log.level, log.format, log.file}); !status) {
    return fail(status.error(), kExitConfig);
  }
  auto prepared = riftbus::node::prepare_node(loaded.effective);
  if (!prepared) return fail(prepared.error(), kExitConfig);
  riftbus::node::Node node(std::move(*prepared));
  if (auto status = node.open(); !status) return fail(status.error(), kExitUnavailable);
  node.run();
  return 0;
}
