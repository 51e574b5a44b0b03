#!/usr/bin/env python3
"""A disk with a GUID partition table (UEFI 2.10, 5.3), for servers to find partitions on by name.

gpt.py DISK NAME=FILE… makes one that has these files, in this order."""

import pathlib
import struct
import sys
import uuid
import zlib

SECTOR = 512
ENTRIES = 128
ALIGNMENT = 2048  # sectors


def entry(number, name, first, last):
    type_guid = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4").bytes_le  # data of Linux
    return type_guid + uuid.UUID(int=number + 1).bytes_le + struct.pack("<QQQ", first, last, 0) + name.encode("utf-16-le").ljust(72, b"\0")


def header(own, other, table, table_bytes, sectors):
    def pack(checksum):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, checksum, 0, own, other, 34, sectors - 34, uuid.UUID(int=77).bytes_le,
                           table, ENTRIES, 128, zlib.crc32(table_bytes))

    return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")


def make_disk(path, size, partitions):
    """partitions: name -> (first sector, sectors)."""
    sectors = size // SECTOR
    table = b"".join(entry(n, name, first, first + count - 1) for n, (name, (first, count)) in enumerate(partitions.items())).ljust(ENTRIES * 128, b"\0")
    with open(path, "wb") as file:
        file.truncate(size)
        for own, other, at in ((1, sectors - 1, 2), (sectors - 1, 1, sectors - 33)):
            file.seek(own * SECTOR)
            file.write(header(own, other, at, table, sectors))
            file.seek(at * SECTOR)
            file.write(table)


def copy(source, disk, first):
    """What is not zero: the rest stays a hole."""
    at = first * SECTOR
    while block := source.read(1 << 20):
        if block.strip(b"\0"):
            disk.seek(at)
            disk.write(block)
        at += len(block)


def main(path, *parts):
    partitions, files, at = {}, {}, ALIGNMENT
    for part in parts:
        name, file = part.split("=", 1)
        count = -(-pathlib.Path(file).stat().st_size // SECTOR)
        partitions[name], files[name] = (at, count), file
        at += -(-count // ALIGNMENT) * ALIGNMENT
    make_disk(path, (at + ALIGNMENT) * SECTOR, partitions)
    with open(path, "r+b") as disk:
        for name, file in files.items():
            with open(file, "rb") as source:
                copy(source, disk, partitions[name][0])


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
