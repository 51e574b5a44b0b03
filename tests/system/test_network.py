"""Networks between unmodified Linux partitions: a switch in a partition of its own, and a real network card behind it."""

import re

import pytest
from conftest import IMAGES, partition, system
from test_disk import MODULES, SERVE
from test_manage import PARENT, Running


def port(name="lan", **more):
    lines = [f"{key} = {str(value).lower() if isinstance(value, bool) else chr(34) + str(value) + chr(34)}" for key, value in more.items()]
    return "\n".join(["[[partition.network]]", f'name = "{name}"', *lines]) + "\n"


def network(name="lan", uplink=None):
    return f'[[network]]\nname = "{name}"\n' + (f'uplink = "{uplink}"\n' if uplink else "")


def client(name, cpus, ports, **more):
    return partition(name, IMAGES / "vmlinuz", cpus, "96 MiB", on_reset="restart", server="net", **MODULES, **more) + ports


def server(cpus, **more):
    return partition("net", SERVE, cpus, rights=["serve"], on_fault="restart", on_exit="restart", **more)


PARENT_ON_2 = partition("parent", PARENT, [2], rights=["manage"], control=True)


@pytest.fixture
def running(start, tmp_path):
    def begin(text, *names):
        socket = tmp_path / "system.sock"
        session = start(text, "--socket", socket)
        for _ in names:
            session.expect(rf"({'|'.join(names)})\] Linux .* CPUs online")
        for n, name in enumerate(names):
            session.command(name, f"while ! ifconfig eth0 10.0.2.{20 + n} up 2>/dev/null; do sleep 0.1; done; echo net''-{name}", f"net-{name}")
        return Running(session, socket)

    return begin


def ping(session, name, address, answers=True):
    session.command(name, f"ping -c 2 -W 3 {address} >/tmp/ping; grep -c ttl= /tmp/ping | sed s/^/got-{name}-/", rf"got-{name}-{2 if answers else 0}\b")


def test_linuxes_reach_each_other_and_the_outside(running):
    """TCP with checksums and large segments left to the server, between both versions of the interface; the network of QEMU's user mode behind
    a real card; and a server that ends and begins again in the midst of it."""
    at = running(system(client("one", [0], port(mac="02:00:00:00:00:11")), client("two", [3], port(), virtio_legacy=True), server([1], devices=["net0"]), PARENT_ON_2, network(uplink="net0"),
                        board="virt-smmu"), "one", "two")
    session = at.session
    session.command("one", "cat /sys/class/net/eth0/address; echo addr''ess", r"(?s)02:00:00:00:00:11.*address")
    ping(session, "one", "10.0.2.21"), ping(session, "two", "10.0.2.20"), ping(session, "one", "10.0.2.2"), ping(session, "two", "10.0.2.2")
    transfer = ("dd if=/dev/urandom of=/tmp/a bs=64k count=128 2>/dev/null; md5sum < /tmp/a; while ! nc {address} 5000 < /tmp/a; do sleep 0.2; done; echo se''nt-{round}")
    for to, address, from_ in (("two", "10.0.2.21", "one"), ("one", "10.0.2.20", "two")):
        session.send(to, "nc -l -p 5000 | md5sum")
        session.send(from_, transfer.format(address=address, round=to))
        sums = {session.expect(r"(\w{32})  -")[1] for _ in range(2)}
        assert len(sums) == 1, "what was sent is what arrived"
    session.send("two", "nc -l -p 5000 | md5sum")
    session.send("one", transfer.format(address="10.0.2.21", round=2).replace("count=128", "count=512"))
    first = session.expect(r"(\w{32})  -")[1]
    for life in range(2, 5):
        at.ask("restart", "net")
        session.expect(f"server: life {life}")
    assert session.expect(r"(\w{32})  -")[1] == first
    session.send("net", "")
    assert int(session.expect(r"net\] server: network lan, one: sent (\d+) frames \(\d+ bytes\), received \d+ \(\d+ bytes\); lost \d+ without room, 0 from foreign addresses, 0 malformed")[1]) > 100
    session.expect(r"net\] server: \.\.\. and its uplink: sent ")
    session.command("one", "cat /sys/class/net/eth0/statistics/rx_errors /sys/class/net/eth0/statistics/rx_dropped | tr '\\n' ' '; echo err''ors", r"0 \d+ errors")
    at.ask("restart", "two")
    session.expect(r"two\] Linux .* CPUs online")
    session.command("two", "while ! ifconfig eth0 10.0.2.21 up 2>/dev/null; do sleep 0.1; done; echo aga''in", "again")
    ping(session, "one", "10.0.2.21")


def test_groups_and_addresses_keep_partitions_apart(running):
    at = running(system(client("one", [0], port(group="a")), client("two", [1], port(group="b")), client("three", [3], port(group="a")), server([2]), network()),
                 "one", "two", "three")
    session = at.session
    ping(session, "one", "10.0.2.22"), ping(session, "one", "10.0.2.21", answers=False), ping(session, "three", "10.0.2.20")
    session.command("three", "ifconfig eth0 down; ifconfig eth0 hw ether 02:00:00:00:00:99; ifconfig eth0 10.0.2.22 up; echo mo''ved", "moved")
    ping(session, "three", "10.0.2.20", answers=False)


def test_a_rate_is_kept(running):
    """Eight times as much takes longer by what the rate says: no more than that is judged, since the machine's time is not the board's."""
    at = running(system(client("one", [0], port(rate="256 KiB")), client("two", [3], port()), server([1]), PARENT_ON_2, network(), board="virt"), "one", "two")
    session = at.session
    session.send("two", "while true; do nc -l -p 5000 > /tmp/b; wc -c < /tmp/b | sed s/^/arrived-/; done")
    session.command("one", "dd if=/dev/zero of=/tmp/a bs=64k count=32 2>/dev/null; cat /proc/uptime | sed s/^/begin-/; while ! nc 10.0.2.21 5000 < /tmp/a; do sleep 0.1; done; "
                    "cat /proc/uptime | sed s/^/end-/", r"begin-([\d.]+)")
    begin = float(session.child.match[1])
    session.expect(rf"arrived-{32 * 65536}")
    end = float(session.expect(r"end-([\d.]+)")[1]) if "end-" not in session.child.before else float(re.search(r"end-([\d.]+)", session.child.before)[1])
    assert end - begin > (32 * 65536 - 2 * 65600) / (256 << 10) * 0.95, "2 MiB, but for what goes at once, at 256 KiB in a second"


def test_mistakes_are_told_where_they_are(partita, describe):
    text = system(client("one", [0], port() + port("wan")), server([1]), network("lan", uplink="net0"))
    done = partita("check", describe(text))
    assert done.returncode == 1
    assert 'there is no network "wan"; did you mean "lan"?' in done.stderr
    assert 'board "virt" has no network card "net0"' in done.stderr


def test_an_rng_gives_what_it_never_gave(start, tmp_path):
    """From the hypervisor's entropy, through the server: another in each life of either."""
    text = system(partition("one", IMAGES / "vmlinuz", [0], "96 MiB", server="net", rng=True, **MODULES), server([1]), PARENT_ON_2)
    socket = tmp_path / "rng.sock"
    session = start(text, "--socket", socket)
    at = Running(session, socket)
    session.expect(r"one\] Linux .* CPUs online")
    take = "while [ ! -c /dev/hwrng ]; do sleep 0.1; done; dd if=/dev/hwrng bs=512 count=8 2>/dev/null | md5sum | sed s/^/sum-/"
    seen = set()
    for life in range(2, 5):
        for _ in range(2):
            session.send("one", take)
            seen.add(session.expect(r"sum-(\w{32})")[1])
        at.ask("restart", "net")
        session.expect(f"server: life {life}")
    assert len(seen) == 6
    session.command("one", "cat /sys/class/misc/hw_random/rng_current; dd if=/dev/hwrng bs=512 count=8 2>/dev/null | gzip | wc -c | sed s/^/packed-/", r"virtio_rng[\s\S]*packed-4[01]\d\d")
