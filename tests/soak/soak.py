#!/usr/bin/env python3
"""Restarts partitions by the thousand beside a control loop on the same CPU: each life finds nothing of the one before, and the loop
misses no deadline. Time is counted in instructions, so that the loop's lateness is the system's and not the host's."""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
TOOL = BUILD / "host/tool/partita"


def partition(name, kernel, **more):
    lines = ["[[partition]]", f'name = "{name}"', f'kernel = "{kernel}"']
    return "\n".join(lines + [f"{key} = {json.dumps(value)}" for key, value in more.items()]) + "\n"


def system(*parts, shared):
    return '[system]\nboard = "virt"\n' + "".join(f'[[cpu]]\nid = {cpu}\nslice = "1 ms"\n' for cpu in shared) + "".join(parts)


CONTROL = partition("control", BUILD / "arm-gcc/examples/consolidation/control.elf", memory="2 MiB", cpus=[0], priority=1)


def programs():
    soak = BUILD / "arm-gcc/tests/soak/soak.elf"
    ends = {"memory": "2 MiB", "on_exit": "restart", "on_fault": "restart", "watchdog": "4 ms"}
    return system(CONTROL, partition("shared", soak, cpus=[0], **ends), partition("alone", soak, cpus=[1], **ends), shared=[0])


def linux():
    return system(CONTROL, partition("linux", BUILD / "images/vmlinuz", initrd=str(BUILD / "images/initrd.cpio.gz"), memory="128 MiB", cpus=[0, 1],
                                     bootargs="console=ttyAMA0 quiet reboot"), shared=[0])


def count(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def run(description, ends, timeout):
    """The output, until each pattern of `ends` was seen."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "system.toml"
        path.write_text(description)
        until = [word for end in ends for word in ("--until", end)]
        done = subprocess.run([TOOL, "run", path, "--deterministic", "--timeout", str(timeout), *until], capture_output=True, text=True,
                              errors="replace", stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        print(done.stdout[-3000:], done.stderr[-1000:], sep="\n")
        sys.exit(f"soak: not all of {', '.join(ends)} was seen; the output's end is above")
    return done.stdout


def judge(output, what):
    wrong = [line for line in output.splitlines() if "WRONG" in line or "PANIC" in line or "FAILED" in line]
    cycles = re.findall(r"cycles (\d+) missed (\d+) worst (\d+) ns", output)
    if not cycles:
        wrong.append("the control loop told nothing")
    elif cycles[-1][1] != "0":
        wrong.append(f"the control loop missed {cycles[-1][1]} of {cycles[-1][0]} deadlines")
    for line in wrong[:20]:
        print(line)
    worst = max((int(time) for _, _, time in cycles), default=0)
    print(f"{what}; the control loop beside them: {cycles[-1][0] if cycles else 0} cycles, {cycles[-1][1] if cycles else '?'} missed, {worst} ns late at worst")
    return not wrong


def main():
    parser = argparse.ArgumentParser(prog="partita soak", description=__doc__)
    parser.add_argument("--restarts", type=count, default=10000, metavar="N", help="of each of two programs (default 10000)")
    parser.add_argument("--linux", type=count, default=0, metavar="N", help="of a Linux that reboots itself, instead of the programs")
    parser.add_argument("--served", type=count, default=0, metavar="N", help="instead: rounds of work of two Debian systems whose server ends in the midst of it")
    parser.add_argument("--timeout", type=count, default=36000, metavar="SECONDS")
    options = parser.parse_args()
    told = r"control\] cycles \d+ missed \d+ worst \d+ ns mean \d+ ns"
    if options.served:
        import served_board  # which needs pexpect

        return 0 if served_board.soak(options.served) else 1
    if options.linux:
        output = run(linux(), [rf"linux: running \(start {options.linux + 1}\)", told], options.timeout)
        return 0 if judge(output, f"{options.linux} restarts of Linux") else 1
    last = (options.restarts + 99) // 100 * 100
    output = run(programs(), [rf"{name}\] life {last}: clean" for name in ("shared", "alone")] + [told], options.timeout)
    return 0 if judge(output, f"{last} restarts of each of two programs") else 1


if __name__ == "__main__":
    sys.exit(main())
