#include "bus/durable_file.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace riftbus {

namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

// From errno, which it reads first.
Error system_error(std::uint16_t code, std::string_view what, const std::string& path,
                   std::string next) {
  const int reason = errno;
  return Error{code, std::string(what) + ": " + std::generic_category().message(reason), path,
               std::move(next)};
}

Error write_error(const std::string& path) {
  const bool full = errno == ENOSPC || errno == EDQUOT;
  return system_error(1114, "the file cannot be written", path,
                      full ? "free some space" : "mend the directory's permissions");
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool sync_directory_of(const std::string& path) {
  const Descriptor directory(
      ::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return directory.ok() && ::fsync(directory.fd()) == 0;
}

mode_t mode_of(FilePrivacy privacy) { return privacy == FilePrivacy::secret ? 0600 : 0644; }

// A synced file beside `path`. Its name is random: two writers never share one, and a planted file
// or link of that name makes O_EXCL fail rather than be followed.
Result<std::string> write_beside(const std::string& path, std::string_view content,
                                 FilePrivacy privacy) {
  char suffix[16];
  std::snprintf(suffix, sizeof suffix, ".%08x.new", static_cast<unsigned>(randombytes_random()));
  std::string beside = path + suffix;
  const Descriptor file(
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.ok()) return write_error(beside);
  const bool written = write_all(file.fd(), content) &&
                       ::fchmod(file.fd(), mode_of(privacy)) == 0 && ::fsync(file.fd()) == 0;
  if (written) return beside;
  Error error = write_error(beside);
  ::unlink(beside.c_str());
  return error;
}

}  // namespace

Status create_file(const std::string& path, std::string_view content, FilePrivacy privacy) {
  const auto beside = write_beside(path, content, privacy);
  if (!beside.ok()) return beside.error();
  // link() and not rename(): it fails, atomically, if the name is taken.
  const bool linked = ::link(beside->c_str(), path.c_str()) == 0;
  const int reason = errno;
  ::unlink(beside->c_str());
  errno = reason;
  if (!linked && reason == EEXIST) {
    return Error{1110, "the file exists, and keys are never overwritten", path,
                 "choose another directory, or move the old file away"};
  }
  if (!linked || !sync_directory_of(path)) return write_error(path);
  return Ok{};
}

Status replace_file(const std::string& path, std::string_view content, FilePrivacy privacy) {
  const auto beside = write_beside(path, content, privacy);
  if (!beside.ok()) return beside.error();
  if (::rename(beside->c_str(), path.c_str()) != 0) {
    Error error = write_error(path);
    ::unlink(beside->c_str());
    return error;
  }
  if (!sync_directory_of(path)) return write_error(path);
  return Ok{};
}

Result<std::string> read_small_file(const std::string& path, std::size_t size_max,
                                    FilePrivacy privacy) {
  // O_NONBLOCK: a FIFO put in the file's place must not hang the daemon.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.ok()) {
    return system_error(
        1111, "the file cannot be read", path,
        errno == ENOENT ? "create it, or name the right directory" : "run as the user who owns it");
  }
  struct stat status {};
  if (::fstat(file.fd(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return Error{1111, "this is not a regular file", path, "name the right path"};
  }
  if (privacy == FilePrivacy::secret && (status.st_mode & 077) != 0) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(status.st_mode & 07777));
    return Error{1112, "others can reach this secret (mode " + std::string(mode) + ")", path,
                 "chmod 600 " + path + ", and rotate the key if others may have read it"};
  }
  std::string content;
  char block[4096];
  for (;;) {
    const ssize_t got = ::read(file.fd(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(1111, "the file cannot be read", path, "check the disk");
    if (got == 0) break;
    content.append(block, static_cast<std::size_t>(got));
    if (content.size() > size_max) {
      return Error{1111, "the file is larger than " + std::to_string(size_max) + " bytes", path,
                   "name the right path"};
    }
  }
  sodium_memzero(block, sizeof block);
  return content;
}

Status make_private_directory(const std::string& path) {
  std::error_code failure;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, failure);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return write_error(path);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return Error{1115, "this is not a directory", path, "name another one"};
  }
  if ((status.st_mode & 022) != 0) {
    return Error{1115, "others can write into this directory", path, "chmod 700 " + path};
  }
  return Ok{};
}

}  // namespace riftbus
