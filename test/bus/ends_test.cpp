#include "bus/ends.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "bus/clock.h"
#include "bus/loop.h"

namespace riftbus::bus {
namespace {

class Ready : public Watcher {
 public:
  void on_ready(Readiness what) override {
    last = what;
    ++times;
  }
  Readiness last;
  int times = 0;
};

class EndsTest : public testing::Test {
 protected:
  EndsTest() : path_(testing::TempDir() + "ends." + std::to_string(getpid())) {}
  ~EndsTest() override { unlink(path_.c_str()); }

  std::string path_;
  Resolver resolver_;
  Loop loop_;
};

TEST_F(EndsTest, AUnixListenerIsClosedToOthersAndReached) {
  const auto listener = listen_end({"", 0, path_});
  ASSERT_TRUE(listener) << listener.error().to_string();
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const auto dialled = dial_end({"", 0, path_}, resolver_, boot_now(), 0);
  ASSERT_GE(dialled.descriptor, 0) << dialled.problem;
  EXPECT_EQ(connect_problem(dialled.descriptor), "");
  const int accepted = accept_end(*listener);
  EXPECT_GE(accepted, 0);
  close(accepted);
  close(dialled.descriptor);
  close(*listener);
}

TEST_F(EndsTest, ALeftOverSocketIsReplacedAndALivingOneIsNot) {
  const auto first = listen_end({"", 0, path_});
  ASSERT_TRUE(first);
  const auto second = listen_end({"", 0, path_});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, 1817);
  close(*first);
  const auto third = listen_end({"", 0, path_});
  ASSERT_TRUE(third) << third.error().to_string();
  close(*third);
}

TEST_F(EndsTest, AFileThatIsNoSocketIsLeftAlone) {
  FILE* file = fopen(path_.c_str(), "w");
  ASSERT_NE(file, nullptr);
  fclose(file);
  EXPECT_FALSE(listen_end({"", 0, path_}));
  EXPECT_EQ(access(path_.c_str(), F_OK), 0);
}

TEST_F(EndsTest, ATakenPortAndANameToListenOnAreErrors) {
  EXPECT_EQ(listen_end({"relay.example.net", 1, ""}).error().code, 1817);
  EXPECT_EQ(listen_end({"192.0.2.1", 7100, ""}).error().code, 1817);
}

TEST_F(EndsTest, NobodyListeningIsAProblemOnceTheSocketIsDecided) {
  const auto dialled = dial_end({"127.0.0.1", 1, ""}, resolver_, boot_now(), 0);
  ASSERT_GE(dialled.descriptor, 0) << dialled.problem;
  Ready ready;
  loop_.watch(dialled.descriptor, ready, false, true);
  for (int i = 0; i < 50 && ready.times == 0; ++i) {
    loop_.run_once(boot_now() + Millis{100}, boot_now());
  }
  EXPECT_EQ(connect_problem(dialled.descriptor), std::strerror(ECONNREFUSED));
  loop_.forget(dialled.descriptor);
  close(dialled.descriptor);
}

TEST_F(EndsTest, AWatcherThatIsForgottenInItsRoundIsPassedOver) {
  int first[2];
  int second[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, first), 0);
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, second), 0);
  struct Selfish : Ready {
    void on_ready(Readiness what) override {
      Ready::on_ready(what);
      loop->forget(other);
    }
    Loop* loop = nullptr;
    int other = -1;
  };
  Selfish one;
  Selfish two;
  one.loop = two.loop = &loop_;
  one.other = second[0];
  two.other = first[0];
  loop_.watch(first[0], one, true, false);
  loop_.watch(second[0], two, true, false);
  ASSERT_EQ(send(first[1], "x", 1, 0), 1);
  ASSERT_EQ(send(second[1], "x", 1, 0), 1);
  loop_.run_once(boot_now() + Seconds{5}, boot_now());
  EXPECT_EQ(one.times + two.times, 1);
  for (const int each : {first[0], first[1], second[0], second[1]}) close(each);
}

}  // namespace
}  // namespace riftbus::bus
