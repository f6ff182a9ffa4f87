// riftbus-relay-ssh: the SSH half of a relay.
#include "relay/reports.h"
#include "relay/ssh_half.h"

namespace {

riftbus::Status run(const riftbus::NodeSettings& settings) {
  auto key = riftbus::ssh::Key::load_or_create(settings.relay.host_key_file);
  if (!key) return key.error();
  riftbus::relay::SshHalf half(settings, std::move(*key));
  if (auto status = half.open(); !status) return status;
  half.run();
  return riftbus::Ok{};
}

}  // namespace

int main(int argc, char** argv) {
  namespace relay = riftbus::relay;
  const relay::Program program{"riftbus-relay-ssh",
                               "lets nodes that nobody can dial listen here, over SSH",
                               run,
                               relay::check_keys,
                               relay::show_pin,
                               relay::show_ssh_status};
  return relay::run_program(program, {argv + 1, argv + argc});
}
