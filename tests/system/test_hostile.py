"""Hostile partitions beside neighbours whose registers, memory and interrupts must stay their own, and a control loop on the same CPU that
must keep its deadlines. Time is counted in instructions, and so is each stay in Hyp mode: none may be longer than tests/hostile/bound.json
says."""

import bisect
import collections
import json
import re
import subprocess

import pytest
from conftest import BOOT, CONTROL, GUESTS, ROOT, partition, system

HOSTILE = ROOT / "build/arm-gcc/tests/hostile"
HYPERVISOR = ROOT / "build/arm-gcc/hypervisor/hypervisor.elf"
BOUND = json.loads((ROOT / "tests/hostile/bound.json").read_text())["instructions"]
# The CPUs of each program's virtual CPUs.
PROGRAMS = {"coprocessor": [0], "distributor": [0], "calls": [0], "storms": [0], "tables": [0], "oddities": [0], "levels": [0], "races": [0, 1, 2]}
# For each program, its device, what the board calls that, and what its lives reach for in turn.
DEVICES = {
    "dma": ("edu0", r"edu@1,0 \(stream 0x8\)",
            ["write to 0x40200000", "read from 0x8020000", "write to 0x9050000", "read from 0x8000000", "write to 0xfffff000"]),
    "nvme": ("nvme0", r"nvme@2,0 \(stream 0x10\)",
             ["write to 0x40200000", "read from 0x8000000", "read from 0x9050000", "write to 0x8020000", "read from 0xfffff000", "write to 0x40200000"]),
    "net": ("net0", r"ethernet@3,0 \(stream 0x18\)",
            ["read from 0x40200000", "write to 0x8020000", "read from 0x9050000", "read from 0x8000002", "read from 0xfffff000", "write to 0x8020000"]),
}
NEIGHBOURS = [partition("neighbour", GUESTS / "neighbour.elf", [0]), partition("other", GUESTS / "neighbour.elf", [0]),
              partition("control", CONTROL, [0], priority=1)]
ENDS = ["--until", r"neighbour\] neighbour: (ok|FAILED)", "--until", r"other\] neighbour: (ok|FAILED)", "--until",
        r"control\] cycles \d+ missed .* ns"]


class Exits:
    """The longest stay in Hyp mode of a run, by the plugin of tests/hostile/exits.c."""

    def __init__(self, folder):
        self.text, self.out, plugin = folder / "text.bin", folder / "exits.txt", folder / "exits.so"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o", plugin, ROOT / "tests/hostile/exits.c"], check=True)
        subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", "--only-section=.text", HYPERVISOR, self.text], check=True)
        self.arguments = ["-plugin", f"{plugin},text={self.text},out={self.out}"]

    def judge(self):
        """Prints the longest stay, by function, and asserts its bound."""
        words = [line.split() for line in self.out.read_text().splitlines()]
        worst = int(words[0][1])
        symbols = [line.split(maxsplit=2) for line in
                   subprocess.run(["arm-none-eabi-nm", "-nC", HYPERVISOR], capture_output=True, text=True, check=True).stdout.splitlines()]
        places = [(int(address, 16), name) for address, kind, name in (each for each in symbols if len(each) == 3) if kind in "tT"]
        begins = [address for address, _ in places]
        path = collections.Counter()
        for _, address, count in words[1:]:
            path[re.sub(r"\((?!anonymous).*", "", places[bisect.bisect_right(begins, int(address, 16)) - 1][1])] += int(count)
        print(f"longest stay in Hyp mode: {worst} instructions of at most {BOUND}: " + ", ".join(f"{name} {n}" for name, n in path.most_common(12)))
        assert worst > 100, "the plugin saw nothing"
        assert worst <= BOUND


@pytest.fixture
def exits(tmp_path):
    return Exits(tmp_path)


def unharmed(done):
    assert done.returncode == 0, done.stderr
    assert "WRONG" not in done.stdout and "PANIC" not in done.stdout
    for name in ("neighbour", "other"):
        assert f"[{name}] neighbour: ok" in done.stdout
    missed = re.findall(r"control\] cycles \d+ missed (\d+)", done.stdout)
    assert missed and set(missed) == {"0"}


@pytest.mark.parametrize("cpu", ["cortex-a15", "cortex-a7", "max"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_hostile_partition_hurts_itself_alone(partita, describe, exits, program, cpu):
    text = system(partition("hostile", HOSTILE / f"hostile-{program}.elf", PROGRAMS[program]), *NEIGHBOURS, shared=[0], slice="1 ms")
    done = partita("run", describe(text), "--deterministic", "--until", rf"hostile: {program} (ok|FAILED)", *ENDS, "--timeout", BOOT, "--qemu-args", "-cpu", cpu,
                   *exits.arguments)
    assert f"hostile: {program} ok" in done.stdout
    unharmed(done)
    exits.judge()


@pytest.mark.parametrize("cpu", ["cortex-a15", "cortex-a7", "max"])
@pytest.mark.parametrize("program, end, more", [
    ("dma", "life 2: reaches for 0x08020000", {}), ("nvme", "life 3: reaches out", {}), ("net", "life 3: reaches out", {}),
    ("messages", "hostile: messages (ok|FAILED)", {"msi": "given"}),
])
def test_a_hostile_device_takes_nobodys_time(partita, describe, exits, program, end, more, cpu):
    """What the System MMU stops, what a restart does to a device, and messages that are not its own: nobody misses a deadline by them."""
    device = DEVICES.get(program, DEVICES["dma"])[0]
    text = system(partition("hostile", HOSTILE / f"hostile-{program}.elf", [0], devices=[device], **more), *NEIGHBOURS, board="virt-smmu", shared=[0],
                  slice="1 ms")
    done = partita("run", describe(text), "--deterministic", "--until", rf"hostile\] {end}", *ENDS, "--timeout", BOOT, "--qemu-args", "-cpu", cpu,
                   *exits.arguments)
    assert "FAILED" not in done.stdout
    unharmed(done)
    exits.judge()


@pytest.mark.parametrize("program, cpu", [*(("dma", cpu) for cpu in ("cortex-a15", "cortex-a7", "max")), ("nvme", "cortex-a15"), ("net", "cortex-a15")])
def test_a_hostile_device_reaches_nothing(partita, describe, program, cpu):
    """Life after life, of which some begin with what the one before left under way: it is told whose device did what, and the device is cut
    off."""
    device, name, reached = DEVICES[program]
    text = system(partition("hostile", HOSTILE / f"hostile-{program}.elf", [0], devices=[device]), *NEIGHBOURS[:2], board="virt-smmu", shared=[0])
    done = partita("run", describe(text), "--until", f"hostile: {program} (ok|FAILED)", *ENDS[:4], "--timeout", BOOT, "--qemu-args", "-cpu", cpu)
    assert done.returncode == 0, done.stderr
    assert "WRONG" not in done.stdout and "PANIC" not in done.stdout
    assert f"hostile: {program} ok" in done.stdout
    assert re.findall(name + r" of hostile: DMA (.*) blocked: not hostile's memory", done.stdout) == reached


def channels_text():
    """Ends of the hostile one and of a neighbour that never looks at them, and two more that are a system of their own: their messages must
    not notice."""
    ends = [("out", "queuing", "hostile", "neighbour", 'message = "64 B"\ndepth = 8'), ("in", "queuing", "neighbour", "hostile", 'message = "64 B"\ndepth = 8'),
            ("value", "sampling", "hostile", "neighbour", 'message = "64 B"\ntold = true'), ("bell", "doorbell", "hostile", "other", "")]
    return "".join(f'[[channel]]\nname = "{name}"\nkind = "{kind}"\nfrom = "{sender}"\nto = "{receiver}"\n{more}\n'
                   for name, kind, sender, receiver, more in ends)


@pytest.mark.parametrize("cpu", ["cortex-a15", "cortex-a7", "max"])
def test_a_hostile_parent_hurts_only_whom_it_means(partita, describe, exits, cpu):
    """It ends, pauses and restarts a partition that faults and is restarted meanwhile, and gives a place of the pool anything to run; the others,
    on the same CPU, notice nothing."""
    pool = '[pool]\nstore = "64 KiB"\npartitions = 1\nmemory = "2 MiB"\ncpus = [0]\n'
    text = system(partition("hostile", HOSTILE / "hostile-manage.elf", [0], rights=["manage"], control=True),
                  partition("victim", HOSTILE / "hostile-oddities.elf", [1], on_fault="restart", on_exit="restart"), *NEIGHBOURS, pool, shared=[0], slice="1 ms")
    done = partita("run", describe(text), "--deterministic", "--until", "hostile: manage (ok|FAILED)", *ENDS, "--timeout", BOOT, "--qemu-args", "-cpu", cpu,
                   *exits.arguments)
    assert "hostile: manage ok" in done.stdout
    unharmed(done)
    exits.judge()


@pytest.mark.parametrize("cpus, more", [([0], ["--deterministic"]), ([1, 2], [])])
@pytest.mark.parametrize("cpu", ["cortex-a15", "cortex-a7", "max"])
def test_hostile_ends_of_channels_hurt_nobody(partita, describe, exits, cpu, cpus, more):
    text = system(partition("hostile", HOSTILE / "hostile-channels.elf", cpus), *NEIGHBOURS, channels_text(), shared=[0], slice="1 ms")
    done = partita("run", describe(text), *more, "--until", "hostile: channels (ok|FAILED)", *ENDS, "--timeout", BOOT, "--qemu-args", "-cpu", cpu, *exits.arguments)
    assert "hostile: channels ok" in done.stdout, done.stdout
    if more:
        unharmed(done)
        exits.judge()
    else:
        assert "WRONG" not in done.stdout and "PANIC" not in done.stdout


@pytest.mark.parametrize("cpu", ["cortex-a15", "cortex-a7", "max"])
def test_a_hostile_driver_breaks_its_own_device(partita, describe, exits, cpu):
    """Life after life: its server goes on, says what is wrong, and nobody else notices."""
    text = system(partition("hostile", HOSTILE / "hostile-virtio.elf", [0], virtio_ports=True),
                  partition("parent", ROOT / "build/arm-gcc/parent/parent.elf", [1], rights=["manage", "serve"], control=True), *NEIGHBOURS,
                  '[[channel]]\nname = "out"\nkind = "queuing"\nfrom = "hostile"\nto = "parent"\nmessage = "64 B"\ndepth = 4\n'
                  '[[channel]]\nname = "in"\nkind = "queuing"\nfrom = "parent"\nto = "hostile"\nmessage = "64 B"\ndepth = 4\n', shared=[0], slice="1 ms")
    done = partita("run", describe(text), "--deterministic", "--until", "hostile: virtio (ok|FAILED)", *ENDS, "--timeout", BOOT, "--qemu-args", "-cpu", cpu,
                   *exits.arguments)
    assert "hostile: virtio ok" in done.stdout, done.stdout[-3000:]
    unharmed(done)
    assert "parent: the virtio console of hostile stops until its driver resets it: queue" in done.stdout
    assert done.stdout.count("parent: manages, life 1") == 1 and "life 2" not in done.stdout and "was not served" not in done.stdout
    exits.judge()


def test_a_hostile_driver_of_every_device_breaks_its_own(partita, describe):
    """RPMsg, disks in memory and on the board's disk, and a network behind the board's card, of one server: which goes on."""
    disks = ('[[partition.disk]]\nname = "memory"\nsize = "64 KiB"\n[[partition.disk]]\nname = "range"\non = "disk0"\nat = "1 MiB"\nsize = "1 MiB"\n'
             '[[partition.disk]]\nname = "fixed"\non = "disk0"\nat = "2 MiB"\nsize = "1 MiB"\nread_only = true\n[[partition.network]]\nname = "lan"\n')
    server = partition("server", ROOT / "build/arm-gcc/parent/serve.elf", [1], rights=["serve"], devices=["disk0", "net0"])
    text = system(partition("hostile", HOSTILE / "hostile-virtio.elf", [0], server="server", rpmsg=True) + disks, server, *NEIGHBOURS, '[[network]]\nname = "lan"\nuplink = "net0"\n',
                  '[[channel]]\nname = "out"\nkind = "queuing"\nfrom = "hostile"\nto = "server"\nmessage = "64 B"\ndepth = 4\n'
                  '[[channel]]\nname = "in"\nkind = "queuing"\nfrom = "server"\nto = "hostile"\nmessage = "64 B"\ndepth = 4\n', shared=[0], slice="1 ms", board="virt-smmu")
    done = partita("run", describe(text), "--deterministic", "--until", "hostile: virtio (ok|FAILED)", *ENDS, "--timeout", BOOT)
    assert "hostile: virtio ok" in done.stdout, done.stdout[-3000:]
    unharmed(done)
    assert "5 devices" in done.stdout
    assert "server: the virtio rpmsg of hostile stops until its driver resets it: queue" in done.stdout
    for who in ("disk memory", "disk range", "disk fixed", "the port of hostile on network lan"):
        assert re.search(rf"server: {who}.* stops until its driver resets it: queue", done.stdout), who
    assert "server: life 1" in done.stdout and "server: life 2" not in done.stdout and "was not served" not in done.stdout


def test_as_many_ends_as_there_can_be_are_told_within_the_bound(partita, describe, exits):
    """A partition that begins life after life sends by six channels to each of seven others, on all CPUs, who all listen."""
    soak = ROOT / "build/arm-gcc/tests/soak/soak.elf"
    others = [f"l{n}" for n in range(7)]
    channels = "".join(f'[[channel]]\nname = "c{n}"\nkind = "sampling"\nfrom = "hostile"\nto = {json.dumps(others)}\nmessage = "64 B"\n' for n in range(6))
    text = system(partition("hostile", soak, [0], on_exit="restart", on_fault="restart", watchdog="4 ms"),
                  *(partition(name, GUESTS / "listener.elf", [n % 4]) for n, name in enumerate(others)), channels, shared=[0, 1, 2, 3], slice="1 ms")
    done = partita("run", describe(text), "--deterministic", "--until", r"hostile\] life 100: .*", "--timeout", BOOT, "--qemu-args", *exits.arguments)
    assert done.returncode == 0, done.stderr
    assert "PANIC" not in done.stdout and len(re.findall("listener: ready", done.stdout)) == 7
    exits.judge()


def test_lives_that_end_in_every_way_hurt_nobody(partita, describe, exits):
    """Faults, resets, power-offs, watchdogs: what Hyp does for the next life is in the partition's own time."""
    soak = ROOT / "build/arm-gcc/tests/soak/soak.elf"
    text = system(partition("hostile", soak, [0], on_exit="restart", on_fault="restart", watchdog="4 ms"), *NEIGHBOURS, shared=[0], slice="1 ms")
    done = partita("run", describe(text), "--deterministic", "--until", r"hostile\] life 100: .*", *ENDS, "--timeout", BOOT, "--qemu-args", *exits.arguments)
    unharmed(done)
    exits.judge()


def test_a_race_between_virtual_cpus_is_lost_by_their_partition_alone(partita, describe):
    """The same as above with CPUs that really run at the same time; how long it takes then says nothing."""
    text = system(partition("hostile", HOSTILE / "hostile-races.elf", [0, 1, 2]), *NEIGHBOURS[:2], shared=[0])
    done = partita("run", describe(text), "--until", "hostile: races (ok|FAILED)", *ENDS[:4], "--timeout", BOOT)
    assert done.returncode == 0, done.stderr
    assert "WRONG" not in done.stdout and "PANIC" not in done.stdout
    assert "hostile: races ok" in done.stdout
