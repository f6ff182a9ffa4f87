#include "bus/http/message.h"

#include <nlohmann/json.hpp>

namespace riftbus::http {

Response make_response(unsigned status, std::string body, std::string content_type) {
  Response response;
  response.status = status;
  response.body = std::make_shared<const std::string>(std::move(body));
  response.content_type = std::move(content_type);
  return response;
}

Response make_error(const Trouble& trouble) {
  nlohmann::ordered_json json{{"error", trouble.error},
                              {"code", trouble.code},
                              {"status", trouble.status},
                              {"details", nlohmann::ordered_json::object()}};
  for (const auto& [name, text] : trouble.details) json["details"][name] = text;
  // The former orchestrator's clients look for details at the top level.
  for (const auto& [name, text] : trouble.details) {
    if (!json.contains(name)) json[name] = text;
  }
  auto response = make_response(
      trouble.status, json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  if (trouble.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace riftbus::http
