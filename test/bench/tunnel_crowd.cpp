// Many tunnels in one process, for tunnel.sh: what a server needs for each of them.
//
//   tunnel_crowd keys N DIR                 prints N lines for a list of keys; makes the keys
//   tunnel_crowd hold N DIR SERVER PORT     N sessions, each with a listener of the server's choice
//                                           that leads to PORT here; says "up SECONDS" and holds
//                                           them until its standard input ends
//
// SERVER is [USER@]HOST:PORT#SHA256:PIN; without a user, each session has its key's name.
#include <poll.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "bus/clock.h"
#include "bus/descriptors.h"
#include "bus/log.h"
#include "bus/loop.h"
#include "bus/resolver.h"
#include "tunnel/link.h"

namespace {

namespace tunnel = riftbus::tunnel;
namespace ssh = riftbus::ssh;
namespace bus = riftbus::bus;
using riftbus::bus::boot_now;

constexpr int kBacklogAtOnce = 48;  // a relay keeps few strangers

std::string name_of(std::size_t i) { return "crowd-" + std::to_string(i); }

std::vector<ssh::Key> load_keys(std::size_t count, const std::string& folder) {
  std::vector<ssh::Key> keys;
  for (std::size_t i = 0; i < count; ++i) {
    auto key = ssh::Key::load_or_create(folder + "/" + name_of(i));
    RIFTBUS_CHECK(key.ok());
    keys.push_back(std::move(*key));
  }
  return keys;
}

bool is_input_over() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  char byte = 0;
  return poll(&input, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

struct Crowd {
  Crowd(std::vector<ssh::Key> its_keys, const std::string& server, const std::string& port)
      : keys(std::move(its_keys)) {
    auto parsed = riftbus::parse_tunnel_server(server);
    auto forward = riftbus::parse_forward("0:127.0.0.1:" + port, riftbus::ForwardSide::reverse);
    RIFTBUS_CHECK(parsed.ok() && forward.ok());
    config.servers = {*parsed};
    config.reverse = {*forward};
    config.setup_timeout_ms = 60'000;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      links.push_back(std::make_unique<tunnel::Link>(config, riftbus::TrafficClass::control,
                                                     name_of(i), keys[i], loop, resolver, random));
    }
  }

  // Starts more as others come up; answers how many are up.
  std::size_t turn() {
    const auto now = boot_now();
    std::size_t up = 0;
    std::size_t on_their_way = 0;
    for (std::size_t i = 0; i < started; ++i) {
      links[i]->finish_turn(now);
      const bool is_up = links[i]->session().state() == tunnel::SessionState::up;
      up += is_up ? 1 : 0;
      on_their_way += is_up ? 0 : 1;
    }
    while (started < links.size() && on_their_way < kBacklogAtOnce) {
      links[started++]->start(now);
      ++on_their_way;
    }
    return up;
  }

  riftbus::TunnelConfig config;
  std::vector<ssh::Key> keys;
  bus::Loop loop;
  riftbus::bus::Resolver resolver;
  riftbus::Random random{1};
  std::vector<std::unique_ptr<tunnel::Link>> links;
  std::size_t started = 0;
};

int hold(Crowd& crowd) {
  const auto began = boot_now();
  bool has_said = false;
  while (!is_input_over()) {
    if (crowd.turn() == crowd.links.size() && !has_said) {
      has_said = true;
      std::printf("up %.3f\n", static_cast<double>(riftbus::to_ms(boot_now() - began)) / 1000);
      std::fflush(stdout);
    }
    crowd.loop.run_once(boot_now() + riftbus::Millis{has_said ? 200 : 1}, boot_now());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> words(argv + 1, argv + argc);
  std::size_t count = 0;
  if (words.size() < 3 ||
      std::from_chars(words[1].data(), words[1].data() + words[1].size(), count).ec !=
          std::errc{}) {
    std::fputs("usage: tunnel_crowd keys N DIR | hold N DIR SERVER PORT\n", stderr);
    return 64;
  }
  RIFTBUS_CHECK(riftbus::bus::set_up_log({"error", "text", ""}).ok());
  (void)riftbus::bus::raise_descriptor_limit();
  auto keys = load_keys(count, words[2]);
  if (words[0] == "keys") {
    for (std::size_t i = 0; i < count; ++i) {
      std::printf("%s %s\n", keys[i].public_line().c_str(), name_of(i).c_str());
    }
    return 0;
  }
  if (words.size() != 5) return 64;
  Crowd crowd(std::move(keys), words[3], words[4]);
  return hold(crowd);
}
