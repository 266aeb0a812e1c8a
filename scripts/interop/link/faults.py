"""What can happen to a datagram when it leaves the link. Each fault belongs to one direction."""

from __future__ import annotations

import random
from typing import Protocol

from capture.pcap import Address
from link.scenario import Blackhole, Impairment, Scenario

# Damage near the front hits the header of a packet as often as its payload.
CORRUPTIBLE_PREFIX = 50


class Fault(Protocol):
    def apply(self, payload: bytes, flow: Address, elapsed: float) -> bytes | None:
        """The datagram as it arrives, or None if it is lost.

        `flow` is the client's address, and `elapsed` counts from the first datagram of all.
        """


class Chooser:
    """Picks datagrams at random, but never more than a burst of them in a row.

    Rows are those of a flow: connections side by side must not be worse off than one after the other.
    """

    def __init__(self, impairment: Impairment, generator: random.Random) -> None:
        self.generator = generator
        self._impairment = impairment
        self._in_a_row: dict[Address, int] = {}

    def chooses(self, flow: Address) -> bool:
        in_a_row = self._in_a_row.get(flow, 0)
        chosen = in_a_row < self._impairment.burst and (
            self.generator.randrange(100) < self._impairment.percent
        )
        self._in_a_row[flow] = in_a_row + 1 if chosen else 0
        return chosen


class Loss:
    def __init__(self, chooser: Chooser) -> None:
        self._chooser = chooser

    def apply(self, payload: bytes, flow: Address, elapsed: float) -> bytes | None:
        return None if self._chooser.chooses(flow) else payload


class Corruption:
    def __init__(self, chooser: Chooser) -> None:
        self._chooser = chooser

    def apply(self, payload: bytes, flow: Address, elapsed: float) -> bytes | None:
        # Version Negotiation has no integrity protection, so that a damaged one would prove nothing.
        if payload[1:5] == bytes(4) or not payload or not self._chooser.chooses(flow):
            return payload
        position = self._chooser.generator.randrange(min(CORRUPTIBLE_PREFIX, len(payload)))
        damaged = payload[position] ^ self._chooser.generator.randrange(1, 256)
        return payload[:position] + bytes([damaged]) + payload[position + 1 :]


class DropList:
    """Drops the datagrams with the given ordinals, counted from one."""

    def __init__(self, ordinals: tuple[int, ...]) -> None:
        self._ordinals = frozenset(ordinals)
        self._count = 0

    def apply(self, payload: bytes, flow: Address, elapsed: float) -> bytes | None:
        self._count += 1
        return None if self._count in self._ordinals else payload


class Outage:
    def __init__(self, blackhole: Blackhole) -> None:
        self._begin = blackhole.on
        self._end = blackhole.on + blackhole.off

    def apply(self, payload: bytes, flow: Address, elapsed: float) -> bytes | None:
        return None if self._begin <= elapsed < self._end else payload


def faults_of(scenario: Scenario, *, to_server: bool) -> list[Fault]:
    """The faults of one direction, which draws from a generator of its own, so that a seed repeats."""
    generator = random.Random(scenario.seed * 2 + to_server)
    faults: list[Fault] = []
    if to_server and scenario.drops_to_server:
        faults.append(DropList(scenario.drops_to_server))
    if scenario.blackhole:
        faults.append(Outage(scenario.blackhole))
    if scenario.loss:
        faults.append(Loss(Chooser(scenario.loss, generator)))
    if scenario.corruption:
        faults.append(Corruption(Chooser(scenario.corruption, generator)))
    return faults
