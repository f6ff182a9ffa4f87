// riftbus-relay: both halves of a relay, kept running.
#include <filesystem>

#include "relay/keeper.h"
#include "relay/reports.h"

int main(int argc, char** argv) {
  namespace relay = riftbus::relay;
  const std::vector<std::string> arguments{argv + 1, argv + argc};
  const auto run = [&](const riftbus::NodeSettings&) -> riftbus::Status {
    const auto self = std::filesystem::read_symlink("/proc/self/exe");
    return relay::Keeper(self.parent_path(), arguments).run();
  };
  const relay::Program program{"riftbus-relay",
                               "joins nodes that nobody can dial to the cluster",
                               run,
                               relay::check_keys,
                               relay::show_pin,
                               relay::show_relay_status};
  return relay::run_program(program, arguments);
}
