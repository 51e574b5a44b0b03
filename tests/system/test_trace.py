"""The flight recorder of a run, as a picture, and the benchmark."""

import collections
import json
import subprocess
import sys

from conftest import BOOT, CONTROL, GUESTS, ROOT, partition, system


def test_a_trace_tells_what_each_cpu_did(partita, describe, tmp_path):
    """Both partitions run, nothing overlaps on a CPU, and what one of them did wrong is marked."""
    out = tmp_path / "run.json"
    text = system(partition("control", CONTROL, [1]), partition("intruder", GUESTS / "intruder.elf", [2]))
    done = partita("trace", describe(text), "--until", r"control\] cycles", "--timeout", BOOT, "-o", out)
    assert done.returncode == 0, done.stderr
    assert "Perfetto" in done.stderr
    events = json.loads(out.read_text())["traceEvents"]
    slices, end = collections.Counter(), collections.defaultdict(float)
    for event in events:
        if event["ph"] != "X":
            continue
        assert event["dur"] >= 0
        assert event["ts"] >= end[event["tid"]] - 0.002, event
        end[event["tid"]] = event["ts"] + event["dur"]
        slices[event["cat"], event["name"]] += 1
    assert slices["guest", "control/vcpu0"] > 10 and slices["guest", "intruder/vcpu0"] > 0
    assert slices["idle", "idle"] > 10 and slices["hypervisor", "WFI"] > 10
    marks = [event["name"] for event in events if event["ph"] == "i"]
    assert any(name.startswith("fault at ") for name in marks) and "inject 27 to vcpu0" in marks


def test_two_deterministic_traces_are_the_same(partita, describe, tmp_path):
    path = describe(system(partition("intruder", GUESTS / "intruder.elf", [0], on_fault="stop")))
    texts = []
    for n in (1, 2):
        out = tmp_path / f"{n}.json"
        assert partita("trace", path, "--deterministic", "--timeout", BOOT, "-o", out).returncode == 0  # it ends by its fault
        texts.append(out.read_text())
    assert texts[0] == texts[1]


def test_the_benchmark_counts_the_same_twice_and_stays_below_its_ceilings(tmp_path):
    tables = []
    for n in (1, 2):
        out = tmp_path / f"{n}.json"
        done = subprocess.run([sys.executable, str(ROOT / "tests/bench/bench.py"), "--check", "-o", str(out)], capture_output=True, text=True,
                              timeout=BOOT)
        print(done.stdout, done.stderr)
        assert done.returncode == 0, done.stderr
        tables.append((done.stdout, out.read_text()))
    assert tables[0] == tables[1]
    operations = {each["name"]: each for each in json.loads(tables[0][1])["operations"]}
    assert all(each["partita"] for each in operations.values())
    assert operations["hvc_null"]["gic_accesses"] == 0 and operations["mmio_gicd_read"]["gic_accesses"] == 0
