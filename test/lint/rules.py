"""The house rules, one function each. A rule takes a Tree and yields Findings."""

import ipaddress
import os
import re
from collections import namedtuple

import source

Finding = namedtuple("Finding", "rule path line text")

TOP_LEVEL = {
    "CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md",
    "bus", "config", "deploy", "node", "relay", "test", "tunnel",
}
# Which rooms a room may include. The three daemons meet on the wire, never in a header.
MAY_INCLUDE = {
    "config": {"config"},
    "bus": {"config", "bus"},
    "node": {"config", "bus", "node"},
    "relay": {"config", "bus", "relay"},
    "tunnel": {"config", "bus", "tunnel"},
}
# Folders inside the rooms that are narrower than their room; the longest prefix decides.
MAY_INCLUDE_NARROW = {
    "bus/wire": ("config", "bus/wire"),
    "node/membership": ("config", "bus/wire", "node/membership"),
    "node/ctl": ("config", "bus", "node/ctl", "node/work"),
    "tunnel/session": ("config", "tunnel/session"),
    "relay/gate": ("config", "relay/gate"),
    "test/sim": ("config", "bus/wire", "node/membership", "test/sim"),
    "test/sim/queue": ("config", "bus/wire", "node/consensus", "node/work", "node/replica",
                       "node/jobs", "test/sim", "test/node/work"),
}
PURE_FOLDERS = ("bus/wire/", "node/membership/", "node/election/", "node/consensus/", "node/work/",
                "node/replica/", "node/carry/", "node/jobs/", "node/sync/", "tunnel/session/",
                "relay/gate/")
# In config/ the vocabulary is pure; what reads files or the environment is not.
PURE_CONFIG = re.compile(
    r"config/(types|result|random|roster|roster_\w+|address|error_catalog|needs|offer|job_kind"
    r"|forward|relay_places)\.")
IMPURE_CONFIG = re.compile(r"config/roster_(file|disk)\w*\.")
# <arpa/inet.h> is not here: inet_pton() only reads text.
IMPURE_HEADERS = re.compile(
    r"^(zmq|zmq_addon|sqlite|SQLiteCpp|spdlog|fmt|unistd|fcntl|poll|signal|pthread|ifaddrs|netdb"
    r"|time|sched|errno|dirent)(\.h(pp)?)?(/|$)"
    r"|^(sys|netinet|net|linux)/"
    r"|^(fstream|iostream|filesystem|thread|mutex|shared_mutex|condition_variable|atomic|future"
    r"|semaphore|latch|barrier|stop_token|random|ctime|csignal|unordered_map|unordered_set)$"
)
IMPURE_CALLS = re.compile(
    r"_clock::now\b|\bclock_gettime\b|\bgettimeofday\b|\bstd::time\(|\bthread_local\b"
    r"|\brandom_device\b|\bmt19937|\bgetenv\b|\bstd::(cout|cerr|clog)\b|\bf?printf\(|\bfopen\("
    r"|\bstd::(jthread|thread|mutex|async)\b|\bunordered_(map|set)\b|\bsocket\("
)
BANNED_CALLS = re.compile(
    r"(?<![\w.>])(strcpy|strcat|sprintf|gets|atoi|atol|atof|rand|srand|system|popen|tmpnam|alloca)"
    r"\s*\("
)
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
LINE_COLUMNS_MAX = 100
# Spelt in pieces, so that this list does not find itself.
UNFINISHED_NOTES = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
UNFINISHED_WORDS = re.compile(
    r"\b(st" r"ub(s|bed)?|place" r"holder|not impl" r"emented|lorem ip" r"sum)\b", re.I)
MACHINE = re.compile(
    r"(?<![\w.$}])/(wo" r"rk/(main|notes|sha" r"red)\b|workspace/)|\.\./sha" r"red\b"
    r"|(?<![\w.$}])/(home|Users)/[a-z]\w*/"
    r"|/tmp/bui" r"ld-|\b(cla" r"ude|chat" r"gpt|anth" r"ropic|language mo" r"del"
    r"|AI[- ]gen" r"erated)\b", re.I)
USING_NAMESPACE = re.compile(r"\busing\s+namespace\s+(?!std::(\w+::)*\w*literals;)")
SLEEPS = re.compile(r"\bsleep_(for|until)\b|\b(u|nano)?sleep\s*\(")
NETWORKS_ALLOWED = [ipaddress.ip_network(text) for text in (
    "127.0.0.0/8", "0.0.0.0/32", "255.255.255.255/32", "192.0.2.0/24", "198.51.100.0/24",
    "203.0.113.0/24", "100.64.0.0/10", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
    "169.254.0.0/16", "224.0.0.0/4",
    # Neighbours of special ranges, where tests of bounds stand; nobody connects to them.
    "126.255.255.255/32", "128.0.0.1/32", "100.63.0.1/32", "100.128.0.1/32", "172.32.0.1/32",
)]
SOURCE_SUFFIXES = (".h", ".cpp")
SCRIPT_SUFFIXES = (".py", ".sh", ".cmake")
TEXT_SUFFIXES = SOURCE_SUFFIXES + SCRIPT_SUFFIXES + (
    ".md", ".txt", ".json", ".yaml", ".yml", ".conf")


class Tree:
    """The files of a checkout, read once. Build folders and dot folders are not looked at."""

    def __init__(self, root):
        self.root = root
        self.top = sorted(name for name in os.listdir(root)
                          if not name.startswith(".") and not name.startswith("build")
                          and name not in ("__pycache__", "compile_commands.json", "Testing"))
        self.texts = {}
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(name for name in folders if not name.startswith(".")
                                and name not in ("__pycache__", "corpus", "crashes")
                                and not (folder == root and name.startswith("build")))
            for name in sorted(files):
                path = os.path.relpath(os.path.join(folder, name), root)
                if path.endswith(TEXT_SUFFIXES):
                    with open(os.path.join(root, path), encoding="utf-8",
                              errors="replace") as file:
                        self.texts[path] = file.read()

    def sources(self):
        return [(p, t) for p, t in self.texts.items() if p.endswith(SOURCE_SUFFIXES)]

    def code(self):
        return [(p, t) for p, t in self.texts.items()
                if p.endswith(SOURCE_SUFFIXES + SCRIPT_SUFFIXES)]


def is_pure(path):
    if path.startswith(PURE_FOLDERS):
        return True
    return bool(PURE_CONFIG.match(path)) and not IMPURE_CONFIG.match(path)


def matching_lines(text, pattern):
    for number, line in enumerate(text.split("\n"), 1):
        match = pattern.search(line)
        if match:
            yield number, match.group(0).strip()


def top_level(tree):
    for name in tree.top:
        if name not in TOP_LEVEL:
            yield Finding("top-level", name, 0, "the top level is fixed: move this into a room")


def include_direction(tree):
    for path, text in tree.sources():
        room = path.split("/")[0]
        narrow = max((p for p in MAY_INCLUDE_NARROW if path.startswith(p + "/")),
                     key=len, default=None)
        for line, kind, header in source.includes(text):
            if kind != "quoted":
                continue
            if header not in tree.texts:
                yield Finding("include-direction", path, line,
                              f'"{header}" is not a path from the root of the tree')
            elif narrow and not header.startswith(
                    tuple(p + "/" for p in MAY_INCLUDE_NARROW[narrow])):
                yield Finding("include-direction", path, line,
                              f"{narrow}/ must not include {header}")
            elif room in MAY_INCLUDE and header.split("/")[0] not in MAY_INCLUDE[room]:
                yield Finding("include-direction", path, line,
                              f"{room}/ must not include {header}")


def purity(tree):
    for path, text in tree.sources():
        if not is_pure(path):
            continue
        for line, kind, header in source.includes(text):
            if kind == "angle" and IMPURE_HEADERS.search(header):
                yield Finding("purity", path, line, f"a pure file includes <{header}>")
            if kind == "quoted" and header in tree.texts and header.startswith("bus/") \
                    and not header.startswith("bus/wire/"):
                yield Finding("purity", path, line, f"a pure file includes {header}")
        for line, call in matching_lines(source.blank_comments_and_strings(text), IMPURE_CALLS):
            yield Finding("purity", path, line, f"a pure file uses {call}")


def file_size(tree):
    for path, text in tree.code():
        count = text.count("\n")
        if count > FILE_LINES_MAX:
            yield Finding("file-size", path, FILE_LINES_MAX + 1,
                          f"{count} lines, {FILE_LINES_MAX} are allowed")


def function_size(tree):
    for path, text in tree.sources():
        for line, count, heading in source.functions(text):
            if count > FUNCTION_LINES_MAX:
                yield Finding("function-size", path, line,
                              f"{count} lines, {FUNCTION_LINES_MAX} are allowed: {heading[:60]}")


def line_width(tree):
    for path, text in tree.code():
        raw = source.raw_string_lines(text) if path.endswith(SOURCE_SUFFIXES) else ()
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > LINE_COLUMNS_MAX and number not in raw:
                yield Finding("line-width", path, number, f"{len(line)} columns")


def header_shape(tree):
    """#pragma once first, no using namespace, own header first."""
    for path, text in tree.sources():
        code = source.blank_comments_and_strings(text)
        for line, found in matching_lines(code, USING_NAMESPACE):
            if path.startswith("test/") and text.split("\n")[line - 1].startswith(" "):
                continue  # inside one function of a test
            yield Finding("using-namespace", path, line, found)
        if path.endswith(".h"):
            first = next((line for line in code.split("\n") if line.strip()), "")
            if first.strip() != "#pragma once":
                yield Finding("pragma-once", path, 1, "#pragma once is not the first directive")
            continue
        own = path[:-4] + ".h"
        found = source.includes(text)
        if own in tree.texts and found and found[0][2] != own:
            yield Finding("own-header-first", path, found[0][0], f"{own} is not included first")


def banned_calls(tree):
    for path, text in tree.sources():
        for line, call in matching_lines(source.blank_comments_and_strings(text), BANNED_CALLS):
            yield Finding("banned-call", path, line, call)


def unfinished(tree):
    for path, text in tree.texts.items():
        for pattern in (UNFINISHED_NOTES, UNFINISHED_WORDS):
            for line, word in matching_lines(text, pattern):
                yield Finding("unfinished", path, line, f"'{word}'")


def machine_words(tree):
    for path, text in tree.texts.items():
        if path.endswith((".yaml", ".yml", ".conf")):
            continue  # what users wrote in their files stays as they wrote it
        for line, word in matching_lines(text, MACHINE):
            yield Finding("machine-words", path, line, f"'{word}'")


def sleeps_in_tests(tree):
    for path, text in tree.texts.items():
        if path.startswith("test/") and path.endswith(".cpp"):
            text = source.blank_comments_and_strings(text)
        elif not (path.startswith("test/live/") and path.endswith(".py")):
            continue
        for line, call in matching_lines(text, SLEEPS):
            yield Finding("sleep-in-test", path, line, call)


def foreign_addresses(tree):
    pattern = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?![\w.]*\d)")
    for path, text in tree.texts.items():
        for number, line in enumerate(text.split("\n"), 1):
            for found in pattern.findall(line):
                try:
                    address = ipaddress.ip_address(found)
                except ValueError:
                    continue
                if not any(address in network for network in NETWORKS_ALLOWED):
                    yield Finding("foreign-address", path, number,
                                  f"{found} belongs to somebody: use 192.0.2.0/24")


def summary_words(tree):
    """A tap can filter by every word that a message's summary may hold, also by rare ones."""
    said = tree.texts.get("bus/wire/describe.cpp", "")
    known = set(re.findall(r'"([\w-]+)"', tree.texts.get("bus/tap/filter_parser.cpp", "") +
                           tree.texts.get("bus/tap/field.cpp", "")))
    for line, text in enumerate(said.split("\n"), 1):
        for word in re.findall(r'\b(?:add|flag|quote)\("([\w-]+)"', text):
            if word not in known:
                yield Finding("summary-words", "bus/wire/describe.cpp", line,
                              f"'{word}' is missing in kSummaryWords (bus/tap/filter_parser.cpp)")


ALL = (top_level, include_direction, purity, file_size, function_size, line_width, header_shape,
       banned_calls, unfinished, machine_words, sleeps_in_tests, foreign_addresses, summary_words)
