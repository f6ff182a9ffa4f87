#!/bin/sh
# Installs groups of deploy/packages.txt: deploy/install-packages.sh [--list] GROUP...
#
# Only what is missing is installed, so a second run needs no network and no rights. Works as root
# (a bare container has no sudo) and as a user who may use sudo; asks no questions.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
list=$here/packages.txt

usage() {
  echo "usage: deploy/install-packages.sh [--list] GROUP..."
  echo "groups: $(sed -n 's/^\[\([a-z]*\)\].*/\1/p' "$list" | tr '\n' ' ')"
}

fail() {
  echo "install-packages: $1" >&2
  exit "${2:-1}"
}

# Prints the packages of one group, one per line.
group() {
  sed 's/#.*//' "$list" | awk -v want="[$1]" '
    $1 ~ /^\[/ { inside = ($1 == want); next }
    inside && NF { print $1 }'
}

# Masks the services of what is about to be installed; `systemctl unmask NAME` undoes it.
keep_stopped() {
  test -d /run/systemd/system || return 0
  for package in $1; do
    unit=$(sed -n "s/^$package unit=\([a-z-]*\)\$/\1/p" "$list" | head -n 1)
    path=/etc/systemd/system/$unit.service
    test -z "$unit" || test -e "$path" || as_root ln -s /dev/null "$path"
  done
}

is_installed() {
  test "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed
}

as_root() {
  if test "$(id -u)" -eq 0; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "needs root to install:$missing
  next: run this as root:  apt-get update && apt-get install --no-install-recommends$missing"
  fi
}

only_list=no
groups=
for word; do
  case $word in
    -h | --help) usage && exit 0 ;;
    --list) only_list=yes ;;
    -*) usage >&2 && fail "unknown option $word" 64 ;;
    *) groups="$groups $word" ;;
  esac
done
test -n "$groups" || { usage >&2 && exit 64; }

wanted=
for name in $groups; do
  packages=$(group "$name")
  test -n "$packages" || { usage >&2 && fail "no group called $name" 64; }
  wanted="$wanted $packages"
done
if test "$only_list" = yes; then
  for package in $wanted; do echo "$package"; done | sort -u
  exit 0
fi

command -v apt-get >/dev/null || fail "not a Debian system: install by hand what --list prints"

missing=
for package in $wanted; do
  case " $missing " in *" $package "*) continue ;; esac
  is_installed "$package" || missing="$missing $package"
done
test -n "$missing" || exit 0

echo "installing:$missing"
as_root apt-get -q -o DPkg::Lock::Timeout=300 update ||
  fail "apt-get update failed: are the Debian 12 mirrors reachable?"
keep_stopped "$missing"
# shellcheck disable=SC2086  # a list of names, split on purpose
as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
  install --no-install-recommends $missing ||
  fail "apt-get install failed; the lines above say why"
for package in $missing; do
  is_installed "$package" || fail "$package is still missing after apt-get install"
done
