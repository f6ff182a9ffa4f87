#include "bus/http/guard.h"

#include <gtest/gtest.h>

namespace riftbus::http {
namespace {

Request request_to(const std::string& host, const std::string& origin = "") {
  Request request;
  request.host = host;
  request.origin = origin;
  return request;
}

std::string code_of(const std::optional<Trouble>& trouble) { return trouble ? trouble->code : ""; }

TEST(Guard, AnswersToAddressesAndListedNamesOnly) {
  const Guard guard({}, {"N1.Example"});
  for (const char* host : {"127.0.0.1:8770", "192.0.2.7", "[::1]:8770", "localhost:1", "LocalHost",
                           "n1.example:8770"}) {
    EXPECT_EQ(code_of(guard.refuse_stranger(request_to(host))), "") << host;
  }
  for (const char* host : {"", "evil.example", "localhost.evil.example", "n1.example:80:80", "[::1",
                           "[::1]x", "127.0.0.1:evil", "127.0.0.1.evil.example"}) {
    EXPECT_EQ(code_of(guard.refuse_stranger(request_to(host))), "HOST_NOT_ALLOWED") << host;
  }
}

TEST(Guard, APageMayAskTheNodeThatItCameFromOnly) {
  const Guard guard({}, {});
  const std::string host = "127.0.0.1:8770";
  EXPECT_EQ(code_of(guard.refuse_stranger(request_to(host, "http://127.0.0.1:8770"))), "");
  for (const char* origin : {"http://evil.example", "null", "http://127.0.0.1:8771",
                             "http://127.0.0.1:8770.evil.example"}) {
    EXPECT_EQ(code_of(guard.refuse_stranger(request_to(host, origin))), "ORIGIN_NOT_ALLOWED");
  }
}

TEST(Guard, ChangingTakesTheTokenInEitherHeader) {
  const Guard guard({"open-sesame", "second-token"}, {});
  Request request;
  EXPECT_EQ(code_of(guard.refuse_access(request, Access::open)), "");
  EXPECT_EQ(code_of(guard.refuse_access(request, Access::token)), "UNAUTHORIZED");
  request.authorization = "Bearer open-sesame";
  EXPECT_EQ(code_of(guard.refuse_access(request, Access::token)), "");
  request.authorization = "bearer second-token";
  EXPECT_EQ(code_of(guard.refuse_access(request, Access::token)), "");
  request.authorization = "";
  request.shared_token = "open-sesame";
  EXPECT_EQ(code_of(guard.refuse_access(request, Access::token)), "");
}

TEST(Guard, NoOtherTextIsTheToken) {
  const Guard guard({"open-sesame"}, {});
  for (const char* text : {"", "Bearer ", "Bearer open-sesam", "Bearer open-sesame ",
                           "Basic open-sesame", "open-sesame", "Bearer Open-Sesame"}) {
    Request request;
    request.authorization = text;
    EXPECT_EQ(code_of(guard.refuse_access(request, Access::token)), "UNAUTHORIZED") << text;
  }
}

TEST(Guard, WithoutATokenNothingIsChanged) {
  const Guard guard({}, {});
  Request request;
  request.authorization = "Bearer ";
  EXPECT_EQ(code_of(guard.refuse_access(request, Access::token)), "NO_TOKEN_SET");
}

TEST(Guard, ATokenForTapsOpensTapsAlone) {
  const Guard guard({"open-sesame"}, {}, {"watch-sesame"});
  Request request;
  request.authorization = "Bearer watch-sesame";
  EXPECT_EQ(code_of(guard.refuse_access(request, Access::tap)), "");
  EXPECT_EQ(code_of(guard.refuse_access(request, Access::token)), "UNAUTHORIZED");
  EXPECT_FALSE(guard.is_operator(request));
  request.authorization = "Bearer open-sesame";
  EXPECT_EQ(code_of(guard.refuse_access(request, Access::tap)), "");
  EXPECT_TRUE(guard.is_operator(request));
  request.authorization = "";
  EXPECT_EQ(code_of(guard.refuse_access(request, Access::tap)), "UNAUTHORIZED");
  const Guard watched_only({}, {}, {"watch-sesame"});
  request.shared_token = "watch-sesame";
  EXPECT_EQ(code_of(watched_only.refuse_access(request, Access::tap)), "");
  EXPECT_EQ(code_of(watched_only.refuse_access(request, Access::token)), "NO_TOKEN_SET");
}

}  // namespace
}  // namespace riftbus::http
