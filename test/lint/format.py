#!/usr/bin/python3
"""clang-format on every C++ source, shellcheck on every script: format.py cpp|shell."""

import os
import shutil
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
ROOMS = ("bus", "config", "deploy", "node", "relay", "test", "tunnel")


def files(suffixes):
    found = [os.path.join(ROOT, ".ci", "run")] if ".sh" in suffixes else []
    for room in ROOMS:
        for folder, _, names in os.walk(os.path.join(ROOT, room)):
            found += [os.path.join(folder, name) for name in names if name.endswith(suffixes)]
    return sorted(found)


def run(program, arguments, names):
    if not shutil.which(program):
        print(f"{program} is not installed: deploy/install-packages.sh test")
        return 1
    print(f"{program}: {len(names)} files")
    return subprocess.run([program, *arguments, *names], check=False).returncode


def main(what):
    if what == "cpp":
        return run("clang-format", ["--dry-run", "-Werror", "--style=file"],
                   files((".h", ".cpp")))
    if what == "shell":
        return run("shellcheck", ["-x", "-P", "SCRIPTDIR"], files((".sh",)))
    print(__doc__)
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else ""))
