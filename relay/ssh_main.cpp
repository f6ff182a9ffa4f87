// riftbus-relay-ssh: the SSH half of a relay.
#include <cstdio>
#include <string>
#include <vector>

#include "bus/log.h"
#include "config/effective.h"
#include "config/exit_status.h"
#include "relay/allow_file.h"
#include "relay/options.h"
#include "relay/ssh_half.h"
#include "relay/status.h"

namespace {

using riftbus::Error;
using riftbus::NodeSettings;
namespace relay = riftbus::relay;

int fail(const Error& error) {
  std::fprintf(stderr, "riftbus-relay-ssh: %s\n", error.to_string().c_str());
  return riftbus::exit_status_of(error);
}

bool report(const riftbus::Diagnostics& diagnostics) {
  for (const auto& line : diagnostics.sorted()) {
    std::fprintf(stderr, "riftbus-relay-ssh: %s\n", line.to_string().c_str());
  }
  return !diagnostics.has_errors();
}

int check_config(const NodeSettings& settings) {
  const auto list = relay::AllowFile(settings.relay.allow_file).read();
  if (!list) return fail(list.error());
  for (const auto& problem : list->problems) (void)fail(problem);
  std::printf("%zu keys\n", list->list.size());
  return list->problems.empty() ? riftbus::kExitOk : riftbus::kExitConfig;
}

int show_pin(const NodeSettings& settings) {
  const auto key = riftbus::ssh::Key::load_or_create(settings.relay.host_key_file);
  if (!key) return fail(key.error());
  std::printf("%s\n", key->pin().c_str());
  return riftbus::kExitOk;
}

int show_status(const NodeSettings& settings) {
  const auto status = relay::read_status(settings.relay.status_file);
  if (!status) return fail(status.error());
  const auto shown = relay::format_status(*status);
  std::fputs(shown.text.c_str(), stdout);
  return shown.is_running ? riftbus::kExitOk : riftbus::kExitFalse;
}

int run(const NodeSettings& settings) {
  const auto& log = settings.log;
  if (auto status = riftbus::bus::set_up_log({log.level, log.format, log.file}); !status) {
    return fail(status.error());
  }
  auto key = riftbus::ssh::Key::load_or_create(settings.relay.host_key_file);
  if (!key) return fail(key.error());
  relay::SshHalf half(settings, std::move(*key));
  if (auto status = half.open(); !status) return fail(status.error());
  half.run();
  return riftbus::kExitOk;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = relay::take_options({argv + 1, argv + argc});
  const auto loaded = riftbus::load_node_config(options.settings, riftbus::copy_environment());
  if (loaded.wants_help) {
    std::fputs(relay::describe_options("riftbus-relay-ssh",
                                       "lets nodes that nobody can dial listen here, over SSH")
                   .c_str(),
               stdout);
    return riftbus::kExitOk;
  }
  if (loaded.wants_version) {
    std::puts("riftbus-relay-ssh " RIFTBUS_VERSION);
    return riftbus::kExitOk;
  }
  if (!report(loaded.diagnostics)) return riftbus::kExitConfig;
  const auto& settings = loaded.effective.node;
  if (options.check_config) return check_config(settings);
  if (options.show_pin) return show_pin(settings);
  if (options.status) return show_status(settings);
  return run(settings);
}
