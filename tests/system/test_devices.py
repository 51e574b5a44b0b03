"""Devices of the board that partitions own: PCI functions behind the System MMU, and devices that nothing confines."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import BOOT, IMAGES, ROOT, TOOL, Session, linux, partition, system

EXAMPLE = ROOT / "examples/passthrough/system.toml"
ACCELERATOR = ROOT / "build/arm-gcc/examples/passthrough/accelerator.elf"
DEVICES = str(IMAGES / "initrd-devices.cpio.gz")


def accelerator(name, cpus, **more):
    return partition(name, ACCELERATOR, cpus, **more)


def test_linux_has_a_disk_and_a_network_card_and_others_have_accelerators(tmp_path):
    """The example: a megabyte written to the disk comes back, also after Linux has restarted; packets come back; and the accelerators of the
    others, one of which has the rest of the board, compute and copy all the while without an error."""
    disk = tmp_path / "disk.img"
    with open(disk, "wb") as file:
        file.truncate(64 << 20)
    session = Session([EXAMPLE, "--disk", f"nvme0={disk}", "--timeout", str(BOOT)])
    try:
        session.expect(r"linux\] Linux .*CPUs online")
        session.command("linux", "dd if=/dev/urandom of=/tmp/a bs=64k count=16; dd if=/tmp/a of=/dev/nvme0n1 bs=64k conv=fsync; echo written-$((1+1))",
                        "written-2")
        session.command("linux", "echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/nvme0n1 of=/tmp/b bs=64k count=16; cmp /tmp/a /tmp/b && echo same-$((1+1))",
                        "same-2")
        session.command("linux", "ifconfig eth0 10.0.2.15 up; ping -c 3 -w 60 10.0.2.2 | grep -q 'ttl=' && echo answered-$((1+1))", "answered-2")
        session.command("linux", "grep -c -E 'MSI.*(nvme|virtio)' /proc/interrupts | sed s/^/messages-/", r"messages-[1-9]")
        session.command("linux", "md5sum < /tmp/a | sed s/^/sum-/", r"sum-([0-9a-f]{32})")
        summed = session.child.match.group(1)
        assert disk.read_bytes()[: 1 << 20].strip(b"\0"), "the disk's file has what was written"
        session.send("linux", "reboot -f")
        session.expect(r"partita\] linux: running \(start 2\)")
        session.expect(r"linux\] Linux .*CPUs online")
        session.command("linux", "dd if=/dev/nvme0n1 bs=64k count=16 | md5sum | sed s/^/sum-/", rf"sum-{summed}")
        for name in ("motion", "vision"):
            rounds = session.expect(rf"{name}\] \d+00 rounds, \d+ interrupts, (\d+) wrong")
            assert rounds.group(1) == "0"
    finally:
        session.close()


def test_the_hypervisor_takes_a_small_share_of_work_with_devices(tmp_path):
    out = tmp_path / "devices.json"
    done = subprocess.run([sys.executable, ROOT / "tests/bench/devices.py", "--check", "-o", out], capture_output=True, text=True, timeout=BOOT, check=False)
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stderr
    for each in json.loads(out.read_text())["operations"]:
        assert 0 < each["hypervisor"] < each["partition"] and each["native"] > 1_000_000


def test_interrupt_lines_do_where_messages_are_anothers(describe):
    """Without msi = "given", a disk and a card have their lines, each linked to the hardware."""
    text = system(linux("linux", [0], devices=["nvme0", "net0"]).replace("initrd.cpio.gz", "initrd-devices.cpio.gz"), accelerator("other", [1], devices=["edu0"], msi="given"),
                  board="virt-smmu")
    session = Session([describe(text), "--timeout", str(BOOT)])
    try:
        session.expect(r"linux\] Linux .*CPUs online")
        session.command("linux", "dd if=/dev/urandom of=/tmp/a bs=64k count=4; dd if=/tmp/a of=/dev/nvme0n1 bs=64k conv=fsync; echo 3 > /proc/sys/vm/drop_caches; "
                        "dd if=/dev/nvme0n1 bs=64k count=4 | cmp - /tmp/a && echo same-$((1+1))", "same-2")
        session.command("linux", "ifconfig eth0 10.0.2.15 up; ping -c 3 -w 60 10.0.2.2 | grep -q 'ttl=' && echo answered-$((1+1))", "answered-2")
        session.command("linux", "grep -c -E 'GIC.*(37|38) Level +(nvme|virtio)' /proc/interrupts | sed s/^/lines-/", r"lines-[1-9]")
    finally:
        session.close()


def test_a_device_that_is_not_assigned_is_not_there(partita, describe):
    text = system(accelerator("motion", [0]), accelerator("other", [1], devices=["edu0"]), board="virt-smmu")
    assert partita("check", describe(text)).returncode == 0
    done = partita("run", describe(text), "--until", "motion: off", "--until", "other. accelerator: (ok|FAILED)", "--timeout", BOOT)
    assert "accelerator: this partition has no edu device" in done.stdout, done.stdout
    assert "other] accelerator: ok" in done.stdout


def test_a_policy_ends_the_partition_whose_device_went_astray(partita, describe):
    hostile = ROOT / "build/arm-gcc/tests/hostile/hostile-dma.elf"
    text = system(partition("astray", hostile, [0], devices=["edu0"], on_fault="stop"), accelerator("other", [1], devices=["edu1"]), board="virt-smmu")
    done = partita("run", describe(text), "--until", "astray: off", "--until", "other. accelerator: (ok|FAILED)", "--timeout", BOOT)
    assert re.search(r"edu@1,0 \(stream 0x8\) of astray: DMA write to 0x40200000 blocked: not astray's memory \(.*\): stopped the partition", done.stdout)
    assert "astray: off, after a fault" in done.stdout
    assert "other] accelerator: ok" in done.stdout


@pytest.mark.parametrize("wrong, said", [
    (("pci1234,11e8", "pci1234,11e9"), "register 0x0 holds 0x11e81234"),
    (("0x10000000 0 0x100000>", "0x10000000 0 0x80000>"), "register 0x10 holds 0xfff00000"),
])
def test_a_function_that_is_not_what_the_board_says_is_told_at_boot(describe, tmp_path, wrong, said):
    """A device tree that is wrong about the hardware: the boot says which function, and does not go on."""
    boards = tmp_path / "boards"
    shutil.copytree(ROOT / "boards", boards)
    source = boards / "virt-smmu/pcie.dtsi"
    source.write_text(source.read_text().replace(*wrong, 1))
    (tmp_path / "build").symlink_to(ROOT / "build")
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-i", boards / "virt", "-i", boards / "virt-smmu", "-o", boards / "virt-smmu/board.dtb",
                    boards / "virt-smmu/board.dts"], check=True)
    done = subprocess.run([TOOL, "run", describe(system(accelerator("motion", [0], devices=["edu0"]), board="virt-smmu")), "--timeout", str(BOOT)],
                          env=os.environ | {"PARTITA_HOME": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert said in done.stdout and "PANIC" in done.stdout and "a PCI function is not what the description says" in done.stdout


def test_a_trusted_partition_has_a_device_that_nothing_confines(describe, tmp_path):
    """Linux at its physical address, with a virtio disk whose DMA nothing translates."""
    disk = tmp_path / "disk.img"
    with open(disk, "wb") as file:
        file.truncate(1 << 20)
    text = system(linux("linux", [0], dma="trusted", devices=["/virtio_mmio@a000000", "/virtio_mmio@a000200"]).replace("initrd.cpio.gz", "initrd-devices.cpio.gz")
                  + "memory_at = 0x6000_0000\n")
    session = Session([describe(text), "--timeout", str(BOOT), "--qemu-args", "-drive", f"if=none,id=d,format=raw,file={disk}", "-global",
                       "virtio-mmio.force-legacy=false", "-device", "virtio-blk-device,drive=d,bus=virtio-mmio-bus.0"])
    try:
        session.expect(r"linux\] Linux .*CPUs online")
        session.command("linux", "grep 'System RAM' /proc/iomem", r"60[0-9a-f]{6}-67ffffff : System RAM")
        session.command("linux", "dd if=/dev/urandom of=/tmp/a bs=64k count=4; dd if=/tmp/a of=/dev/vda bs=64k conv=fsync; echo 3 > /proc/sys/vm/drop_caches; "
                        "dd if=/dev/vda bs=64k count=4 | cmp - /tmp/a && echo same-$((1+1))", "same-2")
    finally:
        session.close()
    assert disk.read_bytes()[: 256 << 10].strip(b"\0")
