#include "node/mesh/attachments.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "config/address.h"

namespace riftbus::node {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kTunnelsMax = 8;
constexpr std::uintmax_t kStatusBytesMax = 1024 * 1024;

// A tunnel that was killed has had no time to say so.
bool is_running(const Json& status) {
  const auto state = status.find("state");
  const auto pid = status.find("pid");
  if (state == status.end() || *state != "running") return false;
  if (pid == status.end() || !pid->is_number_integer() || pid->get<std::int64_t>() <= 0)
    return false;
  return ::kill(static_cast<pid_t>(pid->get<std::int64_t>()), 0) == 0 || errno == EPERM;
}

bool listens_for_bus(const Json& link) {
  const auto forwards = link.find("forwards");
  if (forwards == link.end() || !forwards->is_array()) return false;
  std::set<std::int64_t> numbers;
  for (const Json& forward : *forwards) {
    if (!forward.is_object()) continue;
    const auto number = forward.find("server_port");
    if (number != forward.end() && number->is_number_integer()) {
      numbers.insert(number->get<std::int64_t>());
    }
  }
  return numbers.contains(wire::kRelayedCallNumber) && numbers.contains(wire::kRelayedPubNumber);
}

std::optional<std::string> host_of(const Json& link) {
  const auto state = link.find("state");
  const auto server = link.find("server");
  if (state == link.end() || *state != "up" || server == link.end() || !server->is_string()) {
    return std::nullopt;
  }
  const auto endpoint = parse_endpoint(server->get<std::string>());
  return endpoint ? std::optional(endpoint->host) : std::nullopt;
}

}  // namespace

std::vector<wire::Address> relayed_addresses(std::string_view tunnel_status,
                                             std::uint16_t front_port) {
  const Json status = Json::parse(tunnel_status, nullptr, false);
  if (!status.is_object() || !is_running(status)) return {};
  const auto links = status.find("links");
  if (links == status.end() || !links->is_array()) return {};
  std::vector<wire::Address> addresses;
  for (const Json& link : *links) {
    if (!link.is_object() || !listens_for_bus(link)) continue;
    if (const auto host = host_of(link)) {
      addresses.push_back({wire::AddressKind::relay, *host, front_port, front_port});
    }
  }
  return addresses;
}

std::vector<wire::Address> read_attachments(const std::string& folder, std::uint16_t front_port) {
  std::set<std::string> files;  // in their order, so that the record stays the same
  std::error_code trouble;
  std::filesystem::directory_iterator entry(folder, trouble);
  for (; !trouble && entry != std::filesystem::directory_iterator(); entry.increment(trouble)) {
    const std::string name = entry->path().filename();
    if (name.starts_with("tunnel") && name.ends_with(".json")) files.insert(entry->path());
  }
  std::vector<wire::Address> all;
  for (const std::string& file : files) {
    if (all.size() >= kTunnelsMax) break;
    const auto size = std::filesystem::file_size(file, trouble);
    if (trouble || size > kStatusBytesMax) continue;
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    for (auto& address : relayed_addresses(text.str(), front_port)) {
      if (std::find(all.begin(), all.end(), address) == all.end())
        all.push_back(std::move(address));
    }
  }
  return all;
}

}  // namespace riftbus::node
