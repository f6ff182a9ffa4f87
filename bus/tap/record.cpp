#include "bus/tap/record.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "bus/tap/filter.h"

namespace riftbus::tap {

namespace {

std::string older_path(const std::string& path, std::size_t age) {
  return age == 0 ? path : path + '.' + std::to_string(age);
}

// Whether the file ends in the middle of a line, which the next line must not be glued to.
bool ends_torn(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file || std::fseek(file.get(), -1, SEEK_END) != 0) return false;
  return std::fgetc(file.get()) != '\n';
}

}  // namespace

Result<Ring> parse_ring(std::string_view text) {
  const auto cross = text.find('x');
  const auto files = parse_quantity(text.substr(0, cross));
  const auto bytes = cross == std::string_view::npos ? std::optional<std::uint64_t>()
                                                     : parse_quantity(text.substr(cross + 1));
  if (!files || !bytes || *files == 0 || *files > kRingFilesMax || *bytes < kRingFileBytesMin) {
    return Error{1556, "not a ring of files: \"" + std::string(text.substr(0, 40)) + "\"", "--ring",
                 "write FILESxSIZE, for example 10x64M: 1 to 1000 files of at least 4Ki"};
  }
  return Ring{static_cast<std::size_t>(*files), *bytes};
}

Error RecordWriter::give_up(const std::string& doing) {
  const int number = errno;
  file_.reset();
  return {1554, "cannot " + doing + ": " + std::generic_category().message(number), path_,
          "free some space or name another file with -w; what was written stays readable"};
}

Result<RecordWriter> RecordWriter::open(const std::string& path, const Ring& ring) {
  RecordWriter writer(path, ring);
  if (auto opened = writer.open_current(); !opened.ok()) return opened.error();
  return writer;
}

Status RecordWriter::open_current() {
  const bool torn = ends_torn(path_);
  file_.reset(std::fopen(path_.c_str(), "ab"));
  if (!file_) return give_up("open the record");
  std::error_code none;
  const auto size = std::filesystem::file_size(path_, none);
  written_ = none ? 0 : size;
  if (torn && std::fputc('\n', file_.get()) == EOF) return give_up("write the record");
  return Ok{};
}

Status RecordWriter::rotate() {
  if (std::fclose(file_.release()) != 0) return give_up("write the record");
  std::error_code problem;
  for (std::size_t age = ring_.files - 1; age > 0 && !problem; --age) {
    const auto younger = older_path(path_, age - 1);
    if (std::filesystem::exists(younger, problem)) {
      std::filesystem::rename(younger, older_path(path_, age), problem);
    }
  }
  if (ring_.files == 1) std::filesystem::remove(path_, problem);
  if (problem) {
    errno = problem.value();
    return give_up("rename the record's files");
  }
  return open_current();
}

Status RecordWriter::append(std::string_view line) {
  if (!file_) {
    errno = EIO;
    return give_up("write the record");
  }
  if (written_ > 0 && written_ + line.size() + 1 > ring_.file_bytes) {
    if (auto rotated = rotate(); !rotated.ok()) return rotated;
  }
  if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size() ||
      std::fputc('\n', file_.get()) == EOF) {
    return give_up("write the record");
  }
  written_ += line.size() + 1;
  return Ok{};
}

Status RecordWriter::flush() {
  if (file_ && std::fflush(file_.get()) != 0) return give_up("write the record");
  return Ok{};
}

RecordReader::Line RecordReader::read_line(std::string& line) {
  line.clear();
  bool too_long = false;
  for (int c = in_.get(); c != std::istream::traits_type::eof(); c = in_.get()) {
    if (c == '\n') return too_long ? Line::too_long : Line::whole;
    too_long = too_long || line.size() >= kLineBytesMax;
    if (!too_long) line += static_cast<char>(c);
  }
  return line.empty() ? Line::none : Line::torn;
}

std::optional<Entry> RecordReader::next() {
  std::string line;
  for (;;) {
    const Line kind = read_line(line);
    if (kind == Line::none) return std::nullopt;
    auto entry = kind == Line::too_long ? std::nullopt : parse_json_line(line);
    if (!entry) {
      // Only a line without an end can be torn: a whole one that does not read is damage.
      if (kind == Line::torn) {
        stats_.torn = true;
      } else {
        ++stats_.bad_lines;
      }
      continue;
    }
    if (const auto* loss = std::get_if<Loss>(&*entry)) {
      stats_.lost.by_node += loss->by_node;
      stats_.lost.by_tap += loss->by_tap;
      return entry;
    }
    if (std::holds_alternative<Seen>(*entry)) {
      ++stats_.frames;
      return entry;
    }
  }
}

Result<std::vector<std::string>> record_files(const std::string& path) {
  std::vector<std::string> files;
  std::error_code problem;
  for (std::size_t age = kRingFilesMax; age-- > 0;) {
    auto name = older_path(path, age);
    if (std::filesystem::is_regular_file(name, problem)) files.push_back(std::move(name));
  }
  if (!files.empty()) return files;
  return Error{1555, "there is no such record", path, "name the file that was given to -w"};
}

}  // namespace riftbus::tap
