"""Memory that two partitions share: a ring through it, rights that differ, lives that come and go, and a side that is spoilt."""

import re

import pytest
from conftest import BOARDS, BOOT, GUESTS, partition, system
from test_channels import channel

SHARED = GUESTS / "shared.elf"
ENDS = ["--until", r"shared: camera (ok|FAILED).*rings", "--until", r"shared: viewer (ok|FAILED) in life \d"]


def pair(cpus=(0, 1), priority=0, **more):
    return (partition("camera", SHARED, [cpus[0]], priority=priority) + partition("viewer", SHARED, [cpus[1]]) +
            channel("frames", "memory", "camera", "viewer", size='"16 KiB"', back='"4 KiB"', **more))


def judge(done):
    assert done.returncode == 0, done.stderr
    assert "WRONG" not in done.stdout and "PANIC" not in done.stdout, done.stdout
    assert "[camera] shared: camera ok, 4000 messages" in done.stdout
    assert "[viewer] shared: viewer ok in life 2" in done.stdout
    assert "not allowed there" in done.stdout + done.stderr, "what was tried is told in words"


@pytest.mark.parametrize("attributes", ["cached", "uncached"])
@pytest.mark.parametrize("board", BOARDS)
def test_frames_go_through_shared_memory(partita, describe, board, attributes):
    judge(partita("run", describe(system(pair(attributes=f'"{attributes}"'), board=board)), *ENDS, "--timeout", BOOT))


def test_both_ends_on_one_cpu(partita, describe):
    """Who sends is the more urgent: so the ring is full before the other runs, which is told when it waits, and not of each message."""
    done = partita("run", describe(system(pair((0, 0), priority=1), shared=[0], slice="1 ms")), "--deterministic", *ENDS, "--timeout", BOOT)
    judge(done)
    rings = int(re.search(r"4000 messages, (\d+) rings", done.stdout)[1])
    assert rings < 40

