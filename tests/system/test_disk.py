"""Virtio disks of an unmodified Linux, in memory of a partition that serves them: what is on them, and what outlives whose end."""

import collections
import hashlib
import json
import random
import re

import pytest
from conftest import BOOT, CONTROL, IMAGES, ROOT, partition, system
from test_manage import PARENT, Running

SERVE = ROOT / "build/arm-gcc/parent/serve.elf"
MODULES = {"initrd": str(IMAGES / "initrd-devices.cpio.gz"), "bootargs": "console=ttyAMA0 quiet"}


def disk(name, **more):
    lines = [f"{key} = {str(value).lower() if isinstance(value, bool) else chr(34) + str(value) + chr(34)}" for key, value in more.items()]
    return "\n".join(["[[partition.disk]]", f'name = "{name}"', *lines]) + "\n"


@pytest.fixture
def image(tmp_path):
    """A file of no whole page, for a disk to begin with."""
    path = tmp_path / "image.bin"
    path.write_bytes(random.Random(1).randbytes(3_000_000))
    return path


@pytest.fixture
def running(start, tmp_path, image):
    def begin(**more):
        socket = tmp_path / "system.sock"
        disks = disk("data", size="16 MiB") + disk("begun", size="4 MiB", image=image) + disk("fixed", image=image, read_only=True)
        session = start(system(partition("linux", IMAGES / "vmlinuz", [0], "128 MiB", on_reset="restart", server="store", **MODULES, **more) + disks,
                               partition("store", SERVE, [1], rights=["serve"], on_fault="restart", on_exit="restart"),
                               partition("parent", PARENT, [2], rights=["manage"], control=True)), "--socket", socket)
        session.expect(r"linux\] Linux .* CPUs online")
        session.command("linux", "while [ $(ls /sys/block | grep -c vd) != 3 ]; do sleep 0.1; done; echo $(for s in /sys/block/vd?/serial; do cat $s; echo; done) ser''ials", "data begun fixed serials")
        return Running(session, socket)

    return begin


def sum_of(at, command, wanted):
    at.session.command("linux", f"{command} | md5sum | sed s/^/sum-/", f"sum-{wanted}")


@pytest.mark.parametrize("legacy", [False, True])
def test_a_disk_is_what_was_written(running, image, legacy):
    at = running(virtio_legacy=legacy)
    begun = hashlib.md5(image.read_bytes()).hexdigest()
    for name in "bc":
        sum_of(at, f"head -c 3000000 /dev/vd{name}", begun)
    at.session.command("linux", "cat /sys/block/vd?/size /sys/block/vd?/ro | tr '\\n' ' '; echo siz''es", "32768 8192 5864 0 0 1 sizes")
    at.session.command("linux", "dd if=/dev/urandom of=/tmp/a bs=64k count=32; for d in a b; do dd if=/tmp/a of=/dev/vd$d bs=64k seek=4 conv=fsync; done; echo 3 >/proc/sys/vm/drop_caches; "
                       "for d in a b; do dd if=/dev/vd$d bs=64k skip=4 count=32 | cmp - /tmp/a && echo same-$d; done", r"(?s)same-a.*same-b")
    at.session.command("linux", "dd if=/tmp/a of=/dev/vdc bs=4k count=1 conv=fsync || echo refu''sed", "refused")
    sum_of(at, "head -c 3000000 /dev/vdc", begun)


def test_a_disk_outlives_its_driver_and_its_server(running):
    """A server that ends under load loses nothing that was written; the driver notices a pause. What a Linux wrote is there in its next life."""
    at = running()
    at.session.command("linux", "dd if=/dev/urandom of=/tmp/a bs=64k count=32; echo rea''dy", "ready")
    at.session.send("linux", "i=0; while [ $i -lt 10 ]; do dd if=/tmp/a of=/dev/vda bs=64k conv=fsync 2>/dev/null; echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/vda bs=64k count=32 2>/dev/null "
                    "| cmp - /tmp/a || echo WRONG; i=$((i + 1)); echo round-$i-; done; md5sum /tmp/a | sed s/^/sum-/")
    at.session.expect("round-1-")
    for life in range(2, 6):
        at.ask("restart", "store")
        at.session.expect(f"server: life {life}")
    wanted = at.session.expect(r"sum-(\w{32})")[1]
    assert "WRONG" not in at.session.child.before and "error" not in at.session.child.before
    at.ask("restart", "linux")
    at.session.expect(r"linux\] Linux .* CPUs online")
    at.session.command("linux", "while [ ! -e /dev/vda ]; do sleep 0.1; done; echo th''ere", "there")
    sum_of(at, "dd if=/dev/vda bs=64k count=32 2>/dev/null", wanted)


def test_disks_with_one_image_change_apart(start, tmp_path, image):
    """Copy-on-write: what one changes, no other sees; the server's lives leave it; what has no room fails, and a discard gives room back."""
    socket = tmp_path / "system.sock"
    disks = disk("one", image=image, changes="256 KiB") + disk("other", image=image, changes="64 KiB", size="4 MiB")
    session = start(system(partition("linux", IMAGES / "vmlinuz", [0], "128 MiB", server="store", **MODULES) + disks,
                           partition("store", SERVE, [1], rights=["serve"], on_fault="restart", on_exit="restart"),
                           partition("parent", PARENT, [2], rights=["manage"], control=True)), "--socket", socket)
    at = Running(session, socket)
    session.expect(r"linux\] Linux .* CPUs online")
    session.command("linux", "while [ ! -e /dev/vdb ]; do sleep 0.1; done; echo th''ere", "there")
    original = image.read_bytes()
    changed = bytearray(original)
    changed[40_000:44_096] = b"\0" * 4096  # of two blocks
    session.command("linux", "dd if=/dev/zero of=/dev/vda bs=32 seek=1250 count=128 conv=fsync 2>/dev/null; echo writ''ten", "written")
    at.ask("restart", "store")
    session.expect("server: life 2")
    session.command("linux", "echo 3 >/proc/sys/vm/drop_caches; echo drop''ped", "dropped")
    sum_of(at, "head -c 3000000 /dev/vda", hashlib.md5(changed).hexdigest())
    sum_of(at, "cat /dev/vdb", hashlib.md5(original.ljust(4 << 20, b"\0")).hexdigest())
    session.send("linux", "dd if=/dev/urandom of=/dev/vdb bs=4k count=17 oflag=direct || echo refu''sed")
    session.expect("server: disk other of linux has no more room for changes: what is written to other places fails")
    session.expect(r"16\+0 records out[\s\S]*refused")
    session.command("linux", "blkdiscard -o 0 -l 65536 /dev/vdb; dd if=/dev/urandom of=/dev/vdb bs=4k count=16 seek=100 oflag=direct && echo wri''tten", "written")
    session.send("store", "")
    session.expect(r"server: disk one of linux: .* 248 KiB left for changes, 0 failed")
    session.expect(r"server: disk other of linux: .* 0 KiB left for changes, 1 failed")


def test_no_other_cpu_has_anything_to_do_with_it(start, tmp_path):
    """A thousand requests and more: client and server enter the hypervisor for each, a control partition beside them for none."""
    socket = tmp_path / "system.sock"
    session = start(system(partition("linux", IMAGES / "vmlinuz", [0], "128 MiB", server="store", **MODULES) + disk("data", size="16 MiB"),
                           partition("store", SERVE, [1], rights=["serve"]), partition("control", CONTROL, [2]),
                           partition("parent", PARENT, [3], rights=["manage"], control=True)), "--socket", socket)
    at = Running(session, socket)
    session.expect(r"linux\] Linux .* CPUs online")
    session.command("linux", "while [ ! -e /dev/vda ]; do sleep 0.1; done; echo th''ere", "there")

    def exits():
        return {one["name"]: collections.Counter(one["vcpu"][0]["exits"]) for one in json.loads(at.ask("stats", "--json"))}

    before = exits()
    session.command("linux", "dd if=/dev/vda of=/dev/null bs=4k count=2000 iflag=direct; echo do''ne", "done")
    after = exits()
    of = {name: after[name] - before[name] for name in after}
    assert of["store"]["hvc"] >= 4000 and of["linux"]["data-abort"] >= 2000, of  # TAKE and RAISE; a notification
    # The control loop's own: it sleeps a thousand times a second, and prints; now and then its timer finds it awake.
    assert of["control"]["wfi"] > 100, of
    assert set(of["control"]) <= {"wfi", "data-abort", "interrupt"}, of
    assert of["control"]["interrupt"] < of["control"]["wfi"] / 20, of


def test_a_server_that_sees_a_pool_alone(partita, describe):
    """A driver that shares 64 KiB has its disk there; of memory of its own the server says that there is none, and its device goes on after a reset."""
    text = system(partition("client", ROOT / "build/arm-gcc/tests/guest/bounced.elf", [0], "4 MiB", server="store", share="pool", share_size="64 KiB") + disk("data", size="1 MiB"),
                  partition("store", SERVE, [1], rights=["serve"]))
    done = partita("run", describe(text), "--deterministic", "--until", "bounced: (ok|FAILED)", "--timeout", BOOT)
    assert "bounced: 64 KiB at 0x403f0000" in done.stdout
    assert "bounced: wrote 0, read 0, 0 words are others" in done.stdout
    assert "server: disk data of client stops until its driver resets it: queue 0: an address is not in its memory" in done.stdout
    assert "bounced: of memory of its own -1, status 4f" in done.stdout
    assert "bounced: ok" in done.stdout, done.stdout[-2000:]


def test_a_pool_is_what_debians_kernel_cannot_use(partita, describe):
    text = system(partition("linux", IMAGES / "vmlinuz", [0], "128 MiB", server="store", share="pool", **MODULES) + disk("data", size="1 MiB"),
                  partition("store", SERVE, [1], rights=["serve"]))
    done = partita("check", describe(text))
    assert done.returncode == 0
    assert re.search(r":\d+:\d+: note: the virtio devices of \"linux\" reach 4 MiB of its memory, for which a Linux needs CONFIG_DMA_RESTRICTED_POOL", done.stdout)


def test_the_parents_program_serves_no_disks(partita, describe):
    text = system(partition("linux", IMAGES / "vmlinuz", [0], "128 MiB", **MODULES) + disk("data", size="1 MiB"),
                  partition("parent", PARENT, [1], rights=["serve"], control=True))
    done = partita("check", describe(text))
    assert done.returncode == 1
    assert '"parent" would serve this virtio disk of "linux", but its program (parent.elf) serves 8 consoles at most; let another partition serve "linux"' in done.stderr


def test_mistakes_are_told_where_they_are(partita, describe, tmp_path, image):
    text = system(partition("linux", IMAGES / "vmlinuz", [0], "128 MiB", server="store") + disk("a b", size="16 MiB") + disk("one") + disk("two", size="5000 B") +
                  disk("two", size="1 MiB", read_only=True) + disk("small", size="1 MiB", image=image) + disk("none", image="none.img"),
                  partition("store", SERVE, [1], rights=["serve"]))
    done = partita("check", describe(text))
    assert done.returncode == 1
    for line in ('a disk cannot be called "a b"; use letters, digits, - and _, at most 20', 'disk "one" has neither size nor image; add one, like size = "16 MiB"',
                 'the size of disk "two" must be a multiple of 4 KiB', '"linux" has another disk "two"', 'disk "two" would be zeros for ever; give it an image, or take read_only out'):
        assert line in done.stderr, line
    good = text[: text.index("[[partition.disk]]")] + disk("small", size="1 MiB", image=image) + disk("none", image="none.img") + text[text.rindex("[[partition]]"):]
    done = partita("check", describe(good))
    assert 'disk "small" has 1 MiB, but its image 3000000 bytes; give it at least that' in done.stderr
    assert 'the image of a disk "' in done.stderr and "does not exist; paths are relative to" in done.stderr
    done = partita("check", describe(good.replace('server = "store"\n', "")))
    assert 'nobody would serve the virtio devices of "linux"; add a parent partition (control = true), or name another with server = "NAME"' in done.stderr
