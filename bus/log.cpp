#include "bus/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>

#include "bus/clock.h"

namespace riftbus::bus {

namespace {

// Both sinks print the message as it is: write_log() has built the whole line.
constexpr const char* kPattern = "%v";
constexpr std::size_t kValueBytesMax = 512;

// A file that can be opened again under its name while other threads log.
class ReopenableFile final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit ReopenableFile(std::string path) : path_(std::move(path)) { helper_.open(path_, false); }
  void reopen() {
    const std::lock_guard<std::mutex> lock(mutex_);
    helper_.close();
    helper_.open(path_, false);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    helper_.write(line);
  }
  void flush_() override { helper_.flush(); }

 private:
  std::string path_;
  spdlog::details::file_helper helper_;
};

bool is_json() { return spdlog::default_logger_raw()->name() == "json"; }

bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '"' || c == '=' || c == '\\') return false;
  }
  return true;
}

void append_quoted(std::string& line, std::string_view text) {
  line += '"';
  for (const char c : text.substr(0, kValueBytesMax)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
      line += escaped;
    } else {
      line += c;
    }
  }
  line += '"';
}

const char* level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  return "?";
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string text_line(LogLevel level, std::string_view text,
                      std::initializer_list<LogField> fields) {
  std::string line = format_wall(wall_now_ms());
  line += ' ';
  line += level_name(level);
  line += ' ';
  line += text;
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    if (is_plain(field.value) && field.value.size() <= kValueBytesMax) {
      line += field.value;
    } else {
      append_quoted(line, field.value);
    }
  }
  return line;
}

std::string json_line(LogLevel level, std::string_view text,
                      std::initializer_list<LogField> fields) {
  nlohmann::ordered_json line;
  line["time"] = format_wall(wall_now_ms());
  line["level"] = level_name(level);
  line["message"] = text;
  for (const LogField& field : fields) {
    line[std::string(field.key)] = field.value.substr(0, kValueBytesMax);
  }
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

Status set_up_log(const LogSettings& settings) {
  const std::string name = settings.format == "json" ? "json" : "text";
  spdlog::sink_ptr sink;
  try {
    if (settings.file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<ReopenableFile>(settings.file);
    }
  } catch (const spdlog::spdlog_ex& error) {
    return Error{1399, std::string("log file cannot be opened: ") + error.what(), settings.file,
                 "check the directory and its permissions, or log to standard error"};
  }
  auto logger = std::make_shared<spdlog::logger>(name, std::move(sink));
  logger->set_pattern(kPattern);
  logger->set_level(spdlog::level::from_str(settings.level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  return Ok{};
}

Status reopen_log() {
  try {
    for (const auto& sink : spdlog::default_logger_raw()->sinks()) {
      if (auto* file = dynamic_cast<ReopenableFile*>(sink.get())) file->reopen();
    }
  } catch (const spdlog::spdlog_ex& error) {
    return Error{1399, std::string("log file cannot be opened again: ") + error.what(), "",
                 "check the directory and its permissions"};
  }
  return Ok{};
}

void write_log(LogLevel level, std::string_view text, std::initializer_list<LogField> fields) {
  spdlog::logger* logger = spdlog::default_logger_raw();
  if (!logger->should_log(spdlog_level(level))) return;
  const std::string line =
      is_json() ? json_line(level, text, fields) : text_line(level, text, fields);
  logger->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

void write_error(const Error& error) {
  write_log(LogLevel::error, error.what,
            {{"code", error.code_text()}, {"where", error.where}, {"next", error.next}});
}

bool RateLimited::admit(TimePoint now, std::uint64_t& suppressed) {
  ++count_;
  if (count_ < next_ && now - spoke_ < kSpeakEvery) {
    ++kept_;
    return false;
  }
  while (next_ <= count_) next_ *= 2;
  suppressed = kept_;
  kept_ = 0;
  spoke_ = now;
  return true;
}

}  // namespace riftbus::bus
