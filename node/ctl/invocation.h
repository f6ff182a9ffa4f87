// Invocation: a command line, understood.
//
// The words of the command are found first ("node", "list"), wherever options stand; then
// Boost.Program_options reads the rest against that command's rows of the table. Nothing is
// abbreviated: `--tim` may be unambiguous today and mean something else next year. What is wrong
// gives an Error (1501) with the nearest known word.
//
// Pure: reads neither environment nor files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"
#include "config/types.h"
#include "node/ctl/command.h"

namespace riftbus::ctl {

enum class Format : std::uint8_t { table, wide, json, jsonl, name };
enum class ColorWhen : std::uint8_t { automatic, always, never };

inline constexpr Millis kTimeoutDefault{5'000};
inline constexpr Millis kWatchDefault{2'000};

// Options that mean the same everywhere.
struct Globals {
  std::optional<std::string> node;     // ID, HOST[:PORT] or ID@HOST[:PORT]
  std::optional<std::string> key;      // directory of the operator's key and roster
  std::optional<std::string> cluster;  // which of ~/.config/riftbus/*
  std::optional<std::string> config;   // cluster.yaml
  Format format = Format::table;
  std::optional<Millis> watch;
  Millis timeout = kTimeoutDefault;
  bool timeout_given = false;
  ColorWhen color = ColorWhen::automatic;
  bool yes = false;
  bool dry_run = false;
  bool insecure = false;
};

struct Invocation {
  const Command* command = nullptr;
  Globals globals;
  std::vector<std::string> arguments;  // or, if the command passes on, everything after its name
  std::map<std::string, std::string, std::less<>> options;  // the command's own; a flag gives ""
  std::map<std::string, std::vector<std::string>, std::less<>> repeated;  // each in order
  bool wants_help = false;
  bool wants_version = false;
  // No such command: these words may name a program riftbus-WORD; the rest is for it.
  std::string unknown;
  std::vector<std::string> unknown_arguments;

  [[nodiscard]] bool has(std::string_view option) const { return options.contains(option); }
  [[nodiscard]] std::optional<std::string> find(std::string_view option) const;
};

// `line` without argv[0]. An unknown command is no Error here: see `unknown`.
[[nodiscard]] Result<Invocation> parse_line(const std::vector<std::string>& line);

// "0.5", "2", "2s", "500ms", "3m", "24h", "7d"; plain numbers are seconds. At least 1 ms.
[[nodiscard]] Result<Millis> parse_duration(std::string_view text, std::string_view what);
[[nodiscard]] Result<std::uint64_t> parse_count(std::string_view text, std::string_view what,
                                                std::uint64_t low, std::uint64_t high);

// The error for a word that is not known, with the nearest known one.
[[nodiscard]] Error unknown_word_error(std::string_view kind, std::string_view word,
                                       const std::vector<std::string_view>& known);

}  // namespace riftbus::ctl
