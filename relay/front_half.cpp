#include "relay/front_half.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <utility>

#include "bus/clock.h"
#include "bus/descriptors.h"
#include "bus/log.h"
#include "relay/confinement.h"

namespace riftbus::relay {

std::string front_status_file(const RelayConfig& config) {
  return config.socket_dir + "/front.json";
}

FrontHalf::FrontHalf(const NodeSettings& settings)
    : config_(settings.relay),
      signals_({SIGTERM, SIGINT, SIGHUP}),
      front_(loop_, config_),
      status_writer_(front_status_file(config_)) {}

FrontHalf::~FrontHalf() { loop_.forget(signals_.descriptor()); }

Status FrontHalf::open() {
  if (const auto limit = bus::raise_descriptor_limit(); !limit) bus::write_error(limit.error());
  if (auto status = front_.open(); !status) return status;
  if (auto status = become_user(config_.user); !status) return status;
  forbid_gains();
  loop_.watch(signals_.descriptor(), *this, true, false);
  bus::log_info("relay's front listens",
                {{"front", config_.front_host + ":" + std::to_string(config_.front_port)},
                 {"sockets", config_.socket_dir}});
  return Ok{};
}

void FrontHalf::run() {
  while (!is_stopping_) {
    const TimePoint now = bus::boot_now();
    if (now >= status_due()) write_state(now, true);
    loop_.run_once(std::min(front_.next_deadline(), status_due()), now);
    front_.sweep(bus::boot_now());
  }
  write_state(bus::boot_now(), false);
  (void)status_writer_.finish(kLastStatusMax);
  bus::log_info("relay's front stopped");
}

void FrontHalf::on_ready(bus::Readiness) {
  while (const int number = signals_.take()) {
    if (number != SIGHUP) {
      is_stopping_ = true;
    } else if (auto status = bus::reopen_log(); !status) {
      bus::write_error(status.error());
    }
  }
}

TimePoint FrontHalf::status_due() const {
  const bool is_new = front_.changes() != changes_shown_ || status_failing_;
  return status_written_ + (is_new ? Nanos(kStatusPause) : Nanos(kStatusEvery));
}

void FrontHalf::write_state(TimePoint now, bool is_running) {
  status_written_ = now;
  changes_shown_ = front_.changes();
  const FrontCounters counters = front_.counters();
  judge_writing(now);
  nlohmann::json status{{"schema", 1},
                        {"pid", ::getpid()},
                        {"state", is_running ? "running" : "stopped"},
                        {"wall_ms", bus::wall_now_ms()},
                        {"front", config_.front_host + ":" + std::to_string(config_.front_port)},
                        {"connections", front_.size()},
                        {"counters",
                         {{"accepted", counters.accepted},
                          {"turned_away", counters.turned_away},
                          {"opened", counters.opened},
                          {"unreachable", counters.unreachable},
                          {"refused", counters.refused},
                          {"bytes", counters.bytes}}}};
  status_writer_.write(std::move(status));
}

// The folder is the SSH half's, which may be starting as well.
void FrontHalf::judge_writing(TimePoint now) {
  const auto written = status_writer_.take_outcome();
  if (!written) return;
  if (written->ok()) {
    status_failing_.reset();
    status_told_ = false;
    return;
  }
  if (!status_failing_) status_failing_ = now;
  const bool is_lasting = now - *status_failing_ >= kStatusEvery;
  if (is_lasting && !std::exchange(status_told_, true)) bus::write_error(written->error());
}

}  // namespace riftbus::relay
