// Both ends of a real SSH session in one thread, and the question whether the other side lives.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <sys/socket.h>

#include <functional>

#include "relay/ssh_server.h"
#include "test/bus/temporary_directory.h"
#include "tunnel/ssh.h"

namespace {

int questions = 0;
std::function<void(ssh_session)> after_question;  // before libssh's call returns

}  // namespace

// In the place of libssh's own, which it calls.
extern "C" int ssh_send_keepalive(ssh_session session) {
  using Call = int (*)(ssh_session);
  static const auto kReal = reinterpret_cast<Call>(dlsym(RTLD_NEXT, "ssh_send_keepalive"));
  ++questions;
  const int status = kReal(session);
  if (after_question) after_question(session);
  return status;
}

namespace riftbus::relay {
namespace {

struct Server : SshPeerOwner {
  bool accept_key(const std::string&, const std::string&, bool) override { return true; }
  void on_other_method(bool) override {}
  std::optional<std::uint16_t> listen(const std::string&, int) override { return std::nullopt; }
  bool cancel(int) override { return false; }
  std::optional<ForwardEnd> admit_open(const std::string&, int) override { return std::nullopt; }
  void on_open(const ForwardEnd&, std::unique_ptr<ssh::Channel>) override {}
  void on_refused(const char*) override {}
};

struct Client : tunnel::SshOwner {
  bool admit_connection(std::uint16_t) override { return false; }
  void on_connection(std::uint16_t, std::unique_ptr<ssh::Channel>) override {}
};

class SignOfLife : public testing::Test {
 protected:
  void SetUp() override {
    auto key = ssh::Key::load_or_create(folder_ / "key");
    ASSERT_TRUE(key) << key.error().to_string();
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    constexpr std::uint64_t kRekeyBytes = 1U << 30U;
    server_ = std::make_unique<SshServer>(*key, SshServerOptions{"auto", kRekeyBytes});
    there_ = std::make_unique<SshPeer>(*server_, ends[1], server_owner_);
    here_ = std::make_unique<tunnel::SshClient>(
        tunnel::SshOptions{"n1", "auto", kRekeyBytes, TrafficClass::control}, ends[0],
        client_owner_);
    reach([&] { return here_->exchange_keys(); });
    reach([&] { return here_->authenticate(*key); });
    settle();
    questions = 0;
  }
  void TearDown() override { after_question = nullptr; }

  void reach(const std::function<ssh::Step()>& step) {
    for (int i = 0; i < 1000; ++i) {
      const auto reached = step();
      ASSERT_NE(reached, ssh::Step::failed) << here_->problem();
      if (reached == ssh::Step::done) return;
      there_->pump();
    }
    FAIL() << "not reached";
  }
  // Until neither side has anything more to say.
  void settle() {
    for (std::uint64_t before = 1; before != here_->bytes_in() + there_->bytes_in();) {
      before = here_->bytes_in() + there_->bytes_in();
      ASSERT_TRUE(there_->pump() && here_->pump());
    }
  }

  test::TemporaryDirectory folder_;
  Server server_owner_;
  Client client_owner_;
  std::unique_ptr<SshServer> server_;
  std::unique_ptr<SshPeer> there_;
  std::unique_ptr<tunnel::SshClient> here_;
};

TEST_F(SignOfLife, EachQuestionHasAnAnswer) {
  for (int i = 0; i < 5; ++i) {
    const auto before = here_->bytes_in();
    here_->probe();
    settle();
    EXPECT_GT(here_->bytes_in(), before) << i;
  }
}

TEST_F(SignOfLife, NoSecondQuestionIsAskedWhileTheFirstHasNoAnswer) {
  here_->probe();
  EXPECT_EQ(questions, 1);
  here_->probe();
  here_->probe();
  EXPECT_EQ(questions, 1);
  settle();
  here_->probe();
  EXPECT_GT(questions, 1);
}

// libssh may read the answer within the very call that asks. It was once taken for no answer, and
// no other question was ever asked: an idle session was given up after three seconds.
TEST_F(SignOfLife, AnAnswerThatComesWithinTheQuestionsCallIsAnAnswer) {
  after_question = [this](ssh_session session) {
    ASSERT_TRUE(there_->pump());
    ASSERT_NE(ssh_blocking_flush(session, 0), SSH_ERROR);
    ASSERT_TRUE(here_->pump());
  };
  for (int i = 0; i < 5; ++i) {
    const int asked = questions;
    const auto before = here_->bytes_in();
    here_->probe();
    EXPECT_GT(questions, asked) << i;
    EXPECT_GT(here_->bytes_in(), before) << i;
  }
}

}  // namespace
}  // namespace riftbus::relay
