#include "node/disk/files.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace riftbus::node {

namespace {

const char* next_step(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free space on this disk; it is tried again by itself";
    case EACCES:
    case EPERM:
    case EROFS:
      return "give the daemon's user write permission there";
    case ENOENT:
      return "make the folder, or point --data-dir elsewhere";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    default:
      return "check the disk and the path";
  }
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

Error system_error(std::uint16_t code, std::string_view what, const std::string& path) {
  const int error = errno;
  return Error{code, std::string(what) + ": " + std::strerror(error), path, next_step(error)};
}

}  // namespace riftbus::node
