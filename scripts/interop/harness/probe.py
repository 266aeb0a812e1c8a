"""Waits until a server answers. Run as a program, it probes from the network namespace it is run in."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable

from capture.pcap import Address

# RFC 9000 section 15 reserves versions of this form for making a server negotiate.
UNKNOWN_VERSION = 0x1A2A3A4A
SMALLEST_INITIAL = 1200
INTERVAL = 0.1


def unknown_version_packet() -> bytes:
    destination, source = os.urandom(8), os.urandom(8)
    header = bytes([0xC0]) + UNKNOWN_VERSION.to_bytes(4, "big") + b"\x08" + destination + b"\x08" + source
    return header + bytes(SMALLEST_INITIAL - len(header))


def is_version_negotiation(datagram: bytes) -> bool:
    return len(datagram) > 5 and datagram[0] & 0x80 != 0 and datagram[1:5] == bytes(4)


def answers(server: Address) -> bool:
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.settimeout(INTERVAL)
        try:
            probe.sendto(unknown_version_packet(), server)
            return is_version_negotiation(probe.recv(1500))
        except OSError:
            return False


def wait_until_ready(server: Address, seconds: float, still_runs: Callable[[], bool] = lambda: True) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and still_runs():
        if answers(server):
            return True
        time.sleep(INTERVAL / 2)
    return False


if __name__ == "__main__":
    sys.exit(0 if wait_until_ready((sys.argv[1], int(sys.argv[2])), float(sys.argv[3])) else 1)
