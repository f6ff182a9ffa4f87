#include "node/mesh/attachments.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>

#include "config/address.h"

namespace riftbus::node {

namespace {

constexpr std::size_t kTunnelsMax = 8;
constexpr std::size_t kFilesMax = 256;  // dead ones of former relays included
constexpr std::uintmax_t kStatusBytesMax = 1024 * 1024;

std::int64_t pid_of(const nlohmann::json& status) {
  const auto pid = status.find("pid");
  return pid != status.end() && pid->is_number_integer() ? pid->get<std::int64_t>() : 0;
}

// A tunnel that was killed has had no time to say so.
bool is_running(const nlohmann::json& status) {
  const auto state = status.find("state");
  const auto pid = pid_of(status);
  if (state == status.end() || *state != "running" || pid <= 0) return false;
  return ::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM;
}

bool listens_for_bus(const nlohmann::json& link) {
  const auto forwards = link.find("forwards");
  if (forwards == link.end() || !forwards->is_array()) return false;
  std::set<std::int64_t> numbers;
  for (const nlohmann::json& forward : *forwards) {
    if (!forward.is_object()) continue;
    const auto number = forward.find("server_port");
    if (number != forward.end() && number->is_number_integer()) {
      numbers.insert(number->get<std::int64_t>());
    }
  }
  return numbers.contains(wire::kRelayedCallNumber) && numbers.contains(wire::kRelayedPubNumber);
}

std::optional<std::string> host_of(const nlohmann::json& link) {
  const auto state = link.find("state");
  const auto server = link.find("server");
  if (state == link.end() || *state != "up" || server == link.end() || !server->is_string()) {
    return std::nullopt;
  }
  const auto endpoint = parse_endpoint(server->get<std::string>());
  return endpoint ? std::optional(endpoint->host) : std::nullopt;
}

std::optional<std::string> read_text(const std::string& path) {
  std::error_code trouble;
  const auto size = std::filesystem::file_size(path, trouble);
  if (trouble || size > kStatusBytesMax) return std::nullopt;
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void add(const std::string& host, std::uint16_t port, std::vector<wire::Address>& addresses) {
  wire::Address address{wire::AddressKind::relay, host, port, port};
  const bool is_known = std::find(addresses.begin(), addresses.end(), address) != addresses.end();
  if (!is_known) addresses.push_back(std::move(address));
}

}  // namespace

TunnelReport read_tunnel(std::string_view file, std::string_view text) {
  TunnelReport report{std::string(file), 0, false, {}, "{}"};
  const nlohmann::json status = nlohmann::json::parse(text, nullptr, false);
  if (!status.is_object()) return report;
  report.json = status.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  report.pid = pid_of(status);
  report.is_running = is_running(status);
  const auto links = status.find("links");
  if (!report.is_running || links == status.end() || !links->is_array()) return report;
  for (const nlohmann::json& link : *links) {
    if (!link.is_object() || !listens_for_bus(link)) continue;
    if (const auto host = host_of(link)) report.ways.push_back(*host);
  }
  return report;
}

std::vector<TunnelReport> read_tunnels(const std::string& folder) {
  std::set<std::string> names;  // in their order, so that the record stays the same
  std::error_code trouble;
  std::filesystem::directory_iterator entry(folder, trouble);
  for (; !trouble && entry != std::filesystem::directory_iterator(); entry.increment(trouble)) {
    const std::string name = entry->path().filename();
    if (name.starts_with("tunnel") && name.ends_with(".json")) names.insert(name);
  }
  std::vector<TunnelReport> reports;
  for (const std::string& name : names) {
    if (reports.size() >= kFilesMax) break;
    if (const auto text = read_text(folder + "/" + name)) {
      reports.push_back(read_tunnel(name, *text));
    }
  }
  // What a tunnel that is gone has left behind must not take the place of one that runs.
  std::stable_partition(reports.begin(), reports.end(),
                        [](const TunnelReport& report) { return report.is_running; });
  if (reports.size() > kTunnelsMax) reports.resize(kTunnelsMax);
  return reports;
}

std::string read_relay(const std::string& status_file) {
  const auto text = read_text(status_file);
  const nlohmann::json status =
      text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
  if (!status.is_object() || !is_running(status)) return "{}";
  return status.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

const RelayPlace* find_relay(const std::vector<RelayPlace>& relays, std::string_view host) {
  const auto found = std::find_if(relays.begin(), relays.end(), [&](const RelayPlace& relay) {
    return std::find(relay.hosts.begin(), relay.hosts.end(), host) != relay.hosts.end();
  });
  return found == relays.end() ? nullptr : &*found;
}

std::vector<wire::Address> relayed_addresses(const std::vector<TunnelReport>& tunnels,
                                             const std::vector<RelayPlace>& relays,
                                             std::uint16_t front_port) {
  std::vector<wire::Address> addresses;
  for (const auto& tunnel : tunnels) {
    for (const auto& way : tunnel.ways) {
      const RelayPlace* relay = find_relay(relays, way);
      add(way, relay ? relay->front_port : front_port, addresses);
      for (std::size_t i = 0; relay != nullptr && i < relay->hosts.size(); ++i) {
        if (i < kHostsPerRelay) add(relay->hosts[i], relay->front_port, addresses);
      }
    }
  }
  return addresses;
}

}  // namespace riftbus::node
