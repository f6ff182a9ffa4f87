#include "bus/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>

namespace riftbus::bus {

Result<std::size_t> raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::size_t{0};
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  const auto in_force = static_cast<std::size_t>(limit.rlim_cur);
  if (in_force >= kDescriptorsAdvised) return in_force;
  return Error{1354, "only " + std::to_string(in_force) + " file descriptors are allowed", "",
               "raise the hard limit: LimitNOFILE= in the unit, or ulimit -Hn"};
}

std::size_t descriptors_left() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kResumeAbove + 1;
  const int lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (lowest < 0) return 0;
  ::close(lowest);
  const auto in_force = static_cast<std::size_t>(limit.rlim_cur);
  const auto used = static_cast<std::size_t>(lowest);
  return in_force > used ? in_force - used : 0;
}

}  // namespace riftbus::bus
