"""From reset: the monitor begins in the secure world, and hands the board to the hypervisor; or finds that firmware was there before."""

import os
import subprocess

import pexpect
import pytest
from conftest import BOOT, CONTROL, GUESTS, ROOT, TOOL, linux, partition, system

BOARD = "virt-secure"
QEMU = ["qemu-system-arm", "-cpu", "cortex-a15", "-smp", "4", "-m", "1024M", "-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot"]


@pytest.fixture
def image(describe, tmp_path):
    """An image of the board that has a monitor."""

    def make(text, **environment):
        out = tmp_path / "system.elf"
        subprocess.run([TOOL, "build", "-o", out, describe(text)], check=True, env=os.environ | {key: str(value) for key, value in environment.items()})
        return out

    return make


@pytest.fixture
def qemu():
    running = []

    def begin(machine, kernel, *more, serial=("-serial", "stdio", "-serial", "null")):
        running.append(pexpect.popen_spawn.PopenSpawn([*QEMU, *serial, "-M", machine, "-kernel", str(kernel), *more], timeout=BOOT, encoding="utf-8", codec_errors="replace"))
        return running[-1]

    yield begin
    for child in running:
        if child.proc.poll() is None:
            child.proc.kill()
            child.proc.wait(20)


def test_linux_beside_both_loops_on_versatile_express(start):
    """From reset on the other board: a Linux and a control loop, a CPU each, and the secure world's loop."""
    session = start(system(linux("linux", [0]), partition("control", CONTROL, [1]), board="vexpress-a15") + "[secure]\n")
    session.expect("secure: a loop of 1000 Hz")
    session.expect(r"Partita \S+: 2 CPUs, 2 partitions")
    session.expect("1 CPUs? online")
    session.expect(r"secure: cycles \d+")
    session.expect(r"\[control\] cycles \d+")


def test_linux_and_others_from_reset(start):
    """Both CPUs of a Linux, a control loop, and a probe of the virtual platform: nothing tells them that a monitor is below."""
    session = start(system(linux("linux", [1, 2]), partition("control", CONTROL, [0]), partition("probe", GUESTS / "probe.elf", [3]), board=BOARD))
    session.expect(r"Partita \S+: 4 CPUs, 3 partitions")
    session.expect("probe: ok")
    session.expect("2 CPUs online")


@pytest.mark.parametrize("board", [BOARD, "vexpress-a15"])
def test_the_board_is_powered_off_by_the_monitor(partita, describe, board):
    done = partita("run", describe(system(partition("probe", GUESTS / "probe.elf", [1]), board=board)))
    assert done.returncode == 0 and "probe: ok" in done.stdout and "all partitions are off" in done.stdout


@pytest.mark.parametrize("secure", ["", "[secure]\n"], ids=["alone", "with-a-secure-partition"])
def test_what_the_monitor_offers_and_keeps(image, qemu, secure):
    """A program in the hypervisor's place asks for all of PSCI, and reaches for what is the secure world's."""
    kernel = image(system(partition("echo", GUESTS / "echo.elf", [0]), board=BOARD) + secure, PARTITA_HYPERVISOR=ROOT / "build/arm-gcc/tests/monitor/monitor-probe.elf")
    child = qemu("virt,virtualization=on,secure=on,highmem=off,gic-version=2", kernel, "-device", "edu,addr=1,dma_mask=0xffffffff")
    child.expect("probe: done")
    print(child.before)
    assert "WRONG" not in child.before and child.before.count("ok: ") == 32
    child.expect(pexpect.EOF)  # powered off
    assert child.wait() == 0


def test_where_firmware_was_there_before_it_has_nothing_to_do(image, qemu):
    """The same image, begun in Hyp mode by a board whose firmware has PSCI."""
    child = qemu("virt,virtualization=on,highmem=off,gic-version=2", image(system(partition("probe", GUESTS / "probe.elf", [1]), board=BOARD)))
    child.expect("probe: ok")


def test_neither_world_is_told_so(image, qemu):
    child = qemu("virt,highmem=off,gic-version=2", image(system(partition("probe", GUESTS / "probe.elf", [1]), board=BOARD)))
    child.expect("began in neither the secure world nor Hyp mode")
