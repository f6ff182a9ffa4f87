#include "bus/ssh/session.h"

#include <fcntl.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "bus/clock.h"
#include "bus/ssh/read_ahead.h"
#include "config/check.h"

namespace riftbus::ssh {

namespace {

constexpr int kPumpRoundsMax = 64;  // of 4 KiB each: others in the loop get their turn
constexpr std::uint32_t kChannelWriteMax = 1U << 20;
constexpr const char* kChaCha = "chacha20-poly1305@openssh.com";
constexpr const char* kGcm = "aes256-gcm@openssh.com,aes128-gcm@openssh.com";

bool is_same_socket(int a, int b) {
  struct stat of_a {};
  struct stat of_b {};
  return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino;
}

std::string error_of(ssh_session session) {
  const char* why = ssh_get_error(session);
  return why == nullptr || *why == '\0' ? "the other side closed it" : why;
}

}  // namespace

std::string cipher_list(const std::string& cipher) {
  if (cipher == "chacha20") return kChaCha;
  if (cipher == "aes-gcm") return kGcm;
  return std::string(kChaCha) + "," + kGcm;
}

Step step_of(int libssh_status) {
  return libssh_status == SSH_OK      ? Step::done
         : libssh_status == SSH_AGAIN ? Step::again
                                      : Step::failed;
}

struct Session::State {
  ssh_session session = nullptr;
  ssh_event event = nullptr;
  ssh_counter_struct socket_counter{};
  ssh_counter_struct raw_counter{};
  int descriptor = -1;  // libssh's own
  bool is_probing = false;
  std::uint64_t bytes_at_probe = 0;
  std::string problem;
};

struct Channel::Callbacks {
  ssh_channel_callbacks_struct table{};
};

Channel::Channel(Session& session, ssh_channel_struct* channel, Opener opener)
    : session_(session),
      channel_(channel),
      opener_(std::move(opener)),
      callbacks_(std::make_unique<Callbacks>()) {
  auto& table = callbacks_->table;
  table.userdata = this;
  table.channel_data_function = [](ssh_session, ssh_channel, void* data, std::uint32_t size,
                                   int is_stderr, void* user) {
    auto* reader = static_cast<Channel*>(user)->reader_;
    if (is_stderr != 0) return static_cast<int>(size);  // has no meaning for a connection
    if (reader == nullptr) return 0;
    return static_cast<int>(reader->on_data({static_cast<const char*>(data), size}));
  };
  table.channel_eof_function = [](ssh_session, ssh_channel, void* user) {
    if (auto* reader = static_cast<Channel*>(user)->reader_) reader->on_end();
  };
  table.channel_close_function = [](ssh_session, ssh_channel, void* user) {
    if (auto* reader = static_cast<Channel*>(user)->reader_) reader->on_close();
  };
  ssh_callbacks_init(&table);
  ssh_set_channel_callbacks(channel_, &table);
}

Channel::~Channel() {
  // libssh would go on calling until the other side's own close has arrived.
  ssh_remove_channel_callbacks(channel_, &callbacks_->table);
  if (session_.is_over()) return;  // freed with the session
  // Closes it first, but only if it was ever open: ssh_channel_close() would then name channel 0
  // of the other side, and OpenSSH ends the session for that.
  ssh_channel_free(channel_);
}

void Channel::set_reader(Reader* reader) { reader_ = reader; }

Step Channel::open_step() { return opener_(channel_); }

std::size_t Channel::window() const { return ssh_channel_window_size(channel_); }

std::optional<std::size_t> Channel::write(std::span<const char> data) {
  const auto size =
      static_cast<std::uint32_t>(std::min<std::size_t>(data.size(), kChannelWriteMax));
  const int written = ssh_channel_write(channel_, data.data(), size);
  if (written < 0) return std::nullopt;
  return static_cast<std::size_t>(written);
}

void Channel::send_end() { ssh_channel_send_eof(channel_); }

std::size_t Channel::take_rest(std::span<char> data) {
  const int taken = ssh_channel_read_nonblocking(channel_, data.data(),
                                                 static_cast<std::uint32_t>(data.size()), 0);
  return taken > 0 ? static_cast<std::size_t>(taken) : 0;
}

Session::Session(int descriptor) : state_(std::make_unique<State>()), descriptor_(descriptor) {
  // libssh closes its descriptor whenever it likes; a number that somebody waits on must not be
  // given to another socket meanwhile.
  state_->descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  state_->session = ssh_new();
  RIFTBUS_CHECK(state_->session != nullptr);
  ssh_set_counters(state_->session, &state_->socket_counter, &state_->raw_counter);
  ssh_set_blocking(state_->session, 0);
  ssh_set_message_callback(
      state_->session,
      [](ssh_session, ssh_message message, void* user) {
        return static_cast<Session*>(user)->receive(message);
      },
      this);
}

Session::~Session() {
  ssh_set_message_callback(state_->session, nullptr, nullptr);  // receive() is gone already
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

ssh_session_struct* Session::handle() const { return state_->session; }

int& Session::library_descriptor() { return state_->descriptor; }

void Session::start_events() {
  state_->event = ssh_event_new();
  RIFTBUS_CHECK(state_->event != nullptr);
  ssh_event_add_session(state_->event, state_->session);
}

void Session::give_up() { state_->problem = error_of(state_->session); }

std::unique_ptr<Channel> Session::adopt(ssh_channel_struct* channel) {
  return std::unique_ptr<Channel>(new Channel(*this, channel, {}));
}

std::unique_ptr<Channel> Session::make_channel(Channel::Opener opener) {
  ssh_channel channel = ssh_channel_new(state_->session);
  if (channel == nullptr) return nullptr;
  return std::unique_ptr<Channel>(new Channel(*this, channel, std::move(opener)));
}

// The first call after an answer only collects it; what the answer says does not matter. The call
// that asks may read the answer at once, so what came is counted from before it: counted from
// after it, that question would have had no answer for ever, and no other would have been asked.
void Session::probe() {
  const auto before = bytes_in();
  if (state_->is_probing) {
    if (before == state_->bytes_at_probe) return;
    ssh_send_keepalive(state_->session);
  }
  ssh_send_keepalive(state_->session);
  state_->is_probing = true;
  state_->bytes_at_probe = before;
}

bool Session::pump() {
  if (state_->event == nullptr) return !is_over();
  ReadAhead ahead(state_->descriptor);
  for (int round = 0; round < kPumpRoundsMax || ahead.holds(); ++round) {
    const int status = ssh_event_dopoll(state_->event, 0);
    if (status == SSH_ERROR) {
      state_->problem = error_of(state_->session);
      return false;
    }
    if (status == SSH_AGAIN) break;
  }
  if (ahead.holds() && !is_over()) state_->problem = "libssh stopped reading";
  return !is_over();
}

// Not ssh_get_poll_flags(): after each write libssh wants to hear that the next one would not
// block, even if nothing is left to write. It hears that from the next pump() as well, and waiting
// for it costs a round of the loop per message.
bool Session::is_congested() const {
  return (ssh_get_status(state_->session) & SSH_WRITE_PENDING) != 0;
}

void Session::note_written(std::size_t bytes) {
  if (!allotment_.on_written(bytes, bus::boot_now())) return;
  socklen_t size = sizeof unsent_max_;
  if (unsent_max_ == 0) {
    ::getsockopt(descriptor_, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_max_, &size);
  }
  if (unsent_max_ <= 0) return;
  const int now = std::min(unsent_max_, static_cast<int>(allotment_.bytes()));
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &now, sizeof now);
}

bool Session::is_over() const {
  if (!state_->problem.empty()) return true;
  if (state_->event == nullptr) return false;
  return ssh_is_connected(state_->session) == 0 ||
         (ssh_get_status(state_->session) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0;
}

std::string Session::problem() const {
  return state_->problem.empty() ? error_of(state_->session) : state_->problem;
}

std::string Session::cipher() const {
  const char* name = ssh_get_cipher_out(state_->session);
  return name == nullptr ? "" : name;
}

std::uint64_t Session::bytes_in() const { return state_->socket_counter.in_bytes; }

void Session::say_goodbye() {
  if (state_->event != nullptr && !is_over()) ssh_disconnect(state_->session);
}

}  // namespace riftbus::ssh
