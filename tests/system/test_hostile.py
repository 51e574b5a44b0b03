"""Hostile partitions beside a neighbour whose registers, memory and interrupts must stay its own, and a control loop on the same CPU that
must keep its deadlines. Time is counted in instructions."""

import re

import pytest
from conftest import BOOT, CONTROL, GUESTS, ROOT, partition, system

HOSTILE = ROOT / "build/arm-gcc/tests/hostile"
PROGRAMS = ["coprocessor", "distributor", "calls", "storms", "tables"]


@pytest.mark.parametrize("cpu", ["cortex-a15", "cortex-a7", "max"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_hostile_partition_hurts_itself_alone(partita, describe, program, cpu):
    text = system(partition("hostile", HOSTILE / f"hostile-{program}.elf", [0]), partition("neighbour", GUESTS / "neighbour.elf", [0]),
                  partition("control", CONTROL, [0], priority=1), shared=[0], slice="1 ms")
    done = partita("run", describe(text), "--deterministic", "--until", rf"hostile: {program} .*", "--until", "neighbour: .*",
                   "--until", r"control\] cycles \d+ missed .* ns", "--timeout", BOOT, "--qemu-args", "-cpu", cpu)
    assert done.returncode == 0, done.stderr
    assert "WRONG" not in done.stdout and "PANIC" not in done.stdout
    assert f"hostile: {program} ok" in done.stdout
    assert "neighbour: ok" in done.stdout
    missed = re.findall(r"control\] cycles \d+ missed (\d+)", done.stdout)
    assert missed and set(missed) == {"0"}
