#include "config/job_kind.h"

#include <algorithm>
#include <array>

#include "config/document_reader.h"
#include "config/needs.h"

namespace riftbus {

namespace {

using K = JobKind;

constexpr auto kKnobs = std::to_array<JobKnob>({
    {"timeout_s", "s", &K::timeout_s, 1, kSecondsMax},
    {"lease_s", "s", &K::lease_s, 5, 24 * 3600},
    {"kill_grace_s", "s", &K::kill_grace_s, 0, 3600},
    {"attempts_max", "", &K::attempts_max, 1, 100},
    {"losses_max", "", &K::losses_max, 1, 100},
    {"backoff_base_s", "s", &K::backoff_base_s, 0, 24 * 3600},
    {"backoff_cap_s", "s", &K::backoff_cap_s, 0, 24 * 3600},
    {"output_mb_max", "MiB", &K::output_mb_max, 1, 100'000},
    {"disk_mb_max", "MiB", &K::disk_mb_max, 1, 1'000'000'000},
    {"priority", "", &K::priority, 0, 255},
    {"nice", "", &K::nice, 0, 19},
});

constexpr auto kJobKeys = std::to_array<std::string_view>(
    {"command", "environment", "needs", "working_dir", "timeout_s", "lease_s", "kill_grace_s",
     "attempts_max", "losses_max", "backoff_base_s", "backoff_cap_s", "on_disconnect", "overlap_ok",
     "output_mb_max", "disk_mb_max", "priority", "nice"});

bool is_variable_name(std::string_view name) {
  const auto is_start = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && is_start(name.front()) && name.size() <= 128 &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_start(c) || (c >= '0' && c <= '9'); });
}

class JobReader {
 public:
  JobReader(DocumentReader& reader, const DocumentNode::Entry& entry)
      : reader_(reader), name_("job kind " + entry.key.substr(0, 64)) {
    kind_.name = entry.key;
    kind_.where = reader.place(entry);
  }

  JobKind read(const DocumentNode& body) {
    for (const auto& entry : body.entries) read_key(entry);
    if (body.find("command") == nullptr) {
      reader_.problem(1026, kind_.where, name_ + " has no command",
                      "write the program and its arguments: command: [program, argument]");
    }
    check_lease(body);
    return std::move(kind_);
  }

 private:
  void read_key(const DocumentNode::Entry& entry) {
    const auto& value = entry.value;
    if (std::find(kJobKeys.begin(), kJobKeys.end(), entry.key) == kJobKeys.end()) {
      reader_.unknown_key(entry, name_, kJobKeys);
    } else if (entry.key == "command") {
      read_command(value);
    } else if (entry.key == "environment") {
      read_environment(value);
    } else if (entry.key == "needs") {
      read_needs(value);
    } else if (entry.key == "working_dir") {
      read_working_dir(value);
    } else if (entry.key == "on_disconnect") {
      read_on_disconnect(value);
    } else if (entry.key == "overlap_ok") {
      kind_.overlap_ok = reader_.boolean(value, entry.key).value_or(false);
    } else {
      read_number(entry);
    }
  }

  void read_number(const DocumentNode::Entry& entry) {
    for (const auto& knob : kKnobs) {
      if (knob.name != entry.key) continue;
      const auto number = reader_.integer(entry.value, entry.key, knob.low, knob.high);
      if (number) kind_.*knob.value = *number;
    }
  }

  void read_command(const DocumentNode& value) {
    if (!value.is_list() || value.items.empty() || value.items.size() > kCommandWordsMax) {
      reader_.problem(1026, reader_.place(value), "command of " + name_ + " is not a list of words",
                      "write command: [program, argument]; a shell line is [sh, -c, \"line\"]");
      return;
    }
    for (const auto& item : value.items) {
      kind_.command.push_back(reader_.word(item, "command").value_or(""));
    }
    if (kind_.command.front().empty()) {
      reader_.problem(1026, reader_.place(value.items.front()), "command names no program",
                      "write a program of PATH or a path");
    }
  }

  void read_environment(const DocumentNode& value) {
    if (!reader_.is_map_or_null(value, "environment")) return;
    for (const auto& entry : value.entries) {
      const bool ours = entry.key.starts_with("RIFTBUS_");
      if (!is_variable_name(entry.key) || ours || kind_.environment.size() >= kEnvironmentMax) {
        reader_.problem(1008, reader_.place(entry),
                        "\"" + entry.key.substr(0, 64) + "\" cannot be a variable of a job",
                        ours ? "names that begin with RIFTBUS_ are given by the node"
                             : "use at most 256 names of letters, digits and _");
        continue;
      }
      kind_.environment[entry.key] = reader_.word(entry.value, entry.key).value_or("");
    }
  }

  void read_needs(const DocumentNode& value) {
    kind_.needs = reader_.word(value, "needs").value_or("");
    const auto needs = work::Needs::parse(kind_.needs);
    if (needs) return;
    const auto& error = needs.error();
    reader_.problem(error.code, reader_.place(value), error.what + " (" + error.where + ")",
                    error.next);
  }

  void read_working_dir(const DocumentNode& value) {
    kind_.working_dir = reader_.word(value, "working_dir").value_or("");
    if (kind_.working_dir.empty() || kind_.working_dir.front() == '/') return;
    reader_.problem(1008, reader_.place(value), "working_dir of " + name_ + " is not absolute",
                    "begin with /, or leave it out: each attempt gets a fresh directory");
  }

  void read_on_disconnect(const DocumentNode& value) {
    const auto word = reader_.word(value, "on_disconnect");
    if (!word) return;
    if (*word == "kill" || *word == "finish") {
      kind_.on_disconnect = *word;
    } else {
      reader_.problem(1008, reader_.place(value),
                      "on_disconnect \"" + word->substr(0, 40) + "\" is neither kill nor finish",
                      "choose kill, unless two of it at once do no harm");
    }
  }

  // The job must be gone before its lease is: TERM and KILL need their time within it.
  void check_lease(const DocumentNode& body) {
    if (kind_.kill_grace_s * 4 <= kind_.lease_s) return;
    const auto* at = body.find("kill_grace_s");
    if (at == nullptr) at = body.find("lease_s");
    reader_.problem(1026, at == nullptr ? kind_.where : reader_.place(*at),
                    "kill_grace_s of " + name_ + " is more than a quarter of its lease_s",
                    "lengthen lease_s or shorten kill_grace_s");
  }

  DocumentReader& reader_;
  std::string name_;
  JobKind kind_;
};

std::string quote_words(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) {
    const bool plain = !word.empty() && word.find_first_of(" \t\n\"'\\$") == std::string::npos;
    text += (text.empty() ? "" : " ") + (plain ? word : "'" + word + "'");
  }
  return text;
}

}  // namespace

std::span<const JobKnob> job_knobs() { return kKnobs; }
std::span<const std::string_view> job_keys() { return kJobKeys; }

std::map<std::string, JobKind> read_jobs(const DocumentNode& jobs, DocumentReader& reader) {
  std::map<std::string, JobKind> kinds;
  if (!reader.is_map_or_null(jobs, "jobs")) return kinds;
  for (const auto& entry : jobs.entries) {
    if (!NodeId::is_valid(entry.key) || kinds.size() >= kJobKindsMax) {
      reader.problem(1026, reader.place(entry),
                     "\"" + entry.key.substr(0, 64) + "\" cannot name a kind of job",
                     "use 1 to 64 characters of A-Z a-z 0-9 . _ -, and at most 256 kinds");
      continue;
    }
    if (!reader.is_map_or_null(entry.value, "job kind " + entry.key)) continue;
    kinds.emplace(entry.key, JobReader(reader, entry).read(entry.value));
  }
  return kinds;
}

std::vector<std::pair<std::string, std::string>> describe_job(const JobKind& kind) {
  std::string variables;
  for (const auto& [name, value] : kind.environment) {
    variables += (variables.empty() ? "" : " ") + name + "=" + value;
  }
  std::map<std::string_view, std::string> texts{{"command", quote_words(kind.command)},
                                                {"environment", variables},
                                                {"needs", kind.needs},
                                                {"working_dir", kind.working_dir},
                                                {"on_disconnect", kind.on_disconnect},
                                                {"overlap_ok", kind.overlap_ok ? "true" : "false"}};
  for (const auto& knob : kKnobs) {
    texts[knob.name] =
        std::to_string(kind.*knob.value) + (knob.unit.empty() ? "" : " " + std::string(knob.unit));
  }
  std::vector<std::pair<std::string, std::string>> lines;
  for (const auto key : kJobKeys) lines.emplace_back(key, texts[key]);
  return lines;
}

}  // namespace riftbus
