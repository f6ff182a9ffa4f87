// riftbus: the operator's program. Everything else is in run_line.cpp and the command table.
#include <unistd.h>

#include <exception>
#include <iostream>

#include "config/effective.h"
#include "node/ctl/context.h"
#include "node/ctl/run_line.h"

int main(int argc, char** argv) {
  const std::string program = argc > 0 ? argv[0] : "riftbus";
  std::vector<std::string> line;
  for (int i = 1; i < argc; ++i) line.emplace_back(argv[i]);
  try {
    return riftbus::ctl::run_line(program, line, riftbus::copy_environment(),
                                  {std::cin, std::cout, std::cerr, isatty(STDOUT_FILENO) != 0});
  } catch (const std::exception& error) {
    std::cerr << "riftbus: a fault in this program: " << error.what() << "\n";
    return riftbus::kExitBug;
  }
}
