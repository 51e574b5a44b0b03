"""A client of QEMU's gdb stub, as far as putting faults into the hypervisor needs it: its memory, by physical address."""

import socket
import time


class Stub:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        for _ in range(100):  # until QEMU listens
            try:
                self.socket.connect(str(path))
                break
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.1)
        self.socket.settimeout(30)
        self.ask("?")  # stopped from now on
        assert self.ask("Qqemu.PhyMemMode:1") == "OK"

    def send(self, text):
        self.socket.sendall(f"${text}#{sum(text.encode()) % 256:02x}".encode())

    def ask(self, text):
        """The answer to one packet (GDB's remote serial protocol)."""
        self.send(text)
        data = b""
        while b"$" not in data or b"#" not in data[data.index(b"$"):][:-2]:
            data += self.socket.recv(4096)
        self.socket.sendall(b"+")
        return data[data.index(b"$") + 1:data.rindex(b"#")].decode()

    def read_word(self, address):
        return int.from_bytes(bytes.fromhex(self.ask(f"m{address:x},4")), "little")

    def write_word(self, address, word):
        assert self.ask(f"M{address:x},4:{word.to_bytes(4, 'little').hex()}") == "OK"

    def go_on(self):
        self.send("c")
