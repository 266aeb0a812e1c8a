"""The same bottleneck for IP packets, between two TUN devices, so that TCP can compete on it. Needs root.

Run as a program with the path of its task, in JSON: {"scenario": {...}, "devices": [client's, server's],
"client_capture": path, "server_capture": path}. It prints a line when the devices exist.
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import itertools
import json
import os
import select
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from capture.pcap import UDP, Writer
from link.pipe import Pipe
from link.process import run_until_stopped
from link.scenario import Scenario

TUNSETIFF = 0x400454CA
IFF_TUN_WITHOUT_HEADER = 0x0001 | 0x1000
LARGEST_PACKET = 65536
BATCH = 64
LONGEST_WAIT = 0.2


class Tunnel:
    """One end of the link, as a network device."""

    def __init__(self, device: str, capture: Path) -> None:
        self._descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        request = struct.pack("16sH22x", device.encode(), IFF_TUN_WITHOUT_HEADER)
        fcntl.ioctl(self._descriptor, TUNSETIFF, request)
        self._capture = Writer(capture)

    def fileno(self) -> int:
        return self._descriptor

    def read(self) -> bytes | None:
        try:
            packet = os.read(self._descriptor, LARGEST_PACKET)
        except BlockingIOError:
            return None
        self._record(packet)
        return packet

    def write(self, packet: bytes) -> None:
        self._record(packet)
        # A device that is not up yet refuses.
        with contextlib.suppress(OSError):
            os.write(self._descriptor, packet)

    def close(self) -> None:
        self._capture.close()
        os.close(self._descriptor)

    def _record(self, packet: bytes) -> None:
        # The other traffic only matters for the room that it takes.
        if packet[0] >> 4 == 4 and packet[9] == UDP:
            self._capture.write_packet(time.time_ns(), packet)


@dataclass
class Direction:
    source: Tunnel
    pipe: Pipe
    destination: Tunnel


class Bridge:
    def __init__(self, scenario: Scenario, client: Tunnel, server: Tunnel) -> None:
        self._directions = [
            Direction(client, Pipe(scenario, to_server=True), server),
            Direction(server, Pipe(scenario, to_server=False), client),
        ]
        self._agenda: list[tuple[float, int, Direction, bytes]] = []
        self._ordinals = itertools.count()

    def step(self) -> None:
        sources = [direction.source for direction in self._directions]
        readable, _, _ = select.select(sources, [], [], self._time_to_wait())
        for direction in self._directions:
            if direction.source in readable:
                self._read(direction)
        now = time.monotonic()
        while self._agenda and self._agenda[0][0] <= now:
            _, _, direction, packet = heapq.heappop(self._agenda)
            direction.destination.write(packet)

    def _time_to_wait(self) -> float:
        if not self._agenda:
            return LONGEST_WAIT
        return min(LONGEST_WAIT, max(0.0, self._agenda[0][0] - time.monotonic()))

    def _read(self, direction: Direction) -> None:
        for _ in range(BATCH):
            packet = direction.source.read()
            if packet is None:
                return
            arrival = direction.pipe.admit(len(packet), time.monotonic())
            if arrival is not None:
                heapq.heappush(self._agenda, (arrival, next(self._ordinals), direction, packet))


def main() -> None:
    task = json.loads(Path(sys.argv[1]).read_text())
    client = Tunnel(task["devices"][0], Path(task["client_capture"]))
    server = Tunnel(task["devices"][1], Path(task["server_capture"]))
    bridge = Bridge(Scenario.from_json(task["scenario"]), client, server)
    print("ready", flush=True)
    run_until_stopped(bridge.step)
    client.close()
    server.close()


if __name__ == "__main__":
    main()
