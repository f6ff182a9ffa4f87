// The way of a member to a node behind a relay: Detours here, the relay's own front there.
#include "bus/detour.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <zmq.hpp>

#include "bus/clock.h"
#include "bus/wake_pipe.h"
#include "relay/front/front.h"
#include "test/node/temp_folder.h"

namespace riftbus::relay {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(10'000);

struct Bell : bus::Watcher {
  void on_ready(bus::Readiness) override { pipe.clear(); }
  bus::WakePipe pipe;
};

// A relay's front with one node's socket behind it, on a thread of its own.
class DetourTest : public testing::Test {
 protected:
  DetourTest() : node_(context_, zmq::socket_type::router) {
    config_.socket_dir = folder_.file("");
    config_.front_host = "127.0.0.1";
    node_.bind("ipc://" + folder_.file("n1.7770"));
    for (config_.front_port = 23'000; config_.front_port < 23'500; ++config_.front_port) {
      front_ = std::make_unique<Front>(loop_, config_);
      if (front_->open()) break;
    }
    loop_.watch(bell_.pipe.descriptor(), bell_, true, false);
    thread_ = std::thread([this] {
      while (!stopping_) {
        loop_.run_once(front_->next_deadline(), bus::boot_now());
        front_->sweep(bus::boot_now());
      }
    });
  }
  ~DetourTest() override {
    stopping_ = true;
    bell_.pipe.wake();
    thread_.join();
  }

  std::string open(const std::string& name, std::uint16_t number = 7770) {
    const auto endpoint = detours_.open({"127.0.0.1", config_.front_port, name, number});
    EXPECT_TRUE(endpoint.ok());
    return endpoint ? *endpoint : "";
  }
  zmq::socket_t connect(const std::string& endpoint) {
    zmq::socket_t socket(context_, zmq::socket_type::dealer);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::reconnect_ivl, -1);
    socket.set(zmq::sockopt::rcvtimeo, static_cast<int>(kPatience.count()));
    socket.connect(endpoint);
    return socket;
  }
  // What the node gets from `socket`, answered by the same.
  std::string echo(zmq::socket_t& socket, const std::string& words) {
    socket.send(zmq::buffer(words), zmq::send_flags::none);
    node_.set(zmq::sockopt::rcvtimeo, static_cast<int>(kPatience.count()));
    zmq::message_t from;
    zmq::message_t text;
    if (!node_.recv(from) || !node_.recv(text)) return "the node got nothing";
    node_.send(from, zmq::send_flags::sndmore);
    node_.send(text, zmq::send_flags::none);
    zmq::message_t back;
    return socket.recv(back) ? back.to_string() : "no answer";
  }

  node::TempFolder folder_;
  zmq::context_t context_;
  zmq::socket_t node_;
  RelayConfig config_;
  bus::Loop loop_;
  Bell bell_;
  std::unique_ptr<Front> front_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
  bus::Detours detours_;
};

TEST_F(DetourTest, AMemberReachesANodeByItsName) {
  zmq::socket_t first = connect(open("n1.riftbus"));
  zmq::socket_t second = connect(open("n1.riftbus"));
  EXPECT_EQ(echo(first, "hello"), "hello");
  const std::string large(3'000'000, 'x');
  EXPECT_EQ(echo(second, large), large);
  EXPECT_EQ(echo(first, "again"), "again");
}

// libzmq's own SOCKS client ends the process here.
TEST_F(DetourTest, ManyThatLeadNowhereAreClosedAndDoNoHarm) {
  for (int i = 0; i < 50; ++i) {
    zmq::socket_t to_nobody = connect(open("n2.riftbus"));
    zmq::socket_t to_no_number = connect(open("n1.riftbus", 9));
    zmq::socket_t at_once = connect(open("n1.riftbus"));
  }
  zmq::socket_t socket = connect(open("n1.riftbus"));
  EXPECT_EQ(echo(socket, "hello"), "hello");
}

TEST_F(DetourTest, NobodyElseTakesIt) {
  const std::string endpoint = open("n1.riftbus");
  const pid_t stranger = ::fork();
  if (stranger == 0) {
    const std::string name = endpoint.substr(std::strlen("ipc://@"));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    char byte = 0;
    const bool is_connected =
        ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), size) == 0;
    ::_exit(is_connected && ::recv(descriptor, &byte, 1, 0) == 0 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(stranger, &status, 0), stranger);
  EXPECT_EQ(status, 0) << "it was hung up on";
  zmq::socket_t socket = connect(endpoint);
  EXPECT_EQ(echo(socket, "hello"), "hello");
}

}  // namespace
}  // namespace riftbus::relay
