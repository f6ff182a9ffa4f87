// OutputFile: a program's output on disk, bounded: when the file has half of what it may have, it
// becomes FILE.1 and a new one begins. So the latest half is always there, and no more than all.
// FILE.begin then says at which byte of the stream FILE begins, and which file it speaks of.
//
// OutputTail: the last bytes of a stream in memory.
//
// Errors of the disk lose output, never the program. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace riftbus::executor {

class OutputFile {
 public:
  OutputFile(std::string path, std::uint64_t bytes_max);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view bytes);

  struct Note {
    std::uint64_t begin = 0;  // the stream's byte that comes first
    std::uint64_t file = 0;   // its inode
  };
  // Nothing: there is none that reads.
  [[nodiscard]] static std::optional<Note> read_note(const std::string& path);

 private:
  void open_file();
  void write_note() const;

  std::string path_;
  std::uint64_t half_;
  std::uint64_t begin_ = 0;  // of `file_`, in the stream
  std::uint64_t written_ = 0;
  int file_ = -1;
};

class OutputTail {
 public:
  explicit OutputTail(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  void write(std::string_view bytes);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::size_t bytes_max_;
  std::string text_;
};

}  // namespace riftbus::executor
