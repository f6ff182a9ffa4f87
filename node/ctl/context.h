// Context: what a command is given: the parsed line, the terminal, the environment.
//
// Exit statuses follow sysexits.h, so that scripts can tell "the cluster is degraded" (1) from "you
// mistyped" (64) and from "try again" (75).
#pragma once

#include <iosfwd>
#include <string>

#include "config/effective.h"
#include "config/result.h"
#include "node/ctl/invocation.h"

namespace riftbus::ctl {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFalse = 1;
inline constexpr int kExitUsage = 64;
inline constexpr int kExitData = 65;
inline constexpr int kExitUnavailable = 69;
inline constexpr int kExitBug = 70;
inline constexpr int kExitTemporary = 75;
inline constexpr int kExitRefused = 77;
inline constexpr int kExitConfig = 78;

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

// Prints "riftbus: F-1503: what (where); next" and returns the exit status that fits the code.
int report(Context& context, const Error& error);
[[nodiscard]] int exit_status_of(const Error& error);
// Asks "QUESTION [y/N]" unless --yes was given; 1515 if there is nobody to ask or the answer is no.
[[nodiscard]] Status confirm(Context& context, const std::string& question);
// "riftbus: text" on `err`.
void say(Context& context, const std::string& text);

}  // namespace riftbus::ctl
