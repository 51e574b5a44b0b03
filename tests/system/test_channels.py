"""Channels between partitions: messages whole and in order, values with their age, doorbells; and what one end knows of the other's lives."""

import re

import pytest
from conftest import BOARDS, BOOT, GUESTS, ROOT, partition, system

MESSAGES = GUESTS / "messages.elf"
NAMES = ("asker", "answerer")


def channel(name, kind, sender, *receivers, **more):
    lines = ["[[channel]]", f'name = "{name}"', f'kind = "{kind}"', f'from = "{sender}"', f"to = {list(receivers)}"]
    return "\n".join(lines + [f"{key} = {value}" for key, value in more.items()]) + "\n"


def pair(**asker):
    return (partition("asker", MESSAGES, [0], **asker) + partition("answerer", MESSAGES, [1]) +
            channel("commands", "queuing", "asker", "answerer", message='"64 B"', depth=16) +
            channel("answers", "queuing", "answerer", "asker", message='"64 B"', depth=16) +
            channel("speed", "sampling", "asker", "answerer", message='"64 B"', refresh='"5 s"') +
            channel("bell", "doorbell", "asker", "answerer", interval='"10 s"'))  # a busy host may stop a CPU for long


def judge(done):
    assert done.returncode == 0, done.stderr
    assert "WRONG" not in done.stdout and "PANIC" not in done.stdout, done.stdout
    for name in NAMES:
        assert f"[{name}] messages: {name} ok" in done.stdout


ENDS = [word for name in NAMES for word in ("--until", f"{name}. messages: {name} (ok|FAILED)")]


@pytest.mark.parametrize("board", BOARDS)
def test_messages_go_there_and_back(partita, describe, board):
    judge(partita("run", describe(system(pair(), board=board)), *ENDS, "--timeout", BOOT))


def test_both_ends_on_one_cpu(partita, describe):
    """The receiver runs only when the sender sleeps: so each answer needs two switches."""
    text = system(pair(), shared=[0], slice="1 ms").replace("cpus = [1]", "cpus = [0]")
    done = partita("run", describe(text), "--deterministic", *ENDS, "--timeout", BOOT)
    judge(done)
    interrupts = int(re.search(r"1000 there and back, \d+ us each, (\d+) interrupts", done.stdout).group(1))
    assert interrupts >= 1000, "answers come as interrupts"


def test_an_end_knows_of_the_others_lives(partita, describe):
    """The asker powers itself off: its value is not valid any more, and the other end is told; then it begins another life."""
    text = system(pair(on_exit="restart"))
    done = partita("run", describe(text), "--deterministic", *ENDS, "--until", r"valid again; changed \d, peers run \d, life \d", "--timeout", BOOT)
    judge(done)
    assert re.search(r"no longer valid; changed 1, peers run (0, life [12]|1, life 2)", done.stdout)
    assert re.search(r"valid again; changed [01], peers run 1, life 2", done.stdout)


def test_a_partition_without_ends_has_no_port(partita, describe):
    text = system(partition("asker", MESSAGES, [0]))
    done = partita("run", describe(text), "--until", "asker: off", "--timeout", BOOT)
    assert "messages: not all channels are there" in done.stdout
