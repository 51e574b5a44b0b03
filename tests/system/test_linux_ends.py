"""Ends of channels in an unmodified Linux: memory by /dev/mem, doorbells by the GPIO character device."""

from conftest import BOOT, GUESTS, IMAGES, ROOT, cpio, partition, system
from test_channels import channel

ECHO = ROOT / "build/arm-gcc/tests/linux/linux-echo"


def test_a_linux_program_answers_through_shared_memory(start, tmp_path):
    """A thousand messages a second from a program on the SDK, each sent back by a program in Debian's kernel; nothing is lost or changed."""
    initrd = tmp_path / "initrd"
    initrd.write_bytes(cpio("echo-end", ECHO.read_bytes(), 0o755) + (IMAGES / "initrd.cpio.gz").read_bytes())
    text = system(partition("asker", GUESTS / "asks.elf", [0]),
                  partition("linux", IMAGES / "vmlinuz", [1], "128 MiB", initrd=str(initrd), bootargs="console=ttyAMA0 quiet", gpio=True),
                  channel("frames", "memory", "asker", "linux", size='"16 KiB"', back='"4 KiB"', attributes='"uncached"'))
    session = start(text)
    session.expect(r"linux\] Linux .* CPUs online")
    session.command("linux", "cat /sys/bus/gpio/devices/gpiochip0/of_node/gpio-line-names | tr '\\0' ' '; echo listed", r"frames frames-ring.*listed")
    session.send("linux", "/echo-end /proc/device-tree/hypervisor/channels/frames@0")
    told = dict(session.expect(r"(asks|linux-echo): (\d+ [^\r\n]+(?:uncached|times))").groups() for _ in range(2))
    assert told["asks"].startswith("1000 sent, 1000 answered, 0 wrong")
    assert told["linux-echo"].startswith("1000 echoed")
