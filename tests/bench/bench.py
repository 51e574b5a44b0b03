#!/usr/bin/env python3
"""Counts what each path through the hypervisor costs: in instructions, natively and in a partition, with GIC accesses, barriers and
TLB operations beside them.

Time is counted in instructions (-icount shift=0) and a tick of the counter is one, so that two runs agree to the digit.
What is measured stands in single.c, ipi.c, sleeper.c and spinner.c; how, in bench.h.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
HERE = ROOT / "tests/bench"
PROGRAMS = BUILD / "arm-gcc/tests/bench"
HYPERVISOR = BUILD / "arm-gcc/hypervisor/hypervisor.elf"
MONITOR = BUILD / "arm-gcc/monitor/monitor.elf"
CEILINGS = HERE / "ceilings.json"
COUNTING = ["-icount", "shift=0,sleep=off", "-rtc", "clock=vm,base=2026-01-01"]
MOST_SECONDS = 120

# name: what it is, and the goal in instructions (bytes where the name says so)
OPERATIONS = {
    "hvc_null": ("null hypercall through the ordinary table", 48),
    "sysreg_read": ("trapped ACTLR read", 53),
    "cntp_read": ("CNTP_CTL read", 58),
    "mmio_gicd_read": ("GICD_TYPER read", 70),
    "mmio_gicd_write": ("GICD_ISENABLER write of 0", 70),
    "irq_enable": ("an interrupt's enable", 95),
    "mmio_uart_read": ("PL011 FR read", 63),
    "sgi_self": ("GICD_SGIR write to ISR entry", 118),
    "sgi_overflow": ("each pending SGI beyond the list registers", 500),
    "vtimer_isr": ("compare time to ISR entry, vCPU running", 60),
    "wfi_1ms": ("timer set, WFI, to ISR entry", 64),
    "wfi_50us": ("the same, 50 us", 64),
    "wfi_shared": ("the same while another partition runs on the CPU", 400),
    "ipi_running": ("SGI to the other vCPU to its ISR entry", 204),
    "ipi_wfi": ("the same, it sleeps", 215),
    "ipi_parked": ("the same, its CPU runs another partition", 460),
    "spi_isr": ("an assigned device's interrupt to ISR entry (PL031)", 80),
    "device_read": ("a register of an assigned device (PL031): no exit", 1),
    "device_write": ("the same, written", 1),
    "doorbell": ("a doorbell to a partition that runs on another CPU, to its ISR entry", 250),
    "queue_send": ("a message of 64 bytes into a queue", 320),
    "queue_receive": ("the same, out of it", 280),
    "sampling_write": ("a value of 64 bytes into a sampling port", 250),
    "sampling_read": ("the same, read", 250),
    "ring_send": ("a message of 64 bytes into a ring in shared memory: no exit", 200),
    "ring_receive": ("the same, out of it", 200),
    "virtio_notify": ("a driver tells the server of its virtio device that a queue has buffers", 300),
    "virtio_status": ("InterruptStatus read by a driver", 120),
    "virtio_forwarded": ("a register of a virtio device read, which its server on another CPU answers", 4000),
    "vcpu_switch": ("last instruction of A to first of B, other partition", 245),
    "vcpu_switch_vfp": ("the same, to its first after it has VFP, which both use", 280),
    "preempt_irq": ("interrupt for a more urgent vCPU on the same CPU to its ISR entry", 460),
    "decision_2": ("scheduler path alone, 2 vCPUs", 110),
    "decision_32": ("the same, 32 vCPUs", 110),
    "window_jitter": ("a window's described begin to its first instruction, hostile neighbours, worst", 6000),
    "vtimer_hog": ("compare time to ISR entry of a prioritised partition beside hogs, worst", 3000),
    "smc_fast": ("a call from Hyp that the monitor answers", 40),
    "world_switch": ("a call from Hyp that the secure partition answers: both worlds' registers saved and restored", 280),
    "fiq_latency": ("the secure timer's compare time to its handler in the secure partition, from Hyp and from a partition, worst", 130),
    "secure_tick": ("what the secure world's loop takes of its CPU in a millisecond; the maximum is the one in which it tells its second", 1000),
    "secure_loop": ("the longest of these: what `partita check` takes for each", 5000),
    "reset_to_hyp": ("from reset through monitor and secure partition to the hypervisor's first instruction: its image measured, small partitions", 3000000),
    "uart_char": ("one character on the console, framing included", 300),
    "boot": ("Hyp entry to the first guest instruction, without scrub", 200000),
    "scrub": ("per MiB of guest memory, cleaning included", 65000),
    "text_bytes": ("the hypervisor's code, bytes", 98304),
    "ram_bytes": ("the hypervisor's RAM with its tables, 1 GiB board, bytes", 163840),
    "partition_bytes": ("RAM of the hypervisor for each partition of 1 vCPU, bytes", 32768),
    "monitor_bytes": ("the monitor's image: what it copies to secure memory, bytes", 16384),
    "parent_bytes": ("the parent partition's program with its stacks and tables, bytes", 65536),
}


def fail(message):
    sys.exit(f"partita: bench: {message}")


def partition(name, program, cpus, memory="64 MiB", **more):
    lines = ["[[partition]]", f'name = "{name}"', f'kernel = "{PROGRAMS / program}.elf"', f'memory = "{memory}"', f"cpus = {cpus}"]
    return "\n".join(lines + [f"{key} = {json.dumps(value)}" for key, value in more.items()]) + "\n"


class Bench:
    def __init__(self, folder, cpu):
        self.folder = pathlib.Path(folder)
        self.cpu = f"{cpu},cntfrq=1000000000"
        self.environment = {**os.environ, "PARTITA_HOME": str(HERE), "PARTITA_HYPERVISOR": str(HYPERVISOR), "SOURCE_DATE_EPOCH": "1767225600",  # an image holds it, and is measured
                            "PARTITA_MONITOR": str(MONITOR), "PARTITA_SECURE": str(BUILD / "arm-gcc/secure/secure.elf")}
        self.plugin = self.folder / "count.so"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o", self.plugin, HERE / "count.c"], check=True)

    def call(self, command, more=()):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL,
                              timeout=MOST_SECONDS, env={**self.environment, **dict(more)})
        if done.returncode != 0:
            fail(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def in_partitions(self, description, until=()):
        """The output of a system, and a window of counts for each operation that it marks. It ends when all partitions are off, or
        once each of `until` was seen."""
        path, counts = self.folder / "system.toml", self.folder / "counts.txt"
        path.write_text('[system]\nboard = "virt"\n' + description)
        counts.unlink(missing_ok=True)
        ends = [word for pattern in until for word in ("--until", pattern)]
        output = self.call([BUILD / "host/tool/partita", "run", path, "--timeout", MOST_SECONDS, *ends, "--qemu-args", "-cpu", self.cpu,
                            *COUNTING, "-plugin", f"{self.plugin},out={counts}"])
        return output, read_windows(counts.read_text(), re.findall(r"operation (\w+)", output))

    def natively(self, program, cpus):
        return self.call(["qemu-system-arm", "-M", "virt,highmem=off,gic-version=2", "-cpu", self.cpu, "-smp", cpus, "-m", "128M",
                          "-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot", "-serial", "stdio", *COUNTING,
                          "-kernel", PROGRAMS / f"{program}.elf"])


def read_windows(text, names):
    """{operation: {"instructions", "gic", "barriers", "tlb", "cache", "at": {address: count}}}, in the order of the marks."""
    windows = []
    for line in text.splitlines():
        kind, *numbers = line.split()
        if kind == "window":
            windows.append(dict(zip(("instructions", "gic", "barriers", "tlb", "cache"), map(int, numbers)), at={}))
        elif windows:
            windows[-1]["at"][int(numbers[0], 16)] = int(numbers[1])
    if len(windows) != len(names):
        fail(f"{len(names)} operations were marked, but {len(windows)} windows were counted")
    return dict(zip(names, windows))


def read_figures(output):
    figures = {}
    for name, low, mean, high in re.findall(r"figure (\w+) (\d+) (\d+) (\d+) \d+", output):
        figures[name] = {"min": int(low), "mean": int(mean), "max": int(high)}
    return figures


def figure_of(values):
    return {"min": min(values), "mean": sum(values) // len(values), "max": max(values)}


def measure(bench):
    """(figures in partitions, figures natively, windows)"""
    ours, windows = {}, {}

    def run(description, *until):
        output, counted = bench.in_partitions(description, until)
        ours.update(read_figures(output))
        windows.update(counted)
        return output

    first = {}
    for size in (64, 128):
        output = run(partition("bench", "single", [0], f"{size} MiB", devices=["/pl031@9010000"]))
        first[size] = int(re.search(r"first instruction (\d+)", output).group(1))
    scrub = (first[128] - first[64]) // 64
    ours["scrub"] = figure_of([scrub])
    ours["boot"] = figure_of([first[64] - 64 * scrub])
    run(partition("bench", "ipi", [0, 1]))
    run('[[cpu]]\nid = 1\nslice = "1 ms"\n' + partition("bench", "ipi-parked", [0, 1], priority=1, devices=["/pl031@9010000"]) + partition("other", "spinner-endless", [1], "2 MiB"),
        "ipi done")
    run(partition("sender", "channels", [0], "2 MiB") + partition("receiver", "channels", [1], "2 MiB") + CHANNELS, "channels done")
    run(partition("driver", "driver", [0], "2 MiB", virtio_ports=True) +
        partition("server", "../../parent/parent", [1], "2 MiB", rights=["manage", "serve"], control=True) +
        '[[channel]]\nname = "port"\nkind = "queuing"\nfrom = "server"\nto = "driver"\nmessage = "64 B"\ndepth = 4\n', "driver done")
    ours["vcpu_switch"] = switch_figure(run(shared(partition("bench", "sleeper", [0], priority=1), partition("other", "spinner", [0], "2 MiB")),
                                            "sleeper done", "spinner done"))
    ours["decision_2"] = decision_figure(windows["wfi_shared"])
    two = ours["wfi_shared"], windows["wfi_shared"]
    ours["vcpu_switch_vfp"] = switch_figure(run(shared(partition("bench", "sleeper-vfp", [0], priority=1),
                                                       partition("other", "spinner-vfp", [0], "2 MiB")), "sleeper done", "spinner done"))
    crowd = [partition(f"crowd{n}", "crowd", [0] * (7 if n == 0 else 8), "2 MiB") for n in range(4)]
    run(shared(partition("bench", "sleeper-crowd", [0], priority=1), *crowd, slice="100 us"), "sleeper done")
    ours["decision_32"] = decision_figure(windows["wfi_shared"])
    hostile = [partition("flood", "../guest/flood", [0], "2 MiB"), partition("restarts", "restarter", [0], "8 MiB", on_exit="restart")]
    run(shared(partition("bench", "sleeper-hogs", [0], priority=1), *hostile), "sleeper done")
    ours["vtimer_hog"] = figure_of([ours["wfi_shared"]["max"]])
    ours["wfi_shared"], windows["wfi_shared"] = two
    run(shared(partition("bench", "window", [0]), *hostile, window("0 us", "300 us", "bench"), window("300 us", "713 us", "flood", "restarts"),
               '[[schedule]]\nname = "only"\nframe = "1013 us"\n'), "window done")
    ours["window_jitter"] = figure_of([ours["window_jitter"]["max"]])
    ours.update(secure_figures(bench))
    ours["secure_loop"] = figure_of([ours["secure_tick"]["max"]])
    ours.update(sizes(bench))
    native = {**read_figures(bench.natively("single", 1)), **read_figures(bench.natively("ipi", 2))}
    return ours, native, windows


def secure_figures(bench):
    """Of a program in the hypervisor's place; the secure partition itself says how late its interrupts came to it, once in a second."""
    path, image, secure = bench.folder / "secure.toml", bench.folder / "secure.elf", bench.folder / "secure.txt"
    path.write_text('[system]\nboard = "virt-secure"\n[secure]\n' + partition("spins", "busy", [0], "2 MiB"))
    place = {"PARTITA_HYPERVISOR": str(BUILD / "arm-gcc/tests/monitor/monitor-figures.elf")}
    bench.call([BUILD / "host/tool/partita", "build", path, "-o", image], place)
    output = bench.call(["qemu-system-arm", "-M", "virt,virtualization=on,secure=on,highmem=off,gic-version=2", "-cpu", bench.cpu, "-smp", 1, "-m", "1024M",
                         "-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot", "-serial", "stdio", "-serial", f"file:{secure}", *COUNTING,
                         "-kernel", image])
    late = re.compile(r"cycles 1000 missed 0 worst (\d+) ns")
    in_partition = bench.call([BUILD / "host/tool/partita", "run", path, "--timeout", MOST_SECONDS, "--until", "secure.*cycles 1000 .*mean [0-9]+ ns", "--qemu-args", "-cpu",
                               bench.cpu, *COUNTING])
    worst = [int(late.search(text).group(1)) for text in (secure.read_text(), in_partition)]
    return {**read_figures(output), "fiq_latency": figure_of([max(worst)])}


def shared(*parts, slice="1 ms"):
    """A system whose partitions share CPU 0."""
    return f'[[cpu]]\nid = 0\nslice = "{slice}"\n' + "".join(parts)


def window(at, length, *names):
    return f'[[window]]\ncpus = [0]\nat = "{at}"\nlength = "{length}"\npartitions = {json.dumps(names)}\n'


CHANNELS = "".join(f'[[channel]]\nname = "{name}"\nkind = "{kind}"\nfrom = "{ends[0]}"\nto = "{ends[1]}"\n{more}\n' for name, kind, ends, more in (
    ("bell", "doorbell", ("sender", "receiver"), ""), ("times", "queuing", ("receiver", "sender"), 'message = "8 B"\ndepth = 4'),
    ("queue", "queuing", ("sender", "receiver"), 'message = "64 B"\ndepth = 128'), ("value", "sampling", ("sender", "receiver"), 'message = "64 B"'),
    ("frames", "memory", ("sender", "receiver"), 'size = "64 KiB"\nback = "4 KiB"')))


def switch_figure(output):
    """From the sleeper's last instruction to the spinner's next."""
    outs = [int(n) for n in re.findall(r"out (\d+)", output)]
    backs = [int(n) for n in re.findall(r"back (\d+)", output)]
    return figure_of([min(b for b in backs if b > out) - out for out in outs if backs[-1] > out])


def decision_figure(window):
    """The instructions that come from hypervisor/schedule, for each decision: each begins with charge()."""
    addresses = sorted(window["at"])
    told = subprocess.run(["arm-none-eabi-addr2line", "-f", "-e", HYPERVISOR, *map(hex, addresses)], capture_output=True, text=True, check=True).stdout
    lines = told.splitlines()
    places = list(zip(addresses, lines[0::2], lines[1::2]))
    decisions = max(window["at"][address] for address, function, _ in places if "charge" in function)
    return figure_of([sum(window["at"][address] for address, _, where in places if "/schedule/" in where) // decisions])


def footprint(program):
    """From its first byte to the end of its stacks and its table (guest/guest.ld)."""
    symbols = subprocess.run(["arm-none-eabi-nm", program], capture_output=True, text=True, check=True).stdout
    places = {name: int(address, 16) for address, _, name in (line.split() for line in symbols.splitlines() if len(line.split()) == 3)}
    return places["__program_end"] - places["_start"]


def loaded(program):
    """Bytes of all that is loaded of a program."""
    headers = subprocess.run(["arm-none-eabi-readelf", "-lW", program], capture_output=True, text=True, check=True).stdout
    return sum(int(line.split()[4], 16) for line in headers.splitlines() if line.strip().startswith("LOAD"))


def sizes(bench):
    """Bytes of code, and of all RAM that the hypervisor keeps for itself (abi/partita/system_image.h)."""
    sections = subprocess.run(["arm-none-eabi-size", "-A", HYPERVISOR], capture_output=True, text=True, check=True).stdout
    text = int(re.search(r"^\.text +(\d+)", sections, re.MULTILINE).group(1))
    kept = []
    for count in (1, 2):
        path, system = bench.folder / "sizes.toml", bench.folder / "sizes.bin"
        path.write_text('[system]\nboard = "virt"\n' + "".join(partition(f"p{n}", "spinner", [n]) for n in range(count)))
        bench.call([BUILD / "host/tool/partita", "build", path, "-o", system])
        data = system.read_bytes()
        description, = struct.unpack_from("<I", data, 8)
        base, end = struct.unpack_from("<QQ", data, description + 24)
        kept.append(end - base)
    return {"text_bytes": figure_of([text]), "ram_bytes": figure_of([kept[0]]), "partition_bytes": figure_of([kept[1] - kept[0]]),
            "monitor_bytes": figure_of([loaded(MONITOR)]),
            "parent_bytes": figure_of([footprint(BUILD / "arm-gcc/parent/parent.elf")])}


def result(ours, native, windows):
    operations = []
    for name, (what, goal) in OPERATIONS.items():
        window = windows.get(name, {})
        operations.append({"name": name, "what": what, "goal": goal, "native": native.get(name, {}).get("mean"), "partita": ours.get(name),
                           "gic_accesses": window.get("gic"), "barriers": window.get("barriers"), "tlb": window.get("tlb"),
                           "cache": window.get("cache")})
    return {"cpu": None, "operations": operations}


def table(data):
    head = ("operation", "native", "min", "mean", "max", "goal", "GIC", "barriers", "TLB", "cache")
    rows = [head]
    for each in data["operations"]:
        ours = each["partita"] or {}
        counted = [each[key] for key in ("gic_accesses", "barriers", "tlb", "cache")]
        missed = ours.get("mean", 0) > each["goal"]
        rows.append((each["name"], each["native"], ours.get("min"), ours.get("mean"), ours.get("max"), f"{each['goal']}{' !' if missed else '  '}",
                     *counted))
    texts = [["-" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[n]) for row in texts) for n in range(len(head))]
    lines = ["  ".join(cell.ljust(width) if n == 0 else cell.rjust(width) for n, (cell, width) in enumerate(zip(row, widths))).rstrip()
             for row in texts]
    return "\n".join(lines) + "\n"


def profile(window):
    """Where one repetition's instructions are: by function, inlined ones by their own name."""
    addresses = sorted(window["at"])
    told = subprocess.run(["arm-none-eabi-addr2line", "-f", "-i", "-a", "-C", "-s", "-e", HYPERVISOR, *map(hex, addresses)],
                          capture_output=True, text=True, check=True).stdout
    functions, current = collections.Counter(), None
    lines = told.splitlines()
    for n, line in enumerate(lines):
        if line.startswith("0x"):
            current = int(line, 16)
            functions[re.sub(r"\(.*", "", lines[n + 1])] += window["at"][current]
    unnamed = functions.pop("??", 0)
    out = [f"{window['instructions']} instructions in Hyp, {window['gic']} GIC accesses, {window['barriers']} barriers"]
    out += [f"{count:8} {name}" for name, count in functions.most_common()]
    if unnamed:
        out.append(f"{unnamed:8} assembly")
    return "\n".join(out) + "\n"


def listing(window):
    """The disassembly of what one repetition executed, with how often."""
    out = []
    told = subprocess.run(["arm-none-eabi-objdump", "-d", "--no-show-raw-insn", "-C", HYPERVISOR], capture_output=True, text=True, check=True)
    name = ""
    for line in told.stdout.splitlines():
        if line.endswith(">:"):
            name = line
        match = re.match(r"\s*([0-9a-f]+):", line)
        if match and int(match.group(1), 16) in window["at"]:
            if name:
                out.append(name)
            name = ""
            out.append(f"{window['at'][int(match.group(1), 16)]:4} {line}")
    return "\n".join(out) + "\n"


def compiler():
    return subprocess.run(["arm-none-eabi-gcc", "-dumpversion"], capture_output=True, text=True, check=True).stdout.strip()


def check(data):
    """Figures above their ceilings, in words. Another compiler than the ceilings were made with may take a quarter more."""
    made = json.loads(CEILINGS.read_text())
    slack = 1 if made["compiler"] == compiler() else 1.25
    ceilings = {name: int(most * slack) for name, most in made["figures"].items()}
    wrong = []
    for each in data["operations"]:
        if each["partita"] is None:
            wrong.append(f"{each['name']} was not measured")
        elif each["name"] not in ceilings:
            wrong.append(f"{each['name']} has no ceiling; run ./partita bench --set-ceilings")
        elif each["partita"]["mean"] > ceilings[each["name"]]:
            wrong.append(f"{each['name']} takes {each['partita']['mean']}, more than its ceiling of {ceilings[each['name']]}")
    return wrong


def main():
    parser = argparse.ArgumentParser(prog="partita bench", description="Count what each path through the hypervisor costs, in instructions.",
                                     epilog="./partita bench --devices counts Linux' work with its own disk and network card instead.")
    parser.add_argument("-o", "--output", default=str(BUILD / "bench.json"), help="where the figures go (default: build/bench.json)")
    parser.add_argument("--cpu", default="cortex-a15", choices=["cortex-a15", "cortex-a7"], help="the CPU (default: %(default)s)")
    parser.add_argument("--profile", metavar="OPERATION", choices=list(OPERATIONS), help="show where this operation's instructions are")
    parser.add_argument("--listing", metavar="OPERATION", choices=list(OPERATIONS), help="show the instructions themselves")
    parser.add_argument("--check", action="store_true", help="fail where a figure is above its ceiling")
    parser.add_argument("--set-ceilings", action="store_true", help="make the ceilings 4 %% more than these figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="partita-bench-") as folder:
        ours, native, windows = measure(Bench(folder, options.cpu))
    data = result(ours, native, windows)
    data["cpu"] = options.cpu
    pathlib.Path(options.output).write_text(json.dumps(data, indent=1) + "\n")
    if options.set_ceilings:
        figures = {name: figure["mean"] + max(1, figure["mean"] // 25) for name, figure in sorted(ours.items())}
        CEILINGS.write_text(json.dumps({"compiler": compiler(), "figures": figures}, indent=1) + "\n")
    if options.listing:
        sys.stdout.write(listing(windows[options.listing]))
        return 0
    if options.profile:
        if options.profile not in windows:
            fail(f"{options.profile} has no profile: it is no single path")
        sys.stdout.write(profile(windows[options.profile]))
        return 0
    sys.stdout.write(table(data))
    wrong = check(data) if options.check else []
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
