// Options of riftbus-tap: its command line, understood.
//
// Nothing is abbreviated. The options that all commands of `riftbus` share are known here too:
// those that make no sense for a tap say so. Everything that can be checked without the network is:
// filter, format, summary, ring. Pure. Error 1559 on what is not understood, else that of the part.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bus/operator_home.h"
#include "bus/tap/filter.h"
#include "bus/tap/format.h"
#include "bus/tap/record.h"
#include "bus/tap/summary.h"
#include "config/result.h"
#include "config/types.h"

namespace riftbus::tap {

struct Options {
  bool wants_help = false;
  bool wants_version = false;
  std::vector<std::string> nodes;  // --node: where to begin, or what to tap
  std::vector<NodeId> on;          // --on: further nodes, found through the first one
  bool all = false;                // --all: every member
  std::uint64_t count = 0;         // -c: end after so many; 0: never
  std::string write;               // -w
  std::string read;                // -r
  Ring ring;
  std::string filter_text;
  Filter filter;
  Format format;
  std::optional<SummarySpec> summary;
  bool payloads = false;
  Millis timeout{5000};
  Millis retry{60'000};  // how long a node that went away is tried again; 0: not at all
  bus::HomeOptions home;
};

// `arguments` without argv[0].
[[nodiscard]] Result<Options> parse_options(const std::vector<std::string>& arguments);
// What --help prints.
[[nodiscard]] std::string describe_options();

}  // namespace riftbus::tap
