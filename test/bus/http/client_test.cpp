#include "bus/http/client.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "bus/http/server.h"

namespace riftbus::http {
namespace {

Fetched wait_for(Client& client) {
  for (int i = 0; i < 100; ++i) {
    pollfd ready{client.wake_fd(), POLLIN, 0};
    ::poll(&ready, 1, 100);
    auto taken = client.take();
    if (!taken.empty()) return taken.front();
  }
  ADD_FAILURE() << "nothing came back";
  return {};
}

// Echoes what it is told, or says nothing at all.
std::unique_ptr<Server> serve(bool answers) {
  auto started = Server::start({}, {[](Request&) { return std::nullopt; },
                                    [answers](Request request, const Reply& reply) {
                                      if (answers) reply(make_response(200, request.body + "!"));
                                    }});
  return std::move(started.value());
}

TEST(HttpClient, BringsTheAnswerOfItsPost) {
  const auto server = serve(true);
  Client client;
  ASSERT_TRUE(client.post({7, "127.0.0.1", server->port(), "/beat", "hello", Millis(5000)}));
  const auto fetched = wait_for(client);
  EXPECT_EQ(fetched.number, 7u);
  EXPECT_EQ(fetched.fate, Fate::answered);
  EXPECT_EQ(fetched.status, 200u);
  EXPECT_EQ(fetched.body, "hello!");
}

TEST(HttpClient, TellsRefusalFromSilence) {
  std::uint16_t port = 0;
  {
    const auto server = serve(false);
    port = server->port();
    Client client;
    ASSERT_TRUE(client.post({1, "127.0.0.1", port, "/", "", Millis(200)}));
    EXPECT_EQ(wait_for(client).fate, Fate::silent);
  }
  Client client;
  ASSERT_TRUE(client.post({2, "127.0.0.1", port, "/", "", Millis(5000)}));
  EXPECT_EQ(wait_for(client).fate, Fate::refused);
  ASSERT_TRUE(client.post({3, "no-such-host.invalid", port, "/", "", Millis(5000)}));
  EXPECT_EQ(wait_for(client).fate, Fate::silent);
}

TEST(HttpClient, TakesABoundedNumberOfErrands) {
  const auto server = serve(false);
  Client client;
  for (std::size_t i = 0; i < Client::kUnderWayMax; ++i) {
    EXPECT_TRUE(client.post({i, "127.0.0.1", server->port(), "/", "", Millis(60'000)}));
  }
  EXPECT_FALSE(client.post({99, "127.0.0.1", server->port(), "/", "", Millis(60'000)}));
}

}  // namespace
}  // namespace riftbus::http
