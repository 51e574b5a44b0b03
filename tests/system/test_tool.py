"""The tool as its user meets it: verdicts, mistakes, pictures, the terminal, images for other loaders."""

import re
import subprocess
import xml.dom.minidom

import pexpect
import pytest
from conftest import BOOT, CONTROL, GUESTS, ROOT, TOOL, linux, partition, system

QEMU = ["qemu-system-arm", "-M", "virt,virtualization=on,highmem=off,gic-version=2", "-cpu", "cortex-a15", "-smp", "4", "-m", "1024M", "-display", "none",
        "-monitor", "none", "-nic", "none", "-no-reboot", "-serial", "stdio"]


def qemu(*arguments, until):
    """What a plain terminal at the board's UART shows, until all these were seen, in any order."""
    child = pexpect.spawn(QEMU[0], [*QEMU[1:], *map(str, arguments)], timeout=BOOT, encoding="utf-8", codec_errors="replace")
    shown = ""
    try:
        while not all(text in shown for text in until):
            assert child.expect(["\n", pexpect.TIMEOUT, pexpect.EOF]) == 0, shown + child.before
            shown += child.before + "\n"
        return shown
    finally:
        child.close(force=True)


def test_two_partitions_claim_one_cpu(partita, describe):
    done = partita("check", describe(system(partition("one", CONTROL, [0]), partition("two", CONTROL, [0]))))
    assert done.returncode == 1
    assert 'system.toml:12:9: error: CPU 0 is claimed twice: by "two" here and by "one" at line 7' in done.stderr


def test_two_partitions_claim_one_memory(partita, describe):
    one = partition("one", CONTROL, [0], "4 MiB", memory_at=0x50000000)
    done = partita("run", describe(system(one, partition("two", CONTROL, [1], "4 MiB", memory_at=0x50200000))))
    assert done.returncode == 1
    assert 'memory of "two", 0x50200000 to 0x50600000, overlaps that of "one" at line 8, 0x50000000 to 0x50400000' in done.stderr


def test_all_mistakes_are_told_in_one_run(partita, describe):
    text = system(partition("one", "/nothing", [9], "3 MiB", colour="red"))
    done = partita("check", describe(text))
    assert done.returncode == 1
    assert done.stderr.count(": error: ") == 4
    assert done.stderr.strip().endswith("4 errors in " + str(describe(text)))


def test_an_unknown_board_hides_no_other_mistake(partita, describe):
    done = partita("check", describe(system(partition("one", "/nothing", [0]), board="vitr")))
    assert done.returncode == 1
    assert 'system.toml:2:9: error: no board "vitr"; did you mean "virt"?' in done.stderr
    assert 'the kernel "/nothing" does not exist' in done.stderr
    done = partita("check", describe(system(partition("one", CONTROL, [0]))), "--board", "vitr")
    assert done.returncode == 1
    assert done.stderr.strip() == '--board: no board "vitr"; did you mean "virt"?'


def test_a_timeout_says_what_was_not_seen(partita, describe):
    done = partita("run", describe(system(partition("control", CONTROL, [0]))), "--until", "never this", "--timeout", "2")
    assert done.returncode == 3
    assert "timed out after 2 s; not seen: 'never this'" in done.stderr


def test_the_end_without_what_was_waited_for_is_a_failure(partita, describe):
    done = partita("run", describe(system(partition("probe", GUESTS / "probe.elf", [0]))), "--until", "never this", "--timeout", "60")
    assert done.returncode == 1
    assert "all partitions are off; not seen: 'never this'" in done.stderr


def test_a_qemu_that_dies_is_told(partita, describe):
    done = partita("run", describe(system(partition("control", CONTROL, [0]))), "--timeout", "60", "--qemu-args", "-nonsense")
    assert done.returncode == 5
    assert "-nonsense" in done.stderr and "QEMU ended by itself" in done.stderr


def test_a_panic_ends_the_run(partita, describe):
    done = partita("run", describe(system(partition("control", CONTROL, [0]))), "--timeout", "60", "--qemu-args", "-smp", "1")
    assert done.returncode == 4
    assert "[partita] PANIC in the hypervisor on CPU 0: the firmware did not start a CPU (PSCI CPU_ON)" in done.stdout
    assert "the hypervisor panicked" in done.stderr


def test_a_damaged_image_is_a_panic_in_words(partita, describe, tmp_path):
    image = tmp_path / "system.elf"
    partita("build", describe(system(partition("control", CONTROL, [0]))), "-o", image)
    data = bytearray(image.read_bytes())
    place = data.index(b"control\0")
    data[place] ^= 0xff
    image.write_bytes(data)
    qemu("-kernel", image, until=["panic cpu=", "the description's checksum is wrong: it was damaged"])


def test_without_hyp_mode_it_says_so(partita, describe, tmp_path):
    image = tmp_path / "system.elf"
    partita("build", describe(system(partition("control", CONTROL, [0]))), "-o", image)
    plain = [word if not word.startswith("virt,") else "virt" for word in QEMU]
    shown = subprocess.run(["timeout", "5", *plain, "-kernel", str(image)], capture_output=True, text=True, check=False).stdout
    assert "partita: this CPU did not start in Hyp mode" in shown


def test_a_plain_terminal_sees_prefixed_lines(partita, describe, tmp_path):
    image = tmp_path / "system.elf"
    partita("build", describe(system(partition("one", GUESTS / "probe.elf", [0]), partition("two", GUESTS / "echo.elf", [1]))), "-o", image)
    shown = qemu("-kernel", image, until=["|one probe: ok", "|two echo: ready", "|partita: state partition=0 name=one is=off"])
    assert "\n|one ok: PSCI 1.1\r" in shown and shown.startswith("|partita: boot")
    assert "WRONG" not in shown


def test_a_raw_image_starts_where_it_says(partita, describe, tmp_path):
    image = tmp_path / "system.bin"
    done = partita("build", describe(system(partition("probe", GUESTS / "probe.elf", [0]))), "-o", image)
    assert "load it at 0x40200000, start at 0x40200000 in Hyp mode" in done.stdout
    loader = ["-device", f"loader,file={image},addr=0x40200000,force-raw=on", "-device", "loader,addr=0x40200000,cpu-num=0"]
    qemu(*loader, until=["|probe probe: ok"])


@pytest.mark.parametrize("format", ["raw", "uimage"])
def test_other_image_formats_boot(partita, describe, tmp_path, format):
    """The probe as a raw binary, and with U-Boot's header."""
    image = tmp_path / "probe.img"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", GUESTS / "probe.elf", image], check=True)
    if format == "uimage":
        data = image.read_bytes()
        words = [0x27051956, 0, 0, len(data), 0x40010000, 0x40010000, 0]
        header = b"".join(word.to_bytes(4, "big") for word in words) + bytes([5, 2, 2, 0]) + b"probe".ljust(32, b"\0")
        image.write_bytes(header + data)
    done = partita("run", describe(system(partition("probe", image, [1], "4 MiB", format=format))), "--timeout", "60")
    assert done.returncode == 0, done.stderr
    assert "probe: ok" in done.stdout


def test_the_map_as_text_and_picture(partita, describe, tmp_path):
    text = describe(system(linux("linux", [0, 1]), partition("control", CONTROL, [2])))
    done = partita("show", text)
    assert "linux/vcpu1" in done.stdout and "guest sees it at 0x40000000" in done.stdout
    picture = tmp_path / "map.svg"
    partita("show", text, "-o", picture)
    assert xml.dom.minidom.parse(str(picture)).documentElement.tagName == "svg"


def test_the_terminal(describe):
    """Focus, input, scroll-back of the other console, and the way out that is shown at the start."""
    path = describe(system(partition("echo", GUESTS / "echo.elf", [0]), partition("control", CONTROL, [1])))
    child = pexpect.spawn(TOOL, ["run", str(path)], timeout=60, encoding="utf-8", env={"TERM": "xterm", "PATH": "/usr/bin:/bin", "PAGER": "cat"})
    child.expect("Ctrl-A x leaves")
    child.expect("echo: ready")
    child.send("hi there\r")
    child.expect("you said: hi there")
    child.send("\x01n")
    child.expect("console of control")
    child.expect(r"cycles \d+ missed")
    child.send("\x011")
    child.expect("console of echo")
    child.expect("you said: hi there")
    child.send("\x01b")
    child.expect("you said: hi there")
    child.send("\x01x")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_unknown_commands_are_answered(partita):
    wrapper = subprocess.run([str(ROOT / "partita"), "rnu"], capture_output=True, text=True, check=False)
    assert wrapper.returncode == 1 and 'there is no command "rnu"' in wrapper.stderr
    assert partita("run", "--nonsense").returncode == 2
    done = partita("check", "/nonexistent.toml")
    assert done.returncode == 1 and "cannot be read; give the path of a system.toml" in done.stderr


def test_every_word_of_the_tool_is_one_of_the_command(partita):
    """`./partita WORD` sets up what it needs, and hands on to the tool: no word of the tool's is unknown to it, or to its help."""
    words = re.findall(r"^  (\w+)  +\S", partita("--help").stdout.split("Subcommands:")[1], re.MULTILINE)
    assert {"run", "create", "destroy", "schema"} <= set(words)
    summary = subprocess.run([str(ROOT / "partita"), "help"], capture_output=True, text=True, check=True).stdout
    for word in words:
        done = subprocess.run([str(ROOT / "partita"), word, "--help"], capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "Usage: " in done.stdout, (word, done.stderr)
        assert re.search(rf"\b{word}\b", summary), word
