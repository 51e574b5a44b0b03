"""Bugs of the hypervisor and faults of hardware, put into it while it runs: a debugger changes an instruction in its memory. Each must end
in words, or with the partition that it belongs to."""

import re
import subprocess

import pytest
from conftest import CONTROL, GUESTS, ROOT, partition, system
from gdbstub import Stub

HYPERVISOR = ROOT / "build/arm-gcc/hypervisor/hypervisor.elf"
IMAGE = 0xF0000000  # hypervisor/machine/layout.hpp
VCPUS = 0xF0220000  # likewise: each behind a page that is not mapped


def address_of(symbol):
    listed = subprocess.run(["arm-none-eabi-nm", HYPERVISOR], capture_output=True, text=True, check=True).stdout
    return int(re.search(rf"^(\w+) . {symbol}$", listed, re.MULTILINE)[1], 16)


class Patched:
    """A run, and a stub that changes the hypervisor under it."""

    def __init__(self, start, partita, tmp_path, text):
        path, image = tmp_path / "patched.toml", tmp_path / "system.elf"
        path.write_text(text)
        assert partita("build", path, "-o", image).returncode == 0
        headers = subprocess.run(["arm-none-eabi-readelf", "-lW", image], capture_output=True, text=True, check=True).stdout
        self.base = int(re.search(r"LOAD\s+\w+\s+\w+\s+(0x\w+)", headers)[1], 16)  # the hypervisor's is the first segment
        self.socket = tmp_path / "gdb"
        self.session = start(path, "--qemu-args", "-gdb", f"unix:{self.socket},server=on,wait=off")

    def replace(self, symbol, word, offset=0):
        stub = Stub(self.socket)
        at = address_of(symbol) + offset - IMAGE + self.base
        assert stub.read_word(at) != word
        stub.write_word(at, word)
        stub.go_on()
        self.stub = stub  # QEMU stops where its debugger goes away


@pytest.fixture
def patched(start, partita, tmp_path):
    return lambda text: Patched(start, partita, tmp_path, text)


ONE = system(partition("control", CONTROL, [0]))


@pytest.mark.parametrize("word, what", [(0xE7F000F0, "undefined-instruction"), (0xE1400070, "hypercall-from-hyp"), (0xE3A0F000, "prefetch-abort"),
                                        (0xE5900FFF, "data-abort")], ids=["undefined", "hvc", "prefetch", "data"])
def test_a_bug_of_the_hypervisor_ends_in_words(patched, word, what):
    """UDF; HVC; MOV PC, #0; a load from nowhere."""
    run = patched(ONE)
    run.session.expect("cycles 1000")
    if what == "data-abort":
        run.replace("on_interrupt", 0xE3A00000)  # MOV R0, #0: what it takes for the vCPU
    else:
        run.replace("on_interrupt", word)
    told = run.session.expect(rf"PANIC in the hypervisor on CPU 0: {what} at pc 0x(\w+), HSR 0x\w+, HDFAR 0x(\w+), lr 0x\w+, sp 0x(\w+)")
    assert int(told[3], 16) >= VCPUS, "on the stack of its virtual CPU"


def test_a_stack_that_is_used_up_ends_in_words(patched):
    """SUB SP, SP, #0x1400: into the page below that is not mapped."""
    run = patched(ONE)
    run.session.expect("cycles 1000")
    run.replace("on_interrupt", 0xE24DDB05)
    told = run.session.expect(r"PANIC in the hypervisor on CPU 0: data-abort at pc 0x\w+, HSR 0x\w+, HDFAR 0x(\w+), lr 0x\w+, sp 0x(\w+)")
    assert VCPUS <= int(told[1], 16) < VCPUS + 0x1000, "in the guard of the first virtual CPU"


def test_an_abort_that_comes_while_a_virtual_cpu_leaves_is_its_own(patched):
    """A load that aborts stands for what no emulator raises, where Hyp asks for what is pending: drain_aborts()."""
    text = system(partition("first", GUESTS / "neighbour.elf", [0], on_fault="stop"), partition("second", GUESTS / "neighbour.elf", [0], on_fault="stop"),
                  partition("control", CONTROL, [1]), shared=[0], slice="1 ms")
    run = patched(text)
    run.session.expect("control: 1000 Hz")
    run.replace("abort_window", 0xE5900000)  # LDR R0, [R0], which is 0
    told = run.session.expect(r"(first|second)/vcpu0: an access of its own ended in an asynchronous external abort near pc 0x\w+: stopped the partition")
    run.session.expect(rf"{told[1]}: off, after a fault")
    run.session.expect("control] cycles")
    run.session.expect("control] cycles")


def test_an_abort_of_a_running_guest_is_its_own(patched):
    """The vector that takes its traps leads to where its asynchronous aborts are taken."""
    text = system(partition("guilty", GUESTS / "echo.elf", [0], on_fault="stop"), partition("control", CONTROL, [1]))
    run = patched(text)
    run.session.expect("guilty.*ready")
    vector, handler = address_of("hyp_vectors_icache") + 0x14, address_of("hyp_data_abort")
    run.replace("hyp_vectors_icache", 0xEA000000 | (handler - vector - 8) >> 2 & 0xFFFFFF, offset=0x14)
    run.session.send("guilty", "x")  # its interrupt, then its trap
    run.session.expect(r"guilty/vcpu0: an access of its own ended in an asynchronous external abort near pc 0x\w+: stopped the partition")
    run.session.expect("guilty: off, after a fault")
