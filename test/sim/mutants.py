#!/usr/bin/python3
"""The test of the tests: each planted bug must be caught.

A mutant (test/sim/mutants/*.mutant, test/sim/queue/mutants/*.mutant) names a source file, a piece
of it, and what stands there instead. The file (of a header: the sources that it names) is compiled
with the change, linked against the otherwise unchanged simulator, and played: first the golden
scripts and scenarios that the mutant names, then all scripts and the whole fast set. Nothing
failed? Then the checkers have a hole. The piece is not found exactly once? Then the source has
moved on and the mutant must follow. Both are failures of this test.
"""
import argparse
import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys
import time

SECTIONS = ("file:", "compile:", "scripts:", "scenarios:")


class Mutant:
    def __init__(self, path):
        self.name = path.stem
        text = path.read_text(encoding="utf-8")
        head, _, rest = text.partition("---- find\n")
        self.find, _, self.replace = rest.partition("---- replace\n")
        lines = head.splitlines()
        self.what = " ".join(line[2:] for line in lines if line.startswith("# "))
        values = {k: line[len(k):].strip() for line in lines for k in SECTIONS
                  if line.startswith(k)}
        self.file = values.get("file:", "")
        self.sources = values.get("compile:", self.file).split()
        self.scripts = values.get("scripts:", "").split()
        self.scenarios = values.get("scenarios:", "").split()
        if not (self.what and self.file and self.find and rest):
            raise SystemExit(f"{path}: needs '# what', 'file:', '---- find' and '---- replace'")


def apply(source, mutant):
    """The source with the mutant's piece replaced; None unless it is there exactly once."""
    # Whitespace is the formatter's business, not the mutant's.
    pattern = r"\s*".join(re.escape(word) for word in tokens(mutant.find))
    if len(re.findall(pattern, source)) != 1:
        return None
    return re.sub(pattern, lambda _: mutant.replace.strip("\n"), source)


def tokens(text):
    return re.findall(r"\w+|[^\w\s]", text)


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr[-2000:]


def check_control(mutants, args, folder):
    """Without a mutant nothing may fail, or "caught" would mean nothing."""
    program = folder / "control"
    problem = run([args.compiler, *args.link, "-o", str(program)])
    if problem:
        return "cannot link the unchanged program:\n" + problem
    named = sorted({name for mutant in mutants for name in mutant.scenarios})
    return (first_difference(program, all_scripts(args))
            or first_failure(program, named, min(args.seeds, 24))
            or first_failure(program, ["fast"], min(fast_seeds(args), 24)))


def fast_seeds(args):
    return max(2, args.seeds // 4)


def build(mutant, args, folder):
    source = (args.source / mutant.file).read_text(encoding="utf-8")
    changed = apply(source, mutant)
    if changed is None:
        return None, f"does not apply any more: its piece is not exactly once in {mutant.file}"
    # Found first, before the true one.
    place = folder / mutant.name / mutant.file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(changed, encoding="utf-8")
    program = folder / mutant.name / "program"
    commands, objects = [], []
    for source in mutant.sources:
        cpp = place if source == mutant.file else args.source / source
        objects.append(str(folder / mutant.name / f"{len(objects)}.o"))
        commands.append([args.compiler, "-std=c++20", "-O1", "-w", *args.flag,
                         f"-I{folder / mutant.name}", f"-I{args.source}", "-c", str(cpp),
                         "-o", objects[-1]])
    commands.append([args.compiler, *objects, *args.link, "-o", str(program)])
    for command in commands:
        problem = run(command)
        if problem:
            return None, "does not compile any more:\n" + problem
    return program, ""


def all_scripts(args):
    return sorted(str(path) for path in args.scripts.glob("*.txt")) if args.scripts else []


def first_difference(program, scripts):
    if not scripts:
        return ""
    try:
        done = subprocess.run([str(program), "script", *scripts], capture_output=True, text=True,
                              check=False, timeout=120)
    except subprocess.TimeoutExpired:
        return "a script never ended"
    if done.returncode == 0:
        return ""
    said = [line for line in done.stderr.splitlines() if line.startswith(" ")]
    what = next((line for line in said if "!!" in line), said[0] if said else "")
    where = done.stderr.splitlines()[0] if done.stderr else f"exit code {done.returncode}"
    return f"{pathlib.Path(where.split(':')[0]).name}: {what.strip()}"


def first_failure(program, scenarios, seeds):
    if not scenarios:
        return ""
    command = [str(program), "--seeds", f"1..{seeds}", "--until-failure", "--tail", "0", "--quiet"]
    for scenario in scenarios:
        command += ["--scenario", scenario]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    except subprocess.TimeoutExpired:
        return "it never ended"
    if done.returncode == 0:
        return ""
    failed = [line for line in done.stderr.splitlines() if line.startswith("FAILED")]
    return failed[0] if failed else f"exit code {done.returncode}"


def judge(mutant, args, folder):
    begin = time.monotonic()
    program, problem = build(mutant, args, folder)
    if program is None:
        return False, problem
    scripts = [str(args.scripts / name) for name in mutant.scripts]
    caught = first_difference(program, scripts)
    if not caught and mutant.scenarios:
        caught = first_failure(program, mutant.scenarios, args.seeds)
    if not caught:
        caught = first_difference(program, all_scripts(args))
    if not caught:
        caught = first_failure(program, ["fast"], fast_seeds(args))
    shutil.rmtree(program.parent)
    took = f" ({time.monotonic() - begin:.1f} s)"
    return bool(caught), (caught or "SURVIVED: no scenario and no checker noticed") + took


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=pathlib.Path, required=True, help="root of the tree")
    parser.add_argument("--build", type=pathlib.Path, required=True, help="folder to work in")
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--flag", action="append", default=[], help="compiler flag")
    parser.add_argument("--link", action="append", default=[], help="object or library to link")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--mutants", default="test/sim/mutants", help="folder of the planted bugs")
    parser.add_argument("--scripts", type=pathlib.Path, help="folder of golden scripts")
    parser.add_argument("names", nargs="*", help="only these mutants")
    args = parser.parse_args()
    args.build.mkdir(parents=True, exist_ok=True)
    paths = sorted((args.source / args.mutants).glob("*.mutant"))
    mutants = [Mutant(p) for p in paths if not args.names or p.stem in args.names]
    problem = check_control(mutants, args, args.build)
    if problem:
        print(f"FAILED  the unchanged program: {problem}")
        return 1
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        verdicts = pool.map(lambda m: (m, *judge(m, args, args.build)), mutants)
        for mutant, good, text in verdicts:
            bad += not good
            print(f"{'caught' if good else 'FAILED'}  {mutant.name}: {mutant.what}\n    {text}",
                  flush=True)
    print(f"{len(mutants)} planted bugs, {len(mutants) - bad} caught")
    return 1 if bad or not mutants else 0


if __name__ == "__main__":
    sys.exit(main())
