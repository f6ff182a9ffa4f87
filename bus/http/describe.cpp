#include "bus/http/describe.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bus/http/letters.h"

namespace riftbus::http {

namespace {

using Json = nlohmann::ordered_json;

// "GET /work/node/{id}" -> "get_work_node_id"
std::string operation_id(const Route& route) {
  std::string id = lower(route.method);
  for (const char c : route.pattern) {
    const bool is_word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    if (is_word) id += c;
    if (c == '/' || c == '.') id += '_';
  }
  return id;
}

Json schema_of(const Parameter& parameter) {
  Json schema{{"type", parameter.form}};
  if (parameter.form == "array") schema["items"] = Json::object();
  return schema;
}

Json error_schema() {
  return {{"type", "object"},
          {"required", {"error", "code", "status"}},
          {"properties",
           {{"error", {{"type", "string"}}},
            {"code", {{"type", "string"}}},
            {"status", {{"type", "integer"}}},
            {"details", {{"type", "object"}}}}}};
}

void add_body(const Route& route, Json& operation) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const auto& parameter : route.parameters) {
    if (parameter.in != "body") continue;
    Json schema = schema_of(parameter);
    schema["description"] = parameter.meaning;
    properties[std::string(parameter.name)] = std::move(schema);
    if (parameter.required) required.push_back(parameter.name);
  }
  if (properties.empty()) return;
  Json schema{{"type", "object"}, {"properties", std::move(properties)}};
  const bool is_required = !required.empty();
  if (is_required) schema["required"] = std::move(required);
  operation["requestBody"] = {{"required", is_required},
                              {"content", {{"application/json", {{"schema", schema}}}}}};
}

Json operation_of(const Route& route) {
  Json operation{{"operationId", operation_id(route)}, {"summary", route.summary}};
  Json parameters = Json::array();
  for (const auto& parameter : route.parameters) {
    if (parameter.in == "body") continue;
    parameters.push_back({{"name", parameter.name},
                          {"in", parameter.in},
                          {"required", parameter.required},
                          {"description", parameter.meaning},
                          {"schema", schema_of(parameter)}});
  }
  if (!parameters.empty()) operation["parameters"] = std::move(parameters);
  add_body(route, operation);
  if (route.access == Access::token || route.access == Access::tap) {
    operation["security"] = {{{"bearer", Json::array()}}, {{"header", Json::array()}}};
  }
  operation["responses"] = {
      {"200", {{"description", "done"}}},
      {"default",
       {{"description", "refused or failed"},
        {"content",
         {{"application/json", {{"schema", {{"$ref", "#/components/schemas/Error"}}}}}}}}}};
  return operation;
}

}  // namespace

std::string_view to_string(Access access) {
  switch (access) {
    case Access::open:
      return "";
    case Access::token:
      return "yes";
    case Access::tap:
      return "yes, or for taps";
    case Access::member:
      return "sealed";
  }
  return "";
}

std::string openapi_document(std::span<const Route> routes, std::string_view version) {
  Json paths = Json::object();
  for (const auto& route : routes) {
    paths[std::string(route.pattern)][lower(route.method)] = operation_of(route);
  }
  const Json document{
      {"openapi", "3.0.3"},
      {"info", {{"title", "riftbus-node"}, {"version", version}}},
      {"paths", std::move(paths)},
      {"components",
       {{"schemas", {{"Error", error_schema()}}},
        {"securitySchemes",
         {{"bearer", {{"type", "http"}, {"scheme", "bearer"}}},
          {"header", {{"type", "apiKey"}, {"in", "header"}, {"name", "X-RingRift-Auth"}}}}}}}};
  return document.dump(1);
}

std::string reference_table(std::span<const Route> routes) {
  std::string text = "| route | token | takes | for |\n|---|---|---|---|\n";
  for (const auto& route : routes) {
    std::string takes;
    for (const auto& parameter : route.parameters) {
      if (parameter.in == "path") continue;
      takes += (takes.empty() ? "`" : ", `") + std::string(parameter.name) + "`";
      if (parameter.required) takes += "!";
    }
    text += "| `" + std::string(route.method) + " " + std::string(route.pattern) + "` | " +
            std::string(to_string(route.access)) + " | " + takes + " | " +
            std::string(route.summary) + " |\n";
  }
  return text;
}

}  // namespace riftbus::http
