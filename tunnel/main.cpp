// riftbus-tunnel: SSH forwards that stay up.
#include <sodium.h>

#include <cstdio>
#include <string>
#include <vector>

#include "bus/log.h"
#include "config/effective.h"
#include "config/exit_status.h"
#include "tunnel/attach.h"
#include "tunnel/options.h"
#include "tunnel/status.h"
#include "tunnel/tunnel.h"

namespace {

using riftbus::Error;
using riftbus::NodeSettings;
namespace tunnel = riftbus::tunnel;

int fail(const Error& error) {
  std::fprintf(stderr, "riftbus-tunnel: %s\n", error.to_string().c_str());
  return riftbus::exit_status_of(error);
}

bool report(const riftbus::Diagnostics& diagnostics) {
  for (const auto& line : diagnostics.sorted()) {
    std::fprintf(stderr, "riftbus-tunnel: %s\n", line.to_string().c_str());
  }
  return !diagnostics.has_errors();
}

int check_config(const NodeSettings& settings) {
  if (auto status = tunnel::Tunnel::check(settings); !status) return fail(status.error());
  std::printf("%zu servers, %zu reverse forwards, %zu local forwards\n",
              settings.tunnel.servers.size(), settings.tunnel.reverse.size(),
              settings.tunnel.local.size());
  return riftbus::kExitOk;
}

int show_key(const NodeSettings& settings) {
  const auto key = riftbus::ssh::Key::load_or_create(settings.tunnel.key_file);
  if (!key) return fail(key.error());
  std::printf("%s %s\n", key->public_line().c_str(), settings.node_id.value().c_str());
  return riftbus::kExitOk;
}

int show_status(const NodeSettings& settings) {
  const auto status = tunnel::read_status(settings.tunnel.status_file);
  if (!status) return fail(status.error());
  const auto shown = tunnel::format_status(*status);
  std::fputs(shown.text.c_str(), stdout);
  return shown.all_are_up ? riftbus::kExitOk : riftbus::kExitFalse;
}

int run(const NodeSettings& settings, bool only_once) {
  if (auto status = tunnel::Tunnel::check(settings); !status) return fail(status.error());
  if (sodium_init() < 0) return fail({1605, "libsodium does not start", "", "reinstall it"});
  const auto& log = settings.log;
  if (auto status = riftbus::bus::set_up_log({log.level, log.format, log.file}); !status) {
    return fail(status.error());
  }
  auto key = riftbus::ssh::Key::load_or_create(settings.tunnel.key_file);
  if (!key) return fail(key.error());
  std::uint64_t seed = 0;
  randombytes_buf(&seed, sizeof seed);
  tunnel::Tunnel program(settings, std::move(*key), seed, only_once);
  if (auto status = program.open(); !status) return fail(status.error());
  if (auto status = program.run(); !status) return riftbus::exit_status_of(status.error());
  return riftbus::kExitOk;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = tunnel::take_options({argv + 1, argv + argc});
  const auto loaded = riftbus::load_node_config(options.settings, riftbus::copy_environment());
  if (loaded.wants_help) {
    std::fputs(tunnel::describe_options().c_str(), stdout);
    return riftbus::kExitOk;
  }
  if (loaded.wants_version) {
    std::puts("riftbus-tunnel " RIFTBUS_VERSION);
    return riftbus::kExitOk;
  }
  // Started by a node, which has said already what the configuration has to say.
  const bool is_quiet = !options.attach.empty() && !loaded.diagnostics.has_errors();
  if (!is_quiet && !report(loaded.diagnostics)) return riftbus::kExitConfig;
  auto settings = loaded.effective.node;
  if (!options.attach.empty()) {
    auto tunnel = tunnel::attach_to(loaded.effective, options.attach);
    if (!tunnel) return fail(tunnel.error());
    settings.tunnel = std::move(*tunnel);
  }
  if (options.check_config) return check_config(settings);
  if (options.show_key) return show_key(settings);
  if (options.status) return show_status(settings);
  return run(settings, options.once);
}
