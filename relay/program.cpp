#include "relay/program.h"

#include <cstdio>

#include "bus/log.h"
#include "config/effective.h"
#include "config/exit_status.h"
#include "relay/options.h"

namespace riftbus::relay {

namespace {

int end(const Program& program, const Status& status) {
  if (status.ok()) return kExitOk;
  std::fprintf(stderr, "%s: %s\n", program.name.c_str(), status.error().to_string().c_str());
  return exit_status_of(status.error());
}

int run(const Program& program, const NodeSettings& settings) {
  const auto& log = settings.log;
  if (auto status = bus::set_up_log({log.level, log.format, log.file}); !status) {
    return end(program, status);
  }
  return end(program, program.run(settings));
}

}  // namespace

int run_program(const Program& program, const std::vector<std::string>& arguments) {
  const auto options = take_options(arguments);
  const auto loaded = load_node_config(options.settings, copy_environment());
  if (loaded.wants_help) {
    std::fputs(describe_options(program.name, program.purpose).c_str(), stdout);
    return kExitOk;
  }
  if (loaded.wants_version) {
    std::printf("%s " RIFTBUS_VERSION "\n", program.name.c_str());
    return kExitOk;
  }
  for (const auto& line : loaded.diagnostics.sorted()) {
    std::fprintf(stderr, "%s: %s\n", program.name.c_str(), line.to_string().c_str());
  }
  if (loaded.diagnostics.has_errors()) return kExitConfig;
  const auto& settings = loaded.effective.node;
  if (options.check_config) return end(program, program.check_config(settings));
  if (options.show_pin) return end(program, program.show_pin(settings));
  if (options.status) {
    const auto running = program.show_status(settings);
    if (!running) return end(program, running.error());
    return *running ? kExitOk : kExitFalse;
  }
  return run(program, settings);
}

}  // namespace riftbus::relay
