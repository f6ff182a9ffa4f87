#include "node/executor/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>

namespace riftbus::executor {

namespace {

constexpr const char* kNoteSuffix = ".begin";

}  // namespace

OutputFile::OutputFile(std::string path, std::uint64_t bytes_max)
    : path_(std::move(path)), half_(std::max<std::uint64_t>(bytes_max / 2, 1)) {
  open_file();
}

OutputFile::~OutputFile() {
  if (file_ >= 0) close(file_);
}

void OutputFile::open_file() {
  file_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  written_ = 0;
}

// Read while it is written (output_reader.cpp): whole, or of another file.
void OutputFile::write_note() const {
  struct stat found {};
  if (file_ < 0 || fstat(file_, &found) != 0) return;
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), "%020llu %020llu\n",
                                   static_cast<unsigned long long>(begin_),
                                   static_cast<unsigned long long>(found.st_ino));
  const int note = open((path_ + kNoteSuffix).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (note < 0) return;
  static_cast<void>(!pwrite(note, text.data(), static_cast<std::size_t>(length), 0));
  close(note);
}

std::optional<OutputFile::Note> OutputFile::read_note(const std::string& path) {
  std::ifstream file(path + kNoteSuffix);
  Note note;
  if (file >> note.begin >> note.file) return note;
  return std::nullopt;
}

void OutputFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (written_ >= half_) {
      if (file_ >= 0) close(file_);
      std::rename(path_.c_str(), (path_ + ".1").c_str());
      begin_ += written_;
      open_file();
      write_note();
    }
    if (file_ < 0) return;
    const auto room = static_cast<std::size_t>(half_ - written_);
    const auto put = ::write(file_, bytes.data(), std::min(room, bytes.size()));
    if (put <= 0) return;  // a full disk: the output is lost, the program goes on
    written_ += static_cast<std::uint64_t>(put);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

void OutputTail::write(std::string_view bytes) {
  text_.append(bytes.substr(bytes.size() - std::min(bytes.size(), bytes_max_)));
  if (text_.size() > bytes_max_) text_.erase(0, text_.size() - bytes_max_);
}

}  // namespace riftbus::executor
