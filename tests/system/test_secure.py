"""The secure partition: its loop beside all that runs in the other world, what it does for partitions that may ask it, what it measures and
checks before they begin, and what it does when the hypervisor is dead."""

import re
import subprocess

import pytest
from conftest import BOOT, CONTROL, GUESTS, ROOT, TOOL, linux, partition, system
from test_faults import patched  # noqa: F401
from test_monitor import qemu  # noqa: F401

BOARD = "virt-secure"
BOARDS = [BOARD, "vexpress-a15"]
ALL_BUT_PUBLIC_KEY = ["random", "hash", "hmac", "seal", "open", "sign"]
QUOTE = (r"quote: this board runs (\w+), ([^\r\n]*)\s.*nonce (\w+)\s.*key (\w+)\s.*quote (\w+)\s")


def secured(*partitions, board=BOARD):
    return system(*partitions, board=board) + "\n[secure]\n"


@pytest.mark.parametrize("board", BOARDS)
def test_the_trusted_service(start, board):
    """Known answers, keys of their own for labels, what is not authentic, calls that interrupts leave, and what is refused."""
    session = start(secured(partition("asks", GUESTS / "trusted.elf", [0], trusted=ALL_BUT_PUBLIC_KEY), board=board))
    session.expect("secure: a loop of 1000 Hz")
    session.expect("trusted: done")
    assert "WRONG" not in session.child.before and session.child.before.count(": ok") == 23


def test_who_may_not_ask_finds_no_service(start):
    start(secured(partition("asks", GUESTS / "trusted.elf", [0]))).expect("trusted: there is no service")


def test_several_ask_at_the_same_time(start):
    """On four CPUs, and twice on one: each has its own call, and all come to their ends."""
    names = ["first", "second", "third", "fourth", "fifth"]
    session = start(system(*(partition(name, GUESTS / "trusted.elf", [min(n, 3)], trusted=ALL_BUT_PUBLIC_KEY, on_exit="restart") for n, name in enumerate(names)),
                           board=BOARD, shared=[3]) + "\n[secure]\n")
    wanted = {name: 2 for name in names}
    while any(wanted.values()):
        name = session.expect(r"\[(\w+)\] trusted: (done|FAILED)")
        assert name[2] == "done"
        wanted[name[1]] = max(0, wanted[name[1]] - 1)


def test_a_life_that_ends_in_a_call_leaves_nothing_behind(start):
    """A watchdog ends each life somewhere in its calls; the next one begins with calls of its own."""
    session = start(secured(partition("asks", GUESTS / "trusted-endless.elf", [0], trusted=["sign"], watchdog="200 ms", watchdog_boot=True)))
    for life in range(1, 5):
        assert session.expect(rf"life {life}: (signed|WRONG)")[1] == "signed"


def test_from_reset_to_quote(start, partita, tmp_path):
    """The example: what a program of the Linux is told is what this image measures, and the board's own key signed it."""
    text = (ROOT / "examples/trusted/system.toml").read_text().replace("../..", str(ROOT))
    path = tmp_path / "system.toml"
    path.write_text(text)
    session = start(path)
    seen = session.expect(r"secure: system (\w+), not checked")[1]
    told = session.expect("(?s)" + QUOTE)
    assert told[1] == seen and told[2] == "not checked"
    arguments = ["verify", told[5], "--key", told[4], "--nonce", told[3]]
    done = partita(*arguments)
    assert done.returncode == 0 and f"system {seen}, not signed" in done.stdout and "asked by agent" in done.stdout
    changed = told[5][:40] + ("0" if told[5][40] != "0" else "1") + told[5][41:]
    for wrong, why in ((["verify", changed, *arguments[2:]], "its signature does not fit the key"), ([*arguments[:-1], "00" * 32], "it was asked for with another nonce"),
                       (["verify", told[5][:-2], *arguments[2:]], "hexadecimal digits")):
        done = partita(*wrong)
        assert done.returncode != 0 and why in done.stderr


def test_the_loops_of_both_worlds_miss_nothing(partita):
    """Beside a Linux under full load on the secure loop's own CPU. In counted time: a tick is an instruction of whoever executes it."""
    done = partita("run", ROOT / "examples/trusted/system.toml", "--deterministic", "--until", r"secure: cycles 9000 .*ns$", "--until", "quote: this board",
                   "--timeout", BOOT)
    assert done.returncode == 0
    for who in ("secure", "control"):
        counted = re.findall(rf"^\[{who}\] .*cycles (\d+) missed (\d+)", done.stdout, re.MULTILINE)
        assert len(counted) >= 8 and all(missed == "0" for _, missed in counted)


@pytest.fixture
def signed(describe, tmp_path):
    """An image that is signed, its key, and what it measures."""
    key, image, measurements = tmp_path / "key.pem", tmp_path / "system.elf", tmp_path / "measurements.txt"
    subprocess.run([TOOL, "key", key], check=True)
    assert key.stat().st_mode & 0o77 == 0, "nobody else reads it"
    path = describe(secured(partition("probe", GUESTS / "probe.elf", [1])))
    subprocess.run([TOOL, "build", path, "-o", image, "--sign", key, "--image-version", "5", "--measurements", measurements], check=True)
    return image, dict(reversed(line.split()) for line in measurements.read_text().splitlines())


MACHINE = "virt,virtualization=on,secure=on,highmem=off,gic-version=2"


def boot(qemu, image, tmp_path):  # noqa: F811
    """What the secure world says, and the other one."""
    out = tmp_path / "secure.txt"
    child = qemu(MACHINE, image, "-serial", f"file:{out}", serial=["-serial", "stdio"])
    return child, out


def test_a_signed_image_starts(signed, qemu, tmp_path):  # noqa: F811
    image, measured = signed
    child, out = boot(qemu, image, tmp_path)
    child.expect("probe: ok")
    assert f"secure: system {measured['system']}, signed, version 5" in out.read_text()


@pytest.mark.parametrize("what", ["hypervisor", "description", "partition", "signature", "version"])
def test_a_changed_image_does_not_start(signed, qemu, tmp_path, what):  # noqa: F811
    """One bit of any part of it."""
    image, _ = signed
    data = bytearray(image.read_bytes())
    signature = data.index(b"PSIG")
    at = {"hypervisor": data.index(b"report"), "description": data.rindex(b"probe\0", 0, signature), "partition": data.index(b"probe: ok"),
          "signature": signature + 40, "version": signature + 4}[what]
    data[at] ^= 1
    changed = tmp_path / "changed.elf"
    changed.write_bytes(data)
    child, out = boot(qemu, changed, tmp_path)
    assert child.wait() == 0  # the board is powered off
    assert child.read().strip() == ""
    assert "secure: the system is not started: the image's signature is wrong: it was changed, or somebody else signed it" in out.read_text()


def test_a_dead_hypervisor_is_noticed(patched):  # noqa: F811
    """B .: it goes on for ever with its interrupts masked."""
    run = patched(secured(partition("control", CONTROL, [1]), linux("linux", [2])))
    run.session.expect("secure: cycles 1000")
    run.session.expect("control. cycles 1000")
    run.replace("on_interrupt", 0xEAFFFFFE)
    run.session.expect(r"secure: the hypervisor does not answer on CPU \d for 200 ms: the board is reset")
    run.session.wait()  # QEMU was told not to begin again


def test_an_intruder_stays_outside(start):
    """From PL1: memory, devices and registers of the secure world, and 50 000 calls of every kind, while its loop runs."""
    session = start(secured(partition("intruder", GUESTS / "world-intruder.elf", [0], trusted=["hash"]), partition("control", CONTROL, [1])))
    session.expect("intruder: (done|FAILED)")
    assert session.child.match[1] == "done" and "WRONG" not in session.child.before
    session.expect(r"secure: cycles \d+")


def test_where_another_firmware_is_there_is_no_service(describe, qemu, tmp_path):  # noqa: F811
    """The same image on the machine without a secure world: QEMU's firmware answers PSCI, and nobody the trusted calls."""
    image = tmp_path / "system.elf"
    subprocess.run([TOOL, "build", "-o", image, describe(secured(partition("asks", GUESTS / "trusted.elf", [1], trusted=ALL_BUT_PUBLIC_KEY)))], check=True)
    qemu("virt,virtualization=on,highmem=off,gic-version=2", image).expect("trusted: there is no service")
