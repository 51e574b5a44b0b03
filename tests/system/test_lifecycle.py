"""Power-off, reboot, hot-plug, faults: each partition's life is its own."""

import re

import pytest
from conftest import BOOT, CONTROL, EXAMPLE, GUESTS, IMAGES, ROOT, cpio, lateness, linux, partition, system


def seed(session):
    """Of the two seeds in the tree, the one that Linux leaves there for us to see."""
    return session.command("linux", "hexdump -v -e '1/1 \"%02x\"' /proc/device-tree/chosen/kaslr-seed; echo .", r"\[linux\] ([0-9a-f]{16})\.").group(1)


def test_hotplug_reboot_and_power_off(start):
    session = start(system(linux("linux", [1, 2]), partition("control", CONTROL, [0])))
    session.expect("2 CPUs online")
    session.expect(r"\[linux\] / # ")
    online = "/sys/devices/system/cpu/cpu1/online"
    session.command("linux", f"echo 0 > {online}; echo online $(nproc).", r"online 1\.")
    session.command("linux", f"echo 1 > {online}; echo online $(nproc).", r"online 2\.")
    first = seed(session)
    session.send("linux", "reboot")
    session.expect(r"\[partita\] linux: restarting")
    session.expect(r"\[partita\] linux: running \(start 2\)")
    session.expect("2 CPUs online")
    session.expect(r"\[linux\] / # ")
    assert seed(session) != first
    session.send("linux", "poweroff")
    session.expect(r"\[partita\] linux: off")
    session.expect(r"\[control\] cycles \d+ missed")
    session.expect(r"\[control\] cycles \d+ missed")


def test_a_reboot_disturbs_nobody(start):
    """Time is counted here: Linux boots, reboots and boots again, and the control loop misses nothing."""
    session = start(EXAMPLE, "--deterministic")
    session.expect(r"\[linux\] / # ")
    output = session.child.before
    session.send("linux", "reboot")
    session.expect(r"\[partita\] linux: running \(start 2\)")
    output += session.child.before
    session.expect(r"\[linux\] / # ")
    output += session.child.before
    seen = lateness(output)
    assert len(seen) > 5
    assert all(missed == 0 for _, missed in seen), seen


def test_an_intruder_is_stopped_and_linux_goes_on(start):
    session = start(system(linux("linux", [1]), partition("intruder", GUESTS / "intruder.elf", [0], on_fault="stop")))
    session.expect(r"\[partita\] intruder/vcpu0: write of 4 bytes to 0x1c0f0000 \(no memory, no device; nearest: clock.*\): stopped the partition at pc 0x4001[0-9a-f]{4}, svc mode")
    session.expect(r"\[partita\] intruder: off")
    session.expect(r"\[linux\] / # ")
    session.command("linux", "echo still $((40 + 2))", r"still 42")


def test_on_exit_restarts(start):
    session = start(system(partition("echo", GUESTS / "echo.elf", [0], on_exit="restart", on_reset="stop")))
    session.expect("echo: ready")
    session.send("echo", "off")
    session.expect(r"echo: running \(start 2\)")
    session.expect("echo: ready")
    session.send("echo", "restart")
    session.expect(r"\[partita\] echo: off")
    assert session.wait()[0] == 0


def test_faults_are_reported_at_a_bounded_rate(start):
    """A partition that faults without end fills neither the log nor anybody's time."""
    session = start(system(partition("flood", GUESTS / "flood.elf", [1]), partition("control", CONTROL, [0])))
    session.expect("example: ok")
    reports = len(re.findall(r"\[partita\] flood/vcpu0: read", session.child.before))
    assert 8 <= reports <= 100, reports
    assert re.search(r"flood: \d+ more reports", session.child.before)


@pytest.mark.parametrize("device", ["uart", "gic"])
def test_a_flood_of_device_accesses_stops_nobody(start, device):
    session = start(system(partition("flood", GUESTS / f"flood-{device}.elf", [1]), partition("echo", GUESTS / "echo.elf", [0])))
    session.expect("echo: ready")
    session.send("echo", "hello")
    session.expect("you said: hello", timeout=BOOT)


def test_each_end_has_its_reason_and_restarts_their_limit(partita, describe):
    """A watchdog that was fed and then was not, a fault, a reset, a power-off; then one too many."""
    text = system(partition("watched", GUESTS / "watched.elf", [0], watchdog="200 ms", watchdog_boot=True, on_fault="restart", on_exit="restart",
                            restart_limit=4, restart_period="3600 s"))
    done = partita("run", describe(text), "--deterministic", "--timeout", BOOT)
    assert done.returncode == 0, done.stderr
    assert "WRONG" not in done.stdout
    lives = re.findall(r"life (\d), reason (\d)", done.stdout)
    assert lives == [("1", "0"), ("2", "4"), ("3", "3"), ("4", "1"), ("5", "2")]
    assert "barked after four feedings" in done.stdout and "kept when locked" in done.stdout
    assert "its watchdog was not fed in time" in done.stdout  # the second report may be one more than the eight of a second
    assert "watched: off, by its watchdog" in done.stdout
    log = "".join(line + "\n" for line in done.stdout.splitlines() if line.startswith("[partita]"))
    told = re.search(r"watched/vcpu0: was at pc (0x4\w+), svc mode, sp (0x4\w+), lr 0x4\w+\n.*MMU on.*\n(.*\n){3}.*r12 .* r15 (\w+)\n.*stack (\w+):", log)
    assert told, "where the watchdog found it"
    assert told[1] == f"{int(told[4], 16):#x}" and told[2] == f"{int(told[5], 16):#x}"
    assert "exits so far: " in done.stdout
    for why in ("by its watchdog", "after a fault", "it reset itself", "it powered itself off"):
        assert f"watched: restarting, {why}" in done.stdout
    assert "watched: more than 4 restarts in 3600000 ms: it stays off" in done.stdout


def test_a_fault_may_end_all_partitions(partita, describe):
    spinner = ROOT / "build/arm-gcc/tests/bench/spinner-endless.elf"
    text = system(partition("critical", GUESTS / "intruder.elf", [0], on_fault="halt-system"), partition("other", spinner, [1]),
                  partition("restarts", GUESTS / "lives.elf", [2], on_exit="restart", memory="64 MiB"))
    done = partita("run", describe(text), "--timeout", BOOT)
    assert done.returncode == 0, done.stderr
    assert "ended all partitions at pc" in done.stdout
    for name in ("critical", "other", "restarts"):
        assert f"{name}: off" in done.stdout


def test_linux_feeds_its_watchdog_by_its_own_driver(start, tmp_path):
    """Debian's sp805_wdt: found by the device tree, fed for longer than it allows; then the feeder dies, and the next life knows why."""
    initrd = tmp_path / "initrd"
    driver = cpio("sp805_wdt.ko", (IMAGES / "sp805_wdt.ko").read_bytes())
    initrd.write_bytes(driver + (IMAGES / "initrd.cpio.gz").read_bytes())
    text = partition("linux", IMAGES / "vmlinuz", [0], "128 MiB", initrd=str(initrd), bootargs="console=ttyAMA0 quiet", watchdog="10 s")
    session = start(system(text))
    session.expect(r"linux\] Linux .* CPUs online")
    session.command("linux", "insmod /sp805_wdt.ko && cat /sys/class/watchdog/watchdog0/identity && echo loaded", r"sp805-wdt\s+.*loaded")
    session.command("linux", "watchdog -F -t 1 -T 5 /dev/watchdog & sleep 14; echo still here", r"still here\r?\n")
    session.command("linux", "kill -9 $(pidof watchdog)", "its watchdog was not fed in time; the longest is 10000 ms")
    session.expect("linux: restarting, by its watchdog")
    session.expect(r"linux\] Linux .* CPUs online")
    session.command("linux", "od -An -tx1 /proc/device-tree/hypervisor/partita,reset-reason; echo told", r"00 00 00 04.*told")
