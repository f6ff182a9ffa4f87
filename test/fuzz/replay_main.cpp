// Feeds files to a fuzz target without a fuzzer: NAME_fuzz FILE_OR_FOLDER...
//
// Each input is given whole, then cut short at a few places and with one byte changed at a few
// places (at most kCutsMax each), so that a replay also walks the edges beside the known inputs.
// The first input is always the empty one. Exit 0 means that nothing crashed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kCutsMax = 64;
constexpr std::size_t kInputBytesMax = 4 * 1024 * 1024;

using Bytes = std::vector<std::uint8_t>;

void give(const Bytes& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

void give_with_neighbours(const Bytes& input) {
  give(input);
  const std::size_t step = std::max<std::size_t>(1, input.size() / kCutsMax);
  for (std::size_t at = 0; at < input.size(); at += step) {
    give(Bytes(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(at)));
    Bytes changed = input;
    changed[at] = static_cast<std::uint8_t>(changed[at] ^ 0xFFU);
    give(changed);
  }
}

std::vector<std::filesystem::path> files_under(const std::filesystem::path& place) {
  std::vector<std::filesystem::path> found;
  if (std::filesystem::is_regular_file(place)) {
    found.push_back(place);
  } else if (std::filesystem::is_directory(place)) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(place)) {
      if (entry.is_regular_file() && entry.file_size() <= kInputBytesMax) {
        found.push_back(entry.path());
      }
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  give({});
  std::size_t count = 0;
  for (int index = 1; index < argc; ++index) {
    for (const auto& path : files_under(argv[index])) {
      std::ifstream file(path, std::ios::binary);
      give_with_neighbours(Bytes(std::istreambuf_iterator<char>(file), {}));
      ++count;
    }
  }
  std::printf("%zu inputs replayed, each with its neighbours\n", count);
  if (argc > 1 && count == 0) {
    std::fprintf(stderr, "no input in %s: a corpus that is empty tests nothing\n", argv[1]);
    return 1;
  }
  return 0;
}
