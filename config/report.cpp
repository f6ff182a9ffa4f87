#include "config/report.h"

#include <algorithm>

#include "config/env.h"
#include "config/exit_status.h"
#include "config/legacy.h"
#include "config/load.h"
#include "config/printable.h"
#include "config/settings.h"
#include "config/validate.h"

namespace riftbus {

namespace {

using Json = nlohmann::json;

Json place_json(const SourcePlace& place) {
  Json json{{"source", place.to_string()}};
  if (place.line > 0) {
    json["file"] = place.file;
    json["line"] = place.line;
    if (place.column > 0) json["column"] = place.column;
  }
  return json;
}

Json problems_json(const Diagnostics& diagnostics) {
  Json list = Json::array();
  for (const auto& each : diagnostics.sorted()) {
    Json json = place_json(each.where);
    json["severity"] = to_string(each.severity);
    json["code"] = Error{each.code, "", "", ""}.code_text();
    json["what"] = each.what;
    if (!each.hint.empty()) json["hint"] = each.hint;
    list.push_back(std::move(json));
  }
  return list;
}

std::string problems_text(const Diagnostics& diagnostics) {
  std::string text;
  for (const auto& each : diagnostics.sorted()) text += each.to_string() + "\n";
  if (diagnostics.dropped() > 0) {
    text += "F-1023: " + std::to_string(diagnostics.dropped()) + " more problems not shown\n";
  }
  return text;
}

std::string count_text(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string file_text(const CheckedFile& file) {
  std::string text = make_printable(file.path) + ": ";
  if (!file.kind) return text + "not checked\n";
  text += to_string(*file.kind);
  if (*file.kind == FileKind::node_conf)
    return text + ", " + count_text(file.settings, "setting") + "\n";
  text += ", " + count_text(file.nodes, "node") + ", " + count_text(file.voters, "voter");
  if (file.jobs > 0) text += ", " + count_text(file.jobs, "kind") + " of jobs";
  return text + "\n";
}

Json file_json(const CheckedFile& file) {
  Json json{{"path", make_printable(file.path)}, {"kind", nullptr}};
  if (!file.kind) return json;
  json["kind"] = to_string(*file.kind);
  if (*file.kind == FileKind::node_conf) {
    json["settings"] = file.settings;
  } else {
    json["nodes"] = file.nodes;
    json["voters"] = file.voters;
    json["jobs"] = file.jobs;
  }
  return json;
}

std::string verdict_text(const Diagnostics& diagnostics) {
  return count_text(diagnostics.error_count(), "error") + ", " +
         count_text(diagnostics.warning_count(), "warning") + "\n";
}

// Width in characters people see, near enough: UTF-8 continuation bytes do not count.
std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u;
  }));
}

std::string pad(std::string text, std::size_t width) {
  const auto have = display_width(text);
  if (have < width) text.append(width - have, ' ');
  return text;
}

}  // namespace

CheckedFile check_config_text(std::string_view text, const std::string& path,
                              std::optional<FileKind> kind, Diagnostics& diagnostics) {
  CheckedFile file{path, kind ? kind : detect_file_kind(text), 0, 0, 0, 0};
  if (file.kind == FileKind::node_conf) {
    const auto inputs = read_node_conf(text, path, diagnostics);
    NodeSettings scratch;
    for (const auto& input : inputs) {
      const auto status = find_setting(input.key)->assign(scratch, input.texts);
      if (status) continue;
      diagnostics.error(status.error().code, input.where, status.error().what, status.error().next);
    }
    file.settings = inputs.size();
    return file;
  }
  const auto root = parse_document(text, path, diagnostics);
  if (!root) return file;
  if (!file.kind) {
    diagnostics.error(1021, {path, 0, 0}, "not a cluster.yaml, distributed_hosts.yaml or node.conf",
                      "name its kind with --format");
    return file;
  }
  const auto cluster = file.kind == FileKind::distributed_hosts
                           ? read_distributed_hosts(*root, path, diagnostics)
                           : read_cluster_yaml(*root, path, diagnostics);
  validate_cluster(cluster, diagnostics);
  file.nodes = cluster.nodes.size();
  file.voters = cluster.voters.size();
  file.jobs = cluster.jobs.size();
  return file;
}

ConfigReport check_config_files(const std::vector<std::string>& paths,
                                std::optional<FileKind> kind) {
  Diagnostics diagnostics;
  ConfigReport report;
  Json files = Json::array();
  std::string summary;
  for (const auto& path : paths) {
    const auto text = read_config_file(path);
    CheckedFile file{path, std::nullopt, 0, 0, 0, 0};
    if (text) {
      file = check_config_text(*text, path, kind, diagnostics);
    } else {
      const auto& error = text.error();
      diagnostics.error(error.code, {path, 0, 0}, error.what, error.next);
    }
    summary += file_text(file);
    files.push_back(file_json(file));
  }
  report.text = problems_text(diagnostics) + summary + verdict_text(diagnostics);
  report.json = {{"schema", 1},
                 {"ok", !diagnostics.has_errors()},
                 {"files", std::move(files)},
                 {"errors", diagnostics.error_count()},
                 {"warnings", diagnostics.warning_count()},
                 {"problems_not_shown", diagnostics.dropped()},
                 {"problems", problems_json(diagnostics)}};
  report.exit_code = diagnostics.has_errors() ? kExitConfig : 0;
  return report;
}

ConfigReport show_config(const EffectiveConfig& effective, const Diagnostics& diagnostics) {
  ConfigReport report;
  std::size_t key_width = 0;
  std::size_t value_width = 0;
  const auto shown = [](const EffectiveValue& value) {
    if (value.text.empty()) return std::string("-");
    return value.unit.empty() ? value.text : value.text + " " + value.unit;
  };
  constexpr std::size_t kValueWidthMax = 32;
  for (const auto& value : effective.values) {
    key_width = std::max(key_width, value.key.size());
    value_width = std::max(value_width, std::min(display_width(shown(value)), kValueWidthMax));
  }
  Json values = Json::array();
  for (const auto& value : effective.values) {
    report.text += pad(value.key, key_width + 2) + pad(shown(value), value_width) + "  " +
                   value.source.to_string() + "\n";
    Json json = place_json(value.source);
    json["key"] = value.key;
    json["value"] = value.text.empty() ? Json(nullptr) : Json(value.text);
    if (!value.unit.empty()) json["unit"] = value.unit;
    values.push_back(std::move(json));
  }
  report.text += problems_text(diagnostics);
  report.json = {{"schema", 1},
                 {"node", effective.node.node_id.value()},
                 {"cluster", effective.node.cluster},
                 {"values", std::move(values)},
                 {"errors", diagnostics.error_count()},
                 {"warnings", diagnostics.warning_count()},
                 {"problems", problems_json(diagnostics)}};
  report.exit_code = diagnostics.has_errors() ? kExitConfig : 0;
  return report;
}

}  // namespace riftbus
