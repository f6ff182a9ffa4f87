#include "bus/poll_set.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <zmq.hpp>

#include "bus/uninterrupted.h"

namespace riftbus::bus {
namespace {

constexpr long kLong = 10'000;  // ms; reached only by a failure

class PollSetTest : public ::testing::Test {
 protected:
  PollSetTest() {
    ours_.bind("inproc://poll-set");
    theirs_.connect("inproc://poll-set");
  }
  void say(const std::string& what) {
    ASSERT_TRUE(theirs_.send(zmq::buffer(what), zmq::send_flags::none).has_value());
  }
  std::string hear() {
    zmq::message_t message;
    const int size = uninterrupted(
        [&] { return ::zmq_msg_recv(message.handle(), ours_.handle(), ZMQ_DONTWAIT); });
    return size >= 0 ? message.to_string() : "";
  }
  // As a send does now and then: takes in what the descriptor would have told.
  void use() { (void)ours_.get(zmq::sockopt::events); }

  zmq::context_t context_;
  zmq::socket_t ours_{context_, zmq::socket_type::pair};
  zmq::socket_t theirs_{context_, zmq::socket_type::pair};
  PollSet set_;
};

TEST_F(PollSetTest, NobodyIsReadyWhereNothingCame) {
  set_.add_socket(ours_.handle());
  EXPECT_EQ(set_.wait(0), 0);
  EXPECT_EQ(set_.wait(1), 0);
  EXPECT_FALSE(set_.is_ready(0));
}

TEST_F(PollSetTest, AMessageEndsTheWait) {
  set_.add_socket(ours_.handle());
  EXPECT_EQ(set_.wait(0), 0);
  say("one");
  EXPECT_EQ(set_.wait(kLong), 1);
  EXPECT_TRUE(set_.is_ready(0));
  EXPECT_EQ(hear(), "one");
  set_.mark_used(0);
  EXPECT_EQ(set_.wait(0), 0);
  say("two");
  EXPECT_EQ(set_.wait(kLong), 1);
}

TEST_F(PollSetTest, WhoIsNewIsAsked) {
  say("one");
  use();  // its descriptor says nothing any more
  set_.add_socket(ours_.handle());
  EXPECT_EQ(set_.wait(kLong), 1);
}

TEST_F(PollSetTest, WhoWasReadyIsAskedAgain) {
  set_.add_socket(ours_.handle());
  say("one");
  say("two");
  EXPECT_EQ(set_.wait(kLong), 1);
  EXPECT_EQ(hear(), "one");
  EXPECT_EQ(set_.wait(kLong), 1);
  EXPECT_EQ(hear(), "two");
}

TEST_F(PollSetTest, WhoWasUsedIsAskedAndNobodyElse) {
  set_.add_socket(ours_.handle());
  EXPECT_EQ(set_.wait(0), 0);
  say("one");
  use();
  EXPECT_EQ(set_.wait(0), 0) << "sockets at rest are asked: that is what zmq_poll() does";
  set_.mark_used(0);
  EXPECT_EQ(set_.wait(0), 1);
  EXPECT_EQ(hear(), "one");
}

void ignore_alarm(int) {}

// What is asked looks into its mailbox by a system call that a signal may end.
TEST_F(PollSetTest, SignalsInTheMiddleOfAnythingChangeNothing) {
  struct sigaction action {};
  action.sa_handler = ignore_alarm;
  struct sigaction before {};
  ASSERT_EQ(::sigaction(SIGALRM, &action, &before), 0);
  const itimerval often{{0, 20}, {0, 20}};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &often, nullptr), 0);
  set_.add_socket(ours_.handle());
  int heard = 0;
  for (int i = 0; i < 200'000; ++i) {
    set_.mark_used(0);
    if (set_.wait(0) > 0 && hear() == "x") ++heard;
    if (i % 1000 == 0) (void)::zmq_send(theirs_.handle(), "x", 1, ZMQ_DONTWAIT);
  }
  const itimerval never{};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &never, nullptr), 0);
  ASSERT_EQ(::sigaction(SIGALRM, &before, nullptr), 0);
  EXPECT_GT(heard, 100);
}

// Or a busy socket would keep a disk's answer waiting.
TEST_F(PollSetTest, DescriptorsAndSocketsAreToldTogether) {
  const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  ASSERT_GE(event, 0);
  set_.add_descriptor(event, POLLIN);
  set_.add_socket(ours_.handle());
  set_.mark_used(0);  // of a descriptor: nothing
  EXPECT_EQ(set_.wait(0), 0);
  say("one");
  ASSERT_EQ(::eventfd_write(event, 1), 0);
  set_.mark_used(1);
  EXPECT_EQ(set_.wait(kLong), 2);
  EXPECT_TRUE(set_.is_ready(0));
  EXPECT_TRUE(set_.is_ready(1));
  set_.clear();
  EXPECT_EQ(set_.size(), 0U);
  ::close(event);
}

}  // namespace
}  // namespace riftbus::bus
