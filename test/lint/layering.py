#!/usr/bin/python3
"""Checks the house rules on a source tree: layering.py [ROOT]; --self-test checks the checker."""

import os
import sys
import tempfile

import rules

# Each entry breaks one rule in an otherwise clean tree. Split words are put together here so that
# this file stays clean itself.
BROKEN = {
    "top-level": {"util/a.h": "#pragma once\n"},
    "include-direction": {"bus/a.cpp": '#include "node/n.h"\n', "node/n.h": "#pragma once\n"},
    "purity": {"bus/wire/a.cpp": "#include <mutex>\n"},
    "file-size": {"bus/a.cpp": "int a;\n" * (rules.FILE_LINES_MAX + 1)},
    "function-size": {
        "bus/a.cpp": "Foo::Foo(int a) : a_(a), b_{1} {\n" + "  a();\n" * 60 + "}\n"},
    "line-width": {"bus/a.cpp": "// " + "x" * rules.LINE_COLUMNS_MAX + "\n"},
    "using-namespace": {"bus/a.cpp": "using " "namespace std;\n"},
    "pragma-once": {"bus/a.h": "// An essay.\n#include <vector>\n"},
    "own-header-first": {"bus/a.cpp": '#include <map>\n#include "bus/a.h"\n',
                         "bus/a.h": "#pragma once\n"},
    "banned-call": {"bus/a.cpp": 'int a = ato' 'i("1");\n'},
    "unfinished": {"bus/a.cpp": "// TO" "DO: later\n"},
    "machine-words": {"README.md": "see /wo" "rk/notes\n"},
    "sleep-in-test": {"test/bus/a.cpp": "void f() { std::this_thread::sleep" "_for(x); }\n"},
    "summary-words": {"bus/wire/describe.cpp": 'Words w;\nw.add("inc", 1).flag("rare", true);\n',
                      "bus/tap/filter_parser.cpp": 'kSummaryWords{"inc"};\n'},
    "foreign-address": {"README.md": "connect to 8.8" ".8.8\n"},
}
# More ways to break a rule than one each.
ALSO_BROKEN = [
    ("include-direction", {"config/a.cpp": '#include "bus/b.h"\n', "bus/b.h": "#pragma once\n"}),
    ("include-direction", {"relay/a.cpp": '#include "node/n.h"\n', "node/n.h": "#pragma once\n"}),
    ("include-direction", {"bus/b.cpp": '#include "a.h"\n', "bus/a.h": "#pragma once\n"}),
    ("include-direction", {"test/sim/a.cpp": '#include "bus/b.h"\n', "bus/b.h": "#pragma once\n"}),
    ("purity", {"node/membership/a.cpp": "auto t = std::chrono::steady_clock::now();\n"}),
    ("purity", {"bus/wire/a.h": "#pragma once\n#include <unordered_map>\n"}),
    ("purity", {"bus/wire/a.h": "#pragma once\n#include <sys/socket.h>\n"}),
    ("purity", {"config/types.cpp": '#include "config/types.h"\n\n#include <fstream>\n'}),
    ("unfinished", {"node/a.cpp": "// a st" "ub for the moment\n"}),
    ("sleep-in-test", {"test/live/a.py": "time.sleep" "(1)\n"}),
    ("function-size", {"bus/a.h": "#pragma once\nstruct A {\n  int f() const {\n" + "a();\n" * 60 +
                       "  }\n};\n"}),
]
CLEAN = {
    "README.md": "loopback 127.0.0.1, documentation 192.0.2.7, version 4.3.4\n",
    "config/types.h": "// An essay.\n#pragma once\n\n#include <chrono>\n",
    "bus/wire/codec.h": '// Says "mutex" and <mutex> in words.\n#pragma once\n'
                        '#include "config/types.h"\n',
    "bus/wire/codec.cpp": '#include "bus/wire/codec.h"\n\nstatic const char* kText = "printf(";\n',
    "bus/socket.cpp": "#include <mutex>\n#include <zmq.hpp>\n"
                      "Foo::Foo() : a_{1}, b_(2) {\n" + "  a();\n" * 50 + "}\n",
    "test/bus/b_test.cpp": "using " "namespace std::string_literals;\nauto text = R\"(" +
                           "x" * 120 + "\n)\";\n",
    "test/bus/a_test.cpp": "TEST(A, B) {\n" + "  a();\n" * 50 + "}\n",
}


def findings_of(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)) or root, exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        return check(root)


def check(root):
    tree = rules.Tree(root)
    return [finding for rule in rules.ALL for finding in rule(tree)]


def self_test():
    failures = [f"a clean tree was blamed: {finding}" for finding in findings_of(CLEAN)]
    for rule, files in list(BROKEN.items()) + ALSO_BROKEN:
        found = {finding.rule for finding in findings_of({**CLEAN, **files})}
        if found != {rule}:
            failures.append(f"{rule}: {list(files)} gave {sorted(found) or 'nothing'}")
    for failure in failures:
        print(failure)
    print(f"{len(BROKEN)} rules, {len(BROKEN) + len(ALSO_BROKEN)} ways to break them,"
          f" {len(failures)} not noticed as they should be")
    return 1 if failures else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    root = arguments[0] if arguments else os.path.join(os.path.dirname(__file__), "..", "..")
    findings = check(os.path.abspath(root))
    for finding in sorted(findings, key=lambda f: (f.path, f.line)):
        print(f"{finding.path}:{finding.line}: {finding.text} [{finding.rule}]")
    print(f"{len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
