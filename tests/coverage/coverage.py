#!/usr/bin/env python3
"""Line and branch coverage of the hypervisor: by the host's tests (clang), and of the real binary on target (a QEMU plugin), merged.

A line counts as reached when either has executed it. For a file that the host compiles, clang says which lines there are; for one that
is the target's alone, the line table of the binary does. Branches likewise: clang's of the source, and each conditional branch
instruction, both ways, for the rest; a line whose conditional branches on target all went both ways counts as taken there.

What is not reached stands in unreached.toml with the reason.
"""

import argparse
import collections
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
HERE = ROOT / "tests/coverage"
OUT = BUILD / "coverage"
HOST = BUILD / "host-sanitized"
PROFILES = HOST / "profiles"  # cmake/sanitize.cmake
HYPERVISOR = BUILD / "arm-gcc/hypervisor/hypervisor.elf"
IMAGE = 0xF0000000  # hypervisor/machine/layout.hpp
GOAL = 95.0
# Not the hypervisor: what stands in for hardware on the host.
FAKES = ("hypervisor/host/", "hypervisor/arch/host/", "hypervisor/machine/host/")


def fail(message):
    sys.exit(f"partita: coverage: {message}")


def call(*command, **more):
    return subprocess.run([str(word) for word in command], check=True, **more)


def own(path):
    """The path in the project, if it is the hypervisor's; else None."""
    try:
        name = str(pathlib.Path(os.path.normpath(path)).relative_to(ROOT))
    except ValueError:
        return None
    return name if name.startswith("hypervisor/") and not name.startswith(FAKES) else None


# --- gathering ----------------------------------------------------------------------------------------------------------


def disassemble():
    """[(its first halfword in .text, where it leads if it is a conditional branch: a halfword, or -1; else None)] of each instruction."""
    condition = "(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)"
    told = subprocess.run(["arm-none-eabi-objdump", "-d", "-j", ".text", HYPERVISOR], check=True, capture_output=True, text=True).stdout
    out = []
    for line in told.splitlines():
        parts = line.split("\t")
        if len(parts) < 3 or not re.fullmatch(r"[0-9a-f]+:", parts[0].strip()) or parts[2].startswith("."):
            continue
        at, name, operands = (int(parts[0].strip()[:-1], 16) - IMAGE) // 2, parts[2].strip(), parts[3] if len(parts) > 3 else ""
        target = None
        if re.fullmatch(rf"(b|bl|bx|blx){condition}(\.n|\.w)?|cbn?z", name):
            found = re.search(r"\b([0-9a-f]{6,8}) <", operands)
            target = (int(found.group(1), 16) - IMAGE) // 2 if found else -1
        elif re.fullmatch(rf"(ldm|pop)\w*{condition}(\.w)?|ldm{condition}\w*", name) and "pc}" in operands:
            target = -1
        out.append((at, target))
    return out


def prepare():
    """A folder for PATH in which qemu-system-arm notes what the hypervisor executes. What was noted before is forgotten."""
    shutil.rmtree(OUT, ignore_errors=True)
    (OUT / "bin").mkdir(parents=True)
    qemu = shutil.which("qemu-system-arm") or fail("qemu-system-arm is not installed")
    call("cc", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o", OUT / "cover.so", HERE / "cover.c")
    call("arm-none-eabi-objcopy", "-O", "binary", "--only-section=.text", HYPERVISOR, OUT / "text.bin")
    instructions = disassemble()
    places = {at: n for n, (at, _) in enumerate(instructions)}
    halves = (OUT / "text.bin").stat().st_size // 2
    leads = [0] * halves
    for at, target in instructions:
        leads[at] = 0 if target is None else 0xFFFFFFFF if target not in places else target + 1
    (OUT / "branches.bin").write_bytes(struct.pack(f"<{halves}I", *leads))
    wrapper = OUT / "bin/qemu-system-arm"
    wrapper.write_text(f'#!/bin/sh\nexec "{qemu}" "$@" -plugin "{OUT}/cover.so,text={OUT}/text.bin,branches={OUT}/branches.bin,out={OUT}/target.bin"\n')
    wrapper.chmod(0o755)
    print(OUT / "bin")


def on_target():
    """The system tests and a soak, with the wrapper in front."""
    environment = {**os.environ, "PATH": f"{OUT}/bin:{os.environ['PATH']}"}
    done = subprocess.run(["/usr/bin/python3", "-m", "pytest", "-c", ROOT / "tests/system/pytest.ini", ROOT / "tests/system", "-n", "2", "-q"],
                          env=environment, cwd=ROOT)
    if done.returncode != 0:
        fail("a system test failed; ./partita test tells more")
    call("/usr/bin/python3", ROOT / "tests/soak/soak.py", "--restarts", "200", env=environment)


def on_host():
    """The host's tests, which count as they run."""
    call("cmake", "--preset", "host-sanitized", cwd=ROOT, stdout=subprocess.DEVNULL)
    call("cmake", "--build", HOST, stdout=subprocess.DEVNULL)
    shutil.rmtree(PROFILES, ignore_errors=True)
    done = subprocess.run(["ctest", "--test-dir", HOST, "-j2", "-E", "^fuzz-", "--output-on-failure"], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    if done.returncode != 0:
        fail(f"a unit test failed:\n{done.stdout[-3000:]}")


# --- reading ------------------------------------------------------------------------------------------------------------


def read_host():
    """{file: {line: [count, [count of each outcome of its branches]]}}"""
    parts = sorted(PROFILES.glob("*.profraw"))
    if not parts:
        fail("the host's tests have left no counts; run ./partita coverage without --report")
    merged = OUT / "host.profdata"
    call("llvm-profdata-19", "merge", "-sparse", "-o", merged, *parts)
    told = subprocess.run(["llvm-cov-19", "export", "-format=lcov", f"-instr-profile={merged}", HOST / "tests/unit/unit", "-object",
                           HOST / "tests/decoder/effects"], check=True, capture_output=True, text=True).stdout
    files = collections.defaultdict(dict)
    name = None
    for row in told.splitlines():
        word, _, rest = row.partition(":")
        if word == "SF":
            name = own(rest)
        elif name is None:
            continue
        elif word == "DA":
            line, count = map(int, rest.split(",")[:2])
            files[name].setdefault(line, [0, []])[0] += count
        elif word == "BRDA":
            line, _, _, taken = rest.split(",")
            files[name].setdefault(int(line), [0, []])[1].append(0 if taken == "-" else int(taken))
    return files


def read_target():
    """{file: {line: [executed, [(taken, passed) of each conditional branch]]}} of the binary."""
    halves = (OUT / "text.bin").stat().st_size // 2
    data = (OUT / "target.bin").read_bytes()
    if len(data) < halves * 3:
        fail("what ran on target was another hypervisor; run ./partita coverage")
    instructions = dict(disassemble())
    addresses = "\n".join(hex(IMAGE + n * 2) for n in instructions)
    told = subprocess.run(["arm-none-eabi-addr2line", "-a", "-i", "-e", HYPERVISOR], input=addresses, check=True, capture_output=True, text=True).stdout
    files = collections.defaultdict(dict)
    n, innermost = 0, True
    for where in told.splitlines():
        if where.startswith("0x"):
            n, innermost = (int(where, 16) - IMAGE) // 2, True
            continue
        # The place itself, then that of each call that was inlined around it: those lines were executed, too.
        path, line = re.sub(r" \(discriminator \d+\)", "", where).rsplit(":", 1)
        name = own(path)
        if name is not None and line.isdigit() and line != "0":
            entry = files[name].setdefault(int(line), [False, []])
            entry[0] = entry[0] or data[n] != 0
            if innermost and instructions[n] is not None:
                entry[1].append((data[halves + n] != 0, data[2 * halves + n] != 0))
        innermost = False
    return files


class File:
    """What is known of one file, merged."""

    def __init__(self, name, host, target):
        self.name = name
        self.text = (ROOT / name).read_text().splitlines()
        self.by_host = bool(host)
        lines = host if host else target
        self.lines = set(lines)
        on_target = {line for line, entry in target.items() if entry[0]}
        self.reached = {line for line in lines if line in on_target or (host and host[line][0] > 0)}
        self.on_target = on_target & self.lines
        self.branches = self.taken = 0
        self.untaken = set()
        for line in lines:
            outcomes = self.outcomes(host.get(line), target.get(line, [False, []])[1])
            self.branches += len(outcomes)
            self.taken += sum(outcomes)
            if not all(outcomes):
                self.untaken.add(line)

    @staticmethod
    def outcomes(host, target):
        """Whether each outcome of the line's branches was seen."""
        if host is None:
            return [way for each in target for way in each]
        both = bool(target) and all(taken and passed for taken, passed in target)
        return [both or count > 0 for count in host[1]]

    def missing(self):
        return sorted(self.lines - self.reached)


def read_files():
    host, target = read_host(), read_target()
    return [File(name, host.get(name, {}), target.get(name, {})) for name in sorted({*host, *target})]


# --- telling ------------------------------------------------------------------------------------------------------------


class Reasons:
    """unreached.toml: why a line cannot be reached, or is not. A line is named by its text, since numbers move."""

    def __init__(self):
        self.entries = tomllib.loads((HERE / "unreached.toml").read_text())["unreached"]
        self.used = set()

    def of(self, file, line):
        text = file.text[line - 1].strip()
        for n, entry in enumerate(self.entries):
            if entry["file"] == file.name and ("lines" not in entry or text in entry["lines"]):
                self.used.add(n)
                return entry["reason"]
        return None

    def stale(self):
        return [f"unreached.toml gives a reason for lines of {entry['file']} that are all reached: {entry['reason']}"
                for n, entry in enumerate(self.entries) if n not in self.used]


def percent(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "-"


def table(files):
    rows = [("file", "lines", "reached", "on target", "branches")]
    for file in files:
        rows.append((file.name.removeprefix("hypervisor/"), str(len(file.lines)), percent(len(file.reached), len(file.lines)),
                     percent(len(file.on_target), len(file.lines)), percent(file.taken, file.branches)))
    widths = [max(len(row[n]) for row in rows) for n in range(5)]
    return ["  ".join(cell.ljust(width) if n == 0 else cell.rjust(width) for n, (cell, width) in enumerate(zip(row, widths))) for row in rows]


def unreached(files, reasons):
    """The lines not reached, by reason."""
    told, lines = collections.defaultdict(list), []
    for file in files:
        for line in file.missing():
            told[reasons.of(file, line) or "no reason is given"].append(f"{file.name}:{line}: {file.text[line - 1].strip()}")
    for reason, places in told.items():
        lines += ["", f"{reason}:", *("  " + place for place in places)]
    return lines


def report(check, branch_lines):
    files, reasons = read_files(), Reasons()
    print("\n".join(table(files)))
    print("\nnot reached:")
    print("\n".join(unreached(files, reasons)))
    if branch_lines:
        print("\nlines with a branch that never went one of its ways:")
        print("\n".join(f"  {file.name}:{line}: {file.text[line - 1].strip()}" for file in files for line in sorted(file.untaken & file.reached)))
    lines, reached = sum(len(file.lines) for file in files), sum(len(file.reached) for file in files)
    print()
    for line in reasons.stale():
        print(line)
    print(f"hypervisor branches: {percent(sum(file.taken for file in files), sum(file.branches for file in files))}")
    print(f"hypervisor lines: {percent(reached, lines)}")
    return 1 if check and (100 * reached < GOAL * lines or reasons.stale()) else 0


def main():
    parser = argparse.ArgumentParser(prog="partita coverage", description="Line and branch coverage of the hypervisor, host and target together.")
    parser.add_argument("--report", action="store_true", help="tell what was gathered before, without running anything on target")
    parser.add_argument("--prepare", action="store_true", help="only make the wrapper of QEMU that notes what runs, and print its folder")
    parser.add_argument("--check", action="store_true", help=f"fail below {GOAL} %% of the lines, or where unreached.toml is stale")
    parser.add_argument("--branches", action="store_true", help="list the lines whose branches never went one of their ways")
    options = parser.parse_args()
    if options.prepare or not options.report:
        prepare()
    if options.prepare:
        return 0
    if not options.report:
        on_host()
        on_target()
    return report(options.check, options.branches)


if __name__ == "__main__":
    sys.exit(main())
