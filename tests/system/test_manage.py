"""The parent partition: from the host, partitions of a running system are listed, started, stopped, paused, watched; nothing else suffers."""

import json
import os
import re
import subprocess
import time

import pexpect
import pytest
from conftest import BOARDS, BOOT, GUESTS, ROOT, TOOL, Session, linux, partition, system

PARENT = ROOT / "build/arm-gcc/parent/parent.elf"


def parent(cpu=0, **more):
    return partition("parent", PARENT, [cpu], rights=["manage"], on_fault="restart", on_exit="restart", control=True, **more)


class Running:
    """A system that runs, and the commands that reach it."""

    def __init__(self, session, socket):
        self.session, self.socket = session, socket

    def ask(self, *words, code=0, **more):
        done = subprocess.run([TOOL, words[0], "--system", self.socket, *words[1:]], capture_output=True, text=True, timeout=BOOT, errors="replace", **more)
        print(words, done.stdout[-3000:], done.stderr[-2000:])
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def wait_for(self, name, state):
        for _ in range(BOOT):
            if self.state(name)["state"] == state:
                return
            time.sleep(1)
        raise AssertionError(f"{name} is not {state}: {self.state(name)}")

    def state(self, name):
        return next(one for one in json.loads(self.ask("ps", "--json")) if one["name"] == name)


@pytest.fixture
def running(start, tmp_path):
    def begin(text, *arguments):
        socket = tmp_path / "system.sock"
        session = start(text, "--socket", socket, *arguments)
        session.expect("parent: manages, life 1")
        return Running(session, socket)

    return begin


@pytest.mark.parametrize("board", BOARDS)
def test_lives_are_asked_for(running, board):
    at = running(system(parent(), partition("echo", GUESTS / "echo.elf", [1]), board=board))
    assert [one["name"] for one in json.loads(at.ask("ps", "--json"))] == ["parent", "echo"]
    assert at.state("echo")["state"] == "running"
    assert at.ask("pause", "echo") == "echo: paused\n"
    assert at.state("echo")["state"] == "paused"
    at.session.send("echo", "while it is paused")
    assert "cannot be paused now; `partita resume`" in at.ask("pause", "echo", code=1)
    assert at.ask("resume", "echo") == "echo: resumed\n"
    at.session.expect("while it is paused")  # what was typed is there: it goes on where it was
    assert at.state("echo")["starts"] == 1
    assert at.ask("stop", "echo") == "echo: stopped\n"
    assert at.state("echo")["state"] == "off"
    assert "`partita start` starts it" in at.ask("stop", "echo", code=1)
    assert at.ask("start", "echo") == "echo: started\n"
    at.session.expect("echo: ready")
    assert at.ask("restart", "echo") == "echo: restarted\n"
    at.session.expect("echo: ready")
    assert at.state("echo") | {"starts": 3, "reason": "asked for"} == at.state("echo")


def test_one_that_is_off_at_boot_begins_when_asked(running):
    at = running(system(parent(), partition("later", GUESTS / "echo.elf", [1], start=False)))
    assert at.state("later") | {"state": "off", "starts": 0, "reason": "not started yet"} == at.state("later")
    assert at.ask("start", "later") == "later: started\n"
    at.session.expect(r"\[later\] echo: ready")
    assert at.state("later")["starts"] == 1


def test_wrong_words_change_nothing(running):
    at = running(system(parent(), partition("echo", GUESTS / "echo.elf", [1])))
    before = at.state("echo")
    assert 'there is no partition "ehco"; there are parent, echo' in at.ask("stop", "ehco", code=1)
    assert "without it nobody could start it again" in at.ask("stop", "parent", code=1)
    assert "without it nobody could start it again" in at.ask("pause", "parent", code=1)
    assert "there is no schedule 4" in at.ask("schedule", "4", code=1)
    at.ask("stop", code=2)
    at.ask("ps", "--colour", code=2)
    # Bytes that are no frame, or one of another kind, are refused by the parent partition; then it answers as ever.
    import socket

    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(at.socket))
        raw.sendall(b"\x10\x5f" + b"\x10\x10garbage\x00" + bytes(range(1, 16)) + b"\x00" + os.urandom(5000).replace(b"\x10", b"\x10\x10") + b"\x00")
        time.sleep(0.2)
        assert at.state("echo") == before


def test_the_parent_begins_another_life(running):
    """What it knew is not lost, and what others do goes on: consoles and events are the hypervisor's."""
    at = running(system(parent(), partition("control", ROOT / "build/arm-gcc/examples/consolidation/control.elf", [1]),
                        partition("echo", GUESTS / "echo.elf", [2])))
    at.ask("stop", "echo")
    assert at.ask("restart", "parent") == "parent: restarted\n"
    at.session.expect("parent: manages, life 2")
    assert at.state("parent")["starts"] == 2 and at.state("echo")["state"] == "off" and at.state("control")["starts"] == 1
    events = at.ask("events")
    assert "echo: off, as was asked for" in events and "parent: running (start 2)" in events
    facts = [json.loads(line) for line in at.ask("events", "--json").splitlines()]
    assert {"event": "state", "name": "echo", "is": "off", "reason": "manager"}.items() <= next(f for f in facts if f.get("is") == "off").items()


def test_stats_tell_who_had_the_time(running):
    at = running(system(parent(), partition("busy", GUESTS / "echo.elf", [1]), partition("probe", GUESTS / "probe.elf", [2])))
    at.wait_for("probe", "off")
    text = at.ask("stats")
    assert re.search(r"busy/vcpu0 +1 +\d+\.\d+ s", text)
    of = {one["name"]: one["vcpu"][0] for one in json.loads(at.ask("stats", "--json"))}
    assert of["busy"]["exits"]["data-abort"] > 0 and of["parent"]["exits"]["hvc"] > 0 and of["probe"]["exits"]["smc"] > 0
    assert 0 < of["parent"]["ran_s"] < 3600
    assert at.ask("info", "busy").startswith("busy\n  state     running, start 1")


def test_a_second_terminal_has_a_console(running):
    at = running(system(parent(), partition("echo", GUESTS / "echo.elf", [1])))
    second = pexpect.spawn(str(TOOL), ["console", "--system", str(at.socket), "echo"], timeout=BOOT, encoding="utf-8")
    second.expect("Ctrl-A x leaves")
    second.send("from the second\r")
    second.expect("from the second")
    second.send("\x01x")
    second.expect(pexpect.EOF)


def test_more_input_than_a_board_takes_stops_nothing(running, tmp_path):
    """It waits its turn, while the board's output is read and others are answered."""
    at = running(system(parent(), partition("echo", GUESTS / "echo.elf", [1])))
    flood = tmp_path / "flood"
    flood.write_bytes(b"all work and no play\n" * 30_000)
    with flood.open("rb") as data:
        typist = subprocess.Popen([TOOL, "console", "--system", at.socket, "echo"], stdin=data, stdout=subprocess.PIPE)
        at.session.expect("no play")
        assert at.state("parent")["state"] == "running"
        assert at.ask("stop", "echo") == "echo: stopped\n"
        typist.kill()
        typist.communicate(timeout=BOOT)


def test_events_come_as_they_happen(running):
    at = running(system(parent(), partition("echo", GUESTS / "echo.elf", [1])))
    follows = pexpect.spawn(str(TOOL), ["events", "--follow", "--system", str(at.socket)], timeout=BOOT, encoding="utf-8")
    follows.expect("echo: running")
    at.ask("pause", "echo")
    follows.expect("echo: paused")
    follows.close(force=True)


def test_a_prompt_completes_names(running, tmp_path):
    at = running(system(parent(), partition("echo", GUESTS / "echo.elf", [1])))
    prompt = pexpect.spawn(str(TOOL), ["shell", "--system", str(at.socket)], timeout=BOOT, encoding="utf-8",
                           env=os.environ | {"TERM": "xterm", "XDG_STATE_HOME": str(tmp_path)})
    prompt.expect("partita> ")
    prompt.send("pau\tec\t\r")
    prompt.expect("echo: paused")
    prompt.send("nonsense\r")
    prompt.expect('there is no word "nonsense"')
    prompt.send("exit\r")
    prompt.expect(pexpect.EOF)
    assert "pause echo" in (tmp_path / "partita/history").read_text().replace("\\040", " ")
    script = at.ask("shell", input="resume echo\nps\n")
    assert "echo: resumed" in script and "NAME" in script


def test_without_a_parent_it_is_said(start, tmp_path):
    socket = tmp_path / "system.sock"
    session = start(system(partition("echo", GUESTS / "echo.elf", [1])), "--socket", socket)
    session.expect("echo: ready")
    done = subprocess.run([TOOL, "ps", "--system", socket], capture_output=True, text=True, timeout=BOOT)
    assert done.returncode == 1 and "nobody answers on the control channel" in done.stderr and "control = true" in done.stderr
    session.send("echo", "still there")
    session.expect("still there")


def test_no_system_is_said(tmp_path):
    run = lambda *words: subprocess.run([TOOL, *words], capture_output=True, text=True, timeout=BOOT, env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)})
    assert "no system runs; start one with `partita run" in run("ps").stderr
    assert "No such file" in run("ps", "--system", str(tmp_path / "nowhere")).stderr
    (tmp_path / "file").write_text("")
    assert "neither the socket of a system that runs nor a serial device" in run("ps", "--system", str(tmp_path / "file")).stderr


def test_a_linux_is_paused_and_restarted(running):
    at = running(system(parent(), linux("linux", [1, 2])))
    at.session.expect(r"\[linux\] .*# ")
    assert at.ask("pause", "linux") == "linux: paused\n"
    assert at.ask("resume", "linux") == "linux: resumed\n"
    at.session.send("linux", "echo $((6 * 7)) is right")
    at.session.expect("42 is right")
    assert at.ask("restart", "linux") == "linux: restarted\n"
    at.session.expect(r"\[linux\] .*# ")
    assert at.state("linux")["starts"] == 2


def test_pauses_do_not_disturb_a_control_loop(partita, describe, start, tmp_path):
    """A hundred pauses of the neighbour: the loop on another CPU misses nothing (counted time)."""
    text = system(parent(), partition("control", ROOT / "build/arm-gcc/examples/consolidation/control.elf", [1]), partition("echo", GUESTS / "echo.elf", [2]))
    socket = tmp_path / "system.sock"
    session = start(text, "--deterministic", "--socket", socket)
    session.expect("parent: manages")
    words = "pause echo\nresume echo\n" * 20 + "stop echo\nstart echo\n" * 5
    done = subprocess.run([TOOL, "shell", "--system", socket], capture_output=True, text=True, timeout=BOOT, input=words)
    assert done.stdout.count("echo: paused") == 20 and done.stdout.count("echo: started") == 5, done.stdout
    session.expect(r"cycles \d+ missed (\d+)")
    assert session.child.match.group(1) == "0"


def test_what_failed_is_started_again_later_each_time(running):
    """The parent's policy: "lives" touches what it has not, and stays off as described; the parent starts it, and keeps how it ended."""
    at = running(system(parent(), partition("intruder", GUESTS / "intruder.elf", [1], on_fault="stop", restart_after="1 s"),
                        partition("probe", GUESTS / "probe.elf", [2], restart_after="1 s", on_reset="stop")))
    at.session.expect("parent: intruder has failed: it is started again in 1000 ms")
    at.session.expect("parent: intruder is started again")
    at.session.expect("intruder: misbehaving")
    at.session.expect(r"parent: intruder has failed: it is started again in (1000|2000) ms")
    at.session.expect("parent: intruder is started again")
    at.session.expect("parent: intruder has failed")
    info = json.loads(at.ask("info", "intruder", "--json"))[0]
    ends = info["ends"]
    assert ends["count"] >= 3 and info["state"] in ("off", "running")
    assert [(end["life"], end["reason"]) for end in ends["last"]][-2:] == [(2, "fault"), (1, "fault")]
    # A life of the parent's own ends: it knows what was before, and of this end.
    at.ask("restart", "parent")
    at.session.expect("parent: manages, life 2")
    assert re.search(r"life 2: fault, after \d+\.\d+ s; \d+\.\d+ s ago\n +life 1: fault", at.ask("info", "intruder"))
    assert "life 1: asked for" in at.ask("info", "parent")
    at.session.expect("parent: intruder is started again")
    # What was told to stop stays off, whether it is off just now or not.
    assert at.ask("stop", "intruder") == "intruder: stopped\n"
    assert json.loads(at.ask("info", "intruder", "--json"))[0]["ends"]["starts_again_in_s"] is None
    # One that powered itself off stays off, too.
    at.wait_for("probe", "off")
    assert at.state("probe")["starts"] == 1 and "is started again" not in at.ask("info", "probe")
