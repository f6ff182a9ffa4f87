// Log: one line per event, ISO time, level, a sentence, then key=value.
//
//   2026-01-31T23:59:59.123Z warn  bus: origin differs from key peer=n3 origin=n1 suppressed=14
//
// Lines go to standard error, where systemd's journal takes them, or to a file that is reopened on
// request (SIGHUP, logrotate). JSON: one object per line with the same content. Text from peers is
// escaped before it is logged: no peer can forge a line.
//
// A RateLimited is one message that peers can cause at will: it speaks the first time, then at each
// doubling of its count or every ten seconds, whichever comes first, and says how many it kept.
//
// Thread-safe, as spdlog is, except that a RateLimited belongs to one thread. spdlog itself is kept
// to log.cpp: reading its headers takes longer than compiling most files that log.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "config/result.h"
#include "config/types.h"

namespace riftbus::bus {

struct LogSettings {
  std::string level = "info";   // trace, debug, info, warn, error
  std::string format = "text";  // text or json
  std::string file;             // empty: standard error
};
// Replaces spdlog's default logger; call once, before threads start. 1399: file cannot be opened.
[[nodiscard]] Status set_up_log(const LogSettings& settings);
// After logrotate moved the file; does nothing for standard error.
[[nodiscard]] Status reopen_log();

struct LogField {
  std::string_view key;
  std::string value;
};
enum class LogLevel : std::uint8_t { debug, info, warn, error };
// `text` is ours, never a peer's.
void write_log(LogLevel level, std::string_view text, std::initializer_list<LogField> fields = {});
// As "what code=F-1203 where=... next=...".
void write_error(const Error& error);

inline void log_debug(std::string_view text, std::initializer_list<LogField> fields = {}) {
  write_log(LogLevel::debug, text, fields);
}
inline void log_info(std::string_view text, std::initializer_list<LogField> fields = {}) {
  write_log(LogLevel::info, text, fields);
}
inline void log_warn(std::string_view text, std::initializer_list<LogField> fields = {}) {
  write_log(LogLevel::warn, text, fields);
}

class RateLimited {
 public:
  static constexpr Seconds kSpeakEvery{10};

  // Whether to speak now; then `suppressed` is the number kept since the last time it spoke.
  [[nodiscard]] bool admit(TimePoint now, std::uint64_t& suppressed);
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::uint64_t count_ = 0;
  std::uint64_t next_ = 1;
  std::uint64_t kept_ = 0;
  TimePoint spoke_{};
};

}  // namespace riftbus::bus
