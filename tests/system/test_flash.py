"""From reset in flash: what outlives a reset, and a power cut at any moment; images that are too old; a system that somebody else wrote there."""

import os
import random
import re
import signal
import struct
import subprocess

import pytest
from conftest import CONTROL, GUESTS, TOOL, partition, system
from test_secure import BOARDS, secured

KEEPER = partition("keeper", GUESTS / "trusted-keeper.elf", [0], trusted=["counter", "increment", "store", "load", "attestation_key"])


@pytest.fixture
def flash(tmp_path):
    return tmp_path / "flash"


def whole_run(session):
    """Where it began to count, where it ended, and the board's key."""
    begin = int(session.expect(r"keeper: begins at (\d+)")[1])
    session.expect("keeper: key ")
    assert "WRONG" not in session.child.before
    key = session.expect(r"(\w+)\s")[1]
    assert session.expect("keeper: (done|FAILED)")[1] == "done"
    session.wait()
    return begin, key


@pytest.mark.parametrize("board", BOARDS)
def test_what_is_kept_outlives_a_reset(start, flash, board):
    """Two lives of one board: a counter goes on, a value is found, the board has the same key. Another board has another."""
    first = whole_run(start(secured(KEEPER, board=board), "--flash", flash))
    second = whole_run(start(secured(KEEPER, board=board), "--flash", flash))
    assert first[0] == 0 and second[0] > 20
    assert first[1] == second[1]
    other = whole_run(start(secured(KEEPER, board=board), "--flash", flash.parent / "other"))
    assert other[0] == 0 and other[1] != first[1]


def test_without_flash_nothing_is_kept(start):
    session = start(secured(KEEPER))
    session.expect("keeper: this board keeps nothing, and says so: ok")


def test_the_power_fails_at_any_moment(start, flash):
    """QEMU is killed while the partition counts: what it was told is counted stays counted, and what was stored is whole."""
    rng = random.Random(1)
    counted = 0
    for _ in range(6):
        session = start(secured(KEEPER), "--flash", flash, "--qemu-args", "-pidfile", flash.parent / "pid")
        begin = int(session.expect(r"keeper: begins at (\d+)")[1])
        assert counted <= begin <= counted + 1
        counted = begin
        for _ in range(rng.randrange(1, 20)):
            counted = int(session.expect(r"keeper: count (\d+)")[1])
            assert "WRONG" not in session.child.before
        os.kill(int((flash.parent / "pid").read_text()), signal.SIGKILL)
        session.child.proc.wait(60)
        counted = max([counted, *map(int, re.findall(r"keeper: count (\d+)\s", session.child.read()))])
    assert whole_run(start(secured(KEEPER), "--flash", flash))[0] - counted in (0, 1)


def test_another_board_begins_anew(start, flash):
    """What is in the flash is no state: it says so, and begins one."""
    whole_run(start(secured(KEEPER), "--flash", flash))
    with open(flash / "secure.flash", "r+b") as file:
        file.seek(1 << 20)
        file.write(random.Random(2).randbytes(512 << 10))
    session = start(secured(KEEPER), "--flash", flash)
    session.expect("secure: the flash keeps nothing of this board yet")
    assert whole_run(session)[0] == 0


# What it says when it begins; it judges no time.
BEGINS = "trusted: there is no service"
PROBE = partition("probe", GUESTS / "trusted.elf", [1])


@pytest.fixture
def signed(start, flash, tmp_path):
    """Boots an image of this version."""
    subprocess.run([TOOL, "key", tmp_path / "key.pem"], check=True)

    def boot(version, *more):
        return start(secured(PROBE), "--flash", flash, "--sign", tmp_path / "key.pem", "--image-version", version, *more)

    return boot


def test_an_older_image_does_not_start(signed):
    session = signed(5)
    session.expect("signed, version 5")
    session.expect(BEGINS)
    session.wait()
    session = signed(4)
    session.expect("secure: the system is not started: the image is older than one that this board has started before")
    session.expect("secure: its version is 4, the oldest that is started 5")
    assert BEGINS not in session.wait()[1]
    for version in (5, 6):
        session = signed(version)
        session.expect(BEGINS)
        session.wait()
    session = signed(5)
    session.expect("its version is 5, the oldest that is started 6")
    session.wait()


def boot_by_hand(flash, tmp_path):
    """The flash as it is, with nothing written to it before: what the secure world says, and the other one."""
    secure = tmp_path / "secure.txt"
    done = subprocess.run(["qemu-system-arm", "-M", "virt,virtualization=on,secure=on,highmem=off,gic-version=2", "-cpu", "cortex-a15", "-smp", "4", "-m", "1024M", "-display", "none",
                           "-monitor", "none", "-nic", "none", "-no-reboot", "-serial", "stdio", "-serial", f"file:{secure}",
                           "-drive", f"if=pflash,unit=0,format=raw,file={flash / 'secure.flash'}", "-drive", f"if=pflash,unit=1,format=raw,file={flash / 'system.flash'}"],
                          timeout=300, capture_output=True, text=True, check=False)
    return secure.read_text(), done.stdout


def test_a_changed_system_does_not_start(describe, flash, tmp_path):
    """The system's flash is the other world's: segments that lead to secure memory, over the end, to nothing; a byte of a partition; none at all."""
    subprocess.run([TOOL, "key", tmp_path / "key.pem"], check=True)
    subprocess.run([TOOL, "build", "--flash", flash, "--sign", tmp_path / "key.pem", describe(secured(PROBE))], check=True)
    path = flash / "system.flash"
    good = path.read_bytes()
    at = 8 + 12 * struct.unpack_from("<I", good, 4)[0]
    leads_out = "a segment in the flash leads out of the flash, or out of RAM"
    for change, why in (((8, struct.pack("<I", 0x0E000000)), leads_out), ((8, struct.pack("<I", 0x09040000)), leads_out), ((16, struct.pack("<I", 0xFFFFFFFC)), leads_out),
                        ((12, struct.pack("<I", 64 << 20)), leads_out), ((4, b"\xff\xff\xff\xff"), "the flash says that it has more segments than there can be"), ((0, b"\0"), "there is none in the flash"),
                        ((good.index(BEGINS.encode()), b"P"), "the image's signature is wrong"), ((at, b"\0\0\0\0\0\0\0\0"), "there is no hypervisor")):
        with open(path, "r+b") as file:
            file.seek(change[0])
            file.write(change[1])
        secure, normal = boot_by_hand(flash, tmp_path)
        assert f"secure: the system is not started: {why}" in secure and normal == ""
        with open(path, "r+b") as file:
            file.write(good[: good.rindex(BEGINS.encode()) + 4096])


def test_mistakes_are_told(partita, describe, flash, tmp_path):
    done = partita("run", "--flash", flash, describe(system(partition("control", CONTROL, [0]), board="virt")))
    assert done.returncode == 1 and 'board "virt" has no flash that its CPUs begin in; leave --flash out, or take "virt-secure"' in done.stderr
    done = partita("run", "--flash", flash, describe(system(partition("control", CONTROL, [0]), board="virt-secure")))
    assert done.returncode == 1 and "add a [secure] section, or leave --flash out" in done.stderr
    done = partita("build", "--flash", flash, "-o", "x.elf", describe(secured(PROBE)))
    assert done.returncode == 2 and "--flash" in done.stderr
    (tmp_path / "file").write_text("")
    done = partita("build", "--flash", tmp_path / "file", describe(secured(PROBE)))
    assert done.returncode == 1 and "file" in done.stderr
