// riftbus-relay-front: the public side of a relay.
#include "relay/front_half.h"
#include "relay/reports.h"

namespace {

riftbus::Status run(const riftbus::NodeSettings& settings) {
  riftbus::relay::FrontHalf half(settings);
  if (auto status = half.open(); !status) return status;
  half.run();
  return riftbus::Ok{};
}

}  // namespace

int main(int argc, char** argv) {
  namespace relay = riftbus::relay;
  const relay::Program program{"riftbus-relay-front",
                               "leads members to the nodes that are attached to this relay",
                               run,
                               relay::check_keys,
                               relay::show_pin,
                               relay::show_front_status};
  return relay::run_program(program, {argv + 1, argv + argc});
}
