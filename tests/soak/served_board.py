"""Two Debian systems on one disk and one network card, whose server is ended again and again while they work: fio verifies what it wrote,
iperf3 moves data between them, and behind it all both file systems are whole."""

import pathlib
import re
import subprocess
import sys
import tempfile

import pexpect
import pexpect.popen_spawn

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "build/host/tool/partita"
IMAGES = ROOT / "build/images"
ROUND_SECONDS = 600  # a hang is what is found so; no speed is judged
SECTOR = 512
WORK = {
    "front": "fio --name=verify --filename=/root/fio --size=8M --rw=randrw --bs=4k-128k --ioengine=libaio --iodepth=32 --direct=1 --verify=crc32c --verify_fatal=1 --fsync=32 "
             "--output=/tmp/fio >/dev/null 2>&1 && iperf3 -c 10.0.2.21 -t 3 >/dev/null 2>&1",
    "back": "fio --name=verify --filename=/root/fio --size=8M --rw=randwrite --bs=4k --ioengine=libaio --iodepth=8 --direct=1 --verify=md5 --verify_fatal=1 --fsync=16 "
            "--output=/tmp/fio >/dev/null 2>&1 && stress-ng --hdd 1 --hdd-bytes 4M --temp-path /root --verify --timeout 4 --quiet",
}


def described(path, newer=True):
    """examples/server, with a parent partition instead of its control loop: it ends the server when it is told to. `newer`: the first of the
    two systems has the PREEMPT_RT kernel, which is the newer one in Debian 12."""
    text = (ROOT / "examples/server/system.toml").read_text().replace('"../../', f'"{ROOT}/')
    begin = text.index("[[partition]]")
    end = text.index("[[partition]]", begin + 1)
    parent = f'[[partition]]\nname = "parent"\nkernel = "{ROOT}/build/arm-gcc/parent/parent.elf"\nmemory = "2 MiB"\ncpus = [0]\nrights = ["manage"]\ncontrol = true\n\n'
    text = text[:begin] + parent + text[end:]
    if newer:
        text = text.replace("/vmlinuz\"", "/vmlinuz-rt\"", 1).replace("/initrd-devices.cpio", "/initrd-devices-rt.cpio", 1)
    path.write_text(text)
    return path


def file_systems(disk):
    """name -> (first byte, bytes), from the disk's partition table."""
    with open(disk, "rb") as file:
        file.seek(2 * SECTOR)
        table = file.read(128 * 128)
    out = {}
    for n in range(128):
        entry = table[n * 128 : n * 128 + 128]
        first, last = (int.from_bytes(entry[at : at + 8], "little") for at in (32, 40))
        if any(entry[:16]):
            out[entry[56:].decode("utf-16-le").rstrip("\0")] = (first * SECTOR, (last + 1 - first) * SECTOR)
    return out


def check_file_system(disk, begin, size, folder):
    """What is wrong with it; its journal is carried out first, as at the next boot. "": nothing."""
    part = folder / "part"
    with open(disk, "rb") as source, open(part, "wb") as out:
        source.seek(begin)
        out.write(source.read(size))
    subprocess.run(["/sbin/e2fsck", "-p", part], capture_output=True, check=False)
    done = subprocess.run(["/sbin/e2fsck", "-f", "-n", part], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


class Board:
    def __init__(self, folder):
        self.folder, self.disk, self.socket, self.ends = folder, folder / "server.img", folder / "system.sock", 0
        subprocess.run(["sh", ROOT / "scripts/rootfs.sh", self.disk, IMAGES / "rootfs", IMAGES], check=True)
        self.child = pexpect.popen_spawn.PopenSpawn([str(TOOL), "run", str(described(folder / "system.toml")), "--disk", f"disk0={self.disk}", "--socket", str(self.socket)],
                                                    timeout=ROUND_SECONDS, encoding="utf-8", codec_errors="replace")
        self.seen = ""
        for _ in range(2):
            self.expect(r"(front|back)\] Debian .*root on /dev/vda")

    def expect(self, pattern, timeout=ROUND_SECONDS):
        index = self.child.expect([pattern, pexpect.TIMEOUT, pexpect.EOF], timeout=timeout)
        if index != 0 and timeout == ROUND_SECONDS:
            sys.exit(f"soak: not seen: {pattern}\n{self.child.before[-3000:]}")
        self.seen += self.child.before or ""
        return self.child.match if index == 0 else None

    def end_server(self):
        subprocess.run([TOOL, "restart", "server", "--system", self.socket], check=True, capture_output=True)
        self.ends += 1

    def round(self, number):
        """Both work until they are done; the server ends every two seconds meanwhile."""
        for name, work in WORK.items():
            self.child.sendline(f"[{name}] if {work}; then echo round-{number}-{name}-go''od; else echo round-{number}-{name}-ba''d; fi")
        left, waited = set(WORK), 0
        while left:
            done = self.expect(rf"round-{number}-(front|back)-(good|bad)", timeout=2)
            if done is None:
                waited += 2
                if waited > ROUND_SECONDS:
                    sys.exit(f"soak: {left} did not end\n{self.child.before[-3000:]}")
                self.end_server()
            elif done[2] == "bad":
                sys.exit(f"soak: {done[1]} failed\n{self.child.before[-3000:]}")
            else:
                left.discard(done[1])

    def close(self):
        for name in WORK:
            self.child.sendline(f"[{name}] dmesg | grep -cE 'I/O error|BUG|WARNING|EXT4-fs error|Oops' | sed s/^/bad-/; sync; echo syn''ced")
            self.expect("synced")
        self.child.kill(15)
        self.child.wait()


def soak(rounds):
    with tempfile.TemporaryDirectory(prefix="partita-soak-") as name:
        board = Board(pathlib.Path(name))
        board.child.sendline("[back] setsid iperf3 -s </dev/null >/dev/null 2>&1 &")
        for number in range(1, rounds + 1):
            board.round(number)
        board.close()
        wrong = [f"{word} in what was said" for word in ("PANIC", "was not served", "stops until its driver resets it") if word in board.seen]
        wrong += [f"{count} bad messages of a kernel" for count in re.findall(r"bad-(\d+)", board.seen) if count != "0"]
        for part, (begin, size) in file_systems(board.disk).items():
            said = check_file_system(board.disk, begin, size, board.folder)
            wrong += [f"{part}: {said}"] if said else []
    for line in wrong:
        print(line)
    print(f"{rounds} rounds of both, {board.ends} ends of their server: {'both file systems are whole' if not wrong else 'WRONG'}")
    return not wrong
