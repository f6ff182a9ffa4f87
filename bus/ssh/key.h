// Key: an ed25519 key pair for SSH, of a node or of a relay's host.
//
// It is made where it is used, kept in a file that only its owner reads, and never leaves the
// machine. Its public half is shown in the two forms that others need: a line for their list of
// keys, and the pin by which clients know a server.
//
// Contract: one thread; a key outlives what borrows it.
#pragma once

#include <string>

#include "config/result.h"

struct ssh_key_struct;

namespace riftbus::ssh {

class Key {
 public:
  // 1804. The file is read, or made (0600, with its folder) if it is missing.
  [[nodiscard]] static Result<Key> load_or_create(const std::string& path);
  ~Key();
  Key(Key&& other) noexcept;
  Key& operator=(Key&&) = delete;

  // "ssh-ed25519 AAAA...": the line for authorized_keys, without a comment.
  [[nodiscard]] std::string public_line() const;
  // "SHA256:...", as ssh-keygen -l prints it.
  [[nodiscard]] std::string pin() const;
  [[nodiscard]] ssh_key_struct* handle() const { return key_; }

 private:
  explicit Key(ssh_key_struct* key) : key_(key) {}
  ssh_key_struct* key_;
};

// Of any key that libssh holds; "none" if it has no hash.
[[nodiscard]] std::string pin_of(ssh_key_struct* key);

}  // namespace riftbus::ssh
