#include "config/roster_text.h"

#include <sodium.h>

#include <algorithm>

namespace riftbus {

namespace {

constexpr std::string_view kSignatureWord = "signature ";

bool is_unreserved(unsigned char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_';
}

void append_list(std::string& text, std::string_view word, const std::vector<NodeId>& ids) {
  if (ids.empty()) return;
  text += word;
  for (const auto& id : ids) text += " " + id.value();
  text += "\n";
}

std::string format_roles(const std::set<Role>& roles) {
  std::string text;
  for (const Role role : roles) {
    if (!text.empty()) text += ",";
    text += to_string(role);
  }
  return text;
}

std::string format_entry(const RosterEntry& entry) {
  std::string line = "node " + entry.id.value() + " key=" + entry.key.z85();
  if (entry.previous_key) line += " previous=" + entry.previous_key->z85();
  line += " roles=" + format_roles(entry.roles);
  if (entry.expires_at_s) line += " expires=" + std::to_string(*entry.expires_at_s);
  if (!entry.note.empty()) line += " note=" + percent_encode(entry.note);
  return line + "\n";
}

std::string format_revoked(const NodeId& id, RosterVersion version,
                           const std::vector<CurveKey>& keys) {
  std::string line = "revoked " + id.value() + " version=" + std::to_string(version.value());
  for (std::size_t i = 0; i < keys.size(); ++i) line += (i == 0 ? " keys=" : ",") + keys[i].z85();
  return line + "\n";
}

// Bytes that follow the first byte of a UTF-8 sequence; 4 for a byte that cannot begin one.
std::size_t count_utf8_followers(unsigned char first) {
  if (first < 0x80) return 0;
  if (first >= 0xc2 && first <= 0xdf) return 1;
  if (first >= 0xe0 && first <= 0xef) return 2;
  if (first >= 0xf0 && first <= 0xf4) return 3;
  return 4;
}

// Overlong forms, surrogates, values above U+10FFFF, and controls (C0, DEL, C1).
bool is_forbidden_code(std::uint32_t code, std::size_t followers) {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  if (followers == 2) return code < 0x800 || (code >= 0xd800 && code <= 0xdfff);
  return followers == 3 && (code < 0x10000 || code > 0x10ffff);
}

}  // namespace

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(byte)) {
      encoded += c;
    } else {
      encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return encoded;
}

bool is_plain_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t followers = count_utf8_followers(first);
    if (followers == 4 || text.size() - i <= followers) return false;
    std::uint32_t code = followers == 0 ? first : first & (0x3fU >> followers);
    for (std::size_t j = 1; j <= followers; ++j) {
      const auto next = static_cast<unsigned char>(text[i + j]);
      if ((next & 0xc0U) != 0x80U) return false;
      code = code << 6 | (next & 0x3fU);
    }
    if (is_forbidden_code(code, followers)) return false;
    i += followers + 1;
  }
  return true;
}

std::string format_roster_body(const Roster& roster) {
  std::string text = "riftbus-roster 1\ncluster " + roster.cluster + "\nversion " +
                     std::to_string(roster.version.value()) + "\n";
  for (const auto& [id, entry] : roster.entries) text += format_entry(entry);
  std::map<NodeId, std::vector<CurveKey>> dead_keys;
  for (const auto& [key, owner] : roster.revoked_keys) dead_keys[owner].push_back(key);
  for (const auto& [id, version] : roster.revoked) {
    text += format_revoked(id, version, dead_keys[id]);
  }
  append_list(text, "voters", roster.voters);
  append_list(text, "relays", roster.relays);
  return text;
}

std::string format_signature_line(const RosterSignature& signature) {
  std::array<char, 2 * std::tuple_size_v<RosterSignature> + 1> hex{};
  sodium_bin2hex(hex.data(), hex.size(), signature.data(), signature.size());
  return std::string(kSignatureWord) + hex.data() + "\n";
}

Result<RosterDocument> split_roster_document(std::string_view bytes) {
  if (bytes.size() > kRosterBytesMax) {
    return Error{1100,
                 "the roster has " + std::to_string(bytes.size()) + " bytes, the limit is " +
                     std::to_string(kRosterBytesMax),
                 "roster", "drop revoked ids and notes that nobody needs any more"};
  }
  const Error unsigned_document{1101, "the roster does not end with a signature line", "roster",
                                "fetch the file again: it may be cut short"};
  if (bytes.size() < 2 || bytes.back() != '\n') return unsigned_document;
  const auto break_at = bytes.rfind('\n', bytes.size() - 2);
  if (break_at == std::string_view::npos) return unsigned_document;
  RosterDocument document{bytes.substr(0, break_at + 1), {}};
  const std::string_view line = bytes.substr(break_at + 1);
  std::string_view hex = line.substr(0, line.size() - 1);
  if (!hex.starts_with(kSignatureWord)) return unsigned_document;
  hex.remove_prefix(kSignatureWord.size());
  std::size_t written = 0;
  const bool read = sodium_hex2bin(document.signature.data(), document.signature.size(), hex.data(),
                                   hex.size(), nullptr, &written, nullptr) == 0;
  const bool canonical = read && written == document.signature.size() &&
                         format_signature_line(document.signature) == line;
  if (!canonical) return unsigned_document;
  return document;
}

}  // namespace riftbus
