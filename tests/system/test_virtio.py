"""Queues and sampling ports of an unmodified Linux, as ports of a virtio console that the parent serves."""

import re
import subprocess
import time

import pytest
from conftest import BOOT, GUESTS, IMAGES, ROOT, TOOL, partition, system
from test_manage import PARENT, Running

LINUX = {"initrd": str(IMAGES / "initrd-devices.cpio.gz"), "bootargs": "console=ttyAMA0 quiet", "virtio_ports": True}
PORTS = "/dev/virtio-ports"
WAIT = f"while [ $(ls {PORTS} 2>/dev/null | wc -w) != 3 ]; do sleep 0.1; done; "


def channel(name, kind, sender, receiver, more):
    return f'[[channel]]\nname = "{name}"\nkind = "{kind}"\nfrom = "{sender}"\nto = "{receiver}"\n{more}\n'


def described(**more):
    return system(partition("linux", IMAGES / "vmlinuz", [0], "128 MiB", on_reset="restart", **LINUX, **more), partition("echo", GUESTS / "port_echo.elf", [1]),
                  partition("parent", PARENT, [2], rights=["manage", "serve"], control=True, on_fault="restart", on_exit="restart"),
                  channel("to", "queuing", "linux", "echo", 'message = "4 KiB"\ndepth = 4'),
                  channel("from", "queuing", "echo", "linux", 'message = "4 KiB"\ndepth = 4'),
                  channel("value", "sampling", "echo", "linux", 'message = "4 B"\ntold = true'))


@pytest.fixture
def running(start, tmp_path):
    def begin(text, *arguments):
        socket = tmp_path / "system.sock"
        session = start(text, "--socket", socket, *arguments)
        session.expect(r"linux\] Linux .* CPUs online")
        session.command("linux", WAIT + f"ls {PORTS} | tr '\\n' ' '; echo named", "from to value named")
        return Running(session, socket)

    return begin


def echo(session, count, text):
    """Each message is one write, and one read."""
    session.command("linux", f"exec 3<{PORTS}/from 4>{PORTS}/to; i=0; while [ $i -lt {count} ]; do echo -n {text}$i >&4; "
                    "[ \"$(dd bs=4096 count=1 <&3 2>/dev/null)\" = " + f"{text}$i ] || echo WRONG $i; i=$((i + 1)); done; exec 3<&- 4>&-; echo e''choed $i",
                    f"echoed {count}\\b")


@pytest.mark.parametrize("legacy", [False, True])
def test_messages_go_both_ways(running, legacy):
    at = running(described(virtio_legacy=legacy))
    echo(at.session, 50, "message-")
    at.session.command("linux", f"head -c 8 {PORTS}/value | hexdump -e '1/4 \"value %d \"'; echo read", r"value (\d+) value (\d+) read")
    at.session.command("linux", f"(head -c 4096 /dev/urandom >/tmp/page; cat /tmp/page >{PORTS}/to; dd if={PORTS}/from of=/tmp/back bs=4096 count=1; "
                       "cmp /tmp/page /tmp/back && echo s''ame)", "same")
    at.session.send("linux", f"dd if=/dev/zero bs=5000 count=1 of={PORTS}/to")
    at.session.expect(r"parent: linux wrote more than 4096 bytes to to: dropped")
    echo(at.session, 5, "after-")
    at.session.command("linux", "grep virtio /proc/interrupts", r"\d+ +\S+ +48 Edge +virtio0")


def test_ends_that_go_and_come_are_seen(running):
    at = running(described())
    echo(at.session, 3, "first-")
    at.ask("stop", "echo")
    at.wait_for("echo", "off")
    at.session.command("linux", f"echo ended with $(timeout 20 cat {PORTS}/from | wc -c) bytes", "ended with 0 bytes")  # the end of the file
    at.ask("start", "echo")
    at.session.expect("port-echo: ready")
    at.session.command("linux", f"while ! timeout 1 dd if={PORTS}/value bs=4 count=1 2>/dev/null | grep -q .; do :; done; echo b''ack", "back")
    echo(at.session, 3, "second-")
    at.ask("restart", "linux")
    at.session.expect("port-echo: the other end runs, life 2")
    at.session.expect(r"linux\] Linux .* CPUs online")
    at.session.command("linux", WAIT + "echo n''amed", "named")
    echo(at.session, 10, "third-")


def test_a_server_that_begins_anew_goes_on(running):
    """The driver notices nothing: its queues and what was in them are there afterwards."""
    at = running(described())
    echo(at.session, 3, "before-")
    at.session.send("linux", f"exec 3<{PORTS}/from; cat <&3 >/tmp/got & exec 4>{PORTS}/to; i=0; while [ $i -lt 300 ]; do echo line-$i >&4; usleep 5000; "
                    "i=$((i + 1)); done; echo s''ent")
    for life in (2, 3):
        at.ask("restart", "parent")
        at.session.expect(f"parent: manages, life {life}")
    at.session.expect(r"linux\] sent")
    at.session.command("linux", "sleep 1; echo counted $(sort -u /tmp/got | wc -l) lines", "counted 300 lines")


def test_a_server_that_dawdles_costs_what_is_described(running):
    """It is another partition than the parent, which pauses it: a driver waits for 20 ms, and finds no device then."""
    server = partition("server", PARENT, [3], rights=["serve"])
    at = running(described(server="server", server_timeout="20 ms") + server)
    drivers = "/sys/bus/platform/drivers/virtio-mmio"
    at.session.command("linux", f"echo a000000.virtio_mmio >{drivers}/unbind; rm -r {PORTS}; echo u''nbound", "unbound")
    at.ask("pause", "server")
    at.session.send("linux", f"echo a000000.virtio_mmio >{drivers}/bind; echo n''one")
    at.session.expect("linux: an access to its virtio device was not served: server did not answer within 20 ms; it reads as 0")
    at.session.expect(r"linux\] none")
    at.ask("resume", "server")
    at.session.command("linux", f"echo a000000.virtio_mmio >{drivers}/bind; " + WAIT + "echo n''amed", "named")
    echo(at.session, 3, "again-")


def test_the_pipeline_runs_for_a_minute_and_loses_nothing(partita):
    """The example, a thousand times a second through a program of an unmodified Linux."""
    done = partita("run", ROOT / "examples/pipeline/system.toml", "--deterministic", "--until", r"60000 sent.*\.", "--timeout", BOOT)
    assert done.returncode == 0, done.stderr
    last = re.findall(r"pipeline: 60000 sent, (\d+) answered, (\d+) lost, worst (\d+) ns;(.*)\.", done.stdout)[-1]
    print(last)
    assert int(last[0]) >= 59999 and int(last[1]) == 0
    assert int(last[2]) < 1_000_000, "the answer comes before the next measurement"


def test_the_pipeline_goes_on_while_it_is_managed(start, tmp_path):
    """From a second terminal, in the middle of it: the controller is there all the time, and the filter comes back."""
    socket = tmp_path / "system.sock"
    session = start((ROOT / "examples/pipeline/system.toml").read_text().replace("../..", str(ROOT)), "--socket", socket)
    at = Running(session, socket)
    session.expect(r"pipeline: 1000 sent, \d+ answered")
    at.ask("pause", "linux")
    at.ask("resume", "linux")
    at.ask("restart", "linux")
    at.ask("stop", "linux")
    assert "off" in at.ask("pause", "linux", code=1)
    at.ask("start", "linux")
    before = at.state("linux")["messages_sent"]
    for _ in range(BOOT):
        if at.state("linux")["messages_sent"] > before + 1000:
            break
        time.sleep(1)
    assert at.state("linux")["messages_sent"] > before + 1000
    assert at.state("linux")["starts"] == 3 and at.state("controller")["starts"] == 1
    assert "linux/vcpu0" in at.ask("stats", "linux")
    before = at.state("linux")["messages_sent"]
    assert at.ask("create", "load", ROOT / "examples/pipeline/system.toml").startswith("load: created, ")
    session.expect(r"load\] load: life 1")
    session.expect(r"load\] load: \d+ rounds")
    assert at.ask("destroy", "load") == "load: destroyed\n"
    assert at.state("pool-0")["state"] == "empty" and at.state("linux")["messages_sent"] > before
    told = at.ask("events")
    for words in ("linux: paused", "linux: resumed", "linux: off, as was asked for", "linux: running (start 3)"):
        assert words in told
    with subprocess.Popen([TOOL, "console", "linux", "--system", socket], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as console:
        console.stdin.write("echo by the $((1 + 1))nd terminal\n")
        console.stdin.flush()
        for line in console.stdout:
            if "by the 2nd terminal" in line:
                break
        console.kill()
