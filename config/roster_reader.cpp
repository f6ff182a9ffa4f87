#include <algorithm>
#include <charconv>
#include <utility>

#include "config/roster_text.h"

namespace riftbus {

namespace {

using Words = std::vector<std::string_view>;
using Attributes = std::map<std::string_view, std::string_view>;

Words split_words(std::string_view line, char separator) {
  Words words;
  for (;;) {
    const auto end = line.find(separator);
    words.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return words;
    line.remove_prefix(end + 1);
  }
}

// Decimal without sign or leading zero, or nothing.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return value;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    unsigned value = 0;
    const char* const digits = text.data() + i + 1;
    if (std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2) return std::nullopt;
    decoded += static_cast<char>(value);
    i += 2;
  }
  // One text form each: what the writer would not produce is refused.
  if (percent_encode(decoded) != text) return std::nullopt;
  return decoded;
}

bool is_extension(std::string_view word) { return word.starts_with("x-"); }

// Reads one body, line by line; keeps what later lines are checked against.
class Reader {
 public:
  Result<Roster> read(std::string_view body);

 private:
  // The lines after the three of the head, in their order.
  enum class Section { head, node, revoked, voters, relays };

  Status read_line(const Words& words);
  Status read_head(std::string_view line);
  Status read_node(const Words& words);
  Status read_keys_of(RosterEntry& entry, const Attributes& attributes);
  Status read_roles_of(RosterEntry& entry, std::string_view list);
  Status read_rest_of(RosterEntry& entry, const Attributes& attributes);
  Status read_revoked(const Words& words);
  Status read_revoked_keys(const NodeId& id, std::string_view list);
  Status read_list(const Words& words, Role role, std::vector<NodeId>& list);
  Status enter(Section section);
  Status claim_key(const CurveKey& key, const NodeId& owner);
  Result<NodeId> read_id(std::string_view text, const NodeId& after);
  Result<Attributes> read_attributes(const Words& words, std::span<const std::string_view> order);
  [[nodiscard]] Error fail(std::string what, std::uint16_t code = 1101) const;

  Roster roster_;
  std::map<CurveKey, NodeId> key_owners_;
  NodeId last_id_;
  Section section_ = Section::head;
  std::size_t line_number_ = 0;
};

Error Reader::fail(std::string what, std::uint16_t code) const {
  return Error{code, std::move(what), "roster:" + std::to_string(line_number_),
               "a roster is written by `riftbus key` and `riftbus roster`, not by hand"};
}

Result<Roster> Reader::read(std::string_view body) {
  while (!body.empty()) {
    ++line_number_;
    const auto end = body.find('\n');
    if (end == std::string_view::npos) return fail("the last line does not end");
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(end + 1);
    if (auto status = line_number_ <= 3 ? read_head(line) : read_line(split_words(line, ' '));
        !status.ok()) {
      return status.error();
    }
  }
  if (line_number_ < 3) return fail("the head (format, cluster, version) is incomplete");
  return std::move(roster_);
}

Status Reader::read_head(std::string_view line) {
  const Words words = split_words(line, ' ');
  if (words.size() != 2) return fail("expected one word and one value");
  if (line_number_ == 1) {
    if (words[0] != "riftbus-roster") return fail("this is not a roster");
    if (words[1] != "1") return fail("the roster has a format this release does not know");
  } else if (line_number_ == 2) {
    if (words[0] != "cluster" || !NodeId::is_valid(words[1])) {
      return fail("expected \"cluster NAME\", NAME as strict as a node id");
    }
    roster_.cluster = words[1];
  } else {
    const auto version = parse_number(words[1]);
    if (words[0] != "version" || !version || *version == 0) {
      return fail("expected \"version NUMBER\", counted from 1");
    }
    roster_.version = RosterVersion(*version);
  }
  return Ok{};
}

Status Reader::read_line(const Words& words) {
  if (std::ranges::any_of(words, [](std::string_view word) { return word.empty(); })) {
    return fail("words are separated by one space, and no line is empty");
  }
  if (is_extension(words[0])) return Ok{};
  if (words[0] == "node") return read_node(words);
  if (words[0] == "revoked") return read_revoked(words);
  if (words[0] == "voters") {
    const auto status = enter(Section::voters);
    return status.ok() ? read_list(words, Role::voter, roster_.voters) : status;
  }
  if (words[0] == "relays") {
    const auto status = enter(Section::relays);
    return status.ok() ? read_list(words, Role::relay, roster_.relays) : status;
  }
  return fail("lines begin with node, revoked, voters, relays or x-...");
}

// node and revoked lines repeat, each in ascending order of ids; the two lists come once.
Status Reader::enter(Section section) {
  const bool repeats = section == Section::node || section == Section::revoked;
  if (section < section_ || (section == section_ && !repeats)) {
    return fail("lines come in the order node, revoked, voters, relays");
  }
  if (section != section_) last_id_ = NodeId();
  section_ = section;
  return Ok{};
}

Result<NodeId> Reader::read_id(std::string_view text, const NodeId& after) {
  auto id = NodeId::parse(text);
  if (!id.ok()) return fail(id.error().what);
  if (*id == after) return fail("the id \"" + after.value() + "\" is listed twice", 1104);
  if (*id < after) return fail("ids are listed in bytewise order");
  return id;
}

Result<Attributes> Reader::read_attributes(const Words& words,
                                           std::span<const std::string_view> order) {
  Attributes attributes;
  std::size_t next = 0;  // attributes from order[next] on may still come
  for (std::size_t i = 2; i < words.size(); ++i) {
    const auto equals = words[i].find('=');
    if (equals == std::string_view::npos) return fail("expected name=value");
    const std::string_view name = words[i].substr(0, equals);
    if (is_extension(name)) {
      next = order.size();
      continue;
    }
    while (next < order.size() && order[next] != name) ++next;
    if (next == order.size()) return fail("an attribute is unknown, repeated or out of order");
    attributes[name] = words[i].substr(equals + 1);
    ++next;
  }
  return attributes;
}

Status Reader::read_node(const Words& words) {
  if (auto status = enter(Section::node); !status.ok()) return status;
  if (roster_.entries.size() == kRosterEntriesMax) return fail("there are too many nodes");
  if (words.size() < 2) return fail("expected \"node ID key=... roles=...\"");
  const auto id = read_id(words[1], last_id_);
  if (!id.ok()) return id.error();
  constexpr std::array<std::string_view, 5> kOrder{"key", "previous", "roles", "expires", "note"};
  const auto attributes = read_attributes(words, kOrder);
  if (!attributes.ok()) return attributes.error();
  RosterEntry entry;
  entry.id = *id;
  if (auto status = read_keys_of(entry, *attributes); !status.ok()) return status;
  if (auto status = read_rest_of(entry, *attributes); !status.ok()) return status;
  last_id_ = *id;
  roster_.entries.emplace(*id, std::move(entry));
  return Ok{};
}

Status Reader::read_keys_of(RosterEntry& entry, const Attributes& attributes) {
  const auto text = attributes.find("key");
  if (text == attributes.end()) return fail("the node has no key");
  const auto key = CurveKey::from_z85(text->second);
  if (!key.ok()) return fail(key.error().what, 1107);
  entry.key = *key;
  if (auto status = claim_key(*key, entry.id); !status.ok()) return status;
  const auto previous_text = attributes.find("previous");
  if (previous_text == attributes.end()) return Ok{};
  const auto previous = CurveKey::from_z85(previous_text->second);
  if (!previous.ok()) return fail(previous.error().what, 1107);
  entry.previous_key = *previous;
  return claim_key(*previous, entry.id);
}

Status Reader::read_rest_of(RosterEntry& entry, const Attributes& attributes) {
  const auto roles = attributes.find("roles");
  if (roles == attributes.end()) return fail("the node has no roles");
  if (auto status = read_roles_of(entry, roles->second); !status.ok()) return status;
  if (const auto text = attributes.find("expires"); text != attributes.end()) {
    const auto expires_s = parse_number(text->second);
    if (!expires_s || *expires_s > static_cast<std::uint64_t>(kRosterExpiryMax_s)) {
      return fail("expires is a number of seconds since 1970");
    }
    entry.expires_at_s = static_cast<std::int64_t>(*expires_s);
  }
  if (const auto text = attributes.find("note"); text != attributes.end()) {
    auto note = percent_decode(text->second);
    if (!note || note->empty() || note->size() > kRosterNoteBytesMax || !is_plain_text(*note)) {
      return fail("the note is not 1 to 120 bytes of percent-encoded plain text");
    }
    entry.note = std::move(*note);
  }
  return Ok{};
}

Status Reader::read_roles_of(RosterEntry& entry, std::string_view list) {
  for (const auto name : split_words(list, ',')) {
    const auto role = parse_role(name);
    if (!role.ok()) return fail(role.error().what, 1106);
    if (!entry.roles.empty() && *entry.roles.rbegin() >= *role) {
      return fail("roles come once each, in the order node,voter,relay,tap,admin");
    }
    entry.roles.insert(*role);
  }
  return Ok{};
}

Status Reader::read_revoked(const Words& words) {
  if (auto status = enter(Section::revoked); !status.ok()) return status;
  if (roster_.revoked.size() == kRosterRevokedMax) return fail("there are too many revoked ids");
  if (words.size() < 3) return fail("expected \"revoked ID version=...\"");
  const auto id = read_id(words[1], last_id_);
  if (!id.ok()) return id.error();
  constexpr std::array<std::string_view, 2> kOrder{"version", "keys"};
  const auto read = read_attributes(words, kOrder);
  if (!read.ok()) return read.error();
  const Attributes& attributes = *read;
  const auto version_text = attributes.find("version");
  const auto version =
      version_text == attributes.end() ? std::nullopt : parse_number(version_text->second);
  if (!version || *version == 0 || *version > roster_.version.value()) {
    return fail("the version of a revocation is a number from 1 to the roster's own");
  }
  last_id_ = *id;
  roster_.revoked.emplace(*id, RosterVersion(*version));
  const auto keys = attributes.find("keys");
  return keys == attributes.end() ? Status(Ok{}) : read_revoked_keys(*id, keys->second);
}

Status Reader::read_revoked_keys(const NodeId& id, std::string_view list) {
  CurveKey last;
  for (const auto text : split_words(list, ',')) {
    const auto key = CurveKey::from_z85(text);
    if (!key.ok()) return fail(key.error().what, 1107);
    if (*key < last) return fail("revoked keys are listed in the order of their bytes");
    if (roster_.revoked_keys.size() == kRosterRevokedMax) return fail("too many revoked keys");
    if (auto status = claim_key(*key, id); !status.ok()) return status;
    last = *key;
    roster_.revoked_keys.emplace(*key, id);
  }
  return Ok{};
}

Status Reader::read_list(const Words& words, Role role, std::vector<NodeId>& list) {
  if (words.size() < 2) return fail("the list is empty");
  std::set<std::string_view> seen;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto id = NodeId::parse(words[i]);
    if (!id.ok()) return fail(id.error().what);
    if (!seen.insert(words[i]).second) {
      return fail("the id \"" + id.value().value() + "\" is listed twice", 1104);
    }
    const RosterEntry* entry = roster_.find(*id);
    if (entry == nullptr || !entry->has(role)) {
      return fail("\"" + id.value().value() + "\" has no node line with the role " +
                  std::string(to_string(role)));
    }
    list.push_back(*id);
  }
  return Ok{};
}

// One key, one owner, one life: otherwise a User-Id would not say who is speaking, and a revoked
// key could come back under another name.
Status Reader::claim_key(const CurveKey& key, const NodeId& owner) {
  const auto [claimed, first] = key_owners_.emplace(key, owner);
  if (first) return Ok{};
  return fail("the key of \"" + owner.value() + "\" is already listed for \"" +
                  claimed->second.value() + "\"",
              1104);
}

}  // namespace

Result<Roster> parse_roster_body(std::string_view body) { return Reader().read(body); }

}  // namespace riftbus
