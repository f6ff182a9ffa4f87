#include "relay/confinement.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "bus/ends.h"
#include "test/bus/temporary_directory.h"

namespace riftbus::relay {
namespace {

mode_t mode_of(const std::string& path) {
  struct stat found {};
  return lstat(path.c_str(), &found) == 0 ? found.st_mode & 0777U : 0;
}

// What gives up rights does so for good: in a process of its own. The exit status of `act`.
int in_a_child(int (*act)()) {
  const pid_t child = fork();
  if (child == 0) _exit(act());
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Confinement, TheFolderIsClosedToOthersAndHasOneRelay) {
  const test::TemporaryDirectory folder;
  const std::string path = folder / "relay";
  const auto first = claim_socket_dir(path, "");
  ASSERT_TRUE(first) << first.error().to_string();
  EXPECT_EQ(mode_of(path), 0700U);
  EXPECT_NE(fcntl(*first, F_GETFD) & FD_CLOEXEC, 0) << "no program that we start keeps it";
  const auto second = claim_socket_dir(path, "");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, 1830);
  close(*first);
  const auto third = claim_socket_dir(path, "");
  ASSERT_TRUE(third) << "free once the first is gone";
  close(*third);
}

TEST(Confinement, SocketsOfARelayThatWasKilledAreRemovedAndNothingElse) {
  const test::TemporaryDirectory folder;
  const std::string path = folder / "relay";
  ASSERT_EQ(mkdir(path.c_str(), 0700), 0);
  const auto left_over = bus::listen_end({"", 0, path + "/n1.7770"});
  ASSERT_TRUE(left_over);
  close(*left_over);
  std::ofstream(path + "/relay.json") << "{}";
  ASSERT_EQ(symlink("relay.json", (path + "/link").c_str()), 0);
  const auto lock = claim_socket_dir(path, "");
  ASSERT_TRUE(lock);
  EXPECT_NE(access((path + "/n1.7770").c_str(), F_OK), 0);
  EXPECT_EQ(access((path + "/relay.json").c_str(), F_OK), 0);
  EXPECT_EQ(access((path + "/link").c_str(), F_OK), 0);
  close(*lock);
}

TEST(Confinement, AFolderThatCannotServeIsNamed) {
  const test::TemporaryDirectory folder;
  const auto too_long = claim_socket_dir(folder / std::string(60, 'x'), "");
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, 1830);
  std::ofstream(folder / "file") << "x";
  EXPECT_FALSE(claim_socket_dir(folder / "file", ""));
  const auto nobodys = claim_socket_dir(folder / "relay", "nobody-of-that-name");
  ASSERT_FALSE(nobodys);
  EXPECT_EQ(nobodys.error().code, 1845);
}

TEST(Confinement, OnlyAUserThatExistsIsBecome) {
  EXPECT_TRUE(become_user(""));
  EXPECT_EQ(become_user("nobody-of-that-name").error().code, 1845);
  const auto* own = getpwuid(geteuid());
  ASSERT_NE(own, nullptr);
  EXPECT_TRUE(become_user(own->pw_name)) << "nothing to do";
}

TEST(Confinement, RootBecomesItsUserForGoodAndStillEndsWithItsParent) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  EXPECT_EQ(in_a_child([] {
              prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
              if (!become_user("nobody")) return 1;
              const auto uid = getpwnam("nobody")->pw_uid;
              if (getuid() != uid || geteuid() != uid || getgroups(0, nullptr) > 1) return 2;
              if (setuid(0) == 0 || seteuid(0) == 0) return 3;
              int number = 0;
              prctl(PR_GET_PDEATHSIG, &number, 0, 0, 0);
              return number == SIGTERM ? 0 : 4;
            }),
            0);
}

TEST(Confinement, NothingIsGainedAfterwardsAndNothingIsDumped) {
  EXPECT_EQ(in_a_child([] {
              forbid_gains();
              rlimit core{};
              if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 1;
              if (getrlimit(RLIMIT_CORE, &core) != 0) return 2;
              return core.rlim_cur == 0 && core.rlim_max == 0 ? 0 : 3;
            }),
            0);
}

}  // namespace
}  // namespace riftbus::relay
