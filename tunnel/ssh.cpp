#include "tunnel/ssh.h"

#include <fcntl.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "bus/durable_file.h"
#include "config/check.h"

namespace riftbus::tunnel {

namespace {

constexpr int kPumpRoundsMax = 64;  // of 4 KiB each: others in the loop get their turn
constexpr std::size_t kKeyBytesMax = 4096;
constexpr std::uint32_t kChannelWriteMax = 1U << 20;
constexpr const char* kChaCha = "chacha20-poly1305@openssh.com";
constexpr const char* kGcm = "aes256-gcm@openssh.com,aes128-gcm@openssh.com";

std::string cipher_list(const std::string& cipher) {
  if (cipher == "chacha20") return kChaCha;
  if (cipher == "aes-gcm") return kGcm;
  return std::string(kChaCha) + "," + kGcm;
}

SshStep step_of(int status) {
  return status == SSH_OK ? SshStep::done : status == SSH_AGAIN ? SshStep::again : SshStep::failed;
}

bool is_same_socket(int a, int b) {
  struct stat of_a {};
  struct stat of_b {};
  return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino;
}

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

Result<SshKey> SshKey::load_or_create(const std::string& path) {
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
  return SshKey(key);
}

SshKey::~SshKey() {
  if (key_ != nullptr) ssh_key_free(key_);
}

SshKey::SshKey(SshKey&& other) noexcept : key_(std::exchange(other.key_, nullptr)) {}

std::string SshKey::public_line() const {
  char* text = nullptr;
  if (ssh_pki_export_pubkey_base64(key_, &text) != SSH_OK) return "";
  std::string line = std::string("ssh-ed25519 ") + text;
  ssh_string_free_char(text);
  return line;
}

struct SshSession::State {
  ssh_session session = nullptr;
  ssh_event event = nullptr;  // from authentication on
  ssh_counter_struct socket_counter{};
  ssh_counter_struct raw_counter{};
  SshOwner* owner = nullptr;
  SshSession* self = nullptr;
  int descriptor = -1;  // libssh's own
  bool is_probing = false;
  std::uint64_t bytes_at_probe = 0;
  std::string problem;

  static int on_message(ssh_session, ssh_message message, void* user) {
    return static_cast<State*>(user)->receive(message);
  }
  // 0: answered; 1: libssh refuses it for us.
  int receive(ssh_message message) {
    if (ssh_message_type(message) != SSH_REQUEST_CHANNEL_OPEN ||
        ssh_message_subtype(message) != SSH_CHANNEL_FORWARDED_TCPIP) {
      return 1;
    }
    const int asked = ssh_message_channel_request_open_destination_port(message);
    const auto port = static_cast<std::uint16_t>(asked);
    if (asked < 1 || asked > 65535 || !owner->admit_connection(port)) return 1;
    // Accepted before its target is reached: libssh forgets the request when this returns.
    ssh_channel channel = ssh_message_channel_request_open_reply_accept(message);
    if (channel == nullptr) return 0;
    owner->on_connection(port, std::unique_ptr<SshChannel>(new SshChannel(*self, channel)));
    return 0;
  }
};

struct SshChannel::Callbacks {
  ssh_channel_callbacks_struct table{};
};

SshChannel::SshChannel(SshSession& session, ssh_channel_struct* channel)
    : session_(session), channel_(channel), callbacks_(std::make_unique<Callbacks>()) {
  auto& table = callbacks_->table;
  table.userdata = this;
  table.channel_data_function = [](ssh_session, ssh_channel, void* data, std::uint32_t size,
                                   int is_stderr, void* user) {
    auto* reader = static_cast<SshChannel*>(user)->reader_;
    if (is_stderr != 0) return static_cast<int>(size);  // has no meaning for a connection
    if (reader == nullptr) return 0;
    return static_cast<int>(reader->on_data({static_cast<const char*>(data), size}));
  };
  table.channel_eof_function = [](ssh_session, ssh_channel, void* user) {
    if (auto* reader = static_cast<SshChannel*>(user)->reader_) reader->on_end();
  };
  table.channel_close_function = [](ssh_session, ssh_channel, void* user) {
    if (auto* reader = static_cast<SshChannel*>(user)->reader_) reader->on_close();
  };
  ssh_callbacks_init(&table);
  ssh_set_channel_callbacks(channel_, &table);
}

SshChannel::~SshChannel() {
  // libssh would go on calling until the server's own close has arrived.
  ssh_remove_channel_callbacks(channel_, &callbacks_->table);
  if (session_.is_over()) return;  // freed with the session
  ssh_channel_close(channel_);
  ssh_channel_free(channel_);
}

void SshChannel::set_reader(SshReader* reader) { reader_ = reader; }

SshStep SshChannel::open_step() {
  constexpr const char* kOrigin = "127.0.0.1";
  const int status =
      target_.is_unix()
          ? ssh_channel_open_forward_unix(channel_, target_.path.c_str(), kOrigin, 0)
          : ssh_channel_open_forward(channel_, target_.host.c_str(), target_.port, kOrigin, 0);
  return step_of(status);
}

std::size_t SshChannel::window() const { return ssh_channel_window_size(channel_); }

std::optional<std::size_t> SshChannel::write(std::span<const char> data) {
  const auto size =
      static_cast<std::uint32_t>(std::min<std::size_t>(data.size(), kChannelWriteMax));
  const int written = ssh_channel_write(channel_, data.data(), size);
  if (written < 0) return std::nullopt;
  return static_cast<std::size_t>(written);
}

void SshChannel::send_end() { ssh_channel_send_eof(channel_); }

std::size_t SshChannel::take_rest(std::span<char> data) {
  const int taken = ssh_channel_read_nonblocking(channel_, data.data(),
                                                 static_cast<std::uint32_t>(data.size()), 0);
  return taken > 0 ? static_cast<std::size_t>(taken) : 0;
}

SshSession::SshSession(const SshOptions& options, int descriptor, SshOwner& owner)
    : state_(std::make_unique<State>()), descriptor_(descriptor) {
  // libssh closes its descriptor whenever it likes; a number that somebody waits on must not be
  // given to another socket meanwhile.
  state_->descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  state_->owner = &owner;
  state_->self = this;
  ssh_session session = ssh_new();
  RIFTBUS_CHECK(session != nullptr);
  state_->session = session;
  const auto set = [&](ssh_options_e option, const void* value) {
    RIFTBUS_CHECK(ssh_options_set(session, option, value) == SSH_OK);
  };
  const bool reads_config = false;
  const std::string ciphers = cipher_list(options.cipher);
  set(SSH_OPTIONS_PROCESS_CONFIG, &reads_config);
  set(SSH_OPTIONS_HOST, "server");  // never dialled nor looked up: the socket is connected
  set(SSH_OPTIONS_USER, options.user.c_str());
  set(SSH_OPTIONS_FD, &state_->descriptor);
  set(SSH_OPTIONS_KNOWNHOSTS, "/dev/null");
  set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
  set(SSH_OPTIONS_HOSTKEYS, "ssh-ed25519");
  set(SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, "ssh-ed25519");
  set(SSH_OPTIONS_KEY_EXCHANGE, "curve25519-sha256,curve25519-sha256@libssh.org");
  set(SSH_OPTIONS_COMPRESSION, "none");  // "no" would still offer zlib
  set(SSH_OPTIONS_CIPHERS_C_S, ciphers.c_str());
  set(SSH_OPTIONS_CIPHERS_S_C, ciphers.c_str());
  set(SSH_OPTIONS_REKEY_DATA, &options.rekey_bytes);
  ssh_set_counters(session, &state_->socket_counter, &state_->raw_counter);
  ssh_set_blocking(session, 0);
  ssh_set_message_callback(session, &State::on_message, state_.get());
}

SshSession::~SshSession() {
  if (state_->event != nullptr) {
    ssh_event_remove_session(state_->event, state_->session);
    ssh_event_free(state_->event);
  }
  ssh_silent_disconnect(state_->session);
  ssh_free(state_->session);
  // libssh has closed its descriptor after an error and has not after a disconnect of ours.
  if (is_same_socket(state_->descriptor, descriptor_)) close(state_->descriptor);
  close(descriptor_);
}

SshStep SshSession::exchange_keys() { return step_of(ssh_connect(state_->session)); }

std::string SshSession::host_pin() {
  ssh_key key = nullptr;
  if (ssh_get_server_publickey(state_->session, &key) != SSH_OK) return "none";
  unsigned char* hash = nullptr;
  std::size_t size = 0;
  const int status = ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size);
  ssh_key_free(key);
  if (status != SSH_OK) return "none";
  char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
  std::string pin = text == nullptr ? "none" : text;
  ssh_string_free_char(text);
  ssh_clean_pubkey_hash(&hash);
  return pin;
}

SshStep SshSession::authenticate(const SshKey& key) {
  const int status = ssh_userauth_publickey(state_->session, nullptr, key.key_);
  if (status == SSH_AUTH_AGAIN) return SshStep::again;
  if (status != SSH_AUTH_SUCCESS) return SshStep::failed;
  state_->event = ssh_event_new();
  RIFTBUS_CHECK(state_->event != nullptr);
  ssh_event_add_session(state_->event, state_->session);
  return SshStep::done;
}

SshStep SshSession::open_forward(const ForwardEnd& listen, std::uint16_t& port) {
  int bound = 0;
  const char* address = listen.host == "*" ? "" : listen.host.c_str();
  const auto step =
      step_of(ssh_channel_listen_forward(state_->session, address, listen.port, &bound));
  if (step == SshStep::done) {
    port = listen.port != 0 ? listen.port : static_cast<std::uint16_t>(bound);
  }
  return step;
}

std::unique_ptr<SshChannel> SshSession::open_channel(const ForwardEnd& target) {
  ssh_channel channel = ssh_channel_new(state_->session);
  if (channel == nullptr) return nullptr;
  std::unique_ptr<SshChannel> mine(new SshChannel(*this, channel));
  mine->target_ = target;
  return mine;
}

// The first call after an answer only collects it; what the answer says does not matter.
void SshSession::probe() {
  if (state_->is_probing) {
    if (bytes_in() == state_->bytes_at_probe) return;
    ssh_send_keepalive(state_->session);
  }
  ssh_send_keepalive(state_->session);
  state_->is_probing = true;
  state_->bytes_at_probe = bytes_in();
}

bool SshSession::pump() {
  if (state_->event == nullptr) return !is_over();
  for (int round = 0; round < kPumpRoundsMax; ++round) {
    const int status = ssh_event_dopoll(state_->event, 0);
    if (status == SSH_ERROR) {
      const char* why = ssh_get_error(state_->session);
      state_->problem = why == nullptr || *why == '\0' ? "the server closed it" : why;
      return false;
    }
    if (status == SSH_AGAIN) break;
  }
  return !is_over();
}

bool SshSession::wants_write() const {
  return (ssh_get_poll_flags(state_->session) & SSH_WRITE_PENDING) != 0;
}

bool SshSession::is_congested() const {
  return (ssh_get_status(state_->session) & SSH_WRITE_PENDING) != 0;
}

bool SshSession::is_over() const {
  if (!state_->problem.empty()) return true;
  if (state_->event == nullptr) return false;
  return ssh_is_connected(state_->session) == 0 ||
         (ssh_get_status(state_->session) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0;
}

std::string SshSession::problem() const {
  if (!state_->problem.empty()) return state_->problem;
  const char* why = ssh_get_error(state_->session);
  return why == nullptr || *why == '\0' ? "the server closed it" : why;
}

std::string SshSession::cipher() const {
  const char* name = ssh_get_cipher_out(state_->session);
  return name == nullptr ? "" : name;
}

std::uint64_t SshSession::bytes_in() const { return state_->socket_counter.in_bytes; }

void SshSession::say_goodbye() {
  if (state_->event != nullptr && !is_over()) ssh_disconnect(state_->session);
}

}  // namespace riftbus::tunnel
