// Output: one document in the format that was asked for, once or again and again.
#pragma once

#include <functional>
#include <string>

#include "node/ctl/context.h"
#include "node/ctl/json_view.h"
#include "node/ctl/render.h"

namespace riftbus::ctl {

// What a document is called, and how people read it.
struct Shape {
  const char* list;  // its list, one line each with jsonl and name; nullptr: it is one thing
  const char* name;  // the key that names an item, or the document
  std::string (*render)(const Json& document, Style style);
};

void print_document(Context& context, const Json& document, const Shape& shape);
// Each key with its state at this time. Gives kExitOk.
int print_roster(Context& context, const Roster& roster);
// One object on one line.
[[nodiscard]] std::string compact(const Json& json);

// Runs `once` one time, or with --watch each so many seconds on a cleared screen until interrupted.
int run_watched(Context& context, const std::function<int(Context&)>& once);

[[nodiscard]] Style style_of(const Context& context);

}  // namespace riftbus::ctl
