"""The secure partition: its loop beside all that runs in the other world, and what it does for partitions that may ask it."""

import re

from conftest import CONTROL, GUESTS, linux, partition, system

BOARD = "virt-secure"
ALL_BUT_ONE = '["random", "hash", "hmac", "seal", "open", "sign"]'


def secured(*partitions):
    return system(*partitions, board=BOARD) + "\n[secure]\n"


def test_the_trusted_service(start):
    """Known answers, keys of their own for labels, what is not authentic, calls that interrupts leave, and what is refused."""
    session = start(secured(partition("asks", GUESTS / "trusted.elf", [0], trusted=ALL_BUT_ONE)))
    session.expect("secure.*a loop of 1000 Hz")
    session.expect("trusted: done")
    text = session.text()
    assert "WRONG" not in text and text.count(": ok") == 23


def test_no_service_for_who_may_not_ask(start):
    session = start(secured(partition("asks", GUESTS / "trusted.elf", [0])))
    session.expect("trusted: there is no service")
