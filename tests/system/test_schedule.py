"""Processor time: windows, budgets, priorities and schedules, as described and as they ran."""

import json
import re

from conftest import BOOT, GUESTS, ROOT, partition, system

MIXED = ROOT / "examples/mixed-criticality/system.toml"


def schedule(name, frame):
    return f'[[schedule]]\nname = "{name}"\nframe = "{frame}"\n'


def window(cpus, at, length, *names, within=None):
    where = f'schedule = "{within}"\n' if within else ""
    return f'[[window]]\n{where}cpus = {cpus}\nat = "{at}"\nlength = "{length}"\npartitions = {json.dumps(names)}\n'


def times(text):
    """{"motor/vcpu0": (bound, deadline)} in microseconds, of what check printed."""
    unit = {"us": 1, "ms": 1000}
    found = re.findall(r"(\S+/vcpu\d+): .*done after at most ([\d.]+) (us|ms) of ([\d.]+) (us|ms)", text)
    return {name: (float(bound) * unit[a], float(deadline) * unit[b]) for name, bound, a, deadline, b in found}


def test_mixed_criticality_keeps_what_check_promises(partita):
    """Two control loops beside two Linux that boot: no job takes longer than the analysis says."""
    checked = partita("check", MIXED)
    assert checked.returncode == 0, checked.stderr
    bounds = times(checked.stdout)
    assert set(bounds) == {"motor/vcpu0", "guard/vcpu0"}
    done = partita("run", "--deterministic", MIXED, "--until", r"motor\] example: ok", "--until", r"guard\] example: ok",
                   "--timeout", BOOT)
    assert done.returncode == 0, done.stderr
    seen = re.findall(r"\[(motor|guard)\] cycles \d+ missed (\d+): woke at most (\d+) us late, done at most (\d+) us", done.stdout)
    assert len(seen) >= 6
    for name, missed, _, response in seen:
        assert missed == "0"
        assert int(response) <= bounds[f"{name}/vcpu0"][0], (name, response, bounds)


def test_what_ran_lies_on_the_described_windows(partita, describe, tmp_path):
    """Two CPUs, hostile neighbours and one that restarts all the time: nobody runs outside its windows, and each begins in time."""
    text = system(partition("flood", GUESTS / "flood.elf", [0]), partition("lives", GUESTS / "lives.elf", [0], on_exit="restart"),
                  partition("spin", ROOT / "build/arm-gcc/tests/bench/spinner-endless.elf", [1]), partition("gic", GUESTS / "neighbour.elf", [1]),
                  schedule("only", "5 ms"), window([0], "0 ms", "2 ms", "flood"), window([0], "2500 us", "1 ms", "lives"),
                  window([1], "0 ms", "3 ms", "spin"), window([1], "4 ms", "1 ms", "gic"))
    out = tmp_path / "run.json"
    done = partita("trace", describe(text), "--deterministic", "--until", "neighbour: ok", "--timeout", BOOT, "-o", out)
    assert done.returncode == 0, done.stderr
    windows, late, outside = map(float, re.search(r"(\d+) windows began, the latest ([\d.]+) us late; .* more than ([\d.]+) us", done.stderr).groups())
    assert windows > 20 and late < 20 and outside < 20, done.stderr
    # The same once more, by arithmetic of its own: where each window began, and who ran when.
    mine = {0: [("flood", 0, 2000), ("lives", 2500, 3500)], 1: [("spin", 0, 3000), ("gic", 4000, 5000)]}
    events = json.loads(out.read_text())["traceEvents"]
    origin = {}
    for event in events:
        begun = re.match(r"window 0 of schedule 0, (\d+) ticks late", event.get("name", ""))
        if begun:
            origin[event["tid"]] = event["ts"] - int(begun.group(1)) / 62.5
    assert set(origin) == {0, 1} and abs((origin[0] - origin[1]) % 5000) < 1, "frames begin together"
    ran = 0
    for event in events:
        if event.get("cat") != "guest":
            continue
        name, at = event["name"].split("/")[0], (event["ts"] - origin[event["tid"]]) % 5000
        inside = [begin - 20 <= at and at + event["dur"] <= end + 20 for who, begin, end in mine[event["tid"]] if who == name]
        assert any(inside), event
        ran += 1
    assert ran > 50


def test_a_picture_of_the_run(partita, describe, tmp_path):
    text = system(partition("a", GUESTS / "flood.elf", [0]), schedule("only", "2 ms"), window([0], "0 ms", "1 ms", "a"))
    out = tmp_path / "run.svg"
    assert partita("trace", describe(text), "--deterministic", "--timeout", 3, "-o", out).returncode != 0  # it runs until the timeout
    picture = out.read_text()
    assert picture.startswith("<svg") and picture.count("<rect") > 20 and "schedule &quot;only&quot;" in picture


def test_schedules_change_for_all_cpus_at_once(partita, describe, tmp_path):
    """A partition with the right to manage changes the schedule and back; one without is denied."""
    text = system(partition("manager", GUESTS / "scheduled.elf", [0], rights=["manage"]), partition("other", GUESTS / "scheduled.elf", [1]),
                  partition("third", ROOT / "build/arm-gcc/tests/bench/spinner-endless.elf", [0, 1]),
                  schedule("first", "3 ms"), schedule("second", "5 ms"),
                  window([0], "0 ms", "1 ms", "manager"), window([0], "1 ms", "1 ms", "third"), window([1], "0 ms", "1 ms", "other"),
                  window([1], "1 ms", "2 ms", "third"),
                  window([0], "1 ms", "2 ms", "manager", within="second"), window([1], "0 ms", "1 ms", "other", within="second"),
                  window([0, 1], "3 ms", "1 ms", "third", within="second"))
    out = tmp_path / "run.json"
    done = partita("trace", describe(text), "--deterministic", "--until", "scheduled: (ok|FAILED)", "--until", r"other\] scheduled: denied\n?",
                   "--timeout", BOOT, "-o", out)
    assert done.returncode == 0, done.stderr
    assert "WRONG" not in done.stdout and "scheduled: ok" in done.stdout
    begins = {0: {}, 1: {}}  # of frames: time, schedule
    for event in json.loads(out.read_text())["traceEvents"]:
        begun = re.match(r"window 0 of schedule (\d), (\d+) ticks late", event.get("name", ""))
        if begun:
            begins[event["tid"]][round(event["ts"] - int(begun.group(2)) / 62.5)] = begun.group(1)
    common = sorted(set(begins[0]) & set(begins[1]))
    assert len(common) >= 3 and all(begins[0][at] == begins[1][at] for at in common)


def test_time_may_stop_with_the_partition(partita, describe):
    """Each life's work takes 10 ms; loading it takes longer than nothing, which only one of the two sees."""
    text = system(partition("real", GUESTS / "lives.elf", [0], on_exit="restart", memory="64 MiB"),
                  partition("stops", GUESTS / "lives.elf", [1], on_exit="restart", memory="64 MiB", time="stops"))
    done = partita("run", describe(text), "--deterministic", "--until", r"real\] life begins at \d{6} us", "--until", r"stops\] life begins at \d{5} us",
                   "--timeout", BOOT)
    lives = {name: [int(at) for at in re.findall(rf"\[{name}\] life begins at (\d+) us", done.stdout)] for name in ("real", "stops")}
    assert lives["stops"][0] < 1000, "the first life's time begins with it"
    assert 10_000 <= lives["stops"][1] - lives["stops"][0] < 11_000, "what is between two lives is not in it"
    assert lives["real"][1] - lives["real"][0] > 15_000, "loading 64 MiB"


def test_impossible_schedules_are_refused_with_the_arithmetic(partita, describe):
    text = system(partition("a", GUESTS / "flood.elf", [0], period="1 ms", wcet="100 us", deadline="500 us"), partition("b", GUESTS / "flood.elf", [0]),
                  schedule("only", "10 ms"), window([0], "0 ms", "4 ms", "a"), window([0], "3 ms", "8 ms", "b"))
    done = partita("check", describe(text))
    assert done.returncode == 1
    assert "the window ends at 3 ms + 8 ms = 11 ms, but the frame of \"only\" is over at 10 ms; make it 1 ms shorter" in done.stderr
    assert "they overlap by 1 ms" in done.stderr
    done = partita("check", describe(text.replace('"3 ms"\nlength = "8 ms"', '"4 ms"\nlength = "4 ms"')))
    assert done.returncode == 1
    assert re.search(r"a/vcpu0: 100 us in each 1 ms: done after at most 6\.\d+ ms of 500 us, 5\.\d+ ms too late: 100 us its own \+ .* "
                     r"waiting for windows; give it windows that are closer together, or longer", done.stderr)
