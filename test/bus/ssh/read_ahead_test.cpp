#include "bus/ssh/read_ahead.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

namespace riftbus::ssh {
namespace {

// Reads as libssh does: poll(), then recv() without flags.
class ReadAheadTest : public ::testing::Test {
 protected:
  ReadAheadTest() {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends_.data()),
              0);
  }
  ~ReadAheadTest() override {
    for (const int end : ends_) ::close(end);
  }

  void send(const std::string& text) const {
    ASSERT_EQ(::send(ends_[1], text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] int ask(short events = POLLIN) {
    item_ = {ends_[0], events, 0};
    return ::poll(&item_, 1, 0);
  }
  [[nodiscard]] std::string receive(std::size_t size) const {
    std::string text(size, '\0');
    const ssize_t got = ::recv(ends_[0], text.data(), size, 0);
    return got < 0 ? "error " + std::to_string(errno)
                   : text.substr(0, static_cast<std::size_t>(got));
  }
  // What the kernel still has.
  [[nodiscard]] ssize_t in_kernel() const {
    std::array<char, 64> bytes{};
    return ::recv(ends_[0], bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  }

  std::array<int, 2> ends_{};
  pollfd item_{};
};

TEST_F(ReadAheadTest, OneReadEmptiesTheSocketAndServesTheNextOnes) {
  send("abcdef");
  ReadAhead ahead(ends_[0]);
  EXPECT_FALSE(ahead.holds());
  EXPECT_EQ(receive(2), "ab");
  EXPECT_TRUE(ahead.holds());
  EXPECT_EQ(in_kernel(), -1);
  EXPECT_EQ(ask(), 1);
  EXPECT_EQ(item_.revents, POLLIN);
  EXPECT_EQ(receive(3), "cde");
  EXPECT_EQ(receive(3), "f");
  EXPECT_FALSE(ahead.holds());
  EXPECT_EQ(ask(), 0);
  EXPECT_EQ(receive(3), "error " + std::to_string(EAGAIN));
}

TEST_F(ReadAheadTest, TheEndComesAfterWhatIsHeld) {
  send("abc");
  ReadAhead ahead(ends_[0]);
  EXPECT_EQ(receive(1), "a");
  ::shutdown(ends_[1], SHUT_WR);
  EXPECT_EQ(receive(8), "bc");
  EXPECT_EQ(ask(), 1);
  EXPECT_EQ(receive(8), "");
}

TEST_F(ReadAheadTest, WhetherItCanBeWrittenToIsStillAsked) {
  send("ab");
  ReadAhead ahead(ends_[0]);
  EXPECT_EQ(receive(1), "a");
  EXPECT_EQ(ask(POLLIN | POLLOUT), 1);
  EXPECT_EQ(item_.revents, POLLIN | POLLOUT);
  const std::string filler(1 << 16, 'x');
  while (::send(ends_[0], filler.data(), filler.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
  }
  EXPECT_EQ(ask(POLLIN | POLLOUT), 1);
  EXPECT_EQ(item_.revents, POLLIN);
}

TEST_F(ReadAheadTest, WithoutOneOfItsOwnADescriptorIsReadAsEver) {
  send("abcdef");
  {
    ReadAhead other(ends_[1]);
    EXPECT_EQ(receive(2), "ab");
  }
  EXPECT_EQ(receive(2), "cd");
  EXPECT_EQ(in_kernel(), 2);
  ReadAhead ahead(ends_[0]);
  std::array<char, 1> byte{};
  EXPECT_EQ(::recv(ends_[0], byte.data(), 1, MSG_DONTWAIT), 1);  // ours: always with flags
  EXPECT_FALSE(ahead.holds());
  EXPECT_EQ(in_kernel(), 1);
}

}  // namespace
}  // namespace riftbus::ssh
