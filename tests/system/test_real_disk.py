"""Virtio disks of unmodified Linux partitions that lie on one disk of the board, which a server drives behind the System MMU."""

import hashlib
import json
import struct
import sys

import pytest
from conftest import IMAGES, ROOT, partition, system
from test_disk import MODULES, SERVE, disk
from test_manage import PARENT, Running

sys.path.insert(0, str(ROOT / "scripts"))
from gpt import make_disk  # noqa: E402

SIZE = 64 << 20
ROOT_A, ROOT_B = 2048, 34816  # sectors
PARTS = {"root-a": (ROOT_A, 32768), "root-b": (ROOT_B, 16384)}


@pytest.fixture
def board_disk(tmp_path):
    path = tmp_path / "disk0.img"
    make_disk(path, SIZE, PARTS)
    return path


def described(*parts):
    return system(*parts, partition("store", SERVE, [1], rights=["serve"], devices=["disk0"], on_fault="restart", on_exit="restart"),
                  partition("parent", PARENT, [2], rights=["manage"], control=True), board="virt-smmu")


def client(name, cpus, disks, **more):
    return partition(name, IMAGES / "vmlinuz", cpus, "96 MiB", on_reset="restart", server="store", **MODULES, **more) + disks


@pytest.fixture
def running(start, tmp_path, board_disk):
    def begin(text, *up):
        socket = tmp_path / "system.sock"
        session = start(text, "--socket", socket, "--disk", f"disk0={board_disk}")
        for _ in up:
            session.expect(rf"({'|'.join(up)})\] Linux .* CPUs online")
        return Running(session, socket)

    return begin


def there(session, name, disks):
    session.command(name, f"while [ $(ls /sys/block | grep -c vd) != {disks} ]; do sleep 0.1; done; echo the''re-{name}", f"there-{name}")


def test_two_linuxes_share_a_disk_of_the_board(running, board_disk):
    """By range and by GPT name, each has its part and nothing else; what is written is in the board's disk, and stays when the server is
    ended again and again while both write and read."""
    one = disk("root", on="disk0", gpt="root-a") + disk("fixed", on="disk0", gpt="root-b", read_only=True)
    two = disk("data", on="disk0", at="40 MiB", size="8 MiB")
    at = running(described(client("one", [0], one), client("two", [3], two)), "one", "two")
    session = at.session
    there(session, "one", 2), there(session, "two", 1)
    session.command("one", "cat /sys/block/vd?/size /sys/block/vd?/ro /sys/block/vd?/serial | tr '\\n' ' '; echo siz''es", "32768 16384 0 1 rootfixedsizes")
    session.command("two", "cat /sys/block/vda/size; echo siz''es", r"(?s)16384.*sizes")
    load = ("dd if=/dev/urandom of=/tmp/a bs=64k count=64 2>/dev/null; i=0; while [ $i -lt 8 ]; do dd if=/tmp/a of=/dev/vda bs=64k conv=fsync 2>/dev/null || echo WRONG; "
            "echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/vda bs=64k count=64 2>/dev/null | cmp - /tmp/a || echo WRONG; i=$((i + 1)); echo round-$i-NAME-; done; "
            "md5sum /tmp/a | sed s/^/sum-NAME-/")
    for name in ("one", "two"):
        session.send(name, load.replace("NAME", name))
    session.expect("round-1-")
    for life in range(2, 6):
        at.ask("restart", "store")
        session.expect(f"server: life {life}")
    sums = dict(session.expect(r"sum-(one|two)-(\w{32})").groups() for _ in range(2))
    assert "WRONG" not in session.child.before and "error" not in session.child.before
    session.send("store", "")
    session.expect(r"store\] server: disk data of two: \d+ reads \(\d+ KiB\), \d+ writes \(\d+ KiB\), \d+ flushes \(0 KiB\), 0 failed")
    session.command("one", "dd if=/tmp/a of=/dev/vdb bs=4k count=1 conv=fsync || echo refu''sed", "refused")
    for name, where in (("one", ROOT_A * 512), ("two", 40 << 20)):
        data = board_disk.read_bytes()[where : where + (4 << 20)]
        assert hashlib.md5(data).hexdigest() == sums[name]
    at.ask("restart", "two")
    session.expect(r"two\] Linux .* CPUs online")
    there(session, "two", 1)
    session.command("two", "dd if=/dev/vda bs=64k count=64 2>/dev/null | md5sum | sed s/^/sum-/", f"sum-{sums['two']}")


def test_a_partition_that_ends_in_the_middle_of_its_requests(running, board_disk):
    """Its memory is used by nobody once its next life begins: requests that are under way are waited for."""
    at = running(described(client("one", [0], disk("data", on="disk0", at="24 MiB", size="16 MiB"))), "one")
    session = at.session
    for life in range(2, 5):
        there(session, "one", 1)
        session.send("one", "while true; do dd if=/dev/vda of=/dev/null bs=1M 2>/dev/null; echo 3 >/proc/sys/vm/drop_caches; echo go''es; done")
        session.expect("goes")
        at.ask("restart", "one")
        session.expect(rf"one: running \(start {life}\)")
        session.expect(r"one\] Linux .* CPUs online")
    there(session, "one", 1)
    session.command("one", "dd if=/dev/vda of=/tmp/a bs=64k count=16 2>/dev/null && wc -c < /tmp/a", "1048576")


def test_what_is_not_on_the_disk_is_told_and_is_no_device(running):
    disks = disk("none", on="disk0", gpt="root-c") + disk("over", on="disk0", at="16 MiB", size="4 MiB") + disk("named", on="disk0", gpt="root-a") + disk("behind", on="disk0", at="62 MiB", size="4 MiB")
    at = running(described(client("one", [0], disks)))
    session = at.session
    session.expect("one has no disk none: its GPT has no partition of this name")
    session.expect("one has no disk named: it would lie over another that is served")
    session.expect("one has no disk behind: it would end behind the disk")
    session.expect(r"one\] Linux .* CPUs online")
    there(session, "one", 1)
    session.command("one", "cat /sys/block/vda/serial; echo ' ser''ial'", "over serial")


def logged(path):
    """What reached a disk, in order, from QEMU's log of it (Linux, drivers/md/dm-log-writes.c): ("write", byte, bytes) and ("flush",)."""
    FLUSH, DISCARD = 1, 4
    data = path.read_bytes()
    magic, version, entries, sector = struct.unpack_from("<QQQI", data)
    assert magic == 0x6A736677736872 and version == 1
    at = sector
    for _ in range(entries):
        where, count, flags, size = struct.unpack_from("<QQQQ", data, at)
        at += sector
        if flags & FLUSH:
            yield ("flush",)
        if count and not flags & DISCARD:
            yield ("write", where * sector, data[at : at + count * sector])
            at += count * sector


def test_what_was_flushed_survives_a_power_cut(start, board_disk, tmp_path):
    """A partition writes records and flushes behind each, another writes beside it, and their server is ended in the midst of it. The power is
    cut behind each flush that reached the disk: there, all records up to some are, and each of them has been the last one."""
    records, size, begin = 24, 4096, 40 << 20
    log = tmp_path / "disk.log"
    log.write_bytes(b"")
    node = {"driver": "blklogwrites", "file": {"driver": "file", "filename": str(board_disk)}, "log": {"driver": "file", "filename": str(log)}, "log-super-update-interval": 1}
    one = client("one", [0], disk("data", on="disk0", at="40 MiB", size="8 MiB"))
    two = client("two", [3], disk("root", on="disk0", gpt="root-a"))
    socket = tmp_path / "system.sock"
    session = start(described(one, two), "--socket", socket, "--disk", f"disk0={board_disk}", "--qemu-args", "-set", "drive.disk0.format=blklogwrites", "-set",
                    f"drive.disk0.file=json:{json.dumps(node)}")
    for _ in range(2):
        session.expect(r"(one|two)\] Linux .* CPUs online")
    there(session, "one", 1), there(session, "two", 1)
    session.send("two", "dd if=/dev/urandom of=/tmp/a bs=64k count=4; while true; do dd if=/tmp/a of=/dev/vda bs=64k conv=fsync 2>/dev/null; done")
    session.send("one", f"i=1; while [ $i -le {records} ]; do yes record-$i- | head -c {size} > /tmp/r; dd if=/tmp/r of=/dev/vda bs={size} seek=$i conv=fsync 2>/dev/null; "
                 "echo writ''ten-$i-; i=$((i + 1)); done")
    session.expect("written-4-")
    Running(session, socket).ask("restart", "store")
    session.expect(f"written-{records}-")
    session.close()

    image, last_at_flush = {}, []
    for what, *rest in logged(log):
        if what == "write":
            for n in range(0, len(rest[1]), size):
                image[rest[0] + n] = rest[1][n : n + size]
            continue
        there_now = [image.get(begin + i * size) == (f"record-{i}-\n" * size)[:size].encode() for i in range(1, records + 1)]
        last = sum(there_now)
        assert all(there_now[:last]), f"a record is there, and one before it is not: {there_now}"
        last_at_flush.append(last)
    assert last_at_flush == sorted(last_at_flush), "nothing that was there goes"
    assert set(last_at_flush) >= set(range(1, records + 1)), f"a flush that did not reach the disk: {last_at_flush}"
