"""examples/server: two Debian systems on one disk and one network card of the board, which a partition of its own drives."""

import re
import subprocess
import sys

import pytest
from conftest import BOOT, IMAGES, ROOT, Session, partition, system
from test_disk import SERVE, disk
from test_manage import Running

sys.path.insert(0, str(ROOT / "tests/soak"))
from served_board import check_file_system, described, file_systems  # noqa: E402

EXAMPLE = ROOT / "examples/server/system.toml"
FIO = ("fio --name=verify --filename=/root/fio --size={size} --rw=randrw --bs=4k --ioengine=libaio --iodepth=32 --direct=1 --verify=crc32c --verify_fatal=1 "
       "--fsync=64 --output=/tmp/fio; echo fio-{name}-$?")


@pytest.fixture
def board_disk(tmp_path):
    path = tmp_path / "server.img"
    subprocess.run(["sh", ROOT / "scripts/rootfs.sh", path, IMAGES / "rootfs", IMAGES], check=True)
    return path


def test_the_example_runs_as_it_is(board_disk):
    session = Session([EXAMPLE, "--disk", f"disk0={board_disk}", "--timeout", str(BOOT), "--until", r"front\] Debian .*root on /dev/vda", "--until", r"back\] Debian .*root on /dev/vda",
                       "--until", r"control\] cycles"])
    status, output = session.wait()
    assert status == 0, output[-3000:]


def test_two_debians_work_while_their_server_ends(board_disk, tmp_path):
    """One with a kernel of its release, one with a newer one: fio verifies what it wrote, iperf3 and ping reach the other and the outside,
    stress-ng finds nothing wrong, and the server ends again and again meanwhile. Behind it, both file systems are whole."""
    socket = tmp_path / "system.sock"
    session = Session([described(tmp_path / "system.toml"), "--disk", f"disk0={board_disk}", "--socket", socket])
    try:
        at = Running(session, socket)
        kernels = dict(session.expect(r"(front|back)\] Debian .*, (Linux \d+\.\d+).*root on /dev/vda").groups() for _ in range(2))
        assert set(kernels) == {"front", "back"}
        session.command("front", "uname -v", "PREEMPT_RT")
        session.command("front", "ping -c 2 -W 5 10.0.2.21 | grep -c ttl= | sed s/^/got-/; ping -c 2 -W 5 10.0.2.2 | grep -c ttl= | sed s/^/out-/", r"got-2\b[\s\S]*out-2\b")
        for name in ("front", "back"):
            session.send(name, FIO.format(size="4M", name=name))
        session.expect(r"Jobs: 1 .*IOPS")
        for life in (2, 3):
            at.ask("restart", "server")
            session.expect(f"server: life {life}")
        assert {session.expect(r"fio-(front|back)-(\d+)").groups() for _ in range(2)} == {("front", "0"), ("back", "0")}
        session.command("back", "iperf3 -s -D; echo list''ens", "listens")
        session.send("front", "iperf3 -c 10.0.2.21 -t 4 --json >/tmp/iperf; echo iperf-$?; grep -m 1 -A 8 sum_received /tmp/iperf | grep bits_per_second")
        session.expect(r"iperf-0")
        assert float(session.expect(r'bits_per_second":\s*([\d.e+]+)')[1]) > 1e5
        session.send("front", "stress-ng --vm 1 --vm-bytes 16M --vm-method flip --hdd 1 --hdd-bytes 2M --temp-path /root --verify --timeout 5 --quiet; echo stress-$?")
        session.expect(r"stress-0")
        for name in ("front", "back"):
            session.command(name, f"dmesg | grep -cE 'I/O error|BUG|WARNING|EXT4-fs error|Oops' | sed s/^/bad-{name}-/", rf"bad-{name}-0\b")
            session.command(name, f"sync; echo syn''ced-{name}", f"synced-{name}")
        assert "error" not in re.sub("iperf.*", "", session.child.before)
    finally:
        session.close()
    parts = file_systems(board_disk)
    assert set(parts) == {"root-a", "root-b"}
    for begin, size in parts.values():
        assert check_file_system(board_disk, begin, size, tmp_path) == ""


def test_u_boot_boots_linux_from_a_served_disk(board_disk, start):
    """Both read the same disk, one after the other."""
    boot_loader = partition("front", IMAGES / "u-boot.bin", [2], "192 MiB", boot_memory="8 MiB", format="raw", load=0, server="server")
    session = start(system(partition("server", SERVE, [1], rights=["serve"], devices=["disk0"]), boot_loader + disk("root", on="disk0", gpt="root-a"), board="virt-smmu"),
                    "--disk", f"disk0={board_disk}")
    session.expect("Hit any key")
    session.send("front", "")
    session.expect("=> ")
    for line, answer in (("virtio scan; virtio info", "Hard Disk"),
                         ("ext4load virtio 0 0x42000000 /boot/vmlinuz; ext4load virtio 0 0x44000000 /boot/initrd.gz", r"\d{7} bytes read[\s\S]*\d{7} bytes read"),
                         ("setenv bootargs console=ttyAMA0 quiet root=/dev/vda name=front", "=> "),
                         ("bootz 0x42000000 0x44000000:${filesize} ${fdt_addr}", r"front\] Debian .*: front, root on /dev/vda")):
        session.command("front", line, answer)
