#include "relay/ssh_server.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include "config/check.h"
#include "config/relay_names.h"

namespace riftbus::relay {

namespace {

constexpr const char* kKeyTypes = "ssh-ed25519";
constexpr const char* kExchanges = "curve25519-sha256,curve25519-sha256@libssh.org";
constexpr const char* kMacs = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com";

std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

std::string base64_of(ssh_key_struct* key) {
  char* text = nullptr;
  if (ssh_pki_export_pubkey_base64(key, &text) != SSH_OK) return "";
  std::string copy = text;
  ssh_string_free_char(text);
  return copy;
}

}  // namespace

SshServer::SshServer(const ssh::Key& host_key, const SshServerOptions& options)
    : options_(options), bind_(ssh_bind_new()) {
  RIFTBUS_CHECK(bind_ != nullptr);
  const auto set = [&](ssh_bind_options_e option, const void* value) {
    RIFTBUS_CHECK(ssh_bind_options_set(bind_, option, value) == SSH_OK);
  };
  const bool reads_config = false;
  const std::string banner(kRelayBanner);
  const std::string ciphers = ssh::cipher_list(options.cipher);
  set(SSH_BIND_OPTIONS_PROCESS_CONFIG, &reads_config);
  set(SSH_BIND_OPTIONS_BANNER, banner.c_str());
  set(SSH_BIND_OPTIONS_IMPORT_KEY, ssh_key_dup(host_key.handle()));  // it is libssh's then
  set(SSH_BIND_OPTIONS_HOSTKEY_ALGORITHMS, kKeyTypes);
  set(SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES, kKeyTypes);
  set(SSH_BIND_OPTIONS_KEY_EXCHANGE, kExchanges);
  set(SSH_BIND_OPTIONS_CIPHERS_C_S, ciphers.c_str());
  set(SSH_BIND_OPTIONS_CIPHERS_S_C, ciphers.c_str());
  set(SSH_BIND_OPTIONS_HMAC_C_S, kMacs);
  set(SSH_BIND_OPTIONS_HMAC_S_C, kMacs);
}

SshServer::~SshServer() { ssh_bind_free(bind_); }

struct SshPeer::Callbacks {
  ssh_server_callbacks_struct table{};
};

SshPeer::SshPeer(SshServer& server, int descriptor, SshPeerOwner& owner)
    : ssh::Session(descriptor), owner_(owner), callbacks_(std::make_unique<Callbacks>()) {
  // "no" would still offer zlib; neither this nor rekeying can be set for the server as a whole.
  RIFTBUS_CHECK(ssh_options_set(handle(), SSH_OPTIONS_COMPRESSION, "none") == SSH_OK);
  RIFTBUS_CHECK(ssh_options_set(handle(), SSH_OPTIONS_REKEY_DATA, &server.options_.rekey_bytes) ==
                SSH_OK);
  auto& table = callbacks_->table;
  table.userdata = this;
  table.auth_pubkey_function = [](ssh_session, const char* user, ssh_key_struct* key, char state,
                                  void* self) {
    auto& its = static_cast<SshPeer*>(self)->owner_;
    const bool is_asked = state == SSH_PUBLICKEY_STATE_NONE;
    const bool is_proven = state == SSH_PUBLICKEY_STATE_VALID;
    if (!is_asked && !is_proven) {
      its.on_other_method(false);
      return static_cast<int>(SSH_AUTH_DENIED);
    }
    const bool is_accepted = its.accept_key(text_or_empty(user), base64_of(key), is_proven);
    return static_cast<int>(is_accepted ? SSH_AUTH_SUCCESS : SSH_AUTH_DENIED);
  };
  table.auth_none_function = [](ssh_session, const char*, void* self) {
    static_cast<SshPeer*>(self)->owner_.on_other_method(true);
    return static_cast<int>(SSH_AUTH_DENIED);
  };
  ssh_callbacks_init(&table);
  ssh_set_server_callbacks(handle(), &table);
  ssh_set_auth_methods(handle(), SSH_AUTH_METHOD_PUBLICKEY);
  const bool is_wanted =
      ssh_bind_accept_fd(server.bind_, handle(), library_descriptor()) == SSH_OK &&
      ssh_handle_key_exchange(handle()) != SSH_ERROR;
  if (is_wanted) {
    start_events();
  } else {
    give_up();
  }
}

SshPeer::~SshPeer() = default;

std::unique_ptr<ssh::Channel> SshPeer::open_channel(const std::string& host, std::uint16_t port) {
  return make_channel([host, port](ssh_channel_struct* channel) {
    // Who connected to the Unix socket has no address.
    return ssh::step_of(
        ssh_channel_open_reverse_forward(channel, host.c_str(), port, "127.0.0.1", 0));
  });
}

// 0: answered; 1: libssh refuses it for us.
int SshPeer::receive(ssh_message_struct* message) {
  const int type = ssh_message_type(message);
  if (type == SSH_REQUEST_GLOBAL) return receive_global(message);
  if (type == SSH_REQUEST_CHANNEL_OPEN) return receive_open(message);
  if (type == SSH_REQUEST_AUTH) {
    owner_.on_other_method(false);
  } else if (type != SSH_REQUEST_SERVICE) {
    owner_.on_refused("a request in a channel");
  }
  return 1;
}

int SshPeer::receive_global(ssh_message_struct* message) {
  const std::string host = text_or_empty(ssh_message_global_request_address(message));
  const int port = ssh_message_global_request_port(message);
  const int subtype = ssh_message_subtype(message);
  if (subtype == SSH_GLOBAL_REQUEST_TCPIP_FORWARD) {
    const auto number = owner_.listen(host, port);
    if (!number) return 1;
    ssh_message_global_request_reply_success(message, *number);
    return 0;
  }
  if (subtype == SSH_GLOBAL_REQUEST_CANCEL_TCPIP_FORWARD && owner_.cancel(port)) {
    ssh_message_global_request_reply_success(message, 0);
    return 0;
  }
  return 1;
}

int SshPeer::receive_open(ssh_message_struct* message) {
  if (ssh_message_subtype(message) != SSH_CHANNEL_DIRECT_TCPIP) {
    owner_.on_refused(ssh_message_subtype(message) == SSH_CHANNEL_SESSION ? "a session (shell, "
                                                                            "command or sftp)"
                                                                          : "a channel");
    return 1;
  }
  const auto target =
      owner_.admit_open(text_or_empty(ssh_message_channel_request_open_destination(message)),
                        ssh_message_channel_request_open_destination_port(message));
  if (!target) return 1;
  // Accepted before its target is reached: libssh forgets the request when this returns.
  ssh_channel channel = ssh_message_channel_request_open_reply_accept(message);
  if (channel != nullptr) owner_.on_open(*target, adopt(channel));
  return 0;
}

}  // namespace riftbus::relay
