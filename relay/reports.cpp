#include "relay/reports.h"

#include <cstdio>

#include "bus/ssh/key.h"
#include "relay/allow_file.h"
#include "relay/front_half.h"
#include "relay/status.h"

namespace riftbus::relay {

Status check_keys(const NodeSettings& settings) {
  const auto list = AllowFile(settings.relay.allow_file).read();
  if (!list) return list.error();
  for (std::size_t i = 1; i < list->problems.size(); ++i) {
    std::fprintf(stderr, "%s\n", list->problems[i].to_string().c_str());
  }
  std::printf("%zu keys\n", list->list.size());
  if (!list->problems.empty()) return list->problems.front();
  return Ok{};
}

Status show_pin(const NodeSettings& settings) {
  const auto key = ssh::Key::load_or_create(settings.relay.host_key_file);
  if (!key) return key.error();
  std::printf("%s\n", key->pin().c_str());
  return Ok{};
}

Result<bool> show_ssh_status(const NodeSettings& settings) {
  const auto status = read_status(settings.relay.status_file);
  if (!status) return status.error();
  const auto shown = format_status(*status);
  std::fputs(shown.text.c_str(), stdout);
  return shown.is_running;
}

Result<bool> show_front_status(const NodeSettings& settings) {
  const auto status = read_status(front_status_file(settings.relay));
  if (!status) return status.error();
  const auto shown = format_front_status(*status);
  std::fputs(shown.text.c_str(), stdout);
  return shown.is_running;
}

Result<bool> show_relay_status(const NodeSettings& settings) {
  const auto ssh = show_ssh_status(settings);
  const auto front = show_front_status(settings);
  if (!ssh) return ssh.error();
  if (!front) return front.error();
  return *ssh && *front;
}

}  // namespace riftbus::relay
