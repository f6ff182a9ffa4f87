// Record: tapped messages on disk, as JSON lines in a ring of files.
//
// `-w tap.jsonl --ring 10x64M` keeps the newest 640 MB: tap.jsonl is being written, tap.jsonl.1 is
// the file before it, tap.jsonl.9 the oldest. A record that exists is continued. Losses are
// recorded where they happened, so that nobody takes a gap for silence.
//
// Reading is total: any bytes give entries, and lines that are none are counted and skipped. A
// program that was killed leaves a torn last line; it is reported apart from damage.
//
// Blocking disk work without fsync: a record is for looking at, nothing depends on it. One thread.
// Errors: 1554 writing, 1555 reading, 1556 a ring that makes no sense.
#pragma once

#include <cstdint>
#include <cstdio>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/tap/format.h"
#include "config/result.h"

namespace riftbus::tap {

struct Ring {
  std::size_t files = 10;
  std::uint64_t file_bytes = 64 * 1000 * 1000;
  bool operator==(const Ring&) const = default;
};
inline constexpr std::size_t kRingFilesMax = 1000;
inline constexpr std::uint64_t kRingFileBytesMin = 4096;

// "10x64M": ten files of 64,000,000 bytes. Error 1556.
[[nodiscard]] Result<Ring> parse_ring(std::string_view text);

class RecordWriter {
 public:
  // Opens or continues the record.
  [[nodiscard]] static Result<RecordWriter> open(const std::string& path, const Ring& ring);

  // Appends a line (without its end), going on to the next file when this one is full. After an
  // Error the record is closed and further lines give the same Error.
  [[nodiscard]] Status append(std::string_view line);
  // Hands what is buffered to the system: once per batch.
  [[nodiscard]] Status flush();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  RecordWriter(std::string path, const Ring& ring) : path_(std::move(path)), ring_(ring) {}
  [[nodiscard]] Status open_current();
  [[nodiscard]] Status rotate();
  [[nodiscard]] Error give_up(const std::string& doing);

  std::string path_;
  Ring ring_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t written_ = 0;
};

struct ReadStats {
  std::uint64_t frames = 0;
  Loss lost;                    // sums of all loss entries; `node` stays empty
  std::uint64_t bad_lines = 0;  // damaged, or no line of a record
  bool torn = false;            // the last line ends before its end
};

class RecordReader {
 public:
  explicit RecordReader(std::istream& in) : in_(in) {}
  // The next message or loss; nothing: the end.
  [[nodiscard]] std::optional<Entry> next();
  [[nodiscard]] const ReadStats& stats() const { return stats_; }

 private:
  enum class Line : std::uint8_t { whole, too_long, torn, none };
  [[nodiscard]] Line read_line(std::string& line);

  std::istream& in_;
  ReadStats stats_;
};

// The files of a record that exist, oldest first. Error 1555: there is none.
[[nodiscard]] Result<std::vector<std::string>> record_files(const std::string& path);

}  // namespace riftbus::tap
