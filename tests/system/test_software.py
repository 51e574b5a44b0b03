"""Operating systems and firmware as Debian ships them, unmodified, in a partition."""

import pytest

from conftest import IMAGES, linux, partition, system

KERNELS = {"armmp": ("vmlinuz", "-armmp "), "lpae": ("vmlinuz-lpae", "-lpae "), "rt": ("vmlinuz-rt", "PREEMPT_RT")}


@pytest.mark.parametrize("cpus", [1, 2, 4])
@pytest.mark.parametrize("kernel", KERNELS)
def test_debians_kernels_boot(start, kernel, cpus):
    image, mark = KERNELS[kernel]
    run = start(system(linux("linux", list(range(cpus)), memory="192 MiB", kernel=image)))
    run.expect(r"linux\].*# ")
    run.command("linux", "uname -a", mark)
    run.command("linux", "echo cpus=$(nproc)", rf"cpus={cpus}\b")
    run.command("linux", "echo $(dmesg | grep -cE 'rcu.*stall|BUG|WARNING|Oops|unexpected IRQ') bad", r"\b0 bad")
    run.send("linux", "poweroff -f")
    status, output = run.wait()
    assert status == 0, output


def test_eight_vcpus_on_four_cpus(start):
    run = start(system(linux("linux", [0, 1, 2, 3, 0, 1, 2, 3], memory="192 MiB"), shared=[0, 1, 2, 3]))
    run.expect(r"linux\].*# ")
    run.command("linux", "echo cpus=$(nproc)", r"cpus=8\b")
    run.command("linux", "for n in 1 2 3 4 5 6 7; do echo 0 >/sys/devices/system/cpu/cpu$n/online; done; echo cpus=$(nproc)", r"cpus=1\b")
    run.command("linux", "for n in 1 2 3 4 5 6 7; do echo 1 >/sys/devices/system/cpu/cpu$n/online; done; echo cpus=$(nproc)", r"cpus=8\b")
    run.send("linux", "poweroff -f")
    status, output = run.wait()
    assert status == 0, output


def test_the_debian_installer_asks_for_a_language(start):
    run = start(system(partition("installer", IMAGES / "vmlinuz", [0], memory="384 MiB", initrd=str(IMAGES / "installer-initrd.gz"),
                                 bootargs="console=ttyAMA0 quiet")))
    run.expect("Select a language")
    run.expect("Choose the language")


def test_u_boot_reaches_its_prompt_resets_and_powers_off(start):
    run = start(system(partition("firmware", IMAGES / "u-boot.bin", [0], memory="128 MiB", boot_memory="8 MiB", format="raw", load=0)))
    for life in (1, 2):
        run.expect("U-Boot 20[0-9][0-9]")
        run.expect("Hit any key")
        run.send("firmware", "")
        run.expect("=> ")
        run.command("firmware", "version", "gcc")
        run.send("firmware", "reset" if life == 1 else "poweroff")
    status, output = run.wait()
    assert status == 0, output


@pytest.mark.parametrize(("pmu", "name"), [("given", "armv7_cortex_a15"), ("none", "absent")])
def test_linux_has_the_performance_counters_only_where_they_are_given(start, pmu, name):
    run = start(system(linux("linux", [0, 1], pmu=pmu)))
    run.expect(r"linux\].*# ")
    run.command("linux", "echo counters $(ls /sys/bus/event_source/devices | grep armv7 || echo absent)", f"counters {name}")


def test_linux_reads_the_clock_and_its_alarm_wakes_it(start):
    run = start(system(linux("linux", [0])))
    run.expect(r"linux\].*# ")
    run.command("linux", "echo clock $(cat /sys/class/rtc/rtc0/name)", r"clock rtc-pl031")
    year = run.command("linux", "date -u +year=%Y", r"year=(\d{4})").group(1)
    assert int(year) >= 2025, "the time of the host that started it"
    run.command("linux", "echo +2 >/sys/class/rtc/rtc0/wakealarm; sleep 4; echo alarms $(awk '/rtc-pl031/ { print $2 }' /proc/interrupts)",
                r"alarms [1-9]")
