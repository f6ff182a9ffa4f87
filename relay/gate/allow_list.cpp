#include "relay/gate/allow_list.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "config/address.h"
#include "config/printable.h"

namespace riftbus::relay {

namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kKeyType = "ssh-ed25519";
// The blob of an ed25519 key is 51 bytes: the type's name, then 32 bytes, each with its length.
constexpr std::size_t kKeyDigits = 68;
constexpr std::string_view kKeyBegin = "AAAAC3NzaC1lZDI1NTE5AAAAI";
constexpr std::array<std::string_view, 4> kPermittedHosts{"localhost", "127.0.0.1", "::1", "*"};
// What sshd could allow and a relay never does.
constexpr std::array<std::string_view, 5> kEmptyWords{
    "no-pty", "no-agent-forwarding", "no-X11-forwarding", "no-user-rc", "no-touch-required"};

bool is_key(std::string_view text) {
  const auto is_digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  };
  return text.size() == kKeyDigits && text.starts_with(kKeyBegin) &&
         std::all_of(text.begin(), text.end(), is_digit);
}

// "*" is 0.
std::optional<std::uint16_t> parse_permitted_port(std::string_view text) {
  if (text == "*") return std::uint16_t{0};
  unsigned value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (value < 1 || value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

struct HostPort {
  std::string host;  // without brackets; empty: none was written
  std::uint16_t port = 0;
};

std::optional<HostPort> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto port =
      parse_permitted_port(colon == std::string_view::npos ? text : text.substr(colon + 1));
  if (!port) return std::nullopt;
  auto host = colon == std::string_view::npos ? std::string_view{} : text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return HostPort{std::string(host), *port};
}

// YYYYMMDD[HHMM[SS]][Z], in UTC.
std::optional<std::int64_t> parse_time(std::string_view text) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  if (text.size() != 8 && text.size() != 12 && text.size() != 14) return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t size) {
    int value = 0;
    if (at >= text.size()) return value;
    const auto part = text.substr(at, size);
    const auto [end, failure] = std::from_chars(part.data(), part.data() + part.size(), value);
    return failure == std::errc{} && end == part.data() + part.size() ? value : -1;
  };
  const std::chrono::year_month_day day{std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(4, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(6, 2)))};
  const int hour = number(8, 2);
  const int minute = number(10, 2);
  const int second = number(12, 2);
  const bool is_time =
      hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60;
  if (number(0, 4) < 1970 || !day.ok() || !is_time) return std::nullopt;
  const auto days = std::chrono::sys_days(day).time_since_epoch().count();
  return ((static_cast<std::int64_t>(days) * 24 + hour) * 60 + minute) * 60 + second;
}

class LineParser {
 public:
  explicit LineParser(std::string_view line) : rest_(line) {}

  // Empty: no mistake, and key() is it.
  std::string parse() {
    skip_blanks();
    if (!rest_.starts_with(kKeyType) && !take_options()) return problem_;
    if (take_word() != kKeyType) return "expected ssh-ed25519";
    skip_blanks();
    key_.key = take_word();
    if (!is_key(key_.key)) return "expected an ed25519 key in base64";
    skip_blanks();
    const auto name = take_word();
    if (name.empty()) return "expected the node's id after the key";
    const auto node = NodeId::parse(name);
    if (!node) return "not a node's id: \"" + make_printable(name.substr(0, 80)) + "\"";
    key_.node = *node;
    return "";
  }
  AllowedKey& key() { return key_; }

 private:
  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
  }
  std::string_view take_word() {
    const auto word = rest_.substr(0, rest_.find_first_of(kBlanks));
    rest_.remove_prefix(word.size());
    return word;
  }
  bool refuse(std::string what) {
    problem_ = std::move(what);
    return false;
  }

  bool take_options() {
    while (true) {
      const auto name = rest_.substr(0, rest_.find_first_of("=, \t"));
      rest_.remove_prefix(name.size());
      std::string value;
      if (rest_.starts_with('=') && !take_value(value)) return false;
      if (!apply(name, value)) return false;
      if (!rest_.starts_with(',')) break;
      rest_.remove_prefix(1);
    }
    skip_blanks();
    return true;
  }
  bool take_value(std::string& value) {
    rest_.remove_prefix(1);
    const auto end = rest_.starts_with('"') ? rest_.find('"', 1) : std::string_view::npos;
    if (end == std::string_view::npos) return refuse("expected \"...\" after =");
    value = std::string(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return true;
  }

  bool apply(std::string_view name, const std::string& value) {
    if (name == "restrict") {
      key_.may_forward = false;
    } else if (name == "port-forwarding") {
      key_.may_forward = true;
    } else if (name == "permitlisten") {
      return permit_listen(value);
    } else if (name == "permitopen") {
      return permit_open(value);
    } else if (name == "expiry-time") {
      key_.expires_at_s = parse_time(value);
      if (!key_.expires_at_s) return refuse("expected expiry-time=\"YYYYMMDD[HHMM[SS]]\"");
    } else if (std::ranges::find(kEmptyWords, name) == kEmptyWords.end()) {
      return refuse("a relay knows no option \"" + make_printable(name.substr(0, 40)) + "\"");
    }
    return true;
  }
  bool permit_listen(const std::string& value) {
    const auto end = parse_host_port(value);
    const bool is_here =
        end && (end->host.empty() ||
                std::ranges::find(kPermittedHosts, end->host) != kPermittedHosts.end());
    if (!is_here) {
      return refuse(
          "expected permitlisten=\"[127.0.0.1:]PORT\": a relay's listeners have no other "
          "address");
    }
    if (key_.listen.size() >= kPermitsMax) return refuse("too many permitlisten");
    key_.listen.push_back(end->port);
    return true;
  }
  bool permit_open(const std::string& value) {
    if (value == "none") return true;
    const auto end = parse_host_port(value);
    const bool is_address = end && (end->host == "localhost" || is_ip_literal(end->host));
    if (!is_address) return refuse("expected permitopen=\"ADDRESS:PORT\", not a name");
    if (key_.open.size() >= kPermitsMax) return refuse("too many permitopen");
    key_.open.push_back({end->host, end->port, ""});
    return true;
  }

  std::string_view rest_;
  AllowedKey key_;
  std::string problem_;
};

}  // namespace

bool AllowedKey::may_listen(std::uint16_t port) const {
  if (!may_forward) return false;
  const auto fits = [&](std::uint16_t each) { return each == 0 || each == port; };
  return listen.empty() || std::ranges::any_of(listen, fits);
}

bool AllowedKey::may_open(const std::string& host, std::uint16_t port) const {
  const auto fits = [&](const ForwardEnd& each) {
    return each.host == host && (each.port == 0 || each.port == port);
  };
  return may_forward && std::ranges::any_of(open, fits);
}

Status AllowList::add(AllowedKey key) {
  if (keys_.size() >= kKeysMax) {
    return Error{1832, "more than " + std::to_string(kKeysMax) + " keys", "", "remove old ones"};
  }
  const auto found = keys_.find(key.key);
  if (found != keys_.end()) {
    return Error{1832, "the key of line " + std::to_string(found->second.line) + " again", "",
                 "a key belongs to one node and stands in one line"};
  }
  auto text = key.key;
  keys_.emplace(std::move(text), std::move(key));
  return Ok{};
}

const AllowedKey* AllowList::find(std::string_view key) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? nullptr : &found->second;
}

ParsedAllowList parse_allow_list(std::string_view text, const std::string& file) {
  ParsedAllowList parsed;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto first = line.find_first_not_of(kBlanks);
    if (first == std::string_view::npos || line[first] == '#') continue;
    const auto where = file + ":" + std::to_string(number);
    LineParser parser(line);
    const auto problem = line.size() > kLineBytesMax ? "the line is too long" : parser.parse();
    if (!problem.empty()) {
      parsed.problems.push_back(
          {1832, problem, where, "write what riftbus-tunnel --show-key prints on the node"});
      continue;
    }
    parser.key().line = number;
    auto added = parsed.list.add(std::move(parser.key()));
    if (added) continue;
    auto error = added.error();
    error.where = where;
    parsed.problems.push_back(std::move(error));
  }
  return parsed;
}

}  // namespace riftbus::relay
