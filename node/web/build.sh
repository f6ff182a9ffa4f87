#!/bin/sh
# Builds node/web/dist anew from node/web/src. The result is committed, so that building the daemon
# needs no node.
#   build.sh [FOLDER]    into FOLDER instead of dist
# Packages come from whatever registry npm is set to (package-lock.json names none) and stay in
# build/web.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-$here/dist}
work=$here/../../build/web
mkdir -p "$to" "$work"
to=$(cd "$to" && pwd)
work=$(cd "$work" && pwd)
if ! cmp -s "$here/package-lock.json" "$work/package-lock.json"; then
  cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$work/"
  (cd "$work" && npm ci --no-audit --no-fund --loglevel=error) || {
    rm -f "$work/package-lock.json"
    exit 1
  }
fi
rm -rf "$work/src"
cp -r "$here/src" "$work/src"
cd "$work"
banner='/* Riftbus. Contains preact (MIT), htm (Apache-2.0) and uPlot (MIT). */'
build() {
  name=$1
  shift
  node_modules/.bin/esbuild "src/$name" --bundle --minify --charset=utf8 --legal-comments=eof \
    --log-level=warning --outfile="$to/$name" "$@"
}
build app.js --format=esm --target=es2022 --banner:js="$banner"
build app.css --target=chrome120,firefox121,safari17
cp "$here/src/index.html" "$here/src/icon.svg" "$to/"
