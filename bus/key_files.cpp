#include "bus/key_files.h"

#include <sodium.h>

#include <algorithm>
#include <vector>

#include "bus/durable_file.h"

namespace riftbus {

namespace {

constexpr std::size_t kKeyFileBytesMax = 4096;

// A string that held a secret: wiped when it goes.
class SecretText {
 public:
  explicit SecretText(std::string text) : text_(std::move(text)) {}
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  ~SecretText() { sodium_memzero(text_.data(), text_.size()); }
  [[nodiscard]] std::string_view view() const { return text_; }

 private:
  std::string text_;
};

// The fields of the one line that is not a comment; in the file kinds of the header.
struct KeyLine {
  std::string_view kind;
  std::vector<std::pair<std::string_view, std::string_view>> fields;

  [[nodiscard]] std::string_view get(std::string_view name) const {
    for (const auto& [known, value] : fields) {
      if (known == name) return value;
    }
    return {};
  }
};

std::string_view take_until(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return head;
}

KeyLine parse_key_line(std::string_view text) {
  KeyLine line;
  while (!text.empty()) {
    std::string_view rest = take_until(text, '\n');
    if (rest.empty() || rest.front() == '#') continue;
    line.kind = take_until(rest, ' ');
    if (take_until(rest, ' ') != "1") return {};
    while (!rest.empty()) {
      std::string_view field = take_until(rest, ' ');
      const std::string_view name = take_until(field, '=');
      line.fields.emplace_back(name, field);
    }
    return line;
  }
  return line;
}

Error malformed(const std::string& path, std::string what) {
  return Error{1113, std::move(what), path, "restore it from a backup, or make a new key"};
}

Error name_key_file(Error error, const std::string& path) {
  error.where = path;
  return error;
}

Status create_pair(const std::string& directory, const char* secret_name, std::string_view secret,
                   const char* public_name, std::string_view shown) {
  if (auto status = make_private_directory(directory); !status.ok()) return status;
  auto status = create_file(directory + "/" + secret_name, secret, FilePrivacy::secret);
  if (!status.ok()) return status;
  // A .pub left over from a lost secret would send somebody else's key to the operator: replace.
  return replace_file(directory + "/" + public_name, shown, FilePrivacy::shared);
}

}  // namespace

Result<PublicIdentity> create_node_key(const std::string& directory, const NodeId& id) {
  const KeyPair keys = KeyPair::generate();
  const std::string fields = " 1 id=" + id.value() + " public=" + keys.public_key.z85();
  const SecretText secret_z85(CurveKey{keys.secret.bytes()}.z85());
  std::string text =
      "# Riftbus: the secret key of " + id.value() + ". It never leaves this machine.";
  text.reserve(kKeyFileBytesMax);  // no reallocation leaves a copy of the secret behind
  text += "\nriftbus-key" + fields + " secret=";
  text += secret_z85.view();
  text += "\n";
  const SecretText secret(std::move(text));
  const std::string shown = "# Riftbus: the public key of " + id.value() +
                            ", for `riftbus key approve`.\nriftbus-public" + fields + "\n";
  auto status = create_pair(directory, kNodeKeyFile, secret.view(), kNodePublicFile, shown);
  if (!status.ok()) return status.error();
  return PublicIdentity{id, keys.public_key};
}

Result<NodeIdentity> load_node_key(const std::string& directory) {
  const std::string path = directory + "/" + kNodeKeyFile;
  auto bytes = read_small_file(path, kKeyFileBytesMax, FilePrivacy::secret);
  if (!bytes.ok()) return bytes.error();
  const SecretText text(std::move(*bytes));
  const KeyLine line = parse_key_line(text.view());
  const auto id = NodeId::parse(line.get("id"));
  const auto shown = CurveKey::from_z85(line.get("public"));
  auto secret = CurveKey::from_z85(line.get("secret"));
  if (line.kind != "riftbus-key" || !id.ok() || !shown.ok() || !secret.ok()) {
    return malformed(path, "this is not a whole node key file");
  }
  KeyPair keys = KeyPair::from_secret(CurveSecret(secret->bytes));
  sodium_memzero(secret->bytes.data(), secret->bytes.size());
  if (keys.public_key != *shown) return malformed(path, "the key's two halves do not match");
  return NodeIdentity{*id, std::move(keys)};
}

Result<PublicIdentity> load_public_identity(const std::string& path) {
  const auto text = read_small_file(path, kKeyFileBytesMax, FilePrivacy::shared);
  if (!text.ok()) return text.error();
  const KeyLine line = parse_key_line(*text);
  const auto id = NodeId::parse(line.get("id"));
  const auto key = CurveKey::from_z85(line.get("public"));
  if (line.kind != "riftbus-public") return malformed(path, "this is not a node.pub file");
  if (!id.ok()) return name_key_file(id.error(), path);
  if (!key.ok()) return name_key_file(key.error(), path);
  return PublicIdentity{*id, *key};
}

Result<PublicAuthority> create_authority(const std::string& directory, const std::string& cluster) {
  if (!NodeId::is_valid(cluster)) {
    return Error{1126, "not a cluster name: \"" + cluster.substr(0, 64) + "\"", directory,
                 "use 1 to 64 characters of A-Z a-z 0-9 . _ - and begin with a letter or digit"};
  }
  const AuthoritySecret secret = AuthoritySecret::generate();
  const AuthorityKey key = secret.public_key();
  const std::string fields = " 1 cluster=" + cluster + " public=" + key.hex();
  std::array<char, 129> hex{};
  sodium_bin2hex(hex.data(), hex.size(), secret.bytes().data(), secret.bytes().size());
  std::string text = "# Riftbus: who has this file decides who may speak on the bus of " + cluster;
  text.reserve(kKeyFileBytesMax);
  text += ".\nriftbus-authority-key" + fields + " secret=";
  text += hex.data();
  text += "\n";
  sodium_memzero(hex.data(), hex.size());
  const SecretText secret_text(std::move(text));
  const std::string shown = "# Riftbus: every node of " + cluster +
                            " needs this file.\nriftbus-authority" + fields + "\n";
  auto status =
      create_pair(directory, kAuthorityKeyFile, secret_text.view(), kAuthorityPublicFile, shown);
  if (!status.ok()) return status.error();
  return PublicAuthority{cluster, key};
}

Result<Authority> load_authority(const std::string& directory) {
  const std::string path = directory + "/" + kAuthorityKeyFile;
  auto content = read_small_file(path, kKeyFileBytesMax, FilePrivacy::secret);
  if (!content.ok()) return content.error();
  const SecretText text(std::move(*content));
  const KeyLine line = parse_key_line(text.view());
  const auto shown = AuthorityKey::from_hex(line.get("public"));
  const std::string_view hex = line.get("secret");
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> bytes{};
  std::size_t written = 0;
  const bool read = sodium_hex2bin(bytes.data(), bytes.size(), hex.data(), hex.size(), nullptr,
                                   &written, nullptr) == 0;
  if (line.kind != "riftbus-authority-key" || !NodeId::is_valid(line.get("cluster")) ||
      !shown.ok() || !read || written != bytes.size()) {
    return malformed(path, "this is not a whole authority key file");
  }
  // The second half of an Ed25519 secret is its public key: derive it anew rather than trust it,
  // since signing with a wrong one gives the secret away.
  std::array<std::uint8_t, crypto_sign_PUBLICKEYBYTES> derived{};
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> again{};
  crypto_sign_seed_keypair(derived.data(), again.data(), bytes.data());
  const bool matches = derived == shown->bytes && again == bytes;
  AuthoritySecret secret(bytes);
  sodium_memzero(bytes.data(), bytes.size());
  sodium_memzero(again.data(), again.size());
  if (!matches) return malformed(path, "the key's two halves do not match");
  return Authority{std::string(line.get("cluster")), std::move(secret)};
}

Result<PublicAuthority> load_public_authority(const std::string& path) {
  const auto text = read_small_file(path, kKeyFileBytesMax, FilePrivacy::shared);
  if (!text.ok()) return text.error();
  const KeyLine line = parse_key_line(*text);
  const auto key = AuthorityKey::from_hex(line.get("public"));
  if (line.kind != "riftbus-authority" || !NodeId::is_valid(line.get("cluster"))) {
    return malformed(path, "this is not an authority.pub file");
  }
  if (!key.ok()) return name_key_file(key.error(), path);
  return PublicAuthority{std::string(line.get("cluster")), *key};
}

}  // namespace riftbus
