// riftbus-node: the daemon of one machine.
#include <sodium.h>

#include <cstdio>
#include <string>
#include <vector>

#include "bus/log.h"
#include "config/effective.h"
#include "config/flags.h"
#include "node/allocator.h"
#include "node/node.h"

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
  riftbus::node::tune_allocator(argv);
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
  prepared->arguments = arguments;
  riftbus::node::Node node(std::move(*prepared));
  if (auto status = node.open(); !status) return fail(status.error(), kExitUnavailable);
  node.run();
  return 0;
}
