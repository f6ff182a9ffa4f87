// From argv to exit status: everything main() does, with its streams passed in.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "config/effective.h"

namespace riftbus::ctl {

struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool is_terminal = false;  // out is one
};

// `line` without argv[0]. May not return: some commands become another program.
int run_line(const std::string& program, const std::vector<std::string>& line,
             const Environment& environment, Streams streams);

}  // namespace riftbus::ctl
