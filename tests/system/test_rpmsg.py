"""Queues of an unmodified Linux as RPMsg's endpoints, which a server partition carries."""

import pytest
from conftest import GUESTS, IMAGES, ROOT, cpio, partition, system
from test_disk import MODULES, SERVE
from test_manage import PARENT, Running
from test_virtio import channel

# Endpoints are counted from 1024 in the order of the channels. What is written to one that gives messages tells it to whom.
FIND = ("while [ ! -e /dev/rpmsg_ctrl0 ]; do sleep 0.1; done; /endpoint to 1024; /endpoint from 1025; for r in /sys/class/rpmsg/rpmsg[0-9]; do "
        "case $(cat $r/name) in to) to=/dev/${r##*/} ;; from) from=/dev/${r##*/} ;; esac; done; while [ ! -e $to ] || [ ! -e $from ]; do sleep 0.1; done; "
        "exec 3<>$from 4<>$to; echo hello >&3; echo fo''und")


@pytest.fixture
def running(start, tmp_path):
    def begin(**more):
        socket = tmp_path / "system.sock"
        initrd = tmp_path / "initrd"
        initrd.write_bytes(cpio("endpoint", (ROOT / "build/arm-gcc/tests/linux/rpmsg-endpoint").read_bytes(), 0o755) + (IMAGES / "initrd-devices.cpio.gz").read_bytes())
        session = start(system(partition("linux", IMAGES / "vmlinuz", [0], "128 MiB", on_reset="restart", rpmsg=True, server="server", **MODULES | {"initrd": str(initrd)}, **more),
                               partition("echo", GUESTS / "port_echo.elf", [1]),
                               partition("server", SERVE, [2], rights=["serve"], on_fault="restart", on_exit="restart"),
                               partition("parent", PARENT, [3], rights=["manage"], control=True),
                               channel("to", "queuing", "linux", "echo", 'message = "496 B"\ndepth = 4'),
                               channel("from", "queuing", "echo", "linux", 'message = "496 B"\ndepth = 4'),
                               channel("value", "sampling", "echo", "linux", 'message = "4 B"')), "--socket", socket)
        session.expect(r"linux\] Linux .* CPUs online")
        session.command("linux", FIND, "found")
        return Running(session, socket)

    return begin


@pytest.mark.parametrize("legacy", [False, True])
def test_messages_go_both_ways(running, legacy):
    at = running(virtio_legacy=legacy)
    at.session.command("linux", "i=0; while [ $i -lt 50 ]; do echo -n text-$i >&4; [ \"$(dd bs=512 count=1 <&3 2>/dev/null)\" = text-$i ] || echo WRONG $i; i=$((i + 1)); done; "
                       "echo e''choed $i", "echoed 50")
    at.session.command("linux", "head -c 496 /dev/urandom >/tmp/long; cat /tmp/long >&4; dd bs=512 count=1 <&3 2>/dev/null | cmp - /tmp/long && echo wh''ole", "whole")
    assert "WRONG" not in at.session.child.before
    at.session.command("linux", "head -c 497 /dev/urandom >/tmp/long; cat /tmp/long >&4 || echo re''fused", "refused")


def test_lives_of_both_sides(running):
    """A server that begins anew goes on; endpoints outlive the other end's life; and a Linux that begins anew finds all again."""
    at = running()
    at.session.send("linux", "cat <&3 >/tmp/got & i=0; while [ $i -lt 300 ]; do echo line-$i >&4; usleep 5000; i=$((i + 1)); done; echo s''ent")
    for life in (2, 3):
        at.ask("restart", "server")
        at.session.expect(f"server: life {life}")
    at.session.expect(r"linux\] sent")
    at.session.command("linux", "sleep 1; echo counted $(sort -u /tmp/got | wc -l) lines", "counted 300 lines")
    at.session.command("linux", "kill %1; echo kil''led", "killed")
    at.ask("restart", "echo")
    at.session.expect("port-echo: ready")
    at.session.command("linux", "echo -n anew >&4; echo $(dd bs=512 count=1 <&3 2>/dev/null) it wo''rks", "anew it works")
    at.ask("restart", "linux")
    at.session.expect(r"linux\] Linux .* CPUs online")
    at.session.command("linux", FIND, "found")
    at.session.command("linux", "echo -n again >&4; echo $(dd bs=512 count=1 <&3 2>/dev/null) it wo''rks", "again it works")
