"""Systems boot, on both boards, with one partition and with several."""

import os
import re
import shutil
import subprocess

import pytest
from conftest import BOARDS, BOOT, CONTROL, EXAMPLE, GUESTS, ROOT, lateness, linux, partition, system


@pytest.mark.parametrize("board", BOARDS)
def test_linux_beside_a_control_loop(partita, board):
    done = partita("run", EXAMPLE, "--board", board, "--until", r"linux\].*# ", "--until", "example: ok", "--timeout", BOOT)
    assert done.returncode == 0, done.stderr
    assert "2 CPUs online" in done.stdout
    assert re.search(r"\[control\] cycles 1000 missed", done.stdout)


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("cpu", ["its own", "max"])
def test_the_virtual_platform_from_inside(partita, describe, board, compiler, cpu):
    """With either compiler's hypervisor; on QEMU's "max" CPU more traps are taken than its models of real ones know."""
    path = describe(system(partition("probe", GUESTS / "probe.elf", [1]), board=board))
    more = ["--qemu-args", "-cpu", "max"] if cpu == "max" else []
    hypervisor = ROOT / f"build/arm-{compiler}/hypervisor/hypervisor.elf"
    done = partita("run", path, "--timeout", BOOT, *more, env={**os.environ, "PARTITA_HYPERVISOR": str(hypervisor)})
    assert done.returncode == 0, done.stderr
    assert "WRONG" not in done.stdout
    assert "[probe] probe: ok" in done.stdout
    assert "[partita] all partitions are off" in done.stdout


@pytest.mark.parametrize("cpu", ["cortex-a15", "cortex-a7", "max"])
def test_loads_and_stores_of_every_form(partita, describe, cpu):
    """To an emulated device, in both instruction sets, beside a neighbour on the same CPU whose VFP registers must stay its own."""
    path = describe(system(partition("acc", GUESTS / "accesses.elf", [1]), partition("other", GUESTS / "neighbour.elf", [1]), shared=[1], slice="1 ms"))
    done = partita("run", path, "--timeout", BOOT, "--until", "accesses: (ok|.*FAILED)", "--until", "neighbour: ok", "--qemu-args", "-cpu", cpu)
    assert done.returncode == 0, done.stderr
    assert "WRONG" not in done.stdout and "[acc] accesses: ok" in done.stdout


@pytest.mark.parametrize("board", BOARDS)
def test_two_linux_and_a_control_loop_share_one_cpu(partita, describe, board):
    text = system(linux("one", [2]), linux("two", [2]), partition("control", CONTROL, [2]), board=board, shared=[2])
    done = partita("run", describe(text), "--until", r"\[one\].*# ", "--until", r"\[two\].*# ", "--until", "example: ok", "--timeout", BOOT)
    assert done.returncode == 0, done.stderr


def test_a_board_with_its_memory_in_the_last_gib(partita, describe, tmp_path):
    """Where the hypervisor's own addresses begin too."""
    board = tmp_path / "boards/high"
    shutil.copytree(ROOT / "boards/virt", board)
    tree, facts = board / "virt.dtsi", board / "board.toml"
    tree.write_text(tree.read_text().replace("0x40000000 0x0 0x40000000>", "0xc0000000 0x0 0x40000000>"))
    facts.write_text(facts.read_text().replace("0x4020_0000", "0xc020_0000").replace('memory = "1 GiB"', 'memory = "3 GiB"'))
    subprocess.run(["dtc", "-q", "-o", board / "board.dtb", board / "board.dts"], check=True)
    elsewhere = {**os.environ, "PARTITA_HOME": str(tmp_path), "PARTITA_HYPERVISOR": str(ROOT / "build/arm-gcc/hypervisor/hypervisor.elf")}
    path = describe(system(partition("probe", GUESTS / "probe.elf", [3]), board="high"))
    done = partita("run", path, "--timeout", BOOT, env=elsewhere)
    assert done.returncode == 0, done.stderr
    assert "[probe] probe: ok" in done.stdout


def test_registers_are_kept_apart_on_a_shared_cpu(partita, describe):
    """VFP registers, thread registers and timers of neighbours that switch every millisecond, a third one restarting."""
    neighbours = [partition(name, GUESTS / "neighbour.elf", [1]) for name in ("a", "b")]
    text = system(*neighbours, partition("c", GUESTS / "intruder.elf", [1], on_fault="restart"), shared=[1], slice="1 ms")
    done = partita("run", describe(text), "--until", r"a\] neighbour: (ok|FAILED)", "--until", r"b\] neighbour: (ok|FAILED)", "--timeout", BOOT)
    assert done.returncode == 0, done.stderr
    assert "neighbour: FAILED" not in done.stdout


def test_deterministic_runs_are_identical(partita, describe):
    text = system(partition("control", CONTROL, [0]), partition("probe", GUESTS / "probe.elf", [1]))
    runs = [partita("run", describe(text), "--deterministic", "--until", "cycles 2000", "--timeout", BOOT) for _ in range(2)]
    assert runs[0].returncode == 0, runs[0].stderr
    assert runs[0].stdout == runs[1].stdout
    assert all(missed == 0 for _, missed in lateness(runs[0].stdout))


def test_an_assigned_device_works_and_interrupts(start):
    """Linux drives the board's real-time clock: its registers, and its alarm interrupt."""
    session = start(system(linux("linux", [0], devices=["rtc0"])))
    session.expect(r"\[linux\] / # ")
    session.command("linux", "cat /sys/class/rtc/rtc0/name", "rtc-pl031")
    session.command("linux", "echo +2 > /sys/class/rtc/rtc0/wakealarm; sleep 4; grep pl031 /proc/interrupts", r"\n\[linux\] +\d+: +1 .*rtc-pl031")


@pytest.mark.parametrize("board", BOARDS)
def test_given_performance_counters_count_interrupt_and_begin_anew(start, board):
    run = start(system(partition("counting", GUESTS / "counters.elf", [1], pmu="given"), board=board))
    for life in (1, 2, 3):
        run.expect(r"counters: (ok|FAILED.*)")
        assert run.child.match.group(1).strip() == "ok", f"life {life}"
