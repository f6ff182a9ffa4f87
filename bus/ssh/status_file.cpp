#include "bus/ssh/status_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

namespace riftbus::ssh {

Status write_status(const std::string& path, const nlohmann::json& status) {
  const std::string fresh = path + ".new";
  std::ofstream stream(fresh, std::ios::binary | std::ios::trunc);
  stream << status.dump(2) << "\n";
  stream.close();
  if (!stream || std::rename(fresh.c_str(), path.c_str()) != 0) {
    return Error{1805, std::string("the status is not written: ") + std::strerror(errno), path,
                 "make its folder writable, or choose another with the setting status_file"};
  }
  return Ok{};
}

}  // namespace riftbus::ssh
