// The shells' side of completion: short scripts that ask `riftbus __complete`.
#include <array>

#include "node/ctl/complete.h"

namespace riftbus::ctl {

namespace {

constexpr std::string_view kBash = R"(# bash completion for riftbus
_riftbus() {
  local cur=${COMP_WORDS[COMP_CWORD]} line
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :file) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur") ;;
      :directory) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$cur") ;;
      *) COMPREPLY+=("$line") ;;
    esac
  done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o filenames -F _riftbus riftbus
)";

constexpr std::string_view kZsh = R"(#compdef riftbus
_riftbus() {
  local -a lines offered
  local line
  lines=("${(@f)$(${words[1]} __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    case $line in
      :file) _files ;;
      :directory) _files -/ ;;
      *) offered+=("$line") ;;
    esac
  done
  compadd -a offered
}
if [ "$funcstack[1]" = "_riftbus" ]; then _riftbus; else compdef _riftbus riftbus; fi
)";

constexpr std::string_view kFish = R"(# fish completion for riftbus
function __riftbus_complete
  set -l words (commandline -opc)
  for line in ($words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null)
    switch $line
      case ':file'
        __fish_complete_path (commandline -ct)
      case ':directory'
        __fish_complete_directories (commandline -ct)
      case '*'
        echo $line
    end
  end
end
complete -c riftbus -f -a '(__riftbus_complete)'
)";

struct Script {
  std::string_view shell;
  std::string_view text;
};
constexpr auto kScripts = std::to_array<Script>({{"bash", kBash}, {"zsh", kZsh}, {"fish", kFish}});

}  // namespace

std::string completion_script(std::string_view shell) {
  for (const auto& script : kScripts) {
    if (script.shell == shell) return std::string(script.text);
  }
  return "";
}

std::vector<std::string_view> known_shells() {
  std::vector<std::string_view> shells;
  for (const auto& script : kScripts) shells.push_back(script.shell);
  return shells;
}

}  // namespace riftbus::ctl
