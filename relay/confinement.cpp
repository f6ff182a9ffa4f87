#include "relay/confinement.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "bus/durable_file.h"
#include "config/types.h"

namespace riftbus::relay {

namespace {

constexpr std::size_t kListenerNameMax = 1 + 64 + 1 + 5;  // "/", a node's id, ".", a number

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
};

Result<User> find_user(const std::string& name) {
  const auto* found = getpwnam(name.c_str());
  if (found == nullptr) {
    return Error{1845, "no such user", name, "make it, or set relay.user to another"};
  }
  return User{found->pw_uid, found->pw_gid};
}

Error cannot(const std::string& what, const std::string& path) {
  return Error{1830, what + ": " + std::strerror(errno), path, "see relay.socket_dir"};
}

void remove_sockets(const std::string& path) {
  DIR* directory = opendir(path.c_str());
  if (directory == nullptr) return;
  while (const auto* entry = readdir(directory)) {
    struct stat found {};
    const std::string name = path + "/" + entry->d_name;
    if (lstat(name.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) unlink(name.c_str());
  }
  closedir(directory);
}

}  // namespace

Result<int> claim_socket_dir(const std::string& path, const std::string& user) {
  if (path.size() + kListenerNameMax >= sizeof(sockaddr_un::sun_path)) {
    return Error{1830, "the path of the folder is too long for sockets in it", path,
                 "choose a shorter relay.socket_dir, for instance /run/riftbus/relay"};
  }
  if (auto made = make_private_directory(path); !made) return made.error();
  if (!user.empty()) {
    const auto its = find_user(user);
    if (!its) return its.error();
    if (chown(path.c_str(), its->uid, its->gid) != 0) return cannot("not ours to give away", path);
  }
  const int lock = open((path + "/.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (lock < 0) return cannot("cannot lock the folder", path);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    close(lock);
    return Error{1830, "another relay uses the folder", path,
                 "stop that one, or give this one another relay.socket_dir"};
  }
  remove_sockets(path);
  return lock;
}

Status become_user(const std::string& user) {
  if (user.empty()) return Ok{};
  const auto its = find_user(user);
  if (!its) return its.error();
  if (geteuid() == its->uid) return Ok{};
  int end_with_parent = 0;  // forgotten by the kernel when a process becomes somebody else
  prctl(PR_GET_PDEATHSIG, &end_with_parent, 0, 0, 0);
  if (initgroups(user.c_str(), its->gid) != 0 || setgid(its->gid) != 0 || setuid(its->uid) != 0) {
    return Error{1845, std::string("cannot become it: ") + std::strerror(errno), user,
                 "start the relay as root, or as that user"};
  }
  prctl(PR_SET_PDEATHSIG, end_with_parent, 0, 0, 0);
  return Ok{};
}

void forbid_gains() {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

}  // namespace riftbus::relay
