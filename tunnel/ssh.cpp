#include "tunnel/ssh.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include <string_view>

#include "config/check.h"
#include "config/relay_names.h"

namespace riftbus::tunnel {

using ssh::Step;

SshClient::SshClient(const SshOptions& options, int descriptor, SshOwner& owner)
    : ssh::Session(descriptor), owner_(owner), traffic_(options.traffic), user_(options.user) {
  const auto set = [&](ssh_options_e option, const void* value) {
    RIFTBUS_CHECK(ssh_options_set(handle(), option, value) == SSH_OK);
  };
  const bool reads_config = false;
  const std::string ciphers = ssh::cipher_list(options.cipher);
  set(SSH_OPTIONS_PROCESS_CONFIG, &reads_config);
  set(SSH_OPTIONS_HOST, "server");  // never dialled nor looked up: the socket is connected
  set(SSH_OPTIONS_USER, user_.c_str());
  set(SSH_OPTIONS_FD, &library_descriptor());
  set(SSH_OPTIONS_KNOWNHOSTS, "/dev/null");
  set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
  set(SSH_OPTIONS_HOSTKEYS, "ssh-ed25519");
  set(SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, "ssh-ed25519");
  set(SSH_OPTIONS_KEY_EXCHANGE, "curve25519-sha256,curve25519-sha256@libssh.org");
  set(SSH_OPTIONS_COMPRESSION, "none");  // "no" would still offer zlib
  set(SSH_OPTIONS_CIPHERS_C_S, ciphers.c_str());
  set(SSH_OPTIONS_CIPHERS_S_C, ciphers.c_str());
  set(SSH_OPTIONS_REKEY_DATA, &options.rekey_bytes);
}

// 0: answered; 1: libssh refuses it for us.
int SshClient::receive(ssh_message_struct* message) {
  if (ssh_message_type(message) != SSH_REQUEST_CHANNEL_OPEN ||
      ssh_message_subtype(message) != SSH_CHANNEL_FORWARDED_TCPIP) {
    return 1;
  }
  const int asked = ssh_message_channel_request_open_destination_port(message);
  const auto port = static_cast<std::uint16_t>(asked);
  if (asked < 1 || asked > 65535 || !owner_.admit_connection(port)) return 1;
  // Accepted before its target is reached: libssh forgets the request when this returns.
  ssh_channel channel = ssh_message_channel_request_open_reply_accept(message);
  if (channel != nullptr) owner_.on_connection(port, adopt(channel));
  return 0;
}

Step SshClient::exchange_keys() {
  const auto step = ssh::step_of(ssh_connect(handle()));
  if (step != Step::done) return step;
  const char* banner = ssh_get_serverbanner(handle());
  is_relay_ = banner != nullptr && std::string_view(banner).ends_with(kRelayBanner);
  if (is_relay_) {
    const std::string name = user_ + std::string(suffix_of(traffic_));
    RIFTBUS_CHECK(ssh_options_set(handle(), SSH_OPTIONS_USER, name.c_str()) == SSH_OK);
  }
  return step;
}

std::string SshClient::host_pin() {
  ssh_key key = nullptr;
  if (ssh_get_server_publickey(handle(), &key) != SSH_OK) return "none";
  std::string pin = ssh::pin_of(key);
  ssh_key_free(key);
  return pin;
}

Step SshClient::authenticate(const ssh::Key& key) {
  const int status = ssh_userauth_publickey(handle(), nullptr, key.handle());
  if (status == SSH_AUTH_AGAIN) return Step::again;
  if (status != SSH_AUTH_SUCCESS) return Step::failed;
  start_events();
  return Step::done;
}

Step SshClient::open_forward(const ForwardEnd& listen, std::uint16_t& port) {
  int bound = 0;
  const char* address = listen.host == "*" ? "" : listen.host.c_str();
  const auto step =
      ssh::step_of(ssh_channel_listen_forward(handle(), address, listen.port, &bound));
  if (step == Step::done) {
    port = listen.port != 0 ? listen.port : static_cast<std::uint16_t>(bound);
  }
  return step;
}

std::unique_ptr<ssh::Channel> SshClient::open_channel(const ForwardEnd& target) {
  return make_channel([target](ssh_channel_struct* channel) {
    constexpr const char* kOrigin = "127.0.0.1";
    return ssh::step_of(
        target.is_unix()
            ? ssh_channel_open_forward_unix(channel, target.path.c_str(), kOrigin, 0)
            : ssh_channel_open_forward(channel, target.host.c_str(), target.port, kOrigin, 0));
  });
}

}  // namespace riftbus::tunnel
