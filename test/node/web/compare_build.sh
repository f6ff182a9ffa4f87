#!/bin/sh
# Builds the dashboard anew and compares with what is committed. 77: the packages cannot be had.
set -eu
web=$(cd "$(dirname "$0")/../../../node/web" && pwd)
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
if ! "$web/build.sh" "$fresh"; then
  [ -d "$web/../../build/web/node_modules/esbuild" ] && exit 1
  exit 77
fi
for name in index.html app.js app.css icon.svg; do
  cmp "$web/dist/$name" "$fresh/$name" || {
    echo "node/web/dist/$name is not what node/web/src gives: run node/web/build.sh"
    exit 1
  }
done
