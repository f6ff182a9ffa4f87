#include "bus/zap_request.h"

#include <algorithm>

#include "bus/keys.h"

namespace riftbus::bus {

namespace {

constexpr std::string_view kZapVersion = "1.0";
constexpr std::size_t kRequestIdBytesMax = 255;
constexpr std::size_t kAddressBytesMax = 64;  // an IPv6 address with its zone is shorter

std::string keep_printable(std::string_view text) {
  const bool printable = text.size() <= kAddressBytesMax &&
                         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
  return printable ? std::string(text) : std::string();
}

// ZMTP's property form (RFC 23): name length in one byte, value length in four, big-endian.
void append_property(std::string& metadata, std::string_view name, std::string_view value) {
  metadata += static_cast<char>(name.size());
  metadata += name;
  for (const int shift : {24, 16, 8, 0}) {
    metadata += static_cast<char>(value.size() >> shift & 0xff);
  }
  metadata += value;
}

}  // namespace

std::optional<ZapRequest> parse_zap_request(const std::vector<std::string_view>& frames) {
  enum { version, request_id, domain, address, routing_id, mechanism, credential, total };
  if (frames.size() <= request_id || frames[version] != kZapVersion ||
      frames[request_id].size() > kRequestIdBytesMax) {
    return std::nullopt;
  }
  ZapRequest request;
  request.request_id = frames[request_id];
  if (frames.size() > address) request.address = keep_printable(frames[address]);
  CurveKey key;
  if (frames.size() != total || frames[domain] != kZapDomain || frames[mechanism] != "CURVE" ||
      frames[credential].size() != key.bytes.size()) {
    return request;
  }
  std::ranges::transform(frames[credential], key.bytes.begin(),
                         [](char c) { return static_cast<std::uint8_t>(c); });
  request.key = key;
  return request;
}

std::vector<std::string> format_zap_refusal(const ZapRequest& request, std::string_view reason) {
  return {std::string(kZapVersion), request.request_id, "400", std::string(reason), "", ""};
}

std::vector<std::string> format_zap_welcome(
    const ZapRequest& request, const NodeId& user,
    const std::vector<std::pair<std::string_view, std::string>>& properties) {
  std::string metadata;
  for (const auto& [name, value] : properties) append_property(metadata, name, value);
  return {std::string(kZapVersion), request.request_id, "200", "OK", user.value(), metadata};
}

}  // namespace riftbus::bus
