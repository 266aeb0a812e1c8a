"""One direction of the bottleneck: a drop-tail queue, a transmission rate, and a propagation delay."""

from __future__ import annotations

from collections import deque

from capture.pcap import Address
from link.faults import faults_of
from link.scenario import Scenario

# What a packet takes on a point-to-point wire besides itself.
FRAMING = 2


class Pipe:
    def __init__(self, scenario: Scenario, *, to_server: bool) -> None:
        self.faults = faults_of(scenario, to_server=to_server)
        self.dropped_by_queue = 0
        self.dropped_by_size = 0
        self._scenario = scenario
        self._busy_until = 0.0
        self._transmission_starts: deque[float] = deque()

    def admit(self, size: int, now: float) -> float | None:
        """When an IP packet of `size` bytes arrives at the other end, or None if it doesn't fit."""
        if size > self._scenario.mtu:
            self.dropped_by_size += 1
            return None
        if self._waiting(now) > self._scenario.queue:
            self.dropped_by_queue += 1
            return None
        start = max(now, self._busy_until)
        self._transmission_starts.append(start)
        self._busy_until = start + (size + FRAMING) * 8 / self._scenario.bits_per_second
        return self._busy_until + self._scenario.delay

    def deliver(self, payload: bytes, flow: Address, elapsed: float) -> bytes | None:
        arrived: bytes | None = payload
        for fault in self.faults:
            if arrived is None:
                break
            arrived = fault.apply(arrived, flow, elapsed)
        return arrived

    def _waiting(self, now: float) -> int:
        while self._transmission_starts and self._transmission_starts[0] <= now:
            self._transmission_starts.popleft()
        return len(self._transmission_starts)
