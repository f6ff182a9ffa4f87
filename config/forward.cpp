#include "config/forward.h"

#include <algorithm>
#include <optional>
#include <span>

#include "config/address.h"
#include "config/printable.h"
#include "config/types.h"

namespace riftbus {

namespace {

constexpr const char* kAsSsh = "write it as ssh does: [HOST:]PORT:HOST:PORT, for instance ";
constexpr std::string_view kPinPrefix = "SHA256:";
constexpr std::size_t kPinDigits = 43;  // 32 bytes in base64, without its padding

Error fail(std::uint16_t code, std::string_view text, std::string_view what, std::size_t at,
           std::string next) {
  return Error{code,
               "\"" + make_printable(text.substr(0, 80)) + "\": " + std::string(what) +
                   " at column " + std::to_string(at + 1),
               "", std::move(next)};
}

// A part between colons, and where it begins.
struct Part {
  std::string_view text;
  std::size_t at = 0;
  bool in_brackets = false;
};

std::string host_text(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

bool is_plain(char c) { return c > ' ' && c < '\x7f' && c != ','; }

class ForwardParser {
 public:
  ForwardParser(std::string_view text, ForwardSide side) : text_(text), body_(text) {
    forward_.side = side;
  }

  Result<Forward> parse() {
    if (text_.size() > kForwardBytesMax) return error("the text is too long", kForwardBytesMax);
    const auto odd = std::find_if_not(text_.begin(), text_.end(), is_plain);
    if (odd != text_.end()) {
      return error("expected no blank, comma or control character", offset(odd));
    }
    if (!take_class() || !split() || !assign()) return *error_;
    return std::move(forward_);
  }

 private:
  [[nodiscard]] std::size_t offset(std::string_view::iterator at) const {
    return static_cast<std::size_t>(at - text_.begin());
  }
  [[nodiscard]] Error error(std::string_view what, std::size_t at) const {
    const bool is_reverse = forward_.side == ForwardSide::reverse;
    return fail(
        1800, text_, what, at,
        std::string(kAsSsh) + (is_reverse ? "21017:127.0.0.1:7770" : "7100:127.0.0.1:7770"));
  }
  bool refuse(std::string_view what, std::size_t at) {
    error_ = error(what, at);
    return false;
  }

  bool take_class() {
    const auto mark = text_.rfind('@');
    if (mark == std::string_view::npos) return true;
    const auto word = text_.substr(mark + 1);
    if (word != "control" && word != "bulk") return refuse("expected control or bulk", mark + 1);
    forward_.traffic = word == "bulk" ? TrafficClass::bulk : TrafficClass::control;
    body_ = text_.substr(0, mark);
    if (body_.find('@') != std::string_view::npos) {
      return refuse("expected one class only", body_.find('@'));
    }
    return true;
  }

  // Colons inside brackets do not separate.
  bool split() {
    for (std::size_t at = 0;;) {
      Part part{{}, at, at < body_.size() && body_[at] == '['};
      std::size_t end = 0;
      if (part.in_brackets) {
        const auto close = body_.find(']', at);
        if (close == std::string_view::npos) return refuse("expected ] to end the address", at);
        part.text = body_.substr(at + 1, close - at - 1);
        end = close + 1;
        if (end < body_.size() && body_[end] != ':') return refuse("expected :", end);
      } else {
        end = std::min(body_.find(':', at), body_.size());
        part.text = body_.substr(at, end - at);
      }
      parts_.push_back(part);
      if (end >= body_.size()) return true;
      at = end + 1;
    }
  }

  // Brackets hold an IPv6 address only: a path from them could contain a colon, and would not read
  // back as it was written.
  static bool is_path(const Part& part) { return !part.in_brackets && part.text.starts_with('/'); }

  bool assign() {
    const std::size_t target_parts = is_path(parts_.back()) ? 1 : 2;
    if (parts_.size() < target_parts + 1) {
      return refuse("expected a listener, : and a target HOST:PORT or /PATH", body_.size());
    }
    const std::size_t listen_parts = parts_.size() - target_parts;
    if (listen_parts > 2 || (listen_parts == 2 && is_path(parts_[0]))) {
      const std::size_t extra = is_path(parts_[0]) ? 3 : 4;
      return refuse("expected the end", parts_[std::min(extra, parts_.size() - 1)].at - 1);
    }
    const auto* parts = parts_.data();
    return assign_listen({parts, listen_parts}) &&
           assign_end({parts + listen_parts, target_parts}, false, forward_.target);
  }

  bool assign_listen(std::span<const Part> parts) {
    const bool is_reverse = forward_.side == ForwardSide::reverse;
    if (is_reverse && is_path(parts[0])) {
      return refuse("a server's listener is a port: libssh cannot ask for a Unix socket",
                    parts[0].at);
    }
    forward_.listen.host = "127.0.0.1";
    return assign_end(parts, true, forward_.listen);
  }

  bool assign_end(std::span<const Part> parts, bool listens, ForwardEnd& end) {
    if (parts.size() == 1 && is_path(parts[0])) {
      if (parts[0].text.size() > kSocketPathBytesMax) {
        return refuse("the path of a Unix socket has 107 bytes at most", parts[0].at);
      }
      end = {"", 0, std::string(parts[0].text)};
      return true;
    }
    if (parts.size() == 2 && !assign_host(parts[0], listens, end)) return false;
    const auto& port = parts.back();
    if (listens && forward_.side == ForwardSide::reverse && port.text == "0") return true;
    const auto number = parse_port(port.text);
    if (port.in_brackets || !number) return refuse("expected a port from 1 to 65535", port.at);
    end.port = *number;
    return true;
  }

  bool assign_host(const Part& part, bool listens, ForwardEnd& end) {
    const std::string host(part.text);
    const bool is_v6 = host.find(':') != std::string::npos;
    if (listens && is_wildcard_host(host) && is_v6 == part.in_brackets) {
      end.host = host;
      return true;
    }
    if (is_wildcard_host(host) || !is_valid_host(host) || is_v6 != part.in_brackets) {
      return refuse(listens ? "expected an address to listen on" : "expected a host to reach",
                    part.at);
    }
    end.host = host;
    return true;
  }

  std::string_view text_;
  std::string_view body_;  // without the class
  std::vector<Part> parts_;
  std::optional<Error> error_;
  Forward forward_;
};

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

Error server_error(std::string_view text, std::string_view what, std::size_t at) {
  return fail(1801, text, what, at, "write [USER@]HOST[:PORT]#SHA256:... with the host key's pin");
}

}  // namespace

std::string_view to_string(ForwardSide side) {
  return side == ForwardSide::reverse ? "reverse" : "local";
}

std::string_view to_string(TrafficClass traffic) {
  return traffic == TrafficClass::control ? "control" : "bulk";
}

std::string ForwardEnd::to_string() const {
  return is_unix() ? path : host_text(host) + ":" + std::to_string(port);
}

std::string Forward::to_string() const {
  const std::string ends = listen.to_string() + ":" + target.to_string();
  return traffic == TrafficClass::bulk ? ends + "@bulk" : ends;
}

Result<Forward> parse_forward(std::string_view text, ForwardSide side) {
  return ForwardParser(text, side).parse();
}

std::string TunnelServer::address() const { return host_text(host) + ":" + std::to_string(port); }

std::string TunnelServer::to_string() const {
  std::string text = user.empty() ? address() : user + "@" + address();
  for (const auto& pin : pins) text += "#" + pin;
  return text;
}

bool is_host_pin(std::string_view text) {
  if (!text.starts_with(kPinPrefix)) return false;
  text.remove_prefix(kPinPrefix.size());
  return text.size() == kPinDigits && std::all_of(text.begin(), text.end(), is_base64);
}

Result<TunnelServer> parse_tunnel_server(std::string_view text) {
  if (text.size() > kForwardBytesMax) {
    return server_error(text, "the text is too long", kForwardBytesMax);
  }
  TunnelServer server;
  const auto hash = std::min(text.find('#'), text.size());
  auto address = text.substr(0, hash);
  const auto mark = address.rfind('@');
  if (mark != std::string_view::npos) {
    server.user = std::string(address.substr(0, mark));
    if (!NodeId::is_valid(server.user)) {
      return server_error(text, "expected a user of A-Z a-z 0-9 . _ - before the @", 0);
    }
    address.remove_prefix(mark + 1);
  }
  const std::size_t host_at = mark == std::string_view::npos ? 0 : mark + 1;
  const auto endpoint = parse_endpoint(address);
  if (!endpoint || endpoint->is_http || is_wildcard_host(endpoint->host)) {
    return server_error(text, "expected HOST or HOST:PORT", host_at);
  }
  server.host = endpoint->host;
  server.port = endpoint->port.value_or(kSshPort);
  for (std::size_t at = hash; at < text.size();) {
    const auto end = std::min(text.find('#', at + 1), text.size());
    const auto pin = text.substr(at + 1, end - at - 1);
    if (!is_host_pin(pin)) return server_error(text, "expected SHA256: and 43 characters", at + 1);
    if (server.pins.size() == kServerPinsMax)
      return server_error(text, "expected no more pins", at);
    server.pins.emplace_back(pin);
    at = end;
  }
  if (server.pins.empty()) {
    return fail(1802, text, "expected # and the pin of the server's host key", text.size(),
                "on the server: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
  }
  return server;
}

}  // namespace riftbus
