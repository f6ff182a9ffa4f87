#include "bus/ssh/key.h"

#include <libssh/libssh.h>
#include <sys/stat.h>

#include <utility>

#include "bus/durable_file.h"

namespace riftbus::ssh {

namespace {

constexpr std::size_t kKeyBytesMax = 4096;

Error key_error(const std::string& path, const std::string& what) {
  return Error{1804, what, path, "restore it, or remove it: a new one is made"};
}

Result<std::string> create_key(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash != std::string::npos && slash > 0) {
    if (auto status = make_private_directory(path.substr(0, slash)); !status) return status.error();
  }
  ssh_key key = nullptr;
  if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) != SSH_OK) {
    return key_error(path, "no key can be made");
  }
  char* text = nullptr;
  const int status = ssh_pki_export_privkey_base64(key, nullptr, nullptr, nullptr, &text);
  ssh_key_free(key);
  if (status != SSH_OK) return key_error(path, "the new key cannot be written as text");
  std::string content = text;
  ssh_string_free_char(text);
  if (auto written = create_file(path, content, FilePrivacy::secret); !written) {
    return written.error();
  }
  return content;
}

}  // namespace

Result<Key> Key::load_or_create(const std::string& path) {
  struct stat found {};
  auto text = lstat(path.c_str(), &found) == 0
                  ? read_small_file(path, kKeyBytesMax, FilePrivacy::secret)
                  : create_key(path);
  if (!text) return text.error();
  ssh_key key = nullptr;
  if (ssh_pki_import_privkey_base64(text->c_str(), nullptr, nullptr, nullptr, &key) != SSH_OK) {
    return key_error(path, "not a private key without a passphrase");
  }
  if (ssh_key_type(key) != SSH_KEYTYPE_ED25519) {
    ssh_key_free(key);
    return key_error(path, "not an ed25519 key");
  }
  return Key(key);
}

Key::~Key() {
  if (key_ != nullptr) ssh_key_free(key_);
}

Key::Key(Key&& other) noexcept : key_(std::exchange(other.key_, nullptr)) {}

std::string Key::public_line() const {
  char* text = nullptr;
  if (ssh_pki_export_pubkey_base64(key_, &text) != SSH_OK) return "";
  std::string line = std::string("ssh-ed25519 ") + text;
  ssh_string_free_char(text);
  return line;
}

std::string Key::pin() const { return pin_of(key_); }

std::string pin_of(ssh_key_struct* key) {
  unsigned char* hash = nullptr;
  std::size_t size = 0;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) != SSH_OK) return "none";
  char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
  std::string pin = text == nullptr ? "none" : text;
  ssh_string_free_char(text);
  ssh_clean_pubkey_hash(&hash);
  return pin;
}

}  // namespace riftbus::ssh
