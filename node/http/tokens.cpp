#include "node/http/tokens.h"

#include <sys/stat.h>

#include <fstream>

#include "bus/http/guard.h"

namespace riftbus::node {

namespace {

Result<std::string> load_token(const std::string& path) {
  struct stat found {};
  const bool is_there = ::stat(path.c_str(), &found) == 0;
  if (is_there && (found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error{kBadToken, "the HTTP token can be read by others", path, "chmod 600 " + path};
  }
  std::ifstream file(path);
  std::string token;
  std::getline(file, token);
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
  if (token.size() < http::kTokenBytesMin || token.size() > http::kTokenBytesMax) {
    return Error{kBadToken, "the HTTP token cannot be used", path,
                 "write 8 to 512 characters into its first line"};
  }
  return token;
}

}  // namespace

Result<Tokens> load_tokens(const HttpConfig& config) {
  Tokens tokens;
  if (!config.token.empty()) tokens.all.push_back(config.token);
  if (!config.token_file.empty()) {
    auto token = load_token(config.token_file);
    if (!token) return token.error();
    tokens.all.push_back(std::move(*token));
  }
  if (!config.tap_token_file.empty()) {
    auto token = load_token(config.tap_token_file);
    if (!token) return token.error();
    tokens.tap_only.push_back(std::move(*token));
  }
  return tokens;
}

}  // namespace riftbus::node
