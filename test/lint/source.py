"""Reads C++ sources far enough to judge their shape: comments, strings, functions."""

import re


def blank_comments_and_strings(text):
    """Same text with comments and literals blanked, line breaks kept."""
    pattern = re.compile(
        r'R"(?P<tag>[^()\s]{0,16})\(.*?\)(?P=tag)"'
        r"|//[^\n]*|/\*.*?\*/"
        r'|"(?:\\.|[^"\\\n])*"'
        r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
        re.S,
    )

    def blank(match):
        found = match.group(0)
        lines = "\n" * found.count("\n")
        return (" " if found.startswith("/") else '""') + lines

    return pattern.sub(blank, text)


def raw_string_lines(text):
    """Numbers of the lines that a raw string covers: golden texts are as wide as they are."""
    lines = set()
    for match in re.finditer(r'R"(?P<tag>[^()\s]{0,16})\(.*?\)(?P=tag)"', text, re.S):
        first = text.count("\n", 0, match.start()) + 1
        lines.update(range(first, first + match.group(0).count("\n") + 1))
    return lines


def includes(text):
    """(line number, 'quoted' or 'angle', path) of each include."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            found.append((number, "angle" if match.group(1) == "<" else "quoted", match.group(2)))
    return found


def functions(text):
    """(first line, line count, heading) of each outermost function body. A heuristic that leans on
    clang-format: a body's brace stands after a blank, an initialiser's brace does not."""
    code = re.sub(r"(?m)^\s*#.*?(?<!\\)$", "", blank_comments_and_strings(text))
    found = []
    stack = []  # (kind, heading, first line)
    heading, heading_line, line = "", 0, 1
    for index, char in enumerate(code):
        if char == "\n":
            line += 1
        if char == "{":
            before = code[index - 1] if index else " "
            kind = _kind_of_block(heading, before, stack)
            stack.append((kind, heading, heading_line or line))
            if kind != "initialiser":
                heading, heading_line = "", 0
            continue
        if char == "}" and stack:
            kind, head, first = stack.pop()
            if kind == "function":
                found.append((first, line - first + 1, " ".join(head.split())))
            if kind != "initialiser":
                heading, heading_line = "", 0
            continue
        if char == ";":
            heading, heading_line = "", 0
            continue
        if not char.isspace() and not heading.strip():
            heading_line = line
        heading += char
    return found


def _kind_of_block(heading, before, stack):
    if any(kind == "function" for kind, _, _ in stack):
        return "inner"
    if stack and stack[-1][0] == "initialiser":
        return "initialiser"
    text = heading.strip()
    if re.search(r"\bnamespace\b|^extern\b", text):
        return "scope"
    if re.search(r"\b(class|struct|union|enum)\b", text) and not text.endswith(")"):
        return "scope"
    if not before.isspace() or text.endswith(("=", ",", "(", "return")):
        return "initialiser"
    return "function" if "(" in text else "initialiser"
