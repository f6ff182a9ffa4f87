// Context: what a command is given: the parsed line, the terminal, the environment.
#pragma once

#include <iosfwd>
#include <string>

#include "bus/operator_home.h"
#include "config/effective.h"
#include "config/exit_status.h"
#include "config/result.h"
#include "node/ctl/invocation.h"

namespace riftbus::ctl {

struct Context {
  const Invocation& invocation;
  const Environment& environment;
  std::istream& in;
  std::ostream& out;    // data
  std::ostream& err;    // messages for people
  std::string program;  // argv[0]: other programs are looked for beside it
  bool color = false;
  bool is_terminal = false;

  [[nodiscard]] const Globals& globals() const { return invocation.globals; }
};

// Prints "riftbus: F-1503: what (where); next" and returns its exit status.
int report(Context& context, const Error& error);
// Asks "QUESTION [y/N]" unless --yes was given; 1515 if there is nobody to ask or the answer is no.
[[nodiscard]] Status confirm(Context& context, const std::string& question);
// The options that say where the operator's key and the cluster file are.
[[nodiscard]] bus::HomeOptions home_options(const Globals& globals);
// "riftbus: text" on `err`.
void say(Context& context, const std::string& text);

}  // namespace riftbus::ctl
