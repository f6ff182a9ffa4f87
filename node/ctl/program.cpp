#include "node/ctl/program.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace riftbus::ctl {

namespace {

namespace fs = std::filesystem;

bool is_executable(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string find_program(const std::string& name, const std::string& path_list) {
  // A name is one word: "../x" must not lead out of the directories searched.
  if (name.empty() || name.find('/') != std::string::npos) return "";
  const std::string file = "riftbus-" + name;
  std::error_code failed;
  const auto self = fs::read_symlink("/proc/self/exe", failed);
  if (!failed) {
    std::string beside = (self.parent_path() / file).string();
    if (is_executable(beside)) return beside;
  }
  std::size_t begin = 0;
  while (begin <= path_list.size()) {
    const std::size_t end = std::min(path_list.find(':', begin), path_list.size());
    const std::string folder = path_list.substr(begin, end - begin);
    if (!folder.empty() && is_executable(folder + "/" + file)) return folder + "/" + file;
    begin = end + 1;
  }
  return "";
}

Error execute_program(const std::string& path, const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  std::string name = path;
  argv.push_back(name.data());
  std::vector<std::string> copies = arguments;
  for (auto& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
  execv(path.c_str(), argv.data());
  return Error{1512, std::string("cannot run it: ") + std::strerror(errno), path,
               "check the installation"};
}

}  // namespace riftbus::ctl
