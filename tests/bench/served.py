#!/usr/bin/env python3
"""What devices cost that a partition serves for others: instructions and exits of a request of 4 KiB to a virtio disk, in the server's memory
and on the board's disk, one and 32 at once, by fio in Debian; and instructions of 64 KiB of TCP between two Linux partitions, beside those of
Linux' own loopback."""

import argparse
import collections
import json
import mmap
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "soak"))
from devices import IMAGES, MOST_SECONDS, ROOT, TOOL, Machine  # noqa: E402
from served_board import described  # noqa: E402

SERVER, FRONT, BACK = 1, 2, 3  # CPUs
REQUESTS, MEGABYTES, ROUNDS = 1000, 32, 3
FIO = ("fio --name=bench --filename=/dev/vd{disk} --rw=randread --bs=4k --direct=1 --ioengine=libaio --iodepth={depth} --number_ios={requests} --size=4M "
       "--io_size=64M --thread --output=/tmp/fio --iodepth_batch_submit={depth} --iodepth_batch_complete_min={batch}")
# Goals: exits of the client and of the server for one at once; of both for 32; instructions of hypervisor and server for either.
OPERATIONS = {
    "disk_memory_1": ("b", 1, {"client_exits": 4, "server_exits": 3, "instructions": 6000}),
    "disk_memory_32": ("b", 32, {"exits": 0.3, "instructions": 6000}),
    "disk_board_1": ("a", 1, {"client_exits": 4, "server_exits": 3, "instructions": 6000}),
    "disk_board_32": ("a", 32, {"exits": 0.3, "instructions": 6000}),
}
SLEEPS = ("wfi", "wfe")  # exits that are not counted
TCP_GOAL = 3.0  # times what the loopback takes


def described_with_memory_disk(folder):
    path = described(folder / "system.toml", newer=False)
    memory_disk = '[[partition.disk]]\nname = "memory"\nsize = "4 MiB"\n\n[[partition.network]]'
    path.write_text(path.read_text().replace("[[partition.network]]", memory_disk, 1))
    return path


class System(Machine):
    def __init__(self, folder):
        disk, self.socket = folder / "disk", folder / "system.sock"
        subprocess.run(["sh", ROOT / "scripts/rootfs.sh", disk, IMAGES / "rootfs", IMAGES], check=True)
        command = [TOOL, "run", described_with_memory_disk(folder), "--disk", f"disk0={disk}", "--socket", self.socket, "--timeout", MOST_SECONDS, "--qemu-args"]
        super().__init__(folder, command, "[front] ", up=r"front\] Debian[\s\S]*back\] Debian|back\] Debian[\s\S]*front\] Debian", first=None)

    def read(self):
        """For each CPU: (all instructions, the hypervisor's)."""
        with open(self.counts, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as words:
            all_words = struct.unpack("<18Q", words[:144])
        return [(all_words[2 + n * 2], all_words[3 + n * 2]) for n in range(8)]

    def run(self, command):
        time.sleep(2)  # the shell takes what is typed once it has its terminal back
        return super().run(f"{command} </dev/null")

    def difference(self, before, after):
        return [tuple(b - a for a, b in zip(one, other)) for one, other in zip(before, after)]

    def exits(self):
        """Exits of a partition, but for those by which it sleeps."""
        out = {}
        for name in ("front", "back", "server"):
            done = subprocess.run([TOOL, "stats", name, "--json", "--system", self.socket], capture_output=True, text=True, check=True)
            out[name] = collections.Counter()
            for partition in json.loads(done.stdout):
                for vcpu in partition["vcpu"]:
                    out[name].update({cause: count for cause, count in vcpu["exits"].items() if cause not in SLEEPS})
        return out


def measure_disks(system):
    out = {}
    for name, (disk, depth, goals) in OPERATIONS.items():
        work = FIO.format(disk=disk, depth=depth, requests=REQUESTS, batch=max(1, depth // 2))
        idle = FIO.format(disk=disk, depth=depth, requests=1, batch=1)  # what fio takes without requests
        figures = []
        for command in (idle, work):
            exits = system.exits()
            counted = system.run(command)
            after = system.exits()
            figures.append((counted, {key: after[key] - exits[key] for key in after}))
        (idle_counts, idle_exits), (counts, exits) = figures
        per = REQUESTS - 1
        hypervisor = sum(counts[cpu][1] - idle_counts[cpu][1] for cpu in (SERVER, FRONT)) / per
        server = sum((counts[cpu][0] - counts[cpu][1]) - (idle_counts[cpu][0] - idle_counts[cpu][1]) for cpu in (SERVER,)) / per
        causes = {key: {cause: round((count - idle_exits[key][cause]) / per, 2) for cause, count in exits[key].items()} for key in ("front", "server")}
        client_exits, server_exits = (sum(causes[key].values()) for key in ("front", "server"))
        out[name] = {"hypervisor": round(hypervisor), "server": round(server), "instructions": round(hypervisor + server), "client_exits": round(client_exits, 2),
                     "server_exits": round(server_exits, 2), "exits": round(client_exits + server_exits, 2), "causes": causes, "goals": goals}
    return out


def measure_tcp(system):
    """Instructions of all who have a part in it, for 64 KiB: between two partitions, and in one by its loopback. Of several rounds that in
    the middle: how much TCP sends at once, and how often one waits for the other, differs from one to the next."""
    pieces = MEGABYTES << 4
    system.child.sendline("[back] setsid iperf3 -s </dev/null >/dev/null 2>&1 &")
    system.child.sendline("[front] setsid iperf3 -s </dev/null >/dev/null 2>&1 &")
    out = {}
    for name, address, cpus in (("loopback", "127.0.0.1", (FRONT,)), ("partitions", "10.0.2.21", (FRONT, BACK, SERVER))):
        work = f"iperf3 -c {address} -n {{size}}"
        system.run(work.format(size="1M"))
        rounds = []
        for _ in range(ROUNDS):
            little, much = (system.run(work.format(size=size)) for size in ("1M", f"{MEGABYTES + 1}M"))
            rounds.append((sum(much[cpu][0] - little[cpu][0] for cpu in cpus), much[SERVER][0] - little[SERVER][0], sum(much[cpu][1] - little[cpu][1] for cpu in cpus)))
        middle = sorted(rounds)[ROUNDS // 2]
        out[name], out[f"{name}_server"], out[f"{name}_hypervisor"] = (round(sum_ / pieces) for sum_ in middle)
    out["times"], out["goal"] = round(out["partitions"] / out["loopback"], 2), TCP_GOAL
    return out


def table(data):
    lines = [f"{'operation':<16}{'of Hyp':>8}{'server':>8}{'sum':>8}{'goal':>7}{'client exits':>14}{'server exits':>14}  goal"]
    for name, each in data["disks"].items():
        goals = each["goals"]
        exits = f"{goals['client_exits']} and {goals['server_exits']}" if "client_exits" in goals else f"{goals['exits']} in all"
        missed = each["instructions"] > goals["instructions"] or each["client_exits"] > goals.get("client_exits", 99) or each["server_exits"] > goals.get("server_exits", 99) or each["exits"] > goals.get("exits", 99)
        lines.append(f"{name:<16}{each['hypervisor']:>8}{each['server']:>8}{each['instructions']:>8}{goals['instructions']:>7}{each['client_exits']:>14}{each['server_exits']:>14}"
                     f"  {exits}{' !' if missed else ''}")
    tcp = data["tcp"]
    lines.append(f"64 KiB of TCP: {tcp['loopback']} by the loopback, {tcp['partitions']} between partitions ({tcp['partitions_server']} the server's, {tcp['partitions_hypervisor']} "
                 f"of Hyp): {tcp['times']} times, goal {tcp['goal']}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="partita bench --served", description=__doc__)
    parser.add_argument("-o", "--output", default=str(ROOT / "build/bench-served.json"), help="where the figures go (default: build/bench-served.json)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="partita-bench-") as name:
        system = System(pathlib.Path(name))
        try:
            data = {"disks": measure_disks(system), "tcp": measure_tcp(system)}
        finally:
            system.close()
    pathlib.Path(options.output).write_text(json.dumps(data, indent=1) + "\n")
    print(table(data))
    return 0


if __name__ == "__main__":
    sys.exit(main())
