"""Boots systems with the host tool, and talks to their consoles through pipes or a terminal."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import pexpect
import pexpect.popen_spawn
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = os.environ.get("PARTITA_TOOL", str(ROOT / "build/host/tool/partita"))
GUESTS = ROOT / "build/arm-gcc/tests/guest"
CONTROL = ROOT / "build/arm-gcc/examples/consolidation/control.elf"
IMAGES = ROOT / "build/images"
EXAMPLE = ROOT / "examples/consolidation/system.toml"
BOARDS = ["virt", "virt-a7"]

# Emulation on a busy machine is slow: these bound a hang, they judge no speed.
BOOT = 600


def partition(name, kernel, cpus, memory="2 MiB", **more):
    lines = ["[[partition]]", f'name = "{name}"', f'kernel = "{kernel}"', f'memory = "{memory}"', f"cpus = {cpus}"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in more.items()]
    return "\n".join(lines) + "\n"


def linux(name, cpus, memory="128 MiB", kernel="vmlinuz", **more):
    return partition(name, IMAGES / kernel, cpus, memory, initrd=str(IMAGES / "initrd.cpio.gz"),
                     bootargs="console=ttyAMA0 quiet", **more)


def system(*parts, board="virt", shared=None, slice="5 ms"):
    head = f'[system]\nboard = "{board}"\n'
    for cpu in shared or []:
        head += f'[[cpu]]\nid = {cpu}\nslice = "{slice}"\n'
    return head + "".join(parts)


def cpio(name, data, mode=0o644):
    """An archive of one file, as an initial RAM disk may have several (newc; Linux, Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def entry(path, mode, content):
        fields = [0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path) + 1, 0]
        out = b"070701" + "".join(f"{field:08x}" for field in fields).encode() + path.encode() + b"\0"
        out += b"\0" * (-len(out) % 4) + content
        return out + b"\0" * (-len(out) % 4)

    return entry(name, 0o100000 | mode, data) + entry("TRAILER!!!", 0, b"")


class Session:
    """A run of the tool whose output is read as it comes. `send` types a line on a partition's console."""

    def __init__(self, arguments):
        self.child = pexpect.popen_spawn.PopenSpawn([TOOL, "run", *map(str, arguments)], timeout=BOOT, encoding="utf-8",
                                                    codec_errors="replace", logfile=sys.stdout)

    def expect(self, pattern, timeout=BOOT):
        try:
            self.child.expect(pattern, timeout=timeout)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            raise AssertionError(f"not seen: {pattern}\nbut: {self.child.before[-3000:]}") from error
        return self.child.match

    def send(self, name, text):
        self.child.sendline(f"[{name}] {text}")

    def command(self, name, text, pattern):
        """Runs a shell command on a Linux console, and waits for what it prints."""
        self.send(name, text)
        return self.expect(pattern)

    def wait(self):
        """The exit code, and the rest of the output."""
        self.child.expect(pexpect.EOF)
        return self.child.wait(), self.child.before

    def close(self):
        if self.child.proc.poll() is None:
            self.child.kill(signal.SIGTERM)
            self.child.proc.wait(20)


@pytest.fixture
def describe(tmp_path):
    """Writes a description and returns its path."""

    def write(text):
        path = tmp_path / "system.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def start(describe):
    sessions = []

    def begin(text, *arguments):
        path = text if isinstance(text, pathlib.Path) else describe(text)
        sessions.append(Session([path, *arguments]))
        return sessions[-1]

    yield begin
    for session in sessions:
        session.close()


@pytest.fixture
def partita():
    """Runs the tool to its end: exit code, output, errors."""

    def call(*arguments, timeout=BOOT + 30, **more):  # longer than --timeout, which says what was not seen
        done = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, errors="replace",
                              stdin=subprocess.DEVNULL, **more)
        print(done.stdout[-6000:], done.stderr[-3000:])
        return done

    return call


def lateness(output):
    """(cycles, missed) of each line that a control loop printed."""
    return [(int(cycles), int(missed)) for cycles, missed in re.findall(r"\[control\] cycles (\d+) missed (\d+)", output)]
