#!/usr/bin/env python3
"""How many instructions Linux' work with its own NVMe disk and network card takes in a partition, and on the same machine without a
hypervisor and without a System MMU. Counted over all CPUs, the hypervisor's own included, from the line that says that the work begins to
the line that says that it has ended."""

import argparse
import contextlib
import json
import mmap
import pathlib
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading

import pexpect
import pexpect.popen_spawn

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOOL = ROOT / "build/host/tool/partita"
IMAGES = ROOT / "build/images"
MEGABYTES, PAGES = 16, 1024
MOST_SECONDS = 600
ROUNDS = 3
CEILING = 2  # a small work on a busy host has more pauses, and each costs an exit
# What is done, and how much of all instructions may be the hypervisor's, in percent.
OPERATIONS = {
    "nvme_read_64k": ("{megabytes} MB from the disk, 64 KiB at a time", 1.0),
    "nvme_read_4k": ("{pages} times 4 KiB from the disk", 1.0),
    "nvme_write_64k": ("{megabytes} MB to the disk, 64 KiB at a time", 1.0),
    "net_receive": ("{megabytes} MB by TCP", 1.0),
    "net_ping": ("200 packets, each of which is waited for", 1.0),
}
BOOTARGS = "console=ttyAMA0 quiet"


def description():
    keys = {"name": "linux", "kernel": str(IMAGES / "vmlinuz"), "initrd": str(IMAGES / "initrd-devices.cpio.gz"), "bootargs": BOOTARGS,
            "memory": "128 MiB", "cpus": [0], "devices": ["nvme0", "net0"], "msi": "given"}
    return '[system]\nboard = "virt-smmu"\n[[partition]]\n' + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())


def native(disk):
    return ["qemu-system-arm", "-M", "virt,highmem=off,gic-version=2", "-cpu", "cortex-a15", "-smp", "1", "-m", "128M", "-display", "none", "-monitor",
            "none", "-no-reboot", "-serial", "stdio", "-nic", "none", "-kernel", IMAGES / "vmlinuz", "-initrd", IMAGES / "initrd-devices.cpio.gz",
            "-append", BOOTARGS, "-drive", f"if=none,id=nvme0,format=raw,file={disk}", "-device", "nvme,addr=2,drive=nvme0,serial=partita",
            "-netdev", "user,id=net0", "-device", "virtio-net-pci,addr=3,netdev=net0,disable-legacy=on,romfile="]


class Source:
    """A server that sends so many megabytes to whoever connects; 10.0.2.2 to the guest."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            peer, _ = self.socket.accept()
            with peer, contextlib.suppress(OSError):
                for _ in range(MEGABYTES):
                    peer.sendall(bytes(1 << 20))


def commands(port):
    return {
        "nvme_read_64k": f"dd if=/dev/nvme0n1 of=/dev/null bs=64k count={MEGABYTES * 16} iflag=direct",
        "nvme_read_4k": f"dd if=/dev/nvme0n1 of=/dev/null bs=4k count={PAGES} iflag=direct",
        "nvme_write_64k": f"dd if=/dev/zero of=/dev/nvme0n1 bs=64k count={MEGABYTES * 16} oflag=direct",
        "net_receive": f"nc 10.0.2.2 {port} > /tmp/received; [ $(stat -c %s /tmp/received) = {MEGABYTES << 20} ]",
        "net_ping": "ping -c 200 -A -q 10.0.2.2",
    }


class Machine:
    def __init__(self, folder, command, prefix, up="Linux .*CPUs online", first="ifconfig eth0 10.0.2.15 up"):
        self.prefix = prefix
        self.counts = folder / "counts"
        self.counts.unlink(missing_ok=True)
        plugin = folder / "share.so"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o", plugin, HERE / "share.c"], check=True)
        self.child = pexpect.popen_spawn.PopenSpawn([*map(str, command), "-plugin", f"{plugin},out={self.counts}"], timeout=MOST_SECONDS,
                                                    encoding="utf-8", codec_errors="replace")
        self.child.expect(up)
        if first:
            self.run(first)

    def read(self):
        with open(self.counts, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as words:
            return struct.unpack("<QQ", words[:16])

    def run(self, command):
        """(all instructions, those of the hypervisor) of the command."""
        self.child.sendline(f"{self.prefix}sleep 1; echo begin-$((1+1)); if (({command}) >/dev/null 2>&1); then echo end-well; else echo end-badly; fi")
        self.child.expect("\nbegin-2|] begin-2")
        begin = self.read()
        self.child.expect("(?:\n|] )end-(well|badly)")
        if self.child.match.group(1) != "well":
            sys.exit(f"partita: bench: \"{command}\" fails in Linux")
        return self.difference(begin, self.read())

    def difference(self, before, after):
        return tuple(b - a for a, b in zip(before, after))

    def close(self):
        self.child.kill(signal.SIGTERM)
        self.child.wait()


def measure(rounds):
    """{(operation, "partition" or "native"): [(all instructions, the hypervisor's)]}"""
    source = Source()
    results = {}
    with tempfile.TemporaryDirectory(prefix="partita-bench-") as name:
        folder = pathlib.Path(name)
        disk, system = folder / "disk", folder / "system.toml"
        with open(disk, "wb") as file:
            file.truncate(64 << 20)
        system.write_text(description())
        in_partition = [TOOL, "run", system, "--disk", f"nvme0={disk}", "--timeout", MOST_SECONDS, "--qemu-args"]
        for kind, command, prefix in (("partition", in_partition, "[linux] "), ("native", native(disk), "")):
            machine = Machine(folder, command, prefix)
            try:
                for operation, work in commands(source.port).items():
                    machine.run(work)  # what is done once is not counted
                    results[operation, kind] = [machine.run(work) for _ in range(rounds)]
            finally:
                machine.close()
    return results


def result(results):
    operations = []
    for name, (what, goal) in OPERATIONS.items():
        whole, own = (statistics.median(each[n] for each in results[name, "partition"]) for n in (0, 1))
        operations.append({"name": name, "what": what.format(megabytes=MEGABYTES, pages=PAGES), "goal_percent": goal,
                           "native": statistics.median(each[0] for each in results[name, "native"]), "partition": whole, "hypervisor": own,
                           "percent": round(100 * own / (whole - own), 2)})
    return {"operations": operations}


def main():
    parser = argparse.ArgumentParser(prog="partita bench --devices", description=__doc__)
    parser.add_argument("-o", "--output", default=str(ROOT / "build/bench-devices.json"), help="where the figures go (default: build/bench-devices.json)")
    parser.add_argument("--check", action="store_true", help=f"fail where the hypervisor's share is more than {CEILING} times its goal")
    options = parser.parse_args()
    data = result(measure(ROUNDS))
    pathlib.Path(options.output).write_text(json.dumps(data, indent=1) + "\n")
    print(f"{'operation':<16}{'native':>12}{'partition':>12}{'of Hyp':>10}{'share':>9}  goal")
    for each in data["operations"]:
        missed = " !" if each["percent"] > each["goal_percent"] else ""
        print(f"{each['name']:<16}{each['native']:>12}{each['partition']:>12}{each['hypervisor']:>10}{each['percent']:>7.2f} %  {each['goal_percent']:g} %{missed}")
    wrong = [each for each in data["operations"] if each["percent"] > CEILING * each["goal_percent"]]
    for each in wrong if options.check else []:
        print(f"{each['name']}: {each['percent']} % of the instructions are the hypervisor's", file=sys.stderr)
    return 1 if wrong and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
