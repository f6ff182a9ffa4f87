// The server with real sockets on loopback.
#include "bus/http/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <thread>
#include <vector>

namespace riftbus::http {
namespace {

// A client's end; reads with a deadline.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    timeval patience{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(const std::string& text) {
    EXPECT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // Until `mark` has come; everything up to its end.
  std::string read_to(const std::string& mark) {
    for (;;) {
      const auto found = text_.find(mark);
      if (found != std::string::npos) {
        const std::string head = text_.substr(0, found + mark.size());
        text_.erase(0, head.size());
        return head;
      }
      if (!receive()) return std::exchange(text_, "") + "(end)";
    }
  }
  std::string read_all() {
    while (receive()) {
    }
    return text_;
  }

 private:
  bool receive() {
    char bytes[4096];
    const auto count = ::recv(socket_, bytes, sizeof bytes, 0);
    if (count > 0) text_.append(bytes, static_cast<std::size_t>(count));
    return count > 0;
  }
  int socket_;
  std::string text_;
};

std::unique_ptr<Server> start(ServerCallbacks callbacks, std::size_t connections_max = 64) {
  ServerSettings settings;
  settings.connections_max = connections_max;
  auto server = Server::start(settings, std::move(callbacks));
  EXPECT_TRUE(server.ok());
  return std::move(*server);
}

std::optional<Response> admit_all(Request&) { return std::nullopt; }
// Says what it was asked.
void echo(const Request& request, const Reply& reply) {
  reply(make_response(200, request.method + " " + request.target + " " + request.body));
}

constexpr const char* kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(Server, AnswersSeveralRequestsOfOneConnection) {
  const auto server = start({admit_all, echo});
  Client client(server->port());
  client.send(std::string(kGet) + "POST /b?c HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_NE(client.read_to("GET /a ").find("HTTP/1.1 200"), std::string::npos);
  EXPECT_NE(client.read_to("POST /b?c hi").find("Content-Length: 12"), std::string::npos);
  EXPECT_EQ(server->counters().requests, 2U);
}

TEST(Server, HeadHasTheLengthAndNoBody) {
  const auto server = start({admit_all, echo});
  Client client(server->port());
  client.send("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const auto text = client.read_all();
  EXPECT_NE(text.find("Content-Length: 8"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

TEST(Server, AStrangersBodyIsNeverRead) {
  const auto refuse = [](Request&) -> std::optional<Response> {
    return make_error({401, "UNAUTHORIZED", "no", {}});
  };
  const auto server = start({refuse, echo});
  Client client(server->port());
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_NE(client.read_all().find("HTTP/1.1 401"), std::string::npos);
}

TEST(Server, WhatIsTooLargeIsRefused) {
  const auto server = start({admit_all, echo});
  Client large(server->port());
  large.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n");
  EXPECT_NE(large.read_all().find("HTTP/1.1 413"), std::string::npos);
  Client wide(server->port());
  wide.send("GET /a HTTP/1.1\r\nX: " + std::string(kHeaderBytesMax, 'a'));
  EXPECT_NE(wide.read_all().find("HTTP/1.1 431"), std::string::npos);
  Client odd(server->port());
  odd.send("not a request\r\n\r\n");
  EXPECT_NE(odd.read_all().find("HTTP/1.1 400"), std::string::npos);
  EXPECT_EQ(server->counters().malformed, 3U);
}

TEST(Server, AnAnswerMayComeLaterFromAnotherThread) {
  std::promise<Reply> promised;
  const auto server =
      start({admit_all, [&](const Request&, const Reply& reply) { promised.set_value(reply); }});
  Client client(server->port());
  client.send(kGet);
  const Reply reply = promised.get_future().get();
  std::thread([&] {
    reply(make_response(200, "late"));
    reply(make_response(200, "twice"));
  }).join();
  EXPECT_TRUE(client.read_to("late").ends_with("late"));
}

TEST(Server, AReplyOutlivesItsServer) {
  std::promise<Reply> promised;
  auto server =
      start({admit_all, [&](const Request&, const Reply& reply) { promised.set_value(reply); }});
  Client client(server->port());
  client.send(kGet);
  const Reply reply = promised.get_future().get();
  server.reset();
  reply(make_response(200, "too late"));
  EXPECT_EQ(client.read_all(), "");
}

TEST(Server, WhoeverWaitsLongestGivesWayToTheNewest) {
  const auto server = start({admit_all, echo}, 4);
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 12; ++i) {
    crowd.push_back(std::make_unique<Client>(server->port()));
    crowd.back()->send("GET /slow HTTP/1.1\r\nX-");
  }
  Client newest(server->port());
  newest.send(kGet);
  EXPECT_TRUE(newest.read_to("GET /a ").ends_with("GET /a "));
  EXPECT_EQ(crowd.front()->read_all(), "");
  EXPECT_GE(server->counters().evicted, 8U);
}

TEST(Server, AStreamSendsWhatThereIsUntilItsReaderLeaves) {
  std::atomic<int> pulls{0};
  const auto server =
      start({admit_all, [&](const Request&, const Reply& reply) {
               Response response;
               response.content_type = "text/event-stream";
               response.pull = [&pulls] { return "data: " + std::to_string(++pulls) + "\n\n"; };
               reply(std::move(response));
             }});
  {
    Client client(server->port());
    client.send(kGet);
    EXPECT_NE(client.read_to("data: 1\n\n").find("text/event-stream"), std::string::npos);
    client.read_to("data: 2\n\n");
    EXPECT_EQ(server->counters().streams, 1U);
  }
  // Another question of the same kind comes after the first reader's end was noticed.
  for (int i = 0; i < 1000 && server->counters().streams > 0; ++i) {
    Client other(server->port());
    other.send("nonsense\r\n\r\n");
    other.read_all();
  }
  EXPECT_EQ(server->counters().streams, 0U);
}

TEST(Server, APortInUseIsAnErrorThatNamesIt) {
  const auto server = start({admit_all, echo});
  ServerSettings settings;
  settings.port = server->port();
  const auto second = Server::start(settings, {admit_all, echo});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, kCannotListen);
  EXPECT_NE(second.error().where.find(std::to_string(server->port())), std::string::npos);
}

}  // namespace
}  // namespace riftbus::http
