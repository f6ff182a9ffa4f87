#!/usr/bin/python3
"""clang-tidy on every source of a build folder.

tidy.py BUILD [--jobs N] [--quick] [--tests] [FILE...]

A file is examined again only when it, a header of ours that it reaches, .clang-tidy or clang-tidy
itself has changed since it was last found clean: the names of clean states are kept in
BUILD/tidy-clean/. A first run therefore costs minutes and the next one seconds. Sources of tests
are left out unless --tests is given: GoogleTest's macros drown the findings.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def reach(path, seen):
    """Adds `path` and every header of ours that it includes, directly or not, to `seen`."""
    if path in seen or not os.path.isfile(path):
        return
    seen.add(path)
    for header in re.findall(rb'^\s*#\s*include\s*"([^"]+)"', read(path), re.M):
        reach(os.path.join(ROOT, header.decode()), seen)


def state_of(path, base):
    seen = set()
    reach(path, seen)
    digest = hashlib.sha256(base)
    for name in sorted(seen):
        digest.update(os.path.relpath(name, ROOT).encode() + b"\0" + read(name))
    return digest.hexdigest()


def examine(path, build, extra):
    started = time.monotonic()
    done = subprocess.run(["clang-tidy", "--quiet", "--extra-arg=-Wno-unknown-warning-option",
                           *extra, "-p", build, path], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.returncode, done.stdout, time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--tests", action="store_true")
    parser.add_argument("--quick", action="store_true",
                        help="without the path-sensitive analyzer: a third of the time")
    parser.add_argument("files", nargs="*")
    options = parser.parse_intermixed_args()

    with open(os.path.join(options.build, "compile_commands.json"), encoding="utf-8") as file:
        known = {entry["file"] for entry in json.load(file) if entry["file"].endswith(".cpp")}
    wanted = {os.path.abspath(name) for name in options.files} or known
    tests = os.path.join(ROOT, "test") + os.sep
    paths = sorted(p for p in known & wanted if options.tests or not p.startswith(tests))
    extra = ["--checks=-clang-analyzer-*"] if options.quick else []
    base = "".join(extra).encode() + read(os.path.join(ROOT, ".clang-tidy")) + subprocess.run(
        ["clang-tidy", "--version"], check=True, stdout=subprocess.PIPE).stdout
    clean = os.path.join(options.build, "tidy-clean")
    os.makedirs(clean, exist_ok=True)

    states = {path: state_of(path, base) for path in paths}
    due = [path for path in paths if not os.path.exists(os.path.join(clean, states[path]))]
    print(f"clang-tidy: {len(paths)} sources, {len(due)} to examine", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        work = {pool.submit(examine, path, options.build, extra): path for path in due}
        for future in concurrent.futures.as_completed(work):
            path = work[future]
            code, text, seconds = future.result()
            if code == 0:
                with open(os.path.join(clean, states[path]), "w", encoding="utf-8"):
                    pass
                continue
            failed += 1
            print(f"{os.path.relpath(path, ROOT)} ({seconds:.0f} s)\n{text}", flush=True)
    print(f"clang-tidy: {failed} of {len(due)} examined sources have findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
