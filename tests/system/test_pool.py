"""Partitions that are given what they run at run time: over the control channel, checked, kept through the lives of all."""

import random
import re
import zlib

from conftest import GUESTS, partition, system
from test_manage import parent, running  # noqa: F401

POOL = """[pool]
store = "24 MiB"
partitions = 2
memory = "64 MiB"
cpus = [2]
"""


def described(path, *more, pool=POOL):
    text = system(parent(), partition("echo", GUESTS / "echo.elf", [1]), pool, *more, shared=[2], slice="2 ms")
    path.write_text(text)
    return text


def pooled(name, kernel, memory="2 MiB", **more):
    return partition(name, kernel, [2], memory, pool=True, **more)


def test_partitions_are_made_and_unmade(running, tmp_path):  # noqa: F811
    file = tmp_path / "later.toml"
    at = running(described(file))
    assert [one["state"] for one in map(at.state, ("pool-0", "pool-1"))] == ["empty", "empty"]
    # Described after the boot: the running system need not know of them beforehand.
    described(file, pooled("worker", GUESTS / "echo.elf"), pooled("other", GUESTS / "listener.elf"), pooled("third", GUESTS / "listener.elf"))
    for life in range(3):
        assert at.ask("create", "worker", file).startswith("worker: created, ")
        at.session.expect(r"worker\] .*echo: ready")
        assert at.ask("create", "other", file).startswith("other: created, ")
        at.session.expect(r"other\] .*listener: ready")
        assert "there is no place" in at.ask("create", "third", file, code=1)
        assert "there is a partition \"worker\" already" in at.ask("create", "worker", file, code=1)
        at.ask("restart", "worker")
        at.session.expect(r"worker\] .*echo: ready")
        assert at.state("worker")["starts"] == 2 and at.state("worker")["pool"] and at.state("worker")["loaded"]
        at.ask("restart", "parent")
        at.session.expect(f"parent: manages, life {life + 2}")
        at.ask("stop", "worker")
        at.ask("start", "worker")  # from a store that another life of the parent has filled
        at.session.expect(r"worker\] .*echo: ready")
        assert at.ask("destroy", "other") == "other: destroyed\n"
        assert at.ask("destroy", "worker") == "worker: destroyed\n"
    assert at.state("pool-0")["state"] == at.state("pool-1")["state"] == "empty"
    told = at.ask("events")
    for words in ("worker: given something else to run", "worker: running", "worker: its place is free"):
        assert words in told
    assert at.state("echo")["starts"] == 1


def test_a_partition_is_given_another_image(running, tmp_path):  # noqa: F811
    file = tmp_path / "later.toml"
    at = running(described(file))
    assert "is running; `partita stop echo` stops it" in at.ask("load", "echo", file, code=1)
    at.ask("stop", "echo")
    text = file.read_text()
    file.write_text(text.replace("guest/echo.elf", "guest/listener.elf"))
    assert re.match(r"echo: loaded, \d+.*; `partita start echo` starts it", at.ask("load", "echo", file))
    at.ask("start", "echo")
    at.session.expect(r"echo\] .*listener: ready")
    at.ask("restart", "echo")
    at.session.expect(r"echo\] .*listener: ready")
    at.ask("stop", "echo")
    file.write_text(text)
    at.ask("load", "echo", file)
    at.ask("start", "echo")
    at.session.expect(r"echo\] .*echo: ready")


def test_what_cannot_be_is_told_and_changes_nothing(running, tmp_path):  # noqa: F811
    file = tmp_path / "later.toml"
    at = running(described(file))
    described(file, pooled("worker", GUESTS / "echo.elf"))
    text = file.read_text()

    def refused(words, content, *asked):
        file.write_text(content)
        assert words in at.ask(*asked, code=1)

    refused("describes no partition \"wurker\"", text, "create", "wurker", file)
    refused("is a partition of", text.replace("pool = true\n", ""), "create", "worker", file)
    refused("not TOML", text + "[", "create", "worker", file)
    refused("cannot be read", text, "create", "worker", tmp_path / "none.toml")
    refused("a place of the running system's pool has 65536 KiB", text.replace("64 MiB", "256 MiB").replace('"2 MiB"', '"66 MiB"'), "create", "worker", file)
    refused("is the parent partition", text, "load", "parent", file)
    refused("is a place of the pool", text, "load", "pool-0", file)
    refused("is there from boot on", text, "destroy", "echo")
    refused("and free", text, "destroy", "pool-0")
    refused("`partita create` makes a partition there", text, "start", "pool-0")
    at.ask("stop", "echo")
    head, _, tail = text.partition('name = "echo"')
    refused("that is decided at boot", head + 'name = "echo"' + tail.replace('"2 MiB"', '"4 MiB"', 1), "load", "echo", file)
    big = tmp_path / "big.bin"
    big.write_bytes(bytes(30 << 20))
    refused("do not fit into the parent partition's store", text + pooled("big", big, "64 MiB", format="raw"), "create", "big", file)
    at.ask("start", "echo")
    at.session.expect(r"echo\] .*echo: ready")
    assert at.state("pool-0")["state"] == "empty"


def test_what_is_long_arrives_whole(running, tmp_path):  # noqa: F811
    """And is filled in anew for each life, whatever became of it in the last."""
    file, disk = tmp_path / "later.toml", tmp_path / "noise"
    noise = random.Random(7).randbytes(300_001)
    disk.write_bytes(noise)
    at = running(described(file, pooled("worker", GUESTS / "sum.elf", "4 MiB", initrd=str(disk))))
    assert at.ask("create", "worker", file).startswith("worker: created, ")
    for life in (1, 2, 3):
        at.session.expect(rf"worker\] sum: life {life}, 300001 bytes, {zlib.crc32(noise):x}\b")
        at.ask("restart", "worker")
